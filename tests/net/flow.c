/* Tests of net/flow.h: look-up against a reference, direction, expiry, eviction,
 * reuse of ports; that a flow ends exactly once; that shards do not meet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/flow.h"
#include "tests/net/support/packets.h"

#define SECOND INT64_C(1000000000)

static const uint8_t key[16] = "0123456789abcdef";

enum { LOG_MAX = 4096 };

struct scene {
    struct flow_table *t;
    struct tally tally;
    uint64_t ordinal;
    int64_t ns;
    size_t ends, by_reason[4];
    uint64_t serial[LOG_MAX]; /* of the flows that ended, the first of them */
};

static void on_end(void *ctx, struct flow *f, void *user, enum flow_end why)
{
    struct scene *s = ctx;
    uint32_t *ended = user;
    assert_ptr_equal(user, flow_user(f));
    assert_int_equal(ended[0]++, 0);
    if (s->ends < LOG_MAX)
        s->serial[s->ends] = f->id.serial;
    s->ends++;
    s->by_reason[why]++;
}

enum { USER = 100 };

static void begin(struct scene *s, struct flow_conf conf)
{
    memset(s, 0, sizeof *s);
    s->t = flow_table_new(&conf, USER, on_end, s, &s->tally);
    assert_non_null(s->t);
}

static struct packet packet(struct scene *s, const char *src, uint16_t sport, const char *dst,
                            uint16_t dport, uint8_t flags)
{
    struct packet p = {.at = {.ns = s->ns, .ordinal = ++s->ordinal},
                       .src = end_of(src, sport),
                       .dst = end_of(dst, dport),
                       .ip_proto = 6,
                       .tcp = {.flags = flags}};
    p.hash = flow_hash(&p, key);
    return p;
}

static struct packet reply(struct scene *s, const struct packet *to, uint8_t flags)
{
    struct packet p = *to;
    p.src = to->dst;
    p.dst = to->src;
    p.tcp.flags = flags;
    p.at = (struct stamp){.ns = s->ns, .ordinal = ++s->ordinal};
    p.hash = flow_hash(&p, key);
    return p;
}

static struct packet random_packet(struct scene *s, uint64_t *seed)
{
    struct packet p = {.at = {.ns = s->ns, .ordinal = ++s->ordinal}, .ip_proto = 6};
    p.src.family = p.dst.family = test_random(seed) % 2 ? 4 : 6;
    for (unsigned i = 0; i < (p.src.family == 4 ? 4u : 16u); i++) {
        p.src.ip[i] = (uint8_t)test_random(seed);
        p.dst.ip[i] = (uint8_t)test_random(seed);
    }
    p.src.port = (uint16_t)test_random(seed);
    p.dst.port = (uint16_t)test_random(seed);
    p.network = test_random(seed) % 4 ? 0 : test_random(seed);
    p.hash = flow_hash(&p, key);
    return p;
}

static void hash_is_symmetric_and_keyed(void **state)
{
    (void)state;
    struct scene s = {0};
    uint64_t seed = 1;
    size_t shards[FLOW_SHARDS] = {0};
    for (unsigned i = 0; i < 64000; i++) {
        struct packet p = random_packet(&s, &seed), r = reply(&s, &p, 0);
        assert_true(p.hash == r.hash);
        shards[flow_shard(p.hash)]++;
        r.vlan = 7; /* not part of it */
        assert_true(flow_hash(&r, key) == p.hash);
        r.network ^= 0x10000;
        assert_false(flow_hash(&r, key) == p.hash);
        r.network = p.network;
        r.ip_proto = 17;
        assert_false(flow_hash(&r, key) == p.hash);
        r.ip_proto = 6;
        r.src.port++;
        assert_false(flow_hash(&r, key) == p.hash);
        assert_false(flow_hash(&p, (const uint8_t *)"0123456789abcdeg") == p.hash);
    }
    for (unsigned i = 0; i < FLOW_SHARDS; i++)
        assert_in_range(shards[i], 800, 1200);
    /* Which port belongs to which address matters. */
    struct packet a = packet(&s, "10.0.0.1", 1, "10.0.0.2", 2, 0);
    struct packet b = packet(&s, "10.0.0.1", 2, "10.0.0.2", 1, 0);
    assert_false(a.hash == b.hash);
}

