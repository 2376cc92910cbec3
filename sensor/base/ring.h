/* base/ring.h - one-producer one-consumer queue of variable-size records.
 * The only way that two threads of the sensor exchange anything.
 *
 * A record lies in one piece and is aligned for any type. Never waits: who
 * finds the ring full or empty decides himself what to do. */
#ifndef BASE_RING_H
#define BASE_RING_H

#include "base/bytes.h"

struct ring;

/* `bytes` is rounded up to a power of two, at least 256. NULL: no memory. */
struct ring *ring_new(size_t bytes);

/* Producer. The place for a record of n bytes, good until ring_commit(); a
 * second reserve before the commit replaces the first. NULL: full now, or, if
 * n > ring_max_record(), always. */
void *ring_reserve(struct ring *r, size_t n);
void ring_commit(struct ring *r);

/* Consumer. The oldest record; the view is good until it is dropped. */
bool ring_peek(struct ring *r, struct bytes *record);
void ring_drop(struct ring *r); /* done with the peeked record */

/* Consumer, in batches: up to `max` of the oldest records, returns how many;
 * the first n of them are dropped in one step. */
size_t ring_peek_many(struct ring *r, struct bytes *records, size_t max);
void ring_drop_many(struct ring *r, size_t n);

/* The longest record that always fits once the ring is empty; any thread. */
size_t ring_max_record(const struct ring *r);
/* Bytes in use with their headers; exact when both sides rest; any thread. */
size_t ring_used(const struct ring *r);
size_t ring_capacity(const struct ring *r);

void ring_free(struct ring *r);

#endif
