/* content/codec_base64.c - base64 as a codec. */
#include "dissectors/content/base64.h"
#include "dissectors/content/codec.h"

static bool base64_open(void *state, struct arena *arena)
{
    (void)state, (void)arena;
    return true;
}

static enum step base64_run(void *state, struct bytes *in, struct room *out)
{
    struct base64 *b = state;
    size_t room = out->len - out->used;
    if (room <= BASE64_ROOM(0))
        return STEP_MORE;
    struct bytes piece = bytes_cut(in, (room - BASE64_ROOM(0)) / 3 * 4);
    out->used += base64_step(b, piece, out->at + out->used);
    if (b->ended)
        return STEP_END;
    return in->len == 0 && base64_whole(b) ? STEP_PAUSE : STEP_MORE;
}

static void base64_close(void *state)
{
    (void)state;
}

const struct codec codec_base64 = {
    .coding = CODING_BASE64,
    .state_size = sizeof(struct base64),
    .open = base64_open,
    .step = base64_run,
    .close = base64_close,
};
