/* dissectors/amqp/method.h - method frames: which method it is, and its
 * arguments, by a table of all methods. Pure, no memory of its own. */
#ifndef DISSECTORS_AMQP_METHOD_H
#define DISSECTORS_AMQP_METHOD_H

#include "base/wire.h"
#include "dissectors/amqp/methods.h"
#include "dissectors/field.h"

enum amqp_method_id {
#define AMQP_ID(id, class_, method, name, from, flags, ...) M_##id,
    AMQP_METHOD_LIST(AMQP_ID)
#undef AMQP_ID
        M_CONNECTION_REDIRECT, /* 0-8 only */
    M_CHANNEL_ALERT,
    M_UNKNOWN,
};

enum amqp_arg_type {
    ARG_END,
    ARG_OCTET,
    ARG_SHORT,
    ARG_LONG,
    ARG_LONGLONG,
    ARG_SHORTSTR,
    ARG_LONGSTR,
    ARG_TABLE, /* text: the table's bytes behind its length */
    ARG_BIT,
};

enum { AMQP_MAX_ARGS = 10, AMQP_NO_FIELD = F_COUNT };

struct amqp_arg {
    uint8_t type, field; /* enum amqp_arg_type; enum field_id or AMQP_NO_FIELD */
};

enum {
    METHOD_ALWAYS = 1,  /* a detector asks about it, message log or not */
    METHOD_CONTENT = 2, /* a content header follows it */
    METHOD_QUEUE = 4,   /* it is about a queue, by name, consumer tag or get */
};

struct amqp_method_def {
    const char *name;
    uint16_t class_id, method_id;
    uint8_t id;                          /* enum amqp_method_id */
    uint8_t from;                        /* bit 1 << enum dir: who may send it */
    uint8_t flags;                       /* METHOD_* */
    struct amqp_arg args[AMQP_MAX_ARGS]; /* ends with ARG_END, or full */
};

union amqp_value {
    struct bytes text; /* strings and tables */
    uint64_t num;      /* the rest; a bit is 0 or 1 */
};

struct amqp_method {
    const struct amqp_method_def *def; /* NULL: no such method */
    uint16_t class_id, method_id;
    unsigned n; /* arguments that were there */
    bool exact; /* they fill the frame, no more, no less */
    union amqp_value args[AMQP_MAX_ARGS];
};

/* The method with this class and number; NULL: none. `v0_8`: as AMQP 0-8 numbers them. */
const struct amqp_method_def *amqp_method_find(uint16_t class_id, uint16_t method_id, bool v0_8);

/* Reads a method frame's payload. Texts are views into it. false: it is shorter
 * than class and method (then nothing is set but def = NULL). An argument that
 * does not fit ends the reading: n says how far it got. Tables are not looked into. */
bool amqp_method_read(struct amqp_method *m, struct bytes payload, bool v0_8);

/* The first argument of that type, or the one behind `skip` others of it; an empty
 * text or 0 when it was not there. */
struct bytes amqp_method_text(const struct amqp_method *m, enum amqp_arg_type type, unsigned skip);
uint64_t amqp_method_num(const struct amqp_method *m, enum amqp_arg_type type, unsigned skip);

/* What of a reply text may be told: its first word, when that is made of letters and
 * underscores (ACCESS_REFUSED, Goodbye); what stands behind it can hold names and
 * secrets. Empty: nothing. */
struct bytes amqp_reply_word(struct bytes text);

#endif
