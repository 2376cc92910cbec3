/* Tests of net/defrag.h: orders, overlaps, bounds, both IP versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pcap/dlt.h>

#include "net/decode.h"
#include "net/defrag.h"
#include "tests/net/support/packets.h"

enum { DATA = 400, SEGMENT = 20 + DATA };
#define SECOND INT64_C(1000000000)

struct scene {
    struct defrag *d;
    struct tally tally;
    uint8_t segment[SEGMENT]; /* TCP header and data */
    bool six;
    uint32_t id;
    int64_t ns;
    struct packet whole; /* of the last feed() that said true */
    uint8_t data[1 << 16];
};

static struct frame frame;

static struct endpoint from(const struct scene *s)
{
    return end_of(s->six ? "2001:db8::1" : "10.0.0.1", 40000);
}

static struct endpoint to(const struct scene *s)
{
    return end_of(s->six ? "2001:db8::2" : "10.0.0.2", 6379);
}

static void begin(struct scene *s, bool six, struct defrag_conf conf)
{
    memset(s, 0, sizeof *s);
    s->six = six;
    s->id = 7;
    s->d = defrag_new(&conf, &s->tally);
    uint8_t data[DATA];
    for (size_t i = 0; i < DATA; i++)
        data[i] = (uint8_t)(i * 31);
    struct endpoint a = from(s), b = to(s);
    frame_start(&frame, data, DATA);
    frame_tcp(&frame, &a, &b, (struct tcp_head){.seq = 1, .flags = TCP_ACK});
    memcpy(s->segment, frame_bytes(&frame).at, SEGMENT);
}

/* One fragment through decode and defrag; the whole, if there is one, is decoded too. */
static bool feed(struct scene *s, const uint8_t *data, size_t offset, size_t n, bool more)
{
    struct endpoint a = from(s), b = to(s);
    struct ip_head head = {.proto = 6, .id = (uint16_t)s->id};
    frame_start(&frame, data, n);
    if (s->six) {
        uint8_t h[8] = {6, 0, (uint8_t)(offset >> 8), (uint8_t)(offset | more)};
        h[7] = (uint8_t)s->id;
        frame_put(&frame, h, sizeof h);
        head.proto = 44;
    } else {
        head.bits = (uint16_t)(offset / 8 | (more ? 0x2000 : 0));
    }
    frame_ip(&frame, &a, &b, head);
    struct raw_packet raw = frame_raw(&frame, DLT_RAW);
    raw.at.ns = s->ns;
    struct bytes whole;
    assert_int_equal(decode_frame(&raw, &s->whole), DECODE_FRAGMENT);
    if (!defrag_add(s->d, &s->whole, &whole))
        return false;
    memcpy(s->data, whole.at, whole.len);
    assert_int_equal(decode_ip(bytes_of(s->data, whole.len), &s->whole), DECODE_TCP);
    return true;
}

static bool feed_own(struct scene *s, size_t offset, size_t n)
{
    return feed(s, s->segment + offset, offset, n, offset + n < SEGMENT);
}

static void check_whole(const struct scene *s)
{
    assert_int_equal(s->whole.payload.len, DATA);
    assert_memory_equal(s->whole.payload.at, s->segment + 20, DATA);
    assert_int_equal(s->whole.src.port, 40000);
    assert_false(s->whole.bad_checksum);
    assert_false(decode_checksum_bad(&s->whole));
}

static void each_order_of(bool six)
{
    static const size_t start[] = {0, 160, 320, SEGMENT};
    static const unsigned order[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    struct scene s;
    begin(&s, six, (struct defrag_conf){0});
    for (unsigned o = 0; o < 6; o++) {
        s.id++;
        for (unsigned i = 0; i < 3; i++) {
            unsigned k = order[o][i];
            assert_int_equal(feed_own(&s, start[k], start[k + 1] - start[k]), i == 2);
            if (i < 2) /* twice does not matter */
                assert_false(feed_own(&s, start[k], start[k + 1] - start[k]));
        }
        check_whole(&s);
        assert_false(s.whole.frag.conflict);
    }
    assert_int_equal(s.tally.n[TALLY_frag_whole], 6);
    assert_int_equal(s.tally.n[TALLY_frag_seen], 30);
    assert_int_equal(s.tally.n[TALLY_frag_overlap] + s.tally.n[TALLY_frag_dropped], 0);
    defrag_free(s.d);
}

static void each_order(void **state)
{
    (void)state;
    each_order_of(false);
    each_order_of(true);
}

/* Random overlapping fragments of the same data, until it is whole. */
static void random_overlaps(void **state)
{
    (void)state;
    uint64_t seed = 42;
    for (unsigned round = 0; round < 400; round++) {
        struct scene s;
        begin(&s, round % 2, (struct defrag_conf){0});
        bool whole = false;
        for (unsigned i = 0; i < 10000 && !whole; i++) {
            size_t a = test_random(&seed) % (SEGMENT / 8) * 8, n = 8 + test_random(&seed) % 12 * 8;
            if (a + n > SEGMENT)
                n = SEGMENT - a;
            whole = feed_own(&s, a, n);
        }
        assert_true(whole);
        check_whole(&s);
        assert_false(s.whole.frag.conflict);
        defrag_free(s.d);
    }
}

/* First wins, and it is said, wherever the other version lies. */
static void first_wins(void **state)
{
    (void)state;
    for (size_t at = 160; at < 320; at += 8) {
        struct scene s;
        uint8_t other[160];
        begin(&s, at % 16 == 0, (struct defrag_conf){0});
        memcpy(other, s.segment + at, SEGMENT - at < 160 ? SEGMENT - at : 160);
        other[0] ^= 1;
        assert_false(feed_own(&s, 160, 160));
        assert_false(feed(&s, other, at, 96, true));
        assert_false(feed_own(&s, 0, 160));
        bool whole = feed_own(&s, 320, SEGMENT - 320);
        assert_true(whole);
        check_whole(&s);
        assert_true(s.whole.frag.conflict);
        assert_true(s.tally.n[TALLY_frag_overlap] >= 1);
        defrag_free(s.d);
    }
}

static void ends_that_disagree(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, false, (struct defrag_conf){0});
    assert_false(feed_own(&s, 320, SEGMENT - 320));
    assert_false(feed(&s, s.segment, 400, 16, false)); /* ends before */
    assert_false(feed(&s, s.segment, 416, 16, true));  /* goes on behind */
    assert_false(feed_own(&s, 0, 160));
    assert_true(feed_own(&s, 160, 160));
    check_whole(&s);
    assert_true(s.whole.frag.conflict);
    assert_int_equal(s.tally.n[TALLY_frag_overlap], 2);
    defrag_free(s.d);
}

