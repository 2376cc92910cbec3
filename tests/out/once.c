/* Tests of out/once.h: first and later sightings, age, and a flood of keys. */
#include "out/once.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"

#define HOUR (3600 * INT64_C(1000000000))

static void first_and_later(void **state)
{
    struct once *o = once_new(10, HOUR);

    (void)state;
    assert_false(once_seen(o, 1, 0));
    assert_true(once_seen(o, 1, 5));
    assert_false(once_seen(o, 2, 5));
    assert_true(once_seen(o, 1, HOUR));
    assert_true(once_seen(o, 1, 2 * HOUR)); /* an hour from the last time, not the first */
    assert_false(once_seen(o, 1, 3 * HOUR + 1));
    assert_true(once_seen(o, 1, 3 * HOUR + 2));
    assert_true(once_seen(o, 1, 0));        /* time that goes back */
    assert_true(once_seen(o, 1, 4 * HOUR)); /* and does not make the key older */
    once_free(o);
}

static void extremes_of_time(void **state)
{
    struct once *o = once_new(10, HOUR);

    (void)state;
    assert_false(once_seen(o, 1, INT64_MIN));
    assert_false(once_seen(o, 1, INT64_MAX));
    assert_true(once_seen(o, 1, INT64_MIN));
    once_free(o);
}

/* Those seen longest ago go; the memory is that of the bound. */
static void a_flood(void **state)
{
    struct once *o = once_new(1000, HOUR);

    (void)state;
    assert_false(once_seen(o, 42, 0));
    for (uint64_t i = 0; i < 100000; i++) {
        assert_false(once_seen(o, hash_mix(i, 1), 1));
        if (i % 500 == 0)
            assert_true(once_seen(o, 42, 1)); /* in use, so it stays */
    }
    for (uint64_t i = 99500; i < 100000; i++)
        assert_true(once_seen(o, hash_mix(i, 1), 2));
    assert_false(once_seen(o, hash_mix(0, 1), 2));
    once_free(o);
    once_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_and_later),
        cmocka_unit_test(extremes_of_time),
        cmocka_unit_test(a_flood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
