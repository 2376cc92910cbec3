/* signatures/learn.c - see learn.h. */
#include "signatures/learn.h"

#include <stdlib.h>

#include "signatures/glob.h"
#include "signatures/learn_atoms.h"
#include "signatures/learn_lists.h"
#include "signatures/learn_shape.h"

#define TEXT_MAX 255u

/* Sections whose entries have names that become globs. */
static const enum baseline_section named[] = {BASELINE_PRODUCERS, BASELINE_WORKERS,
                                              BASELINE_IMPORTS};
enum { NAMED = sizeof named / sizeof *named };

struct learner {
    struct learn_conf conf;
    struct baseline before, after; /* what is there, with its index; the result */
    const struct baseline *known;
    struct atoms atoms[NAMED];
    struct text_list tasks; /* globs */
    size_t odd;
    bool bad; /* out of memory */
};

/* --- what was there before ------------------------------------------------------ */

static bool copy_texts(struct text_list *to, const struct text_list *from)
{
    for (size_t i = 0; i < from->n; i++)
        if (!texts_add(to, from->at[i]))
            return false;
    return true;
}

static bool copy_networks(struct network_list *to, const struct network_list *from)
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

static bool take_entry(struct atoms *a, const struct baseline_entry *e)
{
    char *name = strdup(e->name);
    bool literal = name && strlen(name) <= TEXT_MAX && learn_unescape(name);
    struct atom *at = name ? atoms_add(a, literal ? name : e->name, !literal) : NULL;

    free(name);
    if (!at)
        return false;
    at->any_address |= !e->has_addresses;
    at->any_item |= !e->has_list;
    at->any_user |= !e->user;
    a->globs = a->n;
    return copy_networks(&at->addresses, &e->addresses) && copy_texts(&at->items, &e->list) &&
           (!e->user || texts_add(&at->users, e->user));
}

