/* net/tcp.h - segments in, ordered chunks out.
 *
 * Guarantees to chunk_fn: offsets of one direction start at 0 and only rise;
 * DATA never repeats a byte; a hole is announced as one GAP (offset: its first
 * byte) before the data behind it; CLOSE comes once and last, for each
 * direction that was seen. Data in order is passed on where it lies; what is
 * out of order is copied. `at` is the packet that the data came in, earlier than that of the chunk
 * before if they waited; of a gap the packet or the tick that ended the wait.
 *
 * Mirrors mix up the order of packets, and anybody can forge an acknowledgement. So what a
 * packet acknowledges and we have not seen is waited for, and its own data come behind that, for
 * TCP_WAIT_MS of packet time at most. A hole is given up as a gap when for that long more of the
 * same direction has been there, and all acknowledgements have covered the hole (one that does
 * not starts it again); in one-way traffic (nothing of the peer seen) after as long,
 * TCP_ONE_WAY_WINDOW parked bytes or TCP_ONE_WAY_SEGMENTS segments; when the parked bytes reach
 * their limit; at the end. What comes for a hole after that is passed on all the same: behind a
 * gap of nearly 4 GiB, which stands for the way back. A segment cut by the snaplen ends in a gap.
 *
 * The first copy of a byte wins. Copies that differ are counted and reported
 * (tcp_conflict). Of bytes already passed on, a hash of each segment is kept until
 * the peer acknowledges it; after that, receivers discard any other version. If the
 * receiver never got the first version it still needs the whole segment: so the
 * second is put together, in whatever pieces it comes, and compared.
 *
 * RST is believed only at the exact place where the stream stands (RFC 5961
 * 3.2), or, where that is known by hearsay, when its sender falls silent for a second; FIN once
 * the stream has reached it and the peer has acknowledged it (in one-way traffic at once). Data
 * behind a FIN say that it was none, unless both have happened: then they are ignored. */
#ifndef NET_TCP_H
#define NET_TCP_H

#include "base/tally.h"
#include "net/packet.h"

#define TCP_ONE_WAY_WINDOW   (64u << 10)
#define TCP_ONE_WAY_SEGMENTS 64u
#define TCP_WAIT_MS          10 /* mirrors are not that late; whoever forges can wait anyway */

struct tcp_pool; /* one per worker */
struct tcp_more;

/* Per connection; the fields belong to tcp.c. Zeroed memory is not enough: tcp_init(). */
struct tcp {
    struct tcp_half {
        uint64_t offset;             /* of next_seq in the stream */
        struct tcp_more *more;       /* what waits for order or acknowledgement; NULL: nothing */
        uint64_t sent_hash;          /* of the oldest segment not acknowledged, if sent_len > 0: */
        uint32_t sent_seq, sent_len; /* nearly always the only one, so it is here */
        uint32_t next_seq;           /* the first byte not passed on */
        uint32_t acked;              /* by the peer */
        uint32_t fin_seq;
        uint8_t flags;
    } half[2];
    uint32_t reset_ms; /* when a RST came that is not believed yet */
    uint8_t shard;
    bool ignore : 1; /* chunk_fn has said that it wants no more */
    bool closed : 1;
    bool waits : 1; /* see tcp_waits() */
    bool reset : 1; /* reset_ms counts */
    uint8_t reset_dir : 1;
};

struct tcp_conf {
    size_t max_parked;  /* 0: LIMIT_PARKED_TOTAL; a 64th for each virtual shard */
    size_t max_per_dir; /* 0: LIMIT_PARKED_PER_DIR */
    bool no_conflicts;  /* see those of parked bytes only: spares the hashes */
};

/* Bytes that came twice with different values. */
struct tcp_conflict {
    enum dir dir;
    uint64_t offset; /* of the first byte that differs, or of the segment that holds it */
    uint64_t length; /* from there to the end of the overlap, or of the segment */
};

/* NULL: no memory. `tally` outlives the pool. */
struct tcp_pool *tcp_pool_new(const struct tcp_conf *conf, struct tally *tally);
void tcp_pool_free(struct tcp_pool *p); /* after tcp_finish() of every connection */

void tcp_init(struct tcp *t, uint64_t hash);

/* One segment. dir: as flow_find() says. When fn returns false the connection's
 * state is followed on, its data is not; fn is not called again. */
void tcp_input(struct tcp *t, struct tcp_pool *p, enum dir dir, const struct packet *pkt,
               chunk_fn *fn, void *ctx);

/* Did the last tcp_input() find a conflict? The first one, if so. */
bool tcp_conflict(const struct tcp_pool *p, struct tcp_conflict *out);

/* Something waits that time alone ends: tcp_tick() some milliseconds from now. */
bool tcp_waits(const struct tcp *t);

/* Bytes of that side, as flow_find() has it, are missing: more are there, or its peer has
 * acknowledged them. */
bool tcp_misses(const struct tcp *t, enum dir dir);

/* `now` is packet time, and the stamp of the chunks. */
void tcp_tick(struct tcp *t, struct tcp_pool *p, struct stamp now, chunk_fn *fn, void *ctx);

/* The end of the flow, for whatever reason: passes on what is parked, with its gaps, closes both
 * directions and frees all memory. `now` is the stamp of those chunks. */
void tcp_finish(struct tcp *t, struct tcp_pool *p, struct stamp now, chunk_fn *fn, void *ctx);

/* Any packet of the other side than dir, an empty one too? */
bool tcp_peer_seen(const struct tcp *t, enum dir dir);

/* Both directions closed, or reset. */
bool tcp_is_closed(const struct tcp *t);

#endif
