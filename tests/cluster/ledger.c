/* Tests of cluster/ledger.h: what is kept, for how long, and what a flood can push out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "signatures/cluster/ledger.h"

#define DAY (86400 * INT64_C(1000000000))

static void kept(void **state)
{
    struct ledger *l = ledger_new(2048);
    struct ledger_task *t;

    (void)state;
    assert_null(ledger_find(l, 1, 1, 0));
    t = ledger_put(l, 1, 1, 21, 0);
    t->publisher = 21;
    assert_null(ledger_find(l, 1, 2, 0)); /* another broker */
    assert_non_null(ledger_find_any(l, 1, 0));
    ledger_put(l, 1, 2, 22, 5)->publisher = 22;
    assert_int_equal(ledger_find(l, 1, 1, DAY)->publisher, 21);
    assert_int_equal(ledger_find_any(l, 1, 0)->publisher, 22);
    assert_null(ledger_find(l, 1, 1, DAY + 1));
    ledger_free(l);
    ledger_free(NULL);
}

static void takers(void **state)
{
    struct ledger *l = ledger_new(2048);
    struct ledger_task *t = ledger_put(l, 1, 1, 21, 0);

    (void)state;
    for (uint64_t host = 31; host <= 35; host++)
        ledger_take(t, host, 9);
    assert_false(ledger_took(t, 31)); /* the fifth one back */
    assert_true(ledger_took(t, 32) && ledger_took(t, 35));
    assert_false(ledger_took(t, 0));
    assert_true(ledger_took_any(l, 1, 33, 9));
    assert_int_equal(t->taken_ns, 9);
    ledger_free(l);
}

/* One source pushes out its own, and never more than its share. */
static void a_flood(void **state)
{
    struct ledger *l = ledger_new(1600);

    (void)state;
    for (uint64_t i = 0; i < 100; i++)
        ledger_put(l, hash_mix(i, 1), 1, 21, 1);
    for (uint64_t i = 0; i < 100000; i++)
        ledger_put(l, hash_mix(i, 2), 1, 66, 1);
    for (uint64_t i = 0; i < 100; i++)
        assert_non_null(ledger_find(l, hash_mix(i, 1), 1, 1));
    assert_int_equal(ledger_count(l), 200);
    assert_int_equal(ledger_evicted(l), 99900);
    assert_non_null(ledger_find(l, hash_mix(99900, 2), 1, 1));
    assert_null(ledger_find(l, hash_mix(99899, 2), 1, 1));
    ledger_free(l);
}

/* The bound holds with many sources too. */
static void many_sources(void **state)
{
    struct ledger *l = ledger_new(3000);

    (void)state;
    for (uint64_t i = 0; i < 50000; i++)
        ledger_put(l, hash_mix(i, 3), 1, hash_mix(i, 4), 1);
    assert_in_range(ledger_count(l), 1500, 3000);
    for (uint64_t i = 49500; i < 50000; i++)
        assert_non_null(ledger_find(l, hash_mix(i, 3), 1, 1));
    ledger_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept),
        cmocka_unit_test(takers),
        cmocka_unit_test(a_flood),
        cmocka_unit_test(many_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
