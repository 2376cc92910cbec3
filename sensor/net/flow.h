/* net/flow.h - the connection table of one worker.
 *
 * The table owns each flow and `user_size` bytes behind it; what is in those
 * bytes is the caller's affair, so this file knows no stream, no dissector.
 * Every flow that goes, goes through `on_end`, exactly once.
 *
 * The table is 64 virtual shards (the top 6 bits of the hash). Each has a 64th
 * of max_flows and evicts for itself, so that what is evicted does not depend on
 * which worker owns which shards. All time is packet time. Flows expire at
 * ticks only, those of one tick by rising serial. */
#ifndef NET_FLOW_H
#define NET_FLOW_H

#include "base/tally.h"
#include "net/packet.h"

#define FLOW_SHARDS 64u

enum flow_end {
    FLOW_CLOSED, /* flow_close(), or a new connection took its addresses and ports */
    FLOW_IDLE,
    FLOW_EVICTED,
    FLOW_SHUTDOWN,
};

/* Laid out for the cache: a packet of a known flow touches the first two lines. */
struct flow {
    struct flow_id id;
    uint8_t ip_proto;
    bool reversed;        /* flow_reverse() was called an odd number of times */
    uint8_t state, shard; /* of the table */
    uint32_t seen;        /* of the table: seconds of packet time */
    struct stamp last;    /* the latest packet */
    uint64_t packets[2];  /* by id: [TO_SERVER], [TO_CLIENT] */
    uint64_t octets[2];   /* of payload, on the wire */
    struct stamp first;
};

/* `user` is flow_user(f). The flow's memory is good until the function returns;
 * it must not call into the table. */
typedef void flow_end_fn(void *ctx, struct flow *f, void *user, enum flow_end why);

struct flow_conf {
    size_t max_flows;             /* 0: LIMIT_FLOWS; at least one a shard */
    int64_t idle_ns;              /* 0: 1 h */
    int64_t embryonic_ns;         /* 0: 30 s; no data yet, and not seen both ways */
    int64_t closed_ns;            /* 0: 10 s */
    const uint16_t *server_ports; /* hints for connections joined in the middle; the caller's, */
    size_t server_port_n;         /* needed as long as the table lives */
};

struct flow_table;

/* Both directions of a connection hash alike; keyed (SipHash-1-3), so not to be
 * steered. Over addresses, ports, protocol and network; not over VLAN ids. The
 * key decides who shares a shard: fixed for replays, random when live. */
uint64_t flow_hash(const struct packet *p, const uint8_t key[16]);

static inline unsigned flow_shard(uint64_t hash)
{
    return (unsigned)(hash >> 58);
}

/* NULL: no memory. `tally` outlives the table. */
struct flow_table *flow_table_new(const struct flow_conf *conf, size_t user_size,
                                  flow_end_fn *on_end, void *ctx, struct tally *tally);

/* The flow of a TCP packet (p->hash filled), made if need be; user bytes are then zero and
 * *fresh is true. Counts the packet. May end another flow first (eviction, or a
 * reused port). NULL: a straggler of a closed flow, or no memory.
 *
 * *dir is as first decided and never changes during the flow, so that
 * state kept per direction stays where it is; flow_dir() says which way that is
 * after a flow_reverse(). The first decision: a SYN's sender is the client, a SYN+ACK's
 * the server; else a hinted port is the server's; else the lower one. */
struct flow *flow_find(struct flow_table *t, const struct packet *p, enum dir *dir, bool *fresh);

static inline enum dir flow_dir(const struct flow *f, enum dir dir)
{
    return f->reversed ? dir_other(dir) : dir;
}

void *flow_user(struct flow *f);

/* Client and server change places in id, packets and octets. May be called while a packet of the
 * flow is being worked on. */
void flow_reverse(struct flow *f);

/* Ends the flow now (on_end, FLOW_CLOSED). What is left swallows stragglers for
 * closed_ns, but not a SYN with another number, nor, if it was closed by a RST, more data of
 * the RST's sender (a RST that was only meant for the sensor); f and its user bytes are not to be
 * used again. */
void flow_close(struct flow_table *t, struct flow *f);

/* Ends what was idle too long at packet time `now`. */
void flow_tick(struct flow_table *t, struct stamp now);

/* For a batch: the first for all packets, then the second for all, then
 * flow_find() for each. Only hints to the memory. */
void flow_prefetch(const struct flow_table *t, uint64_t hash);
void flow_prefetch_flow(const struct flow_table *t, uint64_t hash);
/* The user's bytes of the flow that the hash most likely is of, to prefetch what they point to;
 * NULL: none. */
const void *flow_guess(const struct flow_table *t, uint64_t hash);

/* Flows that have not ended. */
size_t flow_count(const struct flow_table *t);

/* Ends every flow (FLOW_SHUTDOWN, by rising serial). */
void flow_table_flush(struct flow_table *t);
void flow_table_free(struct flow_table *t); /* flushes first */

#endif
