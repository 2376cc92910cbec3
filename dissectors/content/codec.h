/* content/codec.h - what unwrap_stream.c needs of a coding: one const struct each, in a
 * file of its own (codec_<library>.c). The only files that know the libraries. */
#ifndef CONTENT_CODEC_H
#define CONTENT_CODEC_H

#include "dissectors/content/content.h"

enum step {
    STEP_MORE,  /* wants more input, or more room */
    STEP_PAUSE, /* all input is taken; the text may end here, or go on */
    STEP_END,   /* the end of a stream; what is left of the input is behind it */
    STEP_BAD,
    STEP_LIMIT, /* no memory, or it asks for more than it may */
};

struct room {
    uint8_t *at;
    size_t len, used;
};

struct codec {
    enum coding coding;
    size_t state_size;
    bool many; /* streams may follow each other: step() begins a new one by itself */
    uint32_t
        weight; /* what a byte of output costs at worst, in those of the cheapest codec (zstd) */
    /* `state` is zeroed. false: no memory; close() is called all the same. */
    bool (*open)(void *state, struct arena *arena);
    /* Takes from the front of *in, fills *out. */
    enum step (*step)(void *state, struct bytes *in, struct room *out);
    void (*close)(void *state);
    /* How long the output will be, by what the stream says of itself; 0: it does not. `whole`: `in`
     * is not only its head. NULL: the format has no place for it. */
    uint64_t (*declared)(struct bytes in, bool whole);
};

extern const struct codec codec_base64, codec_zlib, codec_gzip, codec_bzip2, codec_xz, codec_zstd,
    codec_brotli;

#endif
