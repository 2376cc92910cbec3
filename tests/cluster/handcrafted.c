/* Tests of cluster/handcrafted.c: which signs make a finding, and whose reply_to it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "signatures/form.h"
#include "support/scene.h"

static void task(struct scene *s, unsigned host, const char *reply_to, uint32_t signs)
{
    static unsigned n;
    char id[16];

    snprintf(id, sizeof id, "id%u", n++);
    scene_amqp(s, host, host, MSG_TASK, "published");
    s->m.op = OP_PUBLISH;
    scene_set(s, F_TASK_ID, id);
    scene_set(s, F_TASK_QUEUE, "celery");
    if (reply_to)
        scene_set(s, F_TASK_REPLY_TO, reply_to);
    if (signs)
        scene_num(s, F_TASK_SIGNS, signs);
    scene_say(s);
}

#define BIT(sign) (1u << (sign))

static void more_signs_weigh_more(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    task(&s, 66, NULL, 0);
    scene_expect(&s, "");
    task(&s, 66, NULL, BIT(SIGN_MISSING));
    task(&s, 66, NULL, BIT(SIGN_MISSING) | BIT(SIGN_TWICE));
    scene_expect(&s, "task-handcrafted/3@66 task-handcrafted/3@66 ");
    task(&s, 66, NULL, BIT(SIGN_MISSING) | BIT(SIGN_ID) | BIT(SIGN_ARGSREPR));
    scene_expect(&s, "task-handcrafted/4@66 ");
    scene_close(&s);
}

/* task_id, reply_to, argsrepr, kwargsrepr are arguments of apply_async. */
static void callers_may(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    task(&s, 21, NULL, BIT(SIGN_ID));
    task(&s, 21, NULL,
         BIT(SIGN_REPLY_TO) | BIT(SIGN_ARGSREPR) | BIT(SIGN_KWARGSREPR) | BIT(SIGN_ID));
    scene_expect(&s, "");
    scene_close(&s);
}

static void the_queue_of_another(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &deployment_detector);
    task(&s, 21, "r1", 0);
    task(&s, 21, "r1", 0);
    task(&s, 66, "r1", 0); /* an argument: nothing by itself */
    scene_expect(&s, "");
    task(&s, 66, "r1", BIT(SIGN_MISSING) | BIT(SIGN_TWICE));
    scene_expect(&s, "task-handcrafted/4@66 ");
    task(&s, 66, "r2", BIT(SIGN_MISSING) | BIT(SIGN_TWICE));
    scene_expect(&s, "task-handcrafted/3@66 ");
    /* a worker goes on in its client's name */
    scene_deliver(&s, 31, 310, "b");
    task(&s, 31, "r1", BIT(SIGN_MISSING) | BIT(SIGN_TWICE));
    scene_expect(&s, "task-handcrafted/3@31 ");
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_signs_weigh_more),
        cmocka_unit_test(callers_may),
        cmocka_unit_test(the_queue_of_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
