/* content/codec_zlib.c - zlib and gzip streams (RFC 1950, 1952). */
#include <stdlib.h>
#include <zlib.h>

#include "dissectors/content/codec.h"

struct inflating {
    z_stream z;
    bool again; /* a member ended: what follows is another one */
};

/* 7 KiB at once and the window of 32 KiB when it is needed. */
static void *take(void *arena, unsigned n, unsigned size)
{
    return arena ? arena_raw(arena, (size_t)n * size) : calloc(n, size);
}

static void give(void *arena, void *at)
{
    if (!arena)
        free(at);
}

static bool start(struct inflating *s, struct arena *arena, int window_bits)
{
    s->z.zalloc = take;
    s->z.zfree = give;
    s->z.opaque = arena;
    return inflateInit2(&s->z, window_bits) == Z_OK;
}

static bool zlib_open(void *state, struct arena *arena)
{
    return start(state, arena, MAX_WBITS);
}

static bool gzip_open(void *state, struct arena *arena)
{
    return start(state, arena, MAX_WBITS + 16);
}

static unsigned at_most_uint(size_t n)
{
    return n > 1u << 30 ? 1u << 30 : (unsigned)n;
}

static enum step zlib_run(void *state, struct bytes *in, struct room *out)
{
    struct inflating *s = state;
    unsigned given = at_most_uint(in->len), room = at_most_uint(out->len - out->used);
    memcpy(&s->z.next_in, &in->at, sizeof s->z.next_in); /* not const, but only read */
    s->z.avail_in = given;
    s->z.next_out = out->at + out->used;
    s->z.avail_out = room;
    int result = inflate(&s->z, Z_NO_FLUSH);
    bytes_cut(in, given - s->z.avail_in);
    out->used += room - s->z.avail_out;
    if (result == Z_STREAM_END)
        return STEP_END;
    if (result == Z_MEM_ERROR)
        return STEP_LIMIT;
    return result == Z_OK || result == Z_BUF_ERROR ? STEP_MORE : STEP_BAD;
}

/* Members in a row, zeros between them allowed (CPython:Lib/gzip.py:_read_gzip_header). */
static enum step gzip_run(void *state, struct bytes *in, struct room *out)
{
    struct inflating *s = state;
    if (s->again) {
        while (in->len > 0 && in->at[0] == 0)
            bytes_cut(in, 1);
        if (in->len == 0)
            return STEP_PAUSE;
        s->again = false;
        if (inflateReset(&s->z) != Z_OK)
            return STEP_BAD;
    }
    enum step step = zlib_run(state, in, out);
    s->again = step == STEP_END;
    return step;
}

static void zlib_close(void *state)
{
    struct inflating *s = state;
    inflateEnd(&s->z);
}

/* Of the last member, modulo 2^32 (RFC 1952, 2.3.1). */
static uint64_t gzip_declared(struct bytes in, bool whole)
{
    if (!whole || in.len < 18)
        return 0;
    const uint8_t *at = in.at + in.len - 4;
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24;
}

const struct codec codec_zlib = {
    .coding = CODING_ZLIB,
    .state_size = sizeof(struct inflating),
    .weight = 4,
    .open = zlib_open,
    .step = zlib_run,
    .close = zlib_close,
};

const struct codec codec_gzip = {
    .coding = CODING_GZIP,
    .state_size = sizeof(struct inflating),
    .many = true,
    .weight = 4,
    .declared = gzip_declared,
    .open = gzip_open,
    .step = gzip_run,
    .close = zlib_close,
};
