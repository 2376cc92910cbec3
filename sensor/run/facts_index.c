/* run/facts_index.c - see facts_index.h. */
#include "run/facts_index.h"

#include <stdlib.h>
#include <string.h>

uint64_t facts_host(const struct endpoint *who)
{
    return hash_bytes(bytes_of(who->ip, sizeof who->ip), who->family);
}

uint64_t facts_scope(const struct fact *f)
{
    uint64_t h = hash_bytes(bytes_of(f->server.ip, sizeof f->server.ip), f->server.port);

    return hash_mix(hash_mix(h, f->network), hash_bytes(f->place, 4));
}

uint64_t facts_at(const struct fact *f)
{
    return hash_mix(facts_scope(f), facts_host(&f->who));
}

static int order(const void *x, const void *y)
{
    const struct fact *a = *(struct fact *const *)x, *b = *(struct fact *const *)y;
    uint64_t ka = facts_at(a), kb = facts_at(b);

    return ka != kb ? (ka > kb) - (ka < kb) : (a > b) - (a < b);
}

static bool sort_consumers(struct facts_index *x)
{
    size_t from = x->from[FACT_CONSUMER], end = x->from[FACT_CONSUMER + 1];

    x->consumers = malloc((end - from) * sizeof *x->consumers + 1);
    if (!x->consumers)
        return false;
    for (size_t i = from; i < end; i++)
        x->consumers[x->n_consumers++] = &x->all[i];
    if (x->n_consumers > 1)
        qsort(x->consumers, x->n_consumers, sizeof *x->consumers, order);
    return true;
}

static bool note_takers(struct facts_index *x)
{
    bool fresh, good = true;

    FACTS_EACH(x, f, FACT_NODE)
    {
        good = good && lru_put(x->takers, facts_host(&f->who), &fresh);
    }
    FACTS_EACH(x, f, FACT_CONSUMER)
    {
        good = good && lru_put(x->takers, facts_host(&f->who), &fresh);
    }
    return good;
}

bool facts_index_open(struct facts_index *x, const struct facts *facts)
{
    unsigned kind = 0;

    *x = (struct facts_index){.n = 0};
    x->all = facts_sorted(facts, &x->n);
    x->takers = lru_new(x->n + 1, 1, NULL, NULL);
    if ((!x->all && facts_count(facts) > 0) || !x->takers)
        return false;
    for (size_t i = 0; i <= x->n; i++)
        while (kind <= FACT_KINDS && (i == x->n || kind <= (unsigned)x->all[i].kind))
            x->from[kind++] = i;
    return sort_consumers(x) && note_takers(x);
}

void facts_index_close(struct facts_index *x)
{
    if (x->takers)
        lru_free(x->takers);
    free(x->consumers);
    free(x->all);
}

struct fact **facts_consumed(const struct facts_index *x, const struct fact *f, size_t *n)
{
    uint64_t key = facts_at(f);
    size_t low = 0, high = x->n_consumers, end;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (facts_at(x->consumers[mid]) < key)
            low = mid + 1;
        else
            high = mid;
    }
    for (end = low; end < x->n_consumers && facts_at(x->consumers[end]) == key; end++)
        ;
    *n = end - low;
    return x->consumers + low;
}

/* By broker, place and name, as facts_sorted() has it. */
static int order_named(const struct fact *a, const struct fact *b)
{
    struct fact x = *a, y = *b;

    x.kind = y.kind;
    x.who = y.who = (struct endpoint){0};
    x.item = y.item = x.user = y.user = bytes_of("", 0);
    return facts_order(&x, &y);
}

const struct fact *facts_software(const struct facts_index *x, const struct fact *node, size_t *n)
{
    size_t low = x->from[FACT_SOFTWARE], high = x->from[FACT_SOFTWARE + 1], end = high;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (order_named(&x->all[mid], node) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    for (high = low; high < end && order_named(&x->all[high], node) == 0; high++)
        ;
    *n = high - low;
    return x->all + low;
}

bool facts_takes(const struct facts_index *x, const struct fact *f)
{
    return lru_get(x->takers, facts_host(&f->who)) != NULL;
}
