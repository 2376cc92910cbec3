/* signatures/detector.h - one question asked of messages.
 *
 * A message detector sees the messages of one shard and keeps nothing between
 * them. A cluster detector sees the messages of all shards that it wants, in
 * packet order, in one thread, and may remember, within bounds. No detector sees
 * packets, flows or sockets. */
#ifndef SIGNATURES_DETECTOR_H
#define SIGNATURES_DETECTOR_H

#include "base/arena.h"
#include "base/tally.h"
#include "signatures/finding.h"
#include "signatures/policy.h"

struct detect_out {
    const struct policy *policy;
    struct arena *
        arena; /* evidence may live here: good until the message ends; NULL for cluster detectors */
    finding_fn *emit;
    void *ctx;
};

struct message_detector {
    const char *name;
    unsigned wants; /* mask of msg_kind */
    void (*check)(const struct msg *m, const struct detect_out *out);
};

struct cluster_detector {
    const char *name;
    unsigned wants;                             /* mask of msg_kind */
    void *(*open)(const struct policy *policy); /* NULL: out of memory */
    void (*note)(void *self, const struct msg *m, const struct detect_out *out);
    /* Every second of packet time; findings take the message that counted last. */
    void (*tick)(void *self, struct stamp now, const struct detect_out *out);
    /* At the end of input, after its last tick. NULL: nothing to say there. */
    void (*finish)(void *self, struct stamp now, const struct detect_out *out);
    void (*close)(void *self);
};

extern const struct message_detector *const message_detectors[]; /* NULL at the end */
extern const struct cluster_detector *const cluster_detectors[]; /* NULL at the end */

#endif
