/* tests/net/support/tcp_scene.c - see tcp_scene.h. */
#include "tests/net/support/tcp_scene.h"

#include <stdlib.h>

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
    if (s->chunks < sizeof s->at / sizeof *s->at)
        s->at[s->chunks] = c->at.ns / 1000000;
    s->chunks++;
    return s->chunks != s->stop_after;
}

void begin_with(struct scene *s, struct tcp_conf conf)
{
    memset(s, 0, sizeof *s);
    s->pool = tcp_pool_new(&conf, &s->tally);
    tcp_init(&s->t, 0x123456789abcdef0u);
}

void begin(struct scene *s)
{
    begin_with(s, (struct tcp_conf){0});
}

void end(struct scene *s)
{
    tcp_finish(&s->t, s->pool, (struct stamp){0}, on_chunk, s);
    tcp_pool_free(s->pool);
}

void expect(struct scene *s, const char *log)
{
    assert_string_equal(s->log, log);
    s->n = 0;
    s->log[0] = '\0';
}

void segment(struct scene *s, enum dir dir, uint8_t flags, uint32_t seq, uint32_t ack,
             const char *text, size_t wire)
{
    size_t n = strlen(text);
    char *own = malloc(n ? n : 1);
    memcpy(own, text, n);
    struct packet p = {.at.ns = s->ms * 1000000,
                       .tcp = {.seq = seq, .ack = ack, .flags = flags},
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

void to_server(struct scene *s, uint32_t at, uint32_t acked, const char *text)
{
    segment(s, TO_SERVER, TCP_ACK, C + 1 + at, S + 1 + acked, text, 0);
}

void to_client(struct scene *s, uint32_t at, uint32_t acked, const char *text)
{
    segment(s, TO_CLIENT, TCP_ACK, S + 1 + at, C + 1 + acked, text, 0);
}

void handshake(struct scene *s)
{
    segment(s, TO_SERVER, TCP_SYN, C, 0, "", 0);
    segment(s, TO_CLIENT, TCP_SYN | TCP_ACK, S, C + 1, "", 0);
    to_server(s, 0, 0, "");
}

void start(struct scene *s)
{
    begin(s);
    handshake(s);
}

void wait_ms(struct scene *s, int64_t ms)
{
    s->ms += ms;
    tcp_tick(&s->t, s->pool, (struct stamp){.ns = s->ms * 1000000}, on_chunk, s);
}
