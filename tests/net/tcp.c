/* Tests of net/tcp.h: named cases first, then random traffic against a reference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/tcp.h"
#include "net/tcp_pool.h"
#include "tests/net/support/packets.h"

/* What chunk_fn was told, as text: "s+0:abc" data to the server at offset 0,
 * "c?3:10" a gap to the client of ten bytes at 3, "s." closed, "m" before it: midstream. */
struct scene {
    struct tcp t;
    struct tcp_pool *pool;
    struct tally tally;
    char log[1 << 16];
    size_t n;
    size_t chunks, stop_after; /* 0: never */
    struct tcp_conflict conflict;
    unsigned conflicts;
};

static bool on_chunk(void *ctx, const struct chunk *c)
{
    struct scene *s = ctx;
    char *at = s->log + s->n;
    size_t room = sizeof s->log - s->n;
    char side = c->dir == TO_SERVER ? 's' : 'c';
    int n = snprintf(at, room, "%s%s%c", s->n ? " " : "", c->midstream ? "m" : "", side);
    at += n, room -= (size_t)n;
    if (c->kind == CHUNK_DATA)
        n += snprintf(at, room, "+%d:%.*s", (int)c->offset, (int)c->data.len,
                      (const char *)c->data.at);
    else if (c->kind == CHUNK_GAP)
        n += snprintf(at, room, "?%d:%d", (int)c->offset, (int)c->missing);
    else
        n += snprintf(at, room, ".");
    s->n += (size_t)n;
    s->chunks++;
    return s->chunks != s->stop_after;
}

static void begin_with(struct scene *s, struct tcp_conf conf)
{
    memset(s, 0, sizeof *s);
    s->pool = tcp_pool_new(&conf, &s->tally);
    tcp_init(&s->t, 0x123456789abcdef0u);
}

static void begin(struct scene *s)
{
    begin_with(s, (struct tcp_conf){0});
}

static void end(struct scene *s)
{
    tcp_finish(&s->t, s->pool, (struct stamp){0}, on_chunk, s);
    tcp_pool_free(s->pool);
}

static void expect(struct scene *s, const char *log)
{
    assert_string_equal(s->log, log);
    s->n = 0;
    s->log[0] = '\0';
}

/* Each payload in a block of its own, exactly as long. */
static void segment(struct scene *s, enum dir dir, uint8_t flags, uint32_t seq, uint32_t ack,
                    const char *text, size_t wire)
{
    size_t n = strlen(text);
    char *own = malloc(n ? n : 1);
    memcpy(own, text, n);
    struct packet p = {.tcp = {.seq = seq, .ack = ack, .flags = flags},
                       .payload = bytes_of(own, n),
                       .wire_payload = (uint32_t)(wire ? wire : n),
                       .cut = wire > n};
    struct tcp_conflict c;
    tcp_input(&s->t, s->pool, dir, &p, on_chunk, s);
    if (tcp_conflict(s->pool, &c)) {
        s->conflict = c;
        s->conflicts++;
    }
    free(own);
}

enum { C = 1000, S = 5000 }; /* initial sequence numbers */

static void to_server(struct scene *s, uint32_t at, uint32_t acked, const char *text)
{
    segment(s, TO_SERVER, TCP_ACK, C + 1 + at, S + 1 + acked, text, 0);
}

static void to_client(struct scene *s, uint32_t at, uint32_t acked, const char *text)
{
    segment(s, TO_CLIENT, TCP_ACK, S + 1 + at, C + 1 + acked, text, 0);
}

static void handshake(struct scene *s)
{
    segment(s, TO_SERVER, TCP_SYN, C, 0, "", 0);
    segment(s, TO_CLIENT, TCP_SYN | TCP_ACK, S, C + 1, "", 0);
    to_server(s, 0, 0, "");
}

static void start(struct scene *s)
{
    begin(s);
    handshake(s);
}

static void in_order(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    to_server(&s, 0, 0, "abc");
    to_client(&s, 0, 3, "xy");
    to_server(&s, 3, 2, "def");
    expect(&s, "s+0:abc c+0:xy s+3:def");
    segment(&s, TO_SERVER, TCP_FIN | TCP_ACK, C + 7, S + 3, "", 0);
    expect(&s, ""); /* not acknowledged yet */
    segment(&s, TO_CLIENT, TCP_FIN | TCP_ACK, S + 3, C + 8, "z", 0);
    expect(&s, "s. c+2:z");
    assert_false(tcp_is_closed(&s.t));
    to_server(&s, 7, 4, "");
    expect(&s, "c.");
    assert_true(tcp_is_closed(&s.t));
    to_client(&s, 4, 0, "more");
    end(&s);
    expect(&s, "");
}

