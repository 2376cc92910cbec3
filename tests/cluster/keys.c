/* Tests of cluster/server.c and cluster/keys.c: Redis commands, each at its rule, and those of
 * others' daily work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "signatures/cluster/deployment.h"
#include "signatures/cluster/reach.h"
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
        {"CONFIG SET", NULL, "SET,tls-client-cert-file,<9 bytes>", "success",
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
        {"SORT_RO", "orders", "orders,<2 bytes>,<6 bytes>", "success", "redis-recon/2@66 "},
        {"ZMPOP", "unacked_index", "1,unacked_index,<3 bytes>", "success",
         "redis-queue-tamper/4@66 "},
        {"BZMPOP", "a", "0,2,a,unacked_index,<3 bytes>", "success", "redis-queue-tamper/4@66 "},
        {"BZPOPMIN", "a", "a,unacked_index,0", "success", "redis-queue-tamper/4@66 "},
        {"BZPOPMAX", "unacked_index", "unacked_index,0", "success", "redis-queue-tamper/4@66 "},
        {"BZPOPMIN", "bull:mail:marker", "bull:mail:marker,5", "success", ""},
        {"MSETNX", "x", "x,1,orders,<1 bytes>", "success", "redis-queue-tamper/4@66 "},
        {"MSETNX", "x", "x,1,y,2", "success", ""},
        {"DELEX", "orders", "orders", "success", "redis-destructive/4@66 "},
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

static void command(struct scene *s, const char *command, const char *key)
{
    scene_redis(s, 66, 1, MSG_COMMAND, "command");
    scene_set(s, F_REDIS_COMMAND, command);
    scene_set(s, F_REDIS_KEY, key);
    scene_say(s);
}

/* What is no list can be no queue; and what is kombu's own is changed in kombu's ways alone. */
static void other_types(void **state)
{
    static const char *const others[] = {
        "SETNX",        "GETSET",     "APPEND",        "SETRANGE",    "SETBIT",  "BITFIELD",
        "INCR",         "DECR",       "INCRBY",        "DECRBY",      "PFADD",   "PFMERGE",
        "HINCRBYFLOAT", "GEOADD",     "XADD",          "VADD",        "HINCRBY", "ZINCRBY",
        "JSON.SET",     "JSON.MERGE", "XGROUP CREATE", "INCRBYFLOAT",
    };
    static const char *const own[] = {"HSET", "HMSET", "HSETNX", "HSETEX", "SADD", "ZADD"};
    static const char *const kombus[] = {
        "HGETDEL", "HGETEX",  "HEXPIRE", "HEXPIREAT",      "HPEXPIRE",         "HPEXPIREAT",
        "SPOP",    "ZPOPMIN", "ZPOPMAX", "ZREMRANGEBYLEX", "ZREMRANGEBYSCORE", "ZREMRANGEBYRANK",
    };
    static const char *const reads[] = {"HGETALL", "HVALS", "HSCAN", "HRANDFIELD"};
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        command(&s, others[i], "stats:unacked"); /* nothing of Celery's was seen */
        scene_expect(&s, "");
    }
    scene_redis(&s, 21, 2, MSG_TASK, "published");
    s.m.op = OP_PUBLISH;
    scene_set(&s, F_TASK_ID, "a");
    scene_say(&s);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        command(&s, others[i], "celery");
        scene_expect(&s, "redis-queue-tamper/4@66 ");
        command(&s, others[i], "unacked_index");
        scene_expect(&s, "redis-queue-tamper/4@66 ");
        command(&s, others[i], "unacked_mutex");
        command(&s, others[i], "visits");
        scene_expect(&s, "");
    }
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        command(&s, own[i],
                "celery\x06\x16"
                "9");
        scene_expect(&s, "redis-queue-tamper/4@66 ");
        command(&s, own[i], "unacked_mutex");
        command(&s, own[i], "user:1");
        scene_expect(&s, "");
    }
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        const char *at[] = {"shop:unacked", "shop:unacked_index", "shop:_kombu.binding.celery"};
        char mine = own[i][0];

        command(&s, own[i], "_kombu.binding_permanent.celery");
        scene_expect(&s, "");

        for (size_t k = 0; k < 3; k++) {
            command(&s, own[i], at[k]);
            scene_expect(&s, mine == "HZS"[k] ? "" : "redis-queue-tamper/4@66 ");
        }
    }
    for (size_t i = 0; i < sizeof kombus / sizeof *kombus; i++) {
        command(&s, kombus[i], "shop:unacked");
        scene_expect(&s, "redis-queue-tamper/4@66 ");
        command(&s, kombus[i], "mine");
        scene_expect(&s, "");
    }
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        command(&s, reads[i], "unacked");
        scene_expect(&s, "redis-recon/2@66 ");
    }
    scene_close(&s);
}

