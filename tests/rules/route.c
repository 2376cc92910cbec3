/* Tests of signatures/route.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "signatures/route.h"

#define NONE   "0.0.0.0.0.0.0.0.0.0.0.0.0.0."
#define TWELVE "0.0.0.0.0.0.0.0.0.0.1.1.0.0."

static void goes(const char *queue, const char *key, const char *to)
{
    struct msg m;

    msg_init(&m, MSG_TASK, "published");
    if (queue)
        fields_str(&m.fields, F_TASK_QUEUE, queue);
    if (key)
        fields_str(&m.fields, F_TASK_ROUTING_KEY, key);
    assert_true(bytes_eq(route_queue(&m), to));
}

static void routes(void **state)
{
    (void)state;
    goes("jobs", "celery", "jobs");
    goes(NULL, "celery", "celery");
    goes(NULL, NULL, "");
    goes(NULL, NONE TWELVE "celery", "celery");
    goes(NULL, NONE TWELVE NONE TWELVE "celery", "celery"); /* older ones: at each retry */
    goes(NULL, NONE TWELVE, NONE TWELVE);                   /* nothing behind it */
    goes(NULL, NONE "0.0.celery", NONE "0.0.celery");
    goes(NULL, NONE "0.0.0.0.0.0.0.0.0.0.0.2.0.0.celery",
         NONE "0.0.0.0.0.0.0.0.0.0.0.2.0.0.celery");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(routes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
