/* dissectors/msg.h - what the sensor understood, as plain data.
 *
 * The one vocabulary between dissectors, interpreters, detectors, the collector
 * and the encoders. All views point into the chunk, the dissector's state or the
 * message arena: they are good until the emit callback returns. A message read
 * out of another one (a task out of an envelope) has it as `cause` and repeats
 * none of its fields: msg_has() and its kind look through the causes. */
#ifndef DISSECTORS_MSG_H
#define DISSECTORS_MSG_H

#include "base/wire.h"
#include "dissectors/content/content.h"
#include "dissectors/field.h"
#include "dissectors/headers.h"

enum msg_kind {
    /* said by a dissector, in the terms of the wire */
    MSG_PEER = 1u << 0,       /* a side names its software: PACKAGE_* */
    MSG_CREDENTIAL = 1u << 1, /* AUTH_*, USER */
    MSG_LOGIN =
        1u
        << 2, /* how the broker answered a credential: OUTCOME, USER, AUTH_*; see resp.h, amqp.h */
    MSG_COMMAND = 1u << 3, /* an AMQP method, either way; a Redis command as the client sent it */
    MSG_REPLY = 1u << 4,   /* a Redis command, once its reply is known (or never will be) */
    MSG_ENVELOPE =
        1u << 5, /* bytes put on, taken off, stored, published or returned: `op`, `content` */
    MSG_ANOMALY = 1u << 6, /* the wire itself was wrong: ANOMALY, ANOMALY_OFFSET */
    MSG_UNREAD = 1u << 7,  /* a protocol that is named but not read, or TLS: PROTOCOL_UNREAD */
    /* said by an interpreter, in the terms of the application */
    MSG_TASK = 1u << 8,
    MSG_RESULT = 1u << 9,
    MSG_WORKER = 1u << 10,  /* a celeryev event: worker-* and task-* */
    MSG_CONTROL = 1u << 11, /* remote control: a command, or a reply to one */
    /* a value of another program (rq, huey, django, ...): APP; with CONTROL_METHOD, what is a
     * command if the broker takes it to a mailbox */
    MSG_STORED = 1u << 12,
    /* said by the worker, to the collector only */
    MSG_CLOSED =
        1u << 13, /* an identified connection is over: both sides closed it, or one reset it */
    MSG_LOST = 1u << 14, /* bytes to its client are missing, for now or for ever; once in 100 ms */
};

/* What happens to the bytes of an envelope. */
enum op {
    OP_NONE,
    OP_PUBLISH, /* towards the broker: basic.publish, LPUSH, RPUSH, PUBLISH, ZADD, XADD */
    OP_DELIVER, /* to a consumer that takes it off: basic.deliver, basic.get-ok, BRPOP's reply, a
                   pub/sub message */
    OP_RETURN,  /* basic.return */
    OP_STORE,   /* SET, SETEX, HSET: kept under a key */
    OP_READ,    /* the reply of GET, HGET, LRANGE: read, not taken */
};

enum coverage {
    COVER_COMPLETE = 0,
    COVER_CLIPPED = 1u << 0,   /* larger than is kept, or cut by the snaplen */
    COVER_GAP = 1u << 1,       /* bytes of this unit, or of what it answers, were lost */
    COVER_MIDSTREAM = 1u << 2, /* the connection began before the capture */
    COVER_ONE_WAY = 1u << 3,   /* the other direction was never seen */
};

/* What a message says of the connection that it came on. The worker owns it;
 * it outlives the flow's last message. */
struct pickle_result;
struct pickle_found;

struct conn_info {
    struct flow_id id;
    const char *proto; /* "amqp", "redis" */
    /* topology_conn(): its two sides, hashed once a connection; 0: not yet */
    uint64_t client_id, server_id;
};

/* The body of a task, in pieces: values as written in their format, strings with their
 * quotes; empty: absent, or not to be had (pickle). */
struct task_body {
    enum content_what format; /* of the document: what a reader needs to read the pieces */
    struct bytes args, kwargs, embed;
    bool mapping;  /* of protocol 1, or under the headers of a hybrid */
    bool twice;    /* a member of a mapping comes twice */
    uint8_t lacks; /* of a mapping that was read whole: members that as_task_v1 always writes */
};

/* The arguments of a Redis command as they were sent, args->at[0] its name. Of one with
 * more than a thousand, or of more bytes than one body may have, the first 64, cut to 256 bytes. */
