/* signatures/learn_networks.c - see learn_networks.h. */
#include "signatures/learn_networks.h"

#include <stdlib.h>

static unsigned whole(const struct network *n)
{
    return n->family == 4 ? 32 : 128;
}

/* The wider one of two that begin alike stands first, so that what holds others precedes them. */
static int order(const void *x, const void *y)
{
    const struct network *a = x, *b = y;
    int is = (a->family > b->family) - (a->family < b->family);

    if (is == 0)
        is = memcmp(a->ip, b->ip, sizeof a->ip);
    return is != 0 ? is : (a->prefix > b->prefix) - (a->prefix < b->prefix);
}

bool network_holds(const struct network *outer, const struct network *inner)
{
    struct endpoint e = {.family = inner->family};

    memcpy(e.ip, inner->ip, sizeof e.ip);
    return outer->prefix <= inner->prefix && network_has(outer, &e);
}

bool networks_copy(struct network_list *to, const struct network_list *from)
{
    struct network *more = realloc(to->at, (to->n + from->n) * sizeof *more + 1);

    if (!more)
        return false;
    to->at = more;
    if (from->n > 0)
        memcpy(to->at + to->n, from->at, from->n * sizeof *more);
    to->n += from->n;
    return true;
}

struct network network_of(const struct endpoint *e)
{
    struct network n = {.family = e->family, .prefix = e->family == 4 ? 32 : 128};

    memcpy(n.ip, e->ip, sizeof n.ip);
    return n;
}

void networks_tidy(struct network_list *l)
{
    size_t n = 0;

    if (l->n > 1)
        qsort(l->at, l->n, sizeof *l->at, order);
    for (size_t i = 0; i < l->n; i++)
        if (n == 0 || !network_holds(&l->at[n - 1], &l->at[i]))
            l->at[n++] = l->at[i];
    l->n = n;
}

static unsigned common_bits(const struct network *a, const struct network *b)
{
    unsigned max = a->prefix < b->prefix ? a->prefix : b->prefix, bits = 0;

    while (bits < max && ((a->ip[bits / 8] ^ b->ip[bits / 8]) >> (7 - bits % 8) & 1) == 0)
        bits++;
    return bits;
}

static void cut(struct network *n, unsigned prefix)
{
    n->prefix = prefix;
    for (unsigned bit = prefix; bit < 128; bit++)
        n->ip[bit / 8] = (uint8_t)(n->ip[bit / 8] & ~(0x80u >> bit % 8));
}

static bool is_due(const struct network_list *l, const struct learn_conf *conf)
{
    if (l->n > conf->glob_after)
        return true;
    for (size_t i = 0; i < l->n; i++)
        if (l->at[i].prefix < whole(&l->at[i]))
            return true;
    return false;
}

void networks_widen(struct network_list *l, const struct learn_conf *conf)
{
    size_t n = 0;

    networks_tidy(l);
    if (!is_due(l, conf))
        return;
    for (size_t i = 0; i < l->n; i++) {
        struct network *last = n > 0 ? &l->at[n - 1] : NULL, *next = &l->at[i];
        unsigned widest = next->family == 4 ? conf->prefix_v4 : conf->prefix_v6;
        unsigned bits = last && last->family == next->family ? common_bits(last, next) : 0;

        /* Sorted: whatever lies in one block of the widest prefix stands together. */
        if (bits > 0 && bits >= widest)
            cut(last, bits);
        else
            l->at[n++] = *next;
    }
    l->n = n;
    networks_tidy(l);
}
