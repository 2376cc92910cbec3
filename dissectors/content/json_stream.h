/* content/json_stream.h - the texts of a JSON document that is too large to be kept, as they come.
 *
 * Tells every string that is a value, undone of its escapes, in pieces, with its place among the
 * outermost containers. Beside that it makes an abridged copy of the document, valid JSON of its
 * own, in which a long string ends early and members of the outermost object that were not asked
 * for are 0: what a reader of the whole document would have found, but for the bulk.
 *
 * It reads what JSON readers read, and does not judge what they would refuse. Fixed memory but for
 * the abridged copy, which is bounded. What it tells does not depend on how the input is cut. */
#ifndef CONTENT_JSON_STREAM_H
#define CONTENT_JSON_STREAM_H

#include "base/keep.h"

enum {
    JSON_STREAM_KEYS = 4,    /* levels whose keys are known */
    JSON_STREAM_KEY = 24,    /* a longer key is none that anybody asks for */
    JSON_STREAM_TEXT = 4096, /* bytes of a string in the abridged copy */
    JSON_STREAM_LEVELS = 64, /* beyond, all strings are values */
    JSON_STREAM_COPY = 1 << 20,
};

struct json_key {
    uint8_t len; /* 0: none, or too long */
    uint8_t text[JSON_STREAM_KEY];
};

/* Where a string stands: in `depth` containers, of which bit i of maps says that container i is an
 * object, and key[i] under which of its keys. */
struct json_place {
    unsigned depth;
    uint64_t maps;
    struct json_key key[JSON_STREAM_KEYS];
};

struct json_stream_sink {
    void (*begin)(void *ctx, const struct json_place *at);
    void (*piece)(void *ctx, struct bytes text);
    void (*end)(void *ctx);
    void *ctx;
};

struct json_stream {
    struct json_stream_sink sink;
    const struct bytes *wanted; /* members of the outermost object that are copied */
    unsigned n_wanted;
    struct keep copy;
    struct json_place at;
    uint8_t state; /* enum state in json_stream.c */
    bool in_key, expect_key, long_key, mute;
    uint8_t n_hex;
    uint16_t hex, high; /* high: the first half of a surrogate pair, or 0 */
    uint32_t copied;    /* bytes of the string in progress that went into the copy */
};

/* `wanted` outlives it; NULL: no copy is made. */
void json_stream_begin(struct json_stream *s, const struct json_stream_sink *sink,
                       const struct bytes *wanted, unsigned n_wanted);
void json_stream_feed(struct json_stream *s, struct bytes in);
/* The document is over. A string in progress stays without an end. */
struct bytes json_stream_copy(const struct json_stream *s);
void json_stream_free(struct json_stream *s);

static inline bool json_key_is(const struct json_key *k, const char *text)
{
    return bytes_eq(bytes_of(k->text, k->len), text);
}

#endif
