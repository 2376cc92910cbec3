/* pickle/pickle.h - what would these bytes do if Python loaded them?
 *
 * An abstract pickle machine: it walks the opcodes with CPython's own semantics, imports
 * nothing and calls nothing. It is fed in pieces of any size and keeps no more than
 * PICKLE_MEMORY_MAX of a message, however long that is.
 *
 *     struct pickle *p = pickle_new(NULL);
 *     pickle_reset(p, PICKLE_SEEN);
 *     pickle_feed(p, piece); ...
 *     const struct pickle_result *r = pickle_end(p, PICKLE_WHOLE);
 *
 * One machine judges one message at a time and is used again for the next, without
 * malloc in the common case. No I/O, no state outside the machine. */
#ifndef PICKLE_PICKLE_H
#define PICKLE_PICKLE_H

#include "base/bytes.h"
#include "dissectors/content/content.h"

#define PICKLE_MEMORY_MAX (8u << 20)
#define PICKLE_IMPORTS    64u /* kept a message; the others are counted */
#define PICKLE_CALLS      16u
#define PICKLE_TOP        64u
#define PICKLE_CALL_TEXT  512u /* bytes of a decoded call, escapes included */

/* Each one outweighs those before it. What follows in a stream never lowers it. */
enum pickle_verdict {
    PICKLE_NOT,             /* the classifier refused the bytes */
    PICKLE_DATA,            /* no import, no call */
    PICKLE_OBJECTS_KNOWN,   /* only imports that are listed as harmless */
    PICKLE_OBJECTS_UNKNOWN, /* an import that is on no list */
    PICKLE_SUSPICIOUS,      /* a hiding technique without proven effect */
    PICKLE_DANGEROUS,       /* critical or high import, computed import, traversal, mutation */
    PICKLE_MALICIOUS,       /* a critical callable is called, or reached by a hiding chain */
};

/* Flags are orthogonal to the verdict. X(name, "text") in the order of output. */
#define PICKLE_FLAGS(X)                           \
    X(FAILS_AFTER_EXEC, "fails-after-exec")       \
    X(TRUNCATED_CAPTURE, "truncated-capture")     \
    X(READER_DIFFERENTIAL, "reader-differential") \
    X(FRAME_STRADDLE, "frame-straddle")           \
    X(FRAME_OVERLONG, "frame-overlong")           \
    X(COMPUTED_IMPORT, "computed-import")         \
    X(DOTTED_TRAVERSAL, "dotted-traversal")       \
    X(DUNDER_IMPORT, "dunder-import")             \
    X(MUTATES_GLOBAL, "mutates-global")           \
    X(CALL_OF_CALL, "call-of-call")               \
    X(DISCARDED_CALL, "discarded-call")           \
    X(STRING_BUILDING, "string-building")         \
    X(DECODE_CHAIN, "decode-chain")               \
    X(NESTED_PICKLE, "nested-pickle")             \
    X(NESTED_PICKLE_DATA, "nested-pickle-data")   \
    X(TRAILING_PICKLE, "trailing-pickle")         \
    X(ONLY_TRAILING, "only-in-trailing-stream")   \
    X(EXT, "ext")                                 \
    X(PERSID, "persid")                           \
    X(MEMO_BOMB, "memo-bomb")                     \
    X(EXPANSION_BOMB, "expansion-bomb")           \
    X(DEPTH_BOMB, "depth-bomb")                   \
    X(COLLISION_BOMB, "collision-bomb")           \
    X(LENGTH_BOMB, "length-bomb")                 \
    X(DIGITS_BOMB, "digits-bomb")                 \
    X(RESOURCE_LIMIT, "resource-limit")           \
    X(ODD_NAME, "odd-name")                       \
    X(LATE_PROTO, "late-proto")                   \
    X(TYPE_ODDITY, "type-oddity")                 \
    X(PY2_ALIAS, "py2-alias")                     \
    X(PY2_BYTES, "py2-bytes")                     \
    X(UNDECLARED, "undeclared-pickle")            \
    X(DECLARED_NOT, "declared-not-pickle")

#define PICKLE_FLAG_BIT(name, text) PICKLE_BIT_##name,
enum pickle_flag_bit { PICKLE_FLAGS(PICKLE_FLAG_BIT) PICKLE_BIT_COUNT };
#undef PICKLE_FLAG_BIT
#define PICKLE_FLAG(name) (UINT64_C(1) << PICKLE_BIT_##name)

