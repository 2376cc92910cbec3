/* Tests of cluster/control.c: every command at its severity, and what excuses it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "signatures/baseline.h"
#include "support/scene.h"

static void command(struct scene *s, unsigned host, const char *method)
{
    scene_amqp(s, host, 900 + host, MSG_CONTROL, "command");
    s->m.op = OP_PUBLISH;
    scene_set(s, F_CONTROL_METHOD, method);
}

static void say(struct scene *s, unsigned host, const char *method)
{
    command(s, host, method);
    scene_say(s);
}

static void by_command(void **state)
{
    static const char *const critical[] = {"election", "shutdown", "pool_restart"};
    static const char *const high[] = {"add_consumer", "cancel_consumer",           "revoke",
                                       "terminate",    "revoke_by_stamped_headers", "rate_limit",
                                       "time_limit"};
    static const char *const medium[] = {"autoscale",      "pool_grow",      "pool_shrink",
                                         "disable_events", "objgraph",       "memdump",
                                         "memsample",      "no_such_command"};
    static const char *const info[] = {"active",        "reserved",   "scheduled", "registered",
                                       "stats",         "conf",       "report",    "clock",
                                       "active_queues", "query_task", "revoked",   "enable_events",
                                       "heartbeat"};
    struct baseline none = {.sections[BASELINE_CONTROLLERS].present = true};
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    for (size_t i = 0; i < sizeof critical / sizeof *critical; i++) {
        say(&s, 66, critical[i]);
        scene_expect(&s, "control-dangerous/5@66 ");
    }
    for (size_t i = 0; i < sizeof high / sizeof *high; i++) {
        say(&s, 66, high[i]);
        scene_expect(&s, "control-dangerous/4@66 ");
    }
    for (size_t i = 0; i < sizeof medium / sizeof *medium; i++) {
        say(&s, 66, medium[i]);
        scene_expect(&s, "control-change/3@66 ");
    }
    for (size_t i = 0; i < sizeof info / sizeof *info; i++) {
        say(&s, 66, info[i]);
        scene_expect(&s, "control-recon/1@66 ");
    }
    say(&s, 66, "ping");
    scene_expect(&s, "");
    s.policy.baseline = &none;
    say(&s, 66, "stats");
    scene_expect(&s, "control-recon/2@66 ");
    scene_close(&s);
}

/* Copies that the broker hands out, and the replies of nodes, are no commands. */
static void not_commands(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    command(&s, 66, "shutdown");
    s.m.dir = TO_CLIENT;
    s.m.op = OP_DELIVER;
    scene_say(&s);
    scene_amqp(&s, 31, 1, MSG_CONTROL, "reply");
    s.m.op = OP_PUBLISH;
    scene_set(&s, F_WORKER_HOSTNAME, "celery@app1");
    scene_say(&s);
    scene_expect(&s, "");
    scene_close(&s);
}

static void delivered(struct scene *s, unsigned host, const char *method, bool astray)
{
    command(s, host, method);
    s->m.dir = TO_CLIENT;
    s->m.op = OP_DELIVER;
    if (astray)
        scene_num(s, F_CONTROL_ASTRAY, 1);
    scene_say(s);
}

/* Commands that were none where they were published: told by the first node that gets them. */
static void commands_astray(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    delivered(&s, 31, "shutdown", false);
    scene_expect(&s, "");
    delivered(&s, 31, "shutdown", true);
    delivered(&s, 32, "shutdown", true);
    scene_expect(&s, "control-dangerous/5@31 ");
    delivered(&s, 31, "pool_grow", true);
    delivered(&s, 31, "stats", true);
    scene_expect(&s, "control-change/3@31 ");
    say(&s, 66, "rate_limit"); /* told by its publisher */
    delivered(&s, 31, "rate_limit", true);
    scene_expect(&s, "control-dangerous/4@66 ");
    scene_wait(&s, 61);
    delivered(&s, 31, "rate_limit", true);
    scene_expect(&s, "control-dangerous/4@31 ");
    scene_close(&s);
}

/* A pod's preStop: the only destination lives where the command comes from. */
static void own_node(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_event(&s, 31, 1, "worker-online", "celery@app1");
    scene_event(&s, 32, 2, "worker-online", "celery@app2");
    command(&s, 31, "shutdown");
    scene_list(&s, F_CONTROL_DESTINATION, "celery@app1");
    scene_say(&s);
    scene_expect(&s, "control-change/3@31 ");
    command(&s, 31, "shutdown");
    scene_list(&s, F_CONTROL_DESTINATION, "celery@app2");
    scene_say(&s);
    scene_expect(&s, "control-dangerous/5@31 ");
    command(&s, 31, "shutdown");
    scene_list(&s, F_CONTROL_DESTINATION, "celery@app1,celery@app2");
    scene_say(&s);
    scene_expect(&s, "control-dangerous/5@31 ");
    scene_event(&s, 31, 1, "worker-online",
                "xcelery@app2"); /* its name is a text with another in it */
    command(&s, 31, "shutdown");
    scene_list(&s, F_CONTROL_DESTINATION, "xcelery@app2");
    scene_num(&s, F_CONTROL_BY_PART, 1);
    scene_say(&s);
    scene_expect(&s, "control-dangerous/5@31 ");
    scene_close(&s);
}

