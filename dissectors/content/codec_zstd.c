/* content/codec_zstd.c - zstd frames, skippable ones included (RFC 8878). The library may have been
 * built with decoders for the formats before 1.0 too; Python's zstandard has none, and neither
 * shall this: a frame's first four bytes are looked at here. */
#include <zstd.h>
#include <zstd_errors.h>

#include "base/gather.h"
#include "dissectors/content/codec.h"
#include "dissectors/content/unwrap_stream.h"

struct unzstd {
    ZSTD_DStream *z;
    struct gather magic;
    bool inside; /* of a frame, behind its first four bytes */
};

static bool zstd_open(void *state, struct arena *arena)
{
    struct unzstd *s = state;
    (void)arena;
    s->z = ZSTD_createDStream();
    return s->z &&
           !ZSTD_isError(ZSTD_DCtx_setParameter(s->z, ZSTD_d_windowLogMax, UNWRAP_WINDOW_LOG));
}

static enum step failed(size_t result)
{
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_memory_allocation:
    case ZSTD_error_frameParameter_windowTooLarge: return STEP_LIMIT;
    default: return STEP_BAD;
    }
}

static enum step decompress(struct unzstd *s, struct bytes *in, struct room *out)
{
    ZSTD_inBuffer from = {.src = in->at, .size = in->len};
    ZSTD_outBuffer to = {.dst = out->at, .size = out->len, .pos = out->used};
    size_t result = ZSTD_decompressStream(s->z, &to, &from);
    bytes_cut(in, from.pos);
    out->used = to.pos;
    if (ZSTD_isError(result))
        return failed(result);
    s->inside = result != 0;
    return result == 0 ? STEP_END : STEP_MORE;
}

static bool is_magic(struct bytes four)
{
    bool skippable = (four.at[0] & 0xf0) == 0x50 && memcmp(four.at + 1, "\x2a\x4d\x18", 3) == 0;
    return skippable || memcmp(four.at, "\x28\xb5\x2f\xfd", 4) == 0;
}

static enum step zstd_run(void *state, struct bytes *in, struct room *out)
{
    struct unzstd *s = state;
    struct bytes four;
    if (s->inside)
        return decompress(s, in, out);
    if (!gather(&s->magic, in, 4, &four))
        return STEP_MORE;
    if (!is_magic(four))
        return STEP_BAD;
    return decompress(s, &four, out);
}

static void zstd_close(void *state)
{
    struct unzstd *s = state;
    ZSTD_freeDStream(s->z);
}

/* Of the first frame. */
static uint64_t zstd_declared(struct bytes in, bool whole)
{
    (void)whole;
    unsigned long long size = ZSTD_getFrameContentSize(in.at, in.len);
    return size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR ? 0 : size;
}

const struct codec codec_zstd = {
    .coding = CODING_ZSTD,
    .state_size = sizeof(struct unzstd),
    .many = true,
    .weight = 1,
    .declared = zstd_declared,
    .open = zstd_open,
    .step = zstd_run,
    .close = zstd_close,
};
