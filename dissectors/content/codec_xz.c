/* content/codec_xz.c - xz streams, and the older .lzma format, which Python's
 * lzma.decompress takes as well (CPython:Lib/lzma.py:decompress, FORMAT_AUTO). */
#include <lzma.h>

#include "dissectors/content/codec.h"
#include "dissectors/content/unwrap_stream.h"

/* The decoder itself, beside the dictionary. */
#define XZ_SLACK (4u << 20)

struct unxz {
    lzma_stream x;
    bool running;
};

/* Begun anew on the same lzma_stream, the library uses its memory again. */
static bool begin(struct unxz *s)
{
    s->running = lzma_auto_decoder(&s->x, UNWRAP_WINDOW + XZ_SLACK, 0) == LZMA_OK;
    return s->running;
}

static bool xz_open(void *state, struct arena *arena)
{
    struct unxz *s = state;
    (void)arena;
    s->x = (lzma_stream)LZMA_STREAM_INIT;
    return begin(s);
}

static enum step xz_run(void *state, struct bytes *in, struct room *out)
{
    struct unxz *s = state;
    size_t given = in->len, room = out->len - out->used;
    if (!s->running && !begin(s))
        return STEP_LIMIT;
    s->x.next_in = in->at;
    s->x.avail_in = given;
    s->x.next_out = out->at + out->used;
    s->x.avail_out = room;
    lzma_ret result = lzma_code(&s->x, LZMA_RUN);
    bytes_cut(in, given - s->x.avail_in);
    out->used += room - s->x.avail_out;
    if (result == LZMA_STREAM_END) {
        s->running = false;
        return STEP_END;
    }
    if (result == LZMA_MEM_ERROR || result == LZMA_MEMLIMIT_ERROR)
        return STEP_LIMIT;
    return result == LZMA_OK || result == LZMA_BUF_ERROR ? STEP_MORE : STEP_BAD;
}

static void xz_close(void *state)
{
    struct unxz *s = state;
    lzma_end(&s->x);
}

const struct codec codec_xz = {
    .coding = CODING_XZ,
    .state_size = sizeof(struct unxz),
    .many = true,
    .open = xz_open,
    .step = xz_run,
    .close = xz_close,
};
