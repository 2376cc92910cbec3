/* large.c - requests and replies of more and larger parts than are held together: every
 * value is told, with its own key or field, and memory stays within its bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dissectors/resp/resp.h"

struct reading {
    void *state;
    struct arena *arena;
    struct tally tally;
    struct budget budget;
    struct dissect_conf conf;
    uint64_t offset[2];
    size_t most; /* of the budget */
    unsigned envelopes, clipped, wrong, commands, replies;
    size_t args; /* of the last command */
    uint64_t body_bytes;
    bool numbered; /* value v<i> belongs to key or field k<i> */
    uint8_t seen[5001];
    unsigned listed, largest; /* keys in the REDIS_ARGS of all MSG_REPLYs; the longest list */
};

static unsigned number_of(struct bytes text)
{
    char digits[16] = {0};

    if (text.len < 2 || text.len > sizeof digits)
        return 0;
    memcpy(digits, text.at + 1, text.len - 1);
    return (unsigned)strtoul(digits, NULL, 10);
}

/* Each key once, in their order but for the first ones, which come with the reply. */
static void count_keys(struct reading *r, struct bytes list)
{
    struct bytes key;

    if (list.len > r->largest)
        r->largest = (unsigned)list.len;
    while (list_next(&list, &key)) {
        unsigned n = number_of(key);
        r->listed++;
        if (n >= sizeof r->seen || r->seen[n]++)
            r->wrong++;
    }
}

static void on_msg(void *ctx, const struct msg *m)
{
    struct reading *r = ctx;

    r->commands += m->kind == MSG_COMMAND;
    r->replies += m->kind == MSG_REPLY && !msg_has(m, F_ARGS_MORE);
    if (m->kind == MSG_REPLY && !r->numbered)
        count_keys(r, msg_text(m, F_REDIS_ARGS));
    if (m->kind == MSG_COMMAND)
        r->args = m->args->n;
    if (m->kind != MSG_ENVELOPE)
        return;
    enum field_id owner = msg_has(m, F_REDIS_FIELD) ? F_REDIS_FIELD : F_REDIS_KEY;
    unsigned own = number_of(m->content->body);
    r->envelopes++;
    r->clipped += m->content->clipped;
    r->body_bytes += m->content->body.len;
    if (r->numbered && (own != r->envelopes || number_of(msg_text(m, owner)) != own))
        r->wrong++;
}

static void start(struct reading *r, size_t max_body)
{
    memset(r, 0, sizeof *r);
    r->budget.limit = 1u << 30;
    r->conf = (struct dissect_conf){.max_body = max_body,
                                    .max_item = 1u << 16,
                                    .max_depth = 32,
                                    .max_pending = 65536,
                                    .max_elements = 1u << 20,
                                    .commands = true,
                                    .budget = &r->budget};
    r->arena = arena_new(1u << 20);
    r->state = calloc(1, resp_dissector.state_size);
    resp_dissector.init(r->state, &r->conf);
}

static void feed(struct reading *r, enum dir dir, struct bytes data, size_t step)
{
    struct dissect_out out = {r->arena, &r->tally, on_msg, r};

    while (data.len > 0) {
        struct chunk c = {.kind = CHUNK_DATA, .dir = dir, .offset = r->offset[dir]};
        c.data = bytes_cut(&data, step > 0 ? step : data.len);
        r->offset[dir] += c.data.len;
        resp_dissector.feed(r->state, &c, &out);
        r->most = r->budget.used > r->most ? r->budget.used : r->most;
    }
}

static void finish(struct reading *r)
{
    resp_dissector.fini(r->state);
    free(r->state);
    arena_free(r->arena);
    assert_int_equal(r->budget.used, 0);
}

struct text {
    char *at;
    size_t len;
    FILE *f;
};

static FILE *begin(struct text *t)
{
    t->f = open_memstream(&t->at, &t->len);
    return t->f;
}

static struct bytes done(struct text *t)
{
    fclose(t->f);
    return bytes_of(t->at, t->len);
}

static void bulk(FILE *f, const char *text)
{
    fprintf(f, "$%zu\r\n%s\r\n", strlen(text), text);
}

static const size_t steps[] = {0, 1, 7, 1460, 65536};
#define STEPS (sizeof steps / sizeof *steps)

