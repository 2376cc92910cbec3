/* out/tree_write.h - a tree of jansson's as compact JSON, the same as json_dumps() would make of
 * it, in a fraction of the time: most strings need no escape. Only tree.c includes it. */
#ifndef OUT_TREE_WRITE_H
#define OUT_TREE_WRITE_H

#include <jansson.h>

#include "out/text.h"

/* false: out of memory, or jansson would not write it. */
bool tree_write(struct text *out, json_t *root);

#endif
