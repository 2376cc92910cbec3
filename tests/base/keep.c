/* Tests of base/keep.h: limits, budget, clipping, giving memory back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/keep.h"

static void add_text(struct keep *k, const char *text)
{
    keep_add(k, bytes_of(text, strlen(text)));
}

static void keeps_what_fits(void **state)
{
    (void)state;
    struct budget b = {.limit = 10000};
    struct keep k;
    keep_init(&k, 5, &b);
    add_text(&k, "abc");
    add_text(&k, "defg");
    assert_int_equal(keep_view(&k).len, 5);
    assert_memory_equal(keep_view(&k).at, "abcde", 5);
    assert_int_equal(k.dropped, 2);
    add_text(&k, "h");
    assert_int_equal(k.dropped, 3);
    keep_free(&k);
    assert_int_equal(b.used, 0);
}

static void head_has_no_hole(void **state)
{
    (void)state;
    struct budget b = {.limit = 300};
    struct keep k, other;
    uint8_t block[400] = {0};
    keep_init(&k, 4096, &b);
    keep_init(&other, 4096, &b);
    keep_add(&other, bytes_of(block, 250));
    keep_add(&k, bytes_of(block, 100)); /* 44 of them fit the budget */
    assert_int_equal(keep_view(&k).len, 300 - 256);
    keep_free(&other);
    keep_add(&k, bytes_of(block, 1));
    assert_int_equal(keep_view(&k).len, 300 - 256);
    assert_int_equal(k.dropped, 57);
    keep_free(&k);
    assert_int_equal(b.used, 0);
}

static void grows_byte_by_byte(void **state)
{
    (void)state;
    struct keep k;
    keep_init(&k, 3000, NULL);
    for (unsigned i = 0; i < 3000; i++) {
        uint8_t c = (uint8_t)(i * 7);
        keep_add(&k, bytes_of(&c, 1));
    }
    for (unsigned i = 0; i < 3000; i++)
        assert_int_equal(keep_view(&k).at[i], (uint8_t)(i * 7));
    assert_true(k.cap <= 3000);
    keep_free(&k);
}

static void clear_gives_large_blocks_back(void **state)
{
    (void)state;
    struct budget b = {.limit = 1 << 20};
    struct keep k;
    uint8_t block[1000] = {0};
    keep_init(&k, 500, &b);
    keep_add(&k, bytes_of(block, 200));
    keep_clear(&k);
    assert_int_equal(b.used, 256);
    keep_add(&k, bytes_of(block, 1000));
    keep_clear(&k);
    assert_int_equal(b.used, 0);
    assert_int_equal(k.dropped, 0);
    add_text(&k, "again");
    assert_int_equal(keep_view(&k).len, 5);
    keep_free(&k);
}

static void empty_is_harmless(void **state)
{
    (void)state;
    struct keep k;
    keep_init(&k, 0, NULL);
    keep_add(&k, (struct bytes){0});
    add_text(&k, "x");
    assert_int_equal(keep_view(&k).len, 0);
    assert_int_equal(k.dropped, 1);
    keep_clear(&k);
    keep_free(&k);
    keep_free(&k);
}

/* Room for all of a thing is made once a quarter of it is there, never for what was only promised.
 */
static void makes_room_for_what_is_announced(void **state)
{
    (void)state;
    uint8_t block[1000];
    struct budget b = {.limit = SIZE_MAX};
    struct keep k;

    memset(block, 'x', sizeof block);
    keep_init(&k, 1 << 20, &b);
    keep_add_of(&k, bytes_of(block, 1000), 3000);
    assert_int_equal(b.used, 3000);
    keep_add_of(&k, bytes_of(block, 1000), 3000);
    keep_add_of(&k, bytes_of(block, 1000), 3000);
    assert_int_equal(b.used, 3000);
    assert_int_equal(keep_view(&k).len, 3000);
    keep_free(&k);
    keep_add_of(&k, bytes_of(block, 1000), UINT64_MAX);
    assert_true(b.used <= 4096);
    keep_add_of(&k, bytes_of(block, 1000), 10); /* more than was announced */
    assert_int_equal(keep_view(&k).len, 2000);
    keep_free(&k);
    keep_init(&k, 1500, &b);
    keep_add_of(&k, bytes_of(block, 1000), 3000);
    keep_add_of(&k, bytes_of(block, 1000), 3000);
    assert_int_equal(keep_view(&k).len, 1500);
    assert_int_equal(b.used, 1500);
    assert_int_equal(k.dropped, 500);
    keep_free(&k);
    assert_int_equal(b.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_fits),    cmocka_unit_test(head_has_no_hole),
        cmocka_unit_test(grows_byte_by_byte), cmocka_unit_test(clear_gives_large_blocks_back),
        cmocka_unit_test(empty_is_harmless),  cmocka_unit_test(makes_room_for_what_is_announced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
