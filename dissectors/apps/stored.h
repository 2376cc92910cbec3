/* dissectors/apps/stored.h - messages and values of programs other than Celery. */
#ifndef APPS_STORED_H
#define APPS_STORED_H

#include "dissectors/apps/place.h"
#include "dissectors/interpreter.h"

/* A MSG_STORED of `app`, with what the envelope does as its action: "stored", "retrieved",
 * "published", "delivered", "returned". */
void stored_begin(struct msg *m, const struct msg *in, const char *app);

/* The same bytes without their first n, as an envelope of its own, to be looked at anew: a
 * program's own mark in front of what it stores. */
void stored_behind(const struct msg *in, size_t n, const struct interpret_out *out);

/* A value as Redis has it: not AMQP's, nor read out of another one. */
static inline bool stored_is_raw(const struct msg *in)
{
    return !in->cause && in->content && !place_is_amqp(in);
}

/* The key or channel. */
static inline struct bytes stored_key(const struct msg *in)
{
    return msg_text(in, msg_has(in, F_REDIS_KEY) ? F_REDIS_KEY : F_REDIS_CHANNEL);
}

#endif
