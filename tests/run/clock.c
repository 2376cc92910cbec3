/* tests/run/clock.c - packet time: ticks, backwards, jumps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "run/clock.h"

#define S CLOCK_SECOND

static void ticks_once_a_second(void **state)
{
    struct clock c = {0};

    (void)state;
    assert_false(clock_see(&c, 100 * S));
    assert_false(clock_see(&c, 100 * S + S / 2));
    assert_true(clock_see(&c, 101 * S));
    assert_false(clock_see(&c, 101 * S + 1));
    assert_true(clock_see(&c, 110 * S)); /* one tick, however long the silence */
    assert_false(clock_see(&c, 110 * S));
}

static void backwards_changes_nothing(void **state)
{
    struct clock c = {0};

    (void)state;
    clock_see(&c, 100 * S);
    assert_false(clock_see(&c, 50 * S));
    assert_true(c.backwards);
    assert_int_equal(c.now, 100 * S);
    clock_see(&c, 100 * S + 1);
    assert_false(c.backwards);
}

static void a_jump_needs_sixteen_witnesses(void **state)
{
    struct clock c = {0};

    (void)state;
    clock_see(&c, 100 * S);
    for (unsigned i = 1; i < CLOCK_AGREE; i++)
        assert_false(clock_see(&c, 100 * S + CLOCK_JUMP_NS * 5 + i));
    assert_int_equal(c.now, 100 * S);
    assert_true(clock_see(&c, 100 * S + CLOCK_JUMP_NS * 5 + CLOCK_AGREE));
    assert_int_equal(c.now, 100 * S + CLOCK_JUMP_NS * 5 + CLOCK_AGREE);
}

static void witnesses_that_disagree_do_not_count(void **state)
{
    struct clock c = {0};

    (void)state;
    clock_see(&c, 100 * S);
    for (unsigned i = 0; i < 100; i++)
        assert_false(clock_see(&c, 100 * S + CLOCK_JUMP_NS * (i % 2 ? 5 : 900)));
    for (unsigned i = 0; i < 100; i++) {
        assert_false(clock_see(&c, 100 * S + CLOCK_JUMP_NS * 5));
        assert_false(clock_see(&c, 100 * S)); /* the present speaks up between */
    }
    assert_int_equal(c.now, 100 * S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_once_a_second),
        cmocka_unit_test(backwards_changes_nothing),
        cmocka_unit_test(a_jump_needs_sixteen_witnesses),
        cmocka_unit_test(witnesses_that_disagree_do_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
