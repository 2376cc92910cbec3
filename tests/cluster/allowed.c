/* Tests of whom the baseline allows what others may not: controllers, monitors, relays, workers;
 * and what nobody may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/known.h"
#include "support/scene.h"

#define CONTROLLER 12
#define PURGER     15
#define MONITOR    13
#define RELAY      30
#define STRANGER   66

struct story {
    struct scene s;
    struct baseline b;
};

static void begin(struct story *t)
{
    memset(&t->b, 0, sizeof t->b);
    scene_open(&t->s, &deployment_detector);
    t->s.policy.baseline = &t->b;
    known(&t->b, BASELINE_CONTROLLERS, NULL, "12", "*", NULL);
    known(&t->b, BASELINE_CONTROLLERS, NULL, "15", "purge,revoke,stats", NULL);
    known(&t->b, BASELINE_MONITORS, NULL, "13", NULL, NULL);
    known(&t->b, BASELINE_RELAYS, NULL, "30", NULL, NULL);
}

static void end(struct story *t)
{
    scene_close(&t->s);
    baseline_clear(&t->b);
}

static void command(struct story *t, unsigned host, const char *method)
{
    scene_amqp(&t->s, host, host, MSG_CONTROL, "command");
    t->s.m.op = OP_PUBLISH;
    scene_set(&t->s, F_CONTROL_METHOD, method);
    scene_say(&t->s);
}

static void control(void **state)
{
    static const char *const all[] = {"shutdown", "revoke", "pool_grow", "stats", "no_such"};
    struct story t;

    (void)state;
    begin(&t);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        command(&t, CONTROLLER, all[i]);
    command(&t, PURGER, "revoke");
    command(&t, PURGER, "stats");
    command(&t, MONITOR, "stats");
    command(&t, MONITOR, "enable_events");
    scene_expect(&t.s, "");
    command(&t, PURGER, "shutdown");
    scene_expect(&t.s, "control-dangerous/5@15 ");
    command(&t, PURGER, "report");
    scene_expect(&t.s, "control-recon/2@15 ");
    command(&t, MONITOR, "revoke");
    scene_expect(&t.s, "control-dangerous/4@13 ");
    command(&t, MONITOR, "pool_grow");
    scene_expect(&t.s, "control-change/3@13 ");
    command(&t, STRANGER, "stats");
    scene_expect(&t.s, "control-recon/2@66 ");
    command(&t, CONTROLLER, "hello");
    scene_wait(&t.s, 40);
    scene_expect(&t.s, "");
    command(&t, STRANGER, "hello");
    scene_wait(&t.s, 40);
    scene_expect(&t.s, "control-dangerous/4@66 ");
    end(&t);
}

static void elect(struct story *t, unsigned host)
{
    scene_amqp(&t->s, host, host, MSG_WORKER, "worker-elect");
    t->s.m.op = OP_PUBLISH;
    scene_set(&t->s, F_WORKER_EVENT, "worker-elect");
    scene_set(&t->s, F_CONTROL_TOPIC, "task");
    scene_say(&t->s);
}

static void election(void **state)
{
    struct story t;

    (void)state;
    begin(&t);
    elect(&t, CONTROLLER);
    scene_expect(&t.s, "");
    elect(&t, PURGER);
    scene_expect(&t.s, "control-dangerous/5@15 ");
    end(&t);
}

/* A section that is absent is not judged: as without a baseline. */
static void recon_not_judged(void **state)
{
    struct story t;

    (void)state;
    memset(&t.b, 0, sizeof t.b);
    scene_open(&t.s, &deployment_detector);
    t.s.policy.baseline = &t.b;
    known(&t.b, BASELINE_TASKS, "shop.*", NULL, NULL, NULL);
    command(&t, STRANGER, "stats");
    scene_expect(&t.s, "control-recon/1@66 ");
    known_none(&t.b, BASELINE_MONITORS);
    command(&t, STRANGER, "stats");
    scene_expect(&t.s, "control-recon/2@66 ");
    end(&t);
}

static void bind(struct story *t, unsigned host)
{
    scene_amqp(&t->s, host, host, MSG_COMMAND, "queue.bind");
    scene_set(&t->s, F_AMQP_METHOD, "queue.bind");
    scene_set(&t->s, F_AMQP_QUEUE, "mine");
    scene_set(&t->s, F_AMQP_EXCHANGE, "celeryev");
    scene_set(&t->s, F_AMQP_ROUTING_KEY, "#");
    scene_say(&t->s);
}

static void taps(void **state)
{
    struct story t;

    (void)state;
    begin(&t);
    bind(&t, MONITOR);
    scene_expect(&t.s, "");
    bind(&t, CONTROLLER);
    bind(&t, STRANGER);
    scene_expect(&t.s, "amqp-tap/4@12 amqp-tap/4@66 ");
    end(&t);
}

static void purges(void **state)
{
    struct story t;

    (void)state;
    begin(&t);
    scene_command(&t.s, CONTROLLER, 1, "queue.purge", "celery");
    scene_command(&t.s, CONTROLLER, 1, "queue.delete", "celery");
    scene_command(&t.s, PURGER, 1, "queue.purge", "celery");
    scene_expect(&t.s, "");
    scene_command(&t.s, PURGER, 2, "queue.delete", "celery");
    scene_command(&t.s, MONITOR, 3, "queue.purge", "celery");
    scene_expect(&t.s, "amqp-destructive/4@15 amqp-destructive/4@13 ");
    end(&t);
}

