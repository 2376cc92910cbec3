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
};

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
/* The peer has everything before h->acked: gives up holes before parked bytes. */
void half_acked(struct tcp_run *r, enum dir dir);
/* Whoever sends from `seq` on has sent what is before: gives up what the peer has
 * acknowledged of it. */
void half_reached(struct tcp_run *r, enum dir dir, uint32_t seq);
/* Passes on all that is parked, holes as gaps. */
void half_flush(struct tcp_run *r, enum dir dir);
/* As half_flush(), then what is missing up to `seq` as a gap. */
void half_flush_to(struct tcp_run *r, enum dir dir, uint32_t seq);
/* The stream ends at `seq`: forgets what is parked behind it. */
void half_end_at(struct tcp_run *r, enum dir dir, uint32_t seq);
/* CLOSE, once; frees what is held. */
void half_close(struct tcp_run *r, enum dir dir);
/* Frees what is held. */
void half_forget(struct tcp *t, struct tcp_pool *p, enum dir dir);

#endif
