/* tests/run/ident.c - a table of first bytes: which dissector, which way round, or none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/limits.h"
#include "run/ident.h"

struct piece {
    enum dir dir;
    bool midstream;
    const char *bytes;
    size_t n;
};

#define C(text)                                 \
    {                                           \
        TO_SERVER, false, text, sizeof text - 1 \
    }
#define S(text)                                 \
    {                                           \
        TO_CLIENT, false, text, sizeof text - 1 \
    }
#define MC(text)                               \
    {                                          \
        TO_SERVER, true, text, sizeof text - 1 \
    }
#define MS(text)                               \
    {                                          \
        TO_CLIENT, true, text, sizeof text - 1 \
    }

#define END                       \
    {                             \
        TO_CLIENT, false, NULL, 1 \
    }

struct sample {
    const char *what, *want; /* name of the dissector, of the protocol that is not read, or NULL */
    bool reversed;
    uint16_t port;
    struct piece pieces[4];
};

static const struct sample samples[] = {
    {"AMQP from its start", "amqp", false, 9999, {C("AMQP\0\0\x09\x01")}},
    {"Redis array", "redis", false, 9999, {C("*1\r\n$4\r\nPING\r\n")}},
    {"Redis array in two pieces", "redis", false, 9999, {C("*1\r\n$4"), C("\r\nPING\r\n")}},
    {"inline Redis on its port", "redis", false, 6379, {C("PING\r\n"), S("+PONG\r\n")}},
    {"inline Redis elsewhere, answered in kind",
     "redis",
     false,
     9999,
     {C("PING\r\n"), S("+PONG\r\n")}},
    {"heartbeats in mid-stream",
     "amqp",
     false,
     5672,
     {MC("\x08\0\0\0\0\0\0\xce"), MS("\x08\0\0\0\0\0\0\xce")}},
    {"TLS",
     "tls",
     false,
     5671,
     {C("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
      S("\x16\x03\x03\x00\x7a\x02\x00\x00\x76")}},
    {"TLS that is refused",
     "tls",
     false,
     6379,
     {C("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), S("\x15\x03\x01\x00\x02\x02\x28")}},
    {"what looks like TLS and is answered by Redis",
     "redis",
     false,
     6379,
     {C("\x16\x03\x01\x02\x02\x01\r\n*1\r\n$4\r\nPING\r\n"),
      S("-ERR unknown command 'x'\r\n+PONG\r\n")}},
    {"STOMP's word, answered by Redis",
     "redis",
     false,
     6379,
     {C("STOMP\r\n*1\r\n$4\r\nPING\r\n"), S("-ERR unknown command 'STOMP'\r\n+PONG\r\n")}},
    {"a header of AMQP, answered by Redis",
     "redis",
     false,
     6379,
     {C("AMQP\0\0\x09\x01\r\n*1\r\n$4\r\nPING\r\n"), S("-ERR unknown command\r\n+PONG\r\n")}},
    {"empty lines first", "redis", false, 9999, {C("\r\n\n*1\r\n$4\r\nPING\r\n")}},
    {"arrays of nothing first", "redis", false, 9999, {C("*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n")}},
    {"blanks first", "redis", false, 9999, {C("  PING\r\n"), S("+PONG\r\n")}},
    {"a word that is no command first", "redis", false, 9999, {C("FOO\r\n*1\r\n$4\r\nPING\r\n")}},
    {"the same alone, turned down",
     "redis",
     false,
     9999,
     {C("FOO\r\n"), S("-ERR unknown command 'FOO'\r\n")}},
    {"SMTP's word on the port of Redis",
     "redis",
     false,
     6379,
     {C("EHLO me\r\n"), S("-ERR unknown command 'EHLO'\r\n")}},
    {"inline Redis with bare line ends", "redis", false, 6379, {C("set test 1\n\n"), S("+OK\r\n")}},
    {"carriage returns with anything behind them",
     "redis",
     false,
     6379,
     {C("*1\rX$4\rXPING\rX"), S("+PONG\r\n")}},
    {"STOMP that is served",
     "stomp",
     false,
     61613,
     {C("CONNECT\naccept-version:1.2\n\n\0"), S("CONNECTED\nversion:1.2\n\n\0")}},
    {"MQTT that is served",
     "mqtt",
     false,
     1883,
     {C("\x10\x10\0\x04MQTT\x04\x02\0\x3c\0\x04test"), S("\x20\x02\0\0")}},
    {"MQTT that is not",
     NULL,
     false,
     1883,
     {C("\x10\x10\0\x04MQTT\x04\x02\0\x3c\0\x04test"), S("go away\r\n")}},
    {"HTTP",
     NULL,
     false,
     80,
     {C("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), S("HTTP/1.1 200 OK\r\n\r\n")}},
    {"HTTP on the port of Redis, which hangs up",
     "redis",
     false,
     6379,
     {C("POST / HTTP/1.1\r\nHost: a:6379\r\n\r\n"), END}},
    {"the same with GET", "redis", false, 6379, {C("GET / HTTP/1.1\r\nhost: a\r\n\r\n"), END}},
    {"the same elsewhere", NULL, false, 9999, {C("POST / HTTP/1.1\r\nHost: a\r\n\r\n"), END}},
    {"the same without what Redis hangs up on",
     NULL,
     false,
     6379,
     {C("GET / HTTP/1.1\r\nUser-Agent: a\r\n\r\n"), END}},
    {"HTTP that is answered on the port of Redis",
     NULL,
     false,
     6379,
     {C("POST / HTTP/1.1\r\nHost: a\r\n\r\n"), S("HTTP/1.1 200 OK\r\n\r\n"), END}},
    {"HTTP on the port of AMQP, which hangs up",
     NULL,
     false,
     5672,
     {C("POST / HTTP/1.1\r\nHost: a\r\n\r\n"), END}},
    {"SMTP",
     NULL,
     false,
     25,
     {S("220 mail.example.org ESMTP\r\n"), C("EHLO me\r\n"), S("250-mail\r\n250 OK\r\n")}},
    {"memcached that stores", NULL, false, 11211, {C("set key 0 0 3\r\nabc\r\n"), S("STORED\r\n")}},
    {"memcached", NULL, false, 11211, {C("get key\r\n"), S("VALUE key 0 3\r\nabc\r\nEND\r\n")}},
    {"SSH", NULL, false, 22, {S("SSH-2.0-OpenSSH_9.2\r\n"), C("SSH-2.0-OpenSSH_9.2\r\n")}},
};

static struct flow_id flow_to(uint16_t port)
{
    struct flow_id id = {.client = {.family = 4, .port = 40000, .ip = {10, 0, 0, 1}},
                         .server = {.family = 4, .port = port, .ip = {10, 0, 0, 2}}};

    return id;
}

static bool count_bytes(void *ctx, const struct chunk *c)
{
    size_t *n = ctx;

    *n += c->data.len;
    return true;
}

static void check(const struct sample *s)
{
    struct tally tally = {0};
    struct ident_engine *e = ident_engine_new(8192, false, &tally);
    struct ident id = {0};
    struct flow_id flow = flow_to(s->port);
    struct ident_answer answer = {0};
    enum ident_verdict v = IDENT_WAIT;
    uint64_t offset[2] = {0, 0};
    size_t fed = 0, released = 0;
    struct chunk c = {0};

    for (unsigned i = 0; i < 4 && s->pieces[i].n > 0 && v == IDENT_WAIT; i++) {
        const struct piece *p = &s->pieces[i];

        c = (struct chunk){.kind = p->bytes ? CHUNK_DATA : CHUNK_CLOSE,
                           .dir = p->dir,
                           .midstream = p->midstream,
                           .offset = offset[p->dir],
                           .data = bytes_of(p->bytes, p->bytes ? p->n : 0)};
        offset[p->dir] += c.data.len;
        fed += c.data.len;
        v = ident_chunk(e, &id, &flow, &c, NULL, &answer);
    }
    const char *got = v == IDENT_FOUND    ? answer.found->name
                      : v == IDENT_UNREAD ? answer.unread
                                          : NULL;
    if ((got == NULL) != (s->want == NULL) || (got && strcmp(got, s->want) != 0))
        fail_msg("%s: %s, expected %s", s->what, got ? got : "none", s->want ? s->want : "none");
    assert_int_equal(answer.reversed, s->reversed);
    ident_release(e, &id, v == IDENT_WAIT ? NULL : &c, count_bytes, &released);
    assert_int_equal(released, fed); /* nothing of what came before the decision is lost */
    ident_engine_free(e);
}

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        check(&samples[i]);
}

static void holding_is_bounded(void **state)
{
    struct tally tally = {0};
    struct ident_engine *e = ident_engine_new(1024, false, &tally);
    struct ident id = {0};
    struct flow_id flow = flow_to(9999);
    struct ident_answer answer;
    enum ident_verdict v = IDENT_WAIT;
    unsigned pieces = 0;

    (void)state;
    while (v == IDENT_WAIT && pieces < 1000) { /* an inline command that never ends */
        struct chunk c = {.kind = CHUNK_DATA,
                          .dir = TO_SERVER,
                          .offset = pieces * 8u,
                          .data = bytes_of("PINGPING", 8)};

        v = ident_chunk(e, &id, &flow, &c, NULL, &answer);
        pieces++;
    }
    assert_true(pieces <= 1024 / 8 + 1);
    ident_release(e, &id, NULL, NULL, NULL);
    ident_engine_free(e);
}

/* However many connections leave it open what they are, and what is released can be used again. */
static void holding_is_bounded_in_all(void **state)
{
    enum { CONNECTIONS = 20000, SIZE = 4096 };
    static struct ident ids[CONNECTIONS];
    static uint8_t text[SIZE];
    struct tally tally = {0};
    struct ident_engine *e = ident_engine_new(8192, false, &tally);
    struct flow_id flow = flow_to(9999);
    struct chunk c = {.kind = CHUNK_DATA, .dir = TO_SERVER, .data = bytes_of(text, SIZE)};
    struct ident_answer answer;

    (void)state;
    memset(text, 'x', sizeof text);
    for (unsigned round = 0; round < 2; round++) {
        unsigned held = 0;

        for (unsigned i = 0; i < CONNECTIONS; i++)
            held += ident_chunk(e, &ids[i], &flow, &c, NULL, &answer) == IDENT_WAIT;
        assert_int_equal(held, LIMIT_IDENT_TOTAL / SIZE);
        for (unsigned i = 0; i < CONNECTIONS; i++)
            ident_release(e, &ids[i], NULL, NULL, NULL);
    }
    ident_engine_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(table),
                                       cmocka_unit_test(holding_is_bounded),
                                       cmocka_unit_test(holding_is_bounded_in_all)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
