/* dissectors/apps/celery.h - the parts of the Celery interpreter, one for each
 * kind of message. Each takes an envelope and the document of its body, emits what
 * it is and says whether it was one. */
#ifndef APPS_CELERY_H
#define APPS_CELERY_H

#include "dissectors/apps/document.h"
#include "dissectors/apps/place.h"
#include "dissectors/interpreter.h"

struct letter {
    const struct msg *in; /* MSG_ENVELOPE: AMQP's, or kombu's out of a Redis value */
    const struct interpret_out *out;
    struct document doc;
    unsigned places; /* bits of enum place; PLACE_ANY: none that says anything */
};

/* headers.task is there: protocol 2, or the hybrid. */
bool task_by_headers(const struct letter *l);
/* The body is a mapping with `task` and `id`: protocol 1. *more: it has members that are no task's,
 * and may be something else besides. */
bool task_by_body(const struct letter *l, bool *more);

/* Worker and task events: one object, or a list of them. `certain`: it came by the events'
 * exchange; else only what can be nothing else is taken for one. */
bool event_read(const struct letter *l, bool certain);

bool control_command(const struct letter *l, bool certain);
bool control_reply(const struct letter *l);

/* A result of the rpc backend: the meta document in an envelope. `alone`: only one that can be no
 * task of protocol 1. */
bool result_in_envelope(const struct letter *l, bool alone);
/* A result, or a part of a chord, of the Redis backend: a value of its own. */
bool result_in_redis(const struct msg *in, const struct interpret_out *out);

/* "published", "delivered", "redelivered", "returned" or "restored", as the contract has it. */
const char *letter_action(const struct msg *in);

/* "json", "pickle", ...: by the declared type, as a worker goes by it; `none`: for a value without
 * a declaration, by its bytes. */
struct bytes serializer_of(const struct msg *in, const struct document *doc);

#endif
