/* signatures/learn_result.c - what a learner makes of it in the end. */
#include <stdlib.h>

#include "signatures/learn_parts.h"

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
        if (!networks_copy(&e->addresses, &a->addresses))
            return false;
        e->has_addresses = true;
    }
    if (atoms->section == BASELINE_WORKERS)
        texts_by_shape(&a->items, l->conf.glob_after);
    else
        texts_by_module(&a->items, l->conf.glob_after);
    /* Of a producer none but Celery's own, which are not listed; of a worker none was seen. */
    e->has_list = !a->any_item && (a->items.n > 0 || atoms->section == BASELINE_PRODUCERS);
    return (!e->has_list || texts_copy(&e->list, &a->items)) && put_user(e, a, l->conf.glob_after);
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

/* Of the workers that are in the result already, one allows it. */
static bool is_covered(const struct learner *l, const struct silent *s)
{
    char queue[SHAPE_ROOM], user[SHAPE_ROOM] = "";

    if (strlen(s->queue) >= sizeof queue || (s->user && strlen(s->user) >= sizeof user))
        return false;
    memcpy(queue, s->queue, strlen(s->queue) + 1);
    if (s->user)
        memcpy(user, s->user, strlen(s->user) + 1);
    return learn_unescape(queue) && learn_unescape(user) &&
           baseline_worker(&l->after, bytes_of("", 0), &s->who, bytes_of(queue, strlen(queue)),
                           bytes_of(user, strlen(user)));
}

/* A queue that is made at each start stands for all such. */
static bool put_queue(struct text_list *to, const char *queue)
{
    char name[SHAPE_ROOM], glob[SHAPE_ROOM];

    if (strlen(queue) >= sizeof name)
        return texts_add(to, queue);
    memcpy(name, queue, strlen(queue) + 1);
    if (!learn_unescape(name))
        return texts_add(to, queue);
    learn_queue(bytes_of(name, strlen(name)), glob);
    return texts_add(to, glob);
}

/* One entry for all that never said a name: nothing of it is there when all are covered now. */
static bool put_silent(struct learner *l)
{
    char name[] = LEARN_NO_NODE;
    struct atoms one = {.section = BASELINE_WORKERS};
    struct atom *a = &l->quiet;
    bool good = true;

    if (a->addresses.n == 0) { /* its lists are those of facts that follow */
        texts_free(&a->items);
        texts_free(&a->users);
    }
    for (size_t i = 0; good && i < l->n_silent; i++) {
        struct silent *s = &l->silent[i];
        struct network n = network_of(&s->who);

        if (is_covered(l, s))
            continue;
        good = networks_copy(&a->addresses, &(struct network_list){&n, 1}) &&
               put_queue(&a->items, s->queue) && (!s->user || texts_add(&a->users, s->user));
    }
    a->name = name;
    if (good && a->addresses.n > 0)
        good = put_atom(l, &one, a);
    a->name = NULL;
    return good;
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

    if (!e || !networks_copy(&e->addresses, &from->addresses) || !texts_copy(&e->list, &from->list))
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
        good = networks_copy(&all, &p->at[i].addresses);
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

    for (unsigned i = 0; i < LEARN_NAMED; i++)
        if (!put_named(l, &l->atoms[i]))
            return false;
    for (size_t i = 0; i < controllers->n; i++)
        if (!put_entry(l, BASELINE_CONTROLLERS, &controllers->at[i]))
            return false;
    return put_silent(l) && put_tasks(l) && put_addresses(l, BASELINE_RELAYS) &&
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