static bool take_before(struct learner *l)
{
    const struct baseline_part *tasks = &l->before.sections[BASELINE_TASKS];

    for (unsigned i = 0; i < NAMED; i++) {
        const struct baseline_part *p = &l->before.sections[named[i]];

        l->atoms[i].section = named[i];
        for (size_t k = 0; k < p->n; k++)
            if (!take_entry(&l->atoms[i], &p->at[k]))
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
    for (unsigned i = 0; i < NAMED; i++)
        atoms_free(&l->atoms[i]);
    texts_free(&l->tasks);
    baseline_clear(&l->before);
    baseline_clear(&l->after);
    free(l);
}

/* --- facts ---------------------------------------------------------------------- */

/* The bytes that a lead byte asks for; 0: it is none. */
static size_t utf8_len(uint8_t c)
{
    return c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
}

/* Neither overlong nor a surrogate, nor what cannot be seen: controls, zero width, bidirectional.
 */
static bool is_shown(struct bytes s, size_t n)
{
    uint8_t a = s.at[0], b = n > 1 ? s.at[1] : 0, c = n > 2 ? s.at[2] : 0;

    if (n == 2)
        return a != 0xc2 || b >= 0xa0;
    if (n == 4)
        return !(a == 0xf0 && b < 0x90) && !(a == 0xf4 && b > 0x8f);
    if (n == 3 && a == 0xe2 && b == 0x80)
        return !(c >= 0x8b && c <= 0x8f) && !(c >= 0xa8 && c <= 0xae);
    if (n == 3 && a == 0xef)
        return !(b == 0xbb && c == 0xbf) && !(b == 0xbf && c >= 0xbe);
    return n < 3 || !((a == 0xe0 && b < 0xa0) || (a == 0xed && b >= 0xa0) ||
                      (a == 0xe2 && b == 0x81 && c >= 0xa0));
}

/* YAML has no place for what is no text, and a person could not review it. */
static bool is_text(struct bytes s)
{
    if (s.len > TEXT_MAX)
        return false;
    while (s.len > 0) {
        size_t n = utf8_len(s.at[0]);

        if (n == 0 || n > s.len || s.at[0] < 0x20 || s.at[0] == 0x7f)
            return false;
        for (size_t i = 1; i < n; i++)
            if ((s.at[i] & 0xc0) != 0x80)
                return false;
        if (!is_shown(s, n))
            return false;
        bytes_cut(&s, n);
    }
    return true;
}

static bool readable(struct learner *l, struct bytes a, struct bytes b, struct bytes c)
{
    if (is_text(a) && is_text(b) && is_text(c))
        return true;
    l->odd++;
    return false;
}

static void add_text(struct learner *l, struct text_list *to, struct bytes text)
{
    char glob[SHAPE_ROOM];

    if (text.len == 0)
        return;
    learn_escape(text, glob);
    if (!texts_have(to, glob))
        l->bad |= !texts_add(to, glob);
}

static struct network network_of(const struct endpoint *e)
{
    struct network n = {.family = e->family, .prefix = e->family == 4 ? 32 : 128};

    memcpy(n.ip, e->ip, sizeof n.ip);
    return n;
}

static void add_address(struct learner *l, struct network_list *to, const struct endpoint *who)
{
    struct network one = network_of(who);

    for (size_t i = 0; i < to->n; i++)
        if (network_has(&to->at[i], who))
            return;
    l->bad |= !copy_networks(to, &(struct network_list){&one, 1});
}

static void add_named(struct learner *l, unsigned which, struct bytes name,
                      const struct endpoint *who, struct bytes user, struct bytes item)
{
    char raw[TEXT_MAX + 1], glob[SHAPE_ROOM];
    struct atom *a;

    memcpy(raw, name.len > 0 ? name.at : (const uint8_t *)"", name.len);
    raw[name.len] = '\0';
    learn_escape(item, glob);
    a = atoms_for(&l->atoms[which], raw, glob);
    if (!a) {
        l->bad = true;
        return;
    }
    if (who && !a->any_address)
        add_address(l, &a->addresses, who);
    if (!a->any_item)
        add_text(l, &a->items, item);
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
    add_named(l, 0, host, who, user, baseline_is_celerys(task) ? bytes_of("", 0) : task);
}

void learner_worker(struct learner *l, struct bytes node, const struct endpoint *who,
                    struct bytes user, struct bytes queue)
{
    if (node.len == 0)
        node = bytes_of(LEARN_NO_NODE, strlen(LEARN_NO_NODE));
    if (!readable(l, node, user, queue) || baseline_worker(l->known, node, who, queue, user) ||
        baseline_worker(&l->before, node, who, queue, user))
        return;
    add_named(l, 1, node, who, user, queue);
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
    add_named(l, 2, queue, NULL, bytes_of("", 0), module);
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

/* --- the result ------------------------------------------------------------------ */

static bool put_user(struct baseline_entry *e, struct atom *a, unsigned glob_after)
{
    texts_by_shape(&a->users, glob_after);
    if (a->any_user || a->users.n != 1)
        return true; /* two users of one client: an entry that allows any */
    e->user = strdup(a->users.at[0]);
    return e->user != NULL;
}

static bool put_atom(struct learner *l, struct atoms *atoms, struct atom *a)
{
    struct baseline_entry *e;
    char name[SHAPE_ROOM];

    if (!a->glob)
        learn_escape(bytes_of(a->name, strlen(a->name)), name);
    e = baseline_add(&l->after, atoms->section, a->glob ? a->name : name);
    if (!e)
        return false;
    if (!a->any_address && a->addresses.n > 0) {
        networks_widen(&a->addresses, &l->conf);
        if (!copy_networks(&e->addresses, &a->addresses))
            return false;
        e->has_addresses = true;
    }
    if (atoms->section == BASELINE_WORKERS)
        texts_by_shape(&a->items, l->conf.glob_after);
    else
        texts_by_module(&a->items, l->conf.glob_after);
    e->has_list = !a->any_item && a->items.n > 0;
    return (!e->has_list || copy_texts(&e->list, &a->items)) && put_user(e, a, l->conf.glob_after);
}

static bool put_named(struct learner *l, struct atoms *atoms)
{
    if (!atoms_generalise(atoms, &l->conf))
        return false;
    for (size_t i = 0; i < atoms->n; i++)
        if (!put_atom(l, atoms, &atoms->at[i]))
            return false;
    return true;
}

static bool put_tasks(struct learner *l)
{
    texts_by_module(&l->tasks, l->conf.glob_after);
    for (size_t i = 0; i < l->tasks.n; i++)
        if (!baseline_add(&l->after, BASELINE_TASKS, l->tasks.at[i]))
            return false;
    return true;
}

static bool put_entry(struct learner *l, enum baseline_section s, const struct baseline_entry *from)
{
    struct baseline_entry *e = baseline_add(&l->after, s, NULL);

    if (!e || !copy_networks(&e->addresses, &from->addresses) || !copy_texts(&e->list, &from->list))
        return false;
    e->has_addresses = from->has_addresses;
    e->has_list = from->has_list;
    texts_tidy(&e->list);
    networks_tidy(&e->addresses);
    return true;
}

/* Addresses of people and programs that read and write schedules: widened as those of one entry. */
static bool put_addresses(struct learner *l, enum baseline_section s)
{
    const struct baseline_part *p = &l->before.sections[s];
    struct network_list all = {0};
    bool good = true;

    for (size_t i = 0; good && i < p->n; i++)
        good = copy_networks(&all, &p->at[i].addresses);
    if (s != BASELINE_RELAYS)
        networks_widen(&all, &l->conf);
    for (size_t i = 0; good && i < all.n; i++) {
        struct baseline_entry one = {.has_addresses = true, .addresses = {&all.at[i], 1}};

        good = put_entry(l, s, &one);
    }
    free(all.at);
    return good;
}

static bool put_all(struct learner *l)
{
    const struct baseline_part *controllers = &l->before.sections[BASELINE_CONTROLLERS];

    for (unsigned i = 0; i < NAMED; i++)
        if (!put_named(l, &l->atoms[i]))
            return false;
    for (size_t i = 0; i < controllers->n; i++)
        if (!put_entry(l, BASELINE_CONTROLLERS, &controllers->at[i]))
            return false;
    return put_tasks(l) && put_addresses(l, BASELINE_RELAYS) &&
           put_addresses(l, BASELINE_MONITORS) && put_addresses(l, BASELINE_SCHEDULERS);
}

static int order_networks(const struct network_list *a, const struct network_list *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        int order = (a->at[i].family > b->at[i].family) - (a->at[i].family < b->at[i].family);

        if (order == 0)
            order = memcmp(a->at[i].ip, b->at[i].ip, sizeof a->at[i].ip);
        if (order == 0)
            order = (a->at[i].prefix > b->at[i].prefix) - (a->at[i].prefix < b->at[i].prefix);
        if (order != 0)
            return order;
    }
    return (a->n > b->n) - (a->n < b->n);
}

static int order_texts(const struct text_list *a, const struct text_list *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        int order = strcmp(a->at[i], b->at[i]);

        if (order != 0)
            return order;
    }
    return (a->n > b->n) - (a->n < b->n);
}

