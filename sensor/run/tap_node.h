/* run/tap_node.h - what tap.c and tap_node.c share: nobody else includes it.
 *
 * A node is a stream of bytes about which one thing is assumed: that it is a pickle, that it is
 * coded, that it is JSON. The first bytes decide; what comes out of a coding, and each string of a
 * document, is two nodes again, one that takes it as it is and one that takes it for base64. */
#ifndef RUN_TAP_NODE_H
#define RUN_TAP_NODE_H

#include "dissectors/content/base64.h"
#include "dissectors/content/json_stream.h"
#include "dissectors/content/unwrap_stream.h"
#include "run/tap.h"

#define TAP_HEAD   64u         /* bytes that decide */
#define TAP_WINDOW (64u << 10) /* of text that is looked through at once */
#define TAP_LAP    (4u << 10)  /* of it that the next one begins with */

enum tap_role {
    ROLE_OWN,    /* the body as it is carried, or a value of Redis */
    ROLE_BODY,   /* the body in kombu's envelope */
    ROLE_NESTED, /* text inside a message */
};

enum tap_kind { TAP_UNDECIDED, TAP_CODED, TAP_PICKLE, TAP_JSON, TAP_DEAF };

struct tap_text {
    size_t len;
    size_t n_head; /* of the string in progress */
    uint8_t head[TAP_HEAD];
    uint8_t at[TAP_WINDOW];
};

struct tap_node {
    struct tap *tap;
    enum tap_role role;
    bool base64; /* assumed to be base64; else taken as it is */
    uint8_t depth;
    uint8_t n_head;
    uint8_t skip; /* bytes of the head that are a program's own mark */
    enum tap_kind kind;
    uint8_t head[TAP_HEAD];
    uint64_t len;
    enum coding coding;
    struct base64 digits;
    struct unwrap_stream *codec;
    struct pickle *machine;
    bool settled; /* nothing that follows matters to the machine */
    struct json_stream *json;
    struct tap_text *text;    /* of a document's strings */
    struct tap_node *next[2]; /* what comes out; the string in progress */
    bool keep_next;           /* they are the body of an envelope */
    char path[48];
};

struct tap {
    struct tap_pool *pool;
    bool cut, bomb, ended, asked;
    uint64_t packed, unpacked;
    enum coding declared;
    struct tap_node *top[2];
    struct tap_node *body[2]; /* of kombu's envelope, the last one that was seen */
    struct pickle *scratch;   /* looks through text */
    struct pickle *nested;    /* holds what `found` points to */
    struct pickle_found found;
};

struct tap_pool {
    struct content_limits limits;
    struct pickle_options options;
    struct bytes *allow;
    unsigned open, max;
    struct pickle *spare; /* a machine for the next one that needs it */
    struct tally *tally;
    struct tap refused;
    struct taps door;
};

/* A machine of the pool, reset; NULL: no memory. */
struct pickle *tap_machine(struct tap_pool *p);
void tap_machine_back(struct tap_pool *p, struct pickle *machine);

struct tap_node *tap_node_new(struct tap *t, enum tap_role role, bool base64, unsigned depth);
void tap_node_feed(struct tap_node *n, struct bytes in);
/* Nothing more comes. */
void tap_node_end(struct tap_node *n);
void tap_node_free(struct tap_node *n);
/* Both of a pair; either may be NULL. */
void tap_pair_feed(struct tap_node *const pair[2], struct bytes in);
void tap_pair_end(struct tap_node *const pair[2]);
void tap_pair_free(struct tap_node *pair[2]);
/* Keeps it as the nested pickle of its tap, if it is one that imports something. */
void tap_node_keep_nested(struct tap_node *n);
/* The pickle that it comes down to, if it is one. The machine's, until it is asked again or freed.
 * NULL: none. */
const struct pickle_result *tap_node_pickle(struct tap_node *n, bool declared);

#endif
