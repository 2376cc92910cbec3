/* Tests of cluster/belongs.c: who takes tasks and is no worker of the baseline, and what of him is
 * not in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/known.h"
#include "support/scene.h"

struct story {
    struct scene s;
    struct baseline b;
};

static void begin(struct story *t)
{
    memset(&t->b, 0, sizeof t->b);
    scene_open(&t->s, &deployment_detector);
    t->s.policy.baseline = &t->b;
    known(&t->b, BASELINE_WORKERS, "celery@app1", "31", "celery,orders", "shop");
    known(&t->b, BASELINE_WORKERS, "celery@app2-*", "32", NULL, NULL);
}

static void end(struct story *t)
{
    scene_close(&t->s);
    baseline_clear(&t->b);
}

static void consume(struct story *t, unsigned host, unsigned conn, const char *queue,
                    const char *user)
{
    scene_amqp(&t->s, host, conn, MSG_COMMAND, "basic.consume");
    scene_set(&t->s, F_AMQP_METHOD, "basic.consume");
    scene_set(&t->s, F_AMQP_QUEUE, queue);
    if (user)
        scene_set(&t->s, F_USER, user);
    scene_say(&t->s);
}

static void belongs(void **state)
{
    struct story t;

    (void)state;
    begin(&t);
    scene_event(&t.s, 31, 1, "worker-online", "celery@app1");
    consume(&t, 31, 2, "celery", "shop");
    consume(&t, 31, 3, "orders", "shop");
    consume(&t, 31, 4, "celery", NULL); /* mid-stream: the user is not known */
    scene_deliver(&t.s, 31, 2, "a");
    scene_command(&t.s, 32, 5, "queue.declare", "celery@app2-x7.celery.pidbox");
    consume(&t, 32, 5, "anything", "anybody");
    scene_deliver(&t.s, 32, 5, "b");
    consume(&t, 66, 6, "celery@x.celery.pidbox", "guest"); /* no queues of tasks */
    consume(&t, 66, 6, "celeryev.4f1f2c0b-6a11-4b57-8e3e-0c5dbe3a6a35", "guest");
    consume(&t, 66, 6, "4f1f2c0b-6a11-4b57-8e3e-0c5dbe3a6a35", "guest");
    consume(&t, 66, 6, "audit", "guest");
    scene_expect(&t.s, "");
    end(&t);
}

/* Each of them, although the hour of the first is not over. */
static void queue_after_queue(void **state)
{
    static const char *const queues[] = {"mail", "reports"};
    struct story t;

    (void)state;
    begin(&t);
    for (size_t i = 0; i < 2; i++) {
        scene_amqp(&t.s, 21, 9, MSG_TASK, "published");
        t.s.m.op = OP_PUBLISH;
        scene_set(&t.s, F_TASK_ID, queues[i]);
        scene_set(&t.s, F_TASK_QUEUE, queues[i]);
        scene_say(&t.s);
    }
    t.s.found[0] = '\0';
    consume(&t, 31, 2, "mail", "shop");
    consume(&t, 31, 3, "mail", "shop");
    consume(&t, 31, 2, "reports", "shop");
    consume(&t, 31, 2, "celery", "guest");
    consume(&t, 31, 2, "celery", "root");
    scene_expect(&t.s, "worker-unknown/4@31 worker-unknown/4@31 worker-unknown/4@31 "
                       "worker-unknown/4@31 ");
    end(&t);
}

/* Of what is cut short the priority is not known, which may stand behind the queue's name. */
static void priority_unseen(void **state)
{
    struct story t;

    (void)state;
    begin(&t);
    for (unsigned i = 0; i < 3; i++) {
        scene_amqp(&t.s, 31, 2, MSG_TASK, "delivered");
        t.s.m.op = OP_DELIVER;
        t.s.m.dir = TO_CLIENT;
        t.s.m.coverage = i < 2 ? COVER_CLIPPED : COVER_COMPLETE;
        scene_set(&t.s, F_TASK_QUEUE, i == 1 ? "mail:5" : "celery:5");
        scene_set(&t.s, F_USER, "shop");
        scene_say(&t.s);
        scene_expect(&t.s, i == 0 ? "" : "worker-unknown/4@31 ");
    }
    end(&t);
}

static void by_address(void **state)
{
    struct story t;

    (void)state;
    begin(&t);
    consume(&t, 66, 6, "celery", "shop");
    scene_expect(&t.s, "worker-unknown/4@66 ");
    consume(&t, 66, 6, "celery", "shop");
    scene_deliver(&t.s, 66, 6, "a");
    scene_event(&t.s, 66, 7, "worker-online", "celery@evil");
    scene_expect(&t.s, "");
    scene_wait(&t.s, 3700);
    scene_deliver(&t.s, 66, 6, "b");
    assert_non_null(strstr(t.s.found, "worker-unknown/4@66 "));
    t.s.found[0] = '\0';
    consume(&t, 67, 8, "orders", "shop"); /* a queue that the baseline names */
    scene_expect(&t.s, "worker-unknown/4@67 ");
    end(&t);
}

