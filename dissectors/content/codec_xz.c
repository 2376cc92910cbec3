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

#define INDEX_MOST (4u << 20) /* memory for an index */

/* The index before the footer of the last stream (tukaani.org/xz/xz-file-format.txt, 4 and 2.1.2);
 * the older .lzma format names the length behind its properties (xz:doc/lzma-file-format.txt). */
static uint64_t xz_declared(struct bytes in, bool whole)
{
    lzma_stream_flags footer;
    lzma_index *index = NULL;
    uint64_t memory = INDEX_MOST, size = 0;
    size_t from = 0;
    if (in.len >= 13 && in.at[0] == 0x5d) {
        for (unsigned i = 0; i < 8; i++)
            size |= (uint64_t)in.at[5 + i] << (8 * i);
        return size == UINT64_MAX ? 0 : size;
    }
    if (!whole || in.len < 2 * LZMA_STREAM_HEADER_SIZE ||
        lzma_stream_footer_decode(&footer, in.at + in.len - LZMA_STREAM_HEADER_SIZE) != LZMA_OK ||
        footer.backward_size > in.len - 2 * LZMA_STREAM_HEADER_SIZE)
        return 0;
    const uint8_t *at = in.at + in.len - LZMA_STREAM_HEADER_SIZE - footer.backward_size;
    if (lzma_index_buffer_decode(&index, &memory, NULL, at, &from, (size_t)footer.backward_size) ==
        LZMA_OK)
        size = lzma_index_uncompressed_size(index);
    lzma_index_end(index, NULL);
    return size;
}

const struct codec codec_xz = {
    .coding = CODING_XZ,
    .state_size = sizeof(struct unxz),
    .many = true,
    .weight = 10,
    .declared = xz_declared,
    .open = xz_open,
    .step = xz_run,
    .close = xz_close,
};
