/* content/codec_zstd.c - zstd frames, skippable ones included (RFC 8878). */
#include <zstd.h>
#include <zstd_errors.h>

#include "dissectors/content/codec.h"
#include "dissectors/content/unwrap_stream.h"

static bool zstd_open(void *state, struct arena *arena)
{
    ZSTD_DStream **s = state;
    (void)arena;
    *s = ZSTD_createDStream();
    return *s && !ZSTD_isError(ZSTD_DCtx_setParameter(*s, ZSTD_d_windowLogMax, UNWRAP_WINDOW_LOG));
}

static enum step failed(size_t result)
{
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_memory_allocation:
    case ZSTD_error_frameParameter_windowTooLarge: return STEP_LIMIT;
    default: return STEP_BAD;
    }
}

static enum step zstd_run(void *state, struct bytes *in, struct room *out)
{
    ZSTD_DStream **s = state;
    ZSTD_inBuffer from = {.src = in->at, .size = in->len};
    ZSTD_outBuffer to = {.dst = out->at, .size = out->len, .pos = out->used};
    size_t result = ZSTD_decompressStream(*s, &to, &from);
    bytes_cut(in, from.pos);
    out->used = to.pos;
    if (ZSTD_isError(result))
        return failed(result);
    return result == 0 ? STEP_END : STEP_MORE;
}

static void zstd_close(void *state)
{
    ZSTD_DStream **s = state;
    ZSTD_freeDStream(*s);
}

const struct codec codec_zstd = {
    .coding = CODING_ZSTD,
    .state_size = sizeof(ZSTD_DStream *),
    .many = true,
    .open = zstd_open,
    .step = zstd_run,
    .close = zstd_close,
};
