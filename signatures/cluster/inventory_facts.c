/* signatures/cluster/inventory_facts.c - a hash of chains over an array of facts, each in two lists
 * by age: that of its kind, and that of its kind and source. */
#include "signatures/cluster/inventory_facts.h"

#include <stdlib.h>

#include "base/hash.h"

#define SOURCES 1024u /* lists of each kind; a power of two */
#define SHARE   16u
#define FIRST   256u
#define NONE    UINT32_MAX

enum { OF_KIND, OF_SOURCE, LISTS };

struct link {
    uint32_t older, newer;
};

struct slot {
    struct fact fact; /* its texts are in one block, which starts with the place */
    uint64_t key;
    uint8_t *block;
    struct link in[LISTS];
    uint32_t chain;  /* the next one with the same hash; of a free one, the next free */
    uint32_t source; /* number of its list */
};

struct list {
    uint32_t oldest, newest, n;
};

struct facts {
    struct slot *slots;
    uint32_t *heads; /* `room` of them, a power of two */
    uint32_t room, used, max, share, free;
    uint64_t evicted, lost;
    size_t n;
    struct list kinds[FACT_KINDS];
    struct list sources[FACT_KINDS * SOURCES];
};

struct facts *facts_new(size_t max)
{
    struct facts *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    f->max = max < FACTS_MAX ? (uint32_t)max : FACTS_MAX;
    f->share = f->max / SHARE > 0 ? f->max / SHARE : 1;
    f->free = NONE;
    for (unsigned i = 0; i < FACT_KINDS; i++)
        f->kinds[i] = (struct list){NONE, NONE, 0};
    for (unsigned i = 0; i < FACT_KINDS * SOURCES; i++)
        f->sources[i] = (struct list){NONE, NONE, 0};
    return f;
}

void facts_free(struct facts *f)
{
    if (!f)
        return;
    for (uint32_t i = 0; i < f->used; i++)
        free(f->slots[i].block);
    free(f->slots);
    free(f->heads);
    free(f);
}

static uint64_t key_of(const struct fact *f)
{
    uint64_t h = hash_bytes(bytes_of(f->server.ip, sizeof f->server.ip), f->server.port);

    h = hash_mix(h, (uint64_t)f->network << 8 | (unsigned)f->kind);
    h = hash_mix(h, hash_bytes(bytes_of(f->who.ip, sizeof f->who.ip), f->who.family));
    h = hash_mix(h, hash_bytes(f->place, 1));
    h = hash_mix(h, hash_bytes(f->name, 2));
    h = hash_mix(h, hash_bytes(f->item, 3));
    return hash_mix(h, hash_bytes(f->user, 4));
}

static uint32_t *head_of(struct facts *f, uint64_t key)
{
    return &f->heads[key & (f->room - 1)];
}

static struct list *list_of(struct facts *f, uint32_t i, int which)
{
    const struct slot *s = &f->slots[i];

    return which == OF_KIND ? &f->kinds[s->fact.kind] : &f->sources[s->source];
}

static void append(struct facts *f, int which, uint32_t i)
{
    struct list *list = list_of(f, i, which);

    f->slots[i].in[which] = (struct link){list->newest, NONE};
    if (list->newest != NONE)
        f->slots[list->newest].in[which].newer = i;
    else
        list->oldest = i;
    list->newest = i;
    list->n++;
}

static void detach(struct facts *f, int which, uint32_t i)
{
    struct list *list = list_of(f, i, which);
    struct link at = f->slots[i].in[which];

    if (at.older != NONE)
        f->slots[at.older].in[which].newer = at.newer;
    else
        list->oldest = at.newer;
    if (at.newer != NONE)
        f->slots[at.newer].in[which].older = at.older;
    else
        list->newest = at.older;
    list->n--;
}

static void forget(struct facts *f, uint32_t i)
{
    uint32_t *from = head_of(f, f->slots[i].key);

    while (*from != i)
        from = &f->slots[*from].chain;
    *from = f->slots[i].chain;
    detach(f, OF_KIND, i);
    detach(f, OF_SOURCE, i);
    free(f->slots[i].block);
    f->slots[i].block = NULL;
    f->slots[i].chain = f->free;
    f->free = i;
    f->evicted++;
    f->n--;
}

static bool grow(struct facts *f)
{
    uint32_t room = f->room > 0 ? f->room * 2 : FIRST;
    struct slot *slots = realloc(f->slots, room * sizeof *slots);
    uint32_t *heads;

    if (!slots)
        return false;
    f->slots = slots;
    heads = realloc(f->heads, room * sizeof *heads);
    if (!heads)
        return false;
    f->heads = heads;
    f->room = room;
    memset(heads, 0xff, room * sizeof *heads);
    for (uint32_t i = 0; i < f->used; i++) { /* none is free: that is why it grows */
        uint32_t *head = head_of(f, slots[i].key);
        slots[i].chain = *head;
        *head = i;
    }
    return true;
}

static uint32_t take_slot(struct facts *f)
{
    uint32_t i = f->free;

    if (i != NONE) {
        f->free = f->slots[i].chain;
        return i;
    }
    if (f->used == f->room && !grow(f))
        return NONE;
    return f->used++;
}

