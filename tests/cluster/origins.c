/* Tests of cluster/origins.c: tasks of hosts that nobody knows, of hosts that are somebody else's,
 * with names that nobody knows; and each clause that excuses one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/known.h"
#include "support/scene.h"

struct story {
    struct scene s;
    struct baseline b;
    unsigned n;
};

static void begin(struct story *t)
{
    memset(&t->b, 0, sizeof t->b);
    t->n = 0;
    scene_open(&t->s, &deployment_detector);
    t->s.policy.baseline = &t->b;
}

static void end(struct story *t)
{
    scene_close(&t->s);
    baseline_clear(&t->b);
}

/* web1 is 10.0.0.21, web2 any of .24/30; worker app1 is .31. */
static void shop(struct story *t)
{
    begin(t);
    known(&t->b, BASELINE_PRODUCERS, "web1", "21", NULL, NULL);
    known(&t->b, BASELINE_PRODUCERS, "web2", "24/30", NULL, NULL);
    known(&t->b, BASELINE_WORKERS, "celery@app1", "31", NULL, NULL);
}

static void make(struct scene *s, unsigned host, const char *id, const char *origin,
                 const char *name)
{
    scene_amqp(s, host, host * 100, MSG_TASK, "published");
    s->m.op = OP_PUBLISH;
    scene_set(s, F_TASK_ID, id);
    scene_set(s, F_TASK_QUEUE, "celery");
    if (origin)
        scene_set(s, F_TASK_ORIGIN, origin);
    scene_set(s, F_TASK_NAME, name);
}

static void task(struct story *t, unsigned host, const char *origin)
{
    char id[16];

    snprintf(id, sizeof id, "id-%u", t->n++);
    make(&t->s, host, id, origin, "shop.add");
    scene_say(&t->s);
}

static void known_origins(void **state)
{
    struct story t;

    (void)state;
    shop(&t);
    task(&t, 21, "gen1@web1");
    task(&t, 21, "gen99999@web1");
    task(&t, 24, "gen1@web2"); /* a listed pool of addresses */
    task(&t, 27, "gen1@web2");
    task(&t, 31, "gen77@app1"); /* a sub-task of a worker */
    task(&t, 66, NULL);         /* another rule's */
    task(&t, 66, "web1");
    scene_expect(&t.s, "");
    end(&t);
}

static void unknown(void **state)
{
    struct story t;

    (void)state;
    shop(&t);
    task(&t, 66, "gen1@kali");
    scene_expect(&t.s, "task-origin-unknown/4@66 ");
    task(&t, 21, "gen1@kali");
    scene_expect(&t.s, "task-origin-unknown/4@21 ");
    task(&t, 21, "gen1@web1.evil");
    scene_expect(&t.s, "task-origin-unknown/4@21 ");
    end(&t);
    begin(&t); /* a section that is absent is not judged; one that is empty knows nobody */
    known(&t.b, BASELINE_TASKS, "shop.*", NULL, NULL, NULL);
    task(&t, 66, "gen1@kali");
    scene_expect(&t.s, "");
    known_none(&t.b, BASELINE_PRODUCERS);
    task(&t, 66, "gen1@kali");
    scene_expect(&t.s, "task-origin-unknown/4@66 ");
    t.s.policy.baseline = NULL;
    task(&t, 66, "gen1@kali");
    scene_expect(&t.s, "");
    end(&t);
}

static void spoofed(void **state)
{
    struct story t;

    (void)state;
    shop(&t);
    task(&t, 66, "gen1@web1");
    scene_expect(&t.s, "task-origin-spoofed/5@66 ");
    task(&t, 24, "gen1@web1");
    scene_expect(&t.s, "task-origin-spoofed/5@24 ");
    task(&t, 28, "gen1@web2"); /* just outside the network */
    scene_expect(&t.s, "task-origin-spoofed/5@28 ");
    task(&t, 66, "gen1@app1");
    scene_expect(&t.s, "task-origin-spoofed/5@66 ");
    end(&t);
}

