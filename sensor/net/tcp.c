/* net/tcp.c - see tcp.h. What a packet's flags and numbers mean for the two
 * halves; the bytes are tcp_half.c's. */
#include "net/tcp.h"

#include "net/tcp_half.h"

_Static_assert(sizeof(struct tcp) <= 104, "two cache lines a connection, with room");

/* An acknowledgement further ahead than this is no answer to anything. */
#define ACK_JUMP_MAX (1 << 30)

/* A RST at a place that may be wrong is believed after that much silence. */
enum { RESET_MS = 1000 };

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

enum reset { RESET_NO, RESET_PERHAPS, RESET_YES };

/* Where a RST of this half may lie: where the peer stands, as far as is known. Where it stands
 * only by what may be forged, the RST is believed when its sender is silent from then on. */
static enum reset reset_fits(const struct tcp *t, enum dir dir, const struct packet *pkt)
{
    const struct tcp_half *h = &t->half[dir], *peer = &t->half[dir_other(dir)];
    uint32_t seq = pkt->tcp.seq;
    bool started = half_is(h, HALF_STARTED);
    if (started && seq == h->next_seq)
        return RESET_YES;
    if (half_is(h, HALF_FIN) && seq == h->fin_seq + 1)
        return h->fin_seq == h->next_seq ? RESET_YES : RESET_PERHAPS;
    if (half_is(h, HALF_ACKED) && seq == h->acked)
        return started && seq_diff(seq, h->next_seq) > 1 ? RESET_PERHAPS : RESET_YES;
    if (half_parked(h) && seq == segment_end(h->more->parked_last))
        return RESET_PERHAPS;
    if (started || half_is(h, HALF_ACKED))
        return RESET_NO;
    /* A port that refuses: nothing but the number of the SYN is known. */
    bool refuses =
        (pkt->tcp.flags & TCP_ACK) && half_is(peer, HALF_STARTED) && pkt->tcp.ack == peer->next_seq;
    return refuses ? RESET_YES : RESET_NO;
}

/* What is known to be missing at the end. */
static void drain_half(struct tcp_run *r, enum dir dir)
{
    struct tcp_half *h = &r->t->half[dir];
    if (!half_is(h, HALF_SEEN | HALF_STARTED) || half_is(h, HALF_CLOSED))
        return;
    int32_t tail = half_is(h, HALF_ACKED) ? seq_diff(h->acked, h->next_seq) : 0;
    if (half_is(h, HALF_FIN) && seq_diff(h->fin_seq, h->next_seq) > 0)
        half_gap_to(r, dir, h->fin_seq);
    else if (!half_is(h, HALF_FIN) && tail > 1) /* 1 is a FIN that was not seen */
        half_gap_to(r, dir, h->acked);
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
    half_flush(r);
    drain_half(r, dir_other(dir));
    finish_half(r, dir);
}

static void finish(struct tcp_run *r)
{
    r->t->closed = true;
    half_flush(r);
    finish_half(r, TO_SERVER);
    finish_half(r, TO_CLIENT);
    half_forget(r->t, r->p, TO_SERVER);
    half_forget(r->t, r->p, TO_CLIENT);
}

static bool fin_acked(const struct tcp_half *h)
{
    return half_is(h, HALF_FIN | HALF_ACKED) && h->acked == h->fin_seq + 1;
}

static void close_at_fin(struct tcp_run *r, enum dir dir)
{
    struct tcp_half *h = &r->t->half[dir];
    const struct tcp_half *peer = &r->t->half[dir_other(dir)];
    bool alone = !half_is(peer, HALF_SEEN);
    if (!half_is(h, HALF_FIN) || half_is(h, HALF_CLOSED) || (!alone && !fin_acked(h)))
        return;
    if (seq_diff(h->next_seq, h->fin_seq) < 0) {
        half_reached(r, dir, h->fin_seq);
        return;
    }
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
    half_acked(r, dir, ack);
    if (fin_acked(h))
        close_at_fin(r, dir);
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
    if (half_parked(h) && seq_diff(segment_end(h->more->parked_last), seq) > 0)
        return; /* there was more behind it */
    h->fin_seq = seq;
    half_set(h, HALF_FIN);
}

