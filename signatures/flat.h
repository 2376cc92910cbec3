/* signatures/flat.h - a message and its findings as one block of plain data: how
 * they cross a ring, and how the fold keeps them. */
#ifndef SIGNATURES_FLAT_H
#define SIGNATURES_FLAT_H

#include "signatures/finding.h"

/* Bytes that flat_write() needs for this message (causes merged into one) and findings. */
size_t flat_size(const struct msg *m, const struct finding *findings, size_t n);
/* Writes them; `to` is 8-aligned and flat_size() bytes long. conn is kept as a copy of its own. */
void flat_write(void *to, const struct msg *m, const struct finding *findings, size_t n);

/* The same in a block of its own, for a message that waits for long: texts are cut at 4 KiB, lists
 * behind their last item before that, so that what is kept is bounded by how many are. The caller
 * frees it. NULL: out of memory. */
void *flat_keep(const struct msg *m);

/* Views into the block: good as long as it is. The findings are copied out one at a time. */
struct flat_view {
    struct msg m;
    struct conn_info conn;
    size_t n_findings;
    struct bytes findings; /* for flat_finding() */
};
void flat_read(const void *block,
               struct flat_view *v); /* v->m.conn points to v->conn: do not move v */
bool flat_finding(struct flat_view *v, struct finding *f); /* the next one; false: no more */

#endif
