/* run/yaml_file.h - a small trusted YAML file as a tree, and complaints that name
 * file, line and column. On libyaml's document interface. */
#ifndef RUN_YAML_FILE_H
#define RUN_YAML_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "base/bytes.h"

#define YAML_FILE_MAX (4u << 20)

struct yaml_file {
    const char *path;
    yaml_document_t doc;
    bool loaded;
    unsigned faults; /* complaints made */
};

/* 0; 66 no such file, 77 no permission, 78 not YAML (each after a line on standard error). An empty
 * file has no root node. */
int yaml_file_load(struct yaml_file *f, const char *path);
/* The same of a text in memory; `name` stands for the path. */
int yaml_text_load(struct yaml_file *f, const char *name, struct bytes text);
void yaml_file_free(struct yaml_file *f);
yaml_node_t *yaml_file_root(struct yaml_file *f); /* NULL: empty */

/* One line: path:line:column: message. Counted. */
__attribute__((format(printf, 3, 4))) void yaml_file_fault(struct yaml_file *f,
                                                           const yaml_node_t *at,
                                                           const char *format, ...);

static inline const char *yaml_text(const yaml_node_t *n)
{
    return (const char *)n->data.scalar.value;
}

static inline bool yaml_is_map(const yaml_node_t *n)
{
    return n->type == YAML_MAPPING_NODE;
}

/* A scalar without NUL bytes in it. */
bool yaml_is_text(const yaml_node_t *n);
/* null, ~ or nothing, unquoted. */
bool yaml_is_null(const yaml_node_t *n);

/* Calls fn for each pair of a mapping, or item of a sequence (key NULL). A key that is no text or
 * comes twice is a fault. */
typedef void yaml_each_fn(void *ctx, struct yaml_file *f, yaml_node_t *key, yaml_node_t *value);
void yaml_each(struct yaml_file *f, const yaml_node_t *n, yaml_each_fn *fn, void *ctx);

#endif
