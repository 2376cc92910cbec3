/* Streams that cost a worker far more than their size cost us no more than others of it; and large
 * honest data are no bombs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "signatures/pickle/pickle.h"

struct buffer {
    uint8_t *at;
    size_t len, cap;
};

static void put(struct buffer *b, const void *bytes, size_t n)
{
    if (b->len + n > b->cap) {
        b->cap = (b->len + n) * 2;
        b->at = realloc(b->at, b->cap);
        assert_non_null(b->at);
    }
    memcpy(b->at + b->len, bytes, n);
    b->len += n;
}

static void times(struct buffer *b, const char *bytes, size_t n, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put(b, bytes, n);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Judges, bounds time and memory, frees. Sanitized builds are slow: the bound is for those. */
static uint64_t flags_of(struct buffer *b, enum pickle_verdict at_most)
{
    struct pickle *p = pickle_new(NULL);
    double begin = now();
    const struct pickle_result *r =
        pickle_judge(p, bytes_of(b->at, b->len), PICKLE_DECLARED, PICKLE_WHOLE);
    double seconds = now() - begin;
    uint64_t flags = r->flags;

    if (r->verdict > at_most)
        fail_msg("%s: %s", pickle_verdict_name(r->verdict), r->ground);
    assert_true(pickle_memory(p) <= PICKLE_MEMORY_MAX);
    assert_true(seconds < 2.0 + (double)b->len / 1e6 * 4);
    pickle_free(p);
    free(b->at);
    *b = (struct buffer){0};
    return flags;
}

static void test_depth_as_key(void **state)
{
    struct buffer b = {0};

    (void)state;
    put(&b, "\x80\x04}N", 4);
    times(&b, "\x85", 1, 150000);
    put(&b, "Ns.", 3);
    assert_true(flags_of(&b, PICKLE_SUSPICIOUS) & PICKLE_FLAG(DEPTH_BOMB));
    put(&b, "\x80\x04N", 3); /* the same, not hashed: loads in proportion to its size */
    times(&b, "\x85", 1, 1000000);
    put(&b, ".", 1);
    assert_false(flags_of(&b, PICKLE_DATA) & PICKLE_ANY_BOMB);
}

static void test_colliding_keys(void **state)
{
    struct buffer b = {0};

    (void)state;
    put(&b, "\x80\x04\x8f(", 4);
    for (uint64_t i = 1; i <= 20000; i++) {
        __uint128_t n = (__uint128_t)((UINT64_C(1) << 61) - 1) * i + 7;
        uint8_t op[18] = {0x8a, 16};
        for (int k = 0; k < 16; k++, n >>= 8)
            op[2 + k] = (uint8_t)n;
        put(&b, op, sizeof op);
    }
    put(&b, "\x90.", 2);
    assert_true(flags_of(&b, PICKLE_SUSPICIOUS) & PICKLE_FLAG(COLLISION_BOMB));
    put(&b, "\x80\x04\x8f(", 4); /* as many large keys of honest origin */
    for (uint64_t i = 1; i <= 20000; i++) {
        uint64_t n[2] = {i * 0x9e3779b97f4a7c15u, i * 0xff51afd7ed558ccdu >> 1};
        put(&b, "\x8a\x10", 2);
        put(&b, n, 16);
    }
    put(&b, "\x90.", 2);
    assert_false(flags_of(&b, PICKLE_DATA) & PICKLE_ANY_BOMB);
}

static void test_digits(void **state)
{
    struct buffer b = {0};

    (void)state;
    put(&b, "L", 1);
    times(&b, "7", 1, 200000);
    put(&b, "L\n.", 3);
    assert_true(flags_of(&b, PICKLE_SUSPICIOUS) & PICKLE_FLAG(DIGITS_BOMB));
}

/* MARK, DUP, GET and values in masses load in proportion to their size. */
static void test_masses(void **state)
{
    struct buffer b = {0};

    (void)state;
    put(&b, "\x80\x04", 2);
    times(&b, "(", 1, 2000000);
    put(&b, "N.", 2);
    assert_false(flags_of(&b, PICKLE_SUSPICIOUS) & PICKLE_ANY_BOMB);
    put(&b, "\x80\x04N", 3);
    times(&b, "2", 1, 2000000);
    put(&b, ".", 1);
    assert_false(flags_of(&b, PICKLE_DATA) & PICKLE_ANY_BOMB);
    put(&b, "\x80\x04]\x94(", 5);
    times(&b, "h\0", 2, 1000000);
    put(&b, "e.", 2);
    flags_of(&b, PICKLE_SUSPICIOUS);
    put(&b, "\x80\x04(", 3);
    times(&b, "]", 1, 1000000);
    put(&b, "t.", 2);
    assert_false(flags_of(&b, PICKLE_DATA) & PICKLE_ANY_BOMB);
}

/* A large list of distinct texts, all in the memo, as CPython writes it: data, and nothing else. */
static void test_large_honest(void **state)
{
    struct buffer b = {0};
    char op[32];

    (void)state;
    put(&b, "\x80\x04]\x94", 4);
    for (unsigned i = 0; i < 400; i++) {
        put(&b, "(", 1);
        for (unsigned k = 0; k < 1000; k++) {
            int n = snprintf(op + 2, sizeof op - 2, "user%06u", i * 1000 + k);
            op[0] = (char)0x8c;
            op[1] = (char)n;
            put(&b, op, (size_t)n + 2);
            put(&b, "\x94K\x07\x86\x94", 5);
        }
        put(&b, "e", 1);
    }
    put(&b, ".", 1);
    assert_int_equal(flags_of(&b, PICKLE_DATA), 0);
}

/* Padding hides nothing: names that lie in the memo under two million entries. */
static void test_padding(void **state)
{
    struct buffer b = {0};
    struct pickle *p = pickle_new(NULL);

    (void)state;
    put(&b, "\x80\x04\x8c\x02os\x94\x8c\x06system\x94](", 18);
    for (unsigned i = 0; i < 2000000; i++)
        put(&b, "K\x01\x94", 3);
    put(&b, "e0h\0h\x01\x93\x8c\x02id\x85R.", 14);
    assert_int_equal(pickle_judge(p, bytes_of(b.at, b.len), PICKLE_SEEN, PICKLE_WHOLE)->verdict,
                     PICKLE_MALICIOUS);
    b.len = 0; /* and behind them */
    put(&b, "\x80\x04](", 4);
    for (unsigned i = 0; i < 2000000; i++)
        put(&b, "K\x01\x94", 3);
    put(&b,
        "e0\x8c\x02os\x94\x8c\x06system\x94"
        "00j\x80\x84\x1e\0j\x81\x84\x1e\0\x93\x8c\x02id\x85R.",
        36);
    assert_int_equal(pickle_judge(p, bytes_of(b.at, b.len), PICKLE_SEEN, PICKLE_WHOLE)->verdict,
                     PICKLE_MALICIOUS);
    free(b.at);
    pickle_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_depth_as_key), cmocka_unit_test(test_colliding_keys),
        cmocka_unit_test(test_digits),       cmocka_unit_test(test_masses),
        cmocka_unit_test(test_large_honest), cmocka_unit_test(test_padding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
