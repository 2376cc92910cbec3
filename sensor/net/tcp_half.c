/* net/tcp_half.c - see tcp_half.h. `parked` is sorted, does not overlap and does not
 * begin before next_seq. */
#include "net/tcp_half.h"

enum { PARKED_SEGMENTS = 1024 };

/* Further ahead of the stream than any window reaches in practice. */
#define WINDOW_MAX (64 << 20)

static struct tcp_half *half_of(struct tcp_run *r, enum dir dir)
{
    return &r->t->half[dir];
}

bool half_one_way(const struct tcp *t, enum dir dir)
{
    return !half_is(&t->half[dir], HALF_ACKED) && !half_is(&t->half[dir_other(dir)], HALF_SEEN);
}

struct tcp_more *half_more(struct tcp_run *r, enum dir dir)
{
    struct tcp_half *h = half_of(r, dir);
    size_t size = sizeof(struct tcp_more);
    if (h->more)
        return h->more;
    h->more = pool_take(r->p, r->t->shard, &size);
    if (h->more)
        *h->more = (struct tcp_more){0};
    return h->more;
}

void half_trim(struct tcp *t, struct tcp_pool *p, enum dir dir)
{
    struct tcp_half *h = &t->half[dir];
    if (!h->more || h->more->parked || h->more->receipt_last || h->more->lost)
        return;
    pool_give(p, t->shard, h->more, POOL_CLASS_MIN);
    h->more = NULL;
}
_Static_assert(sizeof(struct tcp_more) <= POOL_CLASS_MIN, "the smallest class");

void half_forget(struct tcp *t, struct tcp_pool *p, enum dir dir)
{
    struct tcp_more *m = t->half[dir].more;
    receipt_drop_all(t, p, dir);
    if (!m)
        return;
    segment_free_all(p, t->shard, &m->parked);
    m->parked_last = NULL;
    lost_free(t, p, dir);
    half_trim(t, p, dir);
}

static void say(struct tcp_run *r, enum dir dir, enum chunk_kind kind, struct bytes data,
                uint64_t missing)
{
    struct tcp_half *h = half_of(r, dir);
    struct chunk c = {.kind = kind,
                      .dir = dir,
                      .midstream = half_is(h, HALF_MIDSTREAM),
                      .offset = h->offset,
                      .missing = missing,
                      .data = data,
                      .at = r->at};
    h->next_seq += (uint32_t)(data.len + missing);
    h->offset += data.len + missing;
    if (r->t->ignore || r->fn(r->ctx, &c))
        return;
    r->t->ignore = true;
    half_forget(r->t, r->p, TO_SERVER);
    half_forget(r->t, r->p, TO_CLIENT);
}

static void say_gap(struct tcp_run *r, enum dir dir, uint32_t missing)
{
    if (missing == 0)
        return;
    if (!r->t->ignore) {
        tally_add(r->p->tally, TALLY_tcp_gaps, 1);
        tally_add(r->p->tally, TALLY_tcp_gap_bytes, missing);
    }
    say(r, dir, CHUNK_GAP, (struct bytes){0}, missing);
}

static void say_data(struct tcp_run *r, enum dir dir, struct bytes data)
{
    if (data.len > 0)
        say(r, dir, CHUNK_DATA, data, 0);
}

void half_pass_parked(struct tcp_run *r, enum dir dir)
{
    struct tcp_more *m = half_of(r, dir)->more;
    struct tcp_segment *s = m->parked;
    struct stamp now = r->at;
    m->parked = s->next;
    if (!m->parked)
        m->parked_last = NULL;
    m->parked_bytes -= s->size;
    m->parked_n--;
    r->at = s->at;
    say_data(r, dir, bytes_of(s->data, s->len));
    receipt_add(r, dir, s->seq, bytes_of(s->data, s->len));
    say_gap(r, dir, s->missing);
    r->at = now;
    segment_free(r->p, r->t->shard, s);
}

void half_gap_to(struct tcp_run *r, enum dir dir, uint32_t seq)
{
    uint32_t from = half_of(r, dir)->next_seq;
    if (seq == from)
        return;
    say_gap(r, dir, seq - from);
    lost_add(r, dir, from, seq);
}

void half_skip_hole(struct tcp_run *r, enum dir dir)
{
    half_gap_to(r, dir, half_parked(half_of(r, dir))->seq);
    if (half_parked(half_of(r, dir)))
        half_pass_parked(r, dir);
}

/* Offsets go on rising: once around the sequence numbers, less the way back. No message is as
 * long as that, so nobody takes what comes for the inside of what was before. */
