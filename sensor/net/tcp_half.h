/* net/tcp_half.h - inside tcp only: one direction's bytes. tcp.c decides what a
 * packet means, tcp_half.c puts its bytes in order, tcp_receipt.c remembers what
 * they were. */
#ifndef NET_TCP_HALF_H
#define NET_TCP_HALF_H

#include "net/tcp_pool.h"

enum {
    HALF_SEEN = 0x01,      /* a packet came this way */
    HALF_STARTED = 0x02,   /* next_seq counts */
    HALF_MIDSTREAM = 0x04, /* started without its SYN */
    HALF_ACKED = 0x08,     /* acked counts: the peer is there */
    HALF_FIN = 0x10,       /* fin_seq counts */
    HALF_CLOSED = 0x20,    /* CLOSE was said */
};

/* One call of tcp_input() or tcp_finish(). */
struct tcp_run {
    struct tcp *t;
    struct tcp_pool *p;
    struct stamp at;
    chunk_fn *fn;
    void *ctx;
    uint32_t needs; /* of the other direction's stream, by the packet's acknowledgement */
};

/* Packet time, for differences. */
static inline uint32_t stamp_ms(struct stamp at)
{
    return (uint32_t)(at.ns / 1000000);
}

static inline bool half_is(const struct tcp_half *h, unsigned flags)
{
    return (h->flags & flags) == flags;
}

static inline void half_set(struct tcp_half *h, unsigned flags)
{
    h->flags = (uint8_t)(h->flags | flags);
}

static inline struct tcp_segment *half_parked(const struct tcp_half *h)
{
    return h->more ? h->more->parked : NULL;
}

static inline void half_start(struct tcp_half *h, uint32_t seq)
{
    h->next_seq = seq;
    half_set(h, HALF_STARTED);
}

/* tcp_receipt.c: bytes passed on, before the peer has acknowledged them. */
void receipt_add(struct tcp_run *r, enum dir dir, uint32_t seq, struct bytes data);
void receipt_drop_acked(struct tcp_run *r, enum dir dir);
void receipt_drop_all(struct tcp *t, struct tcp_pool *p, enum dir dir);
/* The same place again: is it the same? Notes a conflict if not. */
void receipt_compare(struct tcp_run *r, enum dir dir, uint32_t seq, struct bytes data);
void note_conflict(struct tcp_run *r, enum dir dir, uint32_t at, uint32_t n);
/* Made if need be; NULL: no room. */
struct tcp_more *half_more(struct tcp_run *r, enum dir dir);
/* Gives it back if there is nothing in it. Not while somebody looks at it. */
void half_trim(struct tcp *t, struct tcp_pool *p, enum dir dir);
/* Nothing of the peer was seen. */
bool half_one_way(const struct tcp *t, enum dir dir);

/* Bytes at seq, `length` of them on the wire, of which `data` was captured. The half is started. */
void half_data(struct tcp_run *r, enum dir dir, uint32_t seq, struct bytes data, uint32_t length);
/* Whoever sends from `seq` on has sent what is before: a mark there, if nothing is parked, behind
 * which the hole can be given up. */
void half_reached(struct tcp_run *r, enum dir dir, uint32_t seq);
/* The first parked segment leaves the list, and is passed on. It starts at next_seq. */
void half_pass_parked(struct tcp_run *r, enum dir dir);
/* Gives up the hole before the first parked segment, and passes that one on. */
void half_skip_hole(struct tcp_run *r, enum dir dir);
/* What is missing up to `seq` is said to be a gap. Nothing that is before `seq` is parked. */
void half_gap_to(struct tcp_run *r, enum dir dir, uint32_t seq);
/* What of this direction was not passed on begins again at `from`, behind a gap: bytes of a hole
 * that was given up have come after all. */
void half_rewind(struct tcp_run *r, enum dir dir, uint32_t from);
/* CLOSE, once; frees what is held. */
void half_close(struct tcp_run *r, enum dir dir);
/* Frees what is held. */
void half_forget(struct tcp *t, struct tcp_pool *p, enum dir dir);

/* tcp_wait.c: what is parked, and for how long.
 *
 * A segment that carries an acknowledgement of bytes of the other direction was sent when its
 * sender had those: it waits for them too, so that a question comes before its answer. */
bool half_held(const struct tcp_run *r, enum dir dir, uint32_t needs);
/* The peer acknowledges. */
void half_acked(struct tcp_run *r, enum dir dir, uint32_t ack);
/* Passes on what is parked in order; gives up what was waited for long enough. */
void half_settle(struct tcp_run *r);
/* Will time alone end a wait? */
bool half_waits(const struct tcp *t, enum dir dir);
/* Passes on all that is parked, of both directions, holes as gaps. */
void half_flush(struct tcp_run *r);

/* tcp_lost.c: the holes that were given up. */
void lost_add(struct tcp_run *r, enum dir dir, uint32_t from, uint32_t to);
/* Is a byte of [seq, end) among them? *from: the first. */
bool lost_find(const struct tcp_half *h, uint32_t seq, uint32_t end, uint32_t *from);
/* Forgets what is not before `seq`. */
void lost_cut(struct tcp_half *h, uint32_t seq);
void lost_free(struct tcp *t, struct tcp_pool *p, enum dir dir);

#endif
