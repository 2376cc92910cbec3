/* Tests of cluster/scripts.c and scripts_read.c: Redis scripts, from their arguments to what is
 * said of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "signatures/cluster/scripts.h"
#include "support/known.h"
#include "support/scene.h"

#define LOCK  "c3f8721cbb97f72bc19e972846bd7aaf91901658"
#define OTHER "0123456789012345678901234567890123456789"

static struct arena *arena;

/* Words with '|' between them, of the client 10.0.0.66. */
static void script(struct scene *s, const char *name, const char *words)
{
    char copy[1024], *rest = copy;
    struct bytes at[16];
    struct args args = {at, 0};

    snprintf(copy, sizeof copy, "%s", words);
    for (char *w; args.n < 16 && (w = strsep(&rest, "|")) != NULL;)
        at[args.n++] = bytes_of(w, strlen(w));
    scene_redis(s, 66, 1, MSG_COMMAND, "command");
    scene_set(s, F_REDIS_COMMAND, name);
    s->m.args = &args;
    arena_reset(arena);
    scripts_read(&s->m, arena);
    s->m.args = NULL;
    scene_say(s);
}

static void open(struct scene *s)
{
    arena = arena_new(1 << 20);
    scene_open(s, &deployment_detector);
    scene_redis(s, 21, 2, MSG_TASK, "published");
    s->m.op = OP_PUBLISH;
    scene_set(s, F_TASK_ID, "a");
    scene_set(s, F_TASK_QUEUE, "orders");
    scene_say(s);
}

static void close(struct scene *s)
{
    scene_close(s);
    arena_free(arena);
}

struct example {
    const char *name, *words, *found;
};

static void all(const struct example *e, size_t n)
{
    struct scene s;

    open(&s);
    for (size_t i = 0; i < n; i++) {
        script(&s, e[i].name, e[i].words);
        scene_expect(&s, e[i].found);
    }
    close(&s);
}

static void known_ones(void **state)
{
    static const struct example examples[] = {
        {"EVALSHA", "EVALSHA|" LOCK "|1|unacked_mutex|token", ""},
        {"EVALSHA", "evalsha|C3F8721CBB97F72BC19E972846BD7AAF91901658|1|orders|x", ""},
        /* kombu's, with a prefix or without */
        {"EVALSHA",
         "EVALSHA|ef7a9e205fbaf46bf959e1522ff796622fc676c7|2|app:_kombu.binding.celery|x|y", ""},
        {"EVALSHA", "EVALSHA|b8fc152c83a7e634103ccebd49dcd3146a8f4366|1|celery-taskset-meta-1.j",
         ""},
        {"EVALSHA", "EVALSHA|not a digest|1|orders", ""},
        {"EVALSHA", "EVALSHA", ""},
        {"SCRIPT EXISTS", "SCRIPT|EXISTS|" OTHER, ""},
    };

    (void)state;
    all(examples, sizeof examples / sizeof *examples);
    assert_true(script_is_known(LOCK));
    assert_true(script_is_known("10808fbebdc9b5ffafa2b7f5f2ce29a5bc6a1e07")); /* the first */
    assert_true(script_is_known("fdacc359c79a5adc3b8eeb53ff5772d7c42144e3")); /* the last */
    assert_true(script_is_known("249269d94f90c85be8630a56564ef51c1b3b851b")); /* KEDA */
    assert_false(script_is_known(OTHER));
}

/* The text is what it is known by: redis-py's release of a lock. */
static void hashed(void **state)
{
    static const char text[] =
        "\n        local token = redis.call('get', KEYS[1])\n        if not token or token ~= "
        "ARGV[1] "
        "then\n            return 0\n        end\n        redis.call('del', KEYS[1])\n        "
        "return 1\n    ";
    char words[512];
    struct scene s;

    (void)state;
    open(&s);
    snprintf(words, sizeof words, "EVAL|%s|1|orders|x", text);
    script(&s, "EVAL", words);
    scene_expect(&s, "");
    snprintf(words, sizeof words, "SCRIPT|LOAD|%s", text);
    script(&s, "SCRIPT LOAD", words);
    scene_expect(&s, "");
    snprintf(words, sizeof words, "SCRIPT|LOAD|%s ", text);
    script(&s, "SCRIPT LOAD", words);
    scene_expect(&s, "redis-admin/1@66 ");
    close(&s);
}

