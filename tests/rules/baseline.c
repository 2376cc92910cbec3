/* Tests of signatures/baseline.h: every question, absent and empty sections, and that the index
 * changes no answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "signatures/baseline.h"

static struct bytes text(const char *t)
{
    return bytes_of(t, strlen(t));
}

static struct endpoint v4(unsigned a, unsigned b)
{
    return (struct endpoint){.ip = {10, 0, (uint8_t)a, (uint8_t)b}, .family = 4, .port = 40000};
}

static struct baseline_entry *add(struct baseline *b, enum baseline_section s, const char *name,
                                  unsigned last, unsigned prefix)
{
    struct baseline_entry *e = baseline_add(b, s, name);
    struct network n = {.ip = {10, 0, 0, (uint8_t)last}, .family = 4, .prefix = prefix};

    assert_non_null(e);
    if (prefix > 0)
        assert_true(baseline_add_address(e, &n));
    return e;
}

static void add_text(struct baseline_entry *e, const char *t)
{
    assert_true(baseline_add_text(e, t));
}

static void nothing(void **state)
{
    struct baseline empty = {0}, present = {0};
    struct endpoint who = v4(0, 1);
    const struct baseline *none[] = {NULL, &empty};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        assert_false(baseline_judges(none[i], BASELINE_TASKS));
        assert_false(baseline_lists(none[i], BASELINE_RELAYS, &who));
        assert_false(baseline_controls(none[i], &who, text("ping")));
        assert_true(baseline_producer_task(none[i], text("web1"), &who, text("a")));
        assert_true(baseline_task(none[i], text("a")));
        assert_false(baseline_worker(none[i], text("a@b"), &who, text("celery"), text("u")));
        assert_false(baseline_queue(none[i], text("celery")));
        assert_int_equal(baseline_import(none[i], text("celery"), text("m")), IMPORT_KNOWN);
    }
    assert_int_equal(baseline_origin(NULL, text("web1"), &who, text("")), ORIGIN_KNOWN);
    for (unsigned s = 0; s < BASELINE_SECTIONS; s++)
        present.sections[s].present = true;
    assert_true(baseline_index(&present));
    assert_true(baseline_judges(&present, BASELINE_TASKS));
    assert_false(baseline_task(&present, text("a")));
    assert_int_equal(baseline_origin(&present, text("web1"), &who, text("")), ORIGIN_UNKNOWN);
    assert_int_equal(baseline_import(&present, text("celery"), text("m")), IMPORT_UNLISTED);
    assert_false(baseline_worker(&present, text("a@b"), &who, text("celery"), text("u")));
}

static void addresses(void **state)
{
    struct baseline b = {0};
    struct network six = {.ip = {0x20, 1, 0xd, 0xb8}, .family = 6, .prefix = 33};
    struct endpoint who = v4(0, 31), v6 = {.ip = {0x20, 1, 0xd, 0xb8, 0x7f, 1}, .family = 6};

    (void)state;
    assert_true(baseline_add_address(add(&b, BASELINE_RELAYS, NULL, 24, 29), &six));
    assert_true(baseline_lists(&b, BASELINE_RELAYS, &who));
    assert_true(baseline_lists(&b, BASELINE_RELAYS, &v6));
    v6.ip[4] = 0x80;
    assert_false(baseline_lists(&b, BASELINE_RELAYS, &v6));
    who = v4(0, 32);
    assert_false(baseline_lists(&b, BASELINE_RELAYS, &who));
    who = v4(0, 23);
    assert_false(baseline_lists(&b, BASELINE_RELAYS, &who));
    assert_false(baseline_lists(&b, BASELINE_MONITORS, &who));
    add(&b, BASELINE_MONITORS, NULL, 0, 0)->has_addresses = true; /* an empty list: none */
    assert_false(baseline_lists(&b, BASELINE_MONITORS, &who));
    baseline_clear(&b);
}

static void controls(void **state)
{
    struct baseline b = {0};
    struct endpoint who = v4(0, 12), other = v4(0, 13);
    struct baseline_entry *e = add(&b, BASELINE_CONTROLLERS, NULL, 12, 32);

    (void)state;
    add_text(e, "pool_*");
    add_text(e, "ping");
    assert_true(baseline_controls(&b, &who, text("pool_grow")));
    assert_true(baseline_controls(&b, &who, text("ping")));
    assert_false(baseline_controls(&b, &who, text("shutdown")));
    assert_false(baseline_controls(&b, &who, text("")));
    assert_false(baseline_controls(&b, &other, text("ping")));
    add(&b, BASELINE_CONTROLLERS, NULL, 13, 32);
    assert_true(baseline_controls(&b, &other, text("shutdown")));
    baseline_clear(&b);
}