static struct bytes put(uint8_t **to, struct bytes text)
{
    struct bytes at = bytes_of(*to, text.len);

    if (text.len > 0)
        memcpy(*to, text.at, text.len);
    *to += text.len;
    return at;
}

static uint8_t *copy_texts(struct fact *f)
{
    uint8_t *block = malloc(f->place.len + f->name.len + f->item.len + f->user.len + 1),
            *to = block;

    if (!block)
        return NULL;
    f->place = put(&to, f->place);
    f->name = put(&to, f->name);
    f->item = put(&to, f->item);
    f->user = put(&to, f->user);
    return block;
}

static bool too_long(const struct fact *f)
{
    return f->place.len > FACT_TEXT_MAX || f->name.len > FACT_TEXT_MAX ||
           f->item.len > FACT_TEXT_MAX || f->user.len > FACT_TEXT_MAX;
}

static bool add(struct facts *f, const struct fact *seen, uint64_t key, uint64_t source)
{
    uint32_t list = (uint32_t)seen->kind * SOURCES + (uint32_t)((source ^ source >> 32) % SOURCES);
    struct fact fact = *seen;
    uint8_t *block;
    uint32_t i;

    if (f->sources[list].n >= f->share)
        forget(f, f->sources[list].oldest);
    else if (f->kinds[seen->kind].n >= f->max)
        forget(f, f->kinds[seen->kind].oldest);
    block = copy_texts(&fact);
    i = block ? take_slot(f) : NONE;
    if (i == NONE) {
        free(block);
        return false;
    }
    fact.count = 0;
    f->slots[i] = (struct slot){.fact = fact, .key = key, .block = block, .source = list};
    f->slots[i].chain = *head_of(f, key);
    *head_of(f, key) = i;
    append(f, OF_KIND, i);
    append(f, OF_SOURCE, i);
    f->n++;
    return true;
}

static bool same_text(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static bool same(const struct fact *a, const struct fact *b)
{
    return a->kind == b->kind && a->network == b->network && a->server.port == b->server.port &&
           endpoint_same_host(&a->server, &b->server) && endpoint_same_host(&a->who, &b->who) &&
           same_text(a->place, b->place) && same_text(a->name, b->name) &&
           same_text(a->item, b->item) && same_text(a->user, b->user);
}

static uint32_t find(struct facts *f, const struct fact *seen, uint64_t key)
{
    uint32_t i = f->room > 0 ? *head_of(f, key) : NONE;

    while (i != NONE && !(f->slots[i].key == key && same(&f->slots[i].fact, seen)))
        i = f->slots[i].chain;
    return i;
}

static void renew(struct facts *f, uint32_t i)
{
    for (int which = 0; which < LISTS; which++) {
        if (f->slots[i].in[which].newer == NONE)
            continue;
        detach(f, which, i);
        append(f, which, i);
    }
}

void facts_note(struct facts *f, const struct fact *seen, uint64_t source, int64_t now)
{
    uint64_t key = key_of(seen);
    uint32_t i = find(f, seen, key);
    struct fact *at;

    if (i == NONE) {
        if (too_long(seen) || !add(f, seen, key, source)) {
            f->lost++;
            return;
        }
        i = *head_of(f, key);
        f->slots[i].fact.first_ns = now;
    }
    renew(f, i);
    at = &f->slots[i].fact;
    at->last_ns = now;
    at->count++;
    at->coverage |= seen->coverage;
}

size_t facts_count(const struct facts *f)
{
    return f->n;
}

uint64_t facts_evicted(const struct facts *f)
{
    return f->evicted;
}

uint64_t facts_lost(const struct facts *f)
{
    return f->lost;
}

static int order_text(struct bytes a, struct bytes b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n > 0 ? memcmp(a.at, b.at, n) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int order_host(const struct endpoint *a, const struct endpoint *b)
{
    int order = (a->family > b->family) - (a->family < b->family);

    if (order == 0)
        order = memcmp(a->ip, b->ip, sizeof a->ip);
    return order != 0 ? order : (a->port > b->port) - (a->port < b->port);
}

int facts_order(const struct fact *a, const struct fact *b)
{
    int is = (a->kind > b->kind) - (a->kind < b->kind);

    if (is == 0)
        is = order_host(&a->server, &b->server);
    if (is == 0)
        is = (a->network > b->network) - (a->network < b->network);
    if (is == 0)
        is = order_text(a->place, b->place);
    if (is == 0)
        is = order_text(a->name, b->name);
    if (is == 0)
        is = order_host(&a->who, &b->who);
    if (is == 0)
        is = order_text(a->item, b->item);
    return is != 0 ? is : order_text(a->user, b->user);
}

static int order(const void *a, const void *b)
{
    return facts_order(a, b);
}

struct fact *facts_sorted(const struct facts *f, size_t *n)
{
    struct fact *all = f->n > 0 ? malloc(f->n * sizeof *all) : NULL;

    *n = 0;
    for (uint32_t i = 0; all && i < f->used; i++)
        if (f->slots[i].block)
            all[(*n)++] = f->slots[i].fact;
    if (all)
        qsort(all, *n, sizeof *all, order);
    return all;
}
