/* Tests of cluster/swallowed.c: task-swallowed. The scene's patience: 30 minutes on AMQP, an hour
 * on Redis. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/scene.h"

static const char *next_id(void)
{
    static unsigned n;
    static char id[16];

    snprintf(id, sizeof id, "id%u", n++);
    return id;
}

static void consume(struct scene *s, unsigned host, unsigned conn, bool no_ack)
{
    scene_amqp(s, host, conn, MSG_COMMAND, "basic.consume");
    scene_set(s, F_AMQP_METHOD, "basic.consume");
    scene_set(s, F_AMQP_QUEUE, "celery");
    scene_num(s, F_AMQP_NO_ACK, no_ack);
    scene_say(s);
}

/* A task a minute. */
static void take(struct scene *s, unsigned host, unsigned conn, unsigned minutes)
{
    for (unsigned i = 0; i < minutes; i++) {
        scene_deliver(s, host, conn, next_id());
        scene_wait(s, 60);
    }
}

static void settle(struct scene *s, unsigned host, unsigned conn, const char *method)
{
    scene_amqp(s, host, conn, MSG_COMMAND, method);
    scene_set(s, F_AMQP_METHOD, method);
    if (strcmp(method, "basic.ack") == 0)
        scene_num(s, F_SETTLES, 1);
    scene_say(s);
}

static void takes_and_says_nothing(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    consume(&s, 66, 1, false);
    take(&s, 66, 1, 25);
    scene_expect(&s, "");
    take(&s, 66, 1, 10);
    scene_expect(&s, "task-swallowed/3@66 ");
    take(&s, 66, 1, 40); /* it goes on */
    scene_expect(&s, "task-swallowed/3@66 ");
    scene_close(&s);
}

static void whoever_answers(void **state)
{
    static const char *const methods[] = {"basic.ack", "basic.nack", "basic.reject"};
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    for (unsigned i = 0; i < 3; i++) {
        consume(&s, 31 + i, i, false);
        take(&s, 31 + i, i, 28);
        settle(&s, 31 + i, i, methods[i]); /* late, and in time */
        take(&s, 31 + i, i, 28);
        settle(&s, 31 + i, i, methods[i]);
        scene_wait(&s, 3600);
    }
    scene_expect(&s, "");
    /* a publisher is told by the broker that its message arrived: no answer of its own */
    consume(&s, 66, 9, false);
    take(&s, 66, 9, 20);
    scene_amqp(&s, 66, 9, MSG_COMMAND, "basic.ack");
    s.m.dir = TO_CLIENT;
    scene_set(&s, F_AMQP_METHOD, "basic.ack");
    scene_say(&s);
    take(&s, 66, 9, 15);
    scene_expect(&s, "task-swallowed/3@66 ");
    scene_close(&s);
}

static void results_and_events_are_answers(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    consume(&s, 31, 1, false);
    for (unsigned i = 0; i < 60; i++) {
        const char *id = next_id();
        scene_publish(&s, 21, id);
        scene_deliver(&s, 31, 1, id);
        scene_result(&s, 31, id, "SUCCESS");
        scene_wait(&s, 60);
    }
    consume(&s, 32, 2, false);
    for (unsigned i = 0; i < 60; i++) {
        take(&s, 32, 2, 1);
        scene_event(&s, 32, 3, "task-started", "celery@b");
    }
    scene_expect(&s, "");
    scene_close(&s);
}

/* acks_late, an hour each, with room for more. */
static void long_tasks_of_a_worker_with_heartbeats(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    consume(&s, 31, 1, false);
    for (unsigned i = 0; i < 90; i++) {
        take(&s, 31, 1, 1);
        scene_event(&s, 31, 2, "worker-heartbeat", "celery@a");
    }
    scene_expect(&s, "");
    take(&s, 31, 1, 40); /* no more heartbeats */
    scene_expect(&s, "task-swallowed/3@31 ");
    scene_close(&s);
}

