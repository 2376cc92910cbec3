/* signatures/cluster/ways.c - exchanges and queues of RabbitMQ whose messages go on to the workers'
 * mailboxes, by bindings of exchanges, alternate exchanges and dead letters: what is published
 * there is remote control, though neither it nor its routing key says so. kombu makes no such way.
 */
#include "base/hash.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/names.h"
#include "signatures/cluster/topology.h"

#define WAYS_MAX 4096u

enum end { EXCHANGE = 31, QUEUE }; /* salts */

struct lru *ways_new(void)
{
    return lru_new(WAYS_MAX, 1, NULL, NULL); /* what is there leads on */
}

static uint64_t way_of(const struct msg *m, struct bytes name, enum end end)
{
    return hash_mix(topology_scope(m), hash_bytes(name, end));
}

static bool leads(struct deployment *d, const struct msg *m, struct bytes name, enum end end)
{
    if (name.len == 0)
        return false;
    return name_use(name) == NAME_MAILBOX || lru_get(d->ways, way_of(m, name, end)) != NULL;
}

static void mark(struct deployment *d, const struct msg *m, struct bytes name, enum end end)
{
    bool fresh;

    if (name.len > 0)
        lru_put(d->ways, way_of(m, name, end), &fresh);
}

/* To an exchange, or by the default one to the queue that the key names. */
static bool goes_on(struct deployment *d, const struct msg *m)
{
    struct bytes exchange = msg_text(m, F_AMQP_ONWARD);

    return exchange.len > 0 ? leads(d, m, exchange, EXCHANGE)
                            : leads(d, m, msg_text(m, F_AMQP_ONWARD_KEY), QUEUE);
}

void ways_declared(struct deployment *d, const struct msg *m)
{
    struct bytes exchange = msg_text(m, F_AMQP_EXCHANGE), queue = msg_text(m, F_AMQP_QUEUE);

    if (goes_on(d, m))
        mark(d, m, queue.len > 0 ? queue : exchange, queue.len > 0 ? QUEUE : EXCHANGE);
}

void ways_bound(struct deployment *d, const struct msg *m)
{
    struct bytes exchange = msg_text(m, F_AMQP_EXCHANGE);
    bool on = msg_has(m, F_AMQP_DESTINATION)
                  ? leads(d, m, msg_text(m, F_AMQP_DESTINATION), EXCHANGE)
                  : leads(d, m, msg_text(m, F_AMQP_QUEUE), QUEUE);

    if (on && name_use(exchange) != NAME_MAILBOX)
        mark(d, m, exchange, EXCHANGE);
}

bool ways_lead_to_mailbox(struct deployment *d, const struct msg *m)
{
    struct bytes exchange = msg_text(m, F_AMQP_EXCHANGE);

    return exchange.len > 0 ? leads(d, m, exchange, EXCHANGE)
                            : leads(d, m, msg_text(m, F_AMQP_ROUTING_KEY), QUEUE);
}
