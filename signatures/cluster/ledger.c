/* signatures/cluster/ledger.c - a hash of chains over an array of tasks, each in two lists by age:
 * that of all, and that of its source. */
#include "signatures/cluster/ledger.h"

#include <stdlib.h>
#include <string.h>

#define SOURCES 4096u /* lists; a power of two */
#define SHARE   16u
#define FIRST   1024u
#define NONE    UINT32_MAX
#define AGE_NS  (86400 * INT64_C(1000000000))

enum { ALL, OF_SOURCE, LISTS };

struct link {
    uint32_t older, newer;
};

struct slot {
    struct ledger_task task;
    struct link in[LISTS];
    uint32_t chain; /* the next one with the same hash */
    uint32_t source;
};

struct list {
    uint32_t oldest, newest, n;
};

struct ledger {
    struct slot *slots;
    uint32_t *heads; /* `room` of them, a power of two */
    uint32_t room, used, max, share, free;
    uint64_t evicted;
    struct list all;
    struct list sources[SOURCES];
};

struct ledger *ledger_new(size_t max)
{
    struct ledger *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    l->max = max < NONE / 4 ? (uint32_t)max : NONE / 4;
    l->share = l->max / SHARE > 0 ? l->max / SHARE : 1;
    l->free = NONE;
    l->all = (struct list){NONE, NONE, 0};
    for (unsigned i = 0; i < SOURCES; i++)
        l->sources[i] = l->all;
    return l;
}

void ledger_free(struct ledger *l)
{
    if (!l)
        return;
    free(l->slots);
    free(l->heads);
    free(l);
}

static uint32_t *head_of(struct ledger *l, uint64_t id)
{
    return &l->heads[id & (l->room - 1)];
}

static struct ledger_task *young(struct slot *s, int64_t now)
{
    return now - s->task.seen_ns <= AGE_NS ? &s->task : NULL;
}

struct ledger_task *ledger_find(struct ledger *l, uint64_t id, uint64_t scope, int64_t now)
{
    uint32_t i = l->room > 0 ? *head_of(l, id) : NONE;

    for (; i != NONE; i = l->slots[i].chain)
        if (l->slots[i].task.id == id && l->slots[i].task.scope == scope)
            return young(&l->slots[i], now);
    return NULL;
}

struct ledger_task *ledger_find_any(struct ledger *l, uint64_t id, int64_t now)
{
    uint32_t i = l->room > 0 ? *head_of(l, id) : NONE;

    for (; i != NONE; i = l->slots[i].chain)
        if (l->slots[i].task.id == id)
            return young(&l->slots[i], now);
    return NULL;
}

static void append(struct ledger *l, struct list *list, int which, uint32_t i)
{
    l->slots[i].in[which] = (struct link){list->newest, NONE};
    if (list->newest != NONE)
        l->slots[list->newest].in[which].newer = i;
    else
        list->oldest = i;
    list->newest = i;
    list->n++;
}

static void detach(struct ledger *l, struct list *list, int which, uint32_t i)
{
    struct link at = l->slots[i].in[which];

    if (at.older != NONE)
        l->slots[at.older].in[which].newer = at.newer;
    else
        list->oldest = at.newer;
    if (at.newer != NONE)
        l->slots[at.newer].in[which].older = at.older;
    else
        list->newest = at.older;
    list->n--;
}

static void forget(struct ledger *l, uint32_t i)
{
    uint32_t *from = head_of(l, l->slots[i].task.id);

    while (*from != i)
        from = &l->slots[*from].chain;
    *from = l->slots[i].chain;
    detach(l, &l->all, ALL, i);
    detach(l, &l->sources[l->slots[i].source], OF_SOURCE, i);
    l->slots[i].chain = l->free;
    l->free = i;
    l->evicted++;
}

static bool grow(struct ledger *l)
{
    uint32_t room = l->room > 0 ? l->room * 2 : FIRST;
    struct slot *slots = realloc(l->slots, room * sizeof *slots);

    if (!slots)
        return false;
    l->slots = slots;
    uint32_t *heads = realloc(l->heads, room * sizeof *heads);
    if (!heads)
        return false;
    l->heads = heads;
    l->room = room;
    memset(heads, 0xff, room * sizeof *heads);
    for (uint32_t i = l->all.oldest; i != NONE; i = slots[i].in[ALL].newer) {
        uint32_t *head = head_of(l, slots[i].task.id);
        slots[i].chain = *head;
        *head = i;
    }
    return true;
}

static uint32_t take_slot(struct ledger *l)
{
    uint32_t i = l->free;

    if (i != NONE) {
        l->free = l->slots[i].chain;
        return i;
    }
    if (l->used == l->room && !grow(l))
        return NONE;
    return l->used++;
}

struct ledger_task *ledger_put(struct ledger *l, uint64_t id, uint64_t scope, uint64_t source,
                               int64_t now)
{
    uint32_t list = (uint32_t)((source ^ source >> 32) & (SOURCES - 1)), i;

    if (l->sources[list].n >= l->share)
        forget(l, l->sources[list].oldest);
    else if (l->all.n >= l->max)
        forget(l, l->all.oldest);
    i = take_slot(l);
    if (i == NONE)
        return NULL;
    struct slot *s = &l->slots[i];
    memset(s, 0, sizeof *s);
    s->task.id = id;
    s->task.scope = scope;
    s->task.first_ns = s->task.seen_ns = now;
    s->source = list;
    s->chain = *head_of(l, id);
    *head_of(l, id) = i;
    append(l, &l->all, ALL, i);
    append(l, &l->sources[list], OF_SOURCE, i);
    return &s->task;
}

bool ledger_took(const struct ledger_task *t, uint64_t host)
{
    for (unsigned i = 0; i < LEDGER_TAKERS; i++)
        if (t->takers[i] == host)
            return host != 0;
    return false;
}

bool ledger_took_any(struct ledger *l, uint64_t id, uint64_t host, int64_t now)
{
    uint32_t i = l->room > 0 ? *head_of(l, id) : NONE;

    for (; i != NONE; i = l->slots[i].chain)
        if (l->slots[i].task.id == id && young(&l->slots[i], now) &&
            ledger_took(&l->slots[i].task, host))
            return true;
    return false;
}

void ledger_take(struct ledger_task *t, uint64_t host, int64_t now)
{
    t->taken_ns = now;
    if (ledger_took(t, host))
        return;
    memmove(t->takers + 1, t->takers, sizeof t->takers - sizeof *t->takers);
    t->takers[0] = host;
}

size_t ledger_count(const struct ledger *l)
{
    return l->all.n;
}

uint64_t ledger_evicted(const struct ledger *l)
{
    return l->evicted;
}
