/* base/lru.h - a bounded map from a 64-bit key to a value of fixed size that
 * forgets what was used longest ago. Same calls, same content: no clock, no
 * random seed. One thread. */
#ifndef BASE_LRU_H
#define BASE_LRU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lru;

/* `gone` (may be NULL) is called with each value that is forgotten, and with those
 * that are left at lru_free(). Memory grows with use, up to max entries. */
typedef void lru_gone_fn(void *ctx, uint64_t key, void *value);
struct lru *lru_new(size_t max, size_t value_size, lru_gone_fn *gone, void *ctx);
void lru_free(struct lru *l);

/* The value of a key, made young; NULL: not there. Good until the next lru_put(). */
void *lru_get(struct lru *l, uint64_t key);
/* The value of a key, made young; a new one is zeroed and *fresh set. NULL: out of memory. */
void *lru_put(struct lru *l, uint64_t key, bool *fresh);
size_t lru_count(const struct lru *l);
uint64_t lru_evicted(const struct lru *l); /* forgotten for want of room */

#endif