static void unknown_ones(void **state)
{
    static const struct example examples[] = {
        {"EVAL", "EVAL|return 1|0", "redis-admin/1@66 "},
        {"EVAL_RO", "EVAL_RO|return 1|0", "redis-admin/1@66 "},
        {"EVALSHA", "EVALSHA|" OTHER "|1|cache:1|7", "redis-admin/1@66 "},
        {"SCRIPT LOAD", "SCRIPT|LOAD|return redis.call('GET', KEYS[1])", "redis-admin/1@66 "},
        {"FCALL", "FCALL|myfunc|1|cache:1", "redis-admin/1@66 "},
        {"EVAL", "EVAL|redis.call('LPUSH', KEYS[1], ARGV[1])|1|jobs|x", "redis-admin/1@66 "},
        /* they name something of Celery's */
        {"EVAL", "EVAL|return redis.call('LLEN', KEYS[1])|1|orders", "redis-admin/3@66 "},
        {"EVALSHA", "EVALSHA|" OTHER "|1|orders", "redis-admin/3@66 "},
        {"EVALSHA", "EVALSHA|" OTHER "|0|unacked", "redis-admin/3@66 "},
        {"EVALSHA", "EVALSHA|" OTHER "|1|x|celery-task-meta-1", "redis-admin/3@66 "},
        {"EVAL", "EVAL|return redis.call('SMEMBERS', '_kombu.binding.x')|0", "redis-admin/3@66 "},
        {"SCRIPT LOAD", "SCRIPT|LOAD|redis.call('LPUSH', 'celery', 'x')", "redis-admin/3@66 "},
        {"FCALL", "FCALL|f|1|orders", "redis-admin/3@66 "},
    };

    (void)state;
    all(examples, sizeof examples / sizeof *examples);
}

static void that_push(void **state)
{
    static const struct example examples[] = {
        {"EVAL", "EVAL|redis.call('LPUSH', KEYS[1], ARGV[1])|1|orders|x",
         "redis-queue-tamper/4@66 "},
        {"EVAL", "EVAL|redis.pcall(\"rpush\", \"celery\", ARGV[1])|0|x",
         "redis-queue-tamper/4@66 "},
        {"EVAL", "EVAL|redis.call('LPUSH', ARGV[1], ARGV[2])|0|celery|x",
         "redis-queue-tamper/4@66 "},
        {"EVAL", "EVAL|-- don't\nredis.call('hset', KEYS[1], 'a', 'b')|1|app:unacked",
         "redis-queue-tamper/4@66 "},
        {"EVAL", "EVAL|redis.call('sadd', KEYS[1], 'b')|1|_kombu.binding.celery",
         "redis-queue-tamper/4@66 "},
        /* names in other forms, or put together */
        {"EVAL", "EVAL|redis.call([[lpush]], [==[celery]==], ARGV[1])|0|x",
         "redis-queue-tamper/4@66 "},
        {"EVAL", "EVAL|redis['call']('LPU' .. 'SH', 'cel' --[[x]] .. \"er\\121\", ARGV[1])|0|x",
         "redis-queue-tamper/4@66 "},
        {"EVAL", "EVAL|local c = redis.call; c('del', KEYS[1])|1|orders",
         "redis-queue-tamper/4@66 "},
        {"EVAL", "EVAL|redis.call(ARGV[1], KEYS[1], ARGV[2])|1|orders|LPUSH|x",
         "redis-queue-tamper/4@66 "},
        {"EVAL", "EVAL|redis.call(unpack(ARGV))|0|del|orders", "redis-queue-tamper/4@66 "},
        {"EVAL", "EVAL|redis.call('GET', KEYS[1])|1|orders|lpush", "redis-admin/3@66 "},
        {"EVAL", "EVAL|redis.call('PUBLISH', '/0.celery.pidbox', [[{}]])|0",
         "redis-queue-tamper/4@66 "},
        {"EVAL", "EVAL|redis.call('publish', ARGV[1], '{}')|0|/0.celeryev/worker.elect",
         "redis-queue-tamper/4@66 "},
        {"EVAL", "EVAL|redis.call('publish', 'news', '{}')|0", "redis-admin/1@66 "},
        {"EVAL", "EVAL|return '/0.celery.pidbox'|0", "redis-admin/1@66 "},
        /* an argument that happens to be called like a queue is no key */
        {"EVAL", "EVAL|redis.call('LPUSH', KEYS[1], ARGV[1])|1|jobs|orders", "redis-admin/3@66 "},
        /* a type, not a command */
        {"EVAL", "EVAL|return redis.call('type', KEYS[1]).ok == 'set'|1|orders",
         "redis-admin/3@66 "},
    };

    (void)state;
    all(examples, sizeof examples / sizeof *examples);
}