static void out_of_order(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    to_server(&s, 6, 0, "ghi");
    to_server(&s, 3, 0, "def");
    to_client(&s, 0, 0, "");
    expect(&s, "");
    to_server(&s, 0, 0, "abc");
    expect(&s, "s+0:abc s+3:def s+6:ghi");
    to_server(&s, 3, 0, "defghi"); /* again */
    to_server(&s, 8, 0, "ijk");    /* partly again */
    expect(&s, "s+9:jk");
    assert_int_equal(s.conflicts, 0);
    assert_int_equal(s.tally.n[TALLY_tcp_out_of_order], 2);
    assert_int_equal(s.tally.n[TALLY_tcp_retransmit], 2);
    end(&s);
    expect(&s, "s. c.");
}

static void overlaps_first_wins(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    to_server(&s, 4, 0, "EFG");
    to_server(&s, 2, 0, "cdefgh"); /* before and behind it is new */
    assert_int_equal(s.conflicts, 1);
    assert_int_equal(s.conflict.offset, 4);
    assert_int_equal(s.conflict.length, 3);
    assert_int_equal(s.conflict.dir, TO_SERVER);
    to_server(&s, 0, 0, "abcd");
    expect(&s, "s+0:ab s+2:cd s+4:EFG s+7:h");
    assert_int_equal(s.conflicts, 1);
    /* Passed on, not acknowledged: another version is still possible. */
    to_server(&s, 1, 0, "bcdEF");
    assert_int_equal(s.conflicts, 1);
    to_server(&s, 1, 0, "bcdEX");
    assert_int_equal(s.conflicts, 2);
    assert_int_equal(s.conflict.offset, 5);
    to_server(&s, 7, 0, "Hi");
    assert_int_equal(s.conflicts, 3);
    assert_int_equal(s.conflict.offset, 7);
    expect(&s, "s+8:i");
    /* Acknowledged: the receiver discards it, whatever it is. */
    to_client(&s, 0, 9, "");
    to_server(&s, 0, 0, "XXXXXXXXX");
    assert_int_equal(s.conflicts, 3);
    assert_int_equal(s.t.half[TO_SERVER].sent_len, 0), assert_null(s.t.half[TO_SERVER].more);
    assert_int_equal(s.tally.n[TALLY_tcp_overlap], 3);
    end(&s);
}

/* What waited for its turn was first, when the rest comes in one piece. */
static void waiting_wins_over_later(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    to_server(&s, 4, 0, "EFG");
    to_server(&s, 0, 0, "abcdEfGhi");
    expect(&s, "s+0:abcd s+4:EFG s+7:hi");
    assert_int_equal(s.conflicts, 1);
    assert_int_equal(s.conflict.offset, 5);
    assert_int_equal(s.conflict.length, 2);
    end(&s);
}

/* The receiver never got the first version, so the second must cover all of it: in
 * whatever pieces that comes, it is compared. */
static void second_versions_in_pieces(void **state)
{
    (void)state;
    static const char *const first = "0123456789abcdefghij";
    static const unsigned cut[] = {0, 3, 4, 11, 19, 20};
    uint64_t seed = 11;
    for (unsigned round = 0; round < 200; round++) {
        struct scene s;
        unsigned order[5] = {0, 1, 2, 3, 4};
        start(&s);
        to_server(&s, 0, 0, first);
        to_server(&s, 20, 0, "next");
        for (unsigned i = 0; i < 5; i++) {
            unsigned j = test_random(&seed) % 5, was = order[i];
            order[i] = order[j];
            order[j] = was;
        }
        for (unsigned i = 0; i < 5; i++) {
            char piece[32];
            unsigned at = cut[order[i]], n = cut[order[i] + 1] - at;
            memcpy(piece, first + at, n), piece[n] = '\0';
            if (round % 2 && order[i] == 2)
                piece[5] ^= 1;
            assert_int_equal(s.conflicts, 0);
            to_server(&s, at, 0, piece);
        }
        assert_int_equal(s.conflicts, round % 2);
        if (round % 2) {
            assert_int_equal(s.conflict.offset, 0);
            assert_int_equal(s.conflict.length, 20);
        }
        if (round == 5) { /* and goes away with the acknowledgement, pieces and all */
            to_server(&s, 1, 0, "12");
            to_client(&s, 0, 24, "");
            assert_int_equal(s.t.half[TO_SERVER].sent_len, 0),
                assert_null(s.t.half[TO_SERVER].more);
        }
        end(&s);
    }
}

