/* content/yaml_scalar.h - what a YAML scalar stands for, as PyYAML's safe loader decides it
 * (YAML 1.1; pyyaml:lib/yaml/resolver.py, constructor.py). */
#ifndef CONTENT_YAML_SCALAR_H
#define CONTENT_YAML_SCALAR_H

#include "dissectors/content/reader.h"

#define YAML_TAG_PREFIX "tag:yaml.org,2002:"

/* Sets t->kind, num and real from t->text and t->tag. `plain`: without quotes, and not marked
 * with the tag "!"; such text is resolved when it has no tag. Timestamps stay text. A standard tag
 * whose text does not fit it counts for nothing. */
void yaml_scalar(struct token *t, bool plain);

#endif
