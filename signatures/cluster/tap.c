/* signatures/cluster/tap.c - queues of RabbitMQ that a stranger binds, reads, empties or deletes:
 * amqp-tap, amqp-destructive; and a queue bound in kombu's tables in Redis: redis-queue-tamper.
 * What Celery binds: celery-on-the-wire 4, 5.4. */
#include "base/hash.h"
#include "signatures/baseline.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/names.h"
#include "signatures/cluster/topology.h"

#define BINDINGS_MAX 65536u
#define TRACE        "amq.rabbitmq.trace" /* .log and .event are read by monitors */

/* Of an exchange, and of an exchange with a routing key. */
struct binding {
    uint64_t first; /* hash of the queue that was bound there first */
    bool tasks;     /* a task was published there */
    bool typed;     /* declared: the broker refuses whoever says another type later */
    bool copies;    /* as fanout or topic: several queues are its purpose */
};

struct lru *tap_new(void)
{
    return lru_new(BINDINGS_MAX, sizeof(struct binding), NULL, NULL);
}

static struct binding *at(struct deployment *d, const struct msg *m, struct bytes exchange,
                          struct bytes key, uint64_t salt)
{
    bool fresh;
    uint64_t name = hash_mix(hash_bytes(exchange, salt), hash_bytes(key, 3));

    return lru_put(d->bindings, hash_mix(topology_scope(m), name), &fresh);
}

static struct binding *exchange_of(struct deployment *d, const struct msg *m, struct bytes exchange)
{
    return at(d, m, exchange, (struct bytes){0}, 6);
}

static struct bytes last_word(struct bytes method)
{
    const uint8_t *dot = method.len > 0 ? memchr(method.at, '.', method.len) : NULL;

    if (dot)
        bytes_cut(&method, (size_t)(dot - method.at) + 1);
    return method;
}

/* Monitors may bind and read; `celery purge` is a controller's, under the name of its method or as
 * the last word of it. */
static bool is_allowed(const struct msg *m, enum rule_id rule, const struct baseline *b)
{
    const struct endpoint *who = &m->conn->id.client;
    struct bytes method = msg_text(m, F_AMQP_METHOD), word = last_word(method);

    if (rule == RULE_AMQP_TAP)
        return baseline_lists(b, BASELINE_MONITORS, who);
    return baseline_controls(b, who, method) || baseline_controls(b, who, word);
}

static void say(const struct msg *m, enum rule_id rule, const char *why,
                const struct detect_out *out)
{
    struct finding f;

    if (is_allowed(m, rule, out->policy->baseline))
        return;
    finding_init(&f, rule, SEV_HIGH);
    finding_reason(&f, "%s", why);
    if (msg_text(m, F_AMQP_QUEUE).len > 0)
        finding_text(&f, "queue", msg_text(m, F_AMQP_QUEUE));
    if (msg_text(m, F_AMQP_EXCHANGE).len > 0)
        finding_text(&f, "exchange", msg_text(m, F_AMQP_EXCHANGE));
    f.fold_class = hash_bytes(msg_text(m, F_AMQP_EXCHANGE), 0);
    out->emit(out->ctx, m, &f);
}

static bool carries_tasks(struct deployment *d, const struct msg *m, struct bytes exchange)
{
    const struct binding *b = exchange_of(d, m, exchange);

    return exchange.len > 0 && ((b && b->tasks) || crew_is_task_queue(&d->crew, m, exchange));
}

/* A second queue where another one takes the tasks, or one that the broker had to name: Celery
 * names its queues itself. */
static bool copies_tasks(struct deployment *d, const struct msg *m, struct bytes exchange,
                         struct bytes queue)
{
    struct bytes key = msg_text(m, F_AMQP_ROUTING_KEY);
    const struct binding *b = exchange_of(d, m, exchange);
    bool many = b && b->copies;

    if (!carries_tasks(d, m, exchange) || crew_is_task_queue(&d->crew, m, queue))
        return false;
    if (name_starts(queue, "amq.gen-"))
        return true;
    b = at(d, m, exchange, key, 7);
    return !many && b && b->first != 0 && b->first != hash_bytes(queue, 8);
}

