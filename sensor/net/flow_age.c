/* net/flow_age.c - who goes when: the wheel for time, the queues for room. */
#include <stdlib.h>

#include "net/flow_table.h"

enum { SECOND_CHANCES = 8, YOUNG_PART = 8, JUMP_S = 3600 };

/* wheel_prev of the first flow of a second: the second, marked. */
#define WHEEL_FIRST 0x80000000u
#define WHEEL_NONE  UINT32_MAX /* off the wheel: about to end */

static int64_t deadline(const struct flow_table *t, const struct slot *s)
{
    return (int64_t)s->flow.seen + t->limit[stage_of(s)] + 1;
}

static void wheel_add(struct flow_table *t, uint32_t n)
{
    struct slot *s = slot_at(t, n);
    int64_t at = deadline(t, s);
    if (at <= t->wheel_at)
        at = t->wheel_at + 1;
    if (at >= t->wheel_at + WHEEL_SECONDS)
        at = t->wheel_at + WHEEL_SECONDS - 1;
    uint32_t second = (uint32_t)((uint64_t)at % WHEEL_SECONDS);
    s->wheel_prev = WHEEL_FIRST | second;
    s->wheel_next = t->wheel[second];
    if (s->wheel_next)
        slot_at(t, s->wheel_next)->wheel_prev = n;
    t->wheel[second] = n;
}

static void wheel_remove(struct flow_table *t, struct slot *s)
{
    if (s->wheel_prev == WHEEL_NONE)
        return;
    if (s->wheel_prev & WHEEL_FIRST)
        t->wheel[s->wheel_prev & ~WHEEL_FIRST] = s->wheel_next;
    else
        slot_at(t, s->wheel_prev)->wheel_next = s->wheel_next;
    if (s->wheel_next)
        slot_at(t, s->wheel_next)->wheel_prev = s->wheel_prev;
}

static struct queue *queue_of(struct flow_table *t, const struct slot *s)
{
    return &t->queue[s->flow.shard][stage_of(s)];
}

static void queue_add(struct flow_table *t, uint32_t n)
{
    struct slot *s = slot_at(t, n);
    struct queue *q = queue_of(t, s);
    s->queued = s->flow.seen;
    s->queue_next = 0;
    s->queue_prev = q->last;
    *(q->last ? &slot_at(t, q->last)->queue_next : &q->first) = n;
    q->last = n;
    q->n++;
}

static void queue_remove(struct flow_table *t, struct slot *s)
{
    struct queue *q = queue_of(t, s);
    *(s->queue_prev ? &slot_at(t, s->queue_prev)->queue_next : &q->first) = s->queue_next;
    *(s->queue_next ? &slot_at(t, s->queue_next)->queue_prev : &q->last) = s->queue_prev;
    q->n--;
}

void age_add(struct flow_table *t, uint32_t slot)
{
    if (!t->started) {
        t->started = true;
        t->wheel_at = (int64_t)slot_at(t, slot)->flow.seen - 1;
    }
    wheel_add(t, slot);
    queue_add(t, slot);
}

void age_remove(struct flow_table *t, uint32_t slot)
{
    wheel_remove(t, slot_at(t, slot));
    queue_remove(t, slot_at(t, slot));
}

/* A later deadline is found out when the wheel comes by; an earlier one is not. */
void age_move(struct flow_table *t, uint32_t slot, enum stage to)
{
    struct slot *s = slot_at(t, slot);
    bool sooner = t->limit[to] < t->limit[stage_of(s)];
    queue_remove(t, s);
    if (sooner)
        wheel_remove(t, s);
    set_stage(s, to);
    if (sooner)
        wheel_add(t, slot);
    queue_add(t, slot);
}

/* The one that was silent for longest, nearly: whoever was heard since he was queued
 * goes to the end, up to a number of times. */
static uint32_t quiet_one(struct flow_table *t, struct queue *q)
{
    for (unsigned i = 0; i < SECOND_CHANCES; i++) {
        uint32_t first = q->first;
        struct slot *s = slot_at(t, first);
        if (s->flow.seen == s->queued)
            return first;
        queue_remove(t, s);
        queue_add(t, first);
    }
    return q->first;
}

/* Closed ones first. Then those that never became connections, as long as they are
 * more than a part of the shard: a flood evicts its own, but new connections get a chance
 * in a full table. */
