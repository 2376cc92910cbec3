/* dissectors/field.h - every fact that a message can carry, by name: one table
 * gives the identifier, the path in a record (detections.md 3), the type. The
 * order of the table is the order of the keys in a record, so members of one
 * object stand together. A path of NULL never leaves the sensor. */
#ifndef DISSECTORS_FIELD_H
#define DISSECTORS_FIELD_H

#include "base/arena.h"
#include "base/bytes.h"

enum field_type {
    FIELD_TEXT, /* bytes off the wire; escaped when written */
    FIELD_INT,  /* int64_t */
    FIELD_BOOL,
    FIELD_TIME,   /* ns since the epoch; written as RFC 3339 */
    FIELD_LIST,   /* of texts: see list_next() */
    FIELD_SECRET, /* bytes; written as length, mask and keyed hash only */
};

#define FIELD_LIST_OF(X)                                                                           \
    X(OUTCOME, "event.outcome", TEXT)                                                              \
    X(START, "event.start", TIME)                                                                  \
    X(USER, "user.name", TEXT)                                                                     \
    X(PACKAGE_NAME, "package.name", TEXT)                                                          \
    X(PACKAGE_VERSION, "package.version", TEXT)                                                    \
    X(PACKAGE_PLATFORM, "package.architecture", TEXT)                                              \
    X(TASK_ID, "celery.task.id", TEXT)                                                             \
    X(TASK_NAME, "celery.task.name", TEXT)                                                         \
    X(TASK_PROTOCOL, "celery.task.protocol", INT)                                                  \
    X(TASK_LANG, "celery.task.lang", TEXT)                                                         \
    X(TASK_ORIGIN, "celery.task.origin", TEXT)                                                     \
    X(TASK_ROOT_ID, "celery.task.root_id", TEXT)                                                   \
    X(TASK_PARENT_ID, "celery.task.parent_id", TEXT)                                               \
    X(TASK_GROUP, "celery.task.group", TEXT)                                                       \
    X(TASK_SHADOW, "celery.task.shadow", TEXT)                                                     \
    X(TASK_QUEUE, "celery.task.queue", TEXT)                                                       \
    X(TASK_EXCHANGE, "celery.task.exchange", TEXT)                                                 \
    X(TASK_ROUTING_KEY, "celery.task.routing_key", TEXT)                                           \
    X(TASK_SERIALIZER, "celery.task.serializer",                                                   \
      TEXT) /* json, pickle, yaml, msgpack, auth, raw, else the type */                            \
    X(TASK_COMPRESSION, "celery.task.compression", TEXT)                                           \
    X(TASK_PRIORITY, "celery.task.priority", INT)                                                  \
    X(TASK_RETRIES, "celery.task.retries", INT)                                                    \
    X(TASK_ETA, "celery.task.eta", TEXT)                                                           \
    X(TASK_EXPIRES, "celery.task.expires", TEXT)                                                   \
    X(TASK_REPLY_TO, "celery.task.reply_to", TEXT)                                                 \
    X(TASK_CORRELATION_ID, "celery.task.correlation_id", TEXT)                                     \
    X(TASK_DELIVERY_TAG, "celery.task.delivery_tag", TEXT) /* kombu's own uuid on Redis */         \
    X(TASK_SIGNED, "celery.task.signed", BOOL)                                                     \
    X(TASK_SIGNER, "celery.task.signer", TEXT)                                                     \
    X(TASK_SIGNATURE, "celery.task.signature", TEXT) /* valid, invalid, ...: with certificates */  \
    X(TASK_SIGNATURE_SCHEME, "celery.task.signature_scheme", TEXT) /* by which it verified */      \
    X(TASK_SUBTASKS, "celery.task.subtasks",                                                       \
      LIST) /* names embedded in callbacks, errbacks, chain, chord, built-ins */                   \
    X(TASK_BODY_BYTES, "celery.task.body_bytes", INT)                                              \
    X(RESULT_STATUS, "celery.result.status", TEXT)                                                 \
    X(RESULT_SERIALIZER, "celery.result.serializer", TEXT)                                         \
    X(RESULT_BACKEND, "celery.result.backend", TEXT) /* rpc, redis */                              \
    X(RESULT_GROUP, "celery.result.group", TEXT)                                                   \
    X(RESULT_EXC_TYPE, "celery.result.exc_type", TEXT)                                             \
    X(RESULT_EXC_MODULE, "celery.result.exc_module", TEXT)                                         \
    X(WORKER_HOSTNAME, "celery.worker.hostname", TEXT)                                             \
    X(WORKER_EVENT, "celery.worker.event", TEXT)                                                   \
    X(WORKER_SW_IDENT, "celery.worker.sw_ident", TEXT)                                             \
    X(WORKER_SW_VER, "celery.worker.sw_ver", TEXT)                                                 \
    X(WORKER_SW_SYS, "celery.worker.sw_sys", TEXT)                                                 \
    X(WORKER_PID, "celery.worker.pid", INT)                                                        \
    X(WORKER_ACTIVE, "celery.worker.active", INT)                                                  \
    X(WORKER_PROCESSED, "celery.worker.processed", INT)                                            \
    X(CONTROL_METHOD, "celery.control.method", TEXT)                                               \
    X(CONTROL_DESTINATION, "celery.control.destination", LIST)                                     \
    X(CONTROL_PATTERN, "celery.control.pattern", TEXT)                                             \
    X(CONTROL_MATCHER, "celery.control.matcher", TEXT)                                             \
    X(CONTROL_TICKET, "celery.control.ticket", TEXT)                                               \
    X(CONTROL_REPLY_TO, "celery.control.reply_to", TEXT)                                           \
    X(CONTROL_FROM_NODE, "celery.control.from_node", TEXT)                                         \
    X(CONTROL_TOPIC, "celery.control.topic", TEXT)         /* of an election */                    \
    X(CONTROL_TERMINATE, "celery.control.terminate", BOOL) /* of a revoke */                       \
    X(AMQP_METHOD, "amqp.method", TEXT)                    /* basic.publish */                     \
    X(AMQP_VHOST, "amqp.vhost", TEXT)                                                              \
    X(AMQP_CHANNEL, "amqp.channel", INT)                                                           \
    X(AMQP_EXCHANGE, "amqp.exchange", TEXT)                                                        \
    X(AMQP_EXCHANGE_TYPE, "amqp.exchange_type", TEXT)                                              \
    X(AMQP_DESTINATION, "amqp.destination", TEXT)                                                  \
    X(AMQP_ROUTING_KEY, "amqp.routing_key", TEXT)                                                  \
    X(AMQP_QUEUE, "amqp.queue", TEXT)                                                              \
    X(AMQP_CONSUMER_TAG, "amqp.consumer_tag", TEXT)                                                \
    X(AMQP_DELIVERY_TAG, "amqp.delivery_tag", INT)                                                 \
    X(AMQP_REDELIVERED, "amqp.redelivered", BOOL)                                                  \
    X(AMQP_NO_ACK, "amqp.no_ack", BOOL)                                                            \
    X(AMQP_REPLY_CODE, "amqp.reply_code", INT)                                                     \
    X(AMQP_REPLY_TEXT, "amqp.reply_text", TEXT) /* its first word only: ACCESS_REFUSED */          \
    X(AMQP_MECHANISM, "amqp.mechanism", TEXT)                                                      \
    X(AMQP_BODY_BYTES, "amqp.body_bytes", INT)                                                     \
    X(REDIS_COMMAND, "redis.command",                                                              \
      TEXT) /* upper case, container commands with their subcommand */                             \
    X(REDIS_DB, "redis.database", INT)                                                             \
    X(REDIS_KEY, "redis.key", TEXT)                                                                \
    X(REDIS_CHANNEL, "redis.channel", TEXT)                                                        \
    X(REDIS_ARGS, "redis.args", LIST) /* keys, subcommands, numbers; anything else is <n bytes> */ \
    X(REDIS_REPLY, "redis.reply", TEXT) /* type and length, or the error word; never content */    \
    X(REDIS_ERROR, "redis.error", TEXT) /* first word of an error reply: WRONGPASS */              \
    X(APP, "celeriac.app", TEXT)                                                                   \
    X(CONTENT_TYPE, "celeriac.content.type", TEXT) /* as declared */                               \
    X(CONTENT_ENCODING, "celeriac.content.encoding", TEXT)                                         \
    X(ANOMALY, "celeriac.anomaly.what", TEXT)                                                      \
    X(ANOMALY_OFFSET, "celeriac.anomaly.offset", INT)                                              \
    /* inside the sensor only */                                                                   \
    X(AUTH_KIND, NULL, TEXT)      /* of a credential: login, admin, update-secret */               \
    X(AUTH_MECHANISM, NULL, TEXT) /* PLAIN, AMQPLAIN, AUTH, HELLO, ... */                          \
    X(AUTH_SECRET, NULL, SECRET)                                                                   \
    X(AUTH_NAME, NULL, TEXT)     /* the setting that an admin command sets: requirepass */         \
    X(REDIS_FIELD, NULL, TEXT)   /* of a hash */                                                   \
    X(REDIS_PATTERN, NULL, TEXT) /* of a pmessage: what the client subscribed to */                \
    X(NEVER_LOGGED_IN, NULL,                                                                       \
      BOOL) /* of a Redis data command: no AUTH yet, connection seen from its start */             \
    X(ARGS_MORE, NULL,                                                                             \
      BOOL) /* of a MSG_REPLY: some of the arguments of a command that is still to be answered */  \
    X(REDIS_NAME, NULL, TEXT) /* of a command that no table has, as it was sent: maybe a secret */ \
    X(MEMBER, NULL, TEXT)     /* of a set: what SADD put in, for the bindings of kombu */          \
    X(KEPT, NULL, BOOL)       /* the copy of a delivery that a Redis worker keeps in `unacked` */  \
    X(SETTLES, NULL, BOOL)    /* basic.ack, HDEL unacked: the first of the connection in 10 s */   \
    X(REACH, NULL, INT)       /* enum reach of a command's patterns */                             \
    X(AMQP_ONWARD, NULL, TEXT)     /* of a declare: the exchange that takes what is left over */   \
    X(AMQP_ONWARD_KEY, NULL, TEXT) /* with this routing key, if it is another */                   \
    X(SEIZES, NULL, BOOL)          /* beat's lock: see schedule.c */                               \
    X(JUNK, NULL, BOOL)            /* a value that kombu cannot read: see junk.c */                \
    X(INDEXES, NULL, BOOL)         /* ZADD, ZREM unacked_index: likewise */                        \
    X(PASSIVE, NULL, BOOL)         /* exchange.declare that only asks: the type says nothing */    \
    X(KEY_TWICE, NULL, BOOL)       /* of kombu's envelope: a member comes twice */                 \
    X(TASK_SIGNS, NULL, INT)       /* mask of enum task_sign: see signatures/form.h */             \
    X(PROTOCOL_UNREAD, NULL, TEXT) /* amqp-1.0, stomp, mqtt, stream: served here, not read */      \
    X(BODY_DIGEST, NULL, INT)      /* hash of the body after transport codings */                  \
    X(SIGNATURE, NULL, TEXT)                                                                       \
    X(SIGNATURE_STATE, NULL, INT) /* enum signature_state; absent: not signed */                   \
    X(SIGNATURE_NEW, NULL, BOOL)  /* in the layout since 5.5 */                                    \
    X(CONTENT_WHAT, NULL, INT)    /* enum content_what */                                          \
    X(IMPORTS, NULL, LIST) /* modules on no list, of a pickle that is judged by nothing worse */   \
    X(CONTROL_TASKS, NULL, LIST) /* ids that a revoke, a terminate or a hello names */             \
    X(CONTROL_BY_PART, NULL,                                                                       \
      BOOL) /* the destination is one text: every node whose name is in it */                      \
    X(CONTROL_ASTRAY, NULL, BOOL) /* taken from a mailbox, where kombu did not put it */           \
    X(SCRIPT, NULL, TEXT)       /* SHA-1 of one that is not known, in hex; of a function, name */  \
    X(SCRIPT_SIGNS, NULL, INT)  /* mask of enum script_sign: see signatures/cluster/scripts.h */   \
    X(SCRIPT_NAMES, NULL, LIST) /* its keys, and the texts that it is written with */              \
    X(SCRIPT_ARGS, NULL, LIST)  /* its other arguments */

