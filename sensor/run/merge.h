/* run/merge.h - what several lanes say, in the one order: position, the flow's
 * serial, then as said. Each lane speaks in that order already, so the smallest of
 * their next items is next of all, once every silent lane has passed its position.
 *
 * Items are taken out of the rings into lists, so that no lane waits for another:
 * the bound holds for lanes that are ahead, what holds up the rest is always taken. */
#ifndef RUN_MERGE_H
#define RUN_MERGE_H

#include "run/lane.h"

struct merge;

/* lanes: the caller's, as long as the merge lives. max_bytes: what may wait in all. */
struct merge *merge_new(struct lane **lanes, unsigned n, size_t max_bytes);
void merge_free(struct merge *m);

/* A second of packet time: comes after all items up to its position. */
struct merge_tick {
    uint64_t position;
    struct stamp now;
};

struct merge_out {
    void (*item)(void *ctx, const void *flat); /* a flat message */
    void (*tick)(void *ctx, struct stamp now);
    void *ctx;
};

/* Takes what the rings hold and says what can be said; `current` is the capture's position,
 * ticks a ring of struct merge_tick. false: there was nothing to do. */
bool merge_step(struct merge *m, uint64_t current, struct ring *ticks, const struct merge_out *out);

#endif