static void other_user(void **state)
{
    struct story t;

    (void)state;
    begin(&t);
    known(&t.b, BASELINE_PRODUCERS, "web1", "21", NULL, "shop");
    make(&t.s, 21, "a", "gen1@web1", "shop.add");
    scene_set(&t.s, F_USER, "shop");
    scene_say(&t.s);
    task(&t, 21, "gen1@web1"); /* joined in the middle: nobody knows its user */
    scene_expect(&t.s, "");
    make(&t.s, 21, "b", "gen1@web1", "shop.add");
    scene_set(&t.s, F_USER, "guest");
    scene_say(&t.s);
    scene_expect(&t.s, "task-origin-unknown/4@21 ");
    end(&t);
}

/* A retry keeps the first sender's origin: who took the task may send it again, and nobody else
 * however many retries it says. */
static void retries(void **state)
{
    struct story t;

    (void)state;
    shop(&t);
    make(&t.s, 21, "a", "gen1@web1", "shop.add");
    scene_say(&t.s);
    scene_deliver(&t.s, 31, 5, "a");
    make(&t.s, 31, "a", "gen1@web1", "shop.add");
    scene_num(&t.s, F_TASK_RETRIES, 1);
    scene_say(&t.s);
    make(&t.s, 31, "a", "gen1@web1", "shop.other"); /* replaced */
    scene_say(&t.s);
    scene_expect(&t.s, "");
    make(&t.s, 31, "b", "gen1@web1", "shop.add"); /* its own task under web1's name */
    scene_num(&t.s, F_TASK_RETRIES, 1);
    scene_say(&t.s);
    scene_wait(&t.s, 2); /* it takes tasks */
    scene_expect(&t.s, "task-origin-spoofed/5@31 ");
    make(&t.s, 66, "a", "gen1@web1", "shop.add");
    scene_num(&t.s, F_TASK_RETRIES, 2);
    scene_say(&t.s);
    scene_expect(&t.s, "task-origin-spoofed/5@66 task-replayed/4@66 ");
    end(&t);
}

/* What a worker took before the capture began it may retry. */
static void retries_from_before(void **state)
{
    struct story t;

    (void)state;
    shop(&t);
    scene_amqp(&t.s, 31, 5, MSG_TASK, "delivered");
    t.s.m.op = OP_DELIVER;
    t.s.m.dir = TO_CLIENT;
    t.s.m.coverage = COVER_MIDSTREAM;
    scene_set(&t.s, F_TASK_ID, "z");
    scene_set(&t.s, F_TASK_QUEUE, "celery");
    scene_say(&t.s);
    make(&t.s, 31, "a", "gen1@web1", "shop.add");
    scene_num(&t.s, F_TASK_RETRIES, 1);
    scene_say(&t.s);
    scene_expect(&t.s, "");
    make(&t.s, 31, "b", "gen1@web1", "shop.add");
    scene_say(&t.s);
    scene_wait(&t.s, 2);
    scene_expect(&t.s, "task-origin-spoofed/5@31 ");
    make(&t.s, 66, "c", "gen1@web1", "shop.add"); /* takes no tasks */
    t.s.m.coverage = COVER_MIDSTREAM;
    scene_num(&t.s, F_TASK_RETRIES, 1);
    scene_say(&t.s);
    scene_expect(&t.s, "task-origin-spoofed/5@66 ");
    scene_command(&t.s, 66, 9, "basic.get", "nothing"); /* nor does asking make it a worker */
    make(&t.s, 66, "d", "gen1@web1", "shop.add");
    t.s.m.coverage = COVER_MIDSTREAM;
    scene_num(&t.s, F_TASK_RETRIES, 1);
    scene_say(&t.s);
    scene_wait(&t.s, 2);
    scene_expect(&t.s, "task-origin-spoofed/5@66 ");
    end(&t);
}

