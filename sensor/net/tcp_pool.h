/* net/tcp_pool.h - inside tcp only: copies of segments, and what is accounted to
 * whom. Each virtual shard has a 64th of the total for itself, so that what is
 * given up does not depend on the number of workers. */
#ifndef NET_TCP_POOL_H
#define NET_TCP_POOL_H

#include "net/tcp.h"

enum { POOL_SHARDS = 64, POOL_CLASSES = 12, POOL_CLASS_MIN = 64 }; /* 64 bytes to 128 KiB */

struct tcp_segment {
    struct tcp_segment *next;
    uint32_t seq, len;
    uint32_t missing; /* cut off by the snaplen, behind the data */
    uint32_t size;    /* of this block, all in all */
    uint32_t needs;   /* of the other direction's stream: it was sent with that in hand */
    struct stamp at;  /* of the packet */
    uint8_t data[];
};

/* What was passed on and not acknowledged yet: a segment's hash instead of its bytes. */
struct tcp_receipt {
    struct tcp_receipt *next;
    uint64_t hash;
    struct tcp_segment *again;  /* pieces of a second version, by sequence */
    uint32_t seq, len, covered; /* covered: by those pieces */
};

struct tcp_lost;

/* Of a half, as long as there is something in it. */
struct tcp_more {
    struct tcp_segment *parked,
        *parked_last;                 /* by sequence, not overlapping, not before next_seq */
    struct tcp_receipt *receipt_last; /* a ring, by sequence: its next is the first */
    uint32_t parked_bytes;
    uint16_t parked_n, receipt_n;
    uint32_t claimed_ms;   /* since when the peer says that it has what is missing here */
    struct tcp_lost *lost; /* the holes that were given up; NULL: none */
};

struct spare {
    struct spare *next;
};

struct tcp_pool {
    size_t per_shard, per_dir;
    size_t used[POOL_SHARDS];
    struct spare *spare[POOL_CLASSES];
    uint8_t secret[192]; /* of the hashes: nobody can make two segments of one hash */
    size_t spare_bytes;
    struct tally *tally;
    bool compares;
    bool has_conflict;
    struct tcp_conflict conflict;
};

static inline int32_t seq_diff(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

static inline uint32_t segment_end(const struct tcp_segment *s)
{
    return s->seq + s->len + s->missing;
}

/* Memory of at least *size bytes; *size becomes what is accounted for. NULL: the shard's
 * limit, or no memory. */
void *pool_take(struct tcp_pool *p, unsigned shard, size_t *size);
void pool_give(struct tcp_pool *p, unsigned shard, void *at, size_t size);

/* A copy of data; NULL: the shard's limit, or no memory. */
struct tcp_segment *segment_new(struct tcp_pool *p, unsigned shard, uint32_t seq, struct bytes data,
                                uint32_t missing);
void segment_free(struct tcp_pool *p, unsigned shard, struct tcp_segment *s);
/* Frees the whole list. */
void segment_free_all(struct tcp_pool *p, unsigned shard, struct tcp_segment **list);

/* Where the two lie over each other: do their bytes differ? If so, *at is the first
 * sequence number that does, *n the bytes from there to the end of what both have. */
bool segment_differs(const struct tcp_segment *s, uint32_t seq, struct bytes data, uint32_t *at,
                     uint32_t *n);

#endif