static void redis(struct story *t, unsigned host, const char *command, const char *args)
{
    scene_redis(&t->s, host, host, MSG_REPLY, "command");
    t->s.m.dir = TO_CLIENT;
    scene_set(&t->s, F_REDIS_COMMAND, command);
    scene_set(&t->s, F_OUTCOME, "success");
    scene_list(&t->s, F_REDIS_ARGS, args);
    scene_say(&t->s);
}

static void servers(void **state)
{
    struct story t;

    (void)state;
    begin(&t);
    redis(&t, CONTROLLER, "FLUSHALL", "");
    redis(&t, CONTROLLER, "CONFIG SET", "SET,maxmemory,<2 bytes>");
    redis(&t, CONTROLLER, "BGSAVE", "");
    redis(&t, RELAY, "PSYNC", "");
    redis(&t, RELAY, "SYNC", "");
    redis(&t, RELAY, "RESTORE", "");
    redis(&t, MONITOR, "MONITOR", "");
    redis(&t, MONITOR, "KEYS", "*");
    scene_expect(&t.s, "");
    redis(&t, PURGER, "FLUSHALL", "");
    scene_expect(&t.s, "redis-destructive/4@15 ");
    redis(&t, RELAY, "FLUSHALL", "");
    scene_expect(&t.s, "redis-destructive/4@30 ");
    redis(&t, RELAY, "BGSAVE", "");
    scene_expect(&t.s, "redis-admin/3@30 ");
    redis(&t, STRANGER, "PSYNC", "");
    scene_expect(&t.s, "redis-admin/3@66 ");
    redis(&t, MONITOR, "BGSAVE", "");
    scene_expect(&t.s, "redis-admin/3@13 ");
    redis(&t, RELAY, "KEYS", "*");
    scene_expect(&t.s, "redis-recon/2@30 ");
    /* No policy covers these. */
    redis(&t, CONTROLLER, "CONFIG SET", "SET,dir,<9 bytes>");
    redis(&t, CONTROLLER, "MODULE LOAD", "LOAD,<9 bytes>");
    redis(&t, CONTROLLER, "REPLICAOF", "<9 bytes>,6379");
    redis(&t, CONTROLLER, "LREM", "celery,0,<1 bytes>");
    scene_expect(&t.s, "redis-config-write/5@12 redis-module-load/5@12 redis-replicaof/5@12 "
                       "redis-queue-tamper/4@12 ");
    scene_redis(&t.s, CONTROLLER, 1, MSG_ANOMALY, "malformed");
    scene_set(&t.s, F_ANOMALY, "http on a redis port");
    scene_say(&t.s);
    scene_expect(&t.s, "");
    scene_redis(&t.s, PURGER, 1, MSG_ANOMALY, "malformed");
    scene_set(&t.s, F_ANOMALY, "http on a redis port");
    scene_say(&t.s);
    scene_expect(&t.s, "redis-admin/3@15 ");
    end(&t);
}

static void silence(struct story *t, unsigned host, const char *user)
{
    scene_event(&t->s, 31, 1, "worker-online", "celery@app1");
    scene_deliver(&t->s, 31, 2, "a");
    scene_amqp(&t->s, host, 5, MSG_TASK, "delivered");
    t->s.m.op = OP_DELIVER;
    t->s.m.dir = TO_CLIENT;
    scene_set(&t->s, F_TASK_ID, "b");
    scene_set(&t->s, F_TASK_QUEUE, "celery");
    scene_set(&t->s, F_USER, user);
    scene_say(&t->s);
    scene_wait(&t->s, 40);
    scene_finish(&t->s);
}

/* A worker that the baseline lists may be silent. */
static void silent_workers(void **state)
{
    struct story t;

    (void)state;
    begin(&t);
    known(&t.b, BASELINE_WORKERS, "celery@app*", "31,32", NULL, "shop");
    silence(&t, 32, "shop");
    scene_expect(&t.s, "");
    end(&t);
    begin(&t);
    known(&t.b, BASELINE_WORKERS, "celery@app*", "31,32", NULL, "shop");
    silence(&t, 33, "shop");
    scene_expect(&t.s, "worker-unknown/4@33 worker-silent/3@33 ");
    end(&t);
    begin(&t);
    known(&t.b, BASELINE_WORKERS, "celery@app*", "31,32", NULL, "shop");
    silence(&t, 32, "guest");
    scene_expect(&t.s, "worker-unknown/4@32 worker-silent/3@32 ");
    end(&t);
}

/* What a relay carries it neither replays nor forges. */
static void relays(void **state)
{
    struct story t;

    (void)state;
    begin(&t);
    scene_publish(&t.s, 21, "a");
    scene_publish(&t.s, RELAY, "a");
    scene_deliver(&t.s, 31, 2, "a");
    scene_result(&t.s, RELAY, "a", "SUCCESS");
    scene_expect(&t.s, "");
    scene_publish(&t.s, STRANGER, "a");
    scene_result(&t.s, STRANGER, "a", "SUCCESS");
    scene_expect(&t.s, "task-replayed/4@66 result-forged/4@66 ");
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control),          cmocka_unit_test(election),
        cmocka_unit_test(recon_not_judged), cmocka_unit_test(taps),
        cmocka_unit_test(purges),           cmocka_unit_test(servers),
        cmocka_unit_test(silent_workers),   cmocka_unit_test(relays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