static void retry(struct story *t, unsigned host, const char *id, uint8_t coverage)
{
    make(&t->s, host, id, "gen1@web1", "shop.add");
    scene_num(&t->s, F_TASK_RETRIES, 1);
    t->s.m.coverage = coverage;
    scene_say(&t->s);
}

/* A worker of the baseline that was not seen to take any: mid-stream, and what was lost. */
static void retries_of_the_unseen(void **state)
{
    struct story t;

    (void)state;
    shop(&t);
    known(&t.b, BASELINE_WORKERS, "celery@app2", "32", NULL, NULL);
    make(&t.s, 32, "r", "gen1@web1", "shop.add"); /* it starts, and puts back what it finds */
    t.s.m.action = "restored";
    scene_say(&t.s);
    retry(&t, 31, "a", COVER_MIDSTREAM | COVER_ONE_WAY);
    known(&t.b, BASELINE_WORKERS, "celery@app3", "33", NULL, NULL);
    scene_amqp(&t.s, 33, 7, MSG_WORKER, "worker-heartbeat"); /* its vhost was not seen */
    fields_drop(&t.s.m.fields, F_AMQP_VHOST);
    t.s.m.coverage = COVER_MIDSTREAM;
    scene_set(&t.s, F_WORKER_EVENT, "worker-heartbeat");
    scene_say(&t.s);
    retry(&t, 33, "before", 0);
    scene_expect(&t.s, "");
    retry(&t, 32, "b", 0);
    scene_expect(&t.s, "task-origin-spoofed/5@32 ");
    scene_lost(&t.s, 32);
    retry(&t, 32, "c", 0);
    scene_expect(&t.s, "");
    make(&t.s, 21, "d", "gen1@web1", "shop.add");
    scene_say(&t.s);
    scene_command(&t.s, 32, 2, "basic.consume", "celery");
    scene_lost(&t.s, 32);
    retry(&t, 32, "d", 0); /* its publish was seen */
    scene_lost(&t.s, 66);
    scene_expect(&t.s, "");
    retry(&t, 66, "e", COVER_MIDSTREAM);
    make(&t.s, 67, "f", "gen1@web1", "shop.add");
    t.s.m.action = "restored";
    scene_say(&t.s);
    scene_expect(&t.s, "task-origin-spoofed/5@66 task-origin-spoofed/5@67 ");
    end(&t);
}

static void relays(void **state)
{
    struct story t;

    (void)state;
    shop(&t);
    known(&t.b, BASELINE_RELAYS, NULL, "40", NULL, NULL);
    make(&t.s, 21, "a", "gen1@web1", "shop.add");
    scene_say(&t.s);
    make(&t.s, 40, "a", "gen1@web1", "shop.add"); /* the same id: no replay either */
    scene_say(&t.s);
    scene_expect(&t.s, "");
    task(&t, 41, "gen1@web1");
    scene_expect(&t.s, "task-origin-spoofed/5@41 ");
    end(&t);
}

/* A delivery stands for a publish that was not seen: by whom, nobody knows. */
static void delivered(void **state)
{
    struct story t;

    (void)state;
    shop(&t);
    known(&t.b, BASELINE_TASKS, "shop.*", NULL, NULL, NULL);
    make(&t.s, 31, "a", "gen1@web1", "shop.add");
    t.s.m.op = OP_DELIVER;
    t.s.m.dir = TO_CLIENT;
    scene_say(&t.s);
    scene_expect(&t.s, "");
    make(&t.s, 31, "b", "gen1@kali", "os.system");
    t.s.m.op = OP_DELIVER;
    t.s.m.dir = TO_CLIENT;
    scene_say(&t.s);
    scene_expect(&t.s, "task-origin-unknown/4@31 task-name-unknown/3@31 ");
    make(&t.s, 66, "c", "gen1@kali", "os.system");
    scene_say(&t.s);
    scene_expect(&t.s, "task-origin-unknown/4@66 task-name-unknown/3@66 ");
    make(&t.s, 31, "c", "gen1@kali", "os.system");
    t.s.m.op = OP_DELIVER;
    t.s.m.dir = TO_CLIENT;
    scene_say(&t.s);
    scene_expect(&t.s, "");
    make(&t.s, 31, "d", "gen1@kali", "os.system"); /* what a worker puts back */
    t.s.m.action = "restored";
    scene_say(&t.s);
    scene_expect(&t.s, "");
    make(&t.s, 66, "d", "gen1@kali", "os.system"); /* and who is none */
    t.s.m.action = "restored";
    scene_say(&t.s);
    scene_expect(&t.s, "task-origin-unknown/4@66 task-name-unknown/3@66 ");
    end(&t);
}