static void revoke(struct scene *s, unsigned host, const char *ids, int terminate)
{
    command(s, host, "revoke");
    scene_list(s, F_CONTROL_TASKS, ids);
    if (terminate >= 0)
        scene_num(s, F_CONTROL_TERMINATE, terminate);
    scene_say(s);
}

static void cancel_button(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_publish(&s, 21, "id-1");
    revoke(&s, 21, "id-1", 0);
    scene_expect(&s, "control-change/3@21 ");
    revoke(&s, 21, "id-1", 1);
    revoke(&s, 21, "id-1", -1); /* that part was cut off */
    revoke(&s, 21, "id-1,id-2", 0);
    revoke(&s, 66, "id-1", 0); /* publishes nothing */
    scene_expect(&s, "control-dangerous/4@21 control-dangerous/4@21 control-dangerous/4@21 "
                     "control-dangerous/4@66 ");
    scene_close(&s);
}

static void hello(struct scene *s, unsigned host, const char *node, const char *revoked)
{
    command(s, host, "hello");
    scene_set(s, F_CONTROL_FROM_NODE, node);
    if (revoked)
        scene_list(s, F_CONTROL_TASKS, revoked);
    scene_say(s);
}

static void hello_that_joins_nothing(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    hello(&s, 66, "celery@nowhere", NULL);
    scene_wait(&s, 29);
    scene_expect(&s, "");
    scene_wait(&s, 1);
    scene_expect(&s, "control-dangerous/4@66 ");
    hello(&s, 66, "celery@nowhere", NULL);
    scene_wait(&s, 20);
    scene_finish(&s); /* who knows what would have come */
    scene_expect(&s, "");
    scene_close(&s);
}

/* On another connection, and after it. */
static void hello_that_joins(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    hello(&s, 31, "celery@app1", NULL);
    scene_wait(&s, 2);
    scene_command(&s, 31, 5, "queue.declare", "celery@app1.celery.pidbox");
    hello(&s, 32, "celery@app2", NULL); /* no remote control, but it works */
    scene_command(&s, 32, 6, "basic.consume", "celery");
    hello(&s, 33, "celery@app3", NULL);
    scene_command(&s, 33, 7, "basic.consume", "0a1b2c3d-0000-3000-8000-0123456789ab");
    command(&s, 35, "hello"); /* some of it was lost, and so may be what followed */
    scene_set(&s, F_CONTROL_FROM_NODE, "celery@app5");
    s.m.coverage = COVER_GAP;
    scene_say(&s);
    scene_amqp(&s, 36, 36, MSG_COMMAND, "command"); /* its vhost was not seen */
    s.m.scope = 3;
    s.m.coverage = COVER_MIDSTREAM;
    scene_set(&s, F_AMQP_METHOD, "basic.consume");
    scene_set(&s, F_AMQP_QUEUE, "celery");
    scene_say(&s);
    scene_wait(&s, 60);
    hello(&s, 36, "celery@app6", NULL);
    hello(&s, 34, "celery@app4", NULL);
    scene_command(&s, 34, 8, "queue.declare", "celery@other.celery.pidbox");
    scene_wait(&s, 31);
    scene_expect(&s, "control-dangerous/4@33 control-dangerous/4@34 ");
    scene_close(&s);
}

static void hello_by_redis(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    for (unsigned host = 41; host <= 42; host++) {
        scene_redis(&s, host, host, MSG_CONTROL, "command");
        s.m.op = OP_PUBLISH;
        scene_set(&s, F_CONTROL_METHOD, "hello");
        scene_set(&s, F_CONTROL_FROM_NODE, "celery@x");
        scene_say(&s);
    }
    scene_redis(&s, 41, 45, MSG_COMMAND, "command");
    scene_set(&s, F_REDIS_COMMAND, "PSUBSCRIBE");
    scene_set(&s, F_REDIS_CHANNEL, "/0.celery.pidbox");
    scene_say(&s);
    scene_wait(&s, 31);
    scene_expect(&s, "control-dangerous/4@42 ");
    scene_close(&s);
}

