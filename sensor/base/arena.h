/* base/arena.h - one message's worth of memory, released in one step.
 *
 * arena_get() returns NULL once `limit` is reached; callers treat that as
 * "this message is too large to analyse further", count it and go on. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/bytes.h"

struct arena;

struct arena *arena_new(size_t limit);
void *arena_get(struct arena *a, size_t n); /* zeroed, max-aligned */
struct bytes arena_copy(struct arena *a, struct bytes b);
/* As arena_get, not zeroed: for buffers that are filled at once. */
void *arena_raw(struct arena *a, size_t n);
/* A message's worth: what was taken after the mark goes with the rewind. */
struct arena_mark {
    void *block;
    size_t used;
};
struct arena_mark arena_mark(const struct arena *a);
void arena_rewind(struct arena *a, struct arena_mark to);
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

#endif