/* Any of these: pickle-bomb. */
#define PICKLE_ANY_BOMB                                                               \
    (PICKLE_FLAG(MEMO_BOMB) | PICKLE_FLAG(EXPANSION_BOMB) | PICKLE_FLAG(DEPTH_BOMB) | \
     PICKLE_FLAG(COLLISION_BOMB) | PICKLE_FLAG(LENGTH_BOMB) | PICKLE_FLAG(DIGITS_BOMB))
/* Any of these: the stream hides what it does. */
#define PICKLE_ANY_HIDING                                                                      \
    (PICKLE_FLAG(COMPUTED_IMPORT) | PICKLE_FLAG(STRING_BUILDING) | PICKLE_FLAG(DECODE_CHAIN) | \
     PICKLE_FLAG(DOTTED_TRAVERSAL) | PICKLE_FLAG(DISCARDED_CALL) | PICKLE_FLAG(LATE_PROTO) |   \
     PICKLE_FLAG(READER_DIFFERENTIAL) | PICKLE_FLAG(FRAME_STRADDLE) | PICKLE_FLAG(ODD_NAME))

enum pickle_class {
    PICKLE_CLASS_UNKNOWN, /* on no list */
    PICKLE_CLASS_ALLOWED, /* by the caller's prefixes */
    PICKLE_CLASS_BENIGN,
    PICKLE_CLASS_ML, /* only on the allow-lists of machine-learning scanners: not trusted here */
    PICKLE_CLASS_EXEC,
    PICKLE_CLASS_PROCESS,
    PICKLE_CLASS_DESERIALIZE,
    PICKLE_CLASS_IMPORT,
    PICKLE_CLASS_ATTR,
    PICKLE_CLASS_NETWORK,
    PICKLE_CLASS_FILE,
};

enum pickle_severity {
    PICKLE_SEV_NONE,
    PICKLE_SEV_LOW,
    PICKLE_SEV_MEDIUM,
    PICKLE_SEV_HIGH,
    PICKLE_SEV_CRITICAL
};

/* How sure the classifier is that this is a pickle at all. */
enum pickle_tier {
    PICKLE_TIER_NONE,
    PICKLE_TIER_DECLARED,   /* only the declaration says so */
    PICKLE_TIER_STRUCTURAL, /* no magic, but the structure is a pickle's */
    PICKLE_TIER_MAGIC,      /* 80 00..05 and a structure to go with it */
};

enum pickle_end_state {
    PICKLE_END_STOP,    /* STOP was reached */
    PICKLE_END_NO_STOP, /* the message ended first */
    PICKLE_END_CLIPPED, /* our capture ended first */
    PICKLE_END_BAD_OPCODE,
    PICKLE_END_UNDERFLOW, /* stack or mark missing */
    PICKLE_END_MEMO,      /* GET of a key that was never put */
    PICKLE_END_TEXT,      /* bad UTF-8, bad number, bad string literal, bad name */
    PICKLE_END_PROTOCOL,  /* PROTO above 5 */
    PICKLE_END_TYPE,      /* STACK_GLOBAL of non-strings, and the like: CPython raises */
    PICKLE_END_LENGTH,    /* negative or impossible length */
};

enum pickle_context {
    PICKLE_SEEN,     /* nothing says that this is a pickle */
    PICKLE_DECLARED, /* a content type, or the place it was found in, does */
};

enum pickle_extent {
    PICKLE_WHOLE,   /* what was fed is all there was on the wire */
    PICKLE_CLIPPED, /* the message went on, and we do not have it */
};

/* An import in the order of the stream. The names are the importer's own view (after the
 * Python 2 aliases); the orig ones are as written. Views into the machine, NUL bytes and all:
 * to be escaped by whoever prints them. */
struct pickle_import {
    struct bytes module, name;
    struct bytes orig_module, orig_name;
    uint64_t offset; /* of the opcode in the (decoded) stream */
    uint8_t opcode;
    uint8_t depth;    /* 0: the stream itself; 1..: a nested pickle */
    bool trailing;    /* in a stream behind the first STOP */
    bool conditional; /* its arguments decide: the severity alone says nothing */
    enum pickle_class kind;
    enum pickle_severity severity;
    const char *source; /* the lists that name it; NULL: none */
};

/* A call that a verdict rests on. `text` is printable ASCII, in Python's syntax, with
 * secrets masked and at most PICKLE_CALL_TEXT long. */
struct pickle_call {
    struct bytes text;
    uint64_t offset;
    uint8_t opcode;
    uint8_t depth;
    bool trailing;
    enum pickle_verdict level;
    const char *why; /* a constant */
};

