/* net/slab.h - inside flow only: equal slots by number, in chunks of huge pages
 * that are mapped as they are needed and stay until the end. Slot 0 is never
 * given out. */
#ifndef NET_SLAB_H
#define NET_SLAB_H

#include <stddef.h>
#include <stdint.h>

struct slab {
    uint8_t **chunk;
    size_t slot_size;
    unsigned shift; /* slots of a chunk, as a power of two */
    uint32_t chunk_n, next, *spare;
    size_t spare_n, spare_cap;
};

/* slot_size: a multiple of 64. */
void slab_init(struct slab *s, size_t slot_size);
uint32_t slab_take(struct slab *s); /* contents undefined; 0: no memory */
void slab_give(struct slab *s, uint32_t slot);
void slab_free(struct slab *s);

static inline void *slab_at(const struct slab *s, uint32_t slot)
{
    size_t within = slot & (((uint32_t)1 << s->shift) - 1);
    return s->chunk[slot >> s->shift] + within * s->slot_size;
}

/* For other large tables: zeroed, 2 MiB aligned, in huge pages where the system has
 * them. NULL: no memory. */
void *huge_map(size_t bytes);
void huge_unmap(void *at, size_t bytes);

#endif
