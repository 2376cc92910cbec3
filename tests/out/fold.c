/* Tests of out/fold.h: windows, keys, closing records, bounds; and random findings against a plain
 * model that keeps every window in a list. */
#include "out/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/out/support/sample.h"

#define S INT64_C(1000000000)

/* What came out, as text: "rule packet" and for closing records "=count first..last [sources]". */
struct heard {
    char text[1 << 16];
    size_t len;
    unsigned n, closing;
};

static void hear(void *ctx, const struct msg *m, const struct finding *f,
                 const struct fold_state *fold)
{
    struct heard *h = ctx;

    h->n++;
    h->closing += fold != NULL;
    if (h->len > sizeof h->text - 2048)
        return;
    h->len += (size_t)sprintf(h->text + h->len, "%s %d", rules[f->rule].id, (int)m->at.number);
    if (fold) {
        struct bytes list = fold->sources, item;
        assert_true(fold->final);
        h->len += (size_t)sprintf(h->text + h->len, " =%d %d..%d", (int)fold->count,
                                  (int)(fold->first_ns / S), (int)(fold->last_ns / S));
        while (list_next(&list, &item))
            h->len +=
                (size_t)sprintf(h->text + h->len, " %.*s", (int)item.len, (const char *)item.at);
    }
    h->text[h->len++] = '\n';
    h->text[h->len] = '\0';
}

struct fixture {
    struct heard heard;
    struct fold *fold;
    struct sample s;
    unsigned packet;
    int64_t at[1 << 14]; /* seconds, by packet: when a window that it opened began */
};

static struct fixture *set_up(size_t max, bool off)
{
    struct fixture *x = calloc(1, sizeof *x);

    x->fold = fold_new(max, off, hear, &x->heard);
    sample_task(&x->s);
    return x;
}

static void tear_down(struct fixture *x)
{
    fold_free(x->fold);
    free(x);
}

static bool add(struct fixture *x, int64_t second, enum rule_id rule, uint64_t class)
{
    struct finding f;

    finding_init(&f, rule, rules[rule].severity);
    f.fold_class = class;
    x->s.task.at.ns = second * S;
    x->s.task.at.number = x->s.task.at.ordinal = ++x->packet;
    x->at[x->packet % (1 << 14)] = second;
    return fold_add(x->fold, &x->s.task, &f);
}

static void heard(struct fixture *x, const char *want)
{
    assert_string_equal(x->heard.text, want);
    x->heard.len = 0;
    x->heard.text[0] = '\0';
}

static void first_at_once_rest_in_one(void **state)
{
    struct fixture *x = set_up(100, false);

    (void)state;
    assert_true(add(x, 100, RULE_CRED_DEFAULT, 0));
    heard(x, "cred-default 1\n");
    assert_false(add(x, 110, RULE_CRED_DEFAULT, 0));
    assert_false(add(x, 159, RULE_CRED_DEFAULT, 0));
    heard(x, "");
    fold_tick(x->fold, 160 * S - 1);
    heard(x, "");
    fold_tick(x->fold, 160 * S);
    heard(x, "cred-default 1 =3 100..159\n");
    assert_true(add(x, 161, RULE_CRED_DEFAULT, 0));
    heard(x, "cred-default 4\n");
    fold_finish(x->fold); /* alone in its window: nothing more to say */
    heard(x, "");
    tear_down(x);
}

static void window_is_fixed(void **state)
{
    struct fixture *x = set_up(100, false);

    (void)state;
    add(x, 0, RULE_CRED_DEFAULT, 0);
    add(x, 50, RULE_CRED_DEFAULT, 0);
    /* no tick came, and yet the window is over */
    assert_true(add(x, 60, RULE_CRED_DEFAULT, 0));
    heard(x, "cred-default 1\ncred-default 1 =2 0..50\ncred-default 3\n");
    assert_false(add(x, 55, RULE_CRED_DEFAULT, 0)); /* time goes back: it is of the open window */
    fold_finish(x->fold);
    heard(x, "cred-default 3 =2 55..60\n");
    tear_down(x);
}

