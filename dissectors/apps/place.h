/* dissectors/apps/place.h - where a message travels, as far as its meaning depends
 * on it: among the events, or in the mailboxes of remote control. */
#ifndef APPS_PLACE_H
#define APPS_PLACE_H

#include "dissectors/msg.h"

enum place {
    PLACE_ANY,
    PLACE_EVENTS,  /* exchange celeryev (celery:events/event.py:get_exchange) */
    PLACE_CONTROL, /* exchange <namespace>.pidbox, or a node's mailbox (kombu:pidbox.py:Mailbox) */
    PLACE_REPLY,   /* exchange reply.<namespace>.pidbox, or a caller's mailbox */
};

/* It came by AMQP, whether its method was seen or not; else by Redis. */
static inline bool place_is_amqp(const struct msg *m)
{
    return msg_has(m, F_AMQP_CHANNEL) || msg_has(m, F_AMQP_METHOD);
}

/* From the names on the wire (AMQP exchange and routing key; Redis key or channel), never from what
 * the message says of itself: a worker looks at the queue it came from. */
enum place place_of(const struct msg *m);

/* The exchange in the name of a Redis channel, "[prefix]/<db>.<exchange>[/<routing key>]"
 * (kombu:transport/redis.py:Channel._get_publish_topic, keyprefix_fanout). */
struct bytes place_exchange(struct bytes channel);

/* A Redis list's name without the priority that kombu appends, "\x06\x16" and a number
 * (kombu:transport/redis.py:Channel._q_for_pri). */
struct bytes place_queue(struct bytes key);
/* The same where another separator than kombu's own may be set (transport option `sep`), such as
 * ':': of a message of that priority, whose routing key is most often the queue's name. */
struct bytes place_queue_of(struct bytes key, struct bytes queue, int64_t priority);

#endif
