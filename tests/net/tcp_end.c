/* Tests of net/tcp.h: RST and FIN, true ones and others. */
#include <stdlib.h>

#include "tests/net/support/tcp_scene.h"

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
}

/* Data were seen behind it: there was no FIN there. */
static void fin_among_data(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    to_server(&s, 3, 0, "def");
    segment(&s, TO_SERVER, TCP_FIN | TCP_ACK, C + 1 + 4, S + 1, "", 0);
    to_client(&s, 0, 5, "");
    to_server(&s, 0, 0, "abc");
    expect(&s, "s+0:abc s+3:def");
    segment(&s, TO_SERVER, TCP_FIN | TCP_ACK, C + 1 + 8, S + 1, "", 0); /* "gh" is late */
    to_client(&s, 0, 9, "");
    to_server(&s, 6, 0, "ghij"); /* and there is more than that FIN allows */
    expect(&s, "s+6:gh s+8:ij");
    end(&s);
    expect(&s, "s. c.");
}

static void fin_behind_a_hole(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    segment(&s, TO_SERVER, TCP_FIN | TCP_ACK, C + 1 + 3, S + 1, "", 0);
    to_client(&s, 0, 4, "");
    expect(&s, ""); /* late, or lost */
    to_server(&s, 0, 0, "abc");
    expect(&s, "s+0:abc s.");
    end(&s);
    start(&s);
    segment(&s, TO_SERVER, TCP_FIN | TCP_ACK, C + 1 + 3, S + 1, "", 0);
    to_client(&s, 0, 4, "");
    wait_ms(&s, TCP_WAIT_MS);
    expect(&s, "s?0:3 s.");
    end(&s);
    start(&s);
    segment(&s, TO_SERVER, TCP_FIN | TCP_ACK, C + 1 + 3, S + 1, "", 0);
    segment(&s, TO_CLIENT, TCP_ACK, S + 1, C + 1 + 1000, "", 0); /* of no FIN of his */
    to_server(&s, 0, 0, "abc");
    expect(&s, "s+0:abc");
    end(&s);
}

/* A RST where the stream stands by hearsay only. */
static void resets_out_of_place(void **state)
{
    (void)state;
    struct scene s;
    start(&s);
    to_client(&s, 0, 500, ""); /* forged, both */
    segment(&s, TO_SERVER, TCP_RST, C + 1 + 500, 0, "", 0);
    to_server(&s, 0, 0, "abc");
    wait_ms(&s, 5000);
    expect(&s, "s+0:abc");
    to_server(&s, 100, 0, "xyz");
    segment(&s, TO_SERVER, TCP_RST, C + 1 + 103, 0, "", 0);
    to_server(&s, 3, 0, "def");
    wait_ms(&s, 5000);
    assert_false(tcp_is_closed(&s.t));
    end(&s);
    start(&s); /* true: the data before it were lost */
    to_client(&s, 0, 500, "");
    segment(&s, TO_SERVER, TCP_RST, C + 1 + 500, 0, "", 0);
    assert_true(tcp_waits(&s.t));
    wait_ms(&s, 999);
    assert_false(tcp_is_closed(&s.t));
    wait_ms(&s, 1);
    assert_true(tcp_is_closed(&s.t));
    expect(&s, "s?0:500 s. c.");
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resets),
        cmocka_unit_test(fins),
        cmocka_unit_test(fin_among_data),
        cmocka_unit_test(fin_behind_a_hole),
        cmocka_unit_test(resets_out_of_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