static void keys(void **state)
{
    struct fixture *x = set_up(100, false);

    (void)state;
    assert_true(add(x, 0, RULE_CRED_DEFAULT, 0));
    assert_true(add(x, 0, RULE_CRED_DEFAULT, 1));       /* evidence class */
    assert_true(add(x, 0, RULE_PROTOCOL_MALFORMED, 0)); /* rule */
    x->s.conn.id.client.port++;
    assert_false(add(x, 0, RULE_CRED_DEFAULT, 0)); /* not the client's port */
    x->s.conn.id.client.ip[3]++;
    assert_true(add(x, 0, RULE_CRED_DEFAULT, 0));
    x->s.conn.id.server.port++;
    assert_true(add(x, 0, RULE_CRED_DEFAULT, 0)); /* another broker of that host */
    fields_str(&x->s.command.fields, F_AMQP_VHOST, "/other");
    assert_true(add(x, 0, RULE_CRED_DEFAULT, 0));
    fields_str(&x->s.task.fields, F_TASK_QUEUE, "other");
    assert_true(add(x, 0, RULE_CRED_DEFAULT, 0));
    x->s.conn.id.network = 5; /* another tenant's 10.0.0.1 */
    assert_true(add(x, 0, RULE_CRED_DEFAULT, 0));
    assert_false(add(x, 0, RULE_CRED_DEFAULT, 0));
    struct finding f;
    finding_init(&f, RULE_CRED_DEFAULT, SEV_LOW); /* severity */
    assert_true(fold_add(x->fold, &x->s.task, &f));
    tear_down(x);
}

/* Texts cannot be moved from one part of the key into its neighbour. */
static void parts_do_not_run_together(void **state)
{
    struct fixture *x = set_up(100, false);

    (void)state;
    fields_drop(&x->s.task.fields, F_TASK_QUEUE);
    fields_str(&x->s.task.fields, F_TASK_EXCHANGE, "ab");
    fields_str(&x->s.task.fields, F_TASK_ROUTING_KEY, "c");
    assert_true(add(x, 0, RULE_CRED_DEFAULT, 0));
    fields_str(&x->s.task.fields, F_TASK_EXCHANGE, "a");
    fields_str(&x->s.task.fields, F_TASK_ROUTING_KEY, "bc");
    assert_true(add(x, 0, RULE_CRED_DEFAULT, 0));
    fields_str(&x->s.task.fields, F_TASK_ROUTING_KEY, "bd");
    assert_true(add(x, 0, RULE_CRED_DEFAULT, 0));
    fields_str(&x->s.task.fields, F_TASK_ROUTING_KEY, /* delayed natively: the same queue */
               "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.1.bd");
    assert_false(add(x, 0, RULE_CRED_DEFAULT, 0));
    char one[300], two[300];
    memset(one, 'q', sizeof one);
    memset(two, 'q', sizeof two);
    two[299] = 'r'; /* long equal prefixes are two queues */
    fields_text(&x->s.task.fields, F_TASK_QUEUE, bytes_of(one, 300));
    assert_true(add(x, 0, RULE_CRED_DEFAULT, 0));
    fields_text(&x->s.task.fields, F_TASK_QUEUE, bytes_of(two, 300));
    assert_true(add(x, 0, RULE_CRED_DEFAULT, 0));
    fields_text(&x->s.task.fields, F_TASK_QUEUE, bytes_of(one, 299));
    assert_true(add(x, 0, RULE_CRED_DEFAULT, 0));
    tear_down(x);
}

static void own_folds_and_their_sources(void **state)
{
    struct fixture *x = set_up(100, false);

    (void)state;
    sample_login(&x->s, "probe", "x");
    for (unsigned i = 0; i < 50; i++) { /* a network of probes, all day */
        x->s.conn.id.client.ip[3] = (uint8_t)(50 - i);
        assert_int_equal(add(x, 1000 * i, RULE_CRED_REDIS_CLEARTEXT, i), i == 0);
    }
    x->s.conn.id.client.ip[2] = 9;
    assert_true(add(x, 1, RULE_CRED_REDIS_CLEARTEXT, 0)); /* another /24 */
    fields_str(&x->s.task.fields, F_USER, "else");
    assert_true(add(x, 2, RULE_CRED_REDIS_CLEARTEXT, 0));
    fold_tick(x->fold, 86399 * S);
    assert_int_equal(x->heard.closing, 0);
    x->heard.len = 0;
    fold_tick(x->fold, 86401 * S);
    heard(x, "cred-redis-cleartext 1 =50 0..49000"
             " 10.0.0.50 10.0.0.49 10.0.0.48 10.0.0.47 10.0.0.46 10.0.0.45 10.0.0.44 10.0.0.43"
             " 10.0.0.42 10.0.0.41 10.0.0.40 10.0.0.39 10.0.0.38 10.0.0.37 10.0.0.36 10.0.0.35"
             " 10.0.0.34 10.0.0.33 10.0.0.32 10.0.0.31 10.0.0.30 10.0.0.29 10.0.0.28 10.0.0.27"
             " 10.0.0.26 10.0.0.25 10.0.0.24 10.0.0.23 10.0.0.22 10.0.0.21 10.0.0.20 10.0.0.19\n");
    tear_down(x);
}

