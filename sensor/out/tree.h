/* out/tree.h - records built with jansson: alerts and statistics, which are few.
 * Members are put in the order in which they are to be written; a dotted path
 * makes the objects on its way. After the first failure nothing more is done. */
#ifndef OUT_TREE_H
#define OUT_TREE_H

#include <jansson.h>

#include "out/text.h"

struct tree {
    json_t *root;
    struct text *scratch; /* for texts on their way in */
    bool bad;             /* out of memory */
};

void tree_begin(struct tree *t, struct text *scratch);
/* Writes the record into `out` through `scratch`, and frees the tree; false: it was bad. */
bool tree_end(struct tree *t, struct text *out);

/* Takes the value, whatever happens. */
void tree_put(struct tree *t, const char *path, json_t *value);
void tree_str(struct tree *t, const char *path, const char *value);
void tree_text(struct tree *t, const char *path, struct bytes value); /* any bytes */
void tree_num(struct tree *t, const char *path, int64_t value);
void tree_u64(struct tree *t, const char *path, uint64_t value); /* above INT64_MAX: that */
void tree_bool(struct tree *t, const char *path, bool value);
void tree_time(struct tree *t, const char *path, struct text_clock *clock, int64_t ns);
/* The words of a text, as a list. */
void tree_words(struct tree *t, const char *path, const char *words);

/* observer.* but for the interface. */
void tree_observer(struct tree *t, const char *name);

/* A JSON string of any bytes; NULL: no memory. */
json_t *tree_string(struct tree *t, struct bytes value);

#endif
