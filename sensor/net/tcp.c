/* net/tcp.c - see tcp.h. What a packet's flags and numbers mean for the two
 * halves; the bytes are tcp_half.c's. */
#include "net/tcp.h"

#include "net/tcp_half.h"

_Static_assert(sizeof(struct tcp) <= 104, "two cache lines a connection, with room");

/* An acknowledgement further ahead than this is no answer to anything. */
#define ACK_JUMP_MAX (1 << 30)

void tcp_init(struct tcp *t, uint64_t hash)
{
    *t = (struct tcp){.shard = (uint8_t)(hash >> 58)};
}

bool tcp_peer_seen(const struct tcp *t, enum dir dir)
{
    return !half_one_way(t, dir);
}

bool tcp_is_closed(const struct tcp *t)
{
    return t->closed;
}

/* Where a RST of this half may lie: where the peer stands, as far as is known. */
static bool reset_fits(const struct tcp *t, enum dir dir, const struct packet *pkt)
{
    const struct tcp_half *h = &t->half[dir], *peer = &t->half[dir_other(dir)];
    uint32_t seq = pkt->tcp.seq;
    if (half_is(h, HALF_STARTED) && seq == h->next_seq)
        return true;
    if (half_is(h, HALF_ACKED) && seq == h->acked)
        return true;
    if (half_is(h, HALF_FIN) && seq == h->fin_seq + 1)
        return true;
    if (half_parked(h) && seq == segment_end(h->more->parked_last))
        return true;
    if (half_is(h, HALF_STARTED) || half_is(h, HALF_ACKED))
        return false;
    /* A port that refuses: nothing but the number of the SYN is known. */
    return (pkt->tcp.flags & TCP_ACK) && half_is(peer, HALF_STARTED) &&
           pkt->tcp.ack == peer->next_seq;
}

/* What was received and waits for what was lost. */
static void drain_half(struct tcp_run *r, enum dir dir)
{
    struct tcp_half *h = &r->t->half[dir];
    if (!half_is(h, HALF_SEEN))
        return;
    if (half_is(h, HALF_STARTED) && !half_is(h, HALF_CLOSED)) {
        half_flush(r, dir);
        int32_t tail = half_is(h, HALF_ACKED) ? seq_diff(h->acked, h->next_seq) : 0;
        if (half_is(h, HALF_FIN))
            half_flush_to(r, dir, h->fin_seq);
        else if (tail > 1) /* 1 is a FIN that was not seen */
            half_flush_to(r, dir, h->acked);
    }
}

static void finish_half(struct tcp_run *r, enum dir dir)
{
    if (!half_is(&r->t->half[dir], HALF_SEEN))
        return;
    drain_half(r, dir);
    half_close(r, dir);
}

/* Whoever resets is the one who gave up: his side ends first. */
static void finish_reset(struct tcp_run *r, enum dir dir)
{
    r->t->closed = true;
    drain_half(r, dir_other(dir));
    finish_half(r, dir);
}

static void finish(struct tcp_run *r)
{
    r->t->closed = true;
    finish_half(r, TO_SERVER);
    finish_half(r, TO_CLIENT);
    half_forget(r->t, r->p, TO_SERVER);
    half_forget(r->t, r->p, TO_CLIENT);
}

static bool fin_acked(const struct tcp_half *h)
{
    return half_is(h, HALF_FIN | HALF_ACKED) && seq_diff(h->acked, h->fin_seq) > 0;
}

static void close_at_fin(struct tcp_run *r, enum dir dir)
{
    struct tcp_half *h = &r->t->half[dir];
    const struct tcp_half *peer = &r->t->half[dir_other(dir)];
    bool alone = !half_is(peer, HALF_SEEN);
    if (!half_is(h, HALF_FIN) || seq_diff(h->next_seq, h->fin_seq) < 0)
        return;
    if (!alone && !fin_acked(h))
        return;
    half_close(r, dir);
    if (half_is(peer, HALF_CLOSED) || alone)
        finish(r);
}

/* The peer of `dir` acknowledges. */
static void acknowledge(struct tcp_run *r, enum dir dir, uint32_t ack)
{
    struct tcp_half *h = &r->t->half[dir];
    if (half_is(h, HALF_STARTED) && seq_diff(ack, h->next_seq) > ACK_JUMP_MAX)
        return;
    if (!half_is(h, HALF_ACKED) || seq_diff(ack, h->acked) > 0)
        h->acked = ack;
    half_set(h, HALF_ACKED);
    if (!half_is(h, HALF_STARTED) || half_is(h, HALF_CLOSED))
        return;
    half_acked(r, dir);
    if (fin_acked(h)) {
        half_flush_to(r, dir, h->fin_seq);
        close_at_fin(r, dir);
    }
}

