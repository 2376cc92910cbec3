/* base/wire.h - the few plain types that every stage shares: when, who, which
 * way, and one in-order piece of a byte stream. */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include "base/bytes.h"

/* Time comes from the capture, never from the clock of the machine: a replay
 * takes the same decisions as the live run. `ordinal` counts packets over all
 * inputs and puts everything the sensor says in one order, however many threads
 * there are. `number` is what a person finds the packet by: its place, from 1,
 * in input number `input` (a file or an interface), counted before the filter. */
struct stamp {
    int64_t ns; /* since the epoch, UTC */
    uint64_t ordinal;
    uint64_t number;
    uint32_t input;
};

enum dir { TO_SERVER = 0, TO_CLIENT = 1 };

static inline enum dir dir_other(enum dir d)
{
    return d == TO_SERVER ? TO_CLIENT : TO_SERVER;
}

struct endpoint {
    uint8_t ip[16]; /* IPv4 in the first four bytes, the rest zero */
    uint16_t port;
    uint8_t family; /* 4 or 6 */
};

static inline bool endpoint_same_host(const struct endpoint *a, const struct endpoint *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, a->family == 4 ? 4 : 16) == 0;
}

/* 127.0.0.0/8, ::1, and ::ffff:127.0.0.0/104. */
static inline bool endpoint_is_loopback(const struct endpoint *e)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t one[16] = {[15] = 1};

    if (e->family == 4)
        return e->ip[0] == 127;
    return memcmp(e->ip, one, 16) == 0 || (memcmp(e->ip, mapped, 12) == 0 && e->ip[12] == 127);
}

struct flow_id {
    struct endpoint client, server;
    uint32_t network; /* innermost VNI or GRE key, 0: none */
    uint16_t vlan;    /* outermost VLAN id of the first packet, 0: none; not part of the key */
    uint64_t serial;  /* ordinal of the first packet: unique, shard-free */
};

enum chunk_kind {
    CHUNK_DATA,  /* data is in order and not seen before */
    CHUNK_GAP,   /* `missing` bytes were lost; data is empty */
    CHUNK_CLOSE, /* nothing more will come this way */
};

struct chunk {
    enum chunk_kind kind;
    enum dir dir;
    bool midstream;  /* this direction was joined after its start */
    uint64_t offset; /* of data, in this direction's stream */
    uint64_t missing;
    struct bytes data;
    struct stamp at;
};

/* false: "send me no more of this connection". The caller then stops; nobody
 * ever calls back into the stage that is calling him. */
typedef bool chunk_fn(void *ctx, const struct chunk *c);

#endif
