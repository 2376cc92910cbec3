/* Tests of cluster/flood.c: task-flood. The scene's policy: 100 tasks, ten times the most so far,
 * windows of a minute, ten minutes to settle, 20 of more than a day ahead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "signatures/baseline.h"
#include "support/scene.h"

static void begin(struct scene *s, unsigned host)
{
    snprintf(s->id, sizeof s->id, "id%u", s->ids++);
    scene_amqp(s, host, host, MSG_TASK, "published");
    s->m.op = OP_PUBLISH;
    scene_set(s, F_TASK_QUEUE, "celery");
    scene_set(s, F_TASK_ID, s->id);
}

/* Each minute `n` tasks. */
static void send(struct scene *s, unsigned host, unsigned minutes, unsigned n)
{
    for (unsigned i = 0; i < minutes; i++) {
        for (unsigned k = 0; k < n; k++) {
            begin(s, host);
            scene_say(s);
        }
        scene_wait(s, 60);
    }
}

static void ten_times_its_own_history(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    send(&s, 21, 15, 12);
    scene_expect(&s, "");
    send(&s, 21, 1, 107);
    scene_expect(&s, "");
    send(&s, 21, 1, 3000); /* said once */
    scene_expect(&s, "task-flood/3@21 ");
    scene_close(&s);
}

/* A flood over the end of a window, wherever windows begin. */
static void across_windows(void **state)
{
    struct scene s;

    (void)state;
    for (unsigned at = 0; at < 60; at += 7) {
        scene_open(&s, &deployment_detector);
        send(&s, 21, 15, 1);
        scene_wait(&s, at);
        for (unsigned i = 0; i < 120; i++) {
            if (i % 30 == 29)
                scene_wait(&s, 5);
            begin(&s, 21);
            scene_say(&s);
        }
        scene_expect(&s, "task-flood/3@21 ");
        scene_close(&s);
    }
}

static void below_the_floor(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    send(&s, 21, 15, 1);
    send(&s, 21, 1, 98);
    send(&s, 21, 2, 1);
    send(&s, 21, 5, 45);
    scene_expect(&s, "");
    scene_close(&s);
}

static void the_first_minutes(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    send(&s, 21, 1, 1);
    send(&s, 21, 5, 5000);
    scene_expect(&s, "");
    scene_close(&s);
}

/* A producer that starts while others have been there for long is new all the same. */
static void a_new_producer(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    send(&s, 21, 30, 1);
    send(&s, 22, 2, 5000);
    scene_expect(&s, "");
    scene_close(&s);
}

static void regular_bursts(void **state)
{
    struct scene s;
    struct baseline b = {0};
    struct network beat = {.ip = {10, 0, 0, 14}, .family = 4, .prefix = 32};

    (void)state;
    scene_open(&s, &deployment_detector);
    send(&s, 21, 1, 2000); /* the first one is seen in its first minutes */
    for (unsigned hour = 0; hour < 5; hour++) {
        send(&s, 21, 59, 2);
        send(&s, 21, 1, 2000);
    }
    scene_expect(&s, "");
    assert_true(baseline_add_address(baseline_add(&b, BASELINE_SCHEDULERS, NULL), &beat));
    s.policy.baseline = &b;
    send(&s, 14, 30, 1);
    send(&s, 14, 1, 2000);
    scene_expect(&s, "");
    send(&s, 15, 30, 1);
    send(&s, 15, 1, 2000);
    scene_expect(&s, "task-flood/3@15 ");
    scene_close(&s);
    baseline_clear(&b);
}

/* What a task fans out into, and retries, are its worker's work. */
static void tasks_of_tasks(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    send(&s, 31, 15, 1);
    scene_publish(&s, 21, "parent");
    scene_deliver(&s, 31, 310, "parent");
    for (unsigned i = 0; i < 2000; i++) {
        begin(&s, 31);
        scene_set(&s, F_TASK_PARENT_ID, "parent");
        scene_say(&s);
    }
    scene_expect(&s, "");
    for (unsigned i = 0; i < 2000; i++) { /* of a task that it never took */
        begin(&s, 31);
        scene_set(&s, F_TASK_PARENT_ID, "another");
        scene_say(&s);
    }
    scene_expect(&s, "task-flood/3@31 ");
    scene_close(&s);
}

static void with_eta(struct scene *s, unsigned n, int64_t ahead, const char *zone)
{
    char text[64];
    time_t at = (time_t)(s->now / SECOND + ahead);
    struct tm tm;

    gmtime_r(&at, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.5", &tm);
    strcat(text, zone);
    for (unsigned i = 0; i < n; i++) {
        begin(s, 21);
        scene_set(s, F_TASK_ETA, text);
        scene_say(s);
    }
    scene_wait(s, 60);
}

static void distant_times(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    s.now = INT64_C(1800000000) * SECOND;
    send(&s, 21, 15, 12);
    with_eta(&s, 50, 3600, "+00:00");
    with_eta(&s, 50, 86400 + 3600, "+02:00"); /* 22 hours and 59 minutes ahead */
    with_eta(&s, 19, 10 * 86400, "+00:00");
    send(&s, 21, 2, 1);
    scene_expect(&s, "");
    with_eta(&s, 170, 86400 * 400, "");
    scene_expect(&s, "");
    with_eta(&s, 1890, 86400 * 400, ""); /* and of all tasks */
    scene_expect(&s, "task-flood/3@21 task-flood/3@21 ");
    scene_close(&s);
}

/* Python reads what Celery does not write. */
static void odd_times(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    s.now = INT64_C(1800000000) * SECOND;
    send(&s, 21, 15, 60);
    for (unsigned i = 0; i < 50; i++) {
        begin(&s, 21);
        scene_set(&s, F_TASK_ETA, "20991231T000000");
        scene_say(&s);
    }
    scene_expect(&s, "task-flood/3@21 ");
    scene_close(&s);
}

static void a_mass_of_distant_times(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    s.now = INT64_C(1800000000) * SECOND;
    send(&s, 21, 15, 60);
    with_eta(&s, 50, 10 * 86400, "Z");
    scene_expect(&s, "task-flood/3@21 ");
    with_eta(&s, 50, 10 * 86400, "Z"); /* as before */
    scene_expect(&s, "");
    scene_close(&s);
}

/* Neither minute has as many as the two halves together. */
static void across_two_windows(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    send(&s, 21, 15, 1);
    begin(&s, 21);
    scene_say(&s);
    scene_wait(&s, 50);
    for (unsigned i = 0; i < 80; i++) {
        begin(&s, 21);
        scene_say(&s);
    }
    scene_wait(&s, 15);
    for (unsigned i = 0; i < 80; i++) {
        begin(&s, 21);
        scene_say(&s);
    }
    scene_expect(&s, "task-flood/3@21 ");
    scene_close(&s);
}

static void never(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    s.policy.flood.floor = 0;
    send(&s, 21, 15, 1);
    send(&s, 21, 1, 5000);
    scene_expect(&s, "");
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_times),          cmocka_unit_test(ten_times_its_own_history),
        cmocka_unit_test(across_windows),     cmocka_unit_test(below_the_floor),
        cmocka_unit_test(the_first_minutes),  cmocka_unit_test(a_new_producer),
        cmocka_unit_test(regular_bursts),     cmocka_unit_test(tasks_of_tasks),
        cmocka_unit_test(distant_times),      cmocka_unit_test(a_mass_of_distant_times),
        cmocka_unit_test(across_two_windows), cmocka_unit_test(never),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