/* kombu binds exchanges for delayed delivery alone (kombu:transport/native_delayed_delivery.py). */
static bool copies_exchange(struct deployment *d, const struct msg *m, struct bytes source)
{
    const struct binding *b = exchange_of(d, m, source);

    return carries_tasks(d, m, source) && !(b && b->copies) &&
           !name_starts(source, "celery_delayed_");
}

/* What a foreign exchange gets a copy of; NULL: nothing. */
static const char *tapped_exchange(struct deployment *d, const struct msg *m)
{
    struct bytes source = msg_text(m, F_AMQP_EXCHANGE);

    if (bytes_eq(source, TRACE) || name_use(source) != NAME_TASKS)
        return "a foreign exchange gets a copy of events, commands or replies";
    return copies_exchange(d, m, source) ? "a foreign exchange gets a copy of tasks" : NULL;
}

static void declared(struct deployment *d, const struct msg *m)
{
    struct binding *b = exchange_of(d, m, msg_text(m, F_AMQP_EXCHANGE));

    if (!b || b->typed || msg_num(m, F_PASSIVE, 0))
        return;
    b->typed = true;
    b->copies =
        msg_is(m, F_AMQP_EXCHANGE_TYPE, "fanout") || msg_is(m, F_AMQP_EXCHANGE_TYPE, "topic");
}

static void deleted(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    struct bytes exchange = msg_text(m, F_AMQP_EXCHANGE);
    struct binding *b = exchange_of(d, m, exchange);

    if (carries_tasks(d, m, exchange))
        say(m, RULE_AMQP_DESTRUCTIVE, "an exchange of tasks is deleted", out);
    if (b)
        b->typed = b->copies = false;
}

/* kombu's names and keys: <oid>.<exchange>, bound by the key <oid> (kombu:pidbox.py:Mailbox.
 * get_reply_queue): nobody else has a use for that key. */
static bool is_own_mailbox(struct bytes queue, struct bytes exchange, struct bytes key)
{
    return key.len > 0 && queue.len == key.len + 1 + exchange.len && queue.at[key.len] == '.' &&
           memcmp(queue.at, key.at, key.len) == 0 &&
           memcmp(queue.at + key.len + 1, exchange.at, exchange.len) == 0;
}

/* What a foreign queue gets a copy of; NULL: nothing, or the queue belongs there. */
static const char *tapped(struct deployment *d, const struct msg *m, struct bytes queue)
{
    struct bytes exchange = msg_text(m, F_AMQP_EXCHANGE);
    enum name_use use = name_use(queue);

    if (bytes_eq(exchange, TRACE))
        return "a queue is bound to the broker's trace: it gets a copy of every message";
    switch (name_use(exchange)) {
    case NAME_EVENTS:
        return use == NAME_EVENTS ? NULL : "a foreign queue is bound to the workers' events";
    case NAME_MAILBOX:
        return use == NAME_MAILBOX ? NULL : "a foreign queue is bound to remote control";
    case NAME_REPLIES:
        return is_own_mailbox(queue, exchange, msg_text(m, F_AMQP_ROUTING_KEY))
                   ? NULL
                   : "a foreign queue is bound to replies";
    default:
        return copies_tasks(d, m, exchange, queue) ? "a foreign queue gets a copy of tasks" : NULL;
    }
}

static void bound(struct deployment *d, const struct msg *m, struct bytes queue,
                  const struct detect_out *out)
{
    const char *why = tapped(d, m, queue);
    struct binding *b;

    if (why)
        say(m, RULE_AMQP_TAP, why, out);
    b = at(d, m, msg_text(m, F_AMQP_EXCHANGE), msg_text(m, F_AMQP_ROUTING_KEY), 7);
    if (b && b->first == 0 && !why)
        b->first = hash_bytes(queue, 8);
}

/* Results, replies and events of somebody else. A mailbox has the name of its node, whose next life
 * may be elsewhere: see nodes.c. */