static void names(void **state)
{
    struct story t;

    (void)state;
    begin(&t);
    known(&t.b, BASELINE_TASKS, "shop.*", NULL, NULL, NULL);
    known(&t.b, BASELINE_TASKS, "celery.ping", NULL, NULL, NULL);
    make(&t.s, 21, "a", "gen1@web1", "shop.add");
    scene_say(&t.s);
    make(&t.s, 21, "b", "gen1@web1", "celery.chord_unlock");
    scene_say(&t.s);
    make(&t.s, 21, "c", "gen1@web1", "celery.ping");
    scene_say(&t.s);
    scene_expect(&t.s, "");
    make(&t.s, 21, "d", "gen1@web1", "celery.evil");
    scene_say(&t.s);
    scene_expect(&t.s, "task-name-unknown/3@21 ");
    make(&t.s, 21, "e", NULL, "os.system");
    scene_say(&t.s);
    scene_expect(&t.s, "task-name-unknown/3@21 ");
    make(&t.s, 21, "f", "gen1@web1", "shop.add");
    scene_list(&t.s, F_TASK_SUBTASKS, "shop.mul,celery.chain,os.system,more.evil");
    scene_say(&t.s);
    scene_expect(&t.s, "task-name-unknown/3@21 ");
    make(&t.s, 21, "g", "gen1@web1", "celery.map");
    scene_list(&t.s, F_TASK_SUBTASKS, "shop.mul");
    scene_say(&t.s);
    scene_expect(&t.s, "");
    make(&t.s, 21, "h", "gen1@web1", "celery.map");
    scene_list(&t.s, F_TASK_SUBTASKS, "os.system");
    scene_say(&t.s);
    scene_expect(&t.s, "task-hidden-name/3@21 ");
    end(&t);
}

static void producers_list(void **state)
{
    struct story t;

    (void)state;
    begin(&t); /* without a section `tasks` */
    known(&t.b, BASELINE_PRODUCERS, "web1", "21", "shop.*", NULL);
    known(&t.b, BASELINE_PRODUCERS, "web2", "22", NULL, NULL);
    make(&t.s, 21, "a", "gen1@web1", "shop.add");
    scene_say(&t.s);
    make(&t.s, 21, "b", "gen1@web1", "celery.backend_cleanup");
    scene_say(&t.s);
    make(&t.s, 22, "c", "gen1@web2", "admin.drop");
    scene_say(&t.s);
    scene_expect(&t.s, "");
    make(&t.s, 21, "d", "gen1@web1", "admin.drop");
    scene_say(&t.s);
    scene_expect(&t.s, "task-name-unknown/3@21 ");
    make(&t.s, 21, "e", "gen1@web1", "shop.add");
    scene_list(&t.s, F_TASK_SUBTASKS, "admin.drop");
    scene_say(&t.s);
    scene_expect(&t.s, "task-name-unknown/3@21 ");
    make(&t.s, 21, "f", "gen1@web1", "celery.map");
    scene_list(&t.s, F_TASK_SUBTASKS, "admin.drop");
    scene_say(&t.s);
    scene_expect(&t.s, "task-name-unknown/3@21 ");
    end(&t);
}

