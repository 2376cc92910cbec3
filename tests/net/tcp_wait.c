/* Tests of net/tcp.h: packets in another order than they were sent, and forged ones. What the
 * server takes must reach chunk_fn. */
#include "tests/net/support/tcp_scene.h"

/* The peer's word comes first, then the data in any order. */
static void order_mixed_up(void **state)
{
    (void)state;
    static const unsigned order[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static const char *const text[] = {"abc", "def", "ghi"};
    for (unsigned when = 0; when < 4; when++) {
        for (unsigned i = 0; i < 6; i++) {
            struct scene s;
            start(&s);
            for (unsigned k = 0; k < 3; k++) {
                if (k == when)
                    to_client(&s, 0, 9, "");
                to_server(&s, order[i][k] * 3, 0, text[order[i][k]]);
                wait_ms(&s, 2);
            }
            expect(&s, "s+0:abc s+3:def s+6:ghi");
            assert_int_equal(s.tally.n[TALLY_tcp_gaps], 0);
            end(&s);
        }
    }
}

/* A conversation whose directions are mirrored with different delays comes out as it was held. */
static void directions_apart(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    to_client(&s, 0, 2, "A1");
    to_client(&s, 2, 4, "A2");
    to_client(&s, 4, 6, "A3");
    to_server(&s, 0, 0, "Q1");
    expect(&s, "s+0:Q1 c+0:A1");
    to_server(&s, 2, 2, "Q2");
    to_server(&s, 4, 4, "Q3");
    expect(&s, "s+2:Q2 c+2:A2 s+4:Q3 c+4:A3");
    end(&s);
}

/* What waited is of the time when it was on the wire. */
static void keeps_its_time(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    s.ms = 100;
    to_server(&s, 3, 0, "def");
    s.ms = 104;
    to_client(&s, 0, 6, "");
    s.ms = 109;
    to_server(&s, 0, 0, "abc");
    expect(&s, "s+0:abc s+3:def");
    assert_int_equal(s.at[0], 109);
    assert_int_equal(s.at[1], 100);
    end(&s);
}

/* Forged acknowledgements, just ahead and far ahead, of a sender who goes on in order. */
static void forged_in_order(void **state)
{
    (void)state;
    static const uint32_t ahead[] = {1, 2, 3, 100, 65536, 10 << 20, 63 << 20, 65 << 20, 1u << 30};
    for (unsigned i = 0; i < sizeof ahead / sizeof *ahead; i++) {
        struct scene s;
        start(&s);
        to_client(&s, 0, ahead[i], "");
        wait_ms(&s, 5000);
        to_server(&s, 0, 0, "abc");
        to_client(&s, 0, 3 + ahead[i], "");
        wait_ms(&s, 5000);
        to_server(&s, 3, 0, "def");
        to_client(&s, 0, 6, "yes");
        expect(&s, "s+0:abc s+3:def c+0:yes");
        assert_int_equal(s.tally.n[TALLY_tcp_gaps], 0);
        end(&s);
    }
}

/* As the one before, with data out of order, and the true acknowledgements between. */
static void forged_out_of_order(void **state)
{
    (void)state;
    static const uint32_t ahead[] = {4, 6, 9, 100, 65536, 10 << 20, 1u << 30};
    for (unsigned i = 0; i < sizeof ahead / sizeof *ahead; i++) {
        struct scene s;
        start(&s);
        to_client(&s, 0, ahead[i], "");
        to_server(&s, 3, 0, "def");
        to_client(&s, 0, ahead[i], "");
        for (unsigned k = 0; k < 20; k++) {
            wait_ms(&s, TCP_WAIT_MS - 1);
            to_client(&s, 0, 0, ""); /* the server's: it has nothing behind the first byte */
            to_client(&s, 0, ahead[i], "");
        }
        expect(&s, "");
        to_server(&s, 0, 0, "abc");
        expect(&s, "s+0:abc s+3:def");
        assert_int_equal(s.tally.n[TALLY_tcp_gaps], 0);
        end(&s);
    }
}

/* Data and acknowledgement ahead are forged, nobody denies them for as long as we wait: the
 * stream goes on where it really was. */
static void forged_both(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    to_server(&s, 0, 0, "abc");
    to_server(&s, 100, 0, "forged");
    to_client(&s, 0, 106, "");
    wait_ms(&s, TCP_WAIT_MS);
    expect(&s, "s+0:abc s?3:97 s+100:forged");
    to_server(&s, 3, 0, "true");
    to_server(&s, 7, 0, " words");
    to_client(&s, 0, 13, "ok");
    assert_memory_equal(s.log, "s?106:", 6);
    assert_non_null(strstr(s.log, ":true s+"));
    assert_non_null(strstr(s.log, ": words c+0:ok"));
    assert_int_equal(s.tally.n[TALLY_tcp_late], 1);
    assert_int_equal(s.tally.n[TALLY_tcp_gap_bytes], 97);
    s.n = 0;
    to_server(&s, 3, 0, "true words"); /* again: this was passed on */
    assert_int_equal(s.n, 0);
    for (unsigned i = 0; i < 20; i++) { /* and so on, as often as he likes */
        uint32_t at = 13 + 4 * i;
        s.n = 0;
        to_server(&s, at + 1000, 0, "forged");
        to_client(&s, 0, at + 1006, "");
        wait_ms(&s, TCP_WAIT_MS);
        to_server(&s, at, 0, "more");
        assert_non_null(strstr(s.log, ":more"));
    }
    end(&s);
}

/* Many holes, and what was in them comes after they were given up, the oldest last. */
static void late_for_many(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    for (uint32_t i = 0; i < 20; i++)
        to_server(&s, 10 * i + 5, 0, "later");
    to_client(&s, 0, 200, "");
    wait_ms(&s, TCP_WAIT_MS);
    assert_int_equal(s.tally.n[TALLY_tcp_gaps], 20);
    for (uint32_t i = 20; i-- > 0;) {
        s.n = 0;
        to_server(&s, 10 * i, 0, "early");
        assert_non_null(strstr(s.log, ":early"));
    }
    end(&s);
}

/* A receiver's word is gone back on: mirrors do that too, for a moment. */
static void acknowledgements_out_of_order(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    to_server(&s, 3, 0, "def");
    to_client(&s, 0, 9, "");
    wait_ms(&s, TCP_WAIT_MS / 2);
    to_client(&s, 0, 0, ""); /* an older one */
    to_client(&s, 0, 9, "");
    wait_ms(&s, TCP_WAIT_MS / 2);
    expect(&s, "");
    wait_ms(&s, TCP_WAIT_MS / 2);
    expect(&s, "s?0:3 s+3:def");
    end(&s);
}

/* Each waits for the other: time ends it. */
static void crossed(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    to_server(&s, 0, 50, "abc");
    to_client(&s, 0, 50, "xyz");
    expect(&s, "");
    wait_ms(&s, TCP_WAIT_MS);
    expect(&s, "s+0:abc c+0:xyz");
    end(&s);
}

/* What waits is bounded, whatever it waits for. */
static void bounded(void **state)
{
    (void)state;
    struct scene s;
    char text[1001];
    memset(text, 'x', 1000), text[1000] = '\0';
    begin_with(&s, (struct tcp_conf){.max_per_dir = 20000});
    handshake(&s);
    for (uint32_t i = 0; i < 100; i++) { /* the client never says what they answer */
        to_client(&s, i * 1000, 50000, text);
        s.n = 0;
        assert_true(!s.t.half[TO_CLIENT].more || s.t.half[TO_CLIENT].more->parked_bytes <= 20000);
    }
    assert_true(s.tally.n[TALLY_tcp_park_full] > 0);
    assert_int_equal(s.tally.n[TALLY_tcp_gaps], 0);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_mixed_up),
        cmocka_unit_test(directions_apart),
        cmocka_unit_test(keeps_its_time),
        cmocka_unit_test(forged_in_order),
        cmocka_unit_test(forged_out_of_order),
        cmocka_unit_test(forged_both),
        cmocka_unit_test(late_for_many),
        cmocka_unit_test(acknowledgements_out_of_order),
        cmocka_unit_test(crossed),
        cmocka_unit_test(bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