static void pushed(struct scene *s, unsigned host, const char *command, const char *key, bool junk)
{
    scene_redis(s, host, 1, MSG_ENVELOPE, junk && command[0] == 'H' ? "stored" : "published");
    scene_set(s, F_REDIS_COMMAND, command);
    scene_set(s, F_REDIS_KEY, key);
    if (junk)
        scene_num(s, F_JUNK, 1);
    scene_say(s);
}

static void what_is_no_message(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    pushed(&s, 66, "LPUSH", "celery", true);
    scene_expect(&s, "redis-queue-tamper/4@66 ");
    pushed(&s, 66, "LPUSH", "rq:queue:high", true);
    pushed(&s, 66, "LPUSH", "orders", true);
    pushed(&s, 66, "LPUSH", "celery", false);
    pushed(&s, 66, "HSET", "jobs:unacked", true); /* not Celery's, as far as was seen */
    scene_expect(&s, "");
    scene_redis(&s, 21, 2, MSG_TASK, "published");
    s.m.op = OP_PUBLISH;
    scene_set(&s, F_TASK_ID, "a");
    scene_set(&s, F_TASK_QUEUE, "orders");
    scene_say(&s);
    pushed(&s, 66, "RPUSH", "orders", true);
    pushed(&s, 66, "HSET", "unacked", true);
    scene_expect(&s, "redis-queue-tamper/4@66 redis-queue-tamper/4@66 ");
    scene_close(&s);
}

/* Which envelopes are to be read by kombu. */
static void what_kombu_has_to_read(void **state)
{
    static const struct {
        const char *command, *key;
        enum op op;
        bool wanted;
    } rows[] = {
        {"LPUSH", "orders", OP_PUBLISH, true},
        {"RPUSHX", "orders", OP_PUBLISH, true},
        {"LPUSH", "0a1b2c3d-0000-3000-8000-0123456789ab.reply.celery.pidbox", OP_PUBLISH, false},
        {"RPUSH", "unacked_index", OP_PUBLISH, true},
        {"SADD", "orders", OP_PUBLISH, false},
        {"HSET", "unacked", OP_STORE, true},
        {"HSET", "orders", OP_STORE, false},
        {"SET", "unacked", OP_STORE, false},
    };
    struct content content = {.body = bytes_of("x", 1), .wire_len = 1};
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scene_redis(&s, 66, 1, MSG_ENVELOPE, "published");
        s.m.op = rows[i].op;
        s.m.content = &content;
        scene_set(&s, F_REDIS_COMMAND, rows[i].command);
        scene_set(&s, F_REDIS_KEY, rows[i].key);
        assert_int_equal(junk_wants(&s.m), rows[i].wanted);
        content.clipped = true;
        assert_false(junk_wants(&s.m));
        content.clipped = false;
    }
    s.m.content = NULL;
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

