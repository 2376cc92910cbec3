/* Tests of cluster/tasks.c: who may publish a task again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/scene.h"

static void published_again(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_publish(&s, 21, "a");
    scene_publish(&s, 21, "a"); /* its own */
    scene_deliver(&s, 31, 1, "a");
    scene_publish(&s, 31, "a"); /* a retry */
    scene_expect(&s, "");
    scene_publish(&s, 66, "a");
    scene_expect(&s, "task-replayed/4@66 ");
    scene_deliver(&s, 32, 2, "seen-only-delivered");
    scene_publish(&s, 66, "seen-only-delivered");
    scene_expect(&s, "task-replayed/4@66 ");
    scene_close(&s);
}

/* Another broker, vhost; what kombu restores; what the broker hands back. */
static void not_again(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_publish(&s, 21, "a");
    scene_amqp(&s, 22, 5, MSG_TASK, "published");
    s.m.op = OP_PUBLISH;
    scene_set(&s, F_AMQP_VHOST, "other");
    scene_set(&s, F_TASK_ID, "a");
    scene_say(&s);
    scene_deliver(&s, 32, 6, "b");
    scene_amqp(&s, 32, 6, MSG_TASK, "restored");
    s.m.op = OP_PUBLISH;
    scene_set(&s, F_TASK_ID, "a");
    scene_say(&s);
    scene_amqp(&s, 33, 7, MSG_TASK, "returned");
    s.m.op = OP_RETURN;
    s.m.dir = TO_CLIENT;
    scene_set(&s, F_TASK_ID, "a");
    scene_say(&s);
    scene_expect(&s, "");
    scene_close(&s);
}

/* Anybody can write `redelivered` into a task; who takes none has none to restore. */
static void restored_by_a_stranger(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_publish(&s, 21, "a");
    scene_amqp(&s, 66, 6, MSG_TASK, "restored");
    s.m.op = OP_PUBLISH;
    scene_set(&s, F_TASK_ID, "a");
    scene_say(&s);
    scene_expect(&s, "task-replayed/4@66 ");
    scene_deliver(&s, 31, 1, "a");
    scene_amqp(&s, 67, 8, MSG_TASK, "restored"); /* by a worker that starts: it was taken */
    s.m.op = OP_PUBLISH;
    scene_set(&s, F_TASK_ID, "a");
    scene_say(&s);
    scene_expect(&s, "");
    scene_close(&s);
}

/* The retry of a task that was taken before the capture began. */
static void retried_before_all(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_amqp(&s, 31, 5, MSG_TASK, "published");
    s.m.op = OP_PUBLISH;
    scene_set(&s, F_TASK_ID, "a");
    scene_num(&s, F_TASK_RETRIES, 1);
    scene_say(&s);
    scene_deliver(&s, 32, 2, "a");
    scene_result(&s, 31, "a", "RETRY");
    scene_expect(&s, "");
    scene_result(&s, 66, "a", "SUCCESS");
    scene_expect(&s, "result-forged/4@66 ");
    scene_close(&s);
}

static void child(struct scene *s, unsigned host, const char *id, const char *parent,
                  const char *root)
{
    scene_amqp(s, host, 5, MSG_TASK, "published");
    s->m.op = OP_PUBLISH;
    scene_set(s, F_TASK_ID, id);
    scene_set(s, F_TASK_PARENT_ID, parent);
    scene_set(s, F_TASK_ROOT_ID, root);
    scene_say(s);
}

/* A task replaced by a chord: the end of the chord has its id, and comes from who ran the last
 * part. */
static void replaced_by_a_chord(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_publish(&s, 21, "replaced");
    scene_deliver(&s, 31, 1, "replaced");
    child(&s, 31, "part", "replaced", "replaced");
    scene_deliver(&s, 32, 2, "part");
    child(&s, 32, "replaced", "part", "replaced");
    scene_expect(&s, "");
    child(&s, 66, "replaced", "part", "replaced"); /* took no part */
    scene_expect(&s, "task-replayed/4@66 ");
    scene_publish(&s, 21, "another");
    scene_deliver(&s, 33, 3, "another");
    child(&s, 33, "replaced", "another", "replaced"); /* took something else */
    scene_wait(&s, 2);
    scene_expect(&s, "task-replayed/4@33 ");
    scene_close(&s);
}

/* Read and write addresses of one broker are two to us: parts are taken on the other. */
static void replaced_with_two_addresses(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_publish(&s, 21, "replaced");
    child(&s, 31, "part", "replaced", "replaced");
    scene_amqp(&s, 32, 2, MSG_TASK, "delivered");
    s.m.op = OP_DELIVER;
    s.m.dir = TO_CLIENT;
    s.conn.id.server.port = 5673;
    scene_set(&s, F_TASK_ID, "part");
    scene_say(&s);
    child(&s, 32, "replaced", "part", "replaced");
    scene_expect(&s, "");
    child(&s, 66, "replaced", "part", "replaced");
    scene_expect(&s, "task-replayed/4@66 ");
    scene_close(&s);
}

