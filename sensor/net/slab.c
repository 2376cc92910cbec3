/* net/slab.c - see slab.h. */
#include "net/slab.h"

#include <stdlib.h>
#include <sys/mman.h>

#define HUGE ((size_t)2 << 20)
enum { CHUNK_PAGES = 16 };

static size_t round_up(size_t n)
{
    return (n + HUGE - 1) / HUGE * HUGE;
}

void *huge_map(size_t bytes)
{
    size_t want = round_up(bytes);
    uint8_t *at = mmap(NULL, want + HUGE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
    size_t before = (HUGE - (uintptr_t)at % HUGE) % HUGE;
    if (before > 0)
        munmap(at, before);
    if (before < HUGE)
        munmap(at + before + want, HUGE - before);
    madvise(at + before, want, MADV_HUGEPAGE); /* a wish */
    return at + before;
}

void huge_unmap(void *at, size_t bytes)
{
    if (at)
        munmap(at, round_up(bytes));
}

void slab_init(struct slab *s, size_t slot_size)
{
    *s = (struct slab){.slot_size = slot_size, .next = 1};
    /* Of a chunk that is no multiple of huge pages the end of the last is lost: little of many. */
    while (slot_size << s->shift < CHUNK_PAGES * HUGE)
        s->shift++;
}

static size_t chunk_bytes(const struct slab *s)
{
    return s->slot_size << s->shift;
}

static int add_chunk(struct slab *s)
{
    uint8_t **list = realloc(s->chunk, (s->chunk_n + 1) * sizeof *list);
    if (!list)
        return 0;
    s->chunk = list;
    list[s->chunk_n] = huge_map(chunk_bytes(s));
    if (!list[s->chunk_n])
        return 0;
    s->chunk_n++;
    return 1;
}

uint32_t slab_take(struct slab *s)
{
    if (s->spare_n > 0)
        return s->spare[--s->spare_n];
    if (s->next >> s->shift >= s->chunk_n && (s->next > UINT32_MAX / 2 || !add_chunk(s)))
        return 0;
    /* Room to take every slot back, so that giving never fails. */
    if (s->next > s->spare_cap) {
        size_t cap = s->spare_cap > 0 ? s->spare_cap * 2 : 1024;
        uint32_t *spare = realloc(s->spare, cap * sizeof *spare);
        if (!spare)
            return 0;
        s->spare = spare;
        s->spare_cap = cap;
    }
    return s->next++;
}

void slab_give(struct slab *s, uint32_t slot)
{
    s->spare[s->spare_n++] = slot;
}

void slab_free(struct slab *s)
{
    for (uint32_t i = 0; i < s->chunk_n; i++)
        huge_unmap(s->chunk[i], chunk_bytes(s));
    free(s->chunk);
    free(s->spare);
    *s = (struct slab){0};
}