static void origins(void **state)
{
    struct baseline b = {0};
    struct endpoint web = v4(0, 10), other = v4(0, 99), worker = v4(0, 20);

    (void)state;
    add(&b, BASELINE_PRODUCERS, "web1", 10, 32)->user = strdup("shop*");
    add(&b, BASELINE_PRODUCERS, "pod-*", 64, 26);
    add(&b, BASELINE_PRODUCERS, "anywhere", 0, 0);
    add(&b, BASELINE_PRODUCERS, "", 11, 32);
    add(&b, BASELINE_WORKERS, "celery@app1", 20, 32);
    add(&b, BASELINE_WORKERS, "w?@pool-*", 20, 32);
    add(&b, BASELINE_WORKERS, "nohost", 20, 32);
    add(&b, BASELINE_WORKERS, "any*app9", 20, 32);
    for (unsigned indexed = 0; indexed < 2; indexed++) {
        struct bytes any = {0};

        assert_int_equal(baseline_origin(&b, text("web1"), &web, any), ORIGIN_KNOWN);
        assert_int_equal(baseline_origin(&b, text("web1"), &web, text("shop2")), ORIGIN_KNOWN);
        assert_int_equal(baseline_origin(&b, text("web1"), &web, text("guest")), ORIGIN_OTHER_USER);
        assert_int_equal(baseline_origin(&b, text("web1"), &other, text("shop")), ORIGIN_ELSEWHERE);
        assert_int_equal(baseline_origin(&b, text("web1"), NULL, any), ORIGIN_KNOWN);
        assert_int_equal(baseline_origin(&b, text("web2"), NULL, any), ORIGIN_UNKNOWN);
        assert_int_equal(baseline_origin(&b, text("pod-x"), &other, any), ORIGIN_KNOWN);
        assert_int_equal(baseline_origin(&b, text("pod-x"), &web, any), ORIGIN_ELSEWHERE);
        assert_int_equal(baseline_origin(&b, text("anywhere"), &other, any), ORIGIN_KNOWN);
        assert_int_equal(baseline_origin(&b, text(""), &other, any), ORIGIN_ELSEWHERE);
        assert_int_equal(baseline_origin(&b, text("app1"), &worker, any), ORIGIN_KNOWN);
        assert_int_equal(baseline_origin(&b, text("app1"), &web, any), ORIGIN_ELSEWHERE);
        assert_int_equal(baseline_origin(&b, text("celery@app1"), &worker, any), ORIGIN_UNKNOWN);
        assert_int_equal(baseline_origin(&b, text("pool-7"), &worker, any), ORIGIN_KNOWN);
        assert_int_equal(baseline_origin(&b, text("nohost"), &worker, any), ORIGIN_UNKNOWN);
        assert_int_equal(baseline_origin(&b, text("app9"), &worker, any), ORIGIN_KNOWN);
        assert_true(baseline_index(&b));
    }
    baseline_clear(&b);
}

static void tasks(void **state)
{
    static const char *const own[] = {"accumulate",   "backend_cleanup", "chain", "chord",
                                      "chord_unlock", "chunks",          "group", "map",
                                      "starmap"};
    struct baseline b = {0};
    struct endpoint web = v4(0, 10), other = v4(0, 99);
    struct baseline_entry *e = add(&b, BASELINE_PRODUCERS, "web1", 10, 32);
    char name[64];

    (void)state;
    add_text(e, "shop.*");
    add_text(e, "mail.send");
    add(&b, BASELINE_PRODUCERS, "web2", 0, 0);
    add(&b, BASELINE_TASKS, "shop.*", 0, 0);
    add(&b, BASELINE_TASKS, "mail.send", 0, 0);
    assert_true(baseline_index(&b));
    assert_true(baseline_task(&b, text("shop.add")));
    assert_true(baseline_task(&b, text("mail.send")));
    assert_false(baseline_task(&b, text("mail.send2")));
    assert_false(baseline_task(&b, text("celery.ping")));
    assert_false(baseline_task(&b, text("celery.chor")));
    assert_false(baseline_task(&b, text("celery.")));
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        snprintf(name, sizeof name, "celery.%s", own[i]);
        assert_true(baseline_task(&b, text(name)));
    }
    assert_true(baseline_producer_task(&b, text("web1"), &web, text("mail.send")));
    assert_false(baseline_producer_task(&b, text("web1"), &web, text("mail.drop")));
    assert_true(baseline_producer_task(&b, text("web1"), &other, text("mail.drop")));
    assert_true(baseline_producer_task(&b, text("web2"), &web, text("mail.drop")));
    assert_true(baseline_producer_task(&b, text("web3"), &web, text("mail.drop")));
    add(&b, BASELINE_PRODUCERS, "web*", 10, 32); /* one without a list allows any */
    assert_true(baseline_index(&b));
    assert_true(baseline_producer_task(&b, text("web1"), &web, text("mail.drop")));
    baseline_clear(&b);
}

