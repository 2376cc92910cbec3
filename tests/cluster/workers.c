/* Tests of cluster/consumers.c and nodes.c: workers that hide, and that take another's name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/scene.h"

static void app1(struct scene *s)
{
    scene_event(s, 31, 1, "worker-online", "celery@app1");
    scene_command(s, 31, 2, "basic.consume", "celery");
    scene_deliver(s, 31, 2, "a");
}

static void silent(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    app1(&s);
    scene_command(&s, 66, 5, "basic.consume", "celery");
    scene_deliver(&s, 66, 5, "b");
    scene_wait(&s, 29);
    scene_expect(&s, "");
    scene_wait(&s, 2);
    scene_expect(&s, "worker-silent/3@66 ");
    scene_deliver(&s, 66, 5, "c");
    scene_wait(&s, 60);
    scene_finish(&s);
    scene_expect(&s, "");
    scene_close(&s);
}

/* Gone before another worker spoke from that address; and input that ends early. */
static void silent_and_gone(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    app1(&s);
    scene_command(&s, 66, 5, "basic.consume", "celery");
    scene_deliver(&s, 66, 5, "b");
    scene_closed(&s, 66, 5);
    scene_event(&s, 66, 6, "worker-online", "celery@other");
    scene_finish(&s);
    scene_expect(&s, "worker-silent/3@66 ");
    scene_close(&s);
}

static void heard(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    app1(&s);
    scene_command(&s, 32, 5, "queue.declare", "celery@app2.celery.pidbox");
    scene_command(&s, 32, 5, "basic.consume", "celery");
    scene_wait(&s, 3600);
    scene_deliver(&s, 32, 5, "late");
    scene_command(&s, 33, 6, "basic.consume", "celery");
    scene_deliver(&s, 33, 6, "b");
    scene_wait(&s, 10);
    scene_event(&s, 33, 7, "worker-heartbeat", "celery@app3");
    scene_wait(&s, 60);
    scene_amqp(&s, 34, 8, MSG_TASK, "delivered"); /* joined in the middle */
    s.m.op = OP_DELIVER;
    s.m.dir = TO_CLIENT;
    s.m.coverage = COVER_MIDSTREAM;
    scene_set(&s, F_TASK_ID, "m");
    scene_set(&s, F_TASK_QUEUE, "celery");
    scene_say(&s);
    scene_wait(&s, 60);
    scene_finish(&s);
    scene_expect(&s, "");
    scene_close(&s);
}

/* Where nobody announces himself that is the way of the house. */
static void all_silent(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    for (unsigned host = 31; host < 34; host++) {
        scene_command(&s, host, host, "basic.consume", "celery");
        scene_deliver(&s, host, host, "a");
    }
    scene_wait(&s, 60);
    scene_expect(&s, "");
    scene_close(&s);
}

static void two_of_a_name(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_event(&s, 31, 1, "worker-online", "celery@app1");
    scene_wait(&s, 60);
    scene_event(&s, 66, 2, "worker-online", "celery@app1");
    scene_expect(&s, "");
    scene_event(&s, 31, 1, "worker-heartbeat", "celery@app1");
    scene_expect(&s, "worker-impersonation/4@66 ");
    scene_event(&s, 66, 2, "worker-heartbeat", "celery@app1");
    scene_event(&s, 31, 1, "worker-heartbeat", "celery@app1");
    scene_expect(&s, "");
    scene_close(&s);
}

/* Both there before the capture: nobody knows who was first. */
static void two_from_the_start(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    for (unsigned i = 0; i < 4; i++) {
        scene_amqp(&s, i % 2 ? 66 : 31, i % 2 ? 2 : 1, MSG_WORKER, "worker-heartbeat");
        s.m.op = OP_PUBLISH;
        s.m.coverage = COVER_MIDSTREAM;
        scene_set(&s, F_WORKER_EVENT, "worker-heartbeat");
        scene_set(&s, F_WORKER_HOSTNAME, "celery@app1");
        scene_say(&s);
    }
    scene_expect(&s, "worker-impersonation/3@66 ");
    scene_close(&s);
}

static void restarts(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_event(&s, 31, 1, "worker-online", "celery@app1"); /* dies without a word */
    scene_event(&s, 32, 2, "worker-online", "celery@app1");
    scene_event(&s, 32, 2, "worker-heartbeat", "celery@app1");
    scene_closed(&s, 32, 2);
    scene_event(&s, 31, 3, "worker-online", "celery@app1"); /* and comes back */
    scene_event(&s, 31, 3, "worker-offline", "celery@app1");
    scene_event(&s, 33, 4, "worker-online", "celery@app1");
    scene_event(&s, 33, 4, "worker-offline", "celery@app1");
    scene_event(&s, 31, 5, "worker-online", "celery@app1");
    scene_expect(&s, "");
    scene_close(&s);
}

/* task-sent is a client's, in the form gen<pid>@<host>; another vhost is another node. */
static void other_nodes(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    for (unsigned i = 0; i < 4; i++)
        scene_event(&s, 21 + i % 2, 1 + i % 2, "task-sent", "gen1@web");
    for (unsigned i = 0; i < 4; i++) {
        scene_amqp(&s, 31 + i % 2, 5 + i % 2, MSG_WORKER, "worker-heartbeat");
        scene_set(&s, F_AMQP_VHOST, i % 2 ? "x" : "y");
        scene_set(&s, F_WORKER_EVENT, "worker-heartbeat");
        scene_set(&s, F_WORKER_HOSTNAME, "celery@app1");
        scene_say(&s);
    }
    scene_expect(&s, "");
    scene_close(&s);
}

static void beats(struct scene *s, unsigned host, const char *channel)
{
    scene_redis(s, host, host, MSG_WORKER, "worker-heartbeat");
    scene_set(s, F_REDIS_CHANNEL, channel);
    scene_set(s, F_WORKER_EVENT, "worker-heartbeat");
    scene_set(s, F_WORKER_HOSTNAME, "celery@app1");
    scene_say(s);
}

/* Clusters that share a broker: told apart by Redis' key prefix, or by the exchange. */
static void other_clusters(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    for (unsigned i = 0; i < 3; i++) {
        beats(&s, 31, "crm_/0.celeryev/worker.heartbeat");
        beats(&s, 32, "erp_0.celeryev/worker.heartbeat");
        scene_amqp(&s, 31 + i % 2, 5 + i % 2, MSG_WORKER, "worker-heartbeat");
        scene_set(&s, F_AMQP_EXCHANGE, i % 2 ? "crm.celeryev" : "celeryev");
        scene_set(&s, F_WORKER_EVENT, "worker-heartbeat");
        scene_set(&s, F_WORKER_HOSTNAME, "celery@app1");
        scene_say(&s);
        scene_command(&s, 31 + i % 2, 7 + i % 2, "queue.declare",
                      i % 2 ? "celery@app1.crm.pidbox" : "celery@app1.celery.pidbox");
    }
    scene_expect(&s, "");
    beats(&s, 66, "crm_/0.celeryev/worker.heartbeat");
    beats(&s, 31, "crm_/0.celeryev/worker.heartbeat");
    scene_expect(&s, "worker-impersonation/4@66 ");
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silent),         cmocka_unit_test(silent_and_gone),
        cmocka_unit_test(heard),          cmocka_unit_test(all_silent),
        cmocka_unit_test(two_of_a_name),  cmocka_unit_test(two_from_the_start),
        cmocka_unit_test(restarts),       cmocka_unit_test(other_nodes),
        cmocka_unit_test(other_clusters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
