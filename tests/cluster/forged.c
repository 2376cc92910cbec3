/* Tests of cluster/forged.c: who may answer a task. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/scene.h"

static void forged(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_publish(&s, 21, "a");
    scene_deliver(&s, 31, 1, "a");
    scene_result(&s, 31, "a", "SUCCESS");
    scene_expect(&s, "");
    scene_result(&s, 66, "a", "SUCCESS");
    scene_result(&s, 66, "a", "SUCCESS"); /* stored, and announced */
    scene_expect(&s, "result-forged/4@66 ");
    scene_publish(&s, 21, "waits");
    scene_result(&s, 66, "waits", "SUCCESS");
    scene_expect(&s, "result-forged/4@66 ");
    scene_close(&s);
}

static void not_forged(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_result(&s, 31, "from-before", "SUCCESS");
    scene_publish(&s, 21, "aborted");
    scene_deliver(&s, 31, 1, "aborted");
    scene_result(&s, 21, "aborted", "ABORTED");
    scene_publish(&s, 21, "gap");
    scene_deliver(&s, 31, 1, "other");
    scene_result(&s, 31, "gap", "SUCCESS"); /* a worker, whose delivery was lost */
    scene_expect(&s, "");
    scene_close(&s);
}

/* Who took the parent answers for the rest of a chain that failed. */
static void rest_of_a_chain(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_publish(&s, 21, "parent");
    scene_deliver(&s, 31, 1, "parent");
    for (unsigned i = 0; i < 2; i++) {
        scene_amqp(&s, 21, 5, MSG_TASK, "published");
        s.m.op = OP_PUBLISH;
        scene_set(&s, F_TASK_ID, i ? "child-2" : "child-1");
        scene_set(&s, F_TASK_PARENT_ID, "parent");
        scene_say(&s);
        scene_deliver(&s, 32, 2, i ? "child-2" : "child-1");
    }
    scene_result(&s, 31, "child-1", "FAILURE");
    scene_expect(&s, "");
    scene_result(&s, 66, "child-2", "FAILURE");
    scene_expect(&s, "result-forged/4@66 ");
    scene_close(&s);
}

static void revoke(struct scene *s, const char *tasks)
{
    scene_amqp(s, 21, 5, MSG_CONTROL, "published");
    s->m.op = OP_PUBLISH;
    scene_set(s, F_CONTROL_METHOD, "revoke");
    scene_num(s, F_CONTROL_TERMINATE, 0);
    scene_list(s, F_CONTROL_TASKS, tasks);
    scene_say(s);
    scene_expect(s, "control-change/3@21 ");
}

/* The state of a revoked task comes from all workers, of whatever was not revoked from none. */
static void revoked_everywhere(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_publish(&s, 21, "a");
    scene_publish(&s, 21, "b");
    scene_deliver(&s, 31, 1, "a");
    scene_deliver(&s, 31, 1, "b");
    scene_publish(&s, 21, "c");
    scene_deliver(&s, 32, 2, "c");
    revoke(&s, "a");
    scene_result(&s, 32, "a", "REVOKED");
    scene_expect(&s, "");
    scene_result(&s, 32, "a", "SUCCESS");
    scene_wait(&s, 2); /* it takes tasks */
    scene_expect(&s, "result-forged/4@32 ");
    scene_result(&s, 66, "a", "REVOKED"); /* no worker */
    scene_expect(&s, "result-forged/4@66 ");
    scene_result(&s, 32, "b", "REVOKED");
    scene_wait(&s, 2);
    scene_expect(&s, "result-forged/4@32 ");
    scene_close(&s);
}

static void stored(struct scene *s, unsigned host, const char *id, const char *status)
{
    scene_redis(s, host, host * 100 + 2, MSG_RESULT, "stored");
    s->m.op = OP_STORE;
    scene_set(s, F_TASK_ID, id);
    scene_set(s, F_RESULT_STATUS, status);
    scene_say(s);
}

/* Results on another server, which may be in another network: 135 is 35 there. */
static void results_elsewhere(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_publish(&s, 21, "a");
    scene_deliver(&s, 35, 1, "a");
    stored(&s, 121, "a", "ABORTED");
    stored(&s, 135, "a", "SUCCESS");
    scene_expect(&s, "");
    scene_deliver(&s, 31, 6, "another");
    scene_publish(&s, 21, "b");
    scene_deliver(&s, 32, 2, "b");
    stored(&s, 31, "b", "SUCCESS"); /* known on the broker: it is no other's address */
    scene_wait(&s, 2);
    scene_expect(&s, "result-forged/4@31 ");
    stored(&s, 32, "b", "SUCCESS");
    stored(&s, 66, "b", "SUCCESS"); /* 32 goes by its address there */
    scene_expect(&s, "result-forged/4@66 ");
    scene_publish(&s, 21, "c");
    scene_deliver(&s, 33, 3, "c");
    stored(&s, 66, "c", "SUCCESS"); /* as far as is known 66 may be 33 */
    stored(&s, 66, "c", "SUCCESS");
    stored(&s, 135, "a", "SUCCESS");
    scene_wait(&s, 5);
    stored(&s, 33, "c", "SUCCESS");
    scene_expect(&s, "");
    scene_wait(&s, 30);
    scene_expect(&s, "result-forged/4@66 ");
    scene_publish(&s, 21, "d");
    scene_deliver(&s, 34, 4, "d");
    stored(&s, 67, "d", "SUCCESS");
    stored(&s, 34, "d", "SUCCESS");
    scene_finish(&s);
    scene_expect(&s, "result-forged/4@67 ");
    scene_close(&s);
}

/* On the server of the results nobody shows that he works. */
static void revoked_with_results_elsewhere(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_publish(&s, 21, "a");
    scene_deliver(&s, 31, 1, "a");
    scene_deliver(&s, 32, 2, "another");
    revoke(&s, "a");
    stored(&s, 31, "a", "REVOKED");
    stored(&s, 32, "a", "REVOKED");
    scene_expect(&s, "");
    stored(&s, 66, "a", "REVOKED");
    scene_expect(&s, "result-forged/4@66 ");
    scene_amqp(&s, 21, 3, MSG_TASK, "published"); /* a connection that was there before */
    s.m.op = OP_PUBLISH;
    s.m.scope = 3;
    s.m.coverage = COVER_MIDSTREAM;
    scene_set(&s, F_TASK_ID, "b");
    scene_say(&s);
    scene_amqp(&s, 31, 6, MSG_TASK, "delivered");
    s.m.op = OP_DELIVER;
    s.m.dir = TO_CLIENT;
    s.m.scope = 3;
    s.m.coverage = COVER_MIDSTREAM;
    scene_set(&s, F_TASK_ID, "b");
    scene_say(&s);
    revoke(&s, "b");
    stored(&s, 32, "b", "REVOKED");
    scene_wait(&s, 3);
    scene_expect(&s, "");
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forged),
        cmocka_unit_test(not_forged),
        cmocka_unit_test(rest_of_a_chain),
        cmocka_unit_test(revoked_everywhere),
        cmocka_unit_test(results_elsewhere),
        cmocka_unit_test(revoked_with_results_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
