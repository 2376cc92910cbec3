/* signatures/baseline_index.h - entries of a section by the name that is asked for: those that are
 * literal in a hash, the globs in a list. For baseline*.c only. */
#ifndef SIGNATURES_BASELINE_INDEX_H
#define SIGNATURES_BASELINE_INDEX_H

#include "signatures/baseline.h"

void baseline_index_free(struct baseline_index *x);

/* Goes through the entries that a name may match, in no order that means anything. */
struct search {
    const struct baseline_part *part;
    enum baseline_section section;
    struct bytes name;
    uint32_t chain;
    size_t next; /* among the globs, or all */
};

/* b is not NULL. Workers are found by their host. */
struct search baseline_search(const struct baseline *b, enum baseline_section s, struct bytes name);
/* The next entry whose name matches; NULL: no more. */
const struct baseline_entry *baseline_found(struct search *q);

#endif