struct args {
    const struct bytes *at;
    size_t n;
};

struct msg {
    enum msg_kind kind;
    enum op op;
    /* event.action of its record: a literal ("published", "delivered", "login"),
     * the same pointer or equal text for the same thing. Set by whoever emits. */
    const char *action;
    /* The unit of the wire that it was read from: an AMQP method with its content,
     * one Redis command or reply. */
    enum dir dir;     /* who sent the unit */
    uint64_t offset;  /* of the unit's first byte, in that direction's stream */
    struct stamp at;  /* of the packet that completed the unit */
    uint8_t coverage; /* COVER_* */
    /* Filled by the worker. */
    uint16_t index; /* among the messages of this kind and action in this unit */
    const struct conn_info *conn;
    const struct msg *cause;
    /* Filled by the collector, for those it asks: topology_scope(); 0: not yet. */
    uint64_t scope;

    struct content
        *content; /* envelopes and what is read from them; NULL elsewhere and in the collector */
    /* Of an envelope and of what is read from it; NULL: it has none, or the protocol has no place
     * for them. `properties` has AMQP's names (delivery_mode, priority, correlation_id, reply_to,
     * expiration, message_id, timestamp, type, user_id, app_id, cluster_id) and whatever else kombu
     * puts there; content type, encoding and headers are not among them. */
    const struct headers *headers, *properties;
    /* What the pickle machine says of the content's innermost part; opaque here, for detectors
     * (signatures/pickle/pickle.h). NULL: no pickle, or in the collector. */
    const struct pickle_result *pickle;
    /* A pickle inside a text of the content, with where it was; opaque likewise. NULL: none. */
    const struct pickle_found *nested;
    const struct task_body *task; /* of a MSG_TASK; NULL elsewhere and in the collector */
    const struct args *args;      /* of a Redis MSG_COMMAND, while it is emitted; else NULL */
    struct fields fields;
};

/* A message of `kind` in the unit that `like` came from; no fields yet. */
static inline void msg_init(struct msg *m, enum msg_kind kind, const char *action)
{
    m->kind = kind;
    m->op = OP_NONE;
    m->action = action;
    m->dir = TO_SERVER;
    m->offset = 0;
    m->at = (struct stamp){0};
    m->coverage = COVER_COMPLETE;
    m->index = 0;
    m->conn = NULL;
    m->cause = NULL;
    m->scope = 0;
    m->content = NULL;
    m->pickle = NULL;
    m->nested = NULL;
    m->task = NULL;
    m->headers = m->properties = NULL;
    m->args = NULL;
    fields_init(&m->fields);
}

/* The same for a message that is read out of `cause`: unit, coverage, content
 * and op are those of the cause. */
static inline void msg_from(struct msg *m, const struct msg *cause, enum msg_kind kind,
                            const char *action)
{
    msg_init(m, kind, action);
    m->op = cause->op;
    m->dir = cause->dir;
    m->offset = cause->offset;
    m->at = cause->at;
    m->coverage = cause->coverage;
    m->conn = cause->conn;
    m->cause = cause;
    m->content = cause->content;
    m->pickle = cause->pickle;
    m->headers = cause->headers;
    m->properties = cause->properties;
    m->args = cause->args;
}

static inline const union field_value *msg_find(const struct msg *m, enum field_id id)
{
    for (; m; m = m->cause)
        if (fields_have(&m->fields, id))
            return &m->fields.at[id];
    return NULL;
}

static inline bool msg_has(const struct msg *m, enum field_id id)
{
    return msg_find(m, id) != NULL;
}

/* The text, or an empty range. */
static inline struct bytes msg_text(const struct msg *m, enum field_id id)
{
    const union field_value *v = msg_find(m, id);

    return v ? v->text : (struct bytes){0};
}

static inline int64_t msg_num(const struct msg *m, enum field_id id, int64_t otherwise)
{
    const union field_value *v = msg_find(m, id);

    return v ? v->num : otherwise;
}

__attribute__((always_inline)) static inline bool msg_is(const struct msg *m, enum field_id id,
                                                         const char *text)
{
    const union field_value *v = msg_find(m, id);

    return v && bytes_eq(v->text, text);
}

typedef void msg_fn(void *ctx, const struct msg *m);

#endif
