/* Tests of cluster/schedule.c: redis-schedule-tamper. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "signatures/baseline.h"
#include "signatures/cluster/deployment.h"
#include "support/scene.h"

#define TEXT(s)                             \
    {                                       \
        (const uint8_t *)(s), sizeof(s) - 1 \
    }

static void write(struct scene *s, unsigned host, const char *command, const char *key)
{
    scene_redis(s, host, host, MSG_ENVELOPE, "stored");
    s->m.op = command[0] == 'H' || command[1] == 'E' ? OP_STORE : OP_PUBLISH;
    scene_set(s, F_REDIS_COMMAND, command);
    scene_set(s, F_REDIS_KEY, key);
    if (command[0] == 'H')
        scene_set(s, F_TASK_NAME, "shop.refund");
    assert_true(schedule_wants(&s->m));
    scene_say(s);
}

static void reply(struct scene *s, unsigned host, const char *command, const char *key)
{
    scene_redis(s, host, host, MSG_REPLY, "command");
    s->m.dir = TO_CLIENT;
    scene_set(s, F_REDIS_COMMAND, command);
    scene_set(s, F_REDIS_KEY, key);
    scene_set(s, F_OUTCOME, "success");
    scene_say(s);
}

static void entry(struct scene *s, unsigned host)
{
    write(s, host, "HSET", "redbeat:cleanup");
    write(s, host, "HSET", "redbeat:cleanup");
    write(s, host, "ZADD", "redbeat::schedule");
}

static void by_a_stranger(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    reply(&s, 14, "EVALSHA", "redbeat::lock");
    entry(&s, 66);
    scene_expect(&s, "");
    scene_wait(&s, 31);
    scene_expect(&s, "redis-schedule-tamper/4@66 ");
    write(&s, 66, "SADD", "shop:redbeat::statics");
    scene_finish(&s);
    scene_expect(&s, "redis-schedule-tamper/4@66 ");
    reply(&s, 66, "DEL", "redbeat:cleanup");
    scene_finish(&s);
    scene_expect(&s, "redis-schedule-tamper/4@66 ");
    scene_close(&s);
}

/* Made under another name, or by a script: the key is not the first. */
static void by_a_way_round(void **state)
{
    static const struct {
        const char *command, *key, *args, *found;
    } ways[] = {
        {"RENAME", "stage", "stage,redbeat:x", "redis-schedule-tamper/4@66 "},
        {"COPY", "stage", "stage,redbeat:x", "redis-schedule-tamper/4@66 "},
        {"EVAL", "redbeat:x", "<40 bytes>,1,redbeat:x", "redis-schedule-tamper/4@66 "},
        {"EVAL", "redbeat::lock", "<40 bytes>,2,redbeat::lock,redbeat:x",
         "redis-schedule-tamper/4@66 "},
        {"RENAME", "stage", "stage,other", ""},
        {"EVAL", "other", "<40 bytes>,1,other", ""},
    };
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        scene_redis(&s, 66, 66, MSG_REPLY, "command");
        s.m.dir = TO_CLIENT;
        scene_set(&s, F_REDIS_COMMAND, ways[i].command);
        scene_set(&s, F_REDIS_KEY, ways[i].key);
        scene_list(&s, F_REDIS_ARGS, ways[i].args);
        scene_say(&s);
        scene_finish(&s);
        scene_expect(&s, ways[i].found);
    }
    scene_close(&s);
}

/* Entries first, then the lock, which it extends from then on; another one waits for it. */
static void by_beat(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    entry(&s, 14);
    write(&s, 14, "SET", "redbeat::lock");
    scene_wait(&s, 1);
    reply(&s, 14, "EVALSHA", "redbeat::lock");
    scene_wait(&s, 60);
    entry(&s, 14);
    entry(&s, 15);
    write(&s, 15, "SET", "redbeat::lock");
    scene_wait(&s, 60);
    scene_expect(&s, "");
    scene_close(&s);
}