enum field_id {
#define FIELD_ENUM(id, path, type) F_##id,
    FIELD_LIST_OF(FIELD_ENUM)
#undef FIELD_ENUM
        F_COUNT
};

struct field_def {
    const char *path; /* dotted; NULL: internal */
    enum field_type type;
};

/* The table, indexed by enum field_id. */
extern const struct field_def field_defs[F_COUNT];

union field_value {
    struct bytes text; /* TEXT, LIST, SECRET */
    int64_t num;       /* INT, BOOL, TIME */
};

/* A set of facts. Views: whoever keeps one longer than its message copies it. */
struct fields {
    uint64_t has[2]; /* bit set: at[id] is there; the rest of at[] is not initialised */
    union field_value at[F_COUNT];
};
_Static_assert(F_COUNT <= 128, "has[] is two words");

static inline void fields_init(struct fields *f)
{
    f->has[0] = f->has[1] = 0;
}

static inline bool fields_have(const struct fields *f, enum field_id id)
{
    return f->has[id >> 6] >> (id & 63) & 1u;
}

static inline void fields_drop(struct fields *f, enum field_id id)
{
    f->has[id >> 6] &= ~((uint64_t)1 << (id & 63));
}

static inline void fields_text(struct fields *f, enum field_id id, struct bytes text)
{
    f->has[id >> 6] |= (uint64_t)1 << (id & 63);
    f->at[id].text = text;
}

/* A literal, or any text that outlives the message. */
static inline void fields_str(struct fields *f, enum field_id id, const char *text)
{
    fields_text(f, id, bytes_of(text, strlen(text)));
}

static inline void fields_num(struct fields *f, enum field_id id, int64_t num)
{
    f->has[id >> 6] |= (uint64_t)1 << (id & 63);
    f->at[id].num = num;
}

/* FIELD_LIST values are packed: (u32 length in host order, bytes)*. list_add
 * appends to a list that grows in `arena` (amortised; list->len is what is used);
 * false: the arena is full, and the list is as it was. */
bool list_add(struct arena *arena, struct bytes *list, struct bytes item);
/* Takes the next item off the front of *list; false at the end. */
bool list_next(struct bytes *list, struct bytes *item);

#endif
