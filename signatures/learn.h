/* signatures/learn.h - from what was seen to a baseline: facts go in one by one, in any order, and
 * what is there already stays and swallows what it covers. Names that differ in a generated part
 * become one glob (learn_shape.h), addresses one network (learn_networks.h); controllers stay as
 * they are. No I/O. One thread. */
#ifndef SIGNATURES_LEARN_H
#define SIGNATURES_LEARN_H

#include "signatures/learn_networks.h"

/* A worker that never said its name, by this one: no node can have it. Likewise a pickle in no
 * queue. */
#define LEARN_NO_NODE  "(silent)"
#define LEARN_NO_QUEUE "(no queue)"

struct learner;

/* existing: what is there before; taken over, and left zeroed. known (may be NULL): another
 * baseline, which outlives the learner; what it covers is not learnt. NULL: no memory. */
struct learner *learner_new(const struct learn_conf *conf, struct baseline *existing,
                            const struct baseline *known);
void learner_free(struct learner *l);

/* who NULL, user, task, queue, node empty: not known. An empty host: no origin is written. */
void learner_producer(struct learner *l, struct bytes host, const struct endpoint *who,
                      struct bytes user, struct bytes task);
void learner_worker(struct learner *l, struct bytes node, const struct endpoint *who,
                    struct bytes user, struct bytes queue);
void learner_task(struct learner *l, struct bytes task);
void learner_import(struct learner *l, struct bytes queue, struct bytes module);
void learner_controller(struct learner *l, const struct endpoint *who, struct bytes command);
/* Monitors and schedulers. */
void learner_address(struct learner *l, enum baseline_section s, const struct endpoint *who);

/* The result, sorted; the learner's own. All sections are present but relays; with `known`, those
 * in which there is something. NULL: no memory. Nothing is fed after it. */
struct baseline *learner_finish(struct learner *l);

/* Facts that were left out: a name that is no UTF-8, or has control characters in it. */
size_t learner_odd(const struct learner *l);
/* Names that stay as they are because they consist of nothing but what is generated. */
size_t learner_bare(const struct learner *l);

#endif
