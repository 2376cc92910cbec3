/* pair.c - the queue of commands that wait: order, transactions, memory, and that no
 * password stays behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dissectors/resp/pair.h"

#define MAX (1u << 20)

static struct bytes text(const char *s)
{
    return bytes_of(s, strlen(s));
}

static void add(struct pair *p, uint16_t code, const char *key, struct budget *b)
{
    struct pair_record r = {
        .start = code, .num = code, .text = {[PAIR_KEY] = text(key ? key : "")}};

    assert_true(pair_add(p, code, PAIR_TOLD, key ? &r : NULL, MAX, b));
}

static void commands_come_back_in_their_order_with_their_records(void **state)
{
    struct budget b = {.limit = MAX};
    struct pair_entry e;
    struct pair p;
    char key[32];

    (void)state;
    pair_init(&p);
    for (unsigned round = 0; round < 50; round++) {
        for (uint16_t i = 1; i <= round; i++) {
            snprintf(key, sizeof key, "key %u", i);
            add(&p, i, i % 3 ? key : NULL, &b);
        }
        for (uint16_t i = 1; i <= round; i++) {
            snprintf(key, sizeof key, "key %u", i);
            assert_true(pair_first_waiting(&p, &e));
            assert_int_equal(e.code, i);
            assert_int_equal(e.flags, PAIR_TOLD);
            assert_int_equal(e.has_record, i % 3 != 0);
            assert_int_equal(e.record->num, i % 3 ? i : 0);
            assert_true(bytes_eq(e.record->text[PAIR_KEY], i % 3 ? key : ""));
            assert_null(e.record->text[PAIR_USER].at);
            pair_pop_waiting(&p, &b);
        }
        assert_false(pair_first_waiting(&p, &e));
        assert_int_equal(p.waiting, 0);
    }
    pair_free(&p, &b);
    assert_int_equal(b.used, 0);
}

static void a_transaction_waits_in_front_of_what_follows_it(void **state)
{
    struct budget b = {.limit = MAX};
    struct pair_entry e;
    struct pair p;

    (void)state;
    pair_init(&p);
    add(&p, 1, "a", &b);
    add(&p, 2, NULL, &b);
    add(&p, 3, "refused", &b);
    add(&p, 4, "d", &b);
    add(&p, 5, NULL, &b); /* EXEC */
    add(&p, 6, "after", &b);
    pair_queue(&p);
    pair_queue(&p);
    assert_true(pair_first_waiting(&p, &e) && e.code == 3);
    pair_pop_waiting(&p, &b);
    pair_queue(&p);
    assert_int_equal(p.queued, 3);
    for (uint16_t expected[] = {1, 2, 4}, i = 0; i < 3; i++) {
        assert_true(pair_first_queued(&p, &e));
        assert_int_equal(e.code, expected[i]);
        pair_pop_queued(&p, &b);
    }
    assert_false(pair_first_queued(&p, &e));
    assert_true(pair_first_waiting(&p, &e) && e.code == 5);
    pair_pop_waiting(&p, &b);
    assert_true(pair_first_waiting(&p, &e) && e.code == 6);
    assert_true(bytes_eq(e.record->text[PAIR_KEY], "after"));
    pair_pop_waiting(&p, &b);
    assert_false(pair_first_waiting(&p, &e));
    pair_free(&p, &b);
    assert_int_equal(b.used, 0);
}

static void the_count_of_a_subscription_can_be_changed(void **state)
{
    struct pair_record r = {.num = 3};
    struct pair_entry e;
    struct pair p;

    (void)state;
    pair_init(&p);
    assert_true(pair_add(&p, 7, 0, &r, MAX, NULL));
    pair_set_num(&p, 2);
    assert_true(pair_first_waiting(&p, &e) && e.record->num == 2);
    pair_free(&p, NULL);
}

static void nothing_that_is_kept_for_one_command_outlives_it(void **state)
{
    static const char secret[] = "correct-horse-battery";
    struct pair_record r = {.login = true, .text = {[PAIR_SECRET] = text(secret)}};
    struct pair p;

    (void)state;
    pair_init(&p);
    for (unsigned i = 0; i < 8; i++)
        assert_true(pair_add(&p, 1, 0, &r, MAX, NULL));
    pair_queue(&p);
    while (p.waiting > 0)
        pair_pop_waiting(&p, NULL);
    pair_pop_queued(&p, NULL);
    assert_true(p.at == p.small); /* a large block goes back when nothing waits */
    assert_true(pair_add(&p, 1, 0, &r, MAX, NULL));
    assert_true(pair_add(&p, 2, 0, NULL, MAX, NULL));
    pair_pop_waiting(&p, NULL);
    assert_null(memmem(p.at, p.cap, secret, sizeof secret - 1));
    assert_true(pair_add(&p, 1, 0, &r, MAX, NULL));
    pair_pop_waiting(&p, NULL);
    pair_queue(&p);
    assert_true(pair_add(&p, 2, 0, NULL, MAX, NULL));
    pair_pop_queued(&p, NULL);
    assert_null(memmem(p.at, p.cap, secret, sizeof secret - 1));
    pair_free(&p, NULL);
}

