/* dissectors/dissector.h - what a protocol has to offer, and nothing more.
 *
 * To add a protocol: write one `const struct dissector`, name it in the table
 * in dissectors/registry.c, add tests/<name>/, a fuzz target and a capture. No
 * other file changes. */
#ifndef DISSECTORS_DISSECTOR_H
#define DISSECTORS_DISSECTOR_H

#include "base/arena.h"
#include "base/keep.h"
#include "base/tally.h"
#include "dissectors/msg.h"
#include "dissectors/tap.h"

enum probe { PROBE_NO, PROBE_MORE, PROBE_MAYBE, PROBE_SURE };

enum dissect {
    DISSECT_GO,    /* everything was taken; send what comes next */
    DISSECT_LOST,  /* out of step; it takes data and looks for a foothold */
    DISSECT_LEAVE, /* encrypted, or not ours after all: send no more */
};

/* Of one connection, MSG_COMMANDs with F_SETTLES are this far apart (ns). */
#define SETTLES_NS (10 * INT64_C(1000000000))

struct dissect_conf {
    size_t max_body;         /* bytes kept of one message body */
    size_t max_item;         /* bytes kept of any other string */
    unsigned max_depth;      /* nesting of tables, arrays */
    unsigned max_open;       /* channels of a connection */
    unsigned max_pending;    /* commands that wait for their reply */
    uint64_t max_elements;   /* of one value or table tree, in all */
    bool commands;           /* MSG_COMMAND and MSG_REPLY with all fields are wanted for every
                                command; else only for those that a detector asks about */
    const struct taps *taps; /* for bodies larger than max_body; NULL: none */
    struct budget *budget;
};

/* A dissector sets kind, op, action, dir, offset, at, coverage, content and fields of
 * what it emits; whose flow it is, it does not know: the worker writes that in. */
struct dissect_out {
    struct arena *arena; /* rewound by the caller after each emitted unit and after each chunk */
    struct tally *tally;
    msg_fn *emit;
    void *ctx;
};

struct dissector {
    const char *name;      /* network.protocol: "amqp", "redis" */
    const uint16_t *ports; /* hints, 0-terminated */
    const char *ndpi;      /* nDPI's name of the protocol: a hint */
    size_t state_size;

    /* May these be the first bytes of a stream of mine, this way? Pure. `start`: they are
     * the first of the connection (SYN seen), else it may be the middle. */
    enum probe (*probe)(struct bytes head, enum dir dir, bool start);

    /* May be NULL. Would a server of mine hang up without a word on a client that begins like this?
     * Pure. Asked on one of `ports`, when the server did. */
    bool (*hangs_up)(struct bytes head);

    void (*init)(void *state, const struct dissect_conf *conf); /* conf outlives the state */
    /* Takes all of the chunk, whatever its size: what is incomplete is held in
     * the state, within the limits. The messages do not depend on how the
     * stream was cut into chunks. */
    enum dissect (*feed)(void *state, const struct chunk *c, const struct dissect_out *out);
    void (*fini)(void *state);
};

extern const struct dissector amqp_dissector;
extern const struct dissector resp_dissector;

extern const struct dissector *const dissectors[]; /* NULL at the end */

#endif
