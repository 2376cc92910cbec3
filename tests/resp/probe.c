/* probe.c - the first bytes of Redis, and of what is not Redis. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dissectors/resp/resp.h"

static const struct {
    enum dir dir;
    bool start;
    enum probe expected;
    const char *head;
} heads[] = {
    {TO_SERVER, true, PROBE_SURE, "*3\r\n$5\r\nLPUSH\r\n$6\r\ncelery\r\n"},
    {TO_SERVER, true, PROBE_SURE, "*1\r\n$4\r\n"},
    {TO_SERVER, true, PROBE_MORE, "*"},
    {TO_SERVER, true, PROBE_MORE, "*1"},
    {TO_SERVER, true, PROBE_MORE, "*1\r"},
    {TO_SERVER, true, PROBE_MORE, "*1\r\n"},
    {TO_SERVER, true, PROBE_MORE, "*1\r\n$4\r"},
    {TO_SERVER, true, PROBE_NO, "*x"},
    {TO_SERVER, true, PROBE_NO, "*1\r\n:4\r\n"},
    {TO_SERVER, true, PROBE_NO, "*-1\r\n$4\r\n"},
    {TO_SERVER, true, PROBE_NO, "*1\r\n$99999999999\r\n"},
    {TO_SERVER, true, PROBE_MAYBE, "PING\r\n"},
    {TO_SERVER, true, PROBE_MAYBE, "SET key value\r\n"},
    {TO_SERVER, true, PROBE_MAYBE, "AUTH secret\r\n"},
    {TO_SERVER, true, PROBE_MORE, "PIN"},
    {TO_SERVER, true, PROBE_NO, "HELP\r\n"},
    {TO_SERVER, true, PROBE_NO, "\x16\x03\x01\x02\x00\x01"},
    /* HTTP may be an attack on a Redis server: the server says */
    {TO_SERVER, true, PROBE_MORE, "GET / HTTP/1.1\r\nHost: x\r\n"},
    {TO_SERVER, true, PROBE_MORE, "POST /x HTTP/1.0\r\n"},
    /* SMTP, POP3, IMAP, NATS, memcached, MQTT, AMQP */
    {TO_SERVER, true, PROBE_NO, "EHLO client.example\r\n"},
    {TO_SERVER, true, PROBE_NO, "AUTH PLAIN AGFsaWNlAHB3\r\n"},
    {TO_SERVER, true, PROBE_NO, "USER alice\r\n"},
    {TO_SERVER, true, PROBE_NO, "a1 LOGIN alice pw\r\n"},
    {TO_SERVER, true, PROBE_NO, "CONNECT {\"verbose\":false}\r\nPING\r\n"},
    {TO_SERVER, true, PROBE_NO, "SUB foo 1\r\n"},
    {TO_SERVER, true, PROBE_NO, "gets key\r\n"},
    {TO_SERVER, true, PROBE_NO, "set key 0 0 5\r\nhello\r\n"},
    {TO_SERVER, true, PROBE_NO, "AMQP\x00\x00\x09\x01"},
    {TO_SERVER, true, PROBE_NO, "SSH-2.0-OpenSSH\r\n"},

    {TO_CLIENT, true, PROBE_MAYBE, "+OK\r\n"},
    {TO_CLIENT, true, PROBE_MAYBE, "+PONG\r\n"},
    {TO_CLIENT, true, PROBE_MORE, "+O"},
    {TO_CLIENT, true, PROBE_NO, "+OK POP3 ready\r\n"},
    {TO_CLIENT, true, PROBE_SURE, "-NOAUTH Authentication required.\r\n"},
    {TO_CLIENT, true, PROBE_SURE, "-ERR wrong number of arguments for 'get' command\r\n"},
    {TO_CLIENT, true, PROBE_SURE, "-DENIED Redis is running in protected mode because\r\n"},
    {TO_CLIENT, true, PROBE_MORE, "-ERR "},
    {TO_CLIENT, true, PROBE_MAYBE, ":1\r\n"},
    {TO_CLIENT, true, PROBE_MAYBE, "$5\r\nhello\r\n"},
    {TO_CLIENT, true, PROBE_MAYBE, "$-1\r\n"},
    {TO_CLIENT, true, PROBE_MAYBE, "*2\r\n$6\r\ncelery\r\n"},
    {TO_CLIENT, true, PROBE_MAYBE, "%7\r\n$6\r\nserver\r\n"},
    {TO_CLIENT, true, PROBE_MAYBE, "_\r\n"},
    {TO_CLIENT, true, PROBE_NO, "HTTP/1.1 400 Bad Request\r\n"},
    {TO_CLIENT, true, PROBE_NO, "220 mail.example ESMTP\r\n"},
    {TO_CLIENT, true, PROBE_NO, "* OK IMAP4 ready\r\n"},
    {TO_CLIENT, true, PROBE_NO, "INFO {\"server_id\":\"x\"}\r\n"},
    {TO_CLIENT, true, PROBE_NO, "PONG\r\n"},
    {TO_CLIENT, true, PROBE_NO, "STORED\r\n"},
    {TO_CLIENT, true, PROBE_NO, "VALUE k 0 5\r\nhello\r\n"},
    {TO_CLIENT, true, PROBE_NO, "\x16\x03\x03\x00\x7a"},

    /* joined in the middle */
    {TO_SERVER, false, PROBE_SURE, "tail of a value\"}\r\n*2\r\n$5\r\nBRPOP\r\n"},
    {TO_SERVER, false, PROBE_MORE, "eyJhIjogMX0eyJhIjogMX0eyJhIjogMX0"},
    {TO_CLIENT, false, PROBE_MAYBE, "tail of a value\"}\r\n*2\r\n$6\r\ncelery\r\n"},
    {TO_CLIENT, false, PROBE_MORE, "eyJhIjogMX0eyJhIjogMX0eyJhIjogMX0"},
    {TO_SERVER, false, PROBE_NO, "EHLO client.example\r\n"},
};

static struct bytes head_of(size_t i)
{
    size_t n = strlen(heads[i].head);

    return bytes_of(heads[i].head, n == 4 && heads[i].head[0] == 'A' ? 8 : n);
}

static void each_head_is_told(void **state)
{
    unsigned bad = 0;

    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        enum probe p = resp_probe(head_of(i), heads[i].dir, heads[i].start);
        /* Of what is not Redis it is enough that it is not taken for it. */
        if (p == heads[i].expected || (heads[i].expected == PROBE_NO && p == PROBE_MORE))
            continue;
        fprintf(stderr, "%s %s: %d, not %d\n", heads[i].dir == TO_SERVER ? ">" : "<", heads[i].head,
                (int)p, (int)heads[i].expected);
        bad++;
    }
    assert_int_equal(bad, 0);
}

/* Only more bytes can be asked for, before the answer that all of them give. */
static void a_shorter_head_does_not_say_otherwise(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        if (heads[i].expected == PROBE_NO)
            continue;
        for (size_t n = 0; n < head_of(i).len; n++) {
            enum probe p = resp_probe(bytes_head(head_of(i), n), heads[i].dir, heads[i].start);
            if (p == PROBE_NO)
                fail_msg("%zu bytes of %s: no", n, heads[i].head);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_head_is_told),
        cmocka_unit_test(a_shorter_head_does_not_say_otherwise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
