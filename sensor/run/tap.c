/* run/tap.c - see tap.h. */
#include "run/tap.h"

#include <stdlib.h>

#include "dissectors/content/codecs.h"
#include "run/tap_node.h"

static struct tap *begin(void *ctx, struct bytes compression)
{
    struct tap_pool *p = ctx;
    struct tap *t = p->open < p->max ? calloc(1, sizeof *t) : NULL;

    if (t) {
        t->pool = p;
        t->declared = coding_by_name(compression);
        t->top[0] = tap_node_new(t, ROLE_OWN, false, 0);
        t->top[1] = t->declared == CODING_NONE ? tap_node_new(t, ROLE_NESTED, true, 0) : NULL;
    }
    tally_add(p->tally, t ? TALLY_taps : TALLY_tap_limit, 1);
    if (!t)
        return &p->refused;
    p->open++;
    return t;
}

static void feed(struct tap *t, struct bytes piece)
{
    if (!t->pool || t->cut)
        return;
    t->packed += piece.len;
    tap_pair_feed(t->top, piece);
}

static void cut(struct tap *t)
{
    if (t->pool)
        t->cut = true;
}

static void end(struct tap *t)
{
    if (!t->pool)
        return;
    tap_pair_free(t->top);
    tap_pair_free(t->body);
    tap_machine_back(t->pool, t->scratch);
    tap_machine_back(t->pool, t->nested);
    t->pool->open--;
    free(t);
}

static bool copy_allow(struct tap_pool *p, const struct pickle_options *o)
{
    p->options = *o;
    p->options.allow = NULL;
    p->options.n_allow = 0;
    if (o->n_allow == 0)
        return true;
    p->allow = calloc(o->n_allow, sizeof *p->allow);
    if (!p->allow)
        return false;
    memcpy(p->allow, o->allow, o->n_allow * sizeof *p->allow);
    p->options.allow = p->allow;
    p->options.n_allow = o->n_allow;
    return true;
}

struct tap_pool *tap_pool_new(unsigned max, const struct content_limits *limits,
                              const struct pickle_options *options, struct tally *tally)
{
    struct tap_pool *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->limits = *limits;
    p->max = max;
    p->tally = tally;
    p->door = (struct taps){.begin = begin, .feed = feed, .cut = cut, .end = end, .ctx = p};
    if (copy_allow(p, options))
        return p;
    tap_pool_free(p);
    return NULL;
}

void tap_pool_free(struct tap_pool *p)
{
    if (!p)
        return;
    pickle_free(p->spare);
    free(p->allow);
    free(p);
}

struct pickle *tap_machine(struct tap_pool *p)
{
    struct pickle *machine = p->spare;

    if (!machine)
        return pickle_new(&p->options);
    p->spare = NULL;
    pickle_reset(machine, PICKLE_SEEN);
    return machine;
}

void tap_machine_back(struct tap_pool *p, struct pickle *machine)
{
    if (p->spare)
        pickle_free(machine);
    else
        p->spare = machine;
}

const struct taps *tap_door(struct tap_pool *p)
{
    return &p->door;
}

/* Through the compressions down to what they hold. */
static struct tap_node *innermost(struct tap_node *n)
{
    while (n && n->kind == TAP_CODED)
        n = n->next[0];
    return n;
}

static void finish(struct tap *t)
{
    if (t->ended)
        return;
    t->ended = true;
    tap_pair_end(t->top);
    tap_pair_end(t->body);
}

const struct pickle_result *tap_pickle(struct tap *t, size_t skip, bool declared)
{
    struct tap_node *n;

    if (!t->pool)
        return NULL;
    finish(t);
    n = innermost(t->top[0]);
    return n && n->skip == skip ? tap_node_pickle(t->top[0], declared) : NULL;
}

const struct pickle_result *tap_envelope_pickle(struct tap *t, bool base64, bool declared)
{
    if (!t->pool)
        return NULL;
    finish(t);
    t->asked = true;
    return t->body[base64] ? tap_node_pickle(t->body[base64], declared) : NULL;
}

const struct pickle_found *tap_nested(struct tap *t)
{
    if (!t->pool)
        return NULL;
    finish(t);
    if (!t->nested && !t->asked && t->body[1]) /* it was no envelope: a text like others */
        tap_node_keep_nested(t->body[1]);
    return t->nested ? &t->found : NULL;
}

struct bytes tap_abridged(struct tap *t)
{
    const struct tap_node *n;

    if (!t->pool)
        return bytes_of(NULL, 0);
    finish(t);
    n = innermost(t->top[0]);
    return n && n->kind == TAP_JSON ? json_stream_copy(n->json) : bytes_of(NULL, 0);
}

bool tap_is_bomb(struct tap *t)
{
    if (t->pool)
        finish(t);
    return t->bomb;
}