static void that_destroy(void **state)
{
    static const struct example examples[] = {
        {"EVAL", "EVAL|redis.call('FLUSHALL')|0", "redis-destructive/4@66 "},
        {"EVAL", "EVAL|redis.call'flushall'|0", "redis-destructive/4@66 "},
        {"EVAL", "EVAL|redis.call(\"FLUSH\"..'ALL')|0", "redis-destructive/4@66 "},
        {"EVAL", "EVAL|redis.pcall([[\nflushall]])|0", "redis-destructive/4@66 "},
        {"EVAL", "EVAL|pcall(redis.call, 'swapdb', 0, 1)|0", "redis-destructive/4@66 "},
        {"EVAL", "EVAL|redis.call('flushdb')|0", "redis-destructive/4@66 "},
        {"EVAL", "EVAL|redis.call(KEYS[1])|1|flushall", "redis-destructive/4@66 "},
        {"EVAL", "EVAL|redis.call(string.upper('flushall'))|0", "redis-destructive/4@66 "},
        {"SCRIPT LOAD", "SCRIPT|LOAD|redis.call('flushall')", "redis-admin/1@66 "},
        {"EVAL", "EVAL|-- redis.call('flushall')\nreturn 1|0", "redis-admin/1@66 "},
        {"EVAL", "EVAL|--[==[ redis.call('flushall') ]] ]==] return 1|0", "redis-admin/1@66 "},
        {"EVAL", "EVAL|return redis.call('get', 'flushall')|0", "redis-admin/1@66 "},
        {"EVAL", "EVAL|return redis.call('get', KEYS[1])|1|flushall", "redis-admin/1@66 "},
    };

    (void)state;
    all(examples, sizeof examples / sizeof *examples);
}

/* printf "%s" "redis.call('LPUSH', KEYS[1], ARGV[1])" | sha1sum */
#define PUSH "518adcc54e9c7d52805a96f07a2a226ed2f8d2eb"

static void loaded_before(void **state)
{
    struct scene s;

    (void)state;
    open(&s);
    script(&s, "EVALSHA", "EVALSHA|" PUSH "|1|orders|x");
    scene_expect(&s, "redis-admin/3@66 ");
    script(&s, "SCRIPT LOAD", "SCRIPT|LOAD|redis.call('LPUSH', KEYS[1], ARGV[1])");
    scene_expect(&s, "redis-admin/1@66 ");
    script(&s, "EVALSHA", "EVALSHA|" PUSH "|1|orders|x");
    scene_expect(&s, "redis-queue-tamper/4@66 ");
    script(&s, "EVALSHA", "EVALSHA|" PUSH "|1|jobs|x");
    scene_expect(&s, "redis-admin/1@66 ");
    close(&s);
}

static void functions_of_a_library(void **state)
{
    struct scene s;

    (void)state;
    open(&s);
    script(&s, "FCALL", "FCALL|f|1|orders|x");
    scene_expect(&s, "redis-admin/3@66 ");
    script(&s, "FUNCTION LOAD",
           "FUNCTION|LOAD|REPLACE|#!lua name=a\nlocal function g(keys, args) redis.call('LP' .. "
           "'USH', keys[1], args[1]) end redis.register_function('f', g)");
    scene_expect(&s, ""); /* it is said by server.c */
    script(&s, "FCALL", "FCALL|f|1|orders|x");
    scene_expect(&s, "redis-queue-tamper/4@66 ");
    script(&s, "FCALL", "FCALL|f|1|jobs|x");
    scene_expect(&s, "redis-admin/1@66 ");
    script(&s, "FCALL", "FCALL|h|1|orders|x");
    scene_expect(&s, "redis-admin/3@66 ");
    script(&s, "FUNCTION LOAD",
           "FUNCTION|LOAD|#!lua name=b\nredis.register_function{function_name='wipe', "
           "callback=function() redis.call('flushall') end}");
    script(&s, "FCALL_RO", "FCALL_RO|wipe|0");
    scene_expect(&s, "redis-destructive/4@66 ");
    close(&s);
}

static void seen_in_part(void **state)
{
    struct scene s;
    struct bytes at[3] = {{(const uint8_t *)"EVAL", 4}, {(const uint8_t *)"x", 1}, {0}};
    struct args args = {at, 2};

    (void)state;
    open(&s);
    scene_redis(&s, 66, 1, MSG_COMMAND, "command");
    scene_set(&s, F_REDIS_COMMAND, "EVAL");
    s.m.args = &args;
    s.m.coverage = COVER_GAP;
    scripts_read(&s.m, arena);
    assert_false(msg_has(&s.m, F_SCRIPT));
    close(&s);
}

static void allowed(void **state)
{
    struct baseline b = {0};
    struct scene s;

    (void)state;
    open(&s);
    known(&b, BASELINE_CONTROLLERS, NULL, "66", "EVALSHA", NULL);
    s.policy.baseline = &b;
    script(&s, "EVALSHA", "EVALSHA|" OTHER "|1|orders");
    scene_expect(&s, "");
    script(&s, "EVAL", "EVAL|return 1|0");
    scene_expect(&s, "redis-admin/1@66 ");
    script(&s, "EVAL", "EVAL|redis.call('LPUSH', KEYS[1], ARGV[1])|1|orders|x");
    scene_expect(&s, "redis-queue-tamper/4@66 ");
    baseline_clear(&b);
    close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_ones),    cmocka_unit_test(hashed),
        cmocka_unit_test(unknown_ones),  cmocka_unit_test(that_push),
        cmocka_unit_test(that_destroy),  cmocka_unit_test(functions_of_a_library),
        cmocka_unit_test(loaded_before), cmocka_unit_test(seen_in_part),
        cmocka_unit_test(allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
