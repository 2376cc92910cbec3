/* Tests of net/tcp.h: random traffic against a reference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/tcp.h"
#include "tests/net/support/packets.h"

enum { STREAM = 20000, PACKETS = 4000 };

struct plan {
    enum dir dir;
    uint32_t at, n; /* of the stream */
    uint32_t ack;   /* of the other's */
    uint32_t wire;  /* n, or more when cut */
    bool lost;
};

struct world {
    uint8_t stream[2][STREAM];
    uint64_t next[2]; /* what the chunks have told so far */
    uint64_t gap[2];
    bool closed[2];
    unsigned complaints;
};

static bool on_world_chunk(void *ctx, const struct chunk *c)
{
    struct world *w = ctx;
    w->complaints += w->closed[c->dir] || c->offset != w->next[c->dir];
    if (c->kind == CHUNK_CLOSE)
        w->closed[c->dir] = true;
    if (c->kind == CHUNK_GAP) {
        w->complaints += c->missing == 0 || c->data.len != 0;
        w->gap[c->dir] += c->missing;
        w->next[c->dir] += c->missing;
    }
    if (c->kind == CHUNK_DATA) {
        bool same = c->data.len > 0 && c->offset + c->data.len <= STREAM &&
                    memcmp(w->stream[c->dir] + c->offset, c->data.at, c->data.len) == 0;
        w->complaints += !same;
        w->next[c->dir] += c->data.len;
    }
    return true;
}

/* Each end acknowledges what it has without a hole, in the order of the plan. */
static void make_acks(struct plan *plan, size_t n)
{
    static bool has[2][STREAM + 1];
    uint32_t upto[2] = {0, 0};
    memset(has, 0, sizeof has);
    for (size_t i = 0; i < n; i++) {
        enum dir d = plan[i].dir;
        memset(has[d] + plan[i].at, 1, plan[i].n);
        while (has[d][upto[d]])
            upto[d]++;
        plan[i].ack = upto[dir_other(d)];
    }
}

/* Segments of both directions: cut anywhere, some sent twice with other cuts, some swapped
 * with their neighbours, some not captured. */
static size_t make_plan(struct plan *plan, uint64_t *seed, unsigned loss, unsigned twice,
                        unsigned swap)
{
    uint32_t sent[2] = {0, 0};
    size_t n = 0;
    while ((sent[0] < STREAM || sent[1] < STREAM) && n < PACKETS - 1) {
        enum dir d = sent[0] == STREAM   ? TO_CLIENT
                     : sent[1] == STREAM ? TO_SERVER
                                         : (enum dir)(test_random(seed) % 2);
        uint32_t at = sent[d], len = 1 + test_random(seed) % 60;
        if (twice && sent[d] > 100 && test_random(seed) % 100 < twice)
            at -= test_random(seed) % 100;
        if (at + len > STREAM)
            len = STREAM - at;
        plan[n] =
            (struct plan){.dir = d, .at = at, .n = len, .ack = sent[dir_other(d)], .wire = len};
        plan[n].lost = loss && test_random(seed) % 100 < loss;
        n++;
        if (at + len > sent[d])
            sent[d] = at + len;
    }
    for (size_t i = 0; swap && i + 4 < n; i++) {
        size_t j = i + test_random(seed) % 4;
        if (test_random(seed) % 100 >= swap)
            continue;
        struct plan p = plan[i];
        plan[i] = plan[j];
        plan[j] = p;
    }
    make_acks(plan, n);
    return n;
}

static void play(const struct plan *p, struct world *w, struct tcp *t, struct tcp_pool *pool,
                 uint32_t isn)
{
    uint8_t *own = malloc(p->n ? p->n : 1);
    memcpy(own, w->stream[p->dir] + p->at, p->n);
    struct packet pkt = {.tcp = {.seq = isn + p->at, .ack = isn + p->ack, .flags = TCP_ACK},
                         .payload = bytes_of(own, p->n),
                         .wire_payload = p->wire};
    tcp_input(t, pool, p->dir, &pkt, on_world_chunk, w);
    free(own);
}

