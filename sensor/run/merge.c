/* run/merge.c - lists in the order of lanes, merged. */
#include "run/merge.h"

#include <stdlib.h>

#include "run/mail.h"

struct waiting {
    struct waiting *next;
    size_t size;
    struct lane_item item; /* the flat message follows, 8-aligned */
};

struct queue {
    struct lane *lane;
    struct waiting *first, **last;
    size_t bytes;
    uint64_t done; /* as read before the ring was last emptied */
};

struct merge {
    struct queue *queues;
    unsigned n;
    size_t max_bytes, bytes;
};

struct merge *merge_new(struct lane **lanes, unsigned n, size_t max_bytes)
{
    struct merge *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    m->queues = calloc(n, sizeof *m->queues);
    if (!m->queues) {
        free(m);
        return NULL;
    }
    m->n = n;
    m->max_bytes = max_bytes;
    for (unsigned i = 0; i < n; i++) {
        m->queues[i].lane = lanes[i];
        m->queues[i].last = &m->queues[i].first;
    }
    return m;
}

static void pop(struct merge *m, struct queue *q)
{
    struct waiting *w = q->first;

    q->first = w->next;
    if (!q->first)
        q->last = &q->first;
    q->bytes -= w->size;
    m->bytes -= w->size;
    free(w);
}

void merge_free(struct merge *m)
{
    if (!m)
        return;
    for (unsigned i = 0; i < m->n; i++)
        while (m->queues[i].first)
            pop(m, &m->queues[i]);
    free(m->queues);
    free(m);
}

static bool push(struct merge *m, struct queue *q, struct bytes record)
{
    size_t extra = record.len - sizeof(struct lane_item);
    struct waiting *w = aligned_alloc(16, (sizeof *w + extra + 15) & ~(size_t)15);

    if (!w)
        return false; /* it stays in the ring */
    w->next = NULL;
    w->size = sizeof *w + extra;
    memcpy(&w->item, record.at, record.len);
    *q->last = w;
    q->last = &w->next;
    q->bytes += w->size;
    m->bytes += w->size;
    return true;
}

/* The lane whose silence holds up the others: least far on, nothing said that waits. */
static bool holds_up(const struct merge *m, const struct queue *q)
{
    if (q->first)
        return false;
    for (unsigned i = 0; i < m->n; i++)
        if (!m->queues[i].first && m->queues[i].done < q->done)
            return false;
    return true;
}

static bool drain(struct merge *m, struct queue *q)
{
    struct bytes record;
    bool some = false;

    while ((m->bytes < m->max_bytes || holds_up(m, q)) && mail_peek(lane_items(q->lane), &record)) {
        if (!push(m, q, record))
            break;
        mail_drop(lane_items(q->lane));
        some = true;
    }
    return some;
}

static bool before(const struct lane_item *a, const struct lane_item *b)
{
    if (a->position != b->position)
        return a->position < b->position;
    return a->serial != b->serial ? a->serial < b->serial : a->seq < b->seq;
}

static struct queue *smallest(struct merge *m)
{
    struct queue *best = NULL;

    for (unsigned i = 0; i < m->n; i++) {
        struct queue *q = &m->queues[i];

        if (q->first && (!best || before(&q->first->item, &best->first->item)))
            best = q;
    }
    return best;
}

/* Has every lane that has nothing waiting passed this position? */
static bool all_passed(const struct merge *m, uint64_t position)
{
    for (unsigned i = 0; i < m->n; i++)
        if (!m->queues[i].first && m->queues[i].done < position)
            return false;
    return true;
}

static bool say_item(struct merge *m, struct queue *q, const struct merge_out *out)
{
    if (!q || !all_passed(m, q->first->item.position))
        return false;
    out->item(out->ctx, &q->first->item + 1);
    pop(m, q);
    return true;
}

static bool say_next(struct merge *m, uint64_t current, struct ring *ticks,
                     const struct merge_out *out)
{
    struct queue *q = smallest(m);
    struct merge_tick t;
    struct bytes record;

    if (!mail_peek(ticks, &record)) /* a tick up to `current` would be there */
        return q && q->first->item.position <= current && say_item(m, q, out);
    memcpy(&t, record.at, sizeof t);
    if (q && q->first->item.position <= t.position)
        return say_item(m, q, out);
    if (!all_passed(m, t.position))
        return false;
    mail_drop(ticks);
    out->tick(out->ctx, t.now);
    return true;
}

bool merge_step(struct merge *m, uint64_t current, struct ring *ticks, const struct merge_out *out)
{
    bool some = false;

    for (unsigned i = 0; i < m->n; i++)
        m->queues[i].done = lane_done(m->queues[i].lane, current);
    for (unsigned i = 0; i < m->n; i++)
        some |= drain(m, &m->queues[i]);
    while (say_next(m, current, ticks, out))
        some = true;
    return some;
}