/* A queue carries tasks once one was seen in it. */
static void by_traffic(void **state)
{
    struct story t;

    (void)state;
    begin(&t);
    scene_amqp(&t.s, 66, 6, MSG_TASK, "delivered"); /* joined in the middle */
    t.s.m.op = OP_DELIVER;
    t.s.m.dir = TO_CLIENT;
    t.s.m.coverage = COVER_MIDSTREAM;
    scene_set(&t.s, F_TASK_ID, "a");
    scene_say(&t.s);
    scene_expect(&t.s, "worker-unknown/4@66 ");
    scene_redis(&t.s, 67, 7, MSG_COMMAND, "command");
    scene_set(&t.s, F_REDIS_COMMAND, "BRPOP");
    scene_set(&t.s, F_REDIS_KEY,
              "celery\x06\x16"
              "3");
    scene_say(&t.s);
    scene_expect(&t.s, "worker-unknown/4@67 ");
    scene_redis(&t.s, 67, 7, MSG_COMMAND, "command");
    scene_set(&t.s, F_REDIS_COMMAND, "BRPOP");
    scene_set(&t.s, F_REDIS_KEY, "rq:queue:default");
    scene_say(&t.s);
    scene_expect(&t.s, "");
    end(&t);
}

static void by_user_and_queue(void **state)
{
    struct story t;

    (void)state;
    begin(&t);
    consume(&t, 31, 2, "celery", "guest");
    scene_expect(&t.s, "worker-unknown/4@31 ");
    consume(&t, 31, 3, "celery", "guest");
    scene_expect(&t.s, "");
    scene_publish(&t.s, 21, "x");
    scene_amqp(&t.s, 31, 4, MSG_TASK, "delivered");
    t.s.m.op = OP_DELIVER;
    t.s.m.dir = TO_CLIENT;
    scene_set(&t.s, F_TASK_ID, "a");
    scene_set(&t.s, F_TASK_QUEUE, "payments");
    scene_set(&t.s, F_USER, "shop");
    scene_say(&t.s);
    scene_expect(&t.s, "worker-unknown/4@31 ");
    end(&t);
}

/* The name may come before or after, and on another connection. */
static void by_name(void **state)
{
    struct story t;

    (void)state;
    begin(&t);
    scene_event(&t.s, 31, 1, "worker-online", "celery@evil");
    scene_expect(&t.s, ""); /* takes nothing yet */
    consume(&t, 31, 2, "celery", "shop");
    scene_expect(&t.s, "worker-unknown/4@31 ");
    scene_event(&t.s, 31, 1, "worker-heartbeat", "celery@evil");
    scene_expect(&t.s, "");
    scene_event(&t.s, 31, 1, "worker-heartbeat", "celery@evil2");
    scene_expect(&t.s, "worker-unknown/4@31 ");
    consume(&t, 32, 3, "celery", "shop");
    scene_command(&t.s, 32, 3, "queue.declare", "celery@app1.celery.pidbox");
    scene_expect(&t.s, "worker-unknown/4@32 ");
    end(&t);
    begin(&t);
    consume(&t, 31, 2, "celery", "shop");
    scene_amqp(&t.s, 31, 4, MSG_CONTROL, "command");
    t.s.m.op = OP_PUBLISH;
    scene_set(&t.s, F_CONTROL_METHOD, "hello");
    scene_set(&t.s, F_CONTROL_FROM_NODE, "celery@evil");
    scene_say(&t.s);
    scene_expect(&t.s, "worker-unknown/4@31 ");
    end(&t);
    begin(&t); /* who only talks is no worker */
    scene_event(&t.s, 31, 1, "worker-online", "celery@evil");
    scene_event(&t.s, 66, 9, "worker-online", "celery@evil2");
    scene_wait(&t.s, 100);
    scene_finish(&t.s);
    scene_expect(&t.s, "");
    end(&t);
}

static void not_judged(void **state)
{
    struct story t;

    (void)state;
    begin(&t);
    known(&t.b, BASELINE_RELAYS, NULL, "40", NULL, NULL);
    consume(&t, 40, 2, "celery", "shovel"); /* a shovel takes tasks to carry them on */
    scene_expect(&t.s, "");
    t.b.sections[BASELINE_WORKERS].present = false;
    consume(&t, 66, 2, "celery", "guest");
    scene_expect(&t.s, "");
    t.s.policy.baseline = NULL;
    consume(&t, 66, 2, "celery", "guest");
    scene_expect(&t.s, "");
    t.s.policy.baseline = &t.b;
    end(&t);
    memset(&t.b, 0, sizeof t.b);
    scene_open(&t.s, &deployment_detector);
    t.s.policy.baseline = &t.b;
    known_none(&t.b, BASELINE_WORKERS); /* knows nobody */
    consume(&t, 31, 2, "celery", "shop");
    scene_expect(&t.s, "worker-unknown/4@31 ");
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(belongs),         cmocka_unit_test(queue_after_queue),
        cmocka_unit_test(priority_unseen), cmocka_unit_test(by_address),
        cmocka_unit_test(by_traffic),      cmocka_unit_test(by_user_and_queue),
        cmocka_unit_test(by_name),         cmocka_unit_test(not_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
