/* tests/amqp/probe.c - what the first bytes of either direction say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissectors/amqp/amqp.h"

#define ACK     "\x01\x00\x01\x00\x00\x00\x0d\x00\x3c\x00\x50\0\0\0\0\0\0\0\7\0\xce"
#define DELIVER "\x01\x00\x01\x00\x00\x00\x13\x00\x3c\x00\x3c\1t\0\0\0\0\0\0\0\7\0\1e\1r\xce"
#define START   "\x01\x00\x00\x00\x00\x00\x16\x00\x0a\x00\x0a\0\x09\0\0\0\0\0\0\0\3ABC\0\0\0\1L\xce"
#define BEAT    "\x08\0\0\0\0\0\0\xce"
#define HEADER  "\x02\0\1\0\0\0\x0e\0\x3c\0\0\0\0\0\0\0\0\0\5\0\0\xce"
#define BODY    "\x03\0\1\0\0\0\5hello\xce"

struct row {
    const char *what, *bytes;
    size_t len;
    enum dir dir;
    bool start;
    enum probe want;
};

#define ROW(what, text, dir, start, want)             \
    {                                                 \
        what, text, sizeof text - 1, dir, start, want \
    }

static const struct row rows[] = {
    ROW("nothing yet", "", TO_SERVER, true, PROBE_MORE),
    ROW("half a protocol header", "AMQP\0", TO_SERVER, true, PROBE_MORE),
    ROW("0-9-1", "AMQP\0\0\x09\1", TO_SERVER, true, PROBE_SURE),
    ROW("0-8", "AMQP\1\1\x08\0", TO_SERVER, true, PROBE_SURE),
    ROW("1.0 with SASL", "AMQP\3\1\0\0", TO_SERVER, true, PROBE_SURE),
    ROW("1.0 with SASL, the answer", "AMQP\3\1\0\0", TO_CLIENT, true, PROBE_SURE),
    ROW("0-9-1 and what follows", "AMQP\0\0\x09\1" ACK, TO_SERVER, true, PROBE_SURE),
    ROW("no version", "AMQPabcd", TO_SERVER, true, PROBE_NO),
    ROW("almost a protocol header", "AMQX", TO_SERVER, true, PROBE_NO),
    ROW("text that begins like it", "ANNOUNCE", TO_SERVER, true, PROBE_NO),
    ROW("the server's first frame", START, TO_CLIENT, true, PROBE_SURE),
    ROW("the same from the client", START, TO_SERVER, true, PROBE_NO),
    ROW("TLS", "\x16\3\1\2\0\1\0\1\xfc\3\3", TO_SERVER, true, PROBE_NO),
    ROW("HTTP", "GET / HTTP/1.1\r\n", TO_SERVER, true, PROBE_NO),
    ROW("RESP", "*1\r\n$4\r\nPING\r\n", TO_SERVER, true, PROBE_NO),
    ROW("TLS in the middle", "\x17\3\3\0\x20" ACK, TO_SERVER, false, PROBE_SURE),
    ROW("one whole frame", ACK, TO_SERVER, false, PROBE_SURE),
    ROW("one whole frame the other way", ACK, TO_CLIENT, false, PROBE_SURE),
    ROW("what only a server sends", DELIVER, TO_CLIENT, false, PROBE_SURE),
    ROW("what only a server sends, from the client", DELIVER, TO_SERVER, false, PROBE_NO),
    ROW("a heartbeat", BEAT, TO_SERVER, false, PROBE_SURE),
    ROW("a content header", HEADER, TO_SERVER, false, PROBE_SURE),
    ROW("a body alone", BODY, TO_SERVER, false, PROBE_MORE),
    ROW("the tail of a body, then a frame", "hello\xce" ACK, TO_SERVER, false, PROBE_SURE),
    ROW("half a frame", "\x01\0\1\0\0\0\x0d\0\x3c", TO_SERVER, false, PROBE_MORE),
    ROW("a frame without its end", "\x01\0\1\0\0\0\x0d\0\x3c\0\x50\0\0\0\0\0\0\0\7\0X", TO_SERVER,
        false, PROBE_MORE),
};

static void the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t *own = malloc(rows[i].len ? rows[i].len : 1);

        memcpy(own, rows[i].bytes, rows[i].len);
        enum probe got = amqp_probe(bytes_of(own, rows[i].len), rows[i].dir, rows[i].start);
        if (got != rows[i].want)
            fail_msg("%s: %d, not %d", rows[i].what, got, rows[i].want);
        free(own);
    }
}

/* A prefix never says the contrary of the whole. */
static void a_prefix_does_not_contradict(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t n = 1; n < rows[i].len; n++) {
            enum probe got = amqp_probe(bytes_of(rows[i].bytes, n), rows[i].dir, rows[i].start);
            if (rows[i].want == PROBE_SURE)
                assert_int_not_equal(got, PROBE_NO);
            if (rows[i].want == PROBE_NO)
                assert_int_not_equal(got, PROBE_SURE);
        }
}

static void what_never_becomes_amqp_is_given_up(void **state)
{
    uint8_t junk[4096];

    (void)state;
    memset(junk, 'x', sizeof junk);
    assert_int_equal(amqp_probe(bytes_of(junk, 100), TO_SERVER, false), PROBE_MORE);
    assert_int_equal(amqp_probe(bytes_of(junk, sizeof junk), TO_SERVER, false), PROBE_NO);
    assert_int_equal(amqp_probe(bytes_of(junk, 1), TO_SERVER, true), PROBE_NO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table),
        cmocka_unit_test(a_prefix_does_not_contradict),
        cmocka_unit_test(what_never_becomes_amqp_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
