/* Tests of cluster/names.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "signatures/cluster/names.h"

static struct bytes text(const char *t)
{
    return bytes_of(t, strlen(t));
}

static void uses(void **state)
{
    static const struct {
        const char *name;
        enum name_use use;
    } names[] = {
        {"celery", NAME_TASKS},
        {"celery\x06\x16"
         "9",
         NAME_TASKS},
        {"celery@app1.dq2", NAME_TASKS},
        {"celery@app1.example.com.celery.pidbox", NAME_MAILBOX},
        {"celery.pidbox", NAME_MAILBOX},
        {"/0.celery.pidbox", NAME_MAILBOX},
        {"reply.celery.pidbox", NAME_REPLIES},
        {"0a1b2c3d-0000-3000-8000-0123456789ab.reply.celery.pidbox\x06\x16"
         "3",
         NAME_REPLIES},
        {"0a1b2c3d-0000-3000-8000-0123456789ab", NAME_REPLIES},
        {"0a1b2c3d-0000-3000-8000-0123456789ag", NAME_TASKS},
        {"celeryev", NAME_EVENTS},
        {"celeryev.0a1b2c3d-0000-4000-8000-0123456789ab", NAME_EVENTS},
        {"app:unacked", NAME_KOMBU},
        {"unacked_index", NAME_KOMBU},
        {"_kombu.binding.celery", NAME_KOMBU},
        {"celery-task-meta-1", NAME_RESULTS},
        {"", NAME_TASKS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(name_use(text(names[i].name)), names[i].use);
}

static void numbers(void **state)
{
    (void)state;
    assert_true(bytes_eq(name_without_number(text("celery:5")), "celery"));
    assert_true(bytes_eq(name_without_number(text("a::10")), "a"));
    assert_true(bytes_eq(name_without_number(text("celery5")), "celery5"));
    assert_true(bytes_eq(name_without_number(text(":5")), ":5"));
    assert_true(bytes_eq(name_without_number(text("5")), "5"));
    assert_true(bytes_eq(name_without_number(text("celery:")), "celery:"));
    assert_int_equal(name_without_number(text("")).len, 0);
}

static void nodes(void **state)
{
    (void)state;
    assert_true(
        bytes_eq(name_node(text("celery@a.example.com.celery.pidbox")), "celery@a.example.com"));
    assert_int_equal(name_node(text("celery.pidbox")).len, 0);
    assert_int_equal(name_node(text(".pidbox")).len, 0);
    assert_int_equal(name_node(text("x.reply.celery.pidbox")).len, 0);
    assert_int_equal(name_node(text("celery")).len, 0);
}

static void clusters(void **state)
{
    static const char *const names[][2] = {
        {"/0.celeryev/worker.heartbeat", ""},
        {"/15.celeryev", ""},
        {"celeryev", ""},
        {"/0x.celeryev", "/0x"},
        {"crm_/0.celeryev/worker.heartbeat", "crm_"},
        {"erp_0.celery.pidbox", "erp_"},
        {"erp_celeryev", "erp_"},
        {"erp__kombu.binding.celery.pidbox", "erp_"},
        {"erp_0a1b2c3d-0000-3000-8000-0123456789ab.reply.celery.pidbox", "erp_"},
        {"0a1b2c3d-0000-3000-8000-0123456789ab.reply.celery.pidbox", ""},
        {"_kombu.binding.celery.pidbox", ""},
        {"celery.pidbox", ""},
        {"reply.celery.pidbox", ""},
        {"crm.pidbox", "crm"},
        {"reply.crm.pidbox", "crm"},
        {"crm.celeryev", "crm"},
        {".pidbox", ""},
        {"crmev", "crmev"},
        {"/0.crmev/worker.heartbeat", "/0.crmev"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_true(bytes_eq(name_cluster(text(names[i][0])), names[i][1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(uses), cmocka_unit_test(numbers),
                                       cmocka_unit_test(nodes), cmocka_unit_test(clusters)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
