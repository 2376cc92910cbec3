/* run/conf_schema.c - the table of options as a JSON Schema (docs/config.schema.json). */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/conf.h"
#include "run/options.h"

static json_t *schema_of_option(const struct option_def *o)
{
    json_t *s = json_object();

    switch (o->type) {
    case OPTION_BOOL: json_object_set_new(s, "type", json_string("boolean")); break;
    case OPTION_COUNT:
    case OPTION_UNSIGNED:
        json_object_set_new(s, "type", json_string("integer"));
        json_object_set_new(s, "minimum", json_integer((json_int_t)o->min));
        json_object_set_new(s, "maximum", json_integer((json_int_t)o->max));
        break;
    case OPTION_TEXT: json_object_set_new(s, "type", json_pack("[ss]", "string", "null")); break;
    case OPTION_TEXTS:
        json_object_set_new(s, "type", json_string("array"));
        json_object_set_new(s, "items", json_pack("{ss}", "type", "string"));
        break;
    case OPTION_BYTES:
        json_object_set_new(s, "type", json_pack("[ss]", "integer", "string"));
        json_object_set_new(s, "pattern", json_string("^[0-9]+[kMG]?$"));
        break;
    default:
        json_object_set_new(s, "type", json_pack("[ss]", "integer", "string"));
        json_object_set_new(
            s, "pattern",
            json_string(o->type == OPTION_TIME ? "^[0-9]+(ms|s|m|h|d)$" : "^[0-9]+(s|m|h|d)?$"));
        break;
    }
    json_object_set_new(s, "description", json_string(o->help));
    if (o->standard)
        json_object_set_new(s, "default", json_string(o->standard));
    return s;
}

static json_t *schema_object(void)
{
    return json_pack("{s:s, s:b, s:{}}", "type", "object", "additionalProperties", 0, "properties");
}

/* The object that holds the leaf of a dotted path, made on the way. */
static json_t *schema_parent(json_t *root, const char *path, const char **leaf)
{
    json_t *at = root;
    const char *dot;

    while ((dot = strchr(path, '.'))) {
        char name[64];
        json_t *properties = json_object_get(at, "properties");

        snprintf(name, sizeof name, "%.*s", (int)(dot - path), path);
        if (!json_object_get(properties, name))
            json_object_set_new(properties, name, schema_object());
        at = json_object_get(properties, name);
        path = dot + 1;
    }
    *leaf = path;
    return json_object_get(at, "properties");
}

/* Lists of objects stand beside the table (conf_file.c); so do their schemas. */
static const char suppress_schema[] =
    "{\"type\": [\"array\", \"null\"], \"items\": {\"type\": \"object\", \"additionalProperties\": "
    "false,"
    " \"required\": [\"rule\"], \"properties\": {"
    "\"rule\": {\"type\": \"string\", \"description\": \"glob on rule.id\"},"
    "\"source\": {\"type\": \"string\", \"description\": \"address or network\"},"
    "\"destination\": {\"type\": \"string\", \"description\": \"address or network\"},"
    "\"task\": {\"type\": \"string\", \"description\": \"glob on celery.task.name\"},"
    "\"until\": {\"type\": \"string\", \"description\": \"date\"},"
    "\"reason\": {\"type\": \"string\"}}}}";

static const char outputs_schema[] =
    "{\"type\": [\"array\", \"null\"], \"items\": {\"anyOf\": [{\"type\": \"string\"},"
    " {\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"url\"], "
    "\"properties\": {"
    "\"url\": {\"type\": \"string\"}, \"emit\": {\"type\": \"array\", \"items\": {\"enum\": "
    "[\"alerts\", \"tasks\", \"results\", \"workers\", \"control\", \"commands\", "
    "\"stats\"]}}}}]}}";

bool conf_dump_schema(int fd)
{
    json_t *root = schema_object();
    bool ok;

    json_object_set_new(root, "$schema",
                        json_string("https://json-schema.org/draft/2020-12/schema"));
    json_object_set_new(root, "title", json_string("Celeriac configuration"));
    for (size_t i = 0; i < option_count; i++) {
        const char *leaf;
        json_t *in = schema_parent(root, option_defs[i].path, &leaf);

        json_object_set_new(in, leaf, schema_of_option(&option_defs[i]));
    }
    json_object_set_new(json_object_get(root, "properties"), "outputs",
                        json_loads(outputs_schema, 0, NULL));
    json_object_set_new(json_object_get(root, "properties"), "suppress",
                        json_loads(suppress_schema, 0, NULL));
    ok = json_dumpfd(root, fd, JSON_INDENT(2)) == 0 && dprintf(fd, "\n") == 1;
    json_decref(root);
    return ok;
}
