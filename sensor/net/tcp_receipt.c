/* net/tcp_receipt.c - to notice that bytes are sent again with other values, a hash
 * of each segment is kept until it is acknowledged: 48 bytes instead of the segment,
 * which would be a copy of all traffic. A second version is compared at once if it
 * comes in one piece, else when its pieces are complete. */
#include <xxhash.h>
/* As wide as the processor allows, where libxxhash comes with it: half the time. */
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#endif

#include "net/tcp_half.h"

enum { RECEIPTS = 1024, RECEIPTS_ONE_WAY = 64, AGAIN_PIECES = 256 };

static uint64_t hash_of(const struct tcp_pool *p, struct bytes data)
{
    return XXH3_64bits_withSecret(data.at, data.len, p->secret, sizeof p->secret);
}

/* Is there use for one, and room? Half of the shard's memory is for parked bytes alone. */
static bool wanted(const struct tcp_run *r, enum dir dir, uint32_t end)
{
    const struct tcp_half *h = &r->t->half[dir];
    if (!r->p->compares || r->t->ignore)
        return false;
    return !half_is(h, HALF_ACKED) || seq_diff(h->acked, end) < 0;
}

static bool room_for(const struct tcp_run *r, enum dir dir, const struct tcp_more *m)
{
    unsigned most = half_one_way(r->t, dir) ? RECEIPTS_ONE_WAY : RECEIPTS;
    return m->receipt_n < most && r->p->used[r->t->shard] < r->p->per_shard / 2;
}

/* Behind the last of the ring. */
static struct tcp_receipt *append(struct tcp_run *r, enum dir dir)
{
    struct tcp_more *m = half_more(r, dir);
    size_t size = sizeof(struct tcp_receipt);
    struct tcp_receipt *receipt =
        m && room_for(r, dir, m) ? pool_take(r->p, r->t->shard, &size) : NULL;
    if (!receipt)
        return NULL;
    struct tcp_receipt *last = m->receipt_last;
    *receipt = (struct tcp_receipt){.next = last ? last->next : receipt};
    if (last)
        last->next = receipt;
    m->receipt_last = receipt;
    m->receipt_n++;
    return receipt;
}

void receipt_add(struct tcp_run *r, enum dir dir, uint32_t seq, struct bytes data)
{
    struct tcp_half *h = &r->t->half[dir];
    uint32_t len = (uint32_t)data.len;
    if (len == 0 || !wanted(r, dir, seq + len))
        return;
    if (h->sent_len == 0 && !(h->more && h->more->receipt_last)) {
        h->sent_seq = seq;
        h->sent_len = len;
        h->sent_hash = hash_of(r->p, data);
        return;
    }
    struct tcp_receipt *receipt = append(r, dir);
    if (!receipt)
        return;
    receipt->seq = seq;
    receipt->len = len;
    receipt->hash = hash_of(r->p, data);
}

/* The one in the half becomes the first of the ring. */
static bool move_to_ring(struct tcp_run *r, enum dir dir)
{
    struct tcp_half *h = &r->t->half[dir];
    struct tcp_receipt *last = h->more ? h->more->receipt_last : NULL;
    struct tcp_receipt *first = append(r, dir);
    if (!first)
        return false;
    if (last)
        h->more->receipt_last = last; /* a ring: what is behind the last is the first */
    first->seq = h->sent_seq;
    first->len = h->sent_len;
    first->hash = h->sent_hash;
    h->sent_len = 0;
    return true;
}

static void forget_again(struct tcp *t, struct tcp_pool *p, struct tcp_receipt *receipt)
{
    if (!receipt->again)
        return;
    segment_free_all(p, t->shard, &receipt->again);
    receipt->covered = 0;
}

static void drop_first(struct tcp *t, struct tcp_pool *p, struct tcp_more *m)
{
    struct tcp_receipt *first = m->receipt_last->next;
    if (first == m->receipt_last)
        m->receipt_last = NULL;
    else
        m->receipt_last->next = first->next;
    m->receipt_n--;
    forget_again(t, p, first);
    pool_give(p, t->shard, first, POOL_CLASS_MIN);
}
_Static_assert(sizeof(struct tcp_receipt) <= POOL_CLASS_MIN, "the smallest class");

void receipt_drop_acked(struct tcp_run *r, enum dir dir)
{
    struct tcp_half *h = &r->t->half[dir];
    if (h->sent_len > 0 && seq_diff(h->acked, h->sent_seq + h->sent_len) >= 0)
        h->sent_len = 0;
    while (h->more && h->more->receipt_last) {
        const struct tcp_receipt *first = h->more->receipt_last->next;
        if (seq_diff(h->acked, first->seq + first->len) < 0)
            return;
        drop_first(r->t, r->p, h->more);
    }
}

void receipt_drop_all(struct tcp *t, struct tcp_pool *p, enum dir dir)
{
    struct tcp_half *h = &t->half[dir];
    h->sent_len = 0;
    while (h->more && h->more->receipt_last)
        drop_first(t, p, h->more);
}

