/* signatures/learn_atoms.c - see learn_atoms.h.
 *
 * A name whose shape names its owner (web-*) joins all others of that shape. A generic shape
 * (ip-*) is shared by machines of all kinds: there only those are one that have a task or a queue
 * in common. */
#include "signatures/learn_atoms.h"

#include <stdlib.h>

#include "base/hash.h"
#include "signatures/glob.h"
#include "signatures/learn_lists.h"
#include "signatures/learn_shape.h"

#define NONE UINT32_MAX

static void free_atom(struct atom *a)
{
    free(a->name);
    free(a->addresses.at);
    texts_free(&a->items);
    texts_free(&a->users);
    *a = (struct atom){0};
}

void atoms_free(struct atoms *a)
{
    for (size_t i = 0; i < a->n; i++)
        free_atom(&a->at[i]);
    free(a->at);
    free(a->heads);
    free(a->next);
    a->at = NULL;
    a->heads = a->next = NULL;
    a->n = a->room = 0;
}

static size_t hash_of(const struct atoms *a, const char *name)
{
    return hash_bytes(bytes_of(name, strlen(name)), 0) & (a->room - 1);
}

static bool grow(struct atoms *a)
{
    size_t room = a->room > 0 ? a->room * 2 : 64;
    struct atom *at = realloc(a->at, room * sizeof *at);
    uint32_t *heads, *next;

    if (!at)
        return false;
    a->at = at;
    next = realloc(a->next, room * sizeof *next);
    if (!next)
        return false;
    a->next = next;
    heads = realloc(a->heads, room * sizeof *heads);
    if (!heads)
        return false;
    a->heads = heads;
    a->room = room;
    memset(heads, 0xff, room * sizeof *heads);
    for (size_t i = 0; i < a->n; i++) {
        size_t h = hash_of(a, at[i].name);
        next[i] = heads[h];
        heads[h] = (uint32_t)i;
    }
    return true;
}

struct atom *atoms_add(struct atoms *a, const char *name, bool glob)
{
    struct atom *at;
    size_t h;

    if (a->n >= NONE - 1 || (a->n == a->room && !grow(a)))
        return NULL;
    at = &a->at[a->n];
    *at = (struct atom){.name = strdup(name), .glob = glob};
    if (!at->name)
        return NULL;
    h = hash_of(a, name);
    a->next[a->n] = a->heads[h];
    a->heads[h] = (uint32_t)a->n++;
    return at;
}

static struct atom *find_name(struct atoms *a, const char *name, bool glob)
{
    uint32_t i = a->room > 0 ? a->heads[hash_of(a, name)] : NONE;

    while (i != NONE && (a->at[i].glob != glob || strcmp(a->at[i].name, name) != 0))
        i = a->next[i];
    return i != NONE ? &a->at[i] : NULL;
}

/* How much of a name a glob says; more if it lists the item too. */
static size_t worth(const struct atom *a, const char *item)
{
    size_t n = 1;

    for (const char *p = a->name; *p; p++)
        n += !strchr("*?[]", *p);
    return 2 * n + (a->any_item || texts_have(&a->items, item));
}

static struct atom *find_glob(struct atoms *a, const char *name, const char *item)
{
    struct atom *best = NULL;
    size_t most = 0;

    for (size_t i = 0; i < a->globs; i++) {
        struct atom *at = &a->at[i];

        if (at->glob && worth(at, item) > most &&
            glob_match(at->name, bytes_of(name, strlen(name)))) {
            most = worth(at, item);
            best = at;
        }
    }
    return best;
}

struct atom *atoms_for(struct atoms *a, const char *name, const char *item)
{
    struct atom *at = find_name(a, name, false);

    if (!at)
        at = find_glob(a, name, item);
    return at ? at : atoms_add(a, name, false);
}

struct atom *atoms_glob(struct atoms *a, const char *glob)
{
    struct atom *at = find_name(a, glob, true);

