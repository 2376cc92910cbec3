/* run/classify.h - unwraps a body and says what it is: joins dissectors/content
 * and the pickle machine, so that interpreters need not know signatures. */
#ifndef RUN_CLASSIFY_H
#define RUN_CLASSIFY_H

#include "base/arena.h"
#include "dissectors/msg.h"
#include "dissectors/tap.h"
#include "run/conf.h"

struct classifier; /* one per worker */

/* share: how many workers divide the totals of conf->limits. `tally` outlives it. */
struct classifier *classifier_new(const struct conf *conf, unsigned share, struct tally *tally);
/* For the bodies that are larger than what is kept. */
const struct taps *classifier_taps(const struct classifier *c);
void classifier_free(struct classifier *c);

/* Fills everything of m->content, and m->pickle, which lives until the machine is needed again:
 * longer than the message's own detectors, not longer. */
void classify(struct classifier *c, struct msg *m, struct arena *arena, struct tally *tally);

/* A task, result, event or control message whose body is no pickle: looks for one in its texts and
 * sets m->nested, good as long as m->pickle would be. */
void classify_texts(struct classifier *c, struct msg *m, struct arena *arena);

/* A task or control message: what its signature is worth (signed.h). */
void classify_signature(struct classifier *c, struct msg *m, struct tally *tally);

/* Every second of packet time. */
void classifier_tick(struct classifier *c);

#endif
