/* Tests of net/tcp.h: order, overlaps, places. */
#include <stdlib.h>

#include "tests/net/support/tcp_scene.h"

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
    wait_ms(&s, TCP_WAIT_MS);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order),
        cmocka_unit_test(out_of_order),
        cmocka_unit_test(overlaps_first_wins),
        cmocka_unit_test(waiting_wins_over_later),
        cmocka_unit_test(second_versions_in_pieces),
        cmocka_unit_test(midstream),
        cmocka_unit_test(sequence_wraps),
        cmocka_unit_test(keep_alive),
        cmocka_unit_test(data_in_the_syn),
        cmocka_unit_test(enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
