/* Random programs of data-only opcodes through CPython and through the machine, both readers: where
 * CPython goes on, so must we, and to the same place and kind of value.
 * PICKLE_PROGRAMS in the environment: how many (default 4000); PICKLE_SEED. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "signatures/pickle/machine.h"

#define DEFAULT_PROGRAMS 4000

struct verdict {
    uint8_t fine, kind;
    uint64_t used, value;
};

struct counts {
    unsigned programs, fine, stopped, misplaced, lenient;
};

static uint64_t number(FILE *f, unsigned width)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < width; i++)
        v |= (uint64_t)(fgetc(f) & 0xff) << 8 * i;
    return v;
}

static struct verdict read_verdict(FILE *f)
{
    struct verdict v;

    v.fine = (uint8_t)number(f, 1);
    v.used = number(f, 8);
    v.kind = (uint8_t)number(f, 1);
    v.value = number(f, 8);
    return v;
}

static bool same_number(const struct vm *vm, struct value v, uint64_t want)
{
    if (v.kind == V_INT)
        return (uint64_t)(int64_t)(int32_t)v.ref == want;
    struct bytes raw = text_of(&vm->heap, v);
    uint64_t n = 0;

    if (raw.len == 0)
        return true; /* known to be large, and no more */
    for (unsigned i = 0; i < 8; i++)
        n |= (uint64_t)(i < raw.len ? raw.at[i] : raw.at[raw.len - 1] & 0x80 ? 0xff : 0) << 8 * i;
    return n == want;
}

/* Does the machine hold what CPython has loaded? */
static bool same_value(const struct vm *vm, const struct verdict *want)
{
    static const uint8_t kinds[] = {V_LOST, V_NONE,  V_TRUE,      V_INT,   V_FLOAT,
                                    V_STR,  V_BYTES, V_BYTEARRAY, V_TUPLE, V_LIST,
                                    V_DICT, V_SET,   V_FROZENSET};
    struct value v = vm->stack[vm->len - 1];

    if (want->kind == 0 || v.kind == V_LOST)
        return true;
    if (v.kind == V_TRUE || v.kind == V_FALSE)
        return want->kind == 2 && (v.kind == V_TRUE) == want->value;
    if (v.kind == V_LONG || v.kind == V_INT)
        return want->kind == 3 && same_number(vm, v, want->value);
    if (kinds[want->kind] != v.kind)
        return false;
    if (v.kind == V_BYTEARRAY)
        return true; /* APPEND makes it longer, and nothing hangs on that */
    if (is_text(v))
        return text_len(&vm->heap, v) == want->value;
    return (v.kind != V_TUPLE && v.kind != V_LIST) || value_count(&vm->heap, v) == want->value;
}

static void compare(const struct vm *vm, const struct verdict *want, bool file, struct counts *n)
{
    bool stops = vm->phase == PHASE_DONE && vm->end == PICKLE_END_STOP;

    n->fine += want->fine;
    n->stopped += want->fine && !stops;
    n->lenient += !want->fine && stops;
    if (want->fine && stops)
        n->misplaced += (file && vm->end_at > want->used) || !same_value(vm, want);
}

static void dump(const char *what, const uint8_t *at, size_t len)
{
    fprintf(stderr, "%s: ", what);
    for (size_t i = 0; i < len; i++)
        fprintf(stderr, "%02x", at[i]);
    fputc('\n', stderr);
}

/* The first stream only: its machine must not be used again for a second. */
static void one_program(FILE *f, size_t len, struct pickle *p, struct counts *n)
{
    struct verdict linear = read_verdict(f), file = read_verdict(f);
    uint8_t *program = malloc(len ? len : 1);
    struct counts before = *n;

    assert_int_equal(fread(program, 1, len, f), len);
    pickle_reset(p, PICKLE_DECLARED);
    p->linear.m->depth = 1; /* no streams behind the first */
    pickle_feed(p, bytes_of(program, len));
    compare(&p->linear, &linear, false, n);
    compare(p->forked ? &p->file : &p->linear, &file, true, n);
    n->programs++;
    if (n->stopped > before.stopped)
        dump("CPython goes on", program, len);
    if (n->misplaced > before.misplaced)
        dump("another value", program, len);
    free(program);
}

static void test_against_cpython(void **state)
{
    const char *programs = getenv("PICKLE_PROGRAMS"), *seed = getenv("PICKLE_SEED");
    struct counts n = {0};
    struct pickle *p = pickle_new(NULL);
    char command[512];

    (void)state;
    snprintf(command, sizeof command, "python3 '%s/tests/pickle/differential.py' %d %d 2>/dev/null",
             SOURCE_DIR, programs ? atoi(programs) : DEFAULT_PROGRAMS, seed ? atoi(seed) : 1);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    for (int c; n.stopped + n.misplaced < 20 && (c = fgetc(f)) != EOF;) {
        ungetc(c, f);
        size_t len = (size_t)number(f, 4);
        one_program(f, len, p, &n);
    }
    pclose(f);
    pickle_free(p);
    printf("%u programs, %u loads by CPython, %u where we alone go on\n", n.programs, n.fine,
           n.lenient);
    assert_int_equal(n.stopped, 0);
    assert_int_equal(n.misplaced, 0);
    assert_true(n.programs > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_cpython)};

    if (system("python3 -c 'import sys; sys.exit(sys.version_info >= (3, 13))' 2>/dev/null") != 0) {
        printf("SKIP: no Python of the kind that was studied\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
