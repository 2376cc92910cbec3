/* run/baseline.c - reads a baseline (-b) and checks it whole: sections, keys,
 * types, addresses. The rules that judge by it come later. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "run/conf_file.h"
#include "run/yaml_file.h"

enum key_type { KEY_TEXT, KEY_TEXTS, KEY_NETWORKS };

struct key_def {
    const char *name;
    enum key_type type;
};

#define KEYS_MAX 5

/* The first key of an entry is mandatory (detections.md 5). No keys: a list of texts. */
struct section_def {
    const char *name;
    struct key_def keys[KEYS_MAX];
};

static const struct section_def sections[] = {
    {"producers",
     {{"origin", KEY_TEXT}, {"addresses", KEY_NETWORKS}, {"tasks", KEY_TEXTS}, {"user", KEY_TEXT}}},
    {"workers",
     {{"node", KEY_TEXT}, {"addresses", KEY_NETWORKS}, {"queues", KEY_TEXTS}, {"user", KEY_TEXT}}},
    {"controllers", {{"addresses", KEY_NETWORKS}, {"commands", KEY_TEXTS}}},
    {"tasks", {{NULL, KEY_TEXT}}},
    {"imports", {{"queue", KEY_TEXT}, {"modules", KEY_TEXTS}}},
    {"relays", {{"addresses", KEY_NETWORKS}}},
    {"monitors", {{"addresses", KEY_NETWORKS}}},
    {"schedulers", {{"addresses", KEY_NETWORKS}}},
};

struct entry_walk {
    const struct section_def *section;
    const struct key_def *key;
    bool has_first;
};

static void check_item(void *ctx, struct yaml_file *f, yaml_node_t *key, yaml_node_t *value)
{
    const struct key_def *def = ctx;
    struct network n;

    (void)key;
    if (!yaml_is_text(value))
        yaml_file_fault(f, value, "%s: expected a list of texts", def->name);
    else if (def->type == KEY_NETWORKS && !network_parse(yaml_text(value), &n))
        yaml_file_fault(f, value, "%s: expected an address or a network, not '%.60s'", def->name,
                        yaml_text(value));
}

static const struct key_def *key_of(const struct section_def *s, const char *name)
{
    for (size_t i = 0; i < KEYS_MAX && s->keys[i].name; i++)
        if (strcmp(s->keys[i].name, name) == 0)
            return &s->keys[i];
    return NULL;
}

static void check_key(void *ctx, struct yaml_file *f, yaml_node_t *key, yaml_node_t *value)
{
    struct entry_walk *w = ctx;
    const struct key_def *def = key_of(w->section, yaml_text(key));

    if (!def) {
        yaml_file_fault(f, key, "unknown key '%.60s' in %s", yaml_text(key), w->section->name);
        return;
    }
    w->has_first |= def == w->section->keys;
    if (def->type == KEY_TEXT && !yaml_is_text(value))
        yaml_file_fault(f, value, "%s: expected a text", def->name);
    else if (def->type != KEY_TEXT && value->type != YAML_SEQUENCE_NODE)
        yaml_file_fault(f, value, "%s: expected a list", def->name);
    else if (def->type != KEY_TEXT)
        yaml_each(f, value, check_item, (void *)(uintptr_t)def);
}

static void check_entry(void *ctx, struct yaml_file *f, yaml_node_t *key, yaml_node_t *value)
{
    const struct section_def *s = ctx;
    struct entry_walk w = {.section = s};

    (void)key;
    if (!s->keys[0].name) {
        if (!yaml_is_text(value))
            yaml_file_fault(f, value, "%s: expected a list of texts", s->name);
        return;
    }
    if (!yaml_is_map(value)) {
        yaml_file_fault(f, value, "%s: expected mappings", s->name);
        return;
    }
    yaml_each(f, value, check_key, &w);
    if (!w.has_first)
        yaml_file_fault(f, value, "%s: an entry needs '%s'", s->name, s->keys[0].name);
}

static const struct section_def *section_of(const char *name)
{
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (strcmp(sections[i].name, name) == 0)
            return &sections[i];
    return NULL;
}

static void check_section(void *ctx, struct yaml_file *f, yaml_node_t *key, yaml_node_t *value)
{
    const struct section_def *s = section_of(yaml_text(key));
    bool *versioned = ctx;

    if (strcmp(yaml_text(key), "version") == 0) {
        *versioned = yaml_is_text(value) && strcmp(yaml_text(value), "1") == 0;
        if (!*versioned)
            yaml_file_fault(f, value, "version: expected 1");
    } else if (!s) {
        yaml_file_fault(f, key, "unknown section '%.60s'", yaml_text(key));
    } else if (value->type != YAML_SEQUENCE_NODE && !yaml_is_null(value)) {
        yaml_file_fault(f, value, "%s: expected a list", s->name);
    } else {
        yaml_each(f, value, check_entry, (void *)(uintptr_t)s);
    }
}

int baseline_check(const char *path)
{
    struct yaml_file f;
    bool versioned = false;
    yaml_node_t *root;
    int status = yaml_file_load(&f, path);

    if (status != 0)
        return status;
    root = yaml_file_root(&f);
    if (!root || !yaml_is_map(root)) {
        log_error("%s:1:1: expected a mapping with 'version: 1'", path);
        f.faults++;
    } else {
        yaml_each(&f, root, check_section, &versioned);
        if (!versioned && f.faults == 0)
            yaml_file_fault(&f, root, "expected 'version: 1'");
    }
    if (f.faults == 0)
        log_warn("%s: the baseline is well formed, and has no effect yet", path);
    status = f.faults > 0 ? 78 : 0;
    yaml_file_free(&f);
    return status;
}
