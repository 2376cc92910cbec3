/* tests/net/support/tcp_scene.h - one connection, and a log of what tcp.h says of it. */
#ifndef TESTS_NET_TCP_SCENE_H
#define TESTS_NET_TCP_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

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
    int64_t ms;     /* the time of the next packet */
    int64_t at[64]; /* of the first chunks, in ms */
};

enum { C = 1000, S = 5000 }; /* initial sequence numbers */

void begin_with(struct scene *s, struct tcp_conf conf);
void begin(struct scene *s);
void handshake(struct scene *s);
void start(struct scene *s); /* both */
void end(struct scene *s);
/* The log must be this; it is then empty. */
void expect(struct scene *s, const char *log);

/* Each payload in a block of its own, exactly as long. wire: 0, or how long it was. */
void segment(struct scene *s, enum dir dir, uint8_t flags, uint32_t seq, uint32_t ack,
             const char *text, size_t wire);
/* Behind the handshake, `at` and `acked` from 0. */
void to_server(struct scene *s, uint32_t at, uint32_t acked, const char *text);
void to_client(struct scene *s, uint32_t at, uint32_t acked, const char *text);
/* Nothing comes for that long; then a tick. */
void wait_ms(struct scene *s, int64_t ms);

#endif
