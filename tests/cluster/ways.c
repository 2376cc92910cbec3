/* Tests of cluster/ways.c: what goes on to the workers' mailboxes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/scene.h"

static void method(struct scene *s, const char *name)
{
    scene_amqp(s, 66, 1, MSG_COMMAND, name);
    scene_set(s, F_AMQP_METHOD, name);
}

static void bind(struct scene *s, const char *destination, const char *source)
{
    method(s, "exchange.bind");
    scene_set(s, F_AMQP_DESTINATION, destination);
    scene_set(s, F_AMQP_EXCHANGE, source);
    scene_say(s);
}

static void publish(struct scene *s, const char *exchange, const char *key)
{
    scene_amqp(s, 66, 1, MSG_STORED, "command");
    s->m.op = OP_PUBLISH;
    scene_set(s, F_CONTROL_METHOD, "shutdown");
    scene_set(s, F_AMQP_EXCHANGE, exchange);
    scene_set(s, F_AMQP_ROUTING_KEY, key);
    scene_say(s);
}

static void exchanges(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    publish(&s, "odd", "");
    bind(&s, "elsewhere", "odd");
    publish(&s, "odd", "");
    scene_expect(&s, "");
    bind(&s, "celery.pidbox", "odd");
    bind(&s, "odd", "before");
    s.found[0] = '\0';
    publish(&s, "odd", "");
    publish(&s, "before", "x");
    publish(&s, "", "odd"); /* a queue of that name is another thing */
    scene_expect(&s, "control-dangerous/5@66 control-dangerous/5@66 ");
    method(&s, "exchange.declare");
    scene_set(&s, F_AMQP_EXCHANGE, "alternate");
    scene_set(&s, F_AMQP_ONWARD, "celery.pidbox");
    scene_say(&s);
    publish(&s, "alternate", "");
    scene_expect(&s, "control-dangerous/5@66 ");
    scene_close(&s);
}

static void declare(struct scene *s, const char *queue, const char *exchange, const char *key)
{
    method(s, "queue.declare");
    scene_set(s, F_AMQP_QUEUE, queue);
    scene_set(s, F_AMQP_ONWARD, exchange);
    if (key)
        scene_set(s, F_AMQP_ONWARD_KEY, key);
    scene_say(s);
}

static void queues(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    declare(&s, "none", "dead", NULL);
    declare(&s, "one", "celery.pidbox", NULL);
    declare(&s, "two", "", "celery@app1.celery.pidbox");
    declare(&s, "self", "", NULL);
    method(&s, "queue.bind");
    scene_set(&s, F_AMQP_QUEUE, "one");
    scene_set(&s, F_AMQP_EXCHANGE, "source");
    scene_say(&s);
    scene_expect(&s, "");
    publish(&s, "", "none");
    publish(&s, "", "self");
    publish(&s, "one", "");
    scene_expect(&s, "");
    publish(&s, "", "one");
    publish(&s, "", "two");
    publish(&s, "source", "");
    scene_expect(&s, "control-dangerous/5@66 control-dangerous/5@66 control-dangerous/5@66 ");
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exchanges),
        cmocka_unit_test(queues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
