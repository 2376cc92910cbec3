/* Tests of what message detectors ask of a baseline: task-origin-missing, pickle-unknown-import. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "signatures/baseline.h"
#include "signatures/message/message.h"
#include "signatures/pickle/pickle.h"

static unsigned severity; /* of the one finding of the rule; 0: none */
static enum rule_id wanted;

static void found(void *ctx, const struct msg *m, struct finding *f)
{
    (void)ctx, (void)m;
    if (f->rule == wanted)
        severity = f->severity;
}

static struct conn_info conn = {.id = {.client = {.ip = {10, 0, 0, 40}, .family = 4}},
                                .proto = "amqp"};

static unsigned missing(const struct baseline *b, const char *lang, const char *origin,
                        enum dir dir)
{
    struct policy policy = {.baseline = b};
    struct detect_out out = {.policy = &policy, .emit = found};
    struct msg m;

    msg_init(&m, MSG_TASK, "published");
    m.conn = &conn;
    m.dir = dir;
    fields_num(&m.fields, F_TASK_PROTOCOL, 2);
    if (lang)
        fields_str(&m.fields, F_TASK_LANG, lang);
    if (origin)
        fields_str(&m.fields, F_TASK_ORIGIN, origin);
    severity = 0;
    wanted = RULE_TASK_ORIGIN_MISSING;
    origin_detector.check(&m, &out);
    return severity;
}

static void add(struct baseline *b, const char *name, unsigned last)
{
    struct network n = {.ip = {10, 0, 0, (uint8_t)last}, .family = 4, .prefix = 32};
    struct baseline_entry *e = baseline_add(b, BASELINE_PRODUCERS, name);

    assert_true(e && baseline_add_address(e, &n) && baseline_index(b));
}

static void origin(void **state)
{
    struct baseline b = {0}, tasks = {0};

    (void)state;
    tasks.sections[BASELINE_TASKS].present = true;
    assert_int_equal(missing(NULL, "py", NULL, TO_SERVER), SEV_HIGH);
    assert_int_equal(missing(NULL, NULL, NULL, TO_SERVER), SEV_HIGH);
    assert_int_equal(missing(NULL, "js", NULL, TO_SERVER), SEV_LOW);
    assert_int_equal(missing(NULL, "js", "gen1@web1", TO_SERVER), 0);
    assert_int_equal(missing(&tasks, "js", NULL, TO_SERVER), SEV_LOW); /* not judged */
    b.sections[BASELINE_PRODUCERS].present = true;
    assert_int_equal(missing(&b, "js", NULL, TO_SERVER), SEV_HIGH);
    assert_int_equal(missing(&b, "js", "node@web", TO_SERVER), SEV_HIGH);
    add(&b, "", 40);
    assert_int_equal(missing(&b, "js", NULL, TO_SERVER), 0);
    assert_int_equal(missing(&b, "js", "node@web", TO_SERVER), 0);
    assert_int_equal(missing(&b, "js", NULL, TO_CLIENT), 0);
    assert_int_equal(missing(&b, "py", NULL, TO_SERVER), SEV_HIGH); /* Python writes one */
    assert_int_equal(missing(&b, NULL, NULL, TO_SERVER), SEV_HIGH);
    conn.id.client.ip[3] = 41;
    assert_int_equal(missing(&b, "js", NULL, TO_SERVER), SEV_HIGH);
    add(&b, "node@*", 41);
    assert_int_equal(missing(&b, "js", "node@web", TO_SERVER), 0);
    assert_int_equal(missing(&b, "js", NULL, TO_SERVER), SEV_HIGH);
    baseline_clear(&b);
    conn.id.client.ip[3] = 40;
}

static unsigned import(const struct baseline *b, const char *queue, const char *key,
                       const char *first, const char *second)
{
    struct pickle_import imports[] = {
        {.module = bytes_of(first, strlen(first)), .opcode = 'c', .kind = PICKLE_CLASS_UNKNOWN},
        {.module = bytes_of(second, strlen(second)), .opcode = 'c', .kind = PICKLE_CLASS_UNKNOWN}};
    struct pickle_result r = {
        .verdict = PICKLE_OBJECTS_UNKNOWN, .imports = imports, .n_imports = 2};
    struct content c = {.what = WHAT_PICKLE,
                        .type = bytes_of("application/x-python-serialize", 30)};
    struct policy policy = {.baseline = b};
    struct arena *arena = arena_new(1 << 20);
    struct detect_out out = {.policy = &policy, .arena = arena, .emit = found};
    struct msg m;

    msg_init(&m, MSG_TASK, "published");
    m.conn = &conn;
    m.content = &c;
    m.pickle = &r;
    if (queue)
        fields_str(&m.fields, F_TASK_QUEUE, queue);
    if (key)
        fields_str(&m.fields, F_TASK_ROUTING_KEY, key);
    severity = 0;
    wanted = RULE_PICKLE_UNKNOWN_IMPORT;
    pickle_detector.check(&m, &out);
    arena_free(arena);
    return severity;
}

static void imports(void **state)
{
    struct baseline b = {0};

    (void)state;
    assert_int_equal(import(NULL, "celery", NULL, "a", "b"), SEV_INFO);
    assert_int_equal(import(&b, "celery", NULL, "a", "b"), SEV_INFO); /* not judged */
    b.sections[BASELINE_IMPORTS].present = true;
    assert_int_equal(import(&b, "celery", NULL, "a", "b"), SEV_MEDIUM);
    assert_true(baseline_add_text(baseline_add(&b, BASELINE_IMPORTS, "celery"), "shop"));
    assert_int_equal(import(&b, "celery", NULL, "a", "shop.x"), SEV_HIGH);
    assert_int_equal(import(&b, NULL, "celery", "shop.x", "a"), SEV_HIGH);
    assert_int_equal(import(&b, "celery", NULL, "shop.x", "shop"), 0);
    assert_int_equal(import(&b, NULL,
                            "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.1.celery",
                            "shop.x", "shop"),
                     0); /* by native delayed delivery */
    assert_int_equal(import(&b, "orders", NULL, "shop.x", "shop"), SEV_MEDIUM);
    assert_int_equal(import(&b, NULL, NULL, "shop.x", "shop"), 0);
    assert_int_equal(import(&b, NULL, NULL, "shop.x", "a"), SEV_MEDIUM);
    baseline_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(origin), cmocka_unit_test(imports)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
