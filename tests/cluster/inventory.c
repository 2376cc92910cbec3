/* Tests of cluster/inventory.c and inventory_facts.c: what messages show, and that floods push out
 * their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "signatures/cluster/inventory.h"
#include "support/scene.h"

/* The scene only makes messages: an inventory is no detector. */
static void *none_open(const struct policy *policy)
{
    (void)policy;
    return inventory_new();
}

static void none_note(void *self, const struct msg *m, const struct detect_out *out)
{
    (void)out;
    inventory_note(self, m);
}

static void none_close(void *self)
{
    inventory_free(self);
}

static const struct cluster_detector inventory = {
    .name = "inventory", .wants = ~0u, .open = none_open, .note = none_note, .close = none_close};

static const char *const words[FACT_KINDS] = {"broker",   "client",     "user",      "queue",
                                              "import",   "producer",   "node",      "software",
                                              "consumer", "controller", "scheduler", "listener"};

/* All facts but those of `but`, "kind place name item user@host" each. */
static void expect_but(struct scene *s, enum fact_kind but, const char *want)
{
    char out[4096] = "";
    size_t n;
    struct fact *all = facts_sorted(inventory_facts(s->self), &n);

    for (size_t i = 0; i < n; i++) {
        const struct fact *f = &all[i];
        char *to = out + strlen(out);

        if (f->kind == but)
            continue;
        snprintf(to, sizeof out - strlen(out), "%s %.*s %.*s %.*s %.*s@%u\n", words[f->kind],
                 (int)f->place.len, (const char *)f->place.at, (int)f->name.len,
                 (const char *)f->name.at, (int)f->item.len, (const char *)f->item.at,
                 (int)f->user.len, (const char *)f->user.at, f->who.ip[3]);
    }
    free(all);
    assert_string_equal(out, want);
}

static void published(struct scene *s, unsigned host, const char *origin, const char *name,
                      const char *id)
{
    scene_amqp(s, host, host, MSG_TASK, "published");
    s->m.op = OP_PUBLISH;
    scene_set(s, F_USER, "shop");
    scene_set(s, F_TASK_ID, id);
    scene_set(s, F_TASK_NAME, name);
    scene_set(s, F_TASK_ORIGIN, origin);
    scene_set(s, F_TASK_QUEUE, "celery");
}

static void who_publishes(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &inventory);
    published(&s, 5, "gen12@web", "shop.add", "1");
    scene_list(&s, F_TASK_SUBTASKS, "shop.then,shop.add");
    scene_say(&s);
    published(&s, 6, "not an origin", "shop.odd", "2");
    scene_say(&s);
    published(&s, 7, "gen12@web", "shop.add", "3");
    scene_num(&s, F_TASK_RETRIES, 1);
    scene_say(&s);
    expect_but(&s, FACT_BROKER,
               "queue / celery  @0\n"
               "producer /  shop.odd shop@6\n"
               "producer / web shop.add shop@5\n"
               "producer / web shop.then shop@5\n");
    scene_close(&s);
}

/* What a worker publishes again keeps the origin of who sent it first. */
static void what_is_sent_on(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &inventory);
    published(&s, 5, "gen12@web", "shop.add", "1");
    scene_say(&s);
    scene_deliver(&s, 9, 9, "1");
    published(&s, 9, "gen12@web", "shop.add", "1");
    scene_say(&s);
    published(&s, 8, "gen12@web", "shop.add", "1"); /* that one never took it */
    scene_say(&s);
    char out[4096] = "";
    size_t n;
    struct fact *all = facts_sorted(inventory_facts(s.self), &n);
    for (size_t i = 0; i < n; i++)
        if (all[i].kind == FACT_PRODUCER && all[i].name.len == 3)
            snprintf(out + strlen(out), sizeof out - strlen(out), "%u ", all[i].who.ip[3]);
    free(all);
    assert_string_equal(out, "5 8 ");
    scene_close(&s);
}

