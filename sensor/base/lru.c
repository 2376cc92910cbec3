/* base/lru.c - chained hash table over an array of nodes, which a list in order
 * of use runs through. Index 0 is the list's head and no entry. */
#include "base/lru.h"

#include <stdlib.h>
#include <string.h>

struct node {
    uint64_t key;
    uint32_t chain; /* next of the same bucket, 0: none */
    uint32_t older, younger;
};

struct lru {
    struct node *nodes;
    unsigned char *values;
    uint32_t *buckets;
    size_t used, cap, max, value_size, n_buckets;
    uint64_t evicted;
    lru_gone_fn *gone;
    void *ctx;
};

static void *value_at(const struct lru *l, uint32_t i)
{
    return l->values + (size_t)i * l->value_size;
}

static size_t bucket_of(const struct lru *l, uint64_t key)
{
    return (size_t)((key ^ (key >> 29)) * 0x9e3779b97f4a7c15u >> 20) & (l->n_buckets - 1);
}

struct lru *lru_new(size_t max, size_t value_size, lru_gone_fn *gone, void *ctx)
{
    struct lru *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    l->max = max < 1 ? 1 : max > UINT32_MAX - 2 ? UINT32_MAX - 2 : max;
    l->value_size = (value_size + 15) & ~(size_t)15;
    l->gone = gone;
    l->ctx = ctx;
    return l;
}

void lru_free(struct lru *l)
{
    if (!l)
        return;
    if (l->gone && l->nodes)
        for (uint32_t i = l->nodes[0].younger; i; i = l->nodes[i].younger)
            l->gone(l->ctx, l->nodes[i].key, value_at(l, i));
    free(l->nodes);
    free(l->values);
    free(l->buckets);
    free(l);
}

static void list_out(struct lru *l, uint32_t i)
{
    struct node *n = &l->nodes[i];

    l->nodes[n->older].younger = n->younger;
    l->nodes[n->younger].older = n->older;
}

/* nodes[0].older is the youngest of all, nodes[0].younger the oldest. */
static void list_in(struct lru *l, uint32_t i)
{
    struct node *n = &l->nodes[i];

    n->older = l->nodes[0].older;
    n->younger = 0;
    l->nodes[n->older].younger = i;
    l->nodes[0].older = i;
}

static bool rehash(struct lru *l, size_t n_buckets)
{
    uint32_t *fresh = calloc(n_buckets, sizeof *fresh);

    if (!fresh)
        return false;
    free(l->buckets);
    l->buckets = fresh;
    l->n_buckets = n_buckets;
    for (uint32_t i = 1; i <= l->used; i++) {
        size_t b = bucket_of(l, l->nodes[i].key);

        l->nodes[i].chain = fresh[b];
        fresh[b] = i;
    }
    return true;
}

static bool grow(struct lru *l)
{
    size_t cap = l->cap == 0 ? 64 : l->cap * 2;

    if (cap > l->max)
        cap = l->max;
    struct node *nodes = realloc(l->nodes, (cap + 1) * sizeof *nodes);
    if (!nodes)
        return false;
    if (!l->nodes)
        memset(nodes, 0, sizeof *nodes);
    l->nodes = nodes;
    unsigned char *values = realloc(l->values, (cap + 1) * l->value_size);
    if (!values)
        return false;
    l->values = values;
    size_t n_buckets = 64;
    while (n_buckets < cap)
        n_buckets *= 2;
    if (n_buckets != l->n_buckets && !rehash(l, n_buckets))
        return false;
    l->cap = cap;
    return true;
}

static uint32_t find(const struct lru *l, uint64_t key)
{
    if (l->n_buckets == 0)
        return 0;
    uint32_t i = l->buckets[bucket_of(l, key)];

    while (i && l->nodes[i].key != key)
        i = l->nodes[i].chain;
    return i;
}

static void unchain(struct lru *l, uint32_t i)
{
    uint32_t *at = &l->buckets[bucket_of(l, l->nodes[i].key)];

    while (*at != i)
        at = &l->nodes[*at].chain;
    *at = l->nodes[i].chain;
}

/* An index to fill: a new one, or that of the oldest entry. 0: out of memory. */
static uint32_t room(struct lru *l)
{
    if (l->used < l->cap || (l->cap < l->max && grow(l)))
        return (uint32_t)++l->used;
    if (l->used == 0)
        return 0;
    uint32_t i = l->nodes[0].younger;

    if (l->gone)
        l->gone(l->ctx, l->nodes[i].key, value_at(l, i));
    unchain(l, i);
    list_out(l, i);
    l->evicted++;
    return i;
}

void *lru_get(struct lru *l, uint64_t key)
{
    uint32_t i = find(l, key);

    if (!i)
        return NULL;
    list_out(l, i);
    list_in(l, i);
    return value_at(l, i);
}

void *lru_put(struct lru *l, uint64_t key, bool *fresh)
{
    void *have = lru_get(l, key);

    *fresh = !have;
    if (have)
        return have;
    uint32_t i = room(l);
    if (!i)
        return NULL;
    size_t b = bucket_of(l, key);
    l->nodes[i].key = key;
    l->nodes[i].chain = l->buckets[b];
    l->buckets[b] = i;
    list_in(l, i);
    memset(value_at(l, i), 0, l->value_size);
    return value_at(l, i);
}

size_t lru_count(const struct lru *l)
{
    return l->used;
}

uint64_t lru_evicted(const struct lru *l)
{
    return l->evicted;
}