    return at ? at : atoms_add(a, glob, true);
}

/* --- joining -------------------------------------------------------------------- */

static bool add_all(struct text_list *to, struct text_list *from)
{
    char **more = realloc(to->at, (to->n + from->n) * sizeof *more + 1);

    if (!more)
        return false;
    to->at = more;
    if (from->n > 0)
        memcpy(to->at + to->n, from->at, from->n * sizeof *more);
    to->n += from->n;
    from->n = 0;
    return true;
}

/* All that is known of `from` is known of `to`; `from` is empty then. That nothing is known of one
 * name's addresses or queues does not open those of all. */
static bool join(struct atom *to, struct atom *from)
{
    size_t n = to->addresses.n + from->addresses.n;
    struct network *more = realloc(to->addresses.at, n * sizeof *more + 1);

    if (!more)
        return false;
    to->addresses.at = more;
    if (from->addresses.n > 0)
        memcpy(more + to->addresses.n, from->addresses.at, from->addresses.n * sizeof *more);
    to->addresses.n = n;
    to->any_user |= from->any_user;
    return add_all(&to->items, &from->items) && add_all(&to->users, &from->users);
}

/* --- names of one shape ---------------------------------------------------------- */

struct member {
    char *glob; /* its shape; NULL: none */
    size_t atom, group;
    bool generic;
};

struct members {
    struct atoms *atoms;
    struct member *at;
    size_t n;
};

static bool add_member(struct members *m, size_t atom)
{
    struct atom *a = &m->atoms->at[atom];
    char glob[SHAPE_ROOM];
    enum shape is = learn_shape(bytes_of(a->name, strlen(a->name)), glob);
    char *copy;

    if (is == SHAPE_NONE)
        return true;
    copy = is == SHAPE_BARE ? NULL : strdup(glob);
    if (is != SHAPE_BARE && !copy)
        return false;
    if (is == SHAPE_BARE) {
        m->atoms->bare++;
        return true;
    }
    m->at[m->n] = (struct member){copy, atom, m->n, is == SHAPE_GENERIC};
    m->n++;
    return true;
}

static int by_glob(const void *x, const void *y)
{
    const struct member *a = x, *b = y;
    int order = strcmp(a->glob, b->glob);

    return order != 0 ? order : (a->atom > b->atom) - (a->atom < b->atom);
}

static bool share_item(const struct atom *a, const struct atom *b)
{
    if (a->any_item || b->any_item || a->items.n == 0 || b->items.n == 0)
        return true;
    for (size_t i = 0; i < a->items.n; i++)
        if (texts_have(&b->items, a->items.at[i]))
            return true;
    return false;
}

/* The first of the group that it belongs to. */
static size_t root_of(struct member *run, size_t i)
{
    while (run[i].group != i)
        i = run[i].group = run[run[i].group].group;
    return i;
}

struct owner {
    const char *item;
    size_t member;
};

static int by_item(const void *x, const void *y)
{
    const struct owner *a = x, *b = y;
    int order = strcmp(a->item, b->item);

    return order != 0 ? order : (a->member > b->member) - (a->member < b->member);
}

static void unite(struct member *run, size_t a, size_t b)
{
    a = root_of(run, a);
    b = root_of(run, b);
    if (a < b)
        run[b].group = a;
    else
        run[a].group = b;
}

/* Members of a generic shape that have an item in common are one group. */
static bool group_by_items(const struct atoms *atoms, struct member *run, size_t n)
{
    size_t all = 0, k = 0;
    struct owner *owners;

    for (size_t i = 0; i < n; i++)
        all += atoms->at[run[i].atom].items.n;
    owners = malloc(all * sizeof *owners + 1);
    if (!owners)
        return false;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < atoms->at[run[i].atom].items.n; j++)
            owners[k++] = (struct owner){atoms->at[run[i].atom].items.at[j], i};
    qsort(owners, all, sizeof *owners, by_item);
    for (size_t i = 1; i < all; i++)
        if (strcmp(owners[i].item, owners[i - 1].item) == 0)
            unite(run, owners[i].member, owners[i - 1].member);
    free(owners);
    return true;
}

