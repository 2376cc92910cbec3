/* Tests of cluster/unacked.c: who may change the list of tasks that were taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/scene.h"

static void command(struct scene *s, unsigned host, const char *command, const char *key)
{
    scene_redis(s, host, host, MSG_COMMAND, "command");
    scene_set(s, F_REDIS_COMMAND, command);
    scene_set(s, F_REDIS_KEY, key);
    if (strcmp(command, "HDEL") == 0)
        scene_num(s, F_SETTLES, 1);
    if (command[0] == 'Z')
        scene_num(s, F_INDEXES, 1);
    scene_say(s);
}

static void task(struct scene *s, unsigned host, const char *id, bool kept)
{
    scene_redis(s, host, host, MSG_TASK, "delivered");
    s->m.op = kept ? OP_STORE : OP_DELIVER;
    s->m.dir = kept ? TO_SERVER : TO_CLIENT;
    if (kept)
        scene_num(s, F_KEPT, 1);
    scene_set(s, F_TASK_ID, id);
    scene_set(s, F_TASK_QUEUE, "celery");
    scene_set(s, F_REDIS_COMMAND, kept ? "HSET" : "BRPOP");
    scene_say(s);
}

static void taken_off_by_a_stranger(void **state)
{
    static const char *const rows[][2] = {
        {"HDEL", "unacked"}, {"ZREM", "unacked_index"}, {"ZADD", "unacked_index"}};
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        command(&s, 66, rows[i][0], rows[i][1]);
        command(&s, 31, rows[i][0], rows[i][1]);
        command(&s, 31, "BRPOP", "celery"); /* a worker, which restored before */
        scene_expect(&s, "");
        scene_wait(&s, 31);
        scene_expect(&s, "redis-queue-tamper/4@66 ");
    }
    scene_close(&s);
}

/* Another address of one that takes puts there what was delivered just now, once. */
static void by_another_address(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    task(&s, 31, "a", false);
    command(&s, 32, "ZADD", "unacked_index");
    task(&s, 32, "a", true);
    command(&s, 32, "HDEL", "unacked");
    scene_wait(&s, 31);
    scene_expect(&s, "");
    command(&s, 66, "ZADD", "unacked_index"); /* that it is judged by what it keeps is enough */
    task(&s, 66, "a", true);
    scene_wait(&s, 31);
    scene_expect(&s, "redis-queue-tamper/4@66 ");
    task(&s, 31, "a", false); /* it was restored, and is delivered again */
    task(&s, 33, "a", true);
    scene_wait(&s, 31);
    scene_expect(&s, "");
    scene_close(&s);
}

/* A worker that restores has asked for the lock, and may not have come to take its first task. */
static void at_the_end_of_all(void **state)
{
    struct scene s;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        scene_open(&s, &deployment_detector);
        command(&s, 31, i == 1 ? "SETNX" : i == 2 ? "EVALSHA" : "SET", "shop:unacked_mutex");
        command(&s, 31, "HDEL", "unacked");
        command(&s, 66, "HDEL", "unacked");
        scene_finish(&s);
        scene_expect(&s, "redis-queue-tamper/4@66 ");
        scene_close(&s);
    }
    scene_open(&s, &deployment_detector);
    command(&s, 66, "SET", "unacked_mutex");
    command(&s, 66, "HDEL", "unacked");
    scene_wait(&s, 5);
    scene_finish(&s);
    scene_expect(&s, "redis-queue-tamper/4@66 ");
    scene_close(&s);
}

static void put_there_by_who_takes_some(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    command(&s, 66, "BRPOP", "mine");
    task(&s, 66, "evil", true);
    scene_expect(&s, "");
    scene_wait(&s, 31);
    scene_expect(&s, "redis-queue-tamper/4@66 ");
    task(&s, 66, "evil", true); /* that it was kept before is no delivery */
    scene_finish(&s);
    scene_expect(&s, "redis-queue-tamper/4@66 ");
    scene_close(&s);
}