/* The delivery may have been among what was lost since the task was seen. */
static void lost(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_deliver(&s, 31, 1, "another");
    scene_lost(&s, 31);
    scene_wait(&s, 5);
    scene_publish(&s, 21, "a");
    scene_publish(&s, 31, "a"); /* nothing was, since */
    scene_expect(&s, "");
    scene_wait(&s, 2);
    scene_expect(&s, "task-replayed/4@31 ");
    scene_lost(&s, 31);
    scene_publish(&s, 31, "a");
    scene_wait(&s, 5);
    scene_result(&s, 31, "a", "RETRY");
    scene_publish(&s, 21, "b");
    scene_deliver(&s, 32, 2, "b");
    scene_lost(&s, 31);
    scene_result(&s, 31, "b", "SUCCESS");
    scene_expect(&s, "");
    scene_lost(&s, 66); /* takes no tasks */
    scene_publish(&s, 66, "a");
    scene_result(&s, 66, "b", "SUCCESS");
    scene_expect(&s, "task-replayed/4@66 result-forged/4@66 ");
    scene_close(&s);
}

static void says_one_way(struct scene *s, unsigned host, const char *queue)
{
    scene_amqp(s, host, host, MSG_COMMAND, "command");
    s->m.coverage = COVER_ONE_WAY;
    scene_set(s, F_AMQP_METHOD, queue ? "basic.consume" : "basic.publish");
    if (queue)
        scene_set(s, F_AMQP_QUEUE, queue);
    scene_say(s);
}

/* What workers take goes the other way. */
static void one_way(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_publish(&s, 21, "a");
    scene_deliver(&s, 32, 2, "a");
    says_one_way(&s, 31, "celery");
    scene_publish(&s, 31, "a");
    scene_result(&s, 31, "a", "SUCCESS");
    scene_expect(&s, "");
    says_one_way(&s, 66, NULL);
    scene_publish(&s, 66, "a");
    scene_expect(&s, "task-replayed/4@66 ");
    scene_close(&s);
}

/* What was lost may be known only after what came of it. */
static void lost_before_it_is_known(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_deliver(&s, 31, 1, "another");
    scene_wait(&s, 5);
    scene_publish(&s, 21, "a");
    scene_publish(&s, 31, "a");
    scene_result(&s, 31, "another", "SUCCESS");
    scene_lost(&s, 31);
    scene_wait(&s, 3);
    scene_finish(&s);
    scene_expect(&s, "");
    scene_publish(&s, 21, "b");
    scene_publish(&s, 31, "b");
    scene_wait(&s, 3);
    scene_lost(&s, 31); /* long after */
    scene_expect(&s, "task-replayed/4@31 ");
    scene_wait(&s, 3);
    scene_publish(&s, 21, "c");
    scene_publish(&s, 31, "c");
    scene_finish(&s); /* the end of all */
    scene_expect(&s, "task-replayed/4@31 ");
    scene_close(&s);
}

/* What waited for lost bytes is of the time when it was sent: that publish was the first. */
static void told_late(void **state)
{
    struct scene s;
    int64_t before;

    (void)state;
    scene_open(&s, &deployment_detector);
    before = s.now;
    scene_wait(&s, 1);
    scene_deliver(&s, 31, 1, "a");
    child(&s, 31, "a", "a", "a"); /* its retry */
    s.now = before;
    scene_publish(&s, 21, "a");
    scene_wait(&s, 2);
    scene_publish(&s, 21, "a"); /* its own */
    scene_expect(&s, "");
    scene_publish(&s, 66, "a");
    scene_expect(&s, "task-replayed/4@66 ");
    scene_publish(&s, 21, "b");
    s.now = before; /* the end of it was sent before */
    scene_publish(&s, 66, "b");
    scene_expect(&s, "task-replayed/4@66 ");
    scene_close(&s);
}

/* Of who was there before the capture began: what it published, took and replaced. */
static void from_before(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    for (unsigned host = 21; host < 33; host += 11) {
        scene_amqp(&s, host, host, MSG_COMMAND, "basic.ack");
        scene_set(&s, F_AMQP_METHOD, "basic.ack");
        s.m.coverage = COVER_MIDSTREAM;
        scene_say(&s);
    }
    scene_deliver(&s, 31, 1, "a");
    scene_publish(&s, 21, "a"); /* on a new connection: a fixed id, once more */
    scene_deliver(&s, 31, 1, "to-all");
    scene_result(&s, 32, "to-all", "SUCCESS"); /* it came to this one first */
    child(&s, 33, "in-place", "in-place", "in-place");
    scene_deliver(&s, 31, 1, "in-place");
    scene_result(&s, 33, "in-place", "SUCCESS"); /* of what it replaced */
    scene_expect(&s, "");
    scene_deliver(&s, 31, 1, "b");
    scene_publish(&s, 66, "b");
    scene_result(&s, 67, "to-all", "SUCCESS");
    scene_result(&s, 66, "in-place", "SUCCESS");
    scene_expect(&s, "task-replayed/4@66 result-forged/4@67 result-forged/4@66 ");
    scene_close(&s);
}

