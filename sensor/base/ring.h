/* base/ring.h - one-producer one-consumer queue of variable-size records.
 * The only way that two threads of the sensor exchange anything. */
#ifndef BASE_RING_H
#define BASE_RING_H


#include "base/bytes.h"

struct ring;

struct ring *ring_new(size_t bytes); /* rounded up to a power of two */
void        *ring_reserve(struct ring *r, size_t n); /* NULL: full */
void         ring_commit(struct ring *r);
bool         ring_peek(struct ring *r, struct bytes *record);
void         ring_drop(struct ring *r); /* done with the peeked record */
void         ring_free(struct ring *r);

#endif
