/* Tests of cluster/results_read.c: who reads the results of whose tasks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/known.h"
#include "support/scene.h"

/* Of `parent`, or of nobody: NULL. */
static void publish(struct scene *s, unsigned host, const char *id, const char *parent)
{
    scene_redis(s, host, host, MSG_TASK, "published");
    s->m.op = OP_PUBLISH;
    scene_set(s, F_TASK_ID, id);
    scene_set(s, F_TASK_QUEUE, "celery");
    if (parent)
        scene_set(s, F_TASK_PARENT_ID, parent);
    scene_say(s);
}

static void took(struct scene *s, unsigned host, const char *id)
{
    scene_redis(s, host, host, MSG_TASK, "delivered");
    s->m.dir = TO_CLIENT;
    s->m.op = OP_DELIVER;
    scene_set(s, F_TASK_ID, id);
    scene_set(s, F_TASK_QUEUE, "celery");
    scene_say(s);
}

static void begin(struct scene *s, unsigned host, const char *id, enum op op)
{
    scene_redis(s, host, host, MSG_RESULT, op == OP_READ ? "retrieved" : "delivered");
    s->m.dir = TO_CLIENT;
    s->m.op = op;
    scene_set(s, F_RESULT_BACKEND, "redis");
    scene_set(s, F_TASK_ID, id);
    if (op == OP_READ)
        scene_set(s, F_REDIS_COMMAND, "GET");
}

static void read_it(struct scene *s, unsigned host, const char *id)
{
    begin(s, host, id, OP_READ);
    scene_say(s);
}

static void strangers(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    publish(&s, 21, "a", NULL);
    took(&s, 31, "a");
    read_it(&s, 21, "a");
    read_it(&s, 31, "a");
    read_it(&s, 66, "z"); /* whose it is was not seen */
    scene_expect(&s, "");
    read_it(&s, 66, "a");
    scene_expect(&s, "redis-recon/2@66 ");
    begin(&s, 67, "a", OP_DELIVER); /* by a subscription */
    scene_say(&s);
    scene_expect(&s, "redis-recon/2@67 ");
    begin(&s, 68, "a", OP_DELIVER);
    scene_set(&s, F_REDIS_PATTERN, "celery-task-meta-*"); /* told of when it was made */
    scene_say(&s);
    scene_expect(&s, "");
    begin(&s, 69, "a", OP_READ);
    s.m.coverage = COVER_MIDSTREAM;
    scene_say(&s);
    read_it(&s, 69, "a");
    scene_expect(&s, ""); /* it may have published before */
    scene_close(&s);
}

/* What a client knows of a chain are the ids of all of it; workers publish the rest. */
static void its_own(void **state)
{
    char id[8];
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    publish(&s, 21, "a", NULL);
    took(&s, 31, "a");
    for (unsigned i = 0; i < 25; i++) {
        snprintf(id, sizeof id, "c%u", i);
        publish(&s, 31, id, "a");
        read_it(&s, 21, id);
        snprintf(id, sizeof id, "o%u", i);
        publish(&s, 23, id, NULL);
        took(&s, 32, id);
        read_it(&s, 23, id);
        read_it(&s, 32, id);
    }
    scene_expect(&s, "");
    scene_close(&s);
}

static void many(struct scene *s, unsigned n, unsigned apart)
{
    char id[16];

    for (unsigned i = 0; i < n; i++) {
        snprintf(id, sizeof id, "c%u", i);
        read_it(s, 22, id);
        if (apart)
            scene_wait(s, apart);
    }
}

static void of_others(void **state)
{
    char id[8];
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    for (unsigned i = 0; i < 20; i++) {
        snprintf(id, sizeof id, "c%u", i);
        publish(&s, 21, id, NULL);
    }
    publish(&s, 22, "b", NULL);
    many(&s, 19, 0);
    many(&s, 19, 0); /* the same again */
    scene_expect(&s, "");
    scene_wait(&s, 61);
    many(&s, 20, 4); /* too slow */
    scene_expect(&s, "");
    scene_wait(&s, 61);
    many(&s, 20, 0);
    scene_expect(&s, "redis-recon/2@22 ");
    scene_close(&s);
}

static void elsewhere(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    publish(&s, 21, "a", NULL);
    scene_publish(&s, 22, "b"); /* on another broker */
    read_it(&s, 22, "a");
    scene_expect(&s, "");
    scene_close(&s);
}

/* Results on another server, which may be in another network: 122 is 22 there. */
static void other_network(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    scene_publish(&s, 21, "a");
    scene_publish(&s, 22, "b");
    read_it(&s, 122, "b");
    scene_expect(&s, "");
    read_it(&s, 21, "a"); /* goes by the same address there */
    read_it(&s, 66, "a");
    scene_expect(&s, "redis-recon/2@66 ");
    scene_close(&s);
}

/* Of a task that was seen in part it is not known what it came from. */
static void seen_in_part(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    for (unsigned i = 0; i < 2; i++) {
        scene_redis(&s, 21, 21, MSG_TASK, "published");
        s.m.op = OP_PUBLISH;
        s.m.coverage = COVER_CLIPPED;
        scene_set(&s, F_TASK_ID, i ? "known" : "cut");
        if (i)
            scene_set(&s, F_TASK_PARENT_ID, "known");
        scene_say(&s);
    }
    read_it(&s, 66, "cut");
    scene_expect(&s, "");
    read_it(&s, 66, "known");
    scene_expect(&s, "redis-recon/2@66 ");
    scene_close(&s);
}

static void monitors(void **state)
{
    struct baseline b = {0};
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    known(&b, BASELINE_MONITORS, NULL, "66", NULL, NULL);
    s.policy.baseline = &b;
    publish(&s, 21, "a", NULL);
    read_it(&s, 66, "a");
    scene_expect(&s, "");
    read_it(&s, 67, "a");
    scene_expect(&s, "redis-recon/2@67 ");
    baseline_clear(&b);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers),     cmocka_unit_test(its_own),
        cmocka_unit_test(of_others),     cmocka_unit_test(elsewhere),
        cmocka_unit_test(other_network), cmocka_unit_test(seen_in_part),
        cmocka_unit_test(monitors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