static void who_works(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &inventory);
    scene_event(&s, 9, 1, "worker-online", "celery@app1");
    scene_command(&s, 9, 1, "basic.consume", "celery");
    scene_command(&s, 9, 1, "basic.consume", "celery@app1.celery.pidbox");
    scene_command(&s, 9, 1, "basic.consume", "celeryev.123e4567-e89b-12d3-a456-426614174000");
    scene_command(&s, 9, 1, "queue.declare", "second@app1.celery.pidbox");
    scene_amqp(&s, 3, 3, MSG_CONTROL, "command");
    scene_set(&s, F_CONTROL_METHOD, "stats");
    scene_say(&s);
    scene_amqp(&s, 9, 1, MSG_CONTROL, "command");
    scene_set(&s, F_CONTROL_METHOD, "hello");
    scene_say(&s);
    expect_but(&s, FACT_BROKER,
               "node / celery@app1  @9\n"
               "node / second@app1  @9\n"
               "consumer / celery  @9\n"
               "controller /  stats @3\n"
               "listener /   @9\n");
    scene_close(&s);
}

static void who_schedules(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &inventory);
    scene_redis(&s, 4, 4, MSG_ENVELOPE, NULL);
    s.m.op = OP_STORE;
    scene_set(&s, F_REDIS_KEY, "app:redbeat:every");
    assert_true(inventory_wants_envelope(&s.m));
    scene_say(&s);
    scene_redis(&s, 5, 5, MSG_ENVELOPE, NULL);
    s.m.op = OP_READ;
    s.m.dir = TO_CLIENT;
    scene_set(&s, F_REDIS_KEY, "redbeat:every");
    assert_false(inventory_wants_envelope(&s.m));
    scene_say(&s);
    expect_but(&s, FACT_BROKER, "scheduler 0   @4\n");
    scene_close(&s);
}

static void note(struct facts *f, unsigned source, const char *name, int64_t now)
{
    struct fact seen = {
        .kind = FACT_PRODUCER, .proto = "amqp", .name = bytes_of(name, strlen(name))};

    seen.who =
        (struct endpoint){.ip = {10, 0, (uint8_t)(source >> 8), (uint8_t)source}, .family = 4};
    facts_note(f, &seen, source, now);
}

static bool has(struct facts *f, const char *name)
{
    size_t n;
    struct fact *all = facts_sorted(f, &n);
    bool found = false;

    for (size_t i = 0; i < n; i++)
        found |=
            all[i].name.len == strlen(name) && memcmp(all[i].name.at, name, all[i].name.len) == 0;
    free(all);
    return found;
}

static void a_flood_pushes_out_its_own(void **state)
{
    struct facts *f = facts_new(1600);
    char name[32], longer[300];

    (void)state;
    note(f, 1, "real", 1);
    for (unsigned i = 0; i < 100000; i++) {
        snprintf(name, sizeof name, "made-up-%u", i);
        note(f, 66, name, 2 + i);
    }
    assert_true(has(f, "real"));
    assert_true(has(f, "made-up-99999"));
    assert_false(has(f, "made-up-1"));
    assert_int_equal(facts_count(f), 101);
    assert_int_equal(facts_evicted(f), 99900);
    /* Of many sources: what was seen longest ago goes, and what is seen again stays. */
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "one-%u", i);
        note(f, 1000 + i % 500, name, 200000 + i);
        note(f, 1, "real", 200000 + i);
    }
    assert_true(has(f, "real"));
    assert_true(facts_count(f) <= 1600);
    memset(longer, 'x', sizeof longer);
    longer[299] = '\0';
    note(f, 2, longer, 1);
    assert_int_equal(facts_lost(f), 1);
    facts_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_publishes),
        cmocka_unit_test(what_is_sent_on),
        cmocka_unit_test(who_works),
        cmocka_unit_test(who_schedules),
        cmocka_unit_test(a_flood_pushes_out_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