static void random_round(uint64_t seed, unsigned loss, unsigned twice, unsigned swap)
{
    static struct world w;
    static struct plan plan[PACKETS];
    struct tally tally = {0};
    struct tcp_pool *pool = tcp_pool_new(&(struct tcp_conf){0}, &tally);
    struct tcp t;
    uint32_t isn = 0xffffffffu - test_random(&seed) % STREAM; /* wraps on the way */
    memset(&w, 0, sizeof w);
    for (unsigned i = 0; i < 2 * STREAM; i++)
        w.stream[i % 2][i / 2] = (uint8_t)test_random(&seed);
    tcp_init(&t, seed);
    struct packet syn = {.tcp = {.seq = isn - 1, .flags = TCP_SYN}};
    tcp_input(&t, pool, TO_SERVER, &syn, on_world_chunk, &w);
    syn.tcp.ack = isn;
    syn.tcp.flags = TCP_SYN | TCP_ACK;
    tcp_input(&t, pool, TO_CLIENT, &syn, on_world_chunk, &w);
    size_t n = make_plan(plan, &seed, loss, twice, swap);
    for (size_t i = 0; i < n; i++)
        if (!plan[i].lost)
            play(&plan[i], &w, &t, pool, isn);
    /* A last word of each, so that all that was sent is known. */
    for (enum dir d = TO_SERVER; d <= TO_CLIENT; d++)
        play(&(struct plan){.dir = d, .at = STREAM, .ack = STREAM}, &w, &t, pool, isn);
    tcp_finish(&t, pool, (struct stamp){0}, on_world_chunk, &w);
    tcp_pool_free(pool);
    assert_int_equal(w.complaints, 0);
    assert_true(w.closed[0] && w.closed[1]);
    assert_int_equal(w.next[0], STREAM);
    assert_int_equal(w.next[1], STREAM);
    if (loss == 0)
        assert_int_equal(w.gap[0] + w.gap[1], 0);
    else
        assert_int_equal(w.gap[0] + w.gap[1], tally.n[TALLY_tcp_gap_bytes]);
    assert_int_equal(tally.n[TALLY_tcp_overlap], 0);
}

static void random_traffic(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        random_round(seed, 0, 0, 0);
        random_round(seed, 0, 20, 0);
        random_round(seed, 0, 0, 20);
        random_round(seed, 0, 20, 20);
        random_round(seed, 3, 0, 0);
        random_round(seed, 10, 20, 5);
    }
}

/* What is lost is what is missing: no more than the bytes that no captured segment held. */
static void loss_adds_up(void **state)
{
    (void)state;
    for (uint64_t seed = 1000; seed < 1100; seed++) {
        static struct plan plan[PACKETS];
        static uint8_t held[2][STREAM];
        static struct world w;
        uint64_t s = seed;
        struct tally tally = {0};
        struct tcp_pool *pool = tcp_pool_new(&(struct tcp_conf){0}, &tally);
        struct tcp t;
        memset(&w, 0, sizeof w);
        memset(held, 0, sizeof held);
        tcp_init(&t, seed);
        struct packet syn = {.tcp = {.seq = 99, .flags = TCP_SYN}};
        tcp_input(&t, pool, TO_SERVER, &syn, on_world_chunk, &w);
        syn.tcp.ack = 100;
        syn.tcp.flags = TCP_SYN | TCP_ACK;
        tcp_input(&t, pool, TO_CLIENT, &syn, on_world_chunk, &w);
        size_t n = make_plan(plan, &s, 5, 0, 0);
        size_t missing = 2 * STREAM;
        for (size_t i = 0; i < n; i++) {
            if (plan[i].lost)
                continue;
            missing -= plan[i].n;
            play(&plan[i], &w, &t, pool, 100);
        }
        for (enum dir d = TO_SERVER; d <= TO_CLIENT; d++)
            play(&(struct plan){.dir = d, .at = STREAM, .ack = STREAM}, &w, &t, pool, 100);
        tcp_finish(&t, pool, (struct stamp){0}, on_world_chunk, &w);
        tcp_pool_free(pool);
        assert_int_equal(w.complaints, 0);
        assert_int_equal(w.gap[0] + w.gap[1], missing);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_traffic),
        cmocka_unit_test(loss_adds_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
