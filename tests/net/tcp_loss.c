/* Tests of net/tcp.h: what is missing, and how long it is waited for. */
#include <stdlib.h>

#include "tests/net/support/tcp_scene.h"

static void gap_by_acknowledgement(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    to_server(&s, 0, 0, "abc");
    to_server(&s, 6, 0, "ghi"); /* "def" is lost */
    to_client(&s, 0, 3, "");
    expect(&s, "s+0:abc");
    to_client(&s, 0, 9, "ok");
    expect(&s, ""); /* lost, or only late */
    wait_ms(&s, TCP_WAIT_MS - 1);
    expect(&s, "");
    wait_ms(&s, 1); /* the gap and what waited come before the answer */
    expect(&s, "s?3:3 s+6:ghi c+0:ok");
    to_client(&s, 2, 12, "ok"); /* "jkl" is lost, or only late */
    wait_ms(&s, TCP_WAIT_MS);
    expect(&s, "c+2:ok");
    to_server(&s, 12, 4, "mno");
    expect(&s, "");
    s.ms += TCP_WAIT_MS;
    to_client(&s, 4, 20, "ok"); /* a packet does as well as a tick */
    expect(&s, "s?9:3 s+12:mno");
    to_server(&s, 20, 6, ""); /* the sender is behind it */
    wait_ms(&s, TCP_WAIT_MS);
    expect(&s, "s?15:5 c+4:ok");
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
    assert_true(tcp_waits(&s.t));
    to_server(&s, 0, 0, "ask");
    expect(&s, "s+0:ask c+0:answer");
    assert_false(tcp_waits(&s.t));
    assert_int_equal(s.tally.n[TALLY_tcp_out_of_order], 0);
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

static void misses(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    to_server(&s, 0, 0, "ab");
    to_client(&s, 3, 2, "def");
    assert_true(tcp_misses(&s.t, TO_CLIENT));
    assert_false(tcp_misses(&s.t, TO_SERVER));
    to_client(&s, 0, 2, "abc");
    assert_false(tcp_misses(&s.t, TO_CLIENT));
    expect(&s, "s+0:ab c+0:abc c+3:def");
    to_server(&s, 2, 9, ""); /* three more are acknowledged */
    assert_true(tcp_misses(&s.t, TO_CLIENT));
    to_client(&s, 6, 2, "ghi");
    assert_false(tcp_misses(&s.t, TO_CLIENT));
    expect(&s, "c+6:ghi");
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
    assert_in_range(at, 30000, 80000); /* copies are of twice the size, at most */
    assert_memory_equal(s.log, "s?9:1 s+10:xxx", 14);
    s.n = 0;
    segment(&s, TO_SERVER, TCP_FIN, C + 1 + at, 0, "", 0);
    expect(&s, "s.");
    assert_true(tcp_is_closed(&s.t));
    end(&s);
}

static void one_way_waits_no_longer(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    segment(&s, TO_SERVER, TCP_SYN, C, 0, "", 0);
    to_server(&s, 5, 0, "late");
    wait_ms(&s, TCP_WAIT_MS - 1);
    expect(&s, "");
    wait_ms(&s, 1);
    expect(&s, "s?0:5 s+5:late");
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
    wait_ms(&s, TCP_WAIT_MS);
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
    s.log[40] = '\0';
    expect(&s, "s?0:2 s+2:cd s?4:6 s+10:kl s?12:8 s+20:x");
    assert_int_equal(s.t.half[TO_SERVER].next_seq, C + 1 + 1020);
    to_server(&s, 0, 0, "ab"); /* given up, and here after all */
    assert_non_null(strstr(s.log, ":ab"));
    end(&s);
    /* Many tiny segments. */
    start(&s);
    for (uint32_t i = 0; i < 3000; i++)
        to_server(&s, 2 + 2 * i, 0, "y");
    assert_true(parked(&s)->parked_n <= 1024);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gap_by_acknowledgement),
        cmocka_unit_test(late_is_not_lost),
        cmocka_unit_test(gap_at_the_end),
        cmocka_unit_test(misses),
        cmocka_unit_test(one_way),
        cmocka_unit_test(one_way_waits_no_longer),
        cmocka_unit_test(cut_by_the_snaplen),
        cmocka_unit_test(far_away),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
