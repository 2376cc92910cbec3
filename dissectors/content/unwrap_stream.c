/* content/unwrap_stream.c - see unwrap_stream.h.
 *
 *   GOING --end of a stream--> WHOLE --more input, and streams may follow--> GOING
 *     |                          '--more input, and none may follow: ignored
 *     '--not this coding--> BROKEN, or WHOLE and deaf when a whole stream went before */
#include "dissectors/content/unwrap_stream.h"

#include <stdalign.h>
#include <stdlib.h>

#include "dissectors/content/codec.h"

enum { PIECE = 32 << 10 };

struct unwrap_stream {
    const struct codec *codec;
    struct arena *arena;
    enum unwrap_state state;
    bool deaf;  /* what comes now does not belong to it */
    bool ended; /* at least one stream was whole */
    uint64_t in, out, whole_out;
    alignas(max_align_t) uint8_t codec_state[];
};

static const struct codec *const codecs[] = {
    [CODING_BASE64] = &codec_base64, [CODING_ZLIB] = &codec_zlib, [CODING_GZIP] = &codec_gzip,
    [CODING_BZIP2] = &codec_bzip2,   [CODING_XZ] = &codec_xz,     [CODING_ZSTD] = &codec_zstd,
    [CODING_BROTLI] = &codec_brotli,
};

struct unwrap_stream *unwrap_stream_new(enum coding coding, struct arena *arena)
{
    const struct codec *codec = codecs[coding];
    size_t size = sizeof(struct unwrap_stream) + codec->state_size;
    struct unwrap_stream *s = arena ? arena_get(arena, size) : calloc(1, size);
    if (!s)
        return NULL;
    s->codec = codec;
    s->arena = arena;
    if (codec->open(s->codec_state, arena))
        return s;
    unwrap_stream_free(s);
    return NULL;
}

void unwrap_stream_free(struct unwrap_stream *s)
{
    if (!s)
        return;
    s->codec->close(s->codec_state);
    if (!s->arena)
        free(s);
}

/* After a step that made `made` bytes and took `taken`: shall there be another? */
static bool settle(struct unwrap_stream *s, enum step step, size_t taken, size_t left, bool full)
{
    switch (step) {
    case STEP_MORE:
        if (taken > 0 || full)
            s->state = UNWRAP_GOING;
        if (left > 0 && taken == 0 && !full)
            s->state = UNWRAP_BROKEN; /* it takes nothing and makes nothing */
        return s->state != UNWRAP_BROKEN && (left > 0 || full);
    case STEP_PAUSE: s->state = UNWRAP_WHOLE; return false;
    case STEP_END:
        s->state = UNWRAP_WHOLE;
        s->whole_out = s->out;
        s->ended = true;
        s->deaf = !s->codec->many || (taken == 0 && !full);
        return !s->deaf && left > 0;
    case STEP_BAD:
        s->deaf = s->ended;
        s->state = s->ended ? UNWRAP_WHOLE : UNWRAP_BROKEN;
        return false;
    case STEP_LIMIT: s->state = UNWRAP_LIMIT; return false;
    }
    return false;
}

enum unwrap_state unwrap_stream_feed(struct unwrap_stream *s, struct bytes in, unwrap_fn *fn,
                                     void *ctx)
{
    uint8_t piece[PIECE];
    bool open = !s->deaf && (s->state == UNWRAP_GOING || s->state == UNWRAP_WHOLE);
    for (bool more = in.len > 0 && open; more;) {
        struct room room = {.at = piece, .len = sizeof piece};
        size_t before = in.len;
        enum step step = s->codec->step(s->codec_state, &in, &room);
        s->in += before - in.len;
        s->out += room.used;
        more = settle(s, step, before - in.len, in.len, room.used > 0);
        if (room.used > 0 && !fn(ctx, bytes_of(piece, room.used))) {
            s->state = UNWRAP_STOPPED;
            more = false;
        }
    }
    return s->state;
}

enum unwrap_state unwrap_stream_end(const struct unwrap_stream *s)
{
    return s->state;
}

uint64_t unwrap_stream_out(const struct unwrap_stream *s)
{
    return s->out;
}

uint64_t unwrap_stream_whole_out(const struct unwrap_stream *s)
{
    return s->state == UNWRAP_WHOLE && !s->ended ? s->out : s->whole_out;
}

uint64_t unwrap_stream_in(const struct unwrap_stream *s)
{
    return s->in;
}

uint32_t unwrap_weight(enum coding coding)
{
    return codecs[coding]->weight;
}

uint64_t unwrap_declared(enum coding coding, struct bytes in, bool whole)
{
    return codecs[coding]->declared ? codecs[coding]->declared(in, whole) : 0;
}