static void consumed(struct deployment *d, const struct msg *m, struct bytes queue,
                     const struct detect_out *out)
{
    const struct queue *q = crew_queue(&d->crew, m, queue);

    enum name_use use = name_use(queue);

    if ((use == NAME_REPLIES || use == NAME_EVENTS) && q && q->declarer != 0 &&
        q->declarer != crew_host_id(m))
        say(m, RULE_AMQP_TAP, "a client reads the reply queue of another one", out);
}

static void command(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    struct bytes queue = msg_text(m, F_AMQP_QUEUE);
    bool of_tasks = crew_is_task_queue(&d->crew, m, queue);
    const char *why;

    if (msg_has(m, F_AMQP_ONWARD))
        ways_declared(d, m);
    if (msg_is(m, F_AMQP_METHOD, "exchange.declare")) {
        declared(d, m);
    } else if (msg_is(m, F_AMQP_METHOD, "queue.bind")) {
        bound(d, m, queue, out);
        ways_bound(d, m);
    } else if (msg_is(m, F_AMQP_METHOD, "exchange.bind")) {
        ways_bound(d, m);
        why = tapped_exchange(d, m);
        if (why)
            say(m, RULE_AMQP_TAP, why, out);
    } else if (msg_is(m, F_AMQP_METHOD, "basic.consume") || msg_is(m, F_AMQP_METHOD, "basic.get")) {
        consumed(d, m, queue, out);
    } else if (msg_is(m, F_AMQP_METHOD, "queue.purge") && of_tasks) {
        say(m, RULE_AMQP_DESTRUCTIVE, "a queue of tasks is emptied", out);
    } else if (msg_is(m, F_AMQP_METHOD, "queue.delete") && of_tasks) {
        say(m, RULE_AMQP_DESTRUCTIVE, "a queue of tasks is deleted", out);
    } else if (msg_is(m, F_AMQP_METHOD, "exchange.delete")) {
        deleted(d, m, out);
    }
}

/* A direct exchange with the name of a queue of tasks, as Celery makes it, and a second queue under
 * a key that has one already. Patterns and fanout are for several; to a fanout exchange no task
 * queue gives its name. */
static void kombu_bound(struct deployment *d, const struct msg *m, const struct kombu_binding *k,
                        const struct detect_out *out)
{
    bool own = k->key.len == k->exchange.len && hash_bytes(k->key, 8) == hash_bytes(k->exchange, 8);
    uint64_t queue = hash_bytes(k->queue, 8);
    struct binding *b;
    struct finding f;

    if (k->key.len == 0 || k->pattern.len > 0 || name_use(k->exchange) != NAME_TASKS)
        return;
    b = at(d, m, k->exchange, k->key, 7);
    if (!b)
        return;
    if (b->first == 0)
        b->first = own ? hash_bytes(k->exchange, 8) : queue;
    if (b->first == queue || !crew_is_task_queue(&d->crew, m, k->exchange) ||
        crew_is_task_queue(&d->crew, m, k->queue))
        return;
    finding_init(&f, RULE_REDIS_QUEUE_TAMPER, SEV_HIGH);
    finding_reason(&f, "a foreign queue is bound to an exchange of tasks: it gets a copy of them");
    finding_text(&f, "queue", k->queue);
    finding_text(&f, "exchange", k->exchange);
    f.fold_class = hash_bytes(k->exchange, 0);
    out->emit(out->ctx, m, &f);
}

void tap_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    struct kombu_binding k;
    struct bytes exchange = msg_text(m, F_TASK_EXCHANGE);
    struct binding *b;

    if (m->kind == MSG_ENVELOPE) {
        if (!(m->coverage & COVER_GAP) && topology_member(m, &k)) /* else its names are none */
            kombu_bound(d, m, &k, out);
    } else if (m->kind == MSG_COMMAND && m->dir == TO_SERVER && msg_has(m, F_AMQP_METHOD)) {
        command(d, m, out);
    } else if (m->kind == MSG_TASK && msg_has(m, F_AMQP_METHOD) && exchange.len > 0 &&
               m->op != OP_RETURN) {
        b = exchange_of(d, m, exchange);
        if (b)
            b->tasks = true;
    }
}
