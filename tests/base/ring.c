/* Tests of base/ring.h: order, wrap, full and empty, and two real threads. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/ring.h"

static bool put(struct ring *r, uint32_t id, size_t n)
{
    uint8_t *at = ring_reserve(r, n);
    if (!at)
        return false;
    memset(at, (int)(id & 0xff), n);
    if (n >= sizeof id)
        memcpy(at, &id, sizeof id);
    ring_commit(r);
    return true;
}

static size_t length_of(uint32_t id, size_t max)
{
    return 4 + (id * 2654435761u >> 8) % (max - 3);
}

static void check(struct bytes got, uint32_t id, size_t n)
{
    uint32_t seen;
    assert_int_equal(got.len, n);
    assert_int_equal((uintptr_t)got.at % 16, 0);
    memcpy(&seen, got.at, sizeof seen);
    assert_int_equal(seen, id);
    if (n > 4)
        assert_int_equal(got.at[n - 1], id & 0xff);
}

static void one_thread_wraps(void **state)
{
    (void)state;
    struct ring *r = ring_new(1000);
    assert_int_equal(ring_capacity(r), 1024);
    uint32_t in = 0, out = 0;
    struct bytes got;
    assert_false(ring_peek(r, &got));
    while (out < 20000) {
        while (put(r, in, length_of(in, ring_max_record(r))))
            in++;
        assert_true(in > out);
        for (unsigned i = 0; i < 1 + out % 3 && out < in; i++, out++) {
            assert_true(ring_peek(r, &got));
            check(got, out, length_of(out, ring_max_record(r)));
            ring_drop(r);
        }
    }
    while (ring_peek(r, &got))
        ring_drop(r);
    assert_int_equal(ring_used(r), 0);
    ring_free(r);
}

static void the_longest_always_fits_an_empty_ring(void **state)
{
    (void)state;
    struct ring *r = ring_new(256);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_true(put(r, i, 4 + i % 60));
        ring_drop(r);
        assert_true(put(r, i, ring_max_record(r)));
        assert_null(ring_reserve(r, ring_max_record(r) + 1));
        ring_drop(r);
    }
    assert_null(ring_reserve(r, SIZE_MAX));
    assert_true(put(r, 7, 0));
    struct bytes got;
    assert_true(ring_peek(r, &got));
    assert_int_equal(got.len, 0);
    ring_free(r);
}

static void batches(void **state)
{
    (void)state;
    struct ring *r = ring_new(4096);
    struct bytes got[16];
    uint32_t in = 0, out = 0;
    while (out < 5000) {
        while (put(r, in, length_of(in, 100)))
            in++;
        size_t n = ring_peek_many(r, got, 16);
        assert_int_equal(n, 16);
        for (uint32_t i = 0; i < 16; i++)
            check(got[i], out + i, length_of(out + i, 100));
        ring_drop_many(r, 11);
        out += 11;
    }
    ring_drop_many(r, 1000);
    assert_int_equal(ring_peek_many(r, got, 16), 0);
    ring_free(r);
    ring_free(NULL);
}

static void uncommitted_is_not_seen(void **state)
{
    (void)state;
    struct ring *r = ring_new(256);
    struct bytes got;
    assert_non_null(ring_reserve(r, 100));
    assert_false(ring_peek(r, &got));
    assert_true(put(r, 9, 20)); /* takes the place of the first */
    assert_true(ring_peek(r, &got));
    check(got, 9, 20);
    ring_free(r);
}

enum { MANY = 300000 };

static void *produce(void *ctx)
{
    struct ring *r = ctx;
    for (uint32_t i = 0; i < MANY; i++)
        while (!put(r, i, length_of(i, 300)))
            sched_yield();
    return NULL;
}

static void two_threads(void **state)
{
    (void)state;
    struct ring *r = ring_new(4096);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, produce, r), 0);
    struct bytes got[8];
    for (uint32_t out = 0; out < MANY;) {
        size_t n = ring_peek_many(r, got, 8);
        for (size_t i = 0; i < n; i++, out++)
            check(got[i], out, length_of(out, 300));
        ring_drop_many(r, n);
        if (n == 0)
            sched_yield();
    }
    pthread_join(thread, NULL);
    assert_int_equal(ring_used(r), 0);
    ring_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_wraps), cmocka_unit_test(the_longest_always_fits_an_empty_ring),
        cmocka_unit_test(batches),          cmocka_unit_test(uncommitted_is_not_seen),
        cmocka_unit_test(two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
