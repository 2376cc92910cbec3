/* content/collect.h - where the output of a codec goes: kept up to a bound, counted
 * beyond it, stopped where it is a bomb, or where counting on would cost too much. */
#ifndef CONTENT_COLLECT_H
#define CONTENT_COLLECT_H

#include "base/arena.h"
#include "dissectors/content/unwrap_stream.h"

struct collect {
    struct arena *arena;
    uint8_t *at;
    size_t len, room;
    bool heap;      /* at is malloc'd, and is not the arena's */
    bool no_memory; /* nothing more is kept */
    size_t most;    /* bytes to keep */
    uint64_t seen;  /* bytes that came */
    uint64_t total; /* more than this is a bomb */
    uint64_t ratio; /* and so is more than this, once a MiB has come */
    bool bomb;
    uint64_t work;   /* what may still be spent */
    uint64_t half;   /* at most this is left of it: the second half of what comes */
    uint32_t weight; /* what a byte costs */
    bool spent;      /* more would have come */
    const struct unwrap_stream *from; /* where it comes from */
    uint64_t half_seen, half_in;      /* out of it and into it, when the half came */
};

/* What one message's compressions may cost together, in the bytes of the cheapest of them; what is
 * kept is always had. */
#define COLLECT_WORK (256u << 20)
/* A bomb shows behind the first of its output. */
#define COLLECT_FREE (1u << 20)

/* `first`: how much room to begin with. */
void collect_begin(struct collect *c, struct arena *arena, const struct unwrap_stream *from,
                   size_t first);
/* An unwrap_fn: ctx is the struct collect. false: a bomb, or too much work; send no more. */
bool collect_add(void *ctx, struct bytes out);
/* The first `len` bytes of what was kept, in the arena; empty when that is full. */
struct bytes collect_take(struct collect *c, uint64_t len);
/* Forgets all; needed unless collect_take() was called. */
void collect_drop(struct collect *c);

#endif
