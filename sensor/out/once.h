/* out/once.h - "have I seen this before?", of the last so many keys and so long a
 * time: how a task that crosses the wire four times stays one finding.
 *
 * Bounded: a flood of new keys forgets the keys that were seen longest ago. The
 * answers follow from the calls alone. */
#ifndef OUT_ONCE_H
#define OUT_ONCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct once;

/* Memory grows with use, 48 bytes a key. NULL: no memory. */
struct once *once_new(size_t max_keys, int64_t keep_ns);
void once_free(struct once *o); /* NULL is allowed */

/* true: the key was seen within keep_ns of packet time. Remembers it in any case, from
 * the latest time at which it was seen. Out of memory: false. */
bool once_seen(struct once *o, uint64_t key, int64_t ns);

#endif
