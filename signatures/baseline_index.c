/* signatures/baseline_index.c - see baseline_index.h. */
#include "signatures/baseline_index.h"

#include <stdlib.h>

#include "base/hash.h"

#define NONE UINT32_MAX

struct baseline_index {
    uint32_t *heads, *next; /* entry numbers; heads: size `mask` + 1 */
    uint32_t *globs;
    size_t mask, n_globs;
};

void baseline_index_free(struct baseline_index *x)
{
    if (!x)
        return;
    free(x->heads);
    free(x->next);
    free(x->globs);
    free(x);
}

static size_t head_of(const struct baseline_index *x, struct bytes name)
{
    return hash_bytes(name, 0) & x->mask;
}

static struct baseline_index *new_index(size_t n)
{
    struct baseline_index *x = calloc(1, sizeof *x);

    if (!x)
        return NULL;
    for (x->mask = 1; x->mask < 2 * n; x->mask = 2 * x->mask + 1)
        ;
    x->heads = malloc((x->mask + 1) * sizeof *x->heads);
    x->next = malloc(n * sizeof *x->next);
    x->globs = malloc(n * sizeof *x->globs);
    if (x->heads && x->next && x->globs) {
        memset(x->heads, 0xff, (x->mask + 1) * sizeof *x->heads);
        return x;
    }
    baseline_index_free(x);
    return NULL;
}

/* The part of a node's glob that its host has to match; NULL: none can. Where no '@' is written a
 * '*' may stand for it, and for what follows it. */
static const char *host_glob(const char *node)
{
    const char *at = strchr(node, '@');

    return at ? at + 1 : strrchr(node, '*');
}

/* What entries of a section are found by. */
static const char *sought(enum baseline_section s, const struct baseline_entry *e)
{
    return s == BASELINE_WORKERS ? host_glob(e->name) : e->name;
}

static void enter(struct baseline_index *x, uint32_t i, const char *name)
{
    size_t head;

    if (!glob_is_literal(name)) {
        x->globs[x->n_globs++] = i;
        return;
    }
    head = head_of(x, bytes_of(name, strlen(name)));
    x->next[i] = x->heads[head];
    x->heads[head] = i;
}

static bool index_section(struct baseline_part *p, enum baseline_section s)
{
    struct baseline_index *x;

    if (p->n == 0 || p->n >= NONE || !p->at[0].name)
        return true;
    x = new_index(p->n);
    if (!x)
        return false;
    for (size_t i = 0; i < p->n; i++)
        if (sought(s, &p->at[i]))
            enter(x, (uint32_t)i, sought(s, &p->at[i]));
    baseline_index_free(p->index);
    p->index = x;
    return true;
}

bool baseline_index(struct baseline *b)
{
    bool all = true;

    for (unsigned s = 0; s < BASELINE_SECTIONS; s++)
        all &= index_section(&b->sections[s], s);
    return all;
}

struct search baseline_search(const struct baseline *b, enum baseline_section s, struct bytes name)
{
    struct search q = {.part = &b->sections[s], .section = s, .name = name, .chain = NONE};

    if (q.part->index)
        q.chain = q.part->index->heads[head_of(q.part->index, name)];
    return q;
}

static const struct baseline_entry *candidate(struct search *q)
{
    const struct baseline_index *x = q->part->index;

    if (q->chain != NONE) {
        const struct baseline_entry *e = &q->part->at[q->chain];

        q->chain = x->next[q->chain];
        return e;
    }
    if (x)
        return q->next < x->n_globs ? &q->part->at[x->globs[q->next++]] : NULL;
    return q->next < q->part->n ? &q->part->at[q->next++] : NULL;
}

const struct baseline_entry *baseline_found(struct search *q)
{
    const struct baseline_entry *e;

    while ((e = candidate(q)) != NULL) {
        const char *glob = sought(q->section, e);

        if (glob && glob_match(glob, q->name))
            return e;
    }
    return NULL;
}