static struct atom *glob_that_fits(struct atoms *atoms, const struct member *m)
{
    for (size_t i = 0; i < atoms->n; i++) {
        struct atom *a = &atoms->at[i];

        if (a->glob && strcmp(a->name, m->glob) == 0 &&
            (!m->generic || share_item(a, &atoms->at[m->atom])))
            return a;
    }
    return NULL;
}

/* Is empty from now on, and goes with drop_gone(). */
static void leave(struct atom *a)
{
    a->name[0] = '\0';
    a->glob = true;
}

static bool become(struct atom *a, const char *glob)
{
    free(a->name);
    a->name = strdup(glob);
    a->glob = true;
    a->any_address = a->any_item = false;
    return a->name != NULL;
}

/* The members of one group become a glob, if they are many; or join one that is there. */
static bool settle(struct atoms *atoms, const struct member *group, size_t n,
                   const struct learn_conf *conf)
{
    struct atom *to = NULL;

    for (size_t i = 0; i < n && !to && (i == 0 || group->generic); i++)
        to = glob_that_fits(atoms, &group[i]);
    if (!to && n <= conf->glob_after)
        return true;
    for (size_t i = 0; i < n; i++) {
        struct atom *from = &atoms->at[group[i].atom];

        if (!to && !become(to = from, group->glob))
            return false;
        if (to == from)
            continue;
        if (!join(to, from))
            return false;
        leave(from);
    }
    return true;
}

static int by_group(const void *x, const void *y)
{
    const struct member *a = x, *b = y;
    int order = (a->group > b->group) - (a->group < b->group);

    return order != 0 ? order : (a->atom > b->atom) - (a->atom < b->atom);
}

static bool settle_run(struct atoms *atoms, struct member *run, size_t n,
                       const struct learn_conf *conf)
{
    bool good = true;

    for (size_t i = 0; i < n; i++)
        run[i].group = run[0].generic ? i : 0;
    if (run[0].generic && !group_by_items(atoms, run, n))
        return false;
    for (size_t i = 0; i < n; i++)
        run[i].group = root_of(run, i);
    qsort(run, n, sizeof *run, by_group);
    for (size_t i = 0, end = 0; good && i < n; i = end) {
        for (end = i; end < n && run[end].group == run[i].group; end++)
            ;
        good = settle(atoms, run + i, end - i, conf);
    }
    return good;
}

/* An empty glob would match nothing but an empty name: no entry is one. */
static void drop_gone(struct atoms *a)
{
    size_t kept = 0;

    for (size_t i = 0; i < a->n; i++) {
        if (a->at[i].glob && a->at[i].name[0] == '\0')
            free_atom(&a->at[i]);
        else
            a->at[kept++] = a->at[i];
    }
    a->n = kept;
}

bool atoms_generalise(struct atoms *a, const struct learn_conf *conf)
{
    struct members m = {.atoms = a, .at = malloc(a->n * sizeof *m.at + 1)};
    bool good = m.at != NULL;

    for (size_t i = 0; good && i < a->n; i++)
        if (!a->at[i].glob && a->at[i].name[0])
            good = add_member(&m, i);
    if (good && m.n > 0)
        qsort(m.at, m.n, sizeof *m.at, by_glob);
    for (size_t i = 0, end = 0; good && i < m.n; i = end) {
        for (end = i; end < m.n && strcmp(m.at[i].glob, m.at[end].glob) == 0; end++)
            ;
        good = settle_run(a, m.at + i, end - i, conf);
    }
    drop_gone(a);
    for (size_t i = 0; i < m.n; i++)
        free(m.at[i].glob);
    free(m.at);
    return good;
}
