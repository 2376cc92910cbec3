/* run/baseline.c - reads a baseline (detections.md 5) by the table of its sections, and checks it
 * whole: sections, keys, types, addresses, and entries that contradict each other. */
#include "run/baseline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "run/conf_file.h"
#include "run/yaml_file.h"

#define ITEMS_MAX 1000000u /* entries and texts together: aliases multiply */

struct read {
    struct baseline *b;
    enum baseline_section section;
    struct baseline_entry *entry;
    const char *key;                              /* of the list that is being read */
    bool has_first, versioned;                    /* of the entry; of the file */
    const yaml_node_t **nodes[BASELINE_SECTIONS]; /* of each entry, for what comes later */
    size_t items;
};

static bool room(struct read *r, struct yaml_file *f, const yaml_node_t *at)
{
    if (r->items++ < ITEMS_MAX)
        return true;
    if (r->items == ITEMS_MAX + 1)
        yaml_file_fault(f, at, "more than %u entries", ITEMS_MAX);
    return false;
}

static void no_memory(struct yaml_file *f)
{
    log_error("%s: out of memory", f->path);
    f->faults++;
}

static bool same(const char *key, const char *name)
{
    return key && strcmp(key, name) == 0;
}

/* --- one entry --------------------------------------------------------------- */

static void read_address(void *ctx, struct yaml_file *f, yaml_node_t *key, yaml_node_t *value)
{
    struct read *r = ctx;
    struct network n;

    (void)key;
    if (!room(r, f, value))
        return;
    if (!yaml_is_text(value))
        yaml_file_fault(f, value, "%s: expected a list of texts", r->key);
    else if (!network_parse(yaml_text(value), &n))
        yaml_file_fault(f, value,
                        "%s: expected an address, or a network with nothing behind its prefix, "
                        "not '%.60s'",
                        r->key, yaml_text(value));
    else if (!baseline_add_address(r->entry, &n))
        no_memory(f);
}

static void read_text(void *ctx, struct yaml_file *f, yaml_node_t *key, yaml_node_t *value)
{
    struct read *r = ctx;

    (void)key;
    if (!room(r, f, value))
        return;
    if (!yaml_is_text(value))
        yaml_file_fault(f, value, "%s: expected a list of texts", r->key);
    else if (*yaml_text(value) == '\0')
        yaml_file_fault(f, value, "%s: an empty text matches nothing", r->key);
    else if (!baseline_add_text(r->entry, yaml_text(value)))
        no_memory(f);
}

static void read_list(struct read *r, struct yaml_file *f, const char *key, yaml_node_t *value,
                      yaml_each_fn *item)
{
    r->key = key;
    if (value->type != YAML_SEQUENCE_NODE)
        yaml_file_fault(f, value, "%s: expected a list", key);
    else
        yaml_each(f, value, item, r);
}

/* Only a producer may have no origin. */
static void read_one(struct read *r, struct yaml_file *f, const char *key, yaml_node_t *value,
                     char **to)
{
    if (!yaml_is_text(value))
        yaml_file_fault(f, value, "%s: expected a text", key);
    else if (*yaml_text(value) == '\0' &&
             (r->section != BASELINE_PRODUCERS || to == &r->entry->user))
        yaml_file_fault(f, value, "%s: an empty text matches nothing", key);
    else if (!(*to = strdup(yaml_text(value))))
        no_memory(f);
}

static void read_key(void *ctx, struct yaml_file *f, yaml_node_t *key, yaml_node_t *value)
{
    struct read *r = ctx;
    const struct baseline_keys *keys = &baseline_keys[r->section];
    const char *name = yaml_text(key);

    r->has_first |= same(keys->name ? keys->name : keys->addresses, name);
    if (same(keys->name, name)) {
        read_one(r, f, name, value, &r->entry->name);
    } else if (same(keys->user, name)) {
        read_one(r, f, name, value, &r->entry->user);
    } else if (same(keys->addresses, name)) {
        r->entry->has_addresses = true;
        read_list(r, f, name, value, read_address);
    } else if (same(keys->list, name)) {
        r->entry->has_list = true;
        read_list(r, f, name, value, read_text);
    } else {
        yaml_file_fault(f, key, "unknown key '%.60s' in %s", name, keys->section);
    }
}

