/* content/collect.c - see collect.h. Small results grow in the arena; large ones on the
 * heap, where realloc can move pages instead of bytes, and are copied once, at their
 * exact size: an arena cannot give back the blocks that a result has outgrown. */
#include "dissectors/content/collect.h"

#include <stdlib.h>

enum { ARENA_MOST = 256 << 10 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

void collect_begin(struct collect *c, struct arena *arena, const struct unwrap_stream *from,
                   size_t first)
{
    c->arena = arena;
    c->from = from;
    c->half = c->work / 2;
    c->half_seen = c->half_in = 0;
    c->room = least(least(first, ARENA_MOST), c->most);
    c->at = arena_raw(arena, c->room);
    c->len = 0;
    c->heap = c->bomb = c->spent = false;
    c->no_memory = c->at == NULL;
    c->seen = 0;
}

static bool grow(struct collect *c, size_t need)
{
    size_t room = c->room;
    while (room < need)
        room = room < 512 ? 1024 : room * 2;
    room = room < c->most ? room : c->most;
    uint8_t *at;
    if (room <= ARENA_MOST)
        at = arena_raw(c->arena, room);
    else
        at = realloc(c->heap ? c->at : NULL, room);
    if (!at)
        return false;
    if (!c->heap && c->len > 0)
        memcpy(at, c->at, c->len);
    c->heap = room > ARENA_MOST;
    c->at = at;
    c->room = room;
    return true;
}

static bool may_work(struct collect *c, size_t n)
{
    uint64_t cost = (uint64_t)n * c->weight;
    c->work = c->work > cost ? c->work - cost : 0;
    if (c->half_in == 0 && c->work <= c->half) {
        c->half_seen = c->seen;
        c->half_in = unwrap_stream_in(c->from);
    }
    c->spent = c->work == 0 && c->seen >= c->most;
    return !c->spent;
}

bool collect_add(void *ctx, struct bytes out)
{
    struct collect *c = ctx;
    struct bytes keep = bytes_head(out, c->no_memory ? 0 : c->most - c->len);
    c->seen += out.len;
    if (keep.len > c->room - c->len && !grow(c, c->len + keep.len)) {
        c->no_memory = true;
        keep.len = c->room - c->len;
    }
    if (keep.len > 0)
        memcpy(c->at + c->len, keep.at, keep.len);
    c->len += keep.len;
    c->bomb = c->seen > c->total || (c->seen > COLLECT_FREE && c->seen > c->ratio);
    return !c->bomb && may_work(c, out.len);
}

void collect_drop(struct collect *c)
{
    if (c->heap)
        free(c->at);
    c->at = NULL;
    c->heap = false;
    c->len = c->room = 0;
}

struct bytes collect_take(struct collect *c, uint64_t len)
{
    struct bytes kept = bytes_of(c->at, len < c->len ? (size_t)len : c->len);
    if (!c->heap)
        return kept;
    size_t had = kept.len;
    kept = arena_copy(c->arena, kept);
    if (kept.len < had)
        c->no_memory = true;
    collect_drop(c);
    return kept;
}
