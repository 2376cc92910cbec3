/* run/merge.c - lists in the order of lanes, merged. What a lane says next lies in its ring until
 * it is its turn; it is copied into a list only when the lane would have to wait for room. */
#include "run/merge.h"

#include <stdlib.h>

#include "run/mail.h"

/* A record may find no room in a ring that is far from full. */
enum { STUCK = 20 };

struct waiting {
    struct waiting *next;
    size_t size;
    struct lane_item item; /* the flat message follows, 8-aligned */
};

struct queue {
    struct lane *lane;
    struct waiting *first, **last;
    size_t bytes;
    uint64_t done;                /* as read before the ring was looked at */
    const struct lane_item *next; /* as smallest() found it */
};

struct merge {
    struct queue *queues;
    unsigned n;
    size_t max_bytes, bytes;
    unsigned stuck; /* times in a row that nothing could be said */
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

/* What comes next of this lane; NULL: nothing yet. */
static const struct lane_item *next_of(const struct queue *q)
{
    struct bytes record;

    if (q->first)
        return &q->first->item;
    return mail_peek(lane_items(q->lane), &record) ? (const void *)record.at : NULL;
}

static bool is_filling(const struct queue *q)
{
    const struct ring *r = lane_items(q->lane);

    return ring_used(r) > ring_capacity(r) / 2;
}

static bool drain(struct merge *m, struct queue *q)
{
    struct bytes record;
    bool some = false;

    if (!q->first && !is_filling(q) && m->stuck < STUCK)
        return false;
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

/* Of each lane what comes next, as long as nothing of it is said. */
static struct queue *smallest(struct merge *m)
{
    struct queue *best = NULL;

    for (unsigned i = 0; i < m->n; i++) {
        struct queue *q = &m->queues[i];

        q->next = next_of(q);
        if (q->next && (!best || before(q->next, best->next)))
            best = q;
    }
    return best;
}

/* Has every lane that has nothing waiting passed this position? */
static bool all_passed(const struct merge *m, uint64_t position)
{
    for (unsigned i = 0; i < m->n; i++)
        if (!m->queues[i].next && m->queues[i].done < position)
            return false;
    return true;
}

static bool say_item(struct merge *m, struct queue *q, const struct merge_out *out)
{
    if (!q || !all_passed(m, q->next->position))
        return false;
    out->item(out->ctx, q->next + 1);
    if (q->first)
        pop(m, q);
    else
        mail_drop(lane_items(q->lane));
    return true;
}

static bool say_next(struct merge *m, uint64_t current, struct ring *ticks,
                     const struct merge_out *out)
{
    struct queue *q = smallest(m);
    struct merge_tick t;
    struct bytes record;

    if (!mail_peek(ticks, &record)) /* a tick up to `current` would be there */
        return q && q->next->position <= current && say_item(m, q, out);
    memcpy(&t, record.at, sizeof t);
    if (q && q->next->position <= t.position)
        return say_item(m, q, out);
    if (!all_passed(m, t.position))
        return false;
    mail_drop(ticks);
    out->tick(out->ctx, t.now);
    return true;
}

bool merge_step(struct merge *m, uint64_t current, struct ring *ticks, const struct merge_out *out)
{
    bool drained = false, said = false;

    for (unsigned i = 0; i < m->n; i++)
        m->queues[i].done = lane_done(m->queues[i].lane, current);
    for (unsigned i = 0; i < m->n; i++)
        drained |= drain(m, &m->queues[i]);
    while (say_next(m, current, ticks, out))
        said = true;
    m->stuck = said ? 0 : m->stuck + 1;
    return drained || said;
}