enum { MANY = 1000000 };

static void a_million_random_keys(void **state)
{
    (void)state;
    struct scene s;
    uint64_t seed = 7, again;
    begin(&s, (struct flow_conf){.max_flows = 2 * MANY});
    for (unsigned round = 0; round < 2; round++) {
        again = 7;
        s.ordinal = 0;
        for (unsigned i = 0; i < MANY; i++) {
            struct packet p = random_packet(&s, &again);
            enum dir dir;
            bool fresh;
            if (round == 1 && i % 2)
                p = reply(&s, &p, 0), s.ordinal--;
            flow_prefetch(s.t, p.hash);
            flow_prefetch_flow(s.t, p.hash);
            struct flow *f = flow_find(s.t, &p, &dir, &fresh);
            assert_non_null(f);
            assert_int_equal(fresh, round == 0);
            uint32_t *user = flow_user(f);
            if (round == 0)
                user[1] = i;
            assert_int_equal(user[1], i);
            assert_int_equal(f->id.serial, i + 1);
        }
    }
    (void)seed;
    assert_int_equal(flow_count(s.t), MANY);
    flow_table_free(s.t);
    assert_int_equal(s.ends, MANY);
    assert_int_equal(s.by_reason[FLOW_SHUTDOWN], MANY);
    for (unsigned i = 0; i < LOG_MAX; i++)
        assert_int_equal(s.serial[i], i + 1);
}

static void direction(void **state)
{
    (void)state;
    static const uint16_t ports[] = {5672, 6379};
    static const struct {
        uint16_t src, dst;
        uint8_t flags;
        enum dir dir;
    } row[] = {
        {6379, 40000, TCP_SYN, TO_SERVER},
        {6379, 40000, TCP_SYN | TCP_ACK, TO_CLIENT},
        {40000, 6379, TCP_SYN | TCP_ACK, TO_CLIENT},
        {1000, 6379, TCP_ACK, TO_SERVER},
        {6379, 1000, TCP_ACK, TO_CLIENT},
        {9000, 9001, TCP_ACK, TO_CLIENT},
        {9001, 9000, TCP_ACK, TO_SERVER},
        {5672, 6379, TCP_ACK, TO_CLIENT},
    };
    struct scene s;
    begin(&s, (struct flow_conf){.server_ports = ports, .server_port_n = 2});
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char a[32], b[32];
        snprintf(a, sizeof a, "10.0.%zu.1", i), snprintf(b, sizeof b, "10.0.%zu.2", i);
        struct packet p = packet(&s, a, row[i].src, b, row[i].dst, row[i].flags);
        enum dir dir;
        bool fresh;
        struct flow *f = flow_find(s.t, &p, &dir, &fresh);
        assert_int_equal(dir, row[i].dir);
        assert_int_equal(f->id.server.port, dir == TO_SERVER ? row[i].dst : row[i].src);
        struct packet r = reply(&s, &p, TCP_ACK);
        assert_ptr_equal(flow_find(s.t, &r, &dir, &fresh), f);
        assert_int_equal(dir, dir_other(row[i].dir));
    }
    flow_table_free(s.t);
}

