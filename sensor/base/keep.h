/* base/keep.h - a growable buffer that cannot grow past the limit it was born
 * with. Input over the limit is counted and dropped, not an error: a sensor
 * keeps the head of a large body and says that it was clipped. */
#ifndef BASE_KEEP_H
#define BASE_KEEP_H

#include "base/bytes.h"

/* What all the buffers of one worker may hold together. One thread: no atomics. */
struct budget {
    size_t used, limit;
};

struct keep {
    uint8_t *data;
    size_t len, cap, limit;
    uint64_t dropped; /* bytes seen but not kept */
    struct budget *budget;
};

void keep_init(struct keep *k, size_t limit, struct budget *budget);
void keep_add(struct keep *k, struct bytes in);
/* The same, where `in` is a piece of something of `total` bytes: room for all of it is made as soon
 * as a quarter is there, so that it is moved once at most. */
void keep_add_of(struct keep *k, struct bytes in, uint64_t total);
struct bytes keep_view(const struct keep *k);
void keep_clear(struct keep *k); /* forgets the bytes; gives the block back above 256 bytes */
void keep_free(struct keep *k);

#endif
