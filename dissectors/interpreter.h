/* dissectors/interpreter.h - from an envelope to what it means to kombu, Celery,
 * RQ, Dramatiq, Huey, a cache... One function each, without state: either
 * protocol's envelopes come through the same door. */
#ifndef DISSECTORS_INTERPRETER_H
#define DISSECTORS_INTERPRETER_H

#include "base/arena.h"
#include "base/tally.h"
#include "dissectors/msg.h"

struct interpret_out {
    struct arena
        *arena; /* good until read() returns to its caller's caller: the end of the message */
    struct tally *tally;
    msg_fn *emit;
    void *ctx;
};

struct interpreter {
    const char *name;
    unsigned reads; /* mask of msg_kind: MSG_ENVELOPE, MSG_COMMAND */
    /* true: it was mine, and nobody else is asked. Emits zero or more messages, each with cause =
     * in. in->content is unwrapped and classified. An envelope read out of another one (kombu's in
     * a Redis list) is emitted as MSG_ENVELOPE with a content of its own and comes back through the
     * same door, unwrapped. */
    bool (*read)(const struct msg *in, const struct interpret_out *out);
};

extern const struct interpreter kombu_interpreter;
extern const struct interpreter celery_interpreter;
extern const struct interpreter rq_interpreter;
extern const struct interpreter huey_interpreter;
extern const struct interpreter dramatiq_interpreter;
extern const struct interpreter arq_interpreter;
extern const struct interpreter cache_interpreter;

extern const struct interpreter *const interpreters[]; /* NULL at the end; asked in this order */

#endif