static void hello_that_revokes(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_publish(&s, 21, "open");
    scene_publish(&s, 21, "done");
    scene_deliver(&s, 31, 1, "done");
    scene_result(&s, 31, "done", "SUCCESS");
    scene_publish(&s, 21, "cancelled");
    revoke(&s, 21, "cancelled", 0);
    scene_expect(&s, "control-change/3@21 ");
    hello(&s, 66, "celery@n", "unknown,done,cancelled");
    scene_expect(&s, "");
    scene_wait(&s, 31); /* it joins nothing either: another message, told for itself */
    scene_expect(&s, "control-dangerous/4@66 ");
    hello(&s, 66, "celery@n", "unknown,open");
    scene_expect(&s, "control-dangerous/4@66 ");
    scene_wait(&s, 31); /* the same message is told once */
    scene_expect(&s, "");
    scene_close(&s);
}

static void stands(struct scene *s, unsigned host, const char *task)
{
    scene_amqp(s, host, host, MSG_WORKER, "worker-elect");
    s->m.op = OP_PUBLISH;
    scene_set(s, F_WORKER_EVENT, "worker-elect");
    scene_set(s, F_CONTROL_TOPIC, "task");
    scene_set(s, F_TASK_NAME, task);
    scene_say(s);
}

/* The workers that an election calls upon say so; who called is told once. */
static void called_upon(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_command(&s, 31, 31, "basic.consume", "celery");
    stands(&s, 31, "shop.add"); /* of its own accord */
    scene_expect(&s, "control-dangerous/5@31 ");
    command(&s, 66, "election");
    scene_set(&s, F_CONTROL_TOPIC, "task");
    scene_set(&s, F_TASK_NAME, "shop.add");
    scene_say(&s);
    scene_expect(&s, "control-dangerous/5@66 ");
    stands(&s, 31, "shop.add");
    scene_expect(&s, "");
    stands(&s, 31, "shop.refund"); /* another one */
    scene_expect(&s, "control-dangerous/5@31 ");
    stands(&s, 66, "shop.add"); /* no worker */
    scene_expect(&s, "control-dangerous/5@66 ");
    scene_wait(&s, 31);
    stands(&s, 31, "shop.add"); /* long over */
    scene_expect(&s, "control-dangerous/5@31 ");
    scene_close(&s);
}

static void election_by_event(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_amqp(&s, 66, 1, MSG_WORKER, "worker-elect");
    s.m.op = OP_PUBLISH;
    scene_set(&s, F_WORKER_EVENT, "worker-elect");
    scene_set(&s, F_CONTROL_TOPIC, "task");
    scene_say(&s);
    scene_expect(&s, "control-dangerous/5@66 ");
    scene_event(&s, 31, 2, "worker-elect-ack", "celery@app1");
    scene_event(&s, 31, 2, "worker-heartbeat", "celery@app1");
    scene_expect(&s, "");
    scene_close(&s);
}

static void add(struct baseline *b, enum baseline_section section, const char *name, uint8_t host)
{
    struct network n = {.ip = {10, 0, 0, host}, .family = 4, .prefix = 32};

    assert_true(baseline_add_address(baseline_add(b, section, name), &n));
}

/* What a baseline need not list under controllers: it knows the node, or the producer. */
static void usual(void **state)
{
    struct baseline b = {0};
    struct scene s;

    (void)state;
    add(&b, BASELINE_WORKERS, "celery@app*", 31);
    add(&b, BASELINE_PRODUCERS, "web*", 21);
    scene_open(&s, &deployment_detector);
    s.policy.baseline = &b;
    for (unsigned host = 31; host <= 32; host++) {
        const char *node = host == 31 ? "celery@app1" : "celery@app2";
        scene_event(&s, host, host, "worker-online", node);
        command(&s, host, "shutdown");
        scene_list(&s, F_CONTROL_DESTINATION, node);
        s.found[0] = '\0'; /* worker-unknown is told elsewhere */
        scene_say(&s);
        scene_expect(&s, host == 31 ? "" : "control-change/3@32 ");
    }
    say(&s, 31, "shutdown"); /* of all */
    scene_expect(&s, "control-dangerous/5@31 ");
    for (unsigned host = 21; host <= 22; host++) {
        scene_publish(&s, host, host == 21 ? "a" : "b");
        s.found[0] = '\0';
        revoke(&s, host, host == 21 ? "a" : "b", 0);
        scene_expect(&s, host == 21 ? "" : "control-change/3@22 ");
        revoke(&s, host, "a", 1);
        scene_expect(&s, host == 21 ? "control-dangerous/4@21 " : "control-dangerous/4@22 ");
    }
    say(&s, 21, "pool_shrink");
    scene_expect(&s, "control-change/3@21 ");
    scene_close(&s);
    baseline_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_command),         cmocka_unit_test(not_commands),
        cmocka_unit_test(commands_astray),    cmocka_unit_test(own_node),
        cmocka_unit_test(cancel_button),      cmocka_unit_test(hello_that_joins_nothing),
        cmocka_unit_test(hello_that_joins),   cmocka_unit_test(hello_by_redis),
        cmocka_unit_test(hello_that_revokes), cmocka_unit_test(election_by_event),
        cmocka_unit_test(called_upon),        cmocka_unit_test(usual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