/* A FIN behind which there is more was for our eyes only. */
static void doubt_fin(struct tcp_half *h, uint32_t end)
{
    if (half_is(h, HALF_FIN) && seq_diff(end, h->fin_seq) > 0)
        h->flags &= (uint8_t)~HALF_FIN;
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
    if (length > 0) {
        doubt_fin(h, seq + length);
        half_data(r, dir, seq, pkt->payload, length);
    } else if (!fin && seq_diff(seq, h->next_seq) > 0) {
        half_reached(r, dir, seq);
    }
    if (fin)
        note_fin(r, dir, seq + length);
    if (half_is(h, HALF_FIN))
        close_at_fin(r, dir);
}

/* Whoever sends on did not reset. */
static void doubt_reset(struct tcp *t, enum dir dir, const struct packet *pkt)
{
    if (t->reset && t->reset_dir == (unsigned)dir && pkt->wire_payload > 0)
        t->reset = false;
}

static void reset(struct tcp_run *r, enum dir dir, const struct packet *pkt)
{
    struct tcp *t = r->t;
    enum reset fits = reset_fits(t, dir, pkt);
    if (fits == RESET_YES) {
        finish_reset(r, dir);
        finish(r);
    } else if (fits == RESET_PERHAPS && !t->reset) {
        t->reset = true;
        t->reset_dir = dir == TO_CLIENT;
        t->reset_ms = stamp_ms(r->at);
    }
}

static void reset_due(struct tcp_run *r)
{
    if (!r->t->reset || (int32_t)(stamp_ms(r->at) - r->t->reset_ms) < RESET_MS)
        return;
    finish_reset(r, r->t->reset_dir ? TO_CLIENT : TO_SERVER);
    finish(r);
}

/* What waits, if anything does. */
static void look_after(struct tcp_run *r)
{
    struct tcp *t = r->t;
    if (half_parked(&t->half[TO_SERVER]) || half_parked(&t->half[TO_CLIENT]))
        half_settle(r);
    if (!t->closed && half_is(&t->half[TO_SERVER], HALF_FIN))
        close_at_fin(r, TO_SERVER);
    if (!t->closed && half_is(&t->half[TO_CLIENT], HALF_FIN))
        close_at_fin(r, TO_CLIENT);
    if (!t->closed)
        reset_due(r);
    half_trim(t, r->p, TO_SERVER);
    half_trim(t, r->p, TO_CLIENT);
    t->waits = !t->closed && (t->reset || half_waits(t, TO_SERVER) || half_waits(t, TO_CLIENT));
}

void tcp_input(struct tcp *t, struct tcp_pool *p, enum dir dir, const struct packet *pkt,
               chunk_fn *fn, void *ctx)
{
    uint8_t flags = pkt->tcp.flags;
    struct tcp_run r = {.t = t, .p = p, .at = pkt->at, .fn = fn, .ctx = ctx};
    r.needs = flags & TCP_ACK ? pkt->tcp.ack : t->half[dir_other(dir)].next_seq;
    p->has_conflict = false;
    if (t->closed)
        return;
    tally_add(p->tally, TALLY_tcp_segments, 1);
    half_set(&t->half[dir], HALF_SEEN);
    if (flags & TCP_RST) {
        reset(&r, dir, pkt);
        look_after(&r);
        return;
    }
    if ((flags & TCP_SYN) && !synchronize(t, dir, pkt))
        return;
    doubt_reset(t, dir, pkt);
    if (flags & TCP_ACK)
        acknowledge(&r, dir_other(dir), pkt->tcp.ack);
    if (!t->closed)
        segment(&r, dir, pkt);
    if (t->half[TO_SERVER].more || t->half[TO_CLIENT].more || t->reset || t->waits)
        look_after(&r);
}

void tcp_tick(struct tcp *t, struct tcp_pool *p, struct stamp now, chunk_fn *fn, void *ctx)
{
    struct tcp_run r = {.t = t, .p = p, .at = now, .fn = fn, .ctx = ctx};
    p->has_conflict = false;
    if (!t->closed)
        look_after(&r);
}

bool tcp_waits(const struct tcp *t)
{
    return t->waits;
}

bool tcp_misses(const struct tcp *t, enum dir dir)
{
    const struct tcp_half *h = &t->half[dir];

    return (half_is(h, HALF_ACKED) && seq_diff(h->acked, h->next_seq) > 0) || half_parked(h);
}

void tcp_finish(struct tcp *t, struct tcp_pool *p, struct stamp now, chunk_fn *fn, void *ctx)
{
    struct tcp_run r = {.t = t, .p = p, .at = now, .fn = fn, .ctx = ctx};
    p->has_conflict = false;
    if (!t->closed)
        finish(&r);
}