static void numbered_pairs(const char *head, unsigned n, unsigned extra)
{
    struct text t;
    FILE *f = begin(&t);
    char word[32];

    fprintf(f, "*%u\r\n%s", 2 * n + extra, head);
    for (unsigned i = 1; i <= n; i++) {
        snprintf(word, sizeof word, "k%u", i);
        bulk(f, word);
        snprintf(word, sizeof word, "v%u", i);
        bulk(f, word);
    }
    struct bytes all = done(&t);
    for (size_t s = 0; s < STEPS; s++) {
        struct reading r;
        start(&r, 1u << 20);
        r.numbered = true;
        feed(&r, TO_SERVER, all, steps[s]);
        assert_int_equal(r.envelopes, n);
        assert_int_equal(r.wrong, 0);
        assert_int_equal(r.commands, 1);
        assert_in_range(r.args, 2, 1024);
        assert_in_range(r.most, 0, 300000);
        finish(&r);
    }
    free(t.at);
}

static void every_pair_of_a_long_request_is_told_with_its_own_name(void **state)
{
    (void)state;
    numbered_pairs("$4\r\nMSET\r\n", 5000, 1);
    numbered_pairs("$4\r\nHSET\r\n$1\r\nh\r\n", 5000, 2);
    numbered_pairs("$4\r\nMSET\r\n", 511, 1);
    numbered_pairs("$4\r\nMSET\r\n", 512, 1);
    numbered_pairs("$4\r\nHSET\r\n$1\r\nh\r\n", 511, 2);
}

/* Of a command whose keys are judged, all are told, with its reply or before it. */
static void every_key_of_a_long_request_is_judged(void **state)
{
    static const unsigned counts[] = {3, 1000, 1023, 1024, 5000};
    char word[32];

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts * STEPS; i++) {
        unsigned n = counts[i / STEPS];
        struct text t;
        struct reading r;
        FILE *f = begin(&t);

        fprintf(f, "*%u\r\n$3\r\nDEL\r\n", n + 1);
        for (unsigned k = 1; k <= n; k++) {
            snprintf(word, sizeof word, "k%u", k);
            bulk(f, word);
        }
        struct bytes all = done(&t);
        start(&r, 1u << 20);
        feed(&r, TO_SERVER, all, steps[i % STEPS]);
        feed(&r, TO_CLIENT, bytes_of(":3\r\n", 4), 0);
        assert_int_equal(r.listed, n);
        assert_int_equal(r.wrong, 0);
        assert_int_equal(r.replies, 1);
        assert_in_range(r.largest, 1, (8u << 10) + 300);
        finish(&r);
        free(t.at);
    }
}

/* The n-th value of the reply belongs to the n-th key, however many there are. */
static void values_of_a_long_request_have_their_keys(void **state)
{
    enum { N = 5000 };
    char word[32];

    (void)state;
    for (size_t s = 0; s < 2 * STEPS; s++) {
        bool hash = s >= STEPS;
        struct text t, u;
        struct reading r;
        FILE *f = begin(&t), *g = begin(&u);

        fprintf(f, hash ? "*%u\r\n$5\r\nHMGET\r\n$1\r\nh\r\n" : "*%u\r\n$4\r\nMGET\r\n",
                N + 1u + hash);
        fprintf(g, "*%u\r\n", N);
        for (unsigned k = 1; k <= N; k++) {
            snprintf(word, sizeof word, "k%u", k);
            bulk(f, word);
            snprintf(word, sizeof word, "v%u", k);
            bulk(g, word);
        }
        struct bytes request = done(&t), reply = done(&u);
        start(&r, 1u << 20);
        r.conf.commands = false;
        r.numbered = true;
        feed(&r, TO_SERVER, request, steps[s % STEPS]);
        feed(&r, TO_CLIENT, reply, steps[s % STEPS]);
        assert_int_equal(r.envelopes, N);
        assert_int_equal(r.wrong, 0);
        finish(&r);
        free(t.at);
        free(u.at);
    }
}

static void an_inline_command_has_no_end_of_words(void **state)
{
    struct text t;
    FILE *f = begin(&t);

    (void)state;
    fprintf(f, "rpush q");
    for (unsigned i = 0; i < 17000; i++)
        fprintf(f, " %s", i % 2 ? "ab" : "\"c\"");
    fprintf(f, "\r\n");
    struct bytes all = done(&t);
    for (size_t s = 0; s < STEPS; s++) {
        struct reading r;
        start(&r, 1u << 20);
        feed(&r, TO_SERVER, all, steps[s]);
        assert_int_equal(r.envelopes, 17000);
        finish(&r);
    }
    free(t.at);
}

