/* Tests of run/baseline.h: what is read, every complaint at its line and column, and the one in
 * use that is replaced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "run/baseline.h"

static const char whole[] =
    "version: 1\n"
    "producers:   [ { origin: web1, addresses: [10.0.0.10], tasks: [\"shop.*\"], user: shop } ]\n"
    "workers:     [ { node: \"celery@app1\", addresses: [10.0.0.0/24, \"2001:db8::/64\"],\n"
    "                 queues: [celery] } ]\n"
    "controllers: [ { addresses: [10.0.0.12], commands: [\"*\"] } ]\n"
    "tasks:       [ \"shop.*\", other.add ]\n"
    "imports:     [ { queue: celery, modules: [\"shop.models\"] } ]\n"
    "relays:      [ { addresses: [10.0.0.30] } ]\n"
    "monitors:    []\n"
    "schedulers:\n";

static void reads(void **state)
{
    struct baseline b = {0};
    const struct baseline_entry *e;

    (void)state;
    assert_int_equal(baseline_parse(&b, "text", bytes_of(whole, sizeof whole - 1)), 0);
    e = b.sections[BASELINE_PRODUCERS].at;
    assert_string_equal(e->name, "web1");
    assert_true(e->has_addresses && e->has_list);
    assert_int_equal(e->addresses.n, 1);
    assert_int_equal(e->addresses.at[0].prefix, 32);
    assert_string_equal(e->list.at[0], "shop.*");
    assert_string_equal(e->user, "shop");
    e = b.sections[BASELINE_WORKERS].at;
    assert_int_equal(e->addresses.n, 2);
    assert_int_equal(e->addresses.at[1].family, 6);
    assert_int_equal(e->addresses.at[1].prefix, 64);
    assert_null(e->user);
    assert_int_equal(b.sections[BASELINE_TASKS].n, 2);
    assert_string_equal(b.sections[BASELINE_TASKS].at[1].name, "other.add");
    assert_string_equal(b.sections[BASELINE_IMPORTS].at->name, "celery");
    assert_true(b.sections[BASELINE_MONITORS].present);
    assert_int_equal(b.sections[BASELINE_MONITORS].n, 0);
    assert_true(b.sections[BASELINE_SCHEDULERS].present); /* null: empty */
    baseline_clear(&b);
    assert_int_equal(baseline_parse(&b, "text", bytes_of("version: 1", 10)), 0);
    for (unsigned s = 0; s < BASELINE_SECTIONS; s++)
        assert_false(b.sections[s].present);
    baseline_clear(&b);
}

/* What the complaints on standard error are. */
static void complaints(const char *text, char *said, size_t size, int expected)
{
    int keep = dup(STDERR_FILENO), pipes[2];
    struct baseline b = {0};
    ssize_t n;

    assert_int_equal(pipe(pipes), 0);
    dup2(pipes[1], STDERR_FILENO);
    int status = baseline_parse(&b, "b.yaml", bytes_of(text, strlen(text)));
    fflush(stderr);
    dup2(keep, STDERR_FILENO);
    close(pipes[1]);
    n = read(pipes[0], said, size - 1);
    said[n > 0 ? n : 0] = '\0';
    close(pipes[0]);
    close(keep);
    if (status != expected)
        print_error("%s\n", text);
    assert_int_equal(status, expected);
    if (status != 0)
        for (unsigned s = 0; s < BASELINE_SECTIONS; s++)
            assert_true(!b.sections[s].present && !b.sections[s].at);
    baseline_clear(&b);
}

