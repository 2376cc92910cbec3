/* signatures/form.h - whether the envelope of a task is one that a release of Celery writes, and
 * what is not (celery:app/amqp.py:AMQP.as_task_v2, as_task_v1; kombu:transport/virtual/base.py:
 * Channel.prepare_message). Pure: asked once a message, where its headers are at hand. */
#ifndef SIGNATURES_FORM_H
#define SIGNATURES_FORM_H

#include "dissectors/msg.h"

/* In the order of their names. */
enum task_sign {
    SIGN_MISSING,      /* a header or member that its own version always writes */
    SIGN_HYBRID,       /* headers of protocol 2 over a body of protocol 1 */
    SIGN_EMBED,        /* a key in the embedded part that no release knows */
    SIGN_TWICE,        /* a key comes twice: no dict has that */
    SIGN_DELIVERY_TAG, /* kombu's envelope without one */
    SIGN_CORRELATION,  /* correlation_id is not the task's id */
    SIGN_NO_REPLY_TO,  /* protocol 2 always has one */
    SIGN_ID,           /* no UUID of version 4 */
    SIGN_REPLY_TO,     /* no UUID of version 3 (5: where MD5 is forbidden) */
    SIGN_ARGSREPR,     /* contradicts the arguments */
    SIGN_KWARGSREPR,   /* the same of the named ones */
    SIGN_DISPUTED, /* a header of a type that Celery's clients never write: what follows it may be
                      one thing to the broker, and another to the worker */
    SIGN_REPLY_FOREIGN, /* reply_to is another client's: known to the collector alone */
    SIGNS,
};

/* Those that a caller can bring about by a documented argument (task_id, reply_to, argsrepr,
 * kwargsrepr): they say nothing alone. */
#define SIGNS_OF_CALLERS                                                                 \
    (1u << SIGN_ID | 1u << SIGN_REPLY_TO | 1u << SIGN_ARGSREPR | 1u << SIGN_KWARGSREPR | \
     1u << SIGN_REPLY_FOREIGN)

/* Mask of 1u << enum task_sign of a MSG_TASK as its interpreter made it. 0: in form, or nothing
 * but what a caller can bring about, or too little was seen of it; clients that say to be of
 * another language than Python are asked only for what no worker could read. */
uint32_t task_form(const struct msg *m);

/* For people: "correlation id is not the task's id". */
const char *task_sign_name(enum task_sign sign);

#endif
