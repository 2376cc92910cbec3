/* dissectors/apps/body.h - what the body of a task message holds: args, kwargs and
 * what is embedded. */
#ifndef APPS_BODY_H
#define APPS_BODY_H

#include "dissectors/apps/members.h"
#include "dissectors/msg.h"

/* Members of a body of protocol 1 (celery:app/amqp.py:AMQP.as_task_v1), in the order of the wire,
 * and those of a hybrid (celery:worker/strategy.py:hybrid_to_proto2). */
enum body_member {
    BODY_TASK,
    BODY_ID,
    BODY_ARGS,
    BODY_KWARGS,
    BODY_GROUP,
    BODY_GROUP_INDEX,
    BODY_RETRIES,
    BODY_ETA,
    BODY_EXPIRES,
    BODY_UTC,
    BODY_CALLBACKS,
    BODY_ERRBACKS,
    BODY_TIMELIMIT,
    BODY_TASKSET,
    BODY_CHORD,
    BODY_LANG,
    BODY_ROOT_ID,
    BODY_PARENT_ID,
    BODY_SHADOW,
    BODY_ORIGIN,
    BODY_ARGSREPR,
    BODY_KWARGSREPR,
    BODY_METH,
    BODY_MEMBERS,
};

/* The third part of a body that embeds nothing, as json.dumps writes it. */
#define BODY_NOTHING "{\"callbacks\": null, \"errbacks\": null, \"chain\": null, \"chord\": null}"

extern const struct bytes body_names[BODY_MEMBERS];

enum body_shape {
    BODY_UNREAD,  /* in a format that is not read, or nothing of the kind */
    BODY_TRIPLE,  /* [args, kwargs, embed] */
    BODY_MAPPING, /* members */
};

struct body {
    enum body_shape shape;
    struct task_body views;
    struct members members;
    struct member member[BODY_MEMBERS]; /* of a mapping */
};

void body_read(const struct document *doc, struct body *out, struct arena *arena);

#endif
