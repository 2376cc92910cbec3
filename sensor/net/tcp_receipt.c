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
    if (half_is(h, HALF_ACKED) && seq_diff(h->acked, end) >= 0)
        return false;
    unsigned most = half_one_way(r->t, dir) ? RECEIPTS_ONE_WAY : RECEIPTS;
    return h->receipt_n < most && r->p->used[r->t->shard] < r->p->per_shard / 2;
}

void receipt_add(struct tcp_run *r, enum dir dir, uint32_t seq, struct bytes data)
{
    struct tcp_half *h = &r->t->half[dir];
    size_t size = sizeof(struct tcp_receipt);
    if (data.len == 0 || !wanted(r, dir, seq + (uint32_t)data.len))
        return;
    struct tcp_receipt *receipt = pool_take(r->p, r->t->shard, &size);
    if (!receipt)
        return;
    struct tcp_receipt *last = h->receipt_last;
    *receipt = (struct tcp_receipt){.seq = seq, .len = (uint32_t)data.len};
    receipt->hash = hash_of(r->p, data);
    receipt->next = last ? last->next : receipt;
    if (last)
        last->next = receipt;
    h->receipt_last = receipt;
    h->receipt_n++;
}

static void forget_again(struct tcp *t, struct tcp_pool *p, struct tcp_receipt *receipt)
{
    if (!receipt->again)
        return;
    segment_free_all(p, t->shard, &receipt->again);
    receipt->covered = 0;
}

static void drop_first(struct tcp *t, struct tcp_pool *p, struct tcp_half *h)
{
    struct tcp_receipt *first = h->receipt_last->next;
    if (first == h->receipt_last)
        h->receipt_last = NULL;
    else
        h->receipt_last->next = first->next;
    h->receipt_n--;
    forget_again(t, p, first);
    pool_give(p, t->shard, first, POOL_CLASS_MIN);
}
_Static_assert(sizeof(struct tcp_receipt) <= POOL_CLASS_MIN, "the smallest class");

void receipt_drop_acked(struct tcp_run *r, enum dir dir)
{
    struct tcp_half *h = &r->t->half[dir];
    while (h->receipt_last) {
        const struct tcp_receipt *first = h->receipt_last->next;
        if (seq_diff(h->acked, first->seq + first->len) < 0)
            return;
        drop_first(r->t, r->p, h);
    }
}

void receipt_drop_all(struct tcp *t, struct tcp_pool *p, enum dir dir)
{
    while (t->half[dir].receipt_last)
        drop_first(t, p, &t->half[dir]);
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

void receipt_compare(struct tcp_run *r, enum dir dir, uint32_t seq, struct bytes data)
{
    struct tcp_receipt *last = r->t->half[dir].receipt_last, *receipt = last;
    uint32_t end = seq + (uint32_t)data.len;
    if (!last || data.len == 0)
        return;
    do {
        receipt = receipt->next;
        if (seq_diff(receipt->seq, end) >= 0)
            return;
        compare_one(r, dir, receipt, seq, data);
    } while (receipt != last);
}
