/* captures.c - public captures of other projects, read by this dissector alone: what is
 * in them, and the same however their segments are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "dissectors/resp/resp.h"
#include "tests/resp/support/pcap_walk.h"

#define SHARED SOURCE_DIR "/../shared/pcaps/"

static const uint16_t ports[] = {6379, 6380, 0};

struct counts {
    unsigned commands, replies, envelopes, credentials, logins, failures, anomalies;
};

static const struct {
    const char *path;
    size_t flows;
    struct counts expected;
} captures[] = {
    /* COMMAND DOCS, AUTH refused, AUTH accepted, SET, GET */
    {"cisco+mercury/redis.pcap", 1, {5, 5, 2, 2, 2, 2, 0}},
    {"cisco+mercury/redis_exposed_creds.pcap", 1, {1, 1, 0, 1, 1, 0, 0}},
    {"deepflowio+deepflow/redis-debug.pcap", 1, {1, 1, 300, 0, 0, 0, 0}},
    {"deepflowio+deepflow/redis-error.pcap", 1, {1, 1, 0, 0, 1, 2, 0}},
    {"deepflowio+deepflow/redis.pcap", 6, {10, 10, 7, 0, 0, 0, 0}},
    {"elastic+beats_via_andrewkroh/redis_one_transaction.pcap", 1, {1, 1, 1, 0, 0, 0, 0}},
    {"elastic+beats_via_andrewkroh/redis_session.pcap", 1, {11, 11, 8, 0, 0, 1, 0}},
    {"the-tcpdump-group+tcpdump/resp_1_benchmark.pcap", 15, {15, 15, 1467, 0, 0, 0, 0}},
    {"the-tcpdump-group+tcpdump/resp_2_inline.pcap", 1, {12, 12, 182, 0, 0, 0, 0}},
    {"the-tcpdump-group+tcpdump/resp_3_malicious.pcap", 18, {20, 20, 0, 0, 0, 8, 2}},
    {"the-tcpdump-group+tcpdump/resp_4_infiniteloop.pcapng", 1, {1, 1, 0, 0, 0, 0, 0}},
};

struct reading {
    struct counts counts;
    uint64_t said;
    size_t step;
    struct arena *arena;
    struct tally tally;
    struct budget budget;
    struct dissect_conf conf;
};

static void mix(struct reading *r, struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        r->said = (r->said ^ b.at[i]) * 1099511628211u;
}

static void on_msg(void *ctx, const struct msg *m)
{
    struct reading *r = ctx;

    r->counts.commands += m->kind == MSG_COMMAND;
    r->counts.replies += m->kind == MSG_REPLY;
    r->counts.envelopes += m->kind == MSG_ENVELOPE;
    r->counts.credentials += m->kind == MSG_CREDENTIAL;
    r->counts.logins += m->kind == MSG_LOGIN;
    r->counts.failures += msg_is(m, F_OUTCOME, "failure");
    r->counts.anomalies += m->kind == MSG_ANOMALY;
    mix(r, bytes_of(&m->offset, sizeof m->offset));
    mix(r, msg_text(m, F_REDIS_COMMAND));
    mix(r, msg_text(m, F_REDIS_ARGS));
    if (m->content)
        mix(r, m->content->body);
}

static void on_chunk(void *ctx, struct walk_flow *flow, const struct chunk *c)
{
    struct reading *r = ctx;
    struct dissect_out out = {r->arena, &r->tally, on_msg, r};
    struct chunk part = *c;
    struct bytes data = c->data;

    if (!flow->user) {
        flow->user = calloc(1, resp_dissector.state_size);
        resp_dissector.init(flow->user, &r->conf);
    }
    do {
        part.data = bytes_cut(&data, r->step > 0 ? r->step : data.len);
        resp_dissector.feed(flow->user, &part, &out);
        part.offset += part.data.len;
    } while (data.len > 0);
    if (c->kind == CHUNK_CLOSE && c->dir == TO_CLIENT) {
        resp_dissector.fini(flow->user);
        free(flow->user);
    }
}

static size_t read_capture(const char *path, struct reading *r, size_t step)
{
    struct walk *w = calloc(1, sizeof *w);
    char full[512];
    size_t flows;

    memset(r, 0, sizeof *r);
    r->step = step;
    r->arena = arena_new(1u << 20);
    r->budget.limit = 1u << 30;
    r->conf = (struct dissect_conf){.max_body = 1u << 24,
                                    .max_item = 1u << 16,
                                    .max_depth = 32,
                                    .max_pending = 65536,
                                    .max_elements = 1u << 20,
                                    .commands = true,
                                    .budget = &r->budget};
    w->chunk = on_chunk;
    w->ctx = r;
    snprintf(full, sizeof full, SHARED "%s", path);
    assert_true(walk_file(w, full, ports));
    assert_int_equal(r->budget.used, 0);
    flows = w->n_flows;
    arena_free(r->arena);
    free(w);
    return flows;
}

static void each_capture_holds_what_its_project_says(void **state)
{
    struct reading r;

    (void)state;
    for (size_t i = 0; i < sizeof captures / sizeof *captures; i++) {
        const struct counts *e = &captures[i].expected, *c = &r.counts;
        size_t flows = read_capture(captures[i].path, &r, 0);
        if (flows != captures[i].flows || memcmp(e, c, sizeof *e) != 0)
            fail_msg("%s: %zu flows, {%u, %u, %u, %u, %u, %u, %u}", captures[i].path, flows,
                     c->commands, c->replies, c->envelopes, c->credentials, c->logins, c->failures,
                     c->anomalies);
    }
}

static void it_says_the_same_however_the_segments_are_cut(void **state)
{
    static const size_t steps[] = {1, 2, 3, 7, 64, 1000};
    struct reading whole, cut;

    (void)state;
    for (size_t i = 0; i < sizeof captures / sizeof *captures; i++) {
        read_capture(captures[i].path, &whole, 0);
        for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
            read_capture(captures[i].path, &cut, steps[s]);
            if (cut.said != whole.said)
                fail_msg("%s in steps of %zu", captures[i].path, steps[s]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_capture_holds_what_its_project_says),
        cmocka_unit_test(it_says_the_same_however_the_segments_are_cut),
    };

    if (access(SHARED "cisco+mercury/redis.pcap", R_OK) != 0) {
        printf("SKIP: no public captures beside the source tree\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
