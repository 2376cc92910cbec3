/* run/yaml_file.c - libyaml with marks turned into messages. */
#include "run/yaml_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

static int open_fault(const char *path)
{
    int why = errno;

    log_error("%s: %s", path, strerror(why));
    return why == EACCES || why == EPERM ? 77 : 66;
}

static int load(struct yaml_file *f, yaml_parser_t *parser)
{
    f->loaded = yaml_parser_load(parser, &f->doc) != 0;
    if (!f->loaded)
        log_error("%s:%zu:%zu: %s", f->path, parser->problem_mark.line + 1,
                  parser->problem_mark.column + 1, parser->problem ? parser->problem : "not YAML");
    yaml_parser_delete(parser);
    return f->loaded ? 0 : 78;
}

int yaml_file_load(struct yaml_file *f, const char *path)
{
    yaml_parser_t parser;
    FILE *in = fopen(path, "rb");
    int status = 78;

    *f = (struct yaml_file){.path = path};
    if (!in)
        return open_fault(path);
    if (fseek(in, 0, SEEK_END) != 0 || ftell(in) > (long)YAML_FILE_MAX ||
        fseek(in, 0, SEEK_SET) != 0) {
        log_error("%s: not a file of at most %u bytes", path, YAML_FILE_MAX);
    } else if (yaml_parser_initialize(&parser)) {
        yaml_parser_set_input_file(&parser, in);
        status = load(f, &parser);
    }
    fclose(in);
    return status;
}

int yaml_text_load(struct yaml_file *f, const char *name, struct bytes text)
{
    yaml_parser_t parser;

    *f = (struct yaml_file){.path = name};
    if (text.len > YAML_FILE_MAX || !yaml_parser_initialize(&parser)) {
        log_error("%s: not a text of at most %u bytes", name, YAML_FILE_MAX);
        return 78;
    }
    yaml_parser_set_input_string(&parser, text.at, text.len);
    return load(f, &parser);
}

void yaml_file_free(struct yaml_file *f)
{
    if (f->loaded)
        yaml_document_delete(&f->doc);
    f->loaded = false;
}

yaml_node_t *yaml_file_root(struct yaml_file *f)
{
    return yaml_document_get_root_node(&f->doc);
}

void yaml_file_fault(struct yaml_file *f, const yaml_node_t *at, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_error("%s:%zu:%zu: %s", f->path, at->start_mark.line + 1, at->start_mark.column + 1, text);
    f->faults++;
}

bool yaml_is_text(const yaml_node_t *n)
{
    return n->type == YAML_SCALAR_NODE && !memchr(n->data.scalar.value, 0, n->data.scalar.length);
}

bool yaml_is_null(const yaml_node_t *n)
{
    const char *t = n->type == YAML_SCALAR_NODE ? yaml_text(n) : "x";

    return n->type == YAML_SCALAR_NODE && n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (strcmp(t, "") == 0 || strcmp(t, "~") == 0 || strcmp(t, "null") == 0);
}

static bool came_before(struct yaml_file *f, const yaml_node_t *map, const yaml_node_pair_t *pair,
                        const char *key)
{
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < pair; p++) {
        yaml_node_t *k = yaml_document_get_node(&f->doc, p->key);

        if (k && yaml_is_text(k) && strcmp(yaml_text(k), key) == 0)
            return true;
    }
    return false;
}

static void each_pair(struct yaml_file *f, const yaml_node_t *n, yaml_each_fn *fn, void *ctx)
{
    for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
        yaml_node_t *k = yaml_document_get_node(&f->doc, p->key);
        yaml_node_t *v = yaml_document_get_node(&f->doc, p->value);

        if (!k || !v)
            continue;
        if (!yaml_is_text(k))
            yaml_file_fault(f, k, "expected a name");
        else if (came_before(f, n, p, yaml_text(k)))
            yaml_file_fault(f, k, "'%s' is here twice", yaml_text(k));
        else
            fn(ctx, f, k, v);
    }
}

void yaml_each(struct yaml_file *f, const yaml_node_t *n, yaml_each_fn *fn, void *ctx)
{
    if (n->type == YAML_MAPPING_NODE) {
        each_pair(f, n, fn, ctx);
    } else if (n->type == YAML_SEQUENCE_NODE) {
        for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top;
             i++) {
            yaml_node_t *v = yaml_document_get_node(&f->doc, *i);

            if (v)
                fn(ctx, f, NULL, v);
        }
    }
}
