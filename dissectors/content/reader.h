/* dissectors/content/reader.h - pull readers: JSON, MessagePack and YAML give the
 * same tokens, so that an interpreter is written once. Views over the input, no
 * allocation, bounded depth; a clipped document is read as far as it goes.
 *
 *     struct reader r;
 *     reader_begin(&r, WHAT_JSON, bytes, clipped, arena);
 *     for (struct token t; reader_next(&r, &t);) ...
 *     r.end says how it ended.
 *     reader_end(&r);
 *
 * What is skipped (reader_skip, reader_raw, too deep nesting) is not checked beyond what finding
 * its end needs: brackets and quotes in JSON, lengths in MessagePack. */
#ifndef CONTENT_READER_H
#define CONTENT_READER_H

#include "dissectors/content/content.h"

/* A container below that comes as one TOKEN_NULL whose text is the container as written (YAML:
 * empty), and is counted as reader.too_deep. */
#define READER_DEPTH 64u
/* Of a YAML document these many bytes are read, and events (fewer in nesting so deep that libyaml
 * would take seconds over it); what is behind them counts as clipped. */
#define READER_YAML_BYTES  (1u << 20)
#define READER_YAML_EVENTS (1u << 18)

enum token_kind {
    TOKEN_MAP, /* a mapping begins; its keys come as TOKEN_KEY */
    TOKEN_MAP_END,
    TOKEN_LIST,
    TOKEN_LIST_END,
    /* Text as for TOKEN_STRING. MessagePack: keys that are no text come in JSON's words (1, 1.5,
     * true, null), good until the next token. YAML: empty for a key that is a container (passed
     * over) or an alias. */
    TOKEN_KEY,
    TOKEN_STRING, /* text: between the quotes, escapes as written if `escaped` */
    /* MessagePack's bin; its ext, with the type in num, and for timestamps the seconds since the
     * epoch in real; YAML's !!binary (the base64 text). */
    TOKEN_BYTES,
    TOKEN_INT,   /* num; text as written (JSON, YAML) */
    TOKEN_FLOAT, /* real; text as written */
    TOKEN_TRUE,
    TOKEN_FALSE,
    TOKEN_NULL, /* also a YAML alias but of a scalar: it is counted and not expanded */
};

struct token {
    enum token_kind kind;
    struct bytes text;
    bool escaped; /* text holds escapes: token_text() undoes them */
    bool cut;     /* the capture ended inside it; text is its head */
    int64_t num;  /* TOKEN_INT; saturated */
    double real;  /* TOKEN_FLOAT */
    /* YAML: the node's explicit tag, resolved: "tag:yaml.org,2002:python/name:os.system",
     * "!local"; else empty. */
    struct bytes tag;
    unsigned depth; /* containers open around it; 0: the document itself */
    size_t offset;  /* of the token in the document */
};

enum reader_end {
    READER_GOING,
    READER_WHOLE,   /* the document ended well; r->rest is what follows it */
    READER_CLIPPED, /* the input ended inside, and is known to be clipped */
    READER_BROKEN,  /* not this format, from r->broken_at on */
};

struct reader {
    enum content_what format;
    struct bytes all, rest;
    bool clipped;
    enum reader_end end;
    size_t broken_at;
    unsigned depth, too_deep;
    unsigned aliases; /* YAML */
    /* The rest belongs to the reader of the format. */
    uint8_t state;
    uint8_t kinds[READER_DEPTH / 8]; /* a bit a level: map or list */
    uint64_t left[READER_DEPTH];     /* msgpack: items still to come */
    void *more;                      /* YAML: parser, in the arena given to reader_begin */
    char word[32];                   /* msgpack: a key that is a number, in text */
};

/* format: WHAT_JSON, WHAT_MSGPACK or WHAT_YAML (YAML takes memory from `arena`, and needs
 * reader_end(); the others ignore it). JSON is RFC 8259 as Python's json reads it: also NaN,
 * Infinity, -Infinity, duplicate keys, lone surrogates; UTF-8. */
void reader_begin(struct reader *r, enum content_what format, struct bytes document, bool clipped,
                  struct arena *arena);
/* false: no more tokens; r->end says why. */
bool reader_next(struct reader *r, struct token *t);
/* Skips the value whose first token is *t, the last one that was given: for a map or list, to
 * behind its end, fast; for a TOKEN_KEY, the value that follows it; for other scalars there is
 * nothing to do. */
void reader_skip(struct reader *r, const struct token *t);
/* As reader_skip, and gives the value as written (a string with its quotes; YAML: from its first to
 * its last byte): for args, kwargs. As far as it goes when the input ends inside it. */
struct bytes reader_raw(struct reader *r, const struct token *t);
/* Of JSON, when the last token was TOKEN_MAP or TOKEN_LIST, or the end of a value inside: the
 * caller has read on by itself, n bytes of r->rest, to behind the end of that container. */
void reader_passed(struct reader *r, size_t n);
void reader_end(struct reader *r);

/* Text with its escapes undone (UTF-8; lone surrogates as WTF-8), in the arena when there are any,
 * else the view itself. Empty when the arena is full. */
struct bytes token_text(const struct token *t, struct arena *arena);
/* token_text(t) equals `text`, without memory. */
bool token_is(const struct token *t, const char *text);

#endif