static void gap_by_acknowledgement(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    to_server(&s, 0, 0, "abc");
    to_server(&s, 6, 0, "ghi"); /* "def" is lost */
    to_client(&s, 0, 3, "");
    expect(&s, "s+0:abc");
    to_client(&s, 0, 9, "ok"); /* the gap and what waited come before the answer */
    expect(&s, "s?3:3 s+6:ghi c+0:ok");
    to_client(&s, 2, 12, "ok"); /* "jkl" is lost, or only late */
    expect(&s, "c+2:ok");
    to_server(&s, 12, 4, "mno");
    expect(&s, "s?9:3 s+12:mno");
    to_client(&s, 4, 20, "ok");
    to_server(&s, 20, 6, ""); /* the sender is behind it */
    expect(&s, "c+4:ok s?15:5");
    assert_int_equal(s.tally.n[TALLY_tcp_gaps], 3);
    assert_int_equal(s.tally.n[TALLY_tcp_gap_bytes], 11);
    end(&s);
    expect(&s, "s. c.");
}

/* A mirror that shows the answer before the question. */
static void late_is_not_lost(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    to_client(&s, 0, 3, "answer");
    to_server(&s, 0, 0, "ask");
    expect(&s, "c+0:answer s+0:ask");
    end(&s);
}

static void gap_at_the_end(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    to_server(&s, 2, 0, "cd");
    segment(&s, TO_SERVER, TCP_FIN | TCP_ACK, C + 1 + 6, S + 1, "", 0);
    end(&s);
    expect(&s, "s?0:2 s+2:cd s?4:2 s. c.");
    start(&s);
    to_client(&s, 0, 5, "");
    end(&s); /* five bytes were acknowledged and never seen */
    expect(&s, "s?0:5 s. c.");
    start(&s);
    to_server(&s, 0, 0, "ab");
    to_client(&s, 0, 3, "");
    end(&s); /* one: a FIN that was not seen */
    expect(&s, "s+0:ab s. c.");
}

static void midstream(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    to_server(&s, 100, 50, "");
    to_server(&s, 103, 50, "abc"); /* what was before it, nobody can say */
    to_server(&s, 90, 50, "old");
    to_client(&s, 50, 106, "xyz");
    expect(&s, "ms+0:abc mc+0:xyz");
    assert_int_equal(s.tally.n[TALLY_tcp_midstream], 2);
    end(&s);
    expect(&s, "ms. mc.");
    begin(&s); /* only the client's SYN was lost */
    segment(&s, TO_CLIENT, TCP_SYN | TCP_ACK, S, C + 1, "", 0);
    to_server(&s, 2, 0, "cd");
    to_server(&s, 0, 0, "ab");
    expect(&s, "s+0:ab s+2:cd");
    end(&s);
}

static void sequence_wraps(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    segment(&s, TO_SERVER, TCP_SYN, 0xfffffffd, 0, "", 0);
    segment(&s, TO_CLIENT, TCP_SYN | TCP_ACK, 0xffffffff, 0xfffffffe, "", 0);
    segment(&s, TO_SERVER, TCP_ACK, 2, 0, "efg", 0);
    segment(&s, TO_SERVER, TCP_ACK, 0xfffffffe, 0, "abcd", 0);
    segment(&s, TO_CLIENT, TCP_ACK, 0, 5, "xyz", 0);
    expect(&s, "s+0:abcd s+4:efg c+0:xyz");
    segment(&s, TO_SERVER, TCP_ACK, 0x10, 3, "late", 0);
    segment(&s, TO_CLIENT, TCP_ACK, 3, 0x14, "", 0);
    expect(&s, "s?7:11 s+18:late");
    end(&s);
}

static void keep_alive(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    to_server(&s, 0, 0, "abc");
    to_server(&s, 2, 0, "");
    to_server(&s, 2, 0, "\xff"); /* its byte is anything */
    assert_int_equal(s.conflicts, 0);
    to_server(&s, 3, 0, "d");
    to_server(&s, 3, 0, "\xff");
    assert_int_equal(s.conflicts, 0);
    expect(&s, "s+0:abc s+3:d");
    end(&s);
}

