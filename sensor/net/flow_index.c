/* net/flow_index.c - open addressing with linear probing; removal shifts back, so
 * there are no graves and no rebuilding but when it grows. */
#include <stdlib.h>

#include "net/flow_table.h"

enum { FIRST_ENTRIES = 1024, HUGE_FROM = 2 << 20 };

static struct entry *map_entries(size_t n)
{
    size_t bytes = n * sizeof(struct entry);
    return bytes < HUGE_FROM ? calloc(1, bytes) : huge_map(bytes);
}

static void unmap_entries(struct entry *e, size_t n)
{
    size_t bytes = n * sizeof(struct entry);
    if (bytes < HUGE_FROM)
        free(e);
    else
        huge_unmap(e, bytes);
}

static void put(struct entry *e, size_t mask, struct entry what)
{
    size_t i = what.tag & mask;
    while (e[i].slot != 0)
        i = (i + 1) & mask;
    e[i] = what;
}

static bool grow(struct flow_table *t, size_t n)
{
    struct entry *e = map_entries(n);
    if (!e)
        return false;
    size_t old = t->entry ? t->mask + 1 : 0;
    for (size_t i = 0; i < old; i++)
        if (t->entry[i].slot != 0)
            put(e, n - 1, t->entry[i]);
    index_free(t);
    t->entry = e;
    t->mask = n - 1;
    return true;
}

bool index_reserve(struct flow_table *t)
{
    if (!t->entry)
        return grow(t, FIRST_ENTRIES);
    if (t->used < (t->mask + 1) / 2)
        return true;
    return grow(t, (t->mask + 1) * 2);
}

void index_put(struct flow_table *t, uint32_t tag, uint32_t slot)
{
    put(t->entry, t->mask, (struct entry){tag, slot});
    t->used++;
}

void index_remove(struct flow_table *t, uint32_t tag, uint32_t slot)
{
    struct entry *e = t->entry;
    size_t hole = tag & t->mask;
    while (e[hole].slot != slot)
        hole = (hole + 1) & t->mask;
    /* Pull back what probed past the hole. */
    for (size_t i = (hole + 1) & t->mask; e[i].slot != 0; i = (i + 1) & t->mask) {
        size_t from_home = (i - e[i].tag) & t->mask;
        size_t from_hole = (i - hole) & t->mask;
        if (from_home < from_hole)
            continue;
        e[hole] = e[i];
        hole = i;
    }
    e[hole] = (struct entry){0};
    t->used--;
}

void index_free(struct flow_table *t)
{
    if (t->entry)
        unmap_entries(t->entry, t->mask + 1);
    t->entry = NULL;
}