static void counts_and_reverse(void **state)
{
    (void)state;
    struct scene s;
    enum dir dir;
    bool fresh;
    begin(&s, (struct flow_conf){0});
    struct packet p = packet(&s, "10.0.0.1", 4000, "10.0.0.2", 5672, TCP_ACK);
    struct packet r = reply(&s, &p, TCP_ACK);
    p.wire_payload = 10;
    r.wire_payload = 5;
    p.vlan = 3;
    struct flow *f = flow_find(s.t, &p, &dir, &fresh);
    assert_int_equal(dir, TO_CLIENT);
    assert_int_equal(f->id.vlan, 3);
    r.at.ns = 77;
    flow_find(s.t, &r, &dir, &fresh);
    assert_int_equal(f->last.ns, 77);
    assert_int_equal(f->packets[TO_CLIENT], 1);
    assert_int_equal(f->octets[TO_CLIENT], 10);
    flow_reverse(f);
    assert_int_equal(f->id.client.port, 4000);
    assert_int_equal(f->octets[TO_SERVER], 10);
    flow_find(s.t, &p, &dir, &fresh);
    assert_int_equal(dir, TO_CLIENT); /* as first decided */
    assert_int_equal(flow_dir(f, dir), TO_SERVER);
    assert_int_equal(f->octets[TO_SERVER], 20);
    assert_int_equal(f->octets[TO_CLIENT], 5);
    flow_find(s.t, &r, &dir, &fresh);
    assert_int_equal(dir, TO_SERVER);
    flow_table_free(s.t);
    assert_int_equal(s.ends, 1);
}

static void tick(struct scene *s, int64_t seconds)
{
    s->ns = seconds * SECOND;
    flow_tick(s->t, (struct stamp){.ns = s->ns});
}

static struct flow *send_one(struct scene *s, const struct packet *p, bool *fresh)
{
    enum dir dir;
    struct packet now = *p;
    now.at = (struct stamp){.ns = s->ns, .ordinal = ++s->ordinal};
    return flow_find(s->t, &now, &dir, fresh);
}

static void expiry(void **state)
{
    (void)state;
    struct scene s;
    bool fresh;
    begin(&s, (struct flow_conf){.idle_ns = 600 * SECOND});
    s.ns = 1000 * SECOND;
    struct packet young = packet(&s, "10.0.0.1", 1, "10.0.0.2", 2, TCP_SYN);
    struct packet old = packet(&s, "10.0.0.1", 3, "10.0.0.2", 2, TCP_ACK);
    old.wire_payload = 1;
    send_one(&s, &young, &fresh);
    send_one(&s, &old, &fresh);
    for (int64_t t = 1001; t <= 1030; t++)
        tick(&s, t);
    assert_int_equal(s.ends, 0);
    tick(&s, 1031);
    assert_int_equal(s.by_reason[FLOW_IDLE], 1);
    assert_int_equal(flow_count(s.t), 1);
    for (int64_t t = 1032; t <= 5000; t++) { /* kept alive every 599 s */
        tick(&s, t);
        if (t % 599 == 0)
            assert_non_null(send_one(&s, &old, &fresh)), assert_false(fresh);
    }
    assert_int_equal(s.ends, 1);
    tick(&s, 1000000000); /* a jump */
    assert_int_equal(s.ends, 2);
    assert_int_equal(flow_count(s.t), 0);
    tick(&s, 999999999); /* and back */
    assert_non_null(send_one(&s, &old, &fresh));
    assert_true(fresh);
    flow_table_free(s.t);
    assert_int_equal(s.ends, 3);
}

/* A gap of hours in the capture: the table's clock follows some packets late. */
static void heard_in_a_jump(void **state)
{
    (void)state;
    struct scene s;
    bool fresh;
    begin(&s, (struct flow_conf){.idle_ns = 600 * SECOND});
    struct packet idle = packet(&s, "10.0.0.1", 1, "10.0.0.2", 2, TCP_ACK);
    struct packet begun = packet(&s, "10.0.0.1", 3, "10.0.0.2", 2, TCP_ACK);
    struct packet wrong = packet(&s, "10.0.0.1", 4, "10.0.0.2", 2, TCP_ACK);
    idle.wire_payload = begun.wire_payload = wrong.wire_payload = 1;
    tick(&s, 1000);
    send_one(&s, &idle, &fresh);
    s.ns = 30000 * SECOND; /* no tick yet */
    send_one(&s, &begun, &fresh);
    s.ns = 90000 * SECOND; /* a damaged time */
    send_one(&s, &wrong, &fresh);
    tick(&s, 30001);
    assert_int_equal(s.by_reason[FLOW_IDLE], 2);
    assert_non_null(send_one(&s, &begun, &fresh));
    assert_false(fresh);
    for (int64_t t = 30002; t <= 30601; t++)
        tick(&s, t);
    assert_int_equal(s.ends, 2);
    tick(&s, 30602);
    assert_int_equal(s.ends, 3);
    flow_table_free(s.t);
}

