/* net/tcp_lost.c - see tcp_half.h. A hole that was given up may have been made so by forged
 * packets: what comes for it later was never passed on, and is. The latest are kept one by one,
 * older ones as one stretch that reaches over them all. */
#include "net/tcp_half.h"

enum { LOST_MAX = 7 };

/* Further back than this nobody sends again. */
#define LOST_BACK (64 << 20)

struct tcp_lost {
    struct lost_range {
        uint32_t from, to;
    } range[LOST_MAX]; /* by sequence */
    uint32_t n;
};
_Static_assert(sizeof(struct tcp_lost) <= POOL_CLASS_MIN, "the smallest class");

static struct tcp_lost *lost_of(struct tcp_run *r, enum dir dir)
{
    size_t size = sizeof(struct tcp_lost);
    struct tcp_more *m = half_more(r, dir);
    if (!m || m->lost)
        return m ? m->lost : NULL;
    m->lost = pool_take(r->p, r->t->shard, &size);
    if (m->lost)
        m->lost->n = 0;
    return m->lost;
}

static void remove_first(struct tcp_lost *l)
{
    l->n--;
    memmove(l->range, l->range + 1, l->n * sizeof *l->range);
}

void lost_add(struct tcp_run *r, enum dir dir, uint32_t from, uint32_t to)
{
    struct tcp_lost *l = r->t->ignore ? NULL : lost_of(r, dir);
    if (!l)
        return;
    while (l->n > 0 && seq_diff(to, l->range[0].to) > LOST_BACK)
        remove_first(l);
    if (l->n > 0 && l->range[l->n - 1].to == from) {
        l->range[l->n - 1].to = to;
        return;
    }
    if (l->n == LOST_MAX) {
        uint32_t first = l->range[0].from;
        remove_first(l);
        l->range[0].from = first;
    }
    l->range[l->n++] = (struct lost_range){from, to};
}

bool lost_find(const struct tcp_half *h, uint32_t seq, uint32_t end, uint32_t *from)
{
    const struct tcp_lost *l = h->more ? h->more->lost : NULL;
    for (uint32_t i = 0; l && i < l->n; i++) {
        const struct lost_range *at = &l->range[i];
        if (seq_diff(end, at->from) <= 0 || seq_diff(at->to, seq) <= 0)
            continue;
        *from = seq_diff(at->from, seq) > 0 ? at->from : seq;
        return true;
    }
    return false;
}

void lost_cut(struct tcp_half *h, uint32_t seq)
{
    struct tcp_lost *l = h->more ? h->more->lost : NULL;
    while (l && l->n > 0 && seq_diff(l->range[l->n - 1].from, seq) >= 0)
        l->n--;
    if (l && l->n > 0 && seq_diff(l->range[l->n - 1].to, seq) > 0)
        l->range[l->n - 1].to = seq;
}

void lost_free(struct tcp *t, struct tcp_pool *p, enum dir dir)
{
    struct tcp_more *m = t->half[dir].more;
    if (m && m->lost)
        pool_give(p, t->shard, m->lost, POOL_CLASS_MIN);
    if (m)
        m->lost = NULL;
}