static void put_there_as_kombu_does(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    command(&s, 31, "BRPOP", "celery");
    task(&s, 31, "a", false);
    task(&s, 31, "a", true);
    task(&s, 31, "b", true); /* the delivery is told of late */
    task(&s, 31, "b", false);
    task(&s, 32, "c", false); /* by its other address */
    task(&s, 31, "c", true);
    command(&s, 33, "BRPOP", "celery");
    scene_redis(&s, 33, 34, MSG_TASK, "delivered");
    s.m.op = OP_STORE;
    s.m.coverage = COVER_CLIPPED;
    scene_num(&s, F_KEPT, 1);
    scene_set(&s, F_TASK_ID, "d");
    scene_say(&s);
    scene_redis(&s, 33, 35, MSG_COMMAND, "command"); /* some of what it did was not seen */
    s.m.coverage = COVER_GAP;
    scene_set(&s, F_REDIS_COMMAND, "BRPOP");
    scene_set(&s, F_REDIS_KEY, "celery");
    scene_say(&s);
    task(&s, 33, "e", true);
    scene_wait(&s, 31);
    scene_finish(&s);
    scene_expect(&s, "");
    scene_close(&s);
}

/* A worker that stops puts back on a connection of its own what it took on those whose SELECT was
 * before we looked. */
static void put_back_by_who_was_there_before(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_redis(&s, 31, 32, MSG_COMMAND, "command");
    s.m.coverage = COVER_MIDSTREAM;
    s.m.scope = 3;
    scene_set(&s, F_REDIS_COMMAND, "BRPOP");
    scene_set(&s, F_REDIS_KEY, "celery");
    scene_say(&s);
    command(&s, 31, "HDEL", "unacked");
    command(&s, 31, "ZREM", "unacked_index");
    scene_finish(&s);
    scene_expect(&s, "");
    scene_close(&s);
}

static void put_back(struct scene *s, unsigned host, const char *id)
{
    scene_redis(s, host, host, MSG_TASK, "restored");
    s->m.op = OP_PUBLISH;
    scene_set(s, F_TASK_ID, id);
    scene_set(s, F_TASK_QUEUE, "celery");
    scene_say(s);
}

/* A task that was taken, sent once more, and called restored. */
static void sent_again_as_restored(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    task(&s, 31, "a", false);
    scene_wait(&s, 3);
    put_back(&s, 66, "a");
    put_back(&s, 32, "a"); /* a worker that starts */
    command(&s, 32, "BRPOP", "celery");
    put_back(&s, 31, "a");
    scene_expect(&s, "");
    scene_wait(&s, 31);
    scene_expect(&s, "task-replayed/4@66 ");
    command(&s, 67, "HDEL", "unacked"); /* it goes back, and is no second one */
    put_back(&s, 67, "a");
    scene_wait(&s, 31);
    scene_expect(&s, "redis-queue-tamper/4@67 ");
    scene_close(&s);
}

/* The same, of one that took its last task just before. */
static void put_back_as_we_begin(void **state)
{
    struct scene s;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        scene_open(&s, &deployment_detector);
        command(&s, 31, "HDEL", "unacked");
        scene_redis(&s, 31, 31, MSG_TASK, i ? "published" : "restored");
        s.m.op = OP_PUBLISH;
        scene_set(&s, F_TASK_ID, "a");
        scene_set(&s, F_TASK_QUEUE, "celery");
        scene_say(&s);
        scene_finish(&s);
        scene_expect(&s, i ? "redis-queue-tamper/4@31 " : "");
        scene_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken_off_by_a_stranger),
        cmocka_unit_test(by_another_address),
        cmocka_unit_test(at_the_end_of_all),
        cmocka_unit_test(put_there_by_who_takes_some),
        cmocka_unit_test(put_there_as_kombu_does),
        cmocka_unit_test(put_back_by_who_was_there_before),
        cmocka_unit_test(put_back_as_we_begin),
        cmocka_unit_test(sent_again_as_restored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
