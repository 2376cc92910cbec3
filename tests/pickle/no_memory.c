/* Every allocation of the machine fails once, each in a run of its own: nothing breaks, nothing is
 * called clean that is not, and the same machine judges rightly afterwards. Linked so that the
 * library's allocations come here (tests/cmake/pickle.cmake). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/pickle/support/programs.h"

/* The linker's names for what it wraps. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t n);

static unsigned countdown; /* 0: nothing fails */
static unsigned failed;

static bool fails(void)
{
    if (countdown == 0 || --countdown > 0)
        return false;
    failed++;
    return true;
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t n)
{
    return fails() ? NULL : __real_realloc(old, n);
}

/* A machine that has never judged anything grows all its buffers. false: nothing failed. */
static bool judged_without(const char *name, unsigned nth, struct bytes all,
                           enum pickle_verdict want)
{
    struct pickle *p = pickle_new(NULL);
    const struct pickle_result *r;

    assert_non_null(p);
    failed = 0;
    countdown = nth;
    r = pickle_judge(p, all, PICKLE_DECLARED, PICKLE_WHOLE);
    countdown = 0;
    if (want >= PICKLE_SUSPICIOUS && r->verdict < PICKLE_SUSPICIOUS)
        fail_msg("%s: allocation %u failed, and the verdict is %s", name, nth,
                 pickle_verdict_name(r->verdict));
    r = pickle_judge(p, all, PICKLE_DECLARED, PICKLE_WHOLE);
    assert_int_equal(r->verdict, want);
    pickle_free(p);
    return failed > 0;
}

static void every_allocation_fails_once(void **state)
{
    unsigned runs = 0;

    (void)state;
    for (unsigned i = 0; i < n_programs; i++) {
        struct bytes all = bytes_of(programs[i].bytes, programs[i].len);
        struct pickle *p = pickle_new(NULL);
        enum pickle_verdict want = pickle_judge(p, all, PICKLE_DECLARED, PICKLE_WHOLE)->verdict;

        pickle_free(p);
        for (unsigned nth = 1; judged_without(programs[i].name, nth, all, want); nth++)
            runs++;
    }
    assert_true(runs > n_programs);
}

/* A frame that an argument crosses, with all buffers grown before: the copy needs four. */
static void the_readers_part_without_memory(void **state)
{
    uint8_t all[4096];
    size_t n = 0, copies = 0;
    static const char head[] = "\x80\x05N\x94Nr\0\0\0\x7f\x95\x02\0\0\0\0\0\0\0B\x07\x01\0\0\0Z"
                               "X\x06\0\0\0HIDDEN";

    (void)state;
    memcpy(all, head, sizeof head - 1);
    n = sizeof head - 1;
    memset(all + n, 'N', sizeof all - n - 1);
    all[sizeof all - 1] = '.';
    for (unsigned nth = 1;
         judged_without("straddle", nth, bytes_of(all, sizeof all), PICKLE_DANGEROUS); nth++)
        copies++;
    assert_true(copies >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_fails_once),
        cmocka_unit_test(the_readers_part_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
