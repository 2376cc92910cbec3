/* content/codec_bzip2.c - bzip2 streams. The library takes 4 bytes for each byte of the
 * block size that the header names, for every stream anew: the block is kept, or a row of
 * empty streams (14 bytes each) would cost an mmap each. */
#include <bzlib.h>
#include <stdlib.h>

#include "dissectors/content/codec.h"

enum { WORTH_KEEPING = 100000 };

struct bunzip {
    bz_stream b;
    bool running;
    void *spare; /* of spare_size, unused now */
    size_t spare_size;
    void *big; /* handed out, of big_size */
    size_t big_size;
};

static void *take(void *opaque, int n, int size)
{
    struct bunzip *s = opaque;
    size_t want = (size_t)n * (size_t)size;
    if (want < WORTH_KEEPING || s->big)
        return malloc(want);
    if (s->spare_size < want) {
        free(s->spare);
        s->spare = malloc(want);
        s->spare_size = s->spare ? want : 0;
    }
    s->big = s->spare;
    s->big_size = s->spare_size;
    s->spare = NULL;
    s->spare_size = 0;
    return s->big;
}

static void give(void *opaque, void *at)
{
    struct bunzip *s = opaque;
    if (!at || at != s->big) {
        free(at);
        return;
    }
    s->spare = s->big;
    s->spare_size = s->big_size;
    s->big = NULL;
}

static bool begin(struct bunzip *s)
{
    s->b = (bz_stream){.bzalloc = take, .bzfree = give, .opaque = s};
    s->running = BZ2_bzDecompressInit(&s->b, 0, 0) == BZ_OK;
    return s->running;
}

static void finish(struct bunzip *s)
{
    if (s->running)
        BZ2_bzDecompressEnd(&s->b);
    s->running = false;
}

static bool bzip2_open(void *state, struct arena *arena)
{
    (void)arena;
    return begin(state);
}

static unsigned at_most_uint(size_t n)
{
    return n > 1u << 30 ? 1u << 30 : (unsigned)n;
}

static enum step bzip2_run(void *state, struct bytes *in, struct room *out)
{
    struct bunzip *s = state;
    unsigned given = at_most_uint(in->len), room = at_most_uint(out->len - out->used);
    if (!s->running && !begin(s))
        return STEP_LIMIT;
    memcpy(&s->b.next_in, &in->at, sizeof s->b.next_in); /* not const, but only read */
    s->b.avail_in = given;
    s->b.next_out = (char *)out->at + out->used;
    s->b.avail_out = room;
    int result = BZ2_bzDecompress(&s->b);
    bytes_cut(in, given - s->b.avail_in);
    out->used += room - s->b.avail_out;
    if (result == BZ_STREAM_END) {
        finish(s);
        return STEP_END;
    }
    if (result == BZ_MEM_ERROR)
        return STEP_LIMIT;
    return result == BZ_OK ? STEP_MORE : STEP_BAD;
}

static void bzip2_close(void *state)
{
    struct bunzip *s = state;
    finish(s);
    free(s->spare);
}

const struct codec codec_bzip2 = {
    .coding = CODING_BZIP2,
    .state_size = sizeof(struct bunzip),
    .many = true,
    .weight = 32,
    .open = bzip2_open,
    .step = bzip2_run,
    .close = bzip2_close,
};