void half_rewind(struct tcp_run *r, enum dir dir, uint32_t from)
{
    struct tcp_half *h = half_of(r, dir);
    tally_add(r->p->tally, TALLY_tcp_late, 1);
    receipt_drop_all(r->t, r->p, dir); /* they are by sequence */
    lost_cut(h, from);
    say(r, dir, CHUNK_GAP, (struct bytes){0}, (UINT64_C(1) << 32) - (h->next_seq - from));
}

void note_conflict(struct tcp_run *r, enum dir dir, uint32_t at, uint32_t n)
{
    const struct tcp_half *h = half_of(r, dir);
    tally_add(r->p->tally, TALLY_tcp_overlap, 1);
    if (r->p->has_conflict)
        return;
    r->p->has_conflict = true;
    uint64_t offset = h->offset + (uint64_t)(int64_t)seq_diff(at, h->next_seq);
    r->p->conflict = (struct tcp_conflict){.dir = dir, .offset = offset, .length = n};
}

static void compare(struct tcp_run *r, enum dir dir, const struct tcp_segment *s, uint32_t seq,
                    struct bytes data)
{
    uint32_t at, n;
    if (segment_differs(s, seq, data, &at, &n))
        note_conflict(r, dir, at, n);
}

/* A piece of a segment: what of it lies in the next n bytes on the wire. */
struct piece {
    uint32_t seq, length;
    struct bytes data;
};

static struct piece take(struct piece *from, uint32_t n)
{
    struct piece head = {.seq = from->seq, .length = n < from->length ? n : from->length};
    head.data = bytes_cut(&from->data, head.length);
    from->seq += head.length;
    from->length -= head.length;
    return head;
}

/* Bytes that were passed on before. */
static void seen_before(struct tcp_run *r, enum dir dir, struct piece old)
{
    tally_add(r->p->tally, TALLY_tcp_retransmit, 1);
    receipt_compare(r, dir, old.seq, old.data);
}

static void pass(struct tcp_run *r, enum dir dir, struct piece now)
{
    say_data(r, dir, now.data);
    receipt_add(r, dir, now.seq, now.data);
    say_gap(r, dir, now.length - (uint32_t)now.data.len);
}

/* The piece starts at next_seq. Where a parked segment lies, that one was first. */
static void in_order(struct tcp_run *r, enum dir dir, struct piece in)
{
    struct tcp_half *h = half_of(r, dir);
    while (in.length > 0) {
        const struct tcp_segment *parked = half_parked(h);
        if (!parked || parked->seq != h->next_seq) {
            pass(r, dir, take(&in, parked ? parked->seq - h->next_seq : in.length));
            continue;
        }
        struct piece both = take(&in, parked->len + parked->missing);
        compare(r, dir, parked, both.seq, both.data);
        half_pass_parked(r, dir);
    }
}

/* A copy behind `after` (NULL: first); false: no room. */
static bool insert(struct tcp_run *r, enum dir dir, struct tcp_segment **after, struct piece in)
{
    struct tcp_more *m = half_more(r, dir);
    if (!m || m->parked_n == PARKED_SEGMENTS)
        return false;
    uint32_t missing = in.length - (uint32_t)in.data.len;
    struct tcp_segment *s = segment_new(r->p, r->t->shard, in.seq, in.data, missing);
    if (!s)
        return false;
    s->needs = r->needs;
    s->at = r->at;
    if (!m->parked)
        m->claimed_ms = stamp_ms(r->at);
    struct tcp_segment **link = *after ? &(*after)->next : &m->parked;
    s->next = *link;
    *link = s;
    *after = s;
    if (!s->next)
        m->parked_last = s;
    m->parked_bytes += s->size;
    m->parked_n++;
    return true;
}

/* Puts what is not there yet among the parked segments; what finds no room stays in *in. */
static bool park(struct tcp_run *r, enum dir dir, struct piece *in)
{
    struct tcp_half *h = half_of(r, dir);
    struct tcp_segment *last = h->more ? h->more->parked_last : NULL;
    bool behind_all = last && seq_diff(in->seq, segment_end(last)) >= 0;
    struct tcp_segment *before = behind_all ? last : NULL;
    while (in->length > 0) {
        struct tcp_segment *next = before ? before->next : half_parked(h);
        if (next && seq_diff(next->seq, in->seq) <= 0) {
            int32_t both = seq_diff(segment_end(next), in->seq);
            if (both > 0) {
                struct piece over = take(in, (uint32_t)both);
                compare(r, dir, next, over.seq, over.data);
            }
            before = next;
            continue;
        }
        struct piece all = *in, hole = take(in, next ? next->seq - in->seq : in->length);
        if (!insert(r, dir, &before, hole)) {
            *in = all;
            return false;
        }
    }
    return true;
}

