/* signatures/cluster/waiting.c - a ring of flat messages. */
#include "signatures/cluster/waiting.h"

#include <stdlib.h>

#include "signatures/cluster/crew.h"

struct item {
    uint64_t host;
    int64_t at;
    void *block; /* the message, flat */
};

struct waiting {
    unsigned first, n, max;
    void *shown; /* the block that the last view looks into */
    struct item ring[];
};

struct waiting *waiting_new(unsigned max)
{
    struct waiting *w = calloc(1, sizeof *w + max * sizeof *w->ring);

    if (w)
        w->max = max;
    return w;
}

void waiting_free(struct waiting *w)
{
    if (!w)
        return;
    for (unsigned i = 0; i < w->n; i++)
        free(w->ring[(w->first + i) % w->max].block);
    free(w->shown);
    free(w);
}

bool waiting_add(struct waiting *w, const struct msg *m, const struct finding *f)
{
    struct item *to = &w->ring[(w->first + w->n) % w->max];

    if (w->n == w->max)
        return false;
    to->block = aligned_alloc(16, (flat_size(m, f, f != NULL) + 15) & ~(size_t)15);
    if (!to->block)
        return false;
    flat_write(to->block, m, f, f != NULL);
    to->at = m->at.ns;
    to->host = crew_host_id(m);
    w->n++;
    return true;
}

bool waiting_next(struct waiting *w, int64_t until, struct flat_view *v, uint64_t *host)
{
    struct item *at = &w->ring[w->first];

    if (w->n == 0 || at->at > until)
        return false;
    free(w->shown);
    w->shown = at->block;
    *host = at->host;
    flat_read(at->block, v);
    w->first = (w->first + 1) % w->max;
    w->n--;
    return true;
}