/* Longer than the wheel goes round; and an idle time of a day. */
static void long_idle(void **state)
{
    (void)state;
    struct scene s;
    bool fresh;
    begin(&s, (struct flow_conf){.idle_ns = 86400 * SECOND});
    struct packet p = packet(&s, "10.0.0.1", 3, "10.0.0.2", 2, TCP_ACK);
    p.wire_payload = 1;
    send_one(&s, &p, &fresh);
    for (int64_t t = 1; t <= 86400; t++)
        tick(&s, t);
    assert_int_equal(s.ends, 0);
    tick(&s, 86401);
    assert_int_equal(s.ends, 1);
    flow_table_free(s.t);
}

static void ticks_end_by_serial(void **state)
{
    (void)state;
    struct scene s;
    uint64_t seed = 5;
    bool fresh;
    begin(&s, (struct flow_conf){0});
    for (unsigned i = 0; i < 1000; i++) {
        struct packet p = random_packet(&s, &seed);
        p.tcp.flags = TCP_SYN;
        s.ns = i % 7 * SECOND;
        send_one(&s, &p, &fresh);
    }
    tick(&s, 100);
    assert_int_equal(s.ends, 1000);
    for (unsigned i = 1; i < 1000; i++)
        assert_true(s.serial[i - 1] < s.serial[i]);
    flow_table_free(s.t);
    assert_int_equal(s.ends, 1000);
}

static void closed_flows_swallow_stragglers(void **state)
{
    (void)state;
    struct scene s;
    bool fresh;
    begin(&s, (struct flow_conf){0});
    struct packet syn = packet(&s, "10.0.0.1", 1000, "10.0.0.2", 6379, TCP_SYN);
    syn.tcp.seq = 100;
    struct packet ack = syn;
    ack.tcp.flags = TCP_ACK;
    struct packet synack = reply(&s, &syn, TCP_SYN | TCP_ACK);
    synack.tcp.ack = 101;
    struct flow *f = send_one(&s, &syn, &fresh);
    flow_close(s.t, f);
    flow_close(s.t, f);
    assert_int_equal(s.by_reason[FLOW_CLOSED], 1);
    assert_int_equal(flow_count(s.t), 0);
    assert_null(send_one(&s, &ack, &fresh));
    assert_null(send_one(&s, &syn, &fresh)); /* the same SYN */
    assert_null(send_one(&s, &synack, &fresh));
    syn.tcp.seq = 200;
    assert_non_null(send_one(&s, &syn, &fresh)); /* a new one */
    assert_true(fresh);
    assert_int_equal(s.ends, 1);
    flow_close(s.t, send_one(&s, &syn, &fresh));
    for (int64_t t = 1; t <= 10; t++)
        tick(&s, t);
    assert_null(send_one(&s, &ack, &fresh));
    tick(&s, 11);
    assert_non_null(send_one(&s, &ack, &fresh)); /* forgotten: joined in the middle */
    assert_true(fresh);
    flow_table_free(s.t);
    assert_int_equal(s.ends, 3);
}