/* One batch, and no further task: the broker's limit holds it. */
static void one_batch(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    consume(&s, 31, 1, false);
    for (unsigned i = 0; i < 8; i++)
        scene_deliver(&s, 31, 1, next_id());
    scene_wait(&s, 7200);
    scene_expect(&s, "");
    scene_close(&s);
}

static void without_acknowledgement(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    consume(&s, 31, 1, true);
    take(&s, 31, 1, 90);
    take(&s, 32, 2, 90); /* its consume was not seen */
    scene_expect(&s, "");
    scene_close(&s);
}

static void what_a_closed_connection_had_goes_back(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    consume(&s, 31, 1, false);
    take(&s, 31, 1, 25);
    scene_closed(&s, 31, 1);
    scene_wait(&s, 3600);
    scene_expect(&s, "");
    scene_close(&s);
}

/* kombu's entry in `unacked`. */
static void keep(struct scene *s, unsigned host, unsigned minutes)
{
    for (unsigned i = 0; i < minutes; i++) {
        const char *id = next_id();

        scene_redis(s, host, host, MSG_COMMAND, "command");
        scene_set(s, F_REDIS_COMMAND, "BRPOP");
        scene_set(s, F_REDIS_KEY, "celery");
        scene_say(s);
        scene_redis(s, host, host, MSG_TASK, "delivered");
        s->m.op = OP_DELIVER;
        s->m.dir = TO_CLIENT;
        scene_set(s, F_TASK_ID, id);
        scene_set(s, F_TASK_QUEUE, "celery");
        scene_say(s);
        scene_redis(s, host, host + 100, MSG_TASK, "delivered");
        s->m.op = OP_STORE;
        scene_set(s, F_TASK_ID, id);
        scene_set(s, F_TASK_QUEUE, "celery");
        scene_set(s, F_REDIS_COMMAND, "HSET");
        scene_num(s, F_KEPT, 1);
        scene_say(s);
        scene_wait(s, 60);
    }
}

static void entries_without_end(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    keep(&s, 66, 50);
    scene_expect(&s, "");
    keep(&s, 66, 15);
    scene_expect(&s, "task-swallowed/3@66 ");
    keep(&s, 31, 50);
    scene_redis(&s, 31, 7, MSG_COMMAND, "command"); /* on another connection */
    scene_set(&s, F_REDIS_COMMAND, "HDEL");
    scene_set(&s, F_REDIS_KEY, "unacked");
    scene_num(&s, F_SETTLES, 1);
    scene_say(&s);
    keep(&s, 31, 50);
    scene_expect(&s, "task-swallowed/3@66 "); /* those of its last minutes */
    scene_close(&s);
}

/* Another worker of the queue, which says who it is. */
static void neighbour(struct scene *s)
{
    consume(s, 31, 1, false);
    scene_event(s, 31, 2, "worker-online", "celery@a");
    scene_deliver(s, 31, 1, next_id());
    settle(s, 31, 1, "basic.ack");
}

static void hoard(struct scene *s, unsigned conn, unsigned n)
{
    consume(s, 66, conn, false);
    for (unsigned i = 0; i < n; i++) {
        scene_deliver(s, 66, conn, next_id());
        scene_wait(s, 4);
    }
}

static void takes_and_leaves(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    hoard(&s, 1, 8); /* nobody here announces himself */
    scene_closed(&s, 66, 1);
    scene_expect(&s, "");
    neighbour(&s);
    hoard(&s, 2, 4); /* too few to tell */
    scene_closed(&s, 66, 2);
    hoard(&s, 3, 8);
    settle(&s, 66, 3, "basic.ack"); /* of one */
    hoard(&s, 3, 8);
    scene_closed(&s, 66, 3);
    scene_wait(&s, 10);
    s.found[0] = '\0'; /* worker-silent, which is another matter, of each connection */
    hoard(&s, 4, 8);
    scene_closed(&s, 66, 4);
    scene_expect(&s, "worker-silent/3@66 task-swallowed/3@66 ");
    for (unsigned conn = 5; conn < 7; conn++) { /* within seconds; then it goes, or sits on them */
        consume(&s, 66, conn, false);
        for (unsigned i = 0; i < 8; i++) {
            scene_deliver(&s, 66, conn, next_id());
            scene_wait(&s, 1);
        }
        scene_wait(&s, conn == 5 ? 0 : 60);
        s.found[0] = '\0';
        scene_closed(&s, 66, conn);
        scene_expect(&s, conn == 5 ? "" : "task-swallowed/3@66 ");
    }
    scene_close(&s);
}

