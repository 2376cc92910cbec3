/* base/arena.c - see arena.h. A list of blocks, newest first. The first one
 * stays between resets, so that a small message costs no malloc; under
 * AddressSanitizer what is not handed out is poisoned, so that a view kept too
 * long is reported. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISON 1
#endif
#endif
#ifdef ARENA_POISON
#include <sanitizer/asan_interface.h>
#define poison(p, n)   ASAN_POISON_MEMORY_REGION(p, n)
#define unpoison(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define poison(p, n)   ((void)(p), (void)(n))
#define unpoison(p, n) ((void)(p), (void)(n))
#endif

enum { ARENA_ALIGN = alignof(max_align_t), ARENA_BLOCK = 64 << 10 };

struct block {
    struct block *older;
    size_t size, used;
    size_t before; /* handed out from the older blocks */
    alignas(max_align_t) uint8_t data[];
};

struct arena {
    struct block *newest;
    size_t limit;
};

static struct block *block_new(struct block *older, size_t size)
{
    struct block *b = malloc(sizeof *b + size);
    if (!b)
        return NULL;
    *b = (struct block){.older = older, .size = size};
    if (older)
        b->before = older->before + older->used;
    poison(b->data, size);
    return b;
}

static struct block *block_free(struct block *b)
{
    struct block *older = b->older;
    unpoison(b->data, b->size);
    free(b);
    return older;
}

struct arena *arena_new(size_t limit)
{
    struct arena *a = malloc(sizeof *a);
    if (!a)
        return NULL;
    *a = (struct arena){.newest = block_new(NULL, ARENA_BLOCK), .limit = limit};
    if (a->newest)
        return a;
    free(a);
    return NULL;
}

/* A new block, twice the last one, or as large as one request needs. */
static struct block *arena_grow(struct arena *a, size_t n)
{
    size_t size = a->newest->size <= SIZE_MAX / 2 ? a->newest->size * 2 : a->newest->size;
    size_t left = a->limit - (a->newest->before + a->newest->used);
    if (size > left)
        size = left;
    if (size < n)
        size = n;
    struct block *b = block_new(a->newest, size);
    if (b)
        a->newest = b;
    return b;
}

void *arena_raw(struct arena *a, size_t n)
{
    if (n > SIZE_MAX - ARENA_ALIGN)
        return NULL;
    size_t want = n > 0 ? (n + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN : ARENA_ALIGN;
    struct block *b = a->newest;
    size_t taken = b->before + b->used;
    if (taken > a->limit || want > a->limit - taken)
        return NULL;
    if (want > b->size - b->used) {
        b = arena_grow(a, want);
        if (!b)
            return NULL;
    }
    void *at = b->data + b->used;
    b->used += want;
    unpoison(at, n);
    return at;
}

void *arena_get(struct arena *a, size_t n)
{
    void *at = arena_raw(a, n);
    if (at && n > 0)
        memset(at, 0, n);
    return at;
}

struct bytes arena_copy(struct arena *a, struct bytes b)
{
    if (b.len == 0)
        return (struct bytes){0};
    void *at = arena_raw(a, b.len);
    if (!at)
        return (struct bytes){0};
    memcpy(at, b.at, b.len);
    return bytes_of(at, b.len);
}

struct arena_mark arena_mark(const struct arena *a)
{
    return (struct arena_mark){.block = a->newest, .used = a->newest->used};
}

void arena_rewind(struct arena *a, struct arena_mark to)
{
    while (a->newest != to.block)
        a->newest = block_free(a->newest);
    struct block *b = a->newest;
    b->used = to.used;
    poison(b->data + b->used, b->size - b->used);
}

void arena_reset(struct arena *a)
{
    while (a->newest->older)
        a->newest = block_free(a->newest);
    a->newest->used = 0;
    poison(a->newest->data, a->newest->size);
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    for (struct block *b = a->newest; b;)
        b = block_free(b);
    free(a);
}
