/* Tests of signatures/origin.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "signatures/origin.h"

static int64_t pid_of(const char *text, const char *host)
{
    struct origin o;

    if (!origin_parse(bytes_of(text, strlen(text)), &o))
        return -2;
    assert_true(bytes_eq(o.host, host));
    return o.pid;
}

static void forms(void **state)
{
    (void)state;
    assert_int_equal(pid_of("gen1@web1", "web1"), 1);
    assert_int_equal(pid_of("gen4194304@a@b", "a@b"), 4194304);
    assert_int_equal(pid_of("gen007@x", "x"), 7);
    assert_int_equal(pid_of("gen123456789012345678@x", "x"), 123456789012345678);
    assert_int_equal(pid_of("gen99999999999999999999@x", "x"), -1);
    assert_int_equal(pid_of("gen1@", ""), -2);
    assert_int_equal(pid_of("gen@x", ""), -2);
    assert_int_equal(pid_of("gen1x", ""), -2);
    assert_int_equal(pid_of("Gen1@x", ""), -2);
    assert_int_equal(pid_of("ge", ""), -2);
    assert_int_equal(pid_of("", ""), -2);
    assert_int_equal(pid_of("celery@web1", ""), -2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forms)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
