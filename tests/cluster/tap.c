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
    bind(&s, 66, "zz.reply.celery.pidbox", "reply.celery.pidbox", "x"); /* somebody else's key */
    scene_expect(
        &s, "amqp-tap/4@66 amqp-tap/4@66 amqp-tap/4@66 amqp-tap/4@66 amqp-tap/4@66 amqp-tap/4@66 "
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

static void exchange(struct scene *s, unsigned host, const char *method, const char *name,
                     const char *type, bool passive)
{
    scene_amqp(s, host, host, MSG_COMMAND, method);
    scene_set(s, F_AMQP_METHOD, method);
    scene_set(s, F_AMQP_EXCHANGE, name);
    if (type)
        scene_set(s, F_AMQP_EXCHANGE_TYPE, type);
    if (passive)
        scene_num(s, F_PASSIVE, 1);
    scene_say(s);
}

static void publish_to(struct scene *s, const char *name)
{
    scene_amqp(s, 21, 21, MSG_TASK, "published");
    s->m.op = OP_PUBLISH;
    scene_set(s, F_AMQP_METHOD, "basic.publish");
    scene_set(s, F_TASK_ID, "b");
    scene_set(s, F_TASK_EXCHANGE, name);
    scene_say(s);
}

/* The type is the first one that was declared: what the broker refuses, or did not even look at,
 * excuses nothing. */
static void another_type(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    exchange(&s, 66, "exchange.declare", "shop", "topic", true);
    exchange(&s, 31, "exchange.declare", "shop", "direct", false);
    publish_to(&s, "shop");
    bind(&s, 31, "jobs", "shop", "jobs");
    exchange(&s, 66, "exchange.declare", "shop", "fanout", false);
    bind(&s, 66, "spy", "shop", "jobs");
    scene_expect(&s, "amqp-tap/4@66 ");
    exchange(&s, 31, "exchange.delete", "shop", NULL, false);
    exchange(&s, 31, "exchange.declare", "shop", "fanout", false);
    scene_expect(&s, "amqp-destructive/4@31 ");
    bind(&s, 32, "jobs2", "shop", "jobs");
    scene_expect(&s, "");
    scene_close(&s);
}

static void exchanges_of_exchanges(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    exchange(&s, 31, "exchange.declare", "all", "topic", false);
    publish_to(&s, "all");
    publish_to(&s, "shop");
    publish_to(&s, "celery_delayed_27");
    exchange(&s, 31, "exchange.bind", "celery_delayed_27", NULL, false);
    exchange(&s, 31, "exchange.bind", "all", NULL, false);
    exchange(&s, 66, "exchange.bind", "logs", NULL, false);
    exchange(&s, 66, "exchange.bind", "amq.rabbitmq.event", NULL, false);
    bind(&s, 13, "monitor", "amq.rabbitmq.event", "#");
    scene_expect(&s, "");
    exchange(&s, 66, "exchange.bind", "shop", NULL, false);
    exchange(&s, 66, "exchange.bind", "celeryev", NULL, false);
    exchange(&s, 66, "exchange.bind", "amq.rabbitmq.trace", NULL, false);
    scene_expect(&s, "amqp-tap/4@66 amqp-tap/4@66 amqp-tap/4@66 ");
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

static void kombu_binds(struct scene *s, unsigned host, const char *member, uint8_t coverage)
{
    scene_redis(s, host, host, MSG_ENVELOPE, "published");
    s->m.op = OP_PUBLISH;
    s->m.coverage = coverage;
    scene_set(s, F_REDIS_COMMAND, "SADD");
    scene_set(s, F_REDIS_KEY, "_kombu.binding.celery");
    scene_set(s, F_MEMBER, member);
    scene_say(s);
}

/* In Redis; a name of which some was lost is none. */
static void taps_in_redis(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    kombu_binds(&s, 31,
                "celery\x06\x16\x06\x16"
                "celery",
                0);
    kombu_binds(&s, 32,
                "celery\x06\x16\x06\x16"
                "cel",
                COVER_GAP);
    scene_expect(&s, "");
    kombu_binds(&s, 66,
                "celery\x06\x16\x06\x16"
                "spy",
                0);
    scene_expect(&s, "redis-queue-tamper/4@66 ");
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(celerys_own),
        cmocka_unit_test(taps),
        cmocka_unit_test(broadcast),
        cmocka_unit_test(foreign_replies),
        cmocka_unit_test(destruction),
        cmocka_unit_test(another_type),
        cmocka_unit_test(exchanges_of_exchanges),
        cmocka_unit_test(taps_in_redis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
