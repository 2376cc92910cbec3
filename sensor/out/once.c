/* out/once.c - see once.h. */
#include "out/once.h"

#include <stdlib.h>

#include "base/lru.h"

struct once {
    struct lru *keys; /* -> when it was last seen */
    int64_t keep_ns;
};

struct once *once_new(size_t max_keys, int64_t keep_ns)
{
    struct once *o = calloc(1, sizeof *o);

    if (!o)
        return NULL;
    o->keep_ns = keep_ns;
    o->keys = lru_new(max_keys, sizeof(int64_t), NULL, NULL);
    if (o->keys)
        return o;
    free(o);
    return NULL;
}

void once_free(struct once *o)
{
    if (!o)
        return;
    lru_free(o->keys);
    free(o);
}

/* Time may go back a little: what was seen "later" than now was seen. */
static bool too_old(const struct once *o, int64_t last, int64_t now)
{
    return now > last && (uint64_t)now - (uint64_t)last > (uint64_t)o->keep_ns;
}

bool once_seen(struct once *o, uint64_t key, int64_t ns)
{
    bool fresh = false;
    int64_t *last = lru_put(o->keys, key, &fresh);

    if (!last)
        return false;
    bool seen = !fresh && !too_old(o, *last, ns);
    if (fresh || ns > *last)
        *last = ns;
    return seen;
}