static void pop(struct scene *s, unsigned host, unsigned n, bool keeps)
{
    for (unsigned i = 0; i < n; i++) {
        const char *id = next_id();
        for (unsigned k = 0; k < 1u + keeps; k++) {
            scene_redis(s, host, host, MSG_TASK, "delivered");
            s->m.op = k ? OP_STORE : OP_DELIVER;
            s->m.dir = k ? TO_SERVER : TO_CLIENT;
            scene_set(s, F_TASK_ID, id);
            scene_set(s, F_TASK_QUEUE, "celery");
            if (k)
                scene_num(s, F_KEPT, 1);
            scene_say(s);
        }
        scene_wait(s, 4);
    }
}

static void off_a_list(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    pop(&s, 66, 8, false); /* nobody else is here */
    scene_wait(&s, 120);
    scene_redis(&s, 31, 2, MSG_WORKER, "worker-online");
    s.m.op = OP_PUBLISH;
    scene_set(&s, F_WORKER_EVENT, "worker-online");
    scene_set(&s, F_WORKER_HOSTNAME, "celery@a");
    scene_say(&s);
    pop(&s, 31, 8, true);
    scene_wait(&s, 120);
    s.found[0] = '\0'; /* worker-silent */
    pop(&s, 66, 8, false);
    scene_wait(&s, 120);
    scene_expect(&s, "task-swallowed/3@66 ");
    scene_close(&s);
}

/* It takes in bursts, each too short to tell of, and rests between them. */
static void in_bursts(void **state)
{
    struct scene s;

    (void)state;
    for (unsigned bursts = 1; bursts < 3; bursts++) {
        scene_open(&s, &deployment_detector);
        scene_redis(&s, 31, 2, MSG_WORKER, "worker-online");
        s.m.op = OP_PUBLISH;
        scene_set(&s, F_WORKER_EVENT, "worker-online");
        scene_set(&s, F_WORKER_HOSTNAME, "celery@a");
        scene_say(&s);
        pop(&s, 31, 8, true);
        for (unsigned i = 0; i < bursts; i++) {
            for (unsigned k = 0; k < 20; k++) {
                scene_redis(&s, 66, 66, MSG_TASK, "delivered");
                s.m.op = OP_DELIVER;
                s.m.dir = TO_CLIENT;
                scene_set(&s, F_TASK_ID, next_id());
                scene_set(&s, F_TASK_QUEUE, "celery");
                scene_say(&s);
            }
            scene_wait(&s, 80);
            if (i == 0)
                s.found[0] = '\0'; /* worker-silent */
        }
        scene_expect(&s, bursts == 1 ? "" : "task-swallowed/3@66 ");
        scene_wait(&s, 900);
        scene_expect(&s, "");
        scene_close(&s);
    }
}

/* One that keeps has its hour, though its first pop was seen before its first entry. */
static void kept_after_all(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    pop(&s, 31, 400, true); /* 1600 s */
    scene_wait(&s, 1900);
    scene_expect(&s, "");
    scene_wait(&s, 300);
    scene_expect(&s, "task-swallowed/3@31 ");
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_and_says_nothing),
        cmocka_unit_test(whoever_answers),
        cmocka_unit_test(results_and_events_are_answers),
        cmocka_unit_test(long_tasks_of_a_worker_with_heartbeats),
        cmocka_unit_test(one_batch),
        cmocka_unit_test(without_acknowledgement),
        cmocka_unit_test(what_a_closed_connection_had_goes_back),
        cmocka_unit_test(entries_without_end),
        cmocka_unit_test(takes_and_leaves),
        cmocka_unit_test(off_a_list),
        cmocka_unit_test(in_bursts),
        cmocka_unit_test(kept_after_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