static bool add(struct read *r, struct yaml_file *f, const yaml_node_t *at, const char *name)
{
    const struct baseline_part *p = &r->b->sections[r->section];
    const yaml_node_t **more = realloc(r->nodes[r->section], (p->n + 1) * sizeof *more);

    if (more) {
        r->nodes[r->section] = more;
        more[p->n] = at;
    }
    r->entry = more ? baseline_add(r->b, r->section, name) : NULL;
    if (!r->entry)
        no_memory(f);
    return r->entry != NULL;
}

static void read_bare(struct read *r, struct yaml_file *f, yaml_node_t *value)
{
    const char *section = baseline_keys[r->section].section;

    if (!yaml_is_text(value))
        yaml_file_fault(f, value, "%s: expected a list of texts", section);
    else if (*yaml_text(value) == '\0')
        yaml_file_fault(f, value, "%s: an empty text matches nothing", section);
    else
        add(r, f, value, yaml_text(value));
}

static void read_entry(void *ctx, struct yaml_file *f, yaml_node_t *key, yaml_node_t *value)
{
    struct read *r = ctx;
    const struct baseline_keys *keys = &baseline_keys[r->section];
    const char *first = keys->name ? keys->name : keys->addresses;

    (void)key;
    if (!room(r, f, value))
        return;
    if (!first) {
        read_bare(r, f, value);
    } else if (!yaml_is_map(value)) {
        yaml_file_fault(f, value, "%s: expected mappings", keys->section);
    } else if (add(r, f, value, NULL)) {
        r->has_first = false;
        yaml_each(f, value, read_key, r);
        if (!r->has_first)
            yaml_file_fault(f, value, "%s: an entry needs '%s'", keys->section, first);
    }
}

/* --- contradictions ------------------------------------------------------------ */

static bool networks_meet(const struct network *a, const struct network *b)
{
    struct network wide = a->prefix < b->prefix ? *a : *b;
    struct endpoint inner = {.family = a->prefix < b->prefix ? b->family : a->family};

    memcpy(inner.ip, a->prefix < b->prefix ? b->ip : a->ip, sizeof inner.ip);
    return network_has(&wide, &inner);
}

static bool addresses_meet(const struct baseline_entry *a, const struct baseline_entry *b)
{
    if (!a->has_addresses || !b->has_addresses)
        return true;
    for (size_t i = 0; i < a->addresses.n; i++)
        for (size_t k = 0; k < b->addresses.n; k++)
            if (networks_meet(&a->addresses.at[i], &b->addresses.at[k]))
                return true;
    return false;
}

static bool lists_meet(const struct baseline_entry *a, const struct baseline_entry *b)
{
    if (!a->has_list || !b->has_list)
        return true;
    for (size_t i = 0; i < a->list.n; i++)
        for (size_t k = 0; k < b->list.n; k++)
            if (strcmp(a->list.at[i], b->list.at[k]) == 0)
                return true;
    return false;
}

/* The same in all but the user: then nobody can say which one was meant. (Two users of one client
 * are an entry without `user`, or with a glob.) */
static bool contradict(const struct baseline_entry *a, const struct baseline_entry *b)
{
    return a->user && b->user && strcmp(a->user, b->user) != 0 && addresses_meet(a, b) &&
           lists_meet(a, b);
}

static int by_name(const void *x, const void *y, void *ctx)
{
    const struct baseline_part *p = ctx;
    const size_t a = *(const size_t *)x, b = *(const size_t *)y;
    int order = strcmp(p->at[a].name, p->at[b].name);

    return order != 0 ? order : (a > b) - (a < b);
}