struct pickle_result {
    enum pickle_verdict verdict;
    uint64_t flags;
    bool is_pickle;
    enum pickle_tier tier;
    int protocol; /* of the last PROTO; -1: none */
    uint64_t opcodes, size;
    enum pickle_end_state end;
    uint64_t end_at; /* offset behind STOP, or of what broke it */
    unsigned streams;
    bool only_bomb; /* without its bomb flags it would be below suspicious */
    /* Only the reader of CPython up to 3.13.14 / 3.14.6 (the one of kombu) comes to this verdict.
     */
    bool file_reader_only;
    const struct pickle_import *imports;
    unsigned n_imports;
    uint64_t all_imports; /* kept or not */
    const struct pickle_call *calls;
    unsigned n_calls;
    uint64_t all_calls;
    const char *ground; /* of the verdict, in a few words; a constant */
    /* The outermost mapping, as far as it is plain data (see content.h). */
    const struct top_pair *top;
    unsigned n_top;
    /* The outermost object as JSON, without its bulk and with null for what is no plain data, if a
     * text in it is "task", or tasks are expected: for those who look for signatures. A head where
     * it is too long. */
    struct bytes document;
    /* The first element of an outermost tuple or list, when it is text: RQ's callee. */
    struct bytes first;
};

struct pickle_options {
    const struct bytes
        *allow; /* module prefixes: "myapp" covers myapp and myapp.x; "myapp.*" likewise */
    size_t n_allow;
    bool ml; /* trust the machine-learning lists too */
};

struct pickle;

/* options may be NULL; what it points to is copied. NULL: no memory. */
struct pickle *pickle_new(const struct pickle_options *options);
void pickle_free(struct pickle *p);

/* Begins a message; what earlier results pointed to is gone. */
void pickle_reset(struct pickle *p, enum pickle_context context);

/* Takes the next piece. false: nothing that follows can matter (a refusal that is certain, or
 * the last stream has ended); feeding on is harmless. */
bool pickle_feed(struct pickle *p, struct bytes piece);

/* Says what the message is taken for after all; may be said until its end. */
void pickle_declare(struct pickle *p, enum pickle_context context);

/* Says that it names tasks, whatever its texts: there is a `document`. Until the message's end. */
void pickle_expect_tasks(struct pickle *p);

/* Ends the message. The result and all it points to live until the next reset. */
const struct pickle_result *pickle_end(struct pickle *p, enum pickle_extent extent);

/* reset, feed, end. */
const struct pickle_result *pickle_judge(struct pickle *p, struct bytes all,
                                         enum pickle_context context, enum pickle_extent extent);

/* Bytes that the machine holds now; at most PICKLE_MEMORY_MAX for a message. */
size_t pickle_memory(const struct pickle *p);

const char *pickle_verdict_name(enum pickle_verdict v); /* "objects-known" */
const char *pickle_flag_name(enum pickle_flag_bit bit);
const char *pickle_class_name(enum pickle_class c);
const char *pickle_severity_name(enum pickle_severity s);
const char *pickle_end_name(enum pickle_end_state e);
const char *pickle_opcode_name(uint8_t opcode); /* NULL: not an opcode */

/* What the tables say of a dotted name on its own ("os.system"): for callees that are text
 * (RQ jobs). kind UNKNOWN when they say nothing. Looks at every split into module and name. */
enum pickle_severity pickle_name_severity(struct bytes dotted, enum pickle_class *kind,
                                          const char **source);

/* What they say of a module and a name in it; exact: of that very name, not of all in the module.
 */
enum pickle_severity pickle_pair_severity(struct bytes module, struct bytes name, bool *exact);

/* A pickle inside text: base64, base64url, hex or a data URL, of the pickle itself or of
 * something compressed. Cheap to say no. `p` is used up as by pickle_reset. */
#define PICKLE_FOUND_SOMEWHERE SIZE_MAX /* in a text that was not kept */
struct pickle_found {
    const struct pickle_result *result; /* of the inner pickle; lives until the next reset */
    size_t at, len;                     /* the encoded run within the text */
    char path[64];                      /* "base64 -> zlib" */
};
bool pickle_find_in_text(struct pickle *p, struct bytes text, struct pickle_found *found);

/* Bytes that may start a pickle: a push onto an empty stack, or PROTO. About a nanosecond, so
 * that every value of the data path can be asked about. false is certain. */
static inline bool pickle_maybe(struct bytes b)
{
    static const uint32_t first[8] = {0, 0x00000300, 0x21797ecc, 0x20000008, 0x00e0ff1d, 0, 0, 0};

    if (b.len < 2 || !(first[b.at[0] >> 5] >> (b.at[0] & 31) & 1))
        return false;
    return b.at[0] != 0x80 || b.at[1] <= 5;
}

#endif
