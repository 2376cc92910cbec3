/* Tests of cluster/hidden.c: task-hidden-name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "signatures/baseline.h"
#include "support/scene.h"

static void task(struct scene *s, unsigned host, const char *name, const char *shadow,
                 const char *carried)
{
    static unsigned n;
    char id[16];

    snprintf(id, sizeof id, "id%u", n++);
    scene_amqp(s, host, host, MSG_TASK, "published");
    s->m.op = OP_PUBLISH;
    scene_set(s, F_TASK_ID, id);
    scene_set(s, F_TASK_QUEUE, "celery");
    scene_set(s, F_TASK_NAME, name);
    if (shadow)
        scene_set(s, F_TASK_SHADOW, shadow);
    if (carried)
        scene_list(s, F_TASK_SUBTASKS, carried);
    scene_say(s);
}

static void under_the_name_of_another(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    task(&s, 66, "shop.wipe", "shop.add", NULL); /* no such task was seen */
    scene_expect(&s, "");
    task(&s, 21, "shop.add", NULL, NULL);
    task(&s, 66, "shop.wipe", "shop.add", NULL);
    task(&s, 66, "shop.wipe", "celery.backend_cleanup", NULL);
    scene_expect(&s, "task-hidden-name/3@66 task-hidden-name/3@66 ");
    scene_close(&s);
}

/* Task.shadow_name() makes such names (celery:app/task.py). */
static void a_name_of_its_own(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    task(&s, 21, "shop.add", NULL, NULL);
    task(&s, 21, "shop.add", "shop.add", NULL);
    task(&s, 21, "shop.add", "shop.add[acme]", NULL);
    task(&s, 21, "shop.add", "shop.add[acme]", NULL); /* the alias is not a task's name */
    scene_expect(&s, "");
    scene_close(&s);
}

static void by_the_baseline(void **state)
{
    struct baseline b = {0};
    struct scene s;

    (void)state;
    assert_non_null(baseline_add(&b, BASELINE_TASKS, "shop.*"));
    assert_non_null(baseline_add(&b, BASELINE_TASKS, "mail.send"));
    scene_open(&s, &deployment_detector);
    s.policy.baseline = &b;
    task(&s, 21, "shop.add", "shop.add[acme]", NULL); /* no name, though the glob covers it */
    task(&s, 21, "celery.map", NULL, "shop.add,celery.chain");
    scene_expect(&s, "");
    task(&s, 21, "shop.add", NULL, "evil.run"); /* a callback: no built-in hides it */
    scene_expect(&s, "task-name-unknown/3@21 ");
    task(&s, 66, "shop.add", "mail.send", NULL);
    scene_expect(&s, "task-hidden-name/3@66 ");
    task(&s, 66, "celery.map", NULL, "shop.add,evil.run");
    task(&s, 66, "celery.chord", NULL, "evil.run");
    scene_expect(&s, "task-hidden-name/3@66 task-hidden-name/3@66 ");
    scene_close(&s);
    baseline_clear(&b);
}

static void without_a_baseline_builtins_carry_what_they_like(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    task(&s, 66, "celery.map", NULL, "evil.run");
    scene_expect(&s, "");
    scene_close(&s);
}

/* An address can bring in so many names; those of others stay known. */
static void a_flood_of_names(void **state)
{
    struct scene s;
    char name[32];

    (void)state;
    scene_open(&s, &deployment_detector);
    task(&s, 21, "shop.add", NULL, NULL);
    for (unsigned i = 0; i < 70000; i++) {
        snprintf(name, sizeof name, "made.up%u", i);
        task(&s, 66, name, NULL, NULL);
    }
    task(&s, 66, "shop.wipe", "shop.add", NULL);
    scene_expect(&s, "task-hidden-name/3@66 ");
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(under_the_name_of_another),
        cmocka_unit_test(a_name_of_its_own),
        cmocka_unit_test(by_the_baseline),
        cmocka_unit_test(without_a_baseline_builtins_carry_what_they_like),
        cmocka_unit_test(a_flood_of_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