/* false: a SYN that does not belong to what was seen. */
static bool synchronize(struct tcp *t, enum dir dir, const struct packet *pkt)
{
    struct tcp_half *h = &t->half[dir], *peer = &t->half[dir_other(dir)];
    bool answered = half_is(h, HALF_ACKED) || h->offset > 0 || half_parked(h);
    if (!half_is(h, HALF_STARTED) || (!half_is(h, HALF_MIDSTREAM) && !answered))
        half_start(h, pkt->tcp.seq + 1);
    else if (half_is(h, HALF_MIDSTREAM) || pkt->tcp.seq + 1 != h->next_seq - (uint32_t)h->offset)
        return false;
    if ((pkt->tcp.flags & TCP_ACK) && !half_is(peer, HALF_STARTED))
        half_start(peer, pkt->tcp.ack); /* its SYN was not captured */
    return true;
}

/* Data or FIN of a half whose SYN was not seen. */
static void join(struct tcp_run *r, enum dir dir, uint32_t seq)
{
    struct tcp_half *h = &r->t->half[dir];
    half_start(h, seq);
    half_set(h, HALF_MIDSTREAM);
    tally_add(r->p->tally, TALLY_tcp_midstream, 1);
}

static void note_fin(struct tcp_run *r, enum dir dir, uint32_t seq)
{
    struct tcp_half *h = &r->t->half[dir];
    if (half_is(h, HALF_FIN) || seq_diff(seq, h->next_seq) < 0)
        return;
    h->fin_seq = seq;
    half_set(h, HALF_FIN);
    half_end_at(r, dir, seq);
}

/* How much of a segment lies before the FIN. A FIN that the peer did not
 * acknowledge, and behind which there is more, was for our eyes only. */
static uint32_t before_fin(struct tcp_half *h, uint32_t seq, uint32_t length)
{
    if (!half_is(h, HALF_FIN) || seq_diff(seq + length, h->fin_seq) <= 0)
        return length;
    if (!fin_acked(h)) {
        h->flags &= (uint8_t)~HALF_FIN;
        return length;
    }
    int32_t left = seq_diff(h->fin_seq, seq);
    return left > 0 ? (uint32_t)left : 0;
}

static void segment(struct tcp_run *r, enum dir dir, const struct packet *pkt)
{
    struct tcp_half *h = &r->t->half[dir];
    uint32_t seq = pkt->tcp.seq + (pkt->tcp.flags & TCP_SYN ? 1 : 0);
    uint32_t length = pkt->wire_payload;
    bool fin = (pkt->tcp.flags & TCP_FIN) != 0;
    if (half_is(h, HALF_CLOSED))
        return;
    if (!half_is(h, HALF_STARTED) && (length > 0 || fin))
        join(r, dir, seq);
    if (!half_is(h, HALF_STARTED))
        return;
    length = before_fin(h, seq, length);
    if (length > 0)
        half_data(r, dir, seq, pkt->payload, length);
    else if (!fin && seq_diff(seq, h->next_seq) > 0)
        half_reached(r, dir, seq);
    if (fin)
        note_fin(r, dir, seq + pkt->wire_payload);
    close_at_fin(r, dir);
}

void tcp_input(struct tcp *t, struct tcp_pool *p, enum dir dir, const struct packet *pkt,
               chunk_fn *fn, void *ctx)
{
    struct tcp_run r = {.t = t, .p = p, .at = pkt->at, .fn = fn, .ctx = ctx};
    uint8_t flags = pkt->tcp.flags;
    p->has_conflict = false;
    if (t->closed)
        return;
    tally_add(p->tally, TALLY_tcp_segments, 1);
    half_set(&t->half[dir], HALF_SEEN);
    if (flags & TCP_RST) {
        if (reset_fits(t, dir, pkt)) {
            finish_reset(&r, dir);
            finish(&r);
        }
        return;
    }
    if ((flags & TCP_SYN) && !synchronize(t, dir, pkt))
        return;
    if (flags & TCP_ACK)
        acknowledge(&r, dir_other(dir), pkt->tcp.ack);
    if (!t->closed)
        segment(&r, dir, pkt);
    half_trim(t, p, TO_SERVER);
    half_trim(t, p, TO_CLIENT);
}

void tcp_finish(struct tcp *t, struct tcp_pool *p, struct stamp now, chunk_fn *fn, void *ctx)
{
    struct tcp_run r = {.t = t, .p = p, .at = now, .fn = fn, .ctx = ctx};
    p->has_conflict = false;
    if (!t->closed)
        finish(&r);
}
