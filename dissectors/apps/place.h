/* dissectors/apps/place.h - where a message travels, as far as its meaning depends
 * on it: among the events, or in the mailboxes of remote control. */
#ifndef APPS_PLACE_H
#define APPS_PLACE_H

#include "dissectors/msg.h"

/* Bits: a message may go to several. */
enum place {
    PLACE_ANY = 0,
    PLACE_EVENTS = 1, /* exchange celeryev (celery:events/event.py:get_exchange) */
    PLACE_CONTROL =
        2, /* exchange <namespace>.pidbox, or a node's mailbox (kombu:pidbox.py:Mailbox) */
    PLACE_REPLY = 4, /* exchange reply.<namespace>.pidbox, or a caller's mailbox */
    PLACE_USUAL = 8, /* by the exchange or channel that Celery has for it, and by nothing else */
};

/* It came by AMQP, whether its method was seen or not; else by Redis. */
static inline bool place_is_amqp(const struct msg *m)
{
    return msg_has(m, F_AMQP_CHANNEL) || msg_has(m, F_AMQP_METHOD);
}

/* The places, as bits, by the names on the wire (AMQP exchange, routing key, the queue of a
 * delivery, and the CC and BCC of RabbitMQ; Redis key or channel), never by what the message says
 * of itself: a worker looks at the queue it came from. A queue may have more ways to it than are
 * seen here (bindings, dead letters), so a place says what a message is likely to be, no more. */
unsigned places_of(const struct msg *m);

/* Taken from a mailbox of AMQP that it came to neither by kombu's exchange nor by its name: by a
 * binding, an alternate exchange, a dead letter, a copy. */
bool place_is_astray(const struct msg *m);

/* Celery's own queue, by its default name. */
bool place_has_tasks(const struct msg *m);

/* A queue with an UUID for a name, as a client makes it for its results
 * (celery:backends/rpc.py:RPCBackend.binding). */
bool place_has_results(const struct msg *m);

/* The exchange in the name of a Redis channel, "[prefix]/<db>.<exchange>[/<routing key>]"
 * (kombu:transport/redis.py:Channel._get_publish_topic, keyprefix_fanout). */
struct bytes place_exchange(struct bytes channel);

/* A number stands at its end: of a list, perhaps a priority. */
static inline bool place_is_numbered(struct bytes key)
{
    return key.len > 0 && key.at[key.len - 1] >= '0' && key.at[key.len - 1] <= '9';
}

/* A Redis list's name without the priority that kombu appends, "\x06\x16" and a number
 * (kombu:transport/redis.py:Channel._q_for_pri). */
struct bytes place_queue(struct bytes key);
/* The same where another separator than kombu's own may be set (transport option `sep`), such as
 * ':': of a message of that priority, whose routing key is most often the queue's name. */
struct bytes place_queue_of(struct bytes key, struct bytes queue, int64_t priority);

#endif
