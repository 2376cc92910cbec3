/* signatures/learn.c - see learn.h. */
#include "signatures/learn.h"

#include <stdlib.h>

#include "signatures/learn_parts.h"

static const enum baseline_section named[LEARN_NAMED] = {BASELINE_PRODUCERS, BASELINE_WORKERS,
                                                         BASELINE_IMPORTS};

/* --- what was there before ------------------------------------------------------ */

static bool add_silent(struct learner *l, const struct endpoint *who, const char *user,
                       const char *queue)
{
    struct silent *more = realloc(l->silent, (l->n_silent + 1) * sizeof *more);

    if (!more)
        return false;
    l->silent = more;
    more[l->n_silent] = (struct silent){*who, user ? strdup(user) : NULL, strdup(queue)};
    return more[l->n_silent++].queue != NULL;
}

/* What we have written of workers without a name: addresses and queues. */
static bool is_silent(enum baseline_section s, const struct baseline_entry *e)
{
    return s == BASELINE_WORKERS && strcmp(e->name, LEARN_NO_NODE) == 0 && e->has_addresses &&
           e->has_list;
}

/* Addresses are facts again, networks stay what they are. */
static bool take_silent(struct learner *l, const struct baseline_entry *e)
{
    bool good =
        texts_copy(&l->quiet.items, &e->list) && (!e->user || texts_add(&l->quiet.users, e->user));

    l->quiet.any_user |= !e->user;
    for (size_t i = 0; good && i < e->addresses.n; i++) {
        struct network *n = &e->addresses.at[i];
        struct endpoint who = {.family = n->family};

        memcpy(who.ip, n->ip, sizeof who.ip);
        if (n->prefix < (n->family == 4 ? 32u : 128u))
            good = networks_copy(&l->quiet.addresses, &(struct network_list){n, 1});
        for (size_t k = 0; good && network_of(&who).prefix == n->prefix && k < e->list.n; k++)
            good = add_silent(l, &who, e->user, e->list.at[k]);
    }
    return good;
}

static bool take_entry(struct atoms *a, const struct baseline_entry *e)
{
    char *name = strdup(e->name);
    bool literal = name && strlen(name) <= LEARN_TEXT_MAX && learn_unescape(name);
    struct atom *at = name ? atoms_add(a, literal ? name : e->name, !literal) : NULL;

    free(name);
    if (!at)
        return false;
    at->any_address |= !e->has_addresses;
    at->any_item |= !e->has_list;
    at->any_user |= !e->user;
    a->globs = a->n;
    return networks_copy(&at->addresses, &e->addresses) && texts_copy(&at->items, &e->list) &&
           (!e->user || texts_add(&at->users, e->user));
}

static bool take_before(struct learner *l)
{
    const struct baseline_part *tasks = &l->before.sections[BASELINE_TASKS];

    for (unsigned i = 0; i < LEARN_NAMED; i++) {
        const struct baseline_part *p = &l->before.sections[named[i]];

        l->atoms[i].section = named[i];
        for (size_t k = 0; k < p->n; k++)
            if (!(is_silent(named[i], &p->at[k]) ? take_silent(l, &p->at[k])
                                                 : take_entry(&l->atoms[i], &p->at[k])))
                return false;
    }
    for (size_t i = 0; i < tasks->n; i++)
        if (!texts_add(&l->tasks, tasks->at[i].name))
            return false;
    return true;
}

struct learner *learner_new(const struct learn_conf *conf, struct baseline *existing,
                            const struct baseline *known)
{
    struct learner *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    l->conf = *conf;
    l->known = known;
    l->before = *existing;
    *existing = (struct baseline){0};
    baseline_index(&l->before);
    if (take_before(l))
        return l;
    learner_free(l);
    return NULL;
}

void learner_free(struct learner *l)
{
    if (!l)
        return;
    for (unsigned i = 0; i < LEARN_NAMED; i++)
        atoms_free(&l->atoms[i]);
    for (size_t i = 0; i < l->n_silent; i++) {
        free(l->silent[i].user);
        free(l->silent[i].queue);
    }
    free(l->silent);
    free(l->quiet.addresses.at);
    texts_free(&l->quiet.items);
    texts_free(&l->quiet.users);
    texts_free(&l->tasks);
    baseline_clear(&l->before);
    baseline_clear(&l->after);
    free(l);
}

/* --- facts ---------------------------------------------------------------------- */

static bool readable(struct learner *l, struct bytes a, struct bytes b, struct bytes c)
{
    if (text_is_printable(a) && text_is_printable(b) && text_is_printable(c))
        return true;
    l->odd++;
    return false;
}

static void add_glob(struct learner *l, struct text_list *to, const char *glob)
{
    if (glob[0] && !texts_have(to, glob))
        l->bad |= !texts_add(to, glob);
}

static void add_text(struct learner *l, struct text_list *to, struct bytes text)
{
    char glob[SHAPE_ROOM];

    learn_escape(text, glob);
    add_glob(l, to, glob);
}

static void add_address(struct learner *l, struct network_list *to, const struct endpoint *who)
{
    struct network one = network_of(who);

    for (size_t i = 0; i < to->n; i++)
        if (network_has(&to->at[i], who))
            return;
    l->bad |= !networks_copy(to, &(struct network_list){&one, 1});
}

/* Of a name; of an import's queue that is made at each start, all such. */
static struct atom *atom_of(struct atoms *atoms, struct bytes name, const char *item)
{
    char raw[LEARN_TEXT_MAX + 1], queue[SHAPE_ROOM], plain[SHAPE_ROOM];