static void a_finding_may_bring_its_own_fold(void **state)
{
    struct fixture *x = set_up(100, false);
    struct finding f;

    (void)state;
    finding_init(&f, RULE_TASK_ORIGIN_MISSING, SEV_LOW);
    f.fold = FOLD_SOURCE;
    f.fold_seconds = 10;
    x->s.task.at.ns = 0;
    assert_true(fold_add(x->fold, &x->s.task, &f));
    fields_str(&x->s.task.fields, F_TASK_QUEUE, "another");
    x->s.task.at.ns = 9 * S;
    assert_false(fold_add(x->fold, &x->s.task, &f));
    x->s.task.at.ns = 10 * S;
    assert_true(fold_add(x->fold, &x->s.task, &f));
    tear_down(x);
}

static void off_means_every_one(void **state)
{
    struct fixture *x = set_up(100, true);

    (void)state;
    for (unsigned i = 0; i < 5; i++)
        assert_true(add(x, 0, RULE_CRED_DEFAULT, 0));
    fold_finish(x->fold);
    assert_int_equal(x->heard.n, 5);
    assert_int_equal(x->heard.closing, 0);
    tear_down(x);
}

static void order_of_closing(void **state)
{
    struct fixture *x = set_up(100, false);

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        add(x, 2, RULE_CRED_DEFAULT, 1);
        add(x, 2, RULE_CRED_DEFAULT, 2);
        add(x, 1, RULE_CRED_DEFAULT, 3);
    }
    x->heard.len = 0;
    fold_tick(x->fold, 1000 * S);
    heard(x, "cred-default 3 =3 1..1\ncred-default 1 =3 2..2\ncred-default 2 =3 2..2\n");
    tear_down(x);
}

/* Windows that a late finding closes before their turn leave the others in order. */
static void order_after_closing_out_of_turn(void **state)
{
    struct fixture *x = set_up(4000, false);
    uint32_t seed = 3;
    int64_t last = 0;
    unsigned n = 0;

    (void)state;
    for (unsigned i = 0; i < 3000; i++) { /* no tick: ended windows stay until they are met again */
        seed = seed * 1664525u + 1013904223u;
        add(x, seed >> 20, RULE_CRED_DEFAULT, seed >> 10 & 255);
        x->heard.len = 0;
    }
    fold_finish(x->fold);
    for (const char *line = x->heard.text; line && *line; line = strchr(line, '\n') + 1, n++) {
        int packet, count, first, end;
        assert_int_equal(sscanf(line, "cred-default %d =%d %d..%d", &packet, &count, &first, &end),
                         4);
        assert_true(x->at[packet] >= last);
        last = x->at[packet];
    }
    assert_true(n > 50);
    tear_down(x);
}

static void a_flood_closes_early_and_loses_nothing(void **state)
{
    struct fixture *x = set_up(64, false);
    unsigned fresh = 0;

    (void)state;
    for (unsigned i = 0; i < 10000; i++) {
        fresh += add(x, i / 1000, RULE_CRED_DEFAULT, i / 2);
        x->heard.len = 0;
    }
    assert_int_equal(fresh, 5000);
    fold_finish(x->fold);
    assert_int_equal(x->heard.n, 10000);
    assert_int_equal(x->heard.closing, 5000);
    tear_down(x);
}

/* A closing record is the first one with a fold: same id, time, packet, evidence. */
struct kept {
    struct encoder *e;
    json_t *first, *last;
};

static void keep(void *ctx, const struct msg *m, const struct finding *f,
                 const struct fold_state *fold)
{
    struct kept *k = ctx;
    struct record r;

    assert_true(encode_alert(k->e, m, f, fold, &r));
    *(fold ? &k->last : &k->first) = sample_parse(&r);
}

