/* signatures/baseline_ask.c - see baseline.h: the questions. */
#include "signatures/baseline.h"
#include "signatures/baseline_index.h"

#define MODULE_MAX 1024u /* longer names are no modules */

bool baseline_judges(const struct baseline *b, enum baseline_section s)
{
    return b && b->sections[s].present;
}

static bool at_address(const struct baseline_entry *e, const struct endpoint *who)
{
    if (!e->has_addresses || !who)
        return true;
    for (size_t i = 0; i < e->addresses.n; i++)
        if (network_has(&e->addresses.at[i], who))
            return true;
    return false;
}

static bool has_text(const struct baseline_entry *e, struct bytes text)
{
    for (size_t i = 0; i < e->list.n; i++)
        if (glob_match(e->list.at[i], text))
            return true;
    return !e->has_list;
}

/* What is not known matches any. */
static bool in_list(const struct baseline_entry *e, struct bytes text)
{
    return text.len == 0 || has_text(e, text);
}

static bool of_user(const struct baseline_entry *e, struct bytes user)
{
    return !e->user || user.len == 0 || glob_match(e->user, user);
}

bool baseline_lists(const struct baseline *b, enum baseline_section s, const struct endpoint *who)
{
    for (size_t i = 0; baseline_judges(b, s) && i < b->sections[s].n; i++)
        if (at_address(&b->sections[s].at[i], who))
            return true;
    return false;
}

bool baseline_controls(const struct baseline *b, const struct endpoint *who, struct bytes command)
{
    const struct baseline_part *p = b ? &b->sections[BASELINE_CONTROLLERS] : NULL;

    for (size_t i = 0; p && i < p->n; i++)
        if (at_address(&p->at[i], who) && has_text(&p->at[i], command))
            return true;
    return false;
}

enum baseline_origin baseline_origin(const struct baseline *b, struct bytes host,
                                     const struct endpoint *who, struct bytes user)
{
    enum baseline_origin best = ORIGIN_UNKNOWN;
    static const enum baseline_section in[] = {BASELINE_PRODUCERS, BASELINE_WORKERS};

    for (unsigned i = 0; b && i < 2; i++) {
        struct search q = baseline_search(b, in[i], host);
        const struct baseline_entry *e;

        while ((e = baseline_found(&q)) != NULL) {
            enum baseline_origin is = !at_address(e, who) ? ORIGIN_ELSEWHERE
                                      : of_user(e, user)  ? ORIGIN_KNOWN
                                                          : ORIGIN_OTHER_USER;
            if (is == ORIGIN_KNOWN)
                return is;
            if (is < best)
                best = is;
        }
    }
    return b ? best : ORIGIN_KNOWN;
}

bool baseline_producer_task(const struct baseline *b, struct bytes host, const struct endpoint *who,
                            struct bytes task)
{
    const struct baseline_entry *e;
    bool limited = false;
    struct search q;

    if (!b)
        return true;
    q = baseline_search(b, BASELINE_PRODUCERS, host);
    while ((e = baseline_found(&q)) != NULL) {
        if (!at_address(e, who))
            continue;
        if (in_list(e, task))
            return true;
        limited = true;
    }
    return !limited;
}

bool baseline_is_celerys(struct bytes task)
{
    static const char *const own[] = {"accumulate",   "backend_cleanup", "chain", "chord",
                                      "chord_unlock", "chunks",          "group", "map",
                                      "starmap"};
    static const char prefix[] = "celery.";
    const size_t n = sizeof prefix - 1;

    if (task.len <= n || memcmp(task.at, prefix, n) != 0)
        return false;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (bytes_eq(bytes_of(task.at + n, task.len - n), own[i]))
            return true;
    return false;
}

bool baseline_task(const struct baseline *b, struct bytes task)
{
    struct search q;

    if (!baseline_judges(b, BASELINE_TASKS) || baseline_is_celerys(task))
        return true;
    q = baseline_search(b, BASELINE_TASKS, task);
    return baseline_found(&q) != NULL;
}

bool baseline_worker(const struct baseline *b, struct bytes node, const struct endpoint *who,
                     struct bytes queue, struct bytes user)
{
    const struct baseline_part *p = b ? &b->sections[BASELINE_WORKERS] : NULL;

    for (size_t i = 0; p && i < p->n; i++) {
        const struct baseline_entry *e = &p->at[i];

        if (at_address(e, who) && in_list(e, queue) && of_user(e, user) &&
            (node.len == 0 || glob_match(e->name, node)))
            return true;
    }
    return false;
}

bool baseline_queue(const struct baseline *b, struct bytes queue)
{
    const struct baseline_part *p = b ? &b->sections[BASELINE_WORKERS] : NULL;

    for (size_t i = 0; p && i < p->n; i++)
        for (size_t k = 0; k < p->at[i].list.n; k++)
            if (bytes_eq(queue, p->at[i].list.at[k]))
                return true;
    return false;
}

/* shop.* covers shop as well, as policy.pickle.allow_imports has it. */
static bool all_of_package(const struct baseline_entry *e, struct bytes module)
{
    for (size_t i = 0; i < e->list.n; i++) {
        size_t n = strlen(e->list.at[i]);

        if (n > 2 && strcmp(e->list.at[i] + n - 2, ".*") == 0 && module.len == n - 2 &&
            memcmp(e->list.at[i], module.at, n - 2) == 0)
            return true;
    }
    return false;
}

/* The module, or a package that it is in. */
static bool covers(const struct baseline_entry *e, struct bytes module)
{
    if (!e->has_list || all_of_package(e, module))
        return true;
    if (module.len > MODULE_MAX)
        return false;
    for (size_t n = module.len; n > 0; n--) {
        if (n < module.len && module.at[n] != '.')
            continue;
        if (in_list(e, bytes_head(module, n)))
            return true;
    }
    return false;
}

enum baseline_import baseline_import(const struct baseline *b, struct bytes queue,
                                     struct bytes module)
{
    const struct baseline_part *p = b ? &b->sections[BASELINE_IMPORTS] : NULL;
    enum baseline_import is = IMPORT_UNLISTED;

    if (!baseline_judges(b, BASELINE_IMPORTS))
        return IMPORT_KNOWN;
    for (size_t i = 0; i < p->n; i++) {
        if (queue.len > 0 && !glob_match(p->at[i].name, queue))
            continue;
        if (covers(&p->at[i], module))
            return IMPORT_KNOWN;
        if (queue.len > 0)
            is = IMPORT_UNLEARNT;
    }
    return is;
}
