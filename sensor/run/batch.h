/* run/batch.h - packets put by until there are enough to ask the memory for what all of them will
 * touch. A copy costs something: only for a worker with more connections than a cache holds. */
#ifndef RUN_BATCH_H
#define RUN_BATCH_H

#include "run/worker.h"

#define BATCH_PACKETS 16u
#define BATCH_BYTES   (16u << 10)

struct batch {
    unsigned n;
    size_t used;
    struct packet packets[BATCH_PACKETS];
    uint8_t bytes[BATCH_BYTES];
};

/* Now or later, in order. */
void batch_packet(struct batch *b, struct worker *w, const struct packet *p);
/* All that was put by: before anything else is asked of the worker. */
void batch_flush(struct batch *b, struct worker *w);

#endif
