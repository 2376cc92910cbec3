/* dissectors/resp/value.h - one direction of a Redis stream, as tokens.
 *
 * RESP2 and RESP3 in one machine: scalars, aggregates with an explicit stack,
 * attributes (which are no elements), streamed strings and aggregates, and the
 * inline commands of clients. Resumable at every byte. Nothing is copied unless a
 * cut of the stream goes through it; nothing is allocated by a length off the wire.
 *
 *     HEAD --line--> scalar token, aggregate, or BODY --length--> CRLF --> token
 *     HEAD --$?--> CHUNKS <--> BODY, until a chunk of length 0
 *     any --out of step--> LOST, which takes lines until one can only be the start of a value
 *
 * Sources: redis:src/networking.c:processMultibulkBuffer, processInlineBuffer (what a
 * server takes from a client), the RESP3 specification (redis-specifications:protocol/RESP3.md). */
#ifndef DISSECTORS_RESP_VALUE_H
#define DISSECTORS_RESP_VALUE_H

#include "base/keep.h"
#include "dissectors/dissector.h"

#define RESP_NEAR       3u /* levels kept in the state; deeper ones are allocated */
#define RESP_BULK_MAX   ((int64_t)1 << 40)
#define RESP_COUNT_MAX  ((int64_t)1 << 30)
#define RESP_INLINE_MAX (64u << 10) /* redis:src/server.h:PROTO_INLINE_MAX_SIZE */
#define RESP_CANDIDATE  64u         /* bytes that decide whether a line starts a value */

enum resp_kind {
    RESP_INLINE = 1, /* text: the line, without its end */
    RESP_END = 2,    /* the aggregate of kind `of` ends */
    RESP_SIMPLE = '+',
    RESP_ERROR = '-',
    RESP_INTEGER = ':',
    RESP_BULK = '$',
    RESP_ARRAY = '*',
    RESP_NULL = '_',
    RESP_BOOL = '#',
    RESP_DOUBLE = ',',
    RESP_BIGNUM = '(',
    RESP_BULK_ERROR = '!',
    RESP_VERBATIM = '=',
    RESP_MAP = '%',
    RESP_SET = '~',
    RESP_PUSH = '>',
    RESP_ATTRIBUTE = '|',
    RESP_CHUNK = ';',
    RESP_STREAM_END = '.',
};

enum resp_broken {
    RESP_BAD_TYPE,
    RESP_BAD_LENGTH,
    RESP_NEGATIVE,
    RESP_NO_CRLF,
    RESP_TOO_DEEP,
    RESP_TOO_MANY,
    RESP_LINE_TOO_LONG,
    RESP_HTTP, /* found by request.c */
    RESP_BROKEN_COUNT
};

struct resp_token {
    uint8_t kind;   /* enum resp_kind */
    uint8_t of;     /* RESP_END: which kind ends */
    uint8_t parent; /* kind of the aggregate around it, 0: none */
    uint8_t depth;  /* aggregates open around it */
    bool null;      /* `$-1`, `*-1`, `_` */
    bool gap;       /* bytes of it were lost */
    bool attr;      /* inside an attribute, or an attribute itself */
    bool held; /* text lies in the parser's buffer: good until the callback returns, or, for the
                  last element of a unit, until the callback of its RESP_END does */
    uint32_t index; /* in the aggregate around it */
    int64_t num;    /* RESP_INTEGER, RESP_BOOL; elements of an aggregate (of a map: keys and values;
                       -1: streamed) */
    uint64_t wire_len; /* of the text */
    struct bytes text; /* what was kept of it */
    struct tap **tap;  /* of a text that is longer: who takes it puts NULL there; or NULL */
};

static inline bool resp_is_aggregate(uint8_t kind)
{
    return kind == RESP_ARRAY || kind == RESP_MAP || kind == RESP_SET || kind == RESP_PUSH ||
           kind == RESP_ATTRIBUTE;
}

/* The token that ends a unit: a whole request, a whole reply. */
static inline bool resp_ends_unit(const struct resp_token *t)
{
    return t->depth == 0 && !t->attr && (t->kind == RESP_END || !resp_is_aggregate(t->kind));
}