static void resets(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    to_server(&s, 0, 0, "abc");
    to_client(&s, 0, 3, "");
    segment(&s, TO_SERVER, TCP_RST, C + 1, 0, "", 0); /* not where the stream is */
    segment(&s, TO_CLIENT, TCP_RST, S + 1000, 0, "", 0);
    assert_false(tcp_is_closed(&s.t));
    to_server(&s, 5, 0, "fg");
    segment(&s, TO_CLIENT, TCP_RST | TCP_ACK, S + 1, 0, "text", 0);
    expect(&s, "s+0:abc s?3:2 s+5:fg c. s.");
    assert_true(tcp_is_closed(&s.t));
    end(&s);
    expect(&s, "");
    begin(&s); /* refused */
    segment(&s, TO_SERVER, TCP_SYN, C, 0, "", 0);
    segment(&s, TO_CLIENT, TCP_RST | TCP_ACK, 0, C + 2, "", 0);
    assert_false(tcp_is_closed(&s.t));
    segment(&s, TO_CLIENT, TCP_RST | TCP_ACK, 0, C + 1, "", 0);
    assert_true(tcp_is_closed(&s.t));
    end(&s);
}

static void fins(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    segment(&s, TO_SERVER, TCP_FIN | TCP_ACK, C + 1 + 6, S + 1, "", 0);
    to_server(&s, 3, 0, "defgh"); /* goes on behind it, and nobody acknowledged it */
    to_server(&s, 0, 0, "abc");
    expect(&s, "s+0:abc s+3:defgh");
    segment(&s, TO_SERVER, TCP_FIN | TCP_ACK, C + 1 + 8, S + 1, "ij", 0);
    to_client(&s, 0, 11, "");
    expect(&s, "s+8:ij s.");
    to_server(&s, 11, 0, "more");
    to_server(&s, 10, 0, "more");
    expect(&s, "");
    to_client(&s, 0, 11, "half closed");
    expect(&s, "c+0:half closed");
    end(&s);
    expect(&s, "c.");
    start(&s); /* what was parked behind the FIN is no part of the stream */
    to_server(&s, 3, 0, "def");
    segment(&s, TO_SERVER, TCP_FIN | TCP_ACK, C + 1 + 4, S + 1, "", 0);
    to_client(&s, 0, 5, "");
    expect(&s, "s?0:3 s+3:d s.");
    end(&s);
}

static void one_way(void **state)
{
    (void)state;
    struct scene s;
    char text[1001];
    memset(text, 'x', 1000), text[1000] = '\0';
    begin(&s);
    segment(&s, TO_SERVER, TCP_SYN, C, 0, "", 0);
    to_server(&s, 5, 0, "late");
    to_server(&s, 0, 0, "early");
    expect(&s, "s+0:early s+5:late");
    to_server(&s, 10, 0, text); /* one byte is missing */
    uint32_t at = 1010;
    for (; s.n == 0 && at < 200000; at += 1000)
        to_server(&s, at, 0, text);
    assert_in_range(at, 60000, 80000);
    assert_memory_equal(s.log, "s?9:1 s+10:xxx", 14);
    s.n = 0;
    segment(&s, TO_SERVER, TCP_FIN, C + 1 + at, 0, "", 0);
    expect(&s, "s.");
    assert_true(tcp_is_closed(&s.t));
    end(&s);
}

static void data_in_the_syn(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    segment(&s, TO_SERVER, TCP_SYN, C, 0, "fast", 0);
    segment(&s, TO_SERVER, TCP_SYN, C, 0, "fast", 0);
    segment(&s, TO_CLIENT, TCP_SYN | TCP_ACK, S, C + 1, "", 0); /* refused: sent again */
    to_server(&s, 0, 0, "fast and more");
    expect(&s, "s+0:fast s+4: and more");
    assert_int_equal(s.conflicts, 0);
    segment(&s, TO_SERVER, TCP_SYN | TCP_ACK, C + 100, 0, "no", 0);
    segment(&s, TO_SERVER, TCP_SYN, C + 13, 0, "no", 0);
    expect(&s, "");
    end(&s);
    begin(&s); /* a SYN with another number, before anything was answered */
    segment(&s, TO_SERVER, TCP_SYN, C + 70, 0, "", 0);
    handshake(&s);
    to_server(&s, 0, 0, "abc");
    expect(&s, "s+0:abc");
    end(&s);
}

static void cut_by_the_snaplen(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    segment(&s, TO_SERVER, TCP_ACK, C + 1, S + 1, "abc", 10);
    segment(&s, TO_SERVER, TCP_ACK, C + 1 + 20, S + 1, "xyz", 10);
    segment(&s, TO_SERVER, TCP_ACK, C + 1 + 10, S + 1, "", 10);
    expect(&s, "s+0:abc s?3:7 s?10:10 s+20:xyz s?23:7");
    segment(&s, TO_SERVER, TCP_ACK, C + 1 + 25, S + 1, "12345678", 0);
    expect(&s, "s+30:678");
    end(&s);
}