static void complains(void **state)
{
    static const struct {
        const char *text, *place, *what;
    } cases[] = {
        {"version: 2\n", "1:10", "version"},
        {"tasks: []\n", "1:1", "version: 1"},
        {"", "1:1", "version: 1"},
        {"- 1\n", "1:1", "mapping"},
        {"version: 1\ncolours: []\n", "2:1", "unknown section 'colours'"},
        {"version: 1\ntasks: shop\n", "2:8", "list"},
        {"version: 1\ntasks: []\ntasks: []\n", "3:1", "twice"},
        {"version: 1\ntasks: [ a, { b: c } ]\n", "2:13", "texts"},
        {"version: 1\ntasks: [ \"\" ]\n", "2:10", "empty"},
        {"version: 1\nworkers: [ celery ]\n", "2:12", "mappings"},
        {"version: 1\nworkers: [ { addresses: [10.0.0.20] } ]\n", "2:12", "'node'"},
        {"version: 1\nproducers: [ { tasks: [a] } ]\n", "2:14", "'origin'"},
        {"version: 1\ncontrollers: [ { commands: [a] } ]\n", "2:16", "'addresses'"},
        {"version: 1\nimports: [ { modules: [a] } ]\n", "2:12", "'queue'"},
        {"version: 1\nrelays: [ {} ]\n", "2:11", "'addresses'"},
        {"version: 1\nrelays: [ { addresses: [10.0.0.1], user: x } ]\n", "2:36", "unknown key"},
        {"version: 1\nworkers: [ { node: a, node: b } ]\n", "2:23", "twice"},
        {"version: 1\nworkers: [ { node: [a] } ]\n", "2:20", "text"},
        {"version: 1\nworkers: [ { node: \"\" } ]\n", "2:20", "empty"},
        {"version: 1\nworkers: [ { node: a, user: \"\" } ]\n", "2:29", "empty"},
        {"version: 1\nproducers: [ { origin: \"\", user: \"\" } ]\n", "2:34", "empty"},
        {"version: 1\nworkers: [ { node: a, queues: celery } ]\n", "2:31", "list"},
        {"version: 1\nworkers: [ { node: a, queues: [\"\"] } ]\n", "2:32", "empty"},
        {"version: 1\nrelays: [ { addresses: 10.0.0.1 } ]\n", "2:24", "list"},
        {"version: 1\nrelays: [ { addresses: [10.0.0.300] } ]\n", "2:25", "address"},
        {"version: 1\nrelays: [ { addresses: [10.0.0.1/24] } ]\n", "2:25", "behind its prefix"},
        {"version: 1\nrelays: [ { addresses: [\"2001:db8::1/64\"] } ]\n", "2:25", "prefix"},
        {"version: 1\nrelays: [ { addresses: [10.0.0.0/33] } ]\n", "2:25", "address"},
        {"version: 1\nrelays: [ { addresses: [[]] } ]\n", "2:25", "texts"},
        {"version: 1\nworkers:\n- { node: a, addresses: [10.0.0.0/24], user: x }\n"
         "- { node: b, user: y }\n- { node: a, addresses: [10.0.0.7], user: y }\n",
         "5:3", "line 3"},
        {"version: 1\nproducers:\n- { origin: a, user: x }\n- { origin: a, user: y }\n", "4:3",
         "contradicts"},
        {"version: 1\ntasks: [\n", "3:1", ""},
    };
    char said[1024];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char place[64];

        complaints(cases[i].text, said, sizeof said, 78);
        snprintf(place, sizeof place, "b.yaml:%s: ", cases[i].place);
        if (!strstr(said, place) || !strstr(said, cases[i].what)) {
            print_error("%s%s", cases[i].text, said);
            fail();
        }
    }
}

static void no_contradiction(void **state)
{
    static const char *const texts[] = {
        "producers: [ { origin: \"\" } ]\n",
        "workers:\n- { node: a, user: x }\n- { node: a, user: x }\n",
        "workers:\n- { node: a, user: x }\n- { node: a }\n",
        "workers:\n- { node: a, user: x }\n- { node: b, user: y }\n",
        ("workers:\n- { node: a, addresses: [10.0.0.1], user: x }\n"
         "- { node: a, addresses: [10.0.0.2, \"::1\"], user: y }\n"),
        "workers:\n- { node: a, queues: [c], user: x }\n- { node: a, queues: [d], user: y }\n",
    };
    char text[512], said[1024];

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        snprintf(text, sizeof text, "version: 1\n%s", texts[i]);
        complaints(text, said, sizeof said, 0);
        assert_string_equal(said, "");
    }
}

/* Aliases that multiply are an end, not a flood. */
static void bomb(void **state)
{
    char *text = NULL, said[4096];
    size_t len;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    fprintf(out, "version: 1\nrelays:\n- &e\n  addresses: [");
    for (unsigned i = 0; i < 2000; i++)
        fprintf(out, "1.1.1.1,");
    fprintf(out, "]\n");
    for (unsigned i = 0; i < 2000; i++)
        fprintf(out, "- *e\n");
    fclose(out);
    complaints(text, said, sizeof said, 78);
    assert_non_null(strstr(said, "more than 1000000 entries"));
    free(text);
}

static void write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void replaced(void **state)
{
    char path[] = "/tmp/celeriac-baseline-XXXXXX";
    const struct baseline *one = NULL, *two = NULL;
    struct baselines *h = NULL;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    write_file(path, "version: 2\n");
    assert_int_equal(baselines_open(path, &h), 78);
    write_file(path, "version: 1\ntasks: [a]\n");
    assert_int_equal(baselines_open(path, &h), 0);
    baselines_take(h, &one);
    baselines_take(h, &two);
    assert_ptr_equal(one, two);
    write_file(path, "version: 1\ntasks: [");
    baselines_reload(h); /* broken: nothing changes */
    baselines_take(h, &one);
    assert_ptr_equal(one, two);
    write_file(path, "version: 1\ntasks: [b]\n");
    baselines_reload(h);
    baselines_take(h, &one);
    assert_true(baseline_task(one, bytes_of("b", 1)));
    assert_true(baseline_task(two, bytes_of("a", 1))); /* as long as it is held */
    assert_false(baseline_task(two, bytes_of("b", 1)));
    assert_int_not_equal(one->generation, two->generation);
    baselines_take(h, &two);
    assert_ptr_equal(one, two);
    baselines_drop(h, &one);
    baselines_drop(h, &two);
    baselines_free(h);
    unlink(path);
    assert_int_equal(baselines_open(path, &h), 66);
    baselines_take(NULL, &one);
    baselines_drop(NULL, &one);
    baselines_reload(NULL);
    assert_null(one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads), cmocka_unit_test(complains), cmocka_unit_test(no_contradiction),
        cmocka_unit_test(bomb),  cmocka_unit_test(replaced),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
