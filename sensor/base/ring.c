/* base/ring.c - see ring.h. Positions count bytes and never wrap; a record that
 * does not fit before the end of the buffer is put at its start, behind a
 * filler. Each side keeps a copy of the other's position and looks at the real
 * one, a cache line of another core, only when the copy says full or empty. */
#include "base/ring.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { RING_ALIGN = 16, RING_MIN = 256, CACHE_LINE = 64 };

/* Before each record; RING_ALIGN bytes, so that the record stays aligned. */
struct head {
    uint64_t len;
    uint64_t filler; /* 1: nothing here, go on at the start of the buffer */
};
_Static_assert(sizeof(struct head) == RING_ALIGN, "the head keeps the record aligned");

struct ring {
    uint8_t *buffer;
    size_t size;

    alignas(CACHE_LINE) _Atomic uint64_t written; /* by the producer */
    uint64_t seen_read, reserved;

    alignas(CACHE_LINE) _Atomic uint64_t read; /* by the consumer */
    uint64_t seen_written;
};

struct ring *ring_new(size_t bytes)
{
    size_t size = RING_MIN;
    while (size < bytes && size <= SIZE_MAX / 4)
        size *= 2;
    struct ring *r = aligned_alloc(CACHE_LINE, sizeof *r);
    if (!r)
        return NULL;
    memset(r, 0, sizeof *r);
    r->buffer = aligned_alloc(CACHE_LINE, size);
    r->size = size;
    if (r->buffer)
        return r;
    free(r);
    return NULL;
}

static struct head *head_at(const struct ring *r, uint64_t position)
{
    return (struct head *)(void *)(r->buffer + (position & (r->size - 1)));
}

static uint64_t span_of(uint64_t len)
{
    return sizeof(struct head) + (len + RING_ALIGN - 1) / RING_ALIGN * RING_ALIGN;
}

static bool has_room(struct ring *r, uint64_t upto)
{
    if (upto - r->seen_read <= r->size)
        return true;
    r->seen_read = atomic_load_explicit(&r->read, memory_order_acquire);
    return upto - r->seen_read <= r->size;
}

void *ring_reserve(struct ring *r, size_t n)
{
    if (n > ring_max_record(r))
        return NULL;
    uint64_t at = atomic_load_explicit(&r->written, memory_order_relaxed);
    uint64_t to_end = r->size - (at & (r->size - 1));
    uint64_t skip = span_of(n) > to_end ? to_end : 0;
    if (!has_room(r, at + skip + span_of(n)))
        return NULL;
    if (skip > 0)
        *head_at(r, at) = (struct head){.len = skip - sizeof(struct head), .filler = 1};
    struct head *h = head_at(r, at + skip);
    *h = (struct head){.len = n};
    r->reserved = at + skip + span_of(n);
    return h + 1;
}

void ring_commit(struct ring *r)
{
    atomic_store_explicit(&r->written, r->reserved, memory_order_release);
}

/* The record at or behind *at, which is moved past it; false: none yet. */
static bool next_record(struct ring *r, uint64_t *at, struct bytes *record)
{
    if (*at == r->seen_written)
        r->seen_written = atomic_load_explicit(&r->written, memory_order_acquire);
    if (*at == r->seen_written)
        return false;
    struct head *h = head_at(r, *at);
    if (h->filler) { /* committed together with the record behind it */
        *at += span_of(h->len);
        h = head_at(r, *at);
    }
    *record = bytes_of(h + 1, (size_t)h->len);
    *at += span_of(h->len);
    return true;
}

bool ring_peek(struct ring *r, struct bytes *record)
{
    uint64_t at = atomic_load_explicit(&r->read, memory_order_relaxed);
    return next_record(r, &at, record);
}

size_t ring_peek_many(struct ring *r, struct bytes *records, size_t max)
{
    uint64_t at = atomic_load_explicit(&r->read, memory_order_relaxed);
    size_t n = 0;
    while (n < max && next_record(r, &at, &records[n]))
        n++;
    return n;
}

void ring_drop(struct ring *r)
{
    ring_drop_many(r, 1);
}

void ring_drop_many(struct ring *r, size_t n)
{
    uint64_t at = atomic_load_explicit(&r->read, memory_order_relaxed);
    struct bytes record;
    while (n > 0 && next_record(r, &at, &record))
        n--;
    atomic_store_explicit(&r->read, at, memory_order_release);
}

size_t ring_max_record(const struct ring *r)
{
    return r->size / 2 - sizeof(struct head);
}

size_t ring_used(const struct ring *r)
{
    /* Acquire: who sees a record dropped also sees what its consumer did before. */
    uint64_t read = atomic_load_explicit(&r->read, memory_order_acquire);
    return (size_t)(atomic_load_explicit(&r->written, memory_order_acquire) - read);
}

size_t ring_capacity(const struct ring *r)
{
    return r->size;
}

void ring_free(struct ring *r)
{
    if (!r)
        return;
    free(r->buffer);
    free(r);
}
