/* net/tcp_wait.c - see tcp_half.h. An acknowledgement may be forged, or overtake what it speaks
 * of: it is a hint that bytes were lost, believed when it has stood for TCP_WAIT_MS and nothing has
 * contradicted it. */
#include "net/tcp_half.h"

/* Further ahead than this is no answer to anything: nothing waits for it. */
#define NEEDS_MAX (64 << 20)

bool half_held(const struct tcp_run *r, enum dir dir, uint32_t needs)
{
    const struct tcp_half *other = &r->t->half[dir_other(dir)];
    int32_t ahead = seq_diff(needs, other->next_seq);
    if (ahead <= 1 || ahead > NEEDS_MAX) /* 1: a FIN, seen or not */
        return false;
    return half_is(other, HALF_SEEN | HALF_STARTED) && !half_is(other, HALF_CLOSED) &&
           !r->t->ignore;
}

/* Does the peer say that it has bytes which are missing here? */
static bool claims(const struct tcp_half *h)
{
    return half_is(h, HALF_STARTED | HALF_ACKED) && seq_diff(h->acked, h->next_seq) > 0;
}

/* A receiver's acknowledgements never fall: one that is lower than what was claimed denies it. */
void half_acked(struct tcp_run *r, enum dir dir, uint32_t ack)
{
    struct tcp_half *h = &r->t->half[dir];
    bool claimed = claims(h), denied = claimed && seq_diff(ack, h->acked) < 0;
    if (denied)
        h->acked = seq_diff(ack, h->next_seq) > 0 ? ack : h->next_seq;
    else if (!half_is(h, HALF_ACKED) || seq_diff(ack, h->acked) > 0)
        h->acked = ack;
    half_set(h, HALF_ACKED);
    if ((!claimed || denied) && half_parked(h))
        h->more->claimed_ms = stamp_ms(r->at);
    if (h->sent_len > 0 || h->more)
        receipt_drop_acked(r, dir);
}

static bool pass_ready(struct tcp_run *r, enum dir dir)
{
    const struct tcp_half *h = &r->t->half[dir];
    bool some = false;
    while (half_parked(h) && half_parked(h)->seq == h->next_seq &&
           !half_held(r, dir, half_parked(h)->needs)) {
        half_pass_parked(r, dir);
        some = true;
    }
    return some;
}

static int32_t age_of(const struct tcp_run *r, uint32_t since)
{
    return (int32_t)(stamp_ms(r->at) - since);
}

static bool is_due(const struct tcp_run *r, enum dir dir)
{
    const struct tcp_half *h = &r->t->half[dir];
    const struct tcp_segment *first = half_parked(h);
    if (!first || age_of(r, stamp_ms(first->at)) < TCP_WAIT_MS)
        return false;
    if (first->seq == h->next_seq || half_one_way(r->t, dir))
        return true;
    return claims(h) && age_of(r, h->more->claimed_ms) >= TCP_WAIT_MS;
}

/* The direction whose first parked segment came first. */
static enum dir older(const struct tcp *t)
{
    const struct tcp_segment *s = half_parked(&t->half[TO_SERVER]);
    const struct tcp_segment *c = half_parked(&t->half[TO_CLIENT]);
    if (!s || !c)
        return s ? TO_SERVER : TO_CLIENT;
    return c->at.ns < s->at.ns ? TO_CLIENT : TO_SERVER;
}

/* No further than the peer says: what is behind that may still come. */
static void give_up(struct tcp_run *r, enum dir dir)
{
    const struct tcp_half *h = &r->t->half[dir];
    uint32_t first = half_parked(h)->seq;
    if (half_one_way(r->t, dir) || seq_diff(h->acked, first) >= 0 || first == h->next_seq)
        half_skip_hole(r, dir);
    else
        half_gap_to(r, dir, h->acked);
}

void half_settle(struct tcp_run *r)
{
    for (;;) {
        bool some = pass_ready(r, TO_SERVER);
        if (pass_ready(r, TO_CLIENT) || some)
            continue;
        enum dir dir = older(r->t);
        if (!is_due(r, dir))
            dir = dir_other(dir);
        if (!is_due(r, dir))
            return;
        give_up(r, dir);
    }
}

bool half_waits(const struct tcp *t, enum dir dir)
{
    const struct tcp_half *h = &t->half[dir];
    const struct tcp_segment *first = half_parked(h);
    return first && (first->seq == h->next_seq || half_one_way(t, dir) || claims(h));
}

void half_flush(struct tcp_run *r)
{
    while (half_parked(&r->t->half[TO_SERVER]) || half_parked(&r->t->half[TO_CLIENT])) {
        bool some = pass_ready(r, TO_SERVER);
        if (!pass_ready(r, TO_CLIENT) && !some)
            half_skip_hole(r, older(r->t));
    }
}