static void not_mixed_up(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, false, (struct defrag_conf){0});
    assert_false(feed_own(&s, 0, 160));
    s.id++;
    assert_false(feed_own(&s, 160, SEGMENT - 160));
    s.id--;
    assert_true(feed_own(&s, 160, SEGMENT - 160));
    defrag_free(s.d);
}

static void impossible_ones(void **state)
{
    (void)state;
    static uint8_t much[1 << 16];
    struct scene s;
    begin(&s, false, (struct defrag_conf){0});
    assert_false(feed(&s, s.segment, 0, 15, true)); /* not a multiple of 8 */
    assert_false(feed(&s, much, 65528, 8, false));  /* ends behind 65535 with its header */
    assert_int_equal(s.tally.n[TALLY_frag_dropped], 2);
    assert_false(feed(&s, much, 0, 65120, true)); /* the longest that there can be */
    struct packet p = s.whole;
    p.frag.offset = 65120;
    p.frag.more = false;
    p.payload = bytes_of(much, 65535 - 20 - 65120);
    p.l3.len = p.payload.len + 20;
    struct bytes whole;
    assert_true(defrag_add(s.d, &p, &whole));
    assert_int_equal(whole.len, 65535);
    p.cut = true;
    assert_false(defrag_add(s.d, &p, &whole));
    assert_int_equal(s.tally.n[TALLY_frag_dropped], 3);
    defrag_free(s.d);
}

static void age(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, false, (struct defrag_conf){.max_age_ns = 30 * SECOND});
    assert_false(feed_own(&s, 0, 160));
    s.ns = 31 * SECOND;
    assert_false(feed_own(&s, 160, SEGMENT - 160)); /* the start is gone */
    assert_int_equal(s.tally.n[TALLY_frag_expired], 1);
    defrag_tick(s.d, (struct stamp){.ns = 62 * SECOND});
    assert_int_equal(s.tally.n[TALLY_frag_expired], 2);
    s.ns = 0; /* what a packet says does not move the clock any more */
    assert_false(feed_own(&s, 0, 160));
    assert_true(feed_own(&s, 160, SEGMENT - 160));
    defrag_free(s.d);
}

/* A flood of starts: memory stays within the bound, the oldest go. */
static void memory(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, true, (struct defrag_conf){.max_bytes = 100000});
    for (unsigned i = 0; i < 250; i++) {
        s.id = i;
        assert_false(feed_own(&s, 0, 320));
    }
    assert_true(s.tally.n[TALLY_frag_dropped] > 50);
    assert_true(feed_own(&s, 320, SEGMENT - 320)); /* the last is there */
    check_whole(&s);
    s.id = 0; /* the first is not */
    assert_false(feed_own(&s, 320, SEGMENT - 320));
    defrag_free(s.d);
    static uint8_t much[65000];
    begin(&s, true, (struct defrag_conf){.max_bytes = 50000});
    for (size_t at = 0; at < 60000; at += 8) /* one alone goes over the bound */
        assert_false(feed(&s, much, at, 8, true));
    assert_true(s.tally.n[TALLY_frag_dropped] > 0);
    defrag_free(s.d);
    defrag_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_order),   cmocka_unit_test(random_overlaps),
        cmocka_unit_test(first_wins),   cmocka_unit_test(ends_that_disagree),
        cmocka_unit_test(not_mixed_up), cmocka_unit_test(impossible_ones),
        cmocka_unit_test(age),          cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
