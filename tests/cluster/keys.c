/* Tests of cluster/server.c and cluster/keys.c: Redis commands, each at its rule, and those of
 * others' daily work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/scene.h"

static void reply(struct scene *s, const char *command, const char *key, const char *args,
                  const char *outcome)
{
    scene_redis(s, 66, 1, MSG_REPLY, "command");
    s->m.dir = TO_CLIENT;
    scene_set(s, F_REDIS_COMMAND, command);
    if (key)
        scene_set(s, F_REDIS_KEY, key);
    scene_list(s, F_REDIS_ARGS, args);
    scene_set(s, F_OUTCOME, outcome);
    scene_say(s);
}

struct example {
    const char *command, *key, *args, *outcome, *found;
};

static void all(struct scene *s, const struct example *e, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        reply(s, e[i].command, e[i].key, e[i].args, e[i].outcome);
        scene_expect(s, e[i].found);
    }
}

static void the_server(void **state)
{
    static const struct example examples[] = {
        {"CONFIG SET", NULL, "SET,dir,<9 bytes>", "failure", "redis-config-write/5@66 "},
        {"CONFIG SET", NULL, "SET,loglevel,<6 bytes>,DbFilename,<4 bytes>", "success",
         "redis-config-write/5@66 "},
        {"CONFIG SET", NULL, "SET,maxmemory,100", "success", "redis-admin/3@66 "},
        {"REPLICAOF", NULL, "<10 bytes>,6379", "success", "redis-replicaof/5@66 "},
        {"SLAVEOF", NULL, "<2 bytes>,123", "success", "redis-replicaof/5@66 "},
        {"REPLICAOF", NULL, "<2 bytes>,<3 bytes>", "success", "redis-admin/3@66 "},
        {"MODULE LOAD", NULL, "LOAD,<20 bytes>", "failure", "redis-module-load/5@66 "},
        {"MODULE LIST", NULL, "LIST", "success", "redis-recon/2@66 "},
        {"SAVE", NULL, "", "success", "redis-admin/3@66 "},
        {"CLIENT KILL", NULL, "KILL,<4 bytes>", "success", "redis-admin/3@66 "},
        {"POST", NULL, "<7 bytes>,<8 bytes>", "unknown", "redis-admin/3@66 "},
        {"FLUSHALL", NULL, "", "success", "redis-destructive/4@66 "},
        {"FLUSHDB", NULL, "", "success", "redis-admin/3@66 "},
        {"SHUTDOWN", NULL, "<6 bytes>", "unknown", "redis-destructive/4@66 "},
        {"SHUTDOWN", NULL, "<5 bytes>", "failure", ""},
        {"SHUTDOWN", NULL, "<5 bytes>", "unknown", "redis-destructive/4@66 "}, /* FORCE */
        {"DEBUG SLEEP", NULL, "SLEEP,0", "failure", "redis-destructive/4@66 "},
        {"DEBUG OBJECT", "x", "OBJECT,x", "success", ""},
        {"INFO", NULL, "", "success", ""},
    };
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    all(&s, examples, sizeof examples / sizeof *examples);
    scene_close(&s);
}

