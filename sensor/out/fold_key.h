/* out/fold_key.h - what repeats of a finding have in common, as bytes that are
 * compared whole: no two different things share a window by a hash. */
#ifndef OUT_FOLD_KEY_H
#define OUT_FOLD_KEY_H

#include "signatures/finding.h"

enum { FOLD_KEY_PARTS = 12, FOLD_KEY_TEXT = 128, FOLD_KEY_MAX = 1024 };

struct fold_key {
    uint8_t at[FOLD_KEY_MAX];
    size_t len;
};

/* The parts that apply to a finding: its own, else its rule's; and their window. */
unsigned fold_parts(const struct finding *f, int64_t *window_ns);
void fold_key_make(struct fold_key *k, const struct msg *m, const struct finding *f,
                   unsigned parts);

/* The endpoint that stands as the source of a finding. */
const struct endpoint *fold_source(const struct msg *m, const struct finding *f);

#endif