/* What a worker sees of a command's patterns, and what is said of it where Celery's keys are. */
static void patterns(void **state)
{
    static const struct {
        const char *words;
        enum reach reach;
    } rows[] = {
        {"SCAN 0", REACH_SOME},
        {"SCAN 0 MATCH *", REACH_SOME}, /* is seen by its length */
        {"SCAN 0 match **", REACH_ALL},
        {"SCAN 0 COUNT 9 MATCH ?*", REACH_ALL},
        {"SCAN 0 MATCH [^x]*", REACH_ALL},
        {"SCAN 0 MATCH c*", REACH_CELERYS},
        {"SCAN 0 MATCH *celery*", REACH_CELERYS},
        {"SCAN 0 MATCH *una*", REACH_CELERYS},
        {"SCAN 0 MATCH _kombu* COUNT 9", REACH_CELERYS},
        {"SCAN 0 MATCH cache:*", REACH_SOME},
        {"SCAN 0 MATCH *:1:*", REACH_SOME},
        {"SCAN 0 TYPE match", REACH_SOME},
        {"SORT s BY nosort GET celery-task-meta-*", REACH_CELERYS},
        {"SORT_RO s by unacked->* get #", REACH_CELERYS},
        {"SORT ids BY w_* GET obj_*->name GET *", REACH_SOME},
        {"SORT celery-task-meta-* LIMIT 0 9", REACH_SOME},
        {"KEYS *", REACH_SOME},
    };
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    for (unsigned celerys = 0; celerys < 2; celerys++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            char copy[64], *rest = copy;
            struct bytes at[16];
            struct args args = {at, 0};
            enum reach reach;

            snprintf(copy, sizeof copy, "%s", rows[i].words);
            for (char *w; (w = strsep(&rest, " ")) != NULL;)
                at[args.n++] = bytes_of(w, strlen(w));
            scene_redis(&s, 66, 1, MSG_COMMAND, "command");
            fields_text(&s.m.fields, F_REDIS_COMMAND, at[0]);
            s.m.args = &args;
            reach = reach_of_command(&s.m);
            if (reach != rows[i].reach)
                fail_msg("%s: %d", rows[i].words, reach);
            s.m.args = NULL;
            if (reach != REACH_SOME)
                scene_num(&s, F_REACH, reach);
            scene_say(&s);
            scene_expect(&s, reach > REACH_SOME + !celerys ? "redis-recon/2@66 " : "");
        }
        scene_redis(&s, 21, 2, MSG_TASK, "published");
        s.m.op = OP_PUBLISH;
        scene_set(&s, F_TASK_ID, "a");
        scene_say(&s);
    }
    scene_redis(&s, 21, 2, MSG_COMMAND, "command"); /* one's own results */
    scene_set(&s, F_REDIS_COMMAND, "SCAN");
    scene_num(&s, F_REACH, REACH_CELERYS);
    scene_say(&s);
    scene_expect(&s, "");
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
        {"PSUBSCRIBE", NULL, "**", "success", "redis-recon/2@66 "},
        {"PSUBSCRIBE", NULL, "[^ ]*", "success", "redis-recon/2@66 "},
        {"PSUBSCRIBE", NULL, "c*", "success", "redis-recon/2@66 "},
        {"PSUBSCRIBE", NULL, "celery?task?meta?*", "success", "redis-recon/2@66 "},
        {"PSUBSCRIBE", NULL, "_*", "success", "redis-recon/2@66 "},
        {"PSUBSCRIBE", NULL, "chat:*,*:updates,socket.io#/#*,celery.*", "success", ""},
        {"PSUBSCRIBE", NULL, "/0.celery.pidbox,celeryev/worker.*", "success", ""},
        {"PSUBSCRIBE", NULL, "celery-task-meta-75d916e5-cec7-48f1-8809-449c41196fca", "success",
         ""},
        {"SUBSCRIBE", NULL, "c*", "success", ""}, /* a channel of that name */
        {"PSUBSCRIBE", NULL, "/0.celeryev/worker.*", "success", ""},
        {"SUBSCRIBE", NULL, "celery-task-meta-0a1b", "success", ""},
    };
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    all(&s, examples, sizeof examples / sizeof *examples);
    scene_redis(&s, 66, 1, MSG_REPLY, "command"); /* its pattern may be among what was lost */
    s.m.coverage = COVER_GAP;
    scene_set(&s, F_REDIS_COMMAND, "SCAN");
    scene_list(&s, F_REDIS_ARGS, "0");
    scene_say(&s);
    scene_expect(&s, "");
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
        cmocka_unit_test(other_types),
        cmocka_unit_test(what_is_no_message),
        cmocka_unit_test(what_kombu_has_to_read),
        cmocka_unit_test(keys_cut_short),
        cmocka_unit_test(patterns),
        cmocka_unit_test(looking_around),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