/* The vhost of a connection joined in the middle is not known: the taker is known all the same. */
static void midstream(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_publish(&s, 21, "a");
    scene_amqp(&s, 31, 1, MSG_TASK, "delivered");
    s.m.op = OP_DELIVER;
    s.m.dir = TO_CLIENT;
    s.m.coverage = COVER_MIDSTREAM;
    fields_drop(&s.m.fields, F_AMQP_VHOST);
    scene_set(&s, F_TASK_ID, "a");
    scene_say(&s);
    scene_result(&s, 31, "a", "SUCCESS");
    scene_publish(&s, 31, "a");
    scene_expect(&s, "");
    scene_close(&s);
}

/* The result is not in the command: it was elsewhere on the server. */
static void made(struct scene *s, enum msg_kind kind, const char *command, const char *args,
                 const char *outcome)
{
    scene_redis(s, 66, 66, kind, "command");
    s->m.dir = kind == MSG_REPLY ? TO_CLIENT : TO_SERVER;
    scene_set(s, F_REDIS_COMMAND, command);
    if (kind == MSG_REPLY) {
        scene_list(s, F_REDIS_ARGS, args);
        scene_set(s, F_OUTCOME, outcome);
    } else {
        scene_set(s, F_REDIS_KEY, args);
    }
    scene_say(s);
}

static void forged_by_a_copy(void **state)
{
    static const char *const moves[] = {"RENAME", "RENAMENX", "COPY"};
    const char *const ids[] = {"a", "b", "c", "d"};
    char args[64];
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    for (unsigned i = 0; i < 4; i++) {
        scene_redis(&s, 21, 21, MSG_TASK, "published");
        s.m.op = OP_PUBLISH;
        scene_set(&s, F_TASK_ID, ids[i]);
        scene_say(&s);
    }
    for (unsigned i = 0; i < 3; i++) {
        snprintf(args, sizeof args, "celery-task-meta-%s,mine", ids[i]);
        made(&s, MSG_REPLY, moves[i], args, "success");
        snprintf(args, sizeof args, "mine,celery-task-meta-%s", ids[i]);
        made(&s, MSG_REPLY, moves[i], args, "failure");
        scene_expect(&s, "");
        made(&s, MSG_REPLY, moves[i], args, "success");
        scene_expect(&s, "result-forged/4@66 ");
    }
    made(&s, MSG_COMMAND, "EXPIRE", "celery-task-meta-d", NULL);
    made(&s, MSG_COMMAND, "BITOP", "celery-task-meta-of-nobody", NULL);
    scene_expect(&s, "");
    made(&s, MSG_COMMAND, "BITOP", "celery-task-meta-d", NULL);
    scene_expect(&s, "result-forged/4@66 ");
    scene_close(&s);
}

static void kept(struct scene *s, unsigned host)
{
    scene_redis(s, host, host, MSG_TASK, "delivered");
    s->m.op = OP_STORE;
    scene_num(s, F_KEPT, 1);
    scene_set(s, F_TASK_ID, "k");
    scene_set(s, F_REDIS_COMMAND, "HSET");
    scene_set(s, F_REDIS_KEY, "unacked");
    scene_say(s);
}

static void put_among_the_taken(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_redis(&s, 31, 1, MSG_COMMAND, "command");
    scene_set(&s, F_REDIS_COMMAND, "BRPOP");
    scene_set(&s, F_REDIS_KEY, "celery");
    scene_say(&s);
    scene_redis(&s, 31, 1, MSG_TASK, "delivered");
    s.m.op = OP_DELIVER;
    s.m.dir = TO_CLIENT;
    scene_set(&s, F_TASK_ID, "k");
    scene_say(&s);
    kept(&s, 31);
    scene_expect(&s, "");
    scene_lost(&s, 32); /* its first delivery may be told of late */
    kept(&s, 32);
    scene_expect(&s, "");
    kept(&s, 66);
    scene_expect(&s, "redis-queue-tamper/4@66 ");
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_again),
        cmocka_unit_test(not_again),
        cmocka_unit_test(restored_by_a_stranger),
        cmocka_unit_test(retried_before_all),
        cmocka_unit_test(replaced_by_a_chord),
        cmocka_unit_test(replaced_with_two_addresses),
        cmocka_unit_test(lost),
        cmocka_unit_test(one_way),
        cmocka_unit_test(lost_before_it_is_known),
        cmocka_unit_test(told_late),
        cmocka_unit_test(from_before),
        cmocka_unit_test(midstream),
        cmocka_unit_test(forged_by_a_copy),
        cmocka_unit_test(put_among_the_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