static void celerys_keys(void **state)
{
    static const struct example examples[] = {
        {"FLUSHDB", NULL, "", "success", "redis-destructive/4@66 "},
        {"DEL", "orders", "orders", "success", "redis-destructive/4@66 "},
        {"UNLINK", "x",
         "x,orders\x06\x16"
         "3",
         "success", "redis-destructive/4@66 "},
        {"RENAME", "celery", "celery,b", "success", "redis-destructive/4@66 "},
        {"DEL", "cache:1", "cache:1", "success", ""},
        {"DEL", "0a1b2c3d-0000-3000-8000-0123456789ab.reply.celery.pidbox", "", "success", ""},
        {"DEL", "celery-task-meta-1", "celery-task-meta-1", "success", ""},
        {"DEL", "unacked", "unacked", "success", "redis-queue-tamper/4@66 "},
        {"RPOPLPUSH", "orders", "orders,b", "success", "redis-queue-tamper/4@66 "},
        {"SORT", "x", "x,<2 bytes>,<6 bytes>,<5 bytes>,orders", "success",
         "redis-queue-tamper/4@66 "},
        {"SORT", "orders", "orders", "success", "redis-recon/2@66 "},
        {"SORT", "x", "x,<5 bytes>,y", "success", ""},
        {"LMOVE", "rq:queue:x", "rq:queue:x,rq:wip:x", "success", ""},
        {"LREM", "celery", "celery,0,<1 bytes>", "success", "redis-queue-tamper/4@66 "},
        {"LRANGE", "orders", "orders,0,-1", "success", "redis-recon/2@66 "},
        {"LRANGE", "mylist", "mylist,0,-1", "success", ""},
    };
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_redis(&s, 21, 2, MSG_TASK, "published");
    s.m.op = OP_PUBLISH;
    scene_set(&s, F_TASK_ID, "a");
    scene_set(&s, F_TASK_QUEUE, "orders");
    scene_say(&s);
    all(&s, examples, sizeof examples / sizeof *examples);
    scene_close(&s);
}

/* `celery` may be the head of celery@app1.celery.pidbox; what is whole is among the arguments. */
static void keys_cut_short(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    for (unsigned whole = 0; whole < 2; whole++) {
        scene_redis(&s, 66, 1, MSG_REPLY, "command");
        s.m.dir = TO_CLIENT;
        s.m.coverage = COVER_GAP;
        scene_set(&s, F_REDIS_COMMAND, "DEL");
        scene_set(&s, F_REDIS_KEY, "celery");
        scene_list(&s, F_REDIS_ARGS, whole ? "celery" : "<29 bytes>");
        scene_set(&s, F_OUTCOME, "success");
        scene_say(&s);
        scene_expect(&s, whole ? "redis-destructive/4@66 " : "");
    }
    scene_close(&s);
}

static void looking_around(void **state)
{
    static const struct example examples[] = {
        {"KEYS", NULL, "<1 bytes>", "success", "redis-recon/2@66 "},
        {"MONITOR", NULL, "", "success", "redis-recon/2@66 "},
        {"CONFIG GET", NULL, "GET,*", "success", "redis-recon/2@66 "},
        {"SCAN", NULL, "0", "success", "redis-recon/2@66 "},
        {"SCAN", NULL, "0,<5 bytes>,100", "success", "redis-recon/2@66 "},
        {"SCAN", NULL, "0,<5 bytes>,<1 bytes>", "success", "redis-recon/2@66 "},
        {"SCAN", NULL, "0,<5 bytes>,<9 bytes>,<5 bytes>,100", "success", ""},
        {"PSUBSCRIBE", NULL, "*", "success", "redis-recon/2@66 "},
        {"PSUBSCRIBE", NULL, "x,celery-task-meta-*", "success", "redis-recon/2@66 "},
        {"PSUBSCRIBE", NULL, "__keyevent@0__:*", "success", "redis-recon/2@66 "},
        {"PSUBSCRIBE", NULL, "/0.celeryev/worker.*", "success", ""},
        {"SUBSCRIBE", NULL, "celery-task-meta-0a1b", "success", ""},
    };
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    all(&s, examples, sizeof examples / sizeof *examples);
    scene_redis(&s, 66, 1, MSG_COMMAND, "command");
    scene_set(&s, F_REDIS_COMMAND, "HGETALL");
    scene_set(&s, F_REDIS_KEY, "prefix:unacked");
    scene_say(&s);
    scene_expect(&s, "redis-recon/2@66 ");
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_server),
        cmocka_unit_test(celerys_keys),
        cmocka_unit_test(keys_cut_short),
        cmocka_unit_test(looking_around),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