uint32_t age_victim(struct flow_table *t, unsigned shard)
{
    struct queue *q = t->queue[shard];
    if (q[STAGE_CLOSED].n + q[STAGE_YOUNG].n + q[STAGE_SETTLED].n < t->per_shard)
        return 0;
    if (q[STAGE_CLOSED].n > 0)
        return q[STAGE_CLOSED].first;
    bool many_young = q[STAGE_YOUNG].n > t->per_shard / YOUNG_PART;
    if (many_young || q[STAGE_SETTLED].n == 0)
        return q[STAGE_YOUNG].first;
    return quiet_one(t, &q[STAGE_SETTLED]);
}

static bool doom(struct flow_table *t, size_t n, struct slot *s)
{
    if (n == t->doomed_cap) {
        size_t cap = n > 0 ? n * 2 : 256;
        struct slot **list = realloc(t->doomed, cap * sizeof *list);
        if (!list)
            return false;
        t->doomed = list;
        t->doomed_cap = cap;
    }
    t->doomed[n] = s;
    return true;
}

static int by_serial(const void *a, const void *b)
{
    const struct slot *const *x = a, *const *y = b;
    uint64_t p = (*x)->flow.id.serial, q = (*y)->flow.id.serial;
    return p < q ? -1 : p > q;
}

static uint32_t number_of(const struct flow_table *t, const struct slot *s)
{
    for (size_t i = s->tag & t->mask;; i = (i + 1) & t->mask)
        if (t->entry[i].tag == s->tag && slot_at(t, t->entry[i].slot) == s)
            return t->entry[i].slot;
}

static void end_all(struct flow_table *t, size_t n, enum flow_end why)
{
    if (n > 1)
        qsort(t->doomed, n, sizeof *t->doomed, by_serial);
    for (size_t i = 0; i < n; i++) {
        slot_end(t, t->doomed[i], why);
        slot_release(t, number_of(t, t->doomed[i]));
    }
}

/* Where the capture has a gap of hours, the first packets behind it are heard before the clock has
 * followed them (run/clock.h): their own time tells that these flows were not idle. */
static void heard_before_the_clock(const struct flow_table *t, struct slot *s)
{
    int64_t last = s->flow.last.ns / 1000000000;
    if (last - (int64_t)s->flow.seen > JUMP_S && last <= t->now)
        s->flow.seen = (uint32_t)last;
}

/* Looks at all flows of one second; those whose time has not come go where it will. */
static size_t collect_second(struct flow_table *t, size_t n)
{
    uint32_t *head = &t->wheel[(uint64_t)t->wheel_at % WHEEL_SECONDS];
    uint32_t next = *head;
    *head = 0;
    while (next) {
        uint32_t now = next;
        struct slot *s = slot_at(t, now);
        next = s->wheel_next;
        heard_before_the_clock(t, s);
        if (deadline(t, s) <= t->now && doom(t, n, s)) {
            s->wheel_prev = WHEEL_NONE;
            n++;
        } else {
            wheel_add(t, now);
        }
    }
    return n;
}

void flow_tick(struct flow_table *t, struct stamp now)
{
    int64_t second = now.ns / 1000000000;
    t->now = t->ticked && t->now > second ? t->now : second;
    t->ticked = true;
    if (!t->started)
        return;
    size_t n = 0;
    if (t->now - t->wheel_at > WHEEL_SECONDS)
        t->wheel_at = t->now - WHEEL_SECONDS; /* once around is all there is */
    while (t->wheel_at < t->now) {
        t->wheel_at++;
        n = collect_second(t, n);
    }
    end_all(t, n, FLOW_IDLE);
}

void flow_table_flush(struct flow_table *t)
{
    size_t n = 0;
    for (size_t i = 0; t->entry && i <= t->mask; i++) {
        if (t->entry[i].slot == 0)
            continue;
        struct slot *s = slot_at(t, t->entry[i].slot);
        if (doom(t, n, s)) {
            n++;
        } else { /* no memory for the list: out of order, but not unsaid */
            slot_end(t, s, FLOW_SHUTDOWN);
            age_move(t, t->entry[i].slot, STAGE_CLOSED);
        }
    }
    end_all(t, n, FLOW_SHUTDOWN);
}