static int order_entries(const void *x, const void *y)
{
    const struct baseline_entry *a = x, *b = y;
    int order = a->name && b->name ? strcmp(a->name, b->name) : 0;

    if (order == 0)
        order = order_networks(&a->addresses, &b->addresses);
    if (order == 0)
        order = order_texts(&a->list, &b->list);
    return order != 0 ? order : strcmp(a->user ? a->user : "", b->user ? b->user : "");
}

static bool may_meet(const struct baseline_entry *a, const struct baseline_entry *b)
{
    if (!a->has_addresses || !b->has_addresses)
        return true;
    for (size_t i = 0; i < a->addresses.n; i++)
        for (size_t k = 0; k < b->addresses.n; k++) {
            const struct network *x = &a->addresses.at[i], *y = &b->addresses.at[k];

            if (network_holds(x, y) || network_holds(y, x))
                return true;
        }
    return false;
}

/* Two entries of one name and address with two users would contradict each other. */
static void settle_users(struct baseline_part *p)
{
    for (size_t i = 0; i < p->n; i++)
        for (size_t k = i; k-- > 0 && strcmp(p->at[k].name, p->at[i].name) == 0;) {
            char **a = &p->at[i].user, **b = &p->at[k].user;

            if (!*a || !*b || strcmp(*a, *b) == 0 || !may_meet(&p->at[i], &p->at[k]))
                continue;
            free(*a);
            free(*b);
            *a = *b = NULL;
        }
}

struct baseline *learner_finish(struct learner *l)
{
    if (l->bad || !put_all(l))
        return NULL;
    for (unsigned s = 0; s < BASELINE_SECTIONS; s++) {
        struct baseline_part *p = &l->after.sections[s];

        p->present =
            p->n > 0 || l->before.sections[s].present || (s != BASELINE_RELAYS && !l->known);
        if (p->n > 1)
            qsort(p->at, p->n, sizeof *p->at, order_entries);
        if (s == BASELINE_PRODUCERS || s == BASELINE_WORKERS)
            settle_users(p);
    }
    return &l->after;
}

size_t learner_odd(const struct learner *l)
{
    return l->odd;
}

size_t learner_bare(const struct learner *l)
{
    size_t bare = 0;

    for (unsigned i = 0; i < NAMED; i++)
        bare += l->atoms[i].bare;
    return bare;
}