    learn_queue(name, queue);
    learn_escape(name, plain);
    if (atoms->section == BASELINE_IMPORTS && strcmp(queue, plain) != 0)
        return atoms_glob(atoms, queue);
    memcpy(raw, name.len > 0 ? name.at : (const uint8_t *)"", name.len);
    raw[name.len] = '\0';
    return atoms_for(atoms, raw, item);
}

static void add_named(struct learner *l, unsigned which, struct bytes name,
                      const struct endpoint *who, struct bytes user, struct bytes item)
{
    char glob[SHAPE_ROOM];
    struct atom *a;

    if (which == LEARN_WORKERS)
        learn_queue(item, glob);
    else
        learn_escape(item, glob);
    a = atom_of(&l->atoms[which], name, glob);
    if (!a) {
        l->bad = true;
        return;
    }
    if (who && !a->any_address)
        add_address(l, &a->addresses, who);
    if (!a->any_item)
        add_glob(l, &a->items, glob);
    if (!a->any_user)
        add_text(l, &a->users, user);
}

static bool covers_producer(const struct baseline *b, struct bytes host, const struct endpoint *who,
                            struct bytes user, struct bytes task)
{
    return baseline_judges(b, BASELINE_PRODUCERS) &&
           baseline_origin(b, host, who, user) == ORIGIN_KNOWN &&
           (baseline_is_celerys(task) || baseline_producer_task(b, host, who, task));
}

void learner_producer(struct learner *l, struct bytes host, const struct endpoint *who,
                      struct bytes user, struct bytes task)
{
    if (!readable(l, host, user, task) || covers_producer(l->known, host, who, user, task) ||
        covers_producer(&l->before, host, who, user, task))
        return;
    add_named(l, LEARN_PRODUCERS, host, who, user,
              baseline_is_celerys(task) ? bytes_of("", 0) : task);
}

static void silent_worker(struct learner *l, const struct endpoint *who, struct bytes user,
                          struct bytes queue)
{
    char users[SHAPE_ROOM], queues[SHAPE_ROOM];

    learn_escape(user, users);
    learn_escape(queue, queues);
    l->bad |= !add_silent(l, who, user.len > 0 ? users : NULL, queues);
}

void learner_worker(struct learner *l, struct bytes node, const struct endpoint *who,
                    struct bytes user, struct bytes queue)
{
    if (!readable(l, node, user, queue) || baseline_worker(l->known, node, who, queue, user) ||
        baseline_worker(&l->before, node, who, queue, user))
        return;
    if (node.len > 0)
        add_named(l, LEARN_WORKERS, node, who, user, queue);
    else
        silent_worker(l, who, user, queue);
}

void learner_task(struct learner *l, struct bytes task)
{
    bool known = baseline_judges(l->known, BASELINE_TASKS) && baseline_task(l->known, task);
    char glob[SHAPE_ROOM];

    if (task.len == 0 || baseline_is_celerys(task) || known ||
        !readable(l, task, bytes_of("", 0), bytes_of("", 0)))
        return;
    if (baseline_judges(&l->before, BASELINE_TASKS) && baseline_task(&l->before, task))
        return;
    learn_escape(task, glob);
    l->bad |= !texts_add(&l->tasks, glob);
}

static bool covers_import(const struct baseline *b, struct bytes queue, struct bytes module)
{
    return baseline_judges(b, BASELINE_IMPORTS) &&
           baseline_import(b, queue, module) == IMPORT_KNOWN;
}

void learner_import(struct learner *l, struct bytes queue, struct bytes module)
{
    if (queue.len == 0)
        queue = bytes_of(LEARN_NO_QUEUE, strlen(LEARN_NO_QUEUE));
    if (module.len == 0 || !readable(l, queue, module, bytes_of("", 0)) ||
        covers_import(l->known, queue, module) || covers_import(&l->before, queue, module))
        return;
    add_named(l, LEARN_IMPORTS, queue, NULL, bytes_of("", 0), module);
}

/* Sections without names: an entry an address. */
static struct baseline_entry *entry_of(struct learner *l, enum baseline_section s,
                                       const struct endpoint *who)
{
    struct baseline_part *p = &l->before.sections[s];
    struct network one = network_of(who);
    struct baseline_entry *e;

    for (size_t i = 0; i < p->n; i++)
        if (p->at[i].addresses.n == 1 && p->at[i].addresses.at[0].prefix == one.prefix &&
            network_has(&p->at[i].addresses.at[0], who))
            return &p->at[i];
    e = baseline_add(&l->before, s, NULL);
    if (!e || !baseline_add_address(e, &one))
        l->bad = true;
    return e;
}

void learner_controller(struct learner *l, const struct endpoint *who, struct bytes command)
{
    struct baseline_entry *e;

    if (!readable(l, command, bytes_of("", 0), bytes_of("", 0)) ||
        baseline_controls(l->known, who, command) || baseline_controls(&l->before, who, command))
        return;
    e = entry_of(l, BASELINE_CONTROLLERS, who);
    if (!e)
        return;
    e->has_list = true;
    add_text(l, &e->list, command);
}

void learner_address(struct learner *l, enum baseline_section s, const struct endpoint *who)
{
    if (!baseline_lists(l->known, s, who) && !baseline_lists(&l->before, s, who))
        entry_of(l, s, who);
}

size_t learner_odd(const struct learner *l)
{
    return l->odd;
}

size_t learner_bare(const struct learner *l)
{
    size_t bare = 0;

    for (unsigned i = 0; i < LEARN_NAMED; i++)
        bare += l->atoms[i].bare;
    return bare;
}
