/* out/fold.h - repeats of a finding become one record and one closing record.
 * Windows are fixed, from the first finding, in packet time. */
#ifndef OUT_FOLD_H
#define OUT_FOLD_H

#include "out/encode.h"

struct fold;

/* Takes what is to be written: the first of a key at once (fold NULL), a closing record
 * with final set when more followed. The message and finding are the fold's own copies. */
typedef void fold_fn(void *ctx, const struct msg *m, const struct finding *f,
                     const struct fold_state *fold);

/* max_keys bounds the open windows (and 128 MiB what they hold): beyond it the one that would end
 * first is closed early. off: --no-fold. NULL: no memory. */
struct fold *fold_new(size_t max_keys, bool off, fold_fn *emit, void *ctx);
/* true: it is new and was emitted; false: counted into an open window. */
bool fold_add(struct fold *f, const struct msg *m, const struct finding *finding);
/* Closes windows that ended before now, in the order (end of window, first ordinal, serial). */
void fold_tick(struct fold *f, int64_t now_ns);
void fold_finish(struct fold *f); /* closes all */
void fold_free(struct fold *f);

#endif
