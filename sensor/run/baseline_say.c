/* run/baseline_say.c - what there is to say of a baseline: its JSON Schema, and to the operator. */
#include <jansson.h>
#include <stdio.h>

#include "base/log.h"
#include "run/baseline.h"

/* --- schema ------------------------------------------------------------------- */

static json_t *text(bool empty_too, const char *what)
{
    return empty_too
               ? json_pack("{ss, ss}", "type", "string", "description", what)
               : json_pack("{ss, si, ss}", "type", "string", "minLength", 1, "description", what);
}

static void put_list(json_t *properties, const char *key, json_t *item)
{
    json_object_set_new(properties, key, json_pack("{ss, so}", "type", "array", "items", item));
}

static json_t *entry(enum baseline_section s)
{
    const struct baseline_keys *k = &baseline_keys[s];
    const char *first = k->name ? k->name : k->addresses;
    json_t *properties;

    if (!first)
        return text(false, "glob");
    properties = json_object();
    if (k->name)
        json_object_set_new(properties, k->name,
                            text(s == BASELINE_PRODUCERS, "glob; the entry is about these"));
    if (k->addresses)
        put_list(properties, k->addresses, text(false, "address or network; absent: any"));
    if (k->list)
        put_list(properties, k->list, text(false, "glob; absent: any"));
    if (k->user)
        json_object_set_new(properties, k->user, text(false, "glob; absent: any"));
    return json_pack("{ss, sb, s[s], so}", "type", "object", "additionalProperties", 0, "required",
                     first, "properties", properties);
}

bool baseline_dump_schema(int fd)
{
    json_t *properties = json_pack("{s{si}}", "version", "const", 1), *root;
    bool ok;

    for (unsigned s = 0; s < BASELINE_SECTIONS; s++)
        json_object_set_new(properties, baseline_keys[s].section,
                            json_pack("{s[ss], so}", "type", "array", "null", "items", entry(s)));
    root = json_pack("{ss, ss, ss, sb, s[s], so}", "$schema",
                     "https://json-schema.org/draft/2020-12/schema", "title", "Celeriac baseline",
                     "type", "object", "additionalProperties", 0, "required", "version",
                     "properties", properties);
    ok = json_dumpfd(root, fd, JSON_INDENT(2)) == 0 && dprintf(fd, "\n") == 1;
    json_decref(root);
    return ok;
}

/* --- to the operator ----------------------------------------------------------- */

struct line {
    char text[256];
    size_t n;
};

static void put(struct line *l, const char *format, const char *name, size_t count)
{
    int wrote =
        snprintf(l->text + l->n, sizeof l->text - l->n, format, l->n > 0 ? ", " : "", name, count);

    if (wrote > 0 && (size_t)wrote < sizeof l->text - l->n)
        l->n += (size_t)wrote;
}

void baseline_log(const struct baseline *b, const char *path)
{
    struct line there = {.n = 0}, absent = {.n = 0};

    for (unsigned s = 0; s < BASELINE_SECTIONS; s++) {
        if (b->sections[s].present)
            put(&there, "%s%s (%zu)", baseline_keys[s].section, b->sections[s].n);
        else
            put(&absent, "%s%s", baseline_keys[s].section, 0);
    }
    log_info("%s: judging by %s; not judged, being absent: %s", path,
             there.n > 0 ? there.text : "nothing", absent.n > 0 ? absent.text : "nothing");
}
