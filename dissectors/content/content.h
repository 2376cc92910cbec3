/* dissectors/content/content.h - a body, and what it turned out to be wrapped
 * in. Filled once, by unwrap.c; everybody else only reads. */
#ifndef CONTENT_CONTENT_H
#define CONTENT_CONTENT_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/tally.h"

enum coding {
    CODING_NONE,
    CODING_BASE64,
    CODING_ZLIB,
    CODING_GZIP,
    CODING_BZIP2,
    CODING_XZ,
    CODING_ZSTD,
    CODING_BROTLI,
    CODING_AUTH, /* what is inside the signature of celery's auth serializer */
};

enum content_what {
    WHAT_UNKNOWN,
    WHAT_EMPTY,
    WHAT_JSON,
    WHAT_PICKLE,
    WHAT_YAML,
    WHAT_MSGPACK,
    WHAT_AUTH, /* celery's auth serializer, and it cannot be opened: cut short, or a part is missing
                */
    WHAT_TEXT,
    WHAT_BINARY,
};

struct part {
    struct bytes bytes;
    enum coding from; /* the coding that was undone to get it */
};

/* A name and a scalar of the outermost mapping of a pickle, as far as they are
 * plain data; made by the pickle machine so that interpreters need not know it. */
struct top_pair {
    struct bytes key, value;
};

struct auth_parts;
struct tap;

struct content {
    /* given */
    struct bytes body;        /* what was kept of it, as carried */
    uint64_t wire_len;        /* what there was of it */
    bool clipped;             /* body is shorter than wire_len, or has a hole behind it */
    struct bytes type;        /* declared content type, as carried; at == NULL: absent */
    struct bytes encoding;    /* declared content encoding */
    struct bytes compression; /* kombu's header, or empty */
    bool base64;              /* kombu's body_encoding says base64 */
    /* Has read all of it, where body is only the head (dissectors/tap.h); or NULL. `tap_at`: where
     * in what it read this content begins; `in_tap`: it is the body of the envelope in there. */
    struct tap *tap;
    size_t tap_at;
    bool in_tap;
    /* found */
    bool unwrapped;
    struct bytes abridged; /* of a JSON document with a tap: all of it, but for its bulk */
    struct part parts[6];  /* parts[0] is the body as carried, the last is the innermost */
    unsigned n_parts;
    bool limit;       /* a bound of unwrapping was met: the last part is a head of it */
    bool bomb;        /* beyond max_ratio or max_total: decompression-bomb */
    uint64_t out_len; /* bytes that came out of the last codec, kept or not; of a bomb that was
                         not drained, what the stream says that would come */
    enum content_what what;        /* of the innermost part, by its bytes first */
    const struct auth_parts *auth; /* signed: the last part is what is inside (auth.h); or NULL */
    struct top_pair *top;          /* of a pickle; in the arena */
    unsigned n_top;
    struct bytes document; /* of a pickle that may name tasks: its object as JSON, as far as that
                              goes; in the arena */
};

struct content_limits {
    size_t max_kept;    /* bytes kept of all parts together */
    uint64_t max_total; /* bytes that may come out of one body */
    unsigned max_ratio; /* out / in, after the first MiB of output */
    unsigned max_depth;
};

/* Peels what the declarations name (body_encoding, compression), then what the
 * bytes show (zlib, gzip, bzip2, xz, zstd by magic: compression that no header
 * names), within the limits, into content->parts. Base64 is read as Python reads
 * it (b64decode without validate: characters outside the alphabet are skipped). A body of celery's
 * auth serializer is opened last: what is signed is inspected like anything else.
 * Sets everything under "found" but `what` == WHAT_PICKLE and `top`, which need the
 * pickle classifier: run asks it. Memory: the arena. Never fails: what cannot be
 * unwrapped stays as it is, counted in tally. */
void content_unwrap(struct content *c, struct arena *arena, const struct content_limits *lim,
                    struct tally *tally);

/* Opens a signed body again, as a reader does who knows how long the signer's signatures are: only
 * the old layout depends on it (auth.h). Where it cannot be opened so, it stays as it is. */
void content_reopen(struct content *c, size_t signature_len, struct arena *arena);

/* The innermost part; the body itself before content_unwrap(). */
static inline struct bytes content_inner(const struct content *c)
{
    return c->n_parts > 0 ? c->parts[c->n_parts - 1].bytes : c->body;
}

/* What the bytes look like, pickle excepted (that needs the machine). `type` is the
 * declared content type and breaks ties (YAML, text). */
enum content_what content_guess(struct bytes inner, struct bytes type);

/* Python's base64.b64decode(validate=False), also of the URL-safe alphabet when
 * `urlsafe`; the result is in the arena. false: the arena is full. Padding that is
 * missing is no error. *complete (NULL: not asked): Python would have taken it. */
bool base64_decode(struct bytes text, bool urlsafe, struct arena *arena, struct bytes *out,
                   bool *complete);

#endif