static bool over_limit(const struct tcp_run *r, enum dir dir)
{
    const struct tcp_more *m = r->t->half[dir].more;
    if (!m || !m->parked)
        return false;
    if (!half_one_way(r->t, dir))
        return m->parked_bytes > r->p->per_dir;
    return m->parked_bytes > TCP_ONE_WAY_WINDOW || m->parked_n > TCP_ONE_WAY_SEGMENTS;
}

static bool outside(const struct tcp_run *r, enum dir dir, const struct piece *in)
{
    const struct tcp_half *h = &r->t->half[dir];
    uint32_t from = h->next_seq;
    if (half_one_way(r->t, dir))
        return false;
    if (half_is(h, HALF_ACKED) && seq_diff(h->acked, from) > 0)
        from = h->acked;
    return seq_diff(in->seq, from) > WINDOW_MAX;
}

/* No room for it: what is before it, then itself. */
static void squeeze(struct tcp_run *r, enum dir dir, struct piece in)
{
    struct tcp_half *h = half_of(r, dir);
    while (!r->t->ignore && !park(r, dir, &in)) {
        tally_add(r->p->tally, TALLY_tcp_park_full, 1);
        if (half_parked(h) && seq_diff(half_parked(h)->seq, in.seq) < 0)
            half_skip_hole(r, dir);
        else
            half_gap_to(r, dir, in.seq);
        if (in.seq == h->next_seq) {
            in_order(r, dir, in);
            return;
        }
    }
}

/* To be passed on later: bytes before it are missing, or it waits for the other direction. */
static void put_by(struct tcp_run *r, enum dir dir, struct piece in)
{
    if (outside(r, dir, &in)) {
        tally_add(r->p->tally, TALLY_tcp_outside, 1);
        return;
    }
    if (in.seq != half_of(r, dir)->next_seq)
        tally_add(r->p->tally, TALLY_tcp_out_of_order, 1);
    squeeze(r, dir, in);
    while (over_limit(r, dir)) {
        if (!half_one_way(r->t, dir))
            tally_add(r->p->tally, TALLY_tcp_park_full, 1);
        half_skip_hole(r, dir);
    }
}

void half_reached(struct tcp_run *r, enum dir dir, uint32_t seq)
{
    struct tcp_half *h = half_of(r, dir);
    struct piece mark = {.seq = seq};
    struct tcp_segment *first = NULL;
    if (r->t->ignore || half_parked(h) || !half_is(h, HALF_ACKED))
        return;
    if (seq_diff(h->acked, h->next_seq) > 0 && !outside(r, dir, &mark))
        (void)insert(r, dir, &first, mark);
}

/* The stream is followed, so that its end is seen, but nothing is kept. */
static void follow(struct tcp_half *h, const struct piece *in)
{
    uint32_t end = in->seq + in->length;
    int32_t n = seq_diff(end, h->next_seq);
    if (n <= 0)
        return;
    h->next_seq = end;
    h->offset += (uint32_t)n;
}

/* What of it lies before the stream's place. */
static void look_back(struct tcp_run *r, enum dir dir, struct piece *in)
{
    struct tcp_half *h = half_of(r, dir);
    uint32_t old = h->next_seq - in->seq, n = old, from;
    if (n > in->data.len)
        n = (uint32_t)in->data.len; /* what was captured of it */
    if (!lost_find(h, in->seq, in->seq + n, &from)) {
        seen_before(r, dir, take(in, old));
        return;
    }
    if (from != in->seq)
        seen_before(r, dir, take(in, from - in->seq));
    half_rewind(r, dir, from);
}

void half_data(struct tcp_run *r, enum dir dir, uint32_t seq, struct bytes data, uint32_t length)
{
    struct tcp_half *h = half_of(r, dir);
    struct piece in = {.seq = seq, .length = length, .data = bytes_head(data, length)};
    if (length <= 1 && seq == h->next_seq - 1)
        return; /* keep-alive (RFC 9293 3.8.4): its byte is anything */
    if (r->t->ignore) {
        follow(h, &in);
        return;
    }
    bool held = half_held(r, dir, r->needs);
    if (seq == h->next_seq && !half_parked(h) && !held) { /* what is usual */
        pass(r, dir, in);
        return;
    }
    if (seq_diff(h->next_seq, seq) > 0)
        look_back(r, dir, &in);
    if (in.length == 0 || r->t->ignore)
        return;
    if (in.seq == h->next_seq && !held)
        in_order(r, dir, in);
    else
        put_by(r, dir, in);
}

void half_close(struct tcp_run *r, enum dir dir)
{
    struct tcp_half *h = half_of(r, dir);
    if (half_is(h, HALF_CLOSED))
        return;
    half_set(h, HALF_CLOSED);
    if (!r->t->ignore)
        say(r, dir, CHUNK_CLOSE, (struct bytes){0}, 0);
    half_forget(r->t, r->p, dir);
}