static void a_new_connection_of_the_same_ports(void **state)
{
    (void)state;
    struct scene s;
    bool fresh;
    begin(&s, (struct flow_conf){0});
    struct packet syn = packet(&s, "10.0.0.1", 1000, "10.0.0.2", 6379, TCP_SYN);
    syn.tcp.seq = 100;
    struct packet synack = reply(&s, &syn, TCP_SYN | TCP_ACK), data = syn;
    synack.tcp.ack = 101;
    data.tcp.flags = TCP_ACK;
    data.wire_payload = 5;
    struct flow *first = send_one(&s, &syn, &fresh);
    send_one(&s, &synack, &fresh), assert_false(fresh);
    send_one(&s, &data, &fresh), assert_false(fresh);
    syn.tcp.seq = 900; /* anybody can send this */
    assert_ptr_equal(send_one(&s, &syn, &fresh), first);
    assert_false(fresh);
    send_one(&s, &data, &fresh), assert_false(fresh);
    synack.tcp.ack = 555; /* answers nothing */
    send_one(&s, &synack, &fresh), assert_false(fresh);
    synack.tcp.ack = 901; /* but the server does not answer it unless it was meant */
    struct flow *second = send_one(&s, &synack, &fresh);
    assert_true(fresh);
    assert_int_equal(second->id.client.port, 1000);
    assert_int_equal(s.by_reason[FLOW_CLOSED], 1);
    send_one(&s, &syn, &fresh), assert_false(fresh);
    /* One-way, there is no answer. */
    struct packet other = packet(&s, "10.0.0.1", 1001, "10.0.0.2", 6379, TCP_SYN);
    send_one(&s, &other, &fresh), assert_true(fresh);
    send_one(&s, &other, &fresh), assert_false(fresh);
    other.tcp.seq = 1;
    send_one(&s, &other, &fresh), assert_true(fresh);
    flow_table_free(s.t);
    assert_int_equal(s.ends, 4);
}

/* A RST that only the sensor was to see: its sender goes on. */
static void a_reset_that_was_none(void **state)
{
    (void)state;
    struct scene s;
    bool fresh;
    begin(&s, (struct flow_conf){0});
    struct packet data = packet(&s, "10.0.0.1", 1000, "10.0.0.2", 999, TCP_ACK);
    data.tcp.seq = 50;
    data.wire_payload = 5;
    struct flow *f = send_one(&s, &data, &fresh);
    flow_reverse(f); /* found out: 999 is the client's */
    flow_reverse(f);
    struct packet rst = data, other = reply(&s, &data, TCP_ACK);
    rst.tcp.flags = TCP_RST;
    rst.tcp.seq = 55;
    rst.wire_payload = 0;
    other.wire_payload = 10;
    f = send_one(&s, &rst, &fresh);
    flow_close(s.t, f);
    assert_null(send_one(&s, &data, &fresh));  /* before the RST */
    assert_null(send_one(&s, &other, &fresh)); /* was under way */
    assert_null(send_one(&s, &rst, &fresh));
    data.tcp.seq = 55;
    f = send_one(&s, &data, &fresh);
    assert_non_null(f);
    assert_true(fresh);
    assert_int_equal(f->id.server.port, 999);
    assert_int_equal(s.ends, 1);
    send_one(&s, &rst, &fresh), assert_false(fresh); /* this one is ignored by TCP, say */
    send_one(&s, &other, &fresh), assert_false(fresh);
    flow_close(s.t, f);
    assert_null(send_one(&s, &data, &fresh)); /* the RST was not the last word */
    flow_table_free(s.t);
    assert_int_equal(s.ends, 2);
}