static void a_value_behind_large_ones_is_kept_whole(void **state)
{
    enum { LARGE = 100000 };
    struct text t;
    FILE *f = begin(&t);

    (void)state;
    fprintf(f, "*8\r\n$5\r\nLPUSH\r\n$1\r\nq\r\n");
    for (unsigned i = 0; i < 5; i++)
        fprintf(f, "$%d\r\n%0*u\r\n", LARGE, LARGE, i);
    bulk(f, "{\"the last\": 1}");
    struct bytes all = done(&t);
    for (size_t s = 0; s < STEPS; s++) {
        struct reading r;
        start(&r, 50000);
        feed(&r, TO_SERVER, all, steps[s]);
        assert_int_equal(r.envelopes, 6);
        assert_int_equal(r.clipped, 5);
        assert_int_equal(r.body_bytes, 5 * 50000 + 15);
        assert_in_range(r.most, 0, 4 * 65536);
        finish(&r);
    }
    free(t.at);
}

static void a_long_reply_is_told_as_it_comes(void **state)
{
    static const char request[] = "*4\r\n$6\r\nLRANGE\r\n$1\r\nq\r\n$1\r\n0\r\n$2\r\n-1\r\n";
    struct text t;
    FILE *f = begin(&t);
    char value[1001];

    (void)state;
    memset(value, 'x', 1000);
    value[1000] = 0;
    fprintf(f, "*5000\r\n");
    for (unsigned i = 0; i < 5000; i++)
        bulk(f, value);
    struct bytes all = done(&t);
    for (size_t s = 2; s < STEPS; s++) {
        struct reading r;
        start(&r, 1u << 20);
        feed(&r, TO_SERVER, bytes_of(request, sizeof request - 1), 0);
        feed(&r, TO_CLIENT, all, steps[s]);
        assert_int_equal(r.envelopes, 5000);
        assert_int_equal(r.body_bytes, 5000000);
        assert_int_equal(r.replies, 1);
        assert_in_range(r.most, 0, 4096);
        finish(&r);
    }
    free(t.at);
}

static void lengths_off_the_wire_cost_nothing(void **state)
{
    static const char *const heads[] = {"*1073741824\r\n$5\r\nLPUSH\r\n$1\r\nq\r\n$1\r\na\r\n",
                                        "*3\r\n$5\r\nLPUSH\r\n$1\r\nq\r\n$1099511627776\r\nabc"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct reading r;
        start(&r, 1u << 24);
        feed(&r, TO_SERVER, bytes_of(heads[i], strlen(heads[i])), 5);
        feed(&r, TO_CLIENT, bytes_of("*1073741824\r\n*1073741824\r\n%1073741823\r\n:1\r\n", 43), 5);
        assert_in_range(r.most, 0, 2048);
        finish(&r);
    }
}

static void an_idle_connection_is_small(void **state)
{
    static const char task[] = "*3\r\n$5\r\nLPUSH\r\n$6\r\ncelery\r\n$4\r\nbody\r\n";
    struct reading r;

    (void)state;
    start(&r, 1u << 20);
    r.conf.commands = false;
    feed(&r, TO_SERVER, bytes_of("*3\r\n$4\r\nAUTH\r\n$4\r\nuser\r\n$2\r\npw\r\n", 32), 3);
    feed(&r, TO_CLIENT, bytes_of("+OK\r\n", 5), 2);
    for (unsigned i = 0; i < 100; i++) {
        feed(&r, TO_SERVER, bytes_of(task, sizeof task - 1), 11);
        feed(&r, TO_CLIENT, bytes_of(":1\r\n", 4), 3);
    }
    assert_in_range(resp_dissector.state_size + r.budget.used, 0, 640);
    finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_a_long_request_is_told_with_its_own_name),
        cmocka_unit_test(every_key_of_a_long_request_is_judged),
        cmocka_unit_test(values_of_a_long_request_have_their_keys),
        cmocka_unit_test(an_inline_command_has_no_end_of_words),
        cmocka_unit_test(a_value_behind_large_ones_is_kept_whole),
        cmocka_unit_test(a_long_reply_is_told_as_it_comes),
        cmocka_unit_test(lengths_off_the_wire_cost_nothing),
        cmocka_unit_test(an_idle_connection_is_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