static void nothing_is_left_where_a_record_was_moved_from(void **state)
{
    static const char secret[] = "correct-horse-battery";
    struct pair_record r = {.login = true, .text = {[PAIR_SECRET] = text(secret)}};
    struct pair_entry e;
    struct pair p;

    (void)state;
    pair_init(&p);
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(pair_add(&p, 1, 0, &r, MAX, NULL));
        assert_true(pair_add(&p, 2, 0, NULL, MAX, NULL));
        pair_pop_waiting(&p, NULL);
        assert_true(pair_first_waiting(&p, &e) && e.code == 2);
        assert_null(memmem(p.at, p.cap, secret, sizeof secret - 1));
        assert_true(pair_add(&p, 3, 0, NULL, MAX, NULL));
        pair_pop_waiting(&p, NULL);
        pair_queue(&p);
        pair_pop_queued(&p, NULL);
    }
    pair_free(&p, NULL);
}

static void it_is_bounded_in_bytes_and_by_the_budget(void **state)
{
    struct budget b = {.limit = 1000};
    char long_key[600] = {0};
    struct pair_record r = {.text = {[PAIR_KEY] = bytes_of(long_key, sizeof long_key)}};
    struct pair p;

    (void)state;
    memset(long_key, 'k', sizeof long_key);
    pair_init(&p);
    assert_false(pair_add(&p, 1, 0, &r, 500, &b));
    assert_false(pair_add(&p, 1, 0, &r, MAX, &b)); /* 1024 bytes are not left */
    assert_int_equal(b.used, 0);
    for (unsigned i = 0; i < 200; i++)
        assert_true(pair_add(&p, 1, 0, NULL, MAX, &b));
    assert_in_range(b.used, 400, 1000);
    assert_int_equal(p.waiting, 200);
    pair_free(&p, &b);
    assert_int_equal(b.used, 0);
}

static void a_queue_that_never_empties_does_not_grow(void **state)
{
    struct budget b = {.limit = MAX};
    struct pair_entry e;
    struct pair p;

    (void)state;
    pair_init(&p);
    add(&p, 1, "first", &b);
    for (unsigned i = 0; i < 100000; i++) {
        add(&p, 2, "next", &b);
        pair_pop_waiting(&p, &b);
        assert_true(pair_first_waiting(&p, &e) && e.code == 2);
    }
    assert_in_range(p.cap, 64, 2048);
    pair_free(&p, &b);
    assert_int_equal(b.used, 0);
}

static void a_plain_one_is_popped_in_one_step(void **state)
{
    struct pair p;
    uint16_t code;

    (void)state;
    pair_init(&p);
    assert_false(pair_pop_plain(&p, &code));
    assert_true(pair_add(&p, 5, 0, NULL, MAX, NULL));
    assert_true(pair_add(&p, 6, PAIR_TOLD, NULL, MAX, NULL));
    assert_true(pair_pop_plain(&p, &code) && code == 5);
    assert_false(pair_pop_plain(&p, &code)); /* told */
    pair_queue(&p);
    assert_true(pair_add(&p, 7, 0, NULL, MAX, NULL));
    assert_false(pair_pop_plain(&p, &code)); /* one is queued before it */
    pair_free(&p, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_come_back_in_their_order_with_their_records),
        cmocka_unit_test(a_transaction_waits_in_front_of_what_follows_it),
        cmocka_unit_test(the_count_of_a_subscription_can_be_changed),
        cmocka_unit_test(nothing_that_is_kept_for_one_command_outlives_it),
        cmocka_unit_test(nothing_is_left_where_a_record_was_moved_from),
        cmocka_unit_test(it_is_bounded_in_bytes_and_by_the_budget),
        cmocka_unit_test(a_queue_that_never_empties_does_not_grow),
        cmocka_unit_test(a_plain_one_is_popped_in_one_step),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
