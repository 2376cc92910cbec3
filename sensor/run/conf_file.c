/* run/conf_file.c - walks the tree: a mapping whose dotted path is an option's
 * prefix is entered, a leaf is set by the table, lists of objects by hand. */
#include "run/conf_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "run/options.h"
#include "run/yaml_file.h"

struct walk {
    struct conf *conf;
    char path[128];
};

static bool is_prefix(const char *path)
{
    size_t n = strlen(path);

    for (size_t i = 0; i < option_count; i++)
        if (strncmp(option_defs[i].path, path, n) == 0 && option_defs[i].path[n] == '.')
            return true;
    return false;
}

static void add_text(void *ctx, struct yaml_file *f, yaml_node_t *key, yaml_node_t *value)
{
    struct walk *w = ctx;
    const struct option_def *o = option_find(w->path);

    (void)key;
    if (!yaml_is_text(value))
        yaml_file_fault(f, value, "%s: expected a list of texts", w->path);
    else
        option_add(w->conf, o, yaml_text(value));
}

static void set_option(struct walk *w, struct yaml_file *f, const struct option_def *o,
                       yaml_node_t *value)
{
    char error[160];

    if (o->type == OPTION_TEXTS) {
        if (value->type != YAML_SEQUENCE_NODE)
            yaml_file_fault(f, value, "%s: expected a list of texts", o->path);
        yaml_each(f, value, add_text, w);
        if (strcmp(o->path, "policy.serializers.allowed") == 0)
            w->conf->policy.serializers.set = true;
    } else if (yaml_is_null(value)) {
        return; /* written out by --dump-config for what is absent */
    } else if (!yaml_is_text(value)) {
        yaml_file_fault(f, value, "%s: expected one value", o->path);
    } else if (!option_set(w->conf, o, yaml_text(value), error, sizeof error)) {
        yaml_file_fault(f, value, "%s: %s, not '%.40s'", o->path, error, yaml_text(value));
    }
}

/* --- suppress ------------------------------------------------------------- */

struct suppress_walk {
    struct walk *walk;
    struct suppression s;
};

static void suppress_network(struct yaml_file *f, yaml_node_t *value, bool *has, struct network *to)
{
    *has = network_parse(yaml_text(value), to);
    if (!*has)
        yaml_file_fault(f, value, "expected an address or a network, not '%.60s'",
                        yaml_text(value));
}

static void suppress_text(struct yaml_file *f, yaml_node_t *value, char **to)
{
    free(*to);
    *to = strdup(yaml_text(value));
    if (!*to || **to == '\0')
        yaml_file_fault(f, value, "expected a text");
}

static void suppress_key(void *ctx, struct yaml_file *f, yaml_node_t *key, yaml_node_t *value)
{
    struct suppress_walk *w = ctx;
    const char *name = key ? yaml_text(key) : "";

    if (!yaml_is_text(value))
        yaml_file_fault(f, value, "suppress: expected one value");
    else if (strcmp(name, "rule") == 0)
        suppress_text(f, value, &w->s.rule);
    else if (strcmp(name, "task") == 0)
        suppress_text(f, value, &w->s.task);
    else if (strcmp(name, "reason") == 0)
        suppress_text(f, value, &w->s.reason);
    else if (strcmp(name, "source") == 0)
        suppress_network(f, value, &w->s.has_source, &w->s.source);
    else if (strcmp(name, "destination") == 0)
        suppress_network(f, value, &w->s.has_destination, &w->s.destination);
    else if (strcmp(name, "until") == 0) {
        if (!date_parse(yaml_text(value), &w->s.until_ns))
            yaml_file_fault(f, value, "expected a date, 2027-01-31 or 2027-01-31T12:00:00Z");
    } else
        yaml_file_fault(f, key ? key : value, "unknown key '%.60s' in suppress", name);
}

static void suppress_entry(void *ctx, struct yaml_file *f, yaml_node_t *key, yaml_node_t *value)
{
    struct walk *w = ctx;
    struct policy *p = &w->conf->policy;
    struct suppress_walk sw = {.walk = w, .s = {.until_ns = INT64_MAX}};
    struct suppression *more;

    (void)key;
    if (!yaml_is_map(value)) {
        yaml_file_fault(f, value, "suppress: expected a list of mappings");
        return;
    }
    yaml_each(f, value, suppress_key, &sw);
    if (!sw.s.rule)
        yaml_file_fault(f, value, "suppress: an entry needs a rule");
    more = realloc(p->suppress, (p->n_suppress + 1) * sizeof *more);
    if (!more)
        return;
    p->suppress = more;
    more[p->n_suppress++] = sw.s;
}

