/* Tests of base/arena.h: limit, alignment, marks, reuse after a reset. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"

static void aligned_and_zeroed(void **state)
{
    (void)state;
    struct arena *a = arena_new(1 << 20);
    for (size_t n = 0; n < 300; n++) {
        uint8_t *p = arena_get(a, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xee, n);
        if (n % 50 == 49)
            arena_reset(a);
    }
    arena_free(a);
}

static void stops_at_the_limit(void **state)
{
    (void)state;
    struct arena *a = arena_new(1 << 20);
    size_t got = 0;
    while (arena_raw(a, 1000))
        got++;
    assert_int_equal(got, (1 << 20) / 1008);
    assert_null(arena_get(a, SIZE_MAX));
    assert_null(arena_get(a, SIZE_MAX - 20));
    arena_reset(a);
    assert_non_null(arena_raw(a, 1 << 20));
    assert_null(arena_raw(a, 1));
    arena_free(a);
}

static void rewinds_over_blocks(void **state)
{
    (void)state;
    struct arena *a = arena_new(16 << 20);
    uint8_t *first = arena_raw(a, 100);
    memset(first, 1, 100);
    struct arena_mark mark = arena_mark(a);
    uint8_t *second = arena_raw(a, 100);
    for (unsigned i = 0; i < 100; i++)
        assert_non_null(arena_raw(a, 50000));
    struct arena_mark deep = arena_mark(a);
    assert_non_null(arena_raw(a, 5 << 20));
    arena_rewind(a, deep);
    arena_rewind(a, mark);
    assert_ptr_equal(arena_raw(a, 100), second);
    assert_int_equal(first[99], 1);
    size_t got = 0; /* the limit counts only what is held */
    while (arena_raw(a, 1 << 20))
        got++;
    assert_int_equal(got, 15);
    arena_free(a);
}

static void copies(void **state)
{
    (void)state;
    struct arena *a = arena_new(64);
    char text[] = "queue";
    struct bytes b = arena_copy(a, bytes_of(text, 5));
    memset(text, 0, sizeof text);
    assert_true(bytes_eq(b, "queue"));
    assert_int_equal(arena_copy(a, (struct bytes){0}).len, 0);
    char large[65] = {0};
    assert_null(arena_copy(a, bytes_of(large, sizeof large)).at);
    arena_free(a);
    arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aligned_and_zeroed),
        cmocka_unit_test(stops_at_the_limit),
        cmocka_unit_test(rewinds_over_blocks),
        cmocka_unit_test(copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