static void compare(struct read *r, struct yaml_file *f, size_t *order, size_t n)
{
    enum baseline_section s = r->section;
    const struct baseline_part *p = &r->b->sections[s];

    for (size_t i = 0; i < n; i++)
        for (size_t k = i; k-- > 0 && strcmp(p->at[order[i]].name, p->at[order[k]].name) == 0;)
            if (contradict(&p->at[order[i]], &p->at[order[k]])) {
                yaml_file_fault(f, r->nodes[s][order[i]],
                                "%s: contradicts the entry of line %zu: the same %s and address "
                                "with another user",
                                baseline_keys[s].section,
                                r->nodes[s][order[k]]->start_mark.line + 1, baseline_keys[s].name);
                break;
            }
}

static void check_users(struct read *r, struct yaml_file *f, enum baseline_section s)
{
    struct baseline_part *p = &r->b->sections[s];
    size_t *order = p->n > 0 ? malloc(p->n * sizeof *order) : NULL, n = 0;

    r->section = s;
    for (size_t i = 0; order && i < p->n; i++)
        if (p->at[i].name && p->at[i].user)
            order[n++] = i;
    if (order)
        qsort_r(order, n, sizeof *order, by_name, p);
    compare(r, f, order, n);
    free(order);
}

/* --- the file ------------------------------------------------------------------- */

static void read_version(struct read *r, struct yaml_file *f, yaml_node_t *value)
{
    r->versioned = yaml_is_text(value) && strcmp(yaml_text(value), "1") == 0;
    if (!r->versioned)
        yaml_file_fault(f, value, "version: expected 1");
}

static void read_section(void *ctx, struct yaml_file *f, yaml_node_t *key, yaml_node_t *value)
{
    struct read *r = ctx;
    unsigned s = 0;

    if (!key)
        return;
    if (strcmp(yaml_text(key), "version") == 0) {
        read_version(r, f, value);
        return;
    }
    while (s < BASELINE_SECTIONS && strcmp(baseline_keys[s].section, yaml_text(key)) != 0)
        s++;
    if (s == BASELINE_SECTIONS) {
        yaml_file_fault(f, key, "unknown section '%.60s'", yaml_text(key));
    } else if (value->type != YAML_SEQUENCE_NODE && !yaml_is_null(value)) {
        yaml_file_fault(f, value, "%s: expected a list", yaml_text(key));
    } else {
        r->section = s;
        r->b->sections[s].present = true;
        yaml_each(f, value, read_entry, r);
    }
}

static void read_root(struct read *r, struct yaml_file *f)
{
    yaml_node_t *root = yaml_file_root(f);

    if (!root || !yaml_is_map(root)) {
        log_error("%s:1:1: expected a mapping with 'version: 1'", f->path);
        f->faults++;
        return;
    }
    yaml_each(f, root, read_section, r);
    if (!r->versioned && f->faults == 0)
        yaml_file_fault(f, root, "expected 'version: 1'");
    if (f->faults > 0)
        return;
    check_users(r, f, BASELINE_PRODUCERS);
    check_users(r, f, BASELINE_WORKERS);
}

static int read_file(struct baseline *b, struct yaml_file *f)
{
    struct read r = {.b = b};
    int status;

    read_root(&r, f);
    if (f->faults == 0 && !baseline_index(b))
        no_memory(f);
    status = f->faults > 0 ? 78 : 0;
    for (unsigned s = 0; s < BASELINE_SECTIONS; s++)
        free((void *)r.nodes[s]);
    yaml_file_free(f);
    if (status != 0)
        baseline_clear(b);
    return status;
}

int baseline_load(struct baseline *b, const char *path)
{
    struct yaml_file f;
    int status = yaml_file_load(&f, path);

    return status != 0 ? status : read_file(b, &f);
}

int baseline_parse(struct baseline *b, const char *name, struct bytes text)
{
    struct yaml_file f;
    int status = yaml_text_load(&f, name, text);

    return status != 0 ? status : read_file(b, &f);
}