/* Who writes over the lock is not beat; a real one beside it still is. */
static void by_who_seizes_the_lock(void **state)
{
    struct bytes words[] = {TEXT("SET"), TEXT("redbeat::lock"), TEXT("x"), TEXT("PX"), TEXT("nx")};
    struct args args = {words, 3};
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    for (unsigned i = 0; i < 3; i++) {
        scene_redis(&s, 66, 66, MSG_COMMAND, "command");
        scene_set(&s, F_REDIS_COMMAND, "SET");
        scene_set(&s, F_REDIS_KEY, i == 2 ? "lock" : "redbeat::lock");
        s.m.args = &args;
        args.n = i == 1 ? 5 : 3;
        assert_int_equal(schedule_seizes(&s.m), i == 0);
    }
    s.m.args = NULL;
    scene_redis(&s, 66, 66, MSG_COMMAND, "command");
    scene_set(&s, F_REDIS_COMMAND, "SET");
    scene_set(&s, F_REDIS_KEY, "redbeat::lock");
    scene_num(&s, F_SEIZES, 1);
    scene_say(&s);
    write(&s, 66, "SET", "redbeat::lock");
    entry(&s, 66);
    write(&s, 14, "SET", "redbeat::lock");
    entry(&s, 14);
    reply(&s, 67, "EVAL", "redbeat::lock"); /* a script of its own */
    entry(&s, 67);
    scene_wait(&s, 60);
    scene_expect(&s, "redis-schedule-tamper/4@66 redis-schedule-tamper/4@67 ");
    scene_close(&s);
}

/* Seen in the middle of its work: it reads what is due, and publishes it. */
static void by_what_it_does(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_redis(&s, 14, 14, MSG_ENVELOPE, "retrieved");
    s.m.op = OP_READ;
    s.m.dir = TO_CLIENT;
    scene_set(&s, F_REDIS_COMMAND, "ZRANGEBYSCORE");
    scene_set(&s, F_REDIS_KEY, "redbeat::schedule");
    scene_say(&s);
    entry(&s, 14);
    scene_redis(&s, 14, 15, MSG_TASK, "published");
    s.m.op = OP_PUBLISH;
    scene_set(&s, F_TASK_ID, "a");
    scene_set(&s, F_TASK_QUEUE, "celery");
    scene_say(&s);
    scene_wait(&s, 60);
    scene_expect(&s, "");
    scene_close(&s);
}

static void by_the_policy(void **state)
{
    struct baseline b = {0};
    struct network admin = {.ip = {10, 0, 0, 20}, .family = 4, .prefix = 32};
    struct scene s;

    (void)state;
    assert_true(baseline_add_address(baseline_add(&b, BASELINE_SCHEDULERS, NULL), &admin));
    scene_open(&s, &deployment_detector);
    s.policy.baseline = &b;
    entry(&s, 20);
    scene_wait(&s, 60);
    scene_expect(&s, "");
    entry(&s, 21);
    scene_wait(&s, 60);
    scene_expect(&s, "redis-schedule-tamper/4@21 ");
    assert_non_null(baseline_add(&b, BASELINE_TASKS, "shop.*"));
    entry(&s, 21);
    scene_finish(&s);
    scene_expect(&s, "redis-schedule-tamper/4@21 ");
    b.sections[BASELINE_TASKS].at[0].name[0] = 'x';
    entry(&s, 21);
    scene_finish(&s);
    scene_expect(&s, "redis-schedule-tamper/4@21 task-name-unknown/3@21 ");
    scene_close(&s);
    baseline_clear(&b);
}

static void what_is_wanted(void **state)
{
    static const char definition[] =
        "{\"name\": \"cleanup\", \"args\": [{\"task\": \"no\"}], \"task\": \"shop.refund\"}";
    struct content c = {.body = bytes_of(definition, sizeof definition - 1)};
    struct scene s;

    (void)state;
    scene_redis(&s, 66, 1, MSG_ENVELOPE, "stored");
    scene_set(&s, F_REDIS_COMMAND, "HSET");
    scene_set(&s, F_REDIS_KEY, "unacked");
    assert_false(schedule_wants(&s.m));
    scene_set(&s, F_REDIS_KEY, "app:redbeat:x");
    assert_true(schedule_wants(&s.m));
    scene_set(&s, F_REDIS_FIELD, "definition");
    s.m.content = &c;
    assert_true(bytes_eq(schedule_task(&s.m), "shop.refund"));
    scene_set(&s, F_REDIS_FIELD, "meta");
    assert_true(schedule_task(&s.m).len == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_a_stranger),   cmocka_unit_test(by_a_way_round),
        cmocka_unit_test(by_beat),         cmocka_unit_test(by_who_seizes_the_lock),
        cmocka_unit_test(by_what_it_does), cmocka_unit_test(by_the_policy),
        cmocka_unit_test(what_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