static struct packet numbered(struct scene *s, unsigned i, uint8_t flags)
{
    char a[32];
    snprintf(a, sizeof a, "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
    struct packet p = packet(s, a, 1000, "192.0.2.1", 5672, flags);
    return p;
}

/* A flood of SYNs in a full table does not push out connections that speak. */
static void floods_evict_their_own(void **state)
{
    (void)state;
    struct scene s;
    bool fresh;
    begin(&s, (struct flow_conf){.max_flows = 64 * 100});
    for (unsigned i = 0; i < 1000; i++) {
        struct packet p = numbered(&s, i, TCP_ACK);
        p.wire_payload = 1;
        send_one(&s, &p, &fresh);
    }
    for (unsigned i = 100000; i < 200000; i++) {
        struct packet p = numbered(&s, i, TCP_SYN);
        assert_non_null(send_one(&s, &p, &fresh));
    }
    assert_true(flow_count(s.t) <= 6400);
    assert_int_equal(s.by_reason[FLOW_EVICTED], s.ends);
    assert_int_equal(s.tally.n[TALLY_flow_evicted], s.ends);
    for (unsigned i = 0; i < 1000; i++) {
        struct packet p = numbered(&s, i, TCP_ACK);
        assert_non_null(send_one(&s, &p, &fresh));
        assert_false(fresh);
    }
    flow_table_free(s.t);
    assert_int_equal(s.ends, s.tally.n[TALLY_flow_new]);
}

/* Among connections, the one that was silent goes. */
static void the_silent_one_goes(void **state)
{
    (void)state;
    struct scene s;
    bool fresh;
    begin(&s, (struct flow_conf){.max_flows = 64 * 4});
    struct packet of[5], p;
    unsigned n = 0;
    for (unsigned i = 0; n < 5; i++) {
        p = numbered(&s, i, TCP_ACK);
        p.wire_payload = 1;
        if (flow_shard(p.hash) == 9)
            of[n++] = p;
    }
    for (unsigned i = 0; i < 4; i++)
        send_one(&s, &of[i], &fresh);
    tick(&s, 5);
    send_one(&s, &of[0], &fresh);
    send_one(&s, &of[1], &fresh);
    send_one(&s, &of[3], &fresh);
    send_one(&s, &of[4], &fresh), assert_true(fresh);
    assert_int_equal(s.by_reason[FLOW_EVICTED], 1);
    for (unsigned i = 0; i < 5; i++)
        if (i != 2)
            send_one(&s, &of[i], &fresh), assert_false(fresh);
    flow_table_free(s.t);
}

/* The same packets into one table, and shard by shard into three: the same ends. */
static void shards_do_not_meet(void **state)
{
    (void)state;
    static struct scene one, three[3];
    uint64_t seed = 99;
    bool fresh;
    struct flow_conf conf = {.max_flows = 64 * 20, .idle_ns = 50 * SECOND};
    begin(&one, conf);
    for (unsigned w = 0; w < 3; w++)
        begin(&three[w], conf);
    for (unsigned i = 0; i < 200000; i++) {
        struct packet p = numbered(&one, test_random(&seed) % 5000, TCP_ACK);
        p.wire_payload = test_random(&seed) % 3;
        if (i % 500 == 0) {
            tick(&one, i / 500);
            for (unsigned w = 0; w < 3; w++)
                tick(&three[w], i / 500);
        }
        struct scene *w = &three[flow_shard(p.hash) % 3];
        w->ns = one.ns;
        w->ordinal = one.ordinal;
        struct flow *a = send_one(&one, &p, &fresh), *b = send_one(w, &p, &fresh);
        assert_int_equal(a == NULL, b == NULL); /* swallowed */
        if (!a || !b)
            continue;
        assert_int_equal(a->id.serial, b->id.serial);
        if (test_random(&seed) % 50 == 0)
            flow_close(one.t, a), flow_close(w->t, b);
    }
    size_t sum[4] = {0};
    for (unsigned w = 0; w < 3; w++)
        for (unsigned r = 0; r < 4; r++)
            sum[r] += three[w].by_reason[r];
    for (unsigned r = 0; r < 3; r++)
        assert_int_equal(sum[r], one.by_reason[r]);
    assert_true(one.by_reason[FLOW_EVICTED] > 0);
    flow_table_free(one.t);
    for (unsigned w = 0; w < 3; w++)
        flow_table_free(three[w].t);
    assert_int_equal(one.ends, three[0].ends + three[1].ends + three[2].ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_is_symmetric_and_keyed),
        cmocka_unit_test(a_million_random_keys),
        cmocka_unit_test(direction),
        cmocka_unit_test(counts_and_reverse),
        cmocka_unit_test(expiry),
        cmocka_unit_test(heard_in_a_jump),
        cmocka_unit_test(long_idle),
        cmocka_unit_test(ticks_end_by_serial),
        cmocka_unit_test(closed_flows_swallow_stragglers),
        cmocka_unit_test(a_new_connection_of_the_same_ports),
        cmocka_unit_test(a_reset_that_was_none),
        cmocka_unit_test(floods_evict_their_own),
        cmocka_unit_test(the_silent_one_goes),
        cmocka_unit_test(shards_do_not_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