/* --- outputs -------------------------------------------------------------- */

struct output_walk {
    char *url;
    unsigned emit;
};

static void output_emit(void *ctx, struct yaml_file *f, yaml_node_t *key, yaml_node_t *value)
{
    unsigned *mask = ctx;
    char bad[64];

    (void)key;
    if (!yaml_is_text(value) || !emit_parse(yaml_text(value), mask, bad, sizeof bad))
        yaml_file_fault(
            f, value,
            "expected kinds of records: alerts, tasks, results, workers, control, commands, "
            "inventory, stats");
}

static void output_key(void *ctx, struct yaml_file *f, yaml_node_t *key, yaml_node_t *value)
{
    struct output_walk *o = ctx;
    const char *name = key ? yaml_text(key) : "";

    if (strcmp(name, "url") == 0 && yaml_is_text(value))
        suppress_text(f, value, &o->url);
    else if (strcmp(name, "emit") == 0 && value->type == YAML_SEQUENCE_NODE)
        yaml_each(f, value, output_emit, &o->emit);
    else
        yaml_file_fault(f, key ? key : value,
                        "outputs: expected url (a text) and emit (a list), not '%.60s'", name);
}

static void output_entry(void *ctx, struct yaml_file *f, yaml_node_t *key, yaml_node_t *value)
{
    struct walk *w = ctx;
    struct output_walk o = {0};

    (void)key;
    if (yaml_is_text(value))
        o.url = strdup(yaml_text(value));
    else if (yaml_is_map(value))
        yaml_each(f, value, output_key, &o);
    if (!o.url)
        yaml_file_fault(f, value, "outputs: expected a URL, or a mapping with one");
    else
        conf_add_output(w->conf, o.url, o.emit);
    free(o.url);
}

/* --- the walk --------------------------------------------------------------- */

static void walk_pair(void *ctx, struct yaml_file *f, yaml_node_t *key, yaml_node_t *value);

static void walk_list(struct walk *w, struct yaml_file *f, yaml_node_t *value, yaml_each_fn *entry)
{
    if (value->type != YAML_SEQUENCE_NODE && !yaml_is_null(value))
        yaml_file_fault(f, value, "%s: expected a list", w->path);
    else
        yaml_each(f, value, entry, w);
}

static void walk_value(struct walk *w, struct yaml_file *f, yaml_node_t *key, yaml_node_t *value)
{
    const struct option_def *o = option_find(w->path);

    if (o)
        set_option(w, f, o, value);
    else if (strcmp(w->path, "suppress") == 0)
        walk_list(w, f, value, suppress_entry);
    else if (strcmp(w->path, "outputs") == 0)
        walk_list(w, f, value, output_entry);
    else if (!is_prefix(w->path))
        yaml_file_fault(f, key, "unknown key '%.60s'", w->path);
    else if (yaml_is_map(value))
        yaml_each(f, value, walk_pair, w);
    else if (!yaml_is_null(value))
        yaml_file_fault(f, value, "%s: expected a mapping", w->path);
}

static void walk_pair(void *ctx, struct yaml_file *f, yaml_node_t *key, yaml_node_t *value)
{
    struct walk *w = ctx;
    size_t n = strlen(w->path);
    int wrote;

    if (!key) {
        yaml_file_fault(f, value, "expected a mapping");
        return;
    }
    wrote = snprintf(w->path + n, sizeof w->path - n, "%s%s", n > 0 ? "." : "", yaml_text(key));
    if (wrote < 0 || (size_t)wrote >= sizeof w->path - n)
        yaml_file_fault(f, key, "unknown key '%.60s'", yaml_text(key));
    else
        walk_value(w, f, key, value); /* as deep as option paths are */
    w->path[n] = '\0';
}

int conf_file_read(struct conf *conf, const char *path)
{
    struct yaml_file f;
    struct walk w = {.conf = conf};
    yaml_node_t *root;
    int status = yaml_file_load(&f, path);

    if (status != 0)
        return status;
    root = yaml_file_root(&f);
    if (root && yaml_is_map(root))
        yaml_each(&f, root, walk_pair, &w);
    else if (root && !yaml_is_null(root))
        yaml_file_fault(&f, root, "expected a mapping");
    status = f.faults > 0 ? 78 : 0;
    yaml_file_free(&f);
    return status;
}