static void judge(struct tcp_run *r, enum dir dir, const struct tcp_receipt *receipt,
                  struct bytes second)
{
    if (hash_of(r->p, second) != receipt->hash)
        note_conflict(r, dir, receipt->seq, receipt->len);
}

/* All pieces are there, next to one another. */
static void judge_pieces(struct tcp_run *r, enum dir dir, struct tcp_receipt *receipt)
{
    size_t size = receipt->len, at = 0;
    uint8_t *whole = pool_take(r->p, r->t->shard, &size);
    for (const struct tcp_segment *s = receipt->again; whole && s; s = s->next) {
        memcpy(whole + at, s->data, s->len);
        at += s->len;
    }
    if (whole) {
        judge(r, dir, receipt, bytes_of(whole, receipt->len));
        pool_give(r->p, r->t->shard, whole, size);
    }
    forget_again(r->t, r->p, receipt);
}

/* Where two pieces of the second version overlap and differ, one of them must
 * differ from the first version too. */
static void compare_again(struct tcp_run *r, enum dir dir, const struct tcp_segment *s,
                          uint32_t seq, struct bytes data)
{
    uint32_t at, n;
    if (segment_differs(s, seq, data, &at, &n))
        note_conflict(r, dir, at, n);
}

/* Puts in what is not there yet; false: no room. */
static bool collect(struct tcp_run *r, enum dir dir, struct tcp_receipt *receipt, uint32_t seq,
                    struct bytes data)
{
    struct tcp_segment **link = &receipt->again;
    for (unsigned n = 0; data.len > 0; n++) {
        struct tcp_segment *next = *link;
        if (next && seq_diff(next->seq, seq) <= 0) {
            int32_t both = seq_diff(segment_end(next), seq);
            if (both > 0) {
                compare_again(r, dir, next, seq, data);
                seq += (uint32_t)bytes_cut(&data, (size_t)both).len;
            }
            link = &next->next;
            continue;
        }
        struct bytes hole = bytes_cut(&data, next ? next->seq - seq : data.len);
        struct tcp_segment *s =
            n < AGAIN_PIECES ? segment_new(r->p, r->t->shard, seq, hole, 0) : NULL;
        if (!s)
            return false;
        s->next = next;
        *link = s;
        link = &s->next;
        receipt->covered += s->len;
        seq += s->len;
    }
    return true;
}

static void compare_one(struct tcp_run *r, enum dir dir, struct tcp_receipt *receipt, uint32_t seq,
                        struct bytes data)
{
    int32_t ahead = seq_diff(seq, receipt->seq);
    if (ahead < 0) {
        (void)bytes_cut(&data, (size_t) - (int64_t)ahead);
        seq = receipt->seq;
        ahead = 0;
    }
    if ((uint32_t)ahead >= receipt->len || data.len == 0)
        return;
    data = bytes_head(data, receipt->len - (uint32_t)ahead);
    if (data.len == receipt->len)
        judge(r, dir, receipt, data);
    else if (!collect(r, dir, receipt, seq, data)) {
        tally_add(r->p->tally, TALLY_tcp_park_full, 1);
        forget_again(r->t, r->p, receipt);
    } else if (receipt->covered == receipt->len)
        judge_pieces(r, dir, receipt);
}

/* The one in the half, if the whole of it is in `data`, needs no place in the ring. */
static void compare_sent(struct tcp_run *r, enum dir dir, uint32_t seq, struct bytes data)
{
    struct tcp_half *h = &r->t->half[dir];
    if (h->sent_len == 0 || seq_diff(seq + (uint32_t)data.len, h->sent_seq) <= 0 ||
        seq_diff(seq, h->sent_seq + h->sent_len) >= 0)
        return;
    int32_t before = seq_diff(h->sent_seq, seq);
    if (before < 0 || data.len - (size_t)before < h->sent_len) {
        (void)move_to_ring(r, dir); /* where receipt_compare() finds it next */
        return;
    }
    (void)bytes_cut(&data, (size_t)before);
    if (hash_of(r->p, bytes_head(data, h->sent_len)) != h->sent_hash)
        note_conflict(r, dir, h->sent_seq, h->sent_len);
}

void receipt_compare(struct tcp_run *r, enum dir dir, uint32_t seq, struct bytes data)
{
    uint32_t end = seq + (uint32_t)data.len;
    if (data.len == 0)
        return;
    compare_sent(r, dir, seq, data);
    const struct tcp_more *m = r->t->half[dir].more;
    struct tcp_receipt *last = m ? m->receipt_last : NULL, *receipt = last;
    if (!last)
        return;
    do {
        receipt = receipt->next;
        if (seq_diff(receipt->seq, end) >= 0)
            return;
        compare_one(r, dir, receipt, seq, data);
    } while (receipt != last);
}
