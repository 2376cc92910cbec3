/* Tests of cluster/tap.c: queues of RabbitMQ that are no business of who touches them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/scene.h"

static void bind(struct scene *s, unsigned host, const char *queue, const char *exchange,
                 const char *key)
{
    scene_amqp(s, host, host, MSG_COMMAND, "queue.bind");
    scene_set(s, F_AMQP_METHOD, "queue.bind");
    scene_set(s, F_AMQP_QUEUE, queue);
    scene_set(s, F_AMQP_EXCHANGE, exchange);
    scene_set(s, F_AMQP_ROUTING_KEY, key);
    scene_say(s);
}

static void celerys_own(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    bind(&s, 31, "celery", "celery", "celery");
    bind(&s, 32, "celery", "celery", "celery");
    bind(&s, 31, "celery@app1.celery.pidbox", "celery.pidbox", "");
    bind(&s, 31, "celeryev.0a1b2c3d-0000-4000-8000-0123456789ab", "celeryev", "worker.#");
    bind(&s, 13, "celeryev.1a1b2c3d-0000-4000-8000-0123456789ab", "celeryev", "#"); /* flower */
    bind(&s, 51, "0a1b2c3d-0000-3000-8000-0123456789ab.reply.celery.pidbox", "reply.celery.pidbox",
         "0a1b2c3d-0000-3000-8000-0123456789ab");
    bind(&s, 21, "orders", "orders", "orders");
    bind(&s, 21, "anything", "logs", "#"); /* another program's exchange */
    scene_expect(&s, "");
    scene_close(&s);
}

static void taps(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_publish(&s, 21, "a");
    bind(&s, 31, "celery", "celery", "celery");
    scene_expect(&s, "");
    bind(&s, 66, "amq.gen-x", "celeryev", "#");
    bind(&s, 66, "amq.gen-x", "celery", "celery");
    bind(&s, 66, "mine", "celery", "celery");
    bind(&s, 66, "amq.gen-x", "amq.rabbitmq.trace", "publish.#");
    bind(&s, 66, "mine", "celery.pidbox", "");
    bind(&s, 66, "mine", "reply.celery.pidbox", "x");
    scene_expect(&s, "amqp-tap/4@66 amqp-tap/4@66 amqp-tap/4@66 amqp-tap/4@66 amqp-tap/4@66 "
                     "amqp-tap/4@66 ");
    scene_close(&s);
}

/* Several queues are the purpose of a fanout. */
static void broadcast(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_amqp(&s, 31, 31, MSG_COMMAND, "exchange.declare");
    scene_set(&s, F_AMQP_METHOD, "exchange.declare");
    scene_set(&s, F_AMQP_EXCHANGE, "all");
    scene_set(&s, F_AMQP_EXCHANGE_TYPE, "fanout");
    scene_say(&s);
    scene_amqp(&s, 21, 21, MSG_TASK, "published");
    s.m.op = OP_PUBLISH;
    scene_set(&s, F_AMQP_METHOD, "basic.publish");
    scene_set(&s, F_TASK_ID, "b");
    scene_set(&s, F_TASK_EXCHANGE, "all");
    scene_say(&s);
    bind(&s, 31, "bcast.1", "all", "");
    bind(&s, 32, "bcast.2", "all", "");
    scene_expect(&s, "");
    scene_close(&s);
}

static void foreign_replies(void **state)
{
    static const char reply[] = "0a1b2c3d-0000-3000-8000-0123456789ab";
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_command(&s, 21, 1, "queue.declare", reply);
    scene_command(&s, 21, 1, "basic.consume", reply);
    scene_command(&s, 31, 2, "queue.declare", "celery@app1.celery.pidbox");
    scene_command(&s, 32, 3, "basic.consume", "celery@app1.celery.pidbox"); /* its next life */
    scene_command(&s, 31, 2, "queue.declare", "celery");
    scene_command(&s, 32, 3, "basic.consume", "celery");
    scene_expect(&s, "");
    scene_command(&s, 66, 4, "basic.get", reply);
    scene_expect(&s, "amqp-tap/4@66 ");
    scene_close(&s);
}

static void destruction(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_publish(&s, 21, "a");
    scene_command(&s, 66, 1, "queue.purge", "celery");
    scene_command(&s, 66, 1, "queue.delete", "celery");
    scene_expect(&s, "amqp-destructive/4@66 amqp-destructive/4@66 ");
    scene_command(&s, 31, 1, "queue.delete", "0a1b2c3d-0000-3000-8000-0123456789ab");
    scene_command(&s, 31, 1, "queue.delete", "celeryev.0a1b2c3d-0000-4000-8000-0123456789ab");
    scene_command(&s, 31, 1, "queue.delete", "of-another-program");
    scene_expect(&s, "");
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(celerys_own), cmocka_unit_test(taps),
        cmocka_unit_test(broadcast),   cmocka_unit_test(foreign_replies),
        cmocka_unit_test(destruction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
