/* signatures/baseline.c - see baseline.h: making one. */
#include "signatures/baseline.h"

#include <stdlib.h>

#include "signatures/baseline_index.h"

const struct baseline_keys baseline_keys[BASELINE_SECTIONS] = {
    [BASELINE_PRODUCERS] = {"producers", "origin", "addresses", "tasks", "user"},
    [BASELINE_WORKERS] = {"workers", "node", "addresses", "queues", "user"},
    [BASELINE_CONTROLLERS] = {"controllers", NULL, "addresses", "commands", NULL},
    [BASELINE_TASKS] = {"tasks", NULL, NULL, NULL, NULL},
    [BASELINE_IMPORTS] = {"imports", "queue", NULL, "modules", NULL},
    [BASELINE_RELAYS] = {"relays", NULL, "addresses", NULL, NULL},
    [BASELINE_MONITORS] = {"monitors", NULL, "addresses", NULL, NULL},
    [BASELINE_SCHEDULERS] = {"schedulers", NULL, "addresses", NULL, NULL},
};

struct baseline_entry *baseline_add(struct baseline *b, enum baseline_section s, const char *name)
{
    struct baseline_part *p = &b->sections[s];
    struct baseline_entry *more = realloc(p->at, (p->n + 1) * sizeof *more);

    if (!more)
        return NULL;
    p->at = more;
    p->present = true;
    more[p->n] = (struct baseline_entry){0};
    if (name && !(more[p->n].name = strdup(name)))
        return NULL;
    return &more[p->n++];
}

bool baseline_add_address(struct baseline_entry *e, const struct network *n)
{
    struct network *more = realloc(e->addresses.at, (e->addresses.n + 1) * sizeof *more);

    if (!more)
        return false;
    e->addresses.at = more;
    more[e->addresses.n++] = *n;
    e->has_addresses = true;
    return true;
}

bool baseline_add_text(struct baseline_entry *e, const char *text)
{
    char **more = realloc(e->list.at, (e->list.n + 1) * sizeof *more);

    if (!more)
        return false;
    e->list.at = more;
    more[e->list.n] = strdup(text);
    e->has_list = true;
    return more[e->list.n] && ++e->list.n > 0;
}

static void clear_entry(struct baseline_entry *e)
{
    for (size_t i = 0; i < e->list.n; i++)
        free(e->list.at[i]);
    free(e->list.at);
    free(e->addresses.at);
    free(e->name);
    free(e->user);
}

void baseline_clear(struct baseline *b)
{
    for (unsigned s = 0; s < BASELINE_SECTIONS; s++) {
        struct baseline_part *p = &b->sections[s];

        for (size_t i = 0; i < p->n; i++)
            clear_entry(&p->at[i]);
        free(p->at);
        baseline_index_free(p->index);
    }
    *b = (struct baseline){0};
}
