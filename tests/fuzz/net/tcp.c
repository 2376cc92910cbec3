/* Fuzz: segments of one connection, 8 bytes of instructions each: direction and flags,
 * place, length, acknowledgement, time. What tcp.h guarantees must hold, and every byte must be one
 * that was sent. */
#include <stdlib.h>

#include "net/tcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPERATION = 8, ISN_CLIENT = 0x7fffff00, ISN_SERVER = -300 };

struct watch {
    uint64_t next[2];
    bool closed[2], stopped;
    size_t chunks, stop_after;
    unsigned versions; /* of the data that were sent */
    int64_t ms;
};

static bool on_chunk(void *ctx, const struct chunk *c)
{
    struct watch *w = ctx;
    if (w->stopped || w->closed[c->dir] || c->offset != w->next[c->dir])
        abort();
    if (c->kind == CHUNK_GAP && (c->missing == 0 || c->data.len > 0))
        abort();
    if (c->kind == CHUNK_DATA && (c->data.len == 0 || c->missing > 0))
        abort();
    for (size_t i = 0; i < c->data.len; i++)
        if ((c->data.at[i] & 0xf0) != 0x50)
            abort();
    w->closed[c->dir] = c->kind == CHUNK_CLOSE;
    w->next[c->dir] += c->data.len + c->missing;
    w->stopped = ++w->chunks == w->stop_after;
    return !w->stopped;
}

static void one(struct tcp *t, struct tcp_pool *pool, struct watch *w, const uint8_t op[OPERATION])
{
    enum dir dir = op[0] & 1 ? TO_CLIENT : TO_SERVER;
    uint32_t place = (uint32_t)(op[1] << 8 | op[2]), ack = (uint32_t)(op[5] << 8 | op[6]);
    if (op[0] & 2) /* far away */
        place <<= 14;
    if (op[0] & 4)
        ack <<= 14;
    size_t wire = op[3] * (op[0] & 8 ? 16u : 1u), n = wire;
    if (op[0] & 16)
        n = wire / 2;
    uint8_t *own = malloc(n > 0 ? n : 1);
    memset(own, 0x50 | (op[4] & 3), n);
    uint32_t mine = dir == TO_SERVER ? ISN_CLIENT : (uint32_t)ISN_SERVER;
    uint32_t peer = dir == TO_SERVER ? (uint32_t)ISN_SERVER : ISN_CLIENT;
    w->ms += op[4] >> 3;
    struct packet p = {.at.ns = w->ms * 1000000,
                       .payload = bytes_of(own, n),
                       .wire_payload = (uint32_t)wire,
                       .cut = n < wire,
                       .tcp = {.seq = mine + place, .ack = peer + ack, .flags = op[7]}};
    struct tcp_conflict c;
    tcp_input(t, pool, dir, &p, on_chunk, w);
    if (tcp_conflict(pool, &c) && c.length == 0)
        abort();
    if (op[0] & 32)
        tcp_tick(t, pool, p.at, on_chunk, w);
    free(own);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct tally tally = {0};
    struct tcp_conf conf = {.max_parked = data[0] & 1 ? 64 * 4000 : 0,
                            .max_per_dir = data[0] & 2 ? 3000 : 0,
                            .no_conflicts = data[0] & 4};
    struct tcp_pool *pool = tcp_pool_new(&conf, &tally);
    struct watch w = {.stop_after = data[0] >> 3};
    struct tcp t;
    tcp_init(&t, 0);
    for (data++, size--; size >= OPERATION; data += OPERATION, size -= OPERATION)
        one(&t, pool, &w, data);
    tcp_finish(&t, pool, (struct stamp){0}, on_chunk, &w);
    if (!tcp_is_closed(&t))
        abort();
    tcp_pool_free(pool);
    return 0;
}