/* The same question is answered from memory, until there is another baseline. */
static void replaced_baseline(void **state)
{
    struct story t;
    struct baseline other = {0};

    (void)state;
    shop(&t);
    task(&t, 66, "gen1@kali");
    task(&t, 66, "gen1@kali");
    scene_expect(&t.s, "task-origin-unknown/4@66 task-origin-unknown/4@66 ");
    known(&other, BASELINE_PRODUCERS, "kali", "66", NULL, NULL);
    other.generation = t.b.generation + 1;
    t.s.policy.baseline = &other;
    task(&t, 66, "gen1@kali");
    scene_expect(&t.s, "");
    end(&t);
    baseline_clear(&other);
}

/* --- a live worker's process, which needs no baseline ---------------------------------- */

static void speaks_as(struct scene *s, unsigned host, const char *type, int64_t pid,
                      const char *node)
{
    scene_amqp(s, host, host, MSG_WORKER, type);
    s->m.op = OP_PUBLISH;
    scene_set(s, F_WORKER_EVENT, type);
    scene_set(s, F_WORKER_HOSTNAME, node);
    scene_num(s, F_WORKER_PID, pid);
    scene_say(s);
}

static void speaks(struct scene *s, unsigned host, const char *type, int64_t pid)
{
    speaks_as(s, host, type, pid, "celery@app1");
}

static void worker_is_claimed(void **state)
{
    struct story t;

    (void)state;
    begin(&t);
    t.s.policy.baseline = NULL;
    speaks(&t.s, 31, "worker-online", 7);
    task(&t, 31, "gen7@app1");
    task(&t, 66, "gen8@app1"); /* a child's pid is not known */
    task(&t, 66, "gen7@app2");
    task(&t, 66, "gen7@app1");
    scene_expect(&t.s, "");
    speaks(&t.s, 31, "worker-heartbeat", 7);
    scene_expect(&t.s, "task-origin-spoofed/5@66 ");
    speaks(&t.s, 31, "worker-heartbeat", 7);
    scene_expect(&t.s, "");
    task(&t, 66, "gen7@app1");
    speaks(&t.s, 31, "worker-offline", 7); /* the last sign of life is one */
    scene_expect(&t.s, "task-origin-spoofed/5@66 ");
    task(&t, 66, "gen7@app1"); /* its next life */
    speaks(&t.s, 66, "worker-online", 7);
    scene_expect(&t.s, "");
    end(&t);
}

static void worker_moves(void **state)
{
    struct story t;

    (void)state;
    begin(&t);
    t.s.policy.baseline = NULL;
    speaks(&t.s, 31, "worker-online", 7); /* is killed, and comes back elsewhere */
    scene_wait(&t.s, 10);
    task(&t, 32, "gen7@app1");
    speaks(&t.s, 32, "worker-online", 7);
    speaks(&t.s, 32, "worker-heartbeat", 7);
    scene_expect(&t.s, "");
    scene_wait(&t.s, 90);
    speaks(&t.s, 32, "worker-heartbeat", 7); /* nothing is left of the first by now */
    task(&t, 32, "gen7@app1");
    speaks(&t.s, 32, "worker-heartbeat", 7);
    scene_expect(&t.s, "");
    task(&t, 66, "gen7@app1");
    speaks(&t.s, 32, "worker-heartbeat", 7);
    scene_expect(&t.s, "task-origin-spoofed/5@66 ");
    end(&t);
}

/* Containers whose name was fixed all have it, with pid 1; their clients too. */
static void worker_name_is_shared(void **state)
{
    struct story t;

    (void)state;
    begin(&t);
    t.s.policy.baseline = NULL;
    for (unsigned i = 0; i < 3; i++) {
        speaks(&t.s, 31, "worker-heartbeat", 1);
        speaks(&t.s, 32, "worker-heartbeat", 1);
        task(&t, 31, "gen1@app1");
        task(&t, 32, "gen1@app1");
        task(&t, 33, "gen1@app1");
    }
    t.s.found[0] = '\0'; /* worker-impersonation */
    speaks(&t.s, 31, "worker-heartbeat", 1);
    scene_expect(&t.s, "");
    end(&t);
}