struct resp_sink {
    void (*token)(void *ctx, const struct resp_token *t);
    /* The stream is not what it should be at `offset`. */
    void (*broken)(void *ctx, enum resp_broken what, uint64_t offset);
    /* It is out of step: what was in progress has no end, and a foothold is looked for. Not called
     * from resp_value_gap(). */
    void (*lost)(void *ctx);
    /* May be NULL: takes a unit off the front of `in`, whole or the first arguments of a request,
     * and gives how many bytes; 0: it is to be read token by token. *args of *total were taken; of
     * those that follow there will be tokens. */
    size_t (*quick)(void *ctx, struct bytes in, uint32_t *args, uint32_t *total);
    void *ctx;
};

struct resp_level {
    uint32_t left;  /* elements to come; UINT32_MAX: until RESP_STREAM_END */
    uint32_t index; /* of the next element */
    uint8_t kind;
};

enum resp_state { RESP_HEAD, RESP_BODY, RESP_CRLF, RESP_CHUNKS, RESP_LOST, RESP_IGNORE };

struct resp_value {
    const struct dissect_conf *conf;
    struct keep *held;       /* what a cut went through: line, bulk, candidate; NULL: nothing */
    struct tap *tap;         /* of the bulk in progress; NULL: it is kept whole so far */
    struct resp_level *deep; /* levels from RESP_NEAR on; NULL: none yet */
    uint64_t pos;            /* in the stream, of the next byte */
    uint64_t unit;           /* of the first byte of the unit in progress */
    uint64_t left;           /* RESP_BODY: bytes of the bulk to come */
    uint64_t wire_len;       /* of the bulk */
    uint32_t elements;       /* of the unit, so far */
    uint32_t more;           /* see resp_value_more() */
    struct resp_level near[RESP_NEAR];
    uint8_t state; /* enum resp_state */
    uint8_t kind;  /* of the bulk in progress */
    uint8_t depth; /* levels open */
    uint8_t attrs; /* of them attributes */
    uint8_t trust; /* units read since the last foothold, up to RESP_TRUST: below it what is broken
                      may be our own mistake, and is not reported */
    uint8_t last;  /* RESP_CRLF: how many of the two were seen; lines: the last byte held */
    bool client : 1;
    bool split : 1;      /* the bulk in progress is in `held` */
    bool chunks : 1;     /* it is a streamed string */
    bool gap : 1;        /* it has a hole */
    bool open : 1;       /* a unit has begun (its attribute may be over) */
    bool muted : 1;      /* too deep or too many: elements are counted, not told */
    bool line_start : 1; /* RESP_LOST: the next byte begins a line */
    bool replay : 1;     /* what is read was held: views do not outlive the callback */
    bool bare : 1; /* the next unit may be a SYNC answer, which has no end: see resp_value_sync() */
};

#define RESP_TRUST 4u

void resp_value_init(struct resp_value *v, const struct dissect_conf *conf, bool client);
/* The stream is joined in the middle, or bytes of it were lost: looks for a foothold. */
void resp_value_lose(struct resp_value *v);
/* `missing` bytes were lost. true: they lay in a body of known length, and the stream is still in
 * step. false: the stream is lost; a bulk in progress was told first, as far as it goes. */
bool resp_value_gap(struct resp_value *v, uint64_t missing, const struct resp_sink *sink);
/* Nothing more comes: a bulk in progress is told as far as it goes. */
void resp_value_close(struct resp_value *v, const struct resp_sink *sink);
/* The next value may be the answer to SYNC: a bulk without end, behind it commands. From there on
 * all is ignored. */
void resp_value_sync(struct resp_value *v);
void resp_value_ignore(struct resp_value *v);
/* The unit whose first token, or whose first element, is being told has `n` elements more than it
 * says. */
void resp_value_more(struct resp_value *v, uint32_t n);
/* Takes all of `in`. */
void resp_value_feed(struct resp_value *v, struct bytes in, const struct resp_sink *sink);
void resp_value_free(struct resp_value *v);

static inline bool resp_value_lost(const struct resp_value *v)
{
    return v->state == RESP_LOST;
}

/* Nothing of a unit was seen yet. */
static inline bool resp_value_between(const struct resp_value *v)
{
    return v->state == RESP_HEAD && !v->open && !v->held;
}

/* The level that is open, the innermost one. */
static inline struct resp_level *resp_level_at(struct resp_value *v, unsigned i)
{
    return i < RESP_NEAR ? &v->near[i] : &v->deep[i - RESP_NEAR];
}

#endif
