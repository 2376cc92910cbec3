/* content/codec_brotli.c - brotli streams (RFC 7932). */
#include <brotli/decode.h>

#include "dissectors/content/codec.h"

static bool brotli_open(void *state, struct arena *arena)
{
    BrotliDecoderState **s = state;
    (void)arena;
    *s = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    return *s != NULL;
}

static enum step brotli_run(void *state, struct bytes *in, struct room *out)
{
    BrotliDecoderState **s = state;
    size_t given = in->len, room = out->len - out->used;
    const uint8_t *from = in->at;
    uint8_t *to = out->at + out->used;
    size_t left = given, free_room = room;
    BrotliDecoderResult result =
        BrotliDecoderDecompressStream(*s, &left, &from, &free_room, &to, NULL);
    bytes_cut(in, given - left);
    out->used += room - free_room;
    switch (result) {
    case BROTLI_DECODER_RESULT_SUCCESS: return STEP_END;
    case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
    case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: return STEP_MORE;
    case BROTLI_DECODER_RESULT_ERROR: break;
    }
    /* the library's errors of allocation, ERROR_ALLOC_*, are these numbers */
    int error = BrotliDecoderGetErrorCode(*s);
    return error <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
                   error >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES
               ? STEP_LIMIT
               : STEP_BAD;
}

static void brotli_close(void *state)
{
    BrotliDecoderState **s = state;
    if (*s)
        BrotliDecoderDestroyInstance(*s);
}

const struct codec codec_brotli = {
    .coding = CODING_BROTLI,
    .state_size = sizeof(BrotliDecoderState *),
    .weight = 4,
    .open = brotli_open,
    .step = brotli_run,
    .close = brotli_close,
};