static void closing_record_repeats_the_first(void **state)
{
    struct kept k = {.e = sample_encoder(false, "key")};
    struct fold *fold = fold_new(10, false, keep, &k);
    struct sample s;
    struct finding f;

    (void)state;
    sample_task(&s);
    finding_init(&f, RULE_CRED_DEFAULT, SEV_CRITICAL);
    finding_secret(&f, "secret", sample_bytes("correct horse"));
    finding_reason(&f, "first");
    assert_true(fold_add(fold, &s.task, &f));
    finding_reason(&f, "second");
    s.task.at.ns += 5 * S;
    s.task.at.number = 77;
    s.task.offset = 99;
    assert_false(fold_add(fold, &s.task, &f));
    fold_finish(fold);
    json_t *state_of = json_incref(sample_at(k.last, "celeriac.fold"));
    assert_int_equal(json_integer_value(json_object_get(state_of, "count")), 2);
    assert_true(json_is_true(json_object_get(state_of, "final")));
    json_object_del(json_object_get(k.last, "celeriac"), "fold");
    assert_true(json_equal(k.first, k.last));
    json_decref(state_of);
    json_decref(k.first);
    json_decref(k.last);
    fold_free(fold);
    encoder_free(k.e);
}

/* ---- against a model ---- */

struct plain {
    enum rule_id rule;
    uint64_t class;
    int64_t start, end;
    unsigned count, number;
    bool open;
};

static unsigned close_of_model(struct plain *w, size_t n, int64_t now)
{
    unsigned closing = 0;

    for (size_t i = 0; i < n; i++)
        if (w[i].open && w[i].end <= now) {
            w[i].open = false;
            closing += w[i].count > 1;
        }
    return closing;
}

static bool add_to_model(struct plain *w, size_t *n, const struct plain *new, unsigned *closing)
{
    for (size_t i = 0; i < *n; i++) {
        if (!w[i].open || w[i].rule != new->rule || w[i].class != new->class)
            continue;
        if (new->start < w[i].end) {
            w[i].count++;
            return false;
        }
        w[i].open = false;
        *closing += w[i].count > 1;
    }
    w[(*n)++] = *new;
    return true;
}

static void random_findings(void **state)
{
    static struct plain w[4096];
    static const enum rule_id RULES[] = {RULE_CRED_DEFAULT, RULE_PROTOCOL_MALFORMED,
                                         RULE_REDIS_RECON};

    (void)state;
    for (uint32_t round = 1; round < 60; round++) {
        struct fixture *x = set_up(10000, false);
        uint32_t seed = round;
        size_t n = 0;
        unsigned closing = 0, fresh = 0;
        int64_t now = 0;
        for (unsigned i = 0; i < 2000; i++) {
            seed = seed * 1664525u + 1013904223u;
            now += seed >> 29;
            int64_t at = now - (seed >> 20 & 3);
            enum rule_id rule = RULES[(seed >> 12) % 3];
            struct plain p = {rule, seed >> 9 & 7, at, at + rules[rule].fold_seconds, 1, i, true};
            bool want = add_to_model(w, &n, &p, &closing);
            assert_int_equal(add(x, at, rule, p.class), want);
            fresh += want;
            if ((seed >> 16) % 7 == 0) {
                fold_tick(x->fold, now * S);
                closing += close_of_model(w, n, now);
            }
            assert_int_equal(x->heard.n, fresh + closing);
            assert_int_equal(x->heard.closing, closing);
            x->heard.len = 0;
        }
        fold_finish(x->fold);
        closing += close_of_model(w, n, INT64_MAX);
        assert_int_equal(x->heard.closing, closing);
        tear_down(x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_at_once_rest_in_one),
        cmocka_unit_test(window_is_fixed),
        cmocka_unit_test(keys),
        cmocka_unit_test(parts_do_not_run_together),
        cmocka_unit_test(own_folds_and_their_sources),
        cmocka_unit_test(a_finding_may_bring_its_own_fold),
        cmocka_unit_test(off_means_every_one),
        cmocka_unit_test(order_of_closing),
        cmocka_unit_test(order_after_closing_out_of_turn),
        cmocka_unit_test(a_flood_closes_early_and_loses_nothing),
        cmocka_unit_test(closing_record_repeats_the_first),
        cmocka_unit_test(random_findings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