static void workers(void **state)
{
    struct baseline b = {0};
    struct endpoint app = v4(0, 20), other = v4(0, 21);
    struct baseline_entry *e = add(&b, BASELINE_WORKERS, "celery@app1", 20, 32);
    struct bytes any = {0};

    (void)state;
    add_text(e, "celery");
    add_text(e, "mail-*");
    e->user = strdup("shop");
    for (unsigned indexed = 0; indexed < 2; indexed++) {
        assert_true(baseline_worker(&b, text("celery@app1"), &app, text("celery"), text("shop")));
        assert_true(baseline_worker(&b, any, &app, text("mail-7"), any));
        assert_true(baseline_worker(&b, text("celery@app1"), NULL, any, any));
        assert_false(baseline_worker(&b, text("celery@app2"), &app, any, any));
        assert_false(baseline_worker(&b, any, &other, any, any));
        assert_false(baseline_worker(&b, any, &app, text("orders"), any));
        assert_false(baseline_worker(&b, any, &app, any, text("guest")));
        assert_true(baseline_queue(&b, text("celery")));
        assert_false(baseline_queue(&b, text("mail-7")));
        assert_true(baseline_index(&b));
    }
    baseline_clear(&b);
}

static void imports(void **state)
{
    struct baseline b = {0};
    struct baseline_entry *e = add(&b, BASELINE_IMPORTS, "celery", 0, 0);
    char dots[4096];

    (void)state;
    add_text(e, "shop.models");
    add_text(e, "lib.*");
    assert_int_equal(baseline_import(&b, text("celery"), text("shop.models")), IMPORT_KNOWN);
    assert_int_equal(baseline_import(&b, text("celery"), text("shop.models.order")), IMPORT_KNOWN);
    assert_int_equal(baseline_import(&b, text("celery"), text("shop.models2")), IMPORT_UNLEARNT);
    assert_int_equal(baseline_import(&b, text("celery"), text("shop")), IMPORT_UNLEARNT);
    assert_int_equal(baseline_import(&b, text("celery"), text("lib")), IMPORT_KNOWN);
    assert_int_equal(baseline_import(&b, text("celery"), text("lib.x.y")), IMPORT_KNOWN);
    assert_int_equal(baseline_import(&b, text("celery"), text("libs")), IMPORT_UNLEARNT);
    assert_int_equal(baseline_import(&b, text("orders"), text("shop.models")), IMPORT_UNLISTED);
    assert_int_equal(baseline_import(&b, text(""), text("shop.models")), IMPORT_KNOWN);
    assert_int_equal(baseline_import(&b, text(""), text("evil")), IMPORT_UNLISTED);
    add(&b, BASELINE_IMPORTS, "mail*", 0, 0); /* no list: any */
    assert_int_equal(baseline_import(&b, text("mail7"), text("evil")), IMPORT_KNOWN);
    memset(dots, '.', sizeof dots);
    assert_int_equal(baseline_import(&b, text("celery"), bytes_of(dots, sizeof dots)),
                     IMPORT_UNLEARNT);
    baseline_clear(&b);
}

/* Whatever is asked, and however many entries there are. */
static void index_changes_nothing(void **state)
{
    static const char *const globs[] = {"h%u", "h%u*", "*%u", "h[0-4]%u", "?%u"};
    struct baseline with = {0}, without = {0};
    char name[32];

    (void)state;
    srand(7);
    for (unsigned i = 0; i < 300; i++) {
        snprintf(name, sizeof name, globs[rand() % 5], (unsigned)rand() % 100);
        unsigned last = (unsigned)rand() % 4;
        add(&with, BASELINE_PRODUCERS, name, last, 32);
        add(&without, BASELINE_PRODUCERS, name, last, 32);
        add(&with, BASELINE_TASKS, name, 0, 0);
        add(&without, BASELINE_TASKS, name, 0, 0);
    }
    assert_true(baseline_index(&with));
    for (unsigned i = 0; i < 20000; i++) {
        struct endpoint who = v4(0, (unsigned)rand() % 5);

        snprintf(name, sizeof name, "h%u", (unsigned)rand() % 1000);
        assert_int_equal(baseline_origin(&with, text(name), &who, text("")),
                         baseline_origin(&without, text(name), &who, text("")));
        assert_int_equal(baseline_task(&with, text(name)), baseline_task(&without, text(name)));
    }
    baseline_clear(&with);
    baseline_clear(&without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing),  cmocka_unit_test(addresses),
        cmocka_unit_test(controls), cmocka_unit_test(origins),
        cmocka_unit_test(tasks),    cmocka_unit_test(workers),
        cmocka_unit_test(imports),  cmocka_unit_test(index_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