/* One heartbeat of a made-up node with the worker's pid and host does not blind us; a second worker
 * that takes tasks shares them. */
static void worker_is_contested(void **state)
{
    struct story t;

    (void)state;
    begin(&t);
    t.s.policy.baseline = NULL;
    speaks(&t.s, 31, "worker-heartbeat", 7);
    speaks_as(&t.s, 66, "worker-heartbeat", 7, "x@app1");
    speaks(&t.s, 31, "worker-heartbeat", 7);
    task(&t, 66, "gen7@app1");
    speaks(&t.s, 31, "worker-heartbeat", 7);
    scene_expect(&t.s, "task-origin-spoofed/5@66 ");
    speaks_as(&t.s, 66, "worker-heartbeat", 8, "x@app1"); /* and who comes first is not believed */
    scene_deliver(&t.s, 31, 5, "a");
    speaks(&t.s, 31, "worker-heartbeat", 8);
    task(&t, 66, "gen8@app1");
    speaks(&t.s, 31, "worker-heartbeat", 8);
    scene_expect(&t.s, "task-origin-spoofed/5@66 ");
    scene_deliver(&t.s, 32, 6, "b");
    speaks_as(&t.s, 32, "worker-heartbeat", 7, "w2@app1");
    task(&t, 32, "gen7@app1");
    task(&t, 33, "gen7@app1");
    speaks(&t.s, 31, "worker-heartbeat", 7);
    scene_expect(&t.s, "");
    end(&t);
}

static void worker_is_excused(void **state)
{
    struct story t;

    (void)state;
    begin(&t);
    known(&t.b, BASELINE_RELAYS, NULL, "40", NULL, NULL);
    speaks(&t.s, 31, "worker-online", 7);
    make(&t.s, 31, "a", "gen7@app1", "shop.add"); /* a sub-task, which another worker retries */
    scene_say(&t.s);
    scene_deliver(&t.s, 32, 5, "a");
    make(&t.s, 32, "a", "gen7@app1", "shop.add");
    scene_say(&t.s);
    task(&t, 40, "gen7@app1");
    scene_amqp(&t.s, 33, 3300, MSG_TASK, "published"); /* the same host by IPv6 */
    t.s.conn.id.client.family = 6;
    t.s.m.op = OP_PUBLISH;
    scene_set(&t.s, F_TASK_ID, "six");
    scene_set(&t.s, F_TASK_QUEUE, "celery");
    scene_set(&t.s, F_TASK_ORIGIN, "gen7@app1");
    scene_set(&t.s, F_TASK_NAME, "shop.add");
    scene_say(&t.s);
    speaks(&t.s, 31, "worker-heartbeat", 7);
    scene_expect(&t.s, "");
    scene_wait(&t.s, 100); /* silent for long: it may have died */
    task(&t, 66, "gen7@app1");
    speaks(&t.s, 31, "worker-heartbeat", 7);
    scene_expect(&t.s, "");
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_origins),
        cmocka_unit_test(unknown),
        cmocka_unit_test(spoofed),
        cmocka_unit_test(other_user),
        cmocka_unit_test(retries),
        cmocka_unit_test(retries_from_before),
        cmocka_unit_test(retries_of_the_unseen),
        cmocka_unit_test(relays),
        cmocka_unit_test(delivered),
        cmocka_unit_test(names),
        cmocka_unit_test(producers_list),
        cmocka_unit_test(replaced_baseline),
        cmocka_unit_test(worker_is_claimed),
        cmocka_unit_test(worker_moves),
        cmocka_unit_test(worker_name_is_shared),
        cmocka_unit_test(worker_is_contested),
        cmocka_unit_test(worker_is_excused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