static void enough(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    s.stop_after = 2;
    to_server(&s, 9, 0, "parked");
    to_server(&s, 4, 0, "then");
    to_server(&s, 0, 0, "once");
    expect(&s, "s+0:once s+4:then");
    assert_true(s.t.ignore);
    assert_null(s.t.half[TO_SERVER].more);
    to_server(&s, 8, 0, "more");
    to_client(&s, 0, 12, "more");
    segment(&s, TO_SERVER, TCP_FIN | TCP_ACK, C + 1 + 15, S + 5, "abc", 0);
    segment(&s, TO_CLIENT, TCP_FIN | TCP_ACK, S + 5, C + 1 + 19, "", 0);
    to_server(&s, 19, 5, "");
    assert_true(tcp_is_closed(&s.t));
    end(&s);
    expect(&s, "");
}

static void far_away(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    to_server(&s, 200 << 20, 0, "far");
    to_server(&s, 0, 0, "abc");
    end(&s);
    expect(&s, "s+0:abc s. c.");
    assert_int_equal(s.tally.n[TALLY_tcp_outside], 1);
    start(&s); /* the peer's word moves the window: a long hole in the capture */
    to_client(&s, 0, 200 << 20, "");
    to_server(&s, 200 << 20, 0, "far");
    expect(&s, "s?0:209715200 s+209715200:far");
    end(&s);
}

static const struct tcp_more *parked(const struct scene *s)
{
    static const struct tcp_more none;
    const struct tcp_more *m = s->t.half[TO_SERVER].more;
    return m ? m : &none;
}

static void limits(void **state)
{
    (void)state;
    struct scene s;
    char text[1001];
    memset(text, 'x', 1000), text[1000] = '\0';
    begin_with(&s, (struct tcp_conf){.max_per_dir = 20000});
    handshake(&s);
    for (uint32_t i = 0; i < 40; i++) {
        to_server(&s, 1 + i * 1000, 0, text);
        s.n = 0;
        assert_true(parked(&s)->parked_bytes <= 20000);
    }
    assert_int_equal(s.tally.n[TALLY_tcp_gaps], 1); /* the one byte, once */
    assert_int_equal(s.tally.n[TALLY_tcp_gap_bytes], 1);
    assert_true(s.tally.n[TALLY_tcp_park_full] > 0);
    end(&s);
    /* A shard that has no room at all: nothing waits, nothing is lost but the holes. */
    begin_with(&s, (struct tcp_conf){.max_parked = 64 * 600});
    handshake(&s);
    to_server(&s, 2, 0, "cd");
    to_server(&s, 10, 0, "kl");
    to_server(&s, 20, 0, text);
    to_server(&s, 0, 0, "ab");
    s.log[40] = '\0';
    expect(&s, "s?0:2 s+2:cd s?4:6 s+10:kl s?12:8 s+20:x");
    assert_int_equal(s.t.half[TO_SERVER].next_seq, C + 1 + 1020);
    end(&s);
    /* Many tiny segments. */
    start(&s);
    for (uint32_t i = 0; i < 3000; i++)
        to_server(&s, 2 + 2 * i, 0, "y");
    assert_true(parked(&s)->parked_n <= 1024);
    end(&s);
}

/* ---- random traffic against a reference ---- */

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
        cmocka_unit_test(in_order),
        cmocka_unit_test(out_of_order),
        cmocka_unit_test(overlaps_first_wins),
        cmocka_unit_test(waiting_wins_over_later),
        cmocka_unit_test(second_versions_in_pieces),
        cmocka_unit_test(gap_by_acknowledgement),
        cmocka_unit_test(late_is_not_lost),
        cmocka_unit_test(gap_at_the_end),
        cmocka_unit_test(midstream),
        cmocka_unit_test(sequence_wraps),
        cmocka_unit_test(keep_alive),
        cmocka_unit_test(resets),
        cmocka_unit_test(fins),
        cmocka_unit_test(one_way),
        cmocka_unit_test(data_in_the_syn),
        cmocka_unit_test(cut_by_the_snaplen),
        cmocka_unit_test(enough),
        cmocka_unit_test(far_away),
        cmocka_unit_test(limits),
        cmocka_unit_test(random_traffic),
        cmocka_unit_test(loss_adds_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
