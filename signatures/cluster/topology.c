/* signatures/cluster/topology.c - a bounded table from (scope, exchange, routing
 * key) to the queue that was bound there first. */
#include "signatures/cluster/topology.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/lru.h"
#include "signatures/route.h"

#define NAME_KEPT 256u /* AMQP names are short strings; longer Redis keys are not remembered */

struct binding {
    uint16_t len;
    char queue[NAME_KEPT - 2];
};

struct topology {
    struct lru *bindings;
};

struct topology *topology_new(size_t max_bindings)
{
    struct topology *t = calloc(1, sizeof *t);

    if (t)
        t->bindings = lru_new(max_bindings, sizeof(struct binding), NULL, NULL);
    return t;
}

void topology_free(struct topology *t)
{
    if (t)
        lru_free(t->bindings);
    free(t);
}

static uint64_t not_0(uint64_t h)
{
    return h ? h : 1;
}

static uint64_t client_of(const struct flow_id *id)
{
    const struct endpoint *e = &id->client;

    return not_0(hash_mix(hash_bytes(bytes_of(e->ip, sizeof e->ip), e->family), id->network));
}

static uint64_t server_of(const struct flow_id *id)
{
    const struct endpoint *e = &id->server;

    return not_0(hash_mix(hash_bytes(bytes_of(e->ip, sizeof e->ip), e->port), id->network));
}

void topology_conn(struct conn_info *conn)
{
    conn->client_id = client_of(&conn->id);
    conn->server_id = server_of(&conn->id);
}

uint64_t topology_client(const struct conn_info *conn)
{
    return conn->client_id ? conn->client_id : client_of(&conn->id);
}

uint64_t topology_server(const struct conn_info *conn)
{
    return conn->server_id ? conn->server_id : server_of(&conn->id);
}

uint64_t topology_scope(const struct msg *m)
{
    const union field_value *vhost;
    uint64_t h;

    if (m->scope)
        return m->scope;
    h = topology_server(m->conn);
    vhost = msg_find(m, F_AMQP_VHOST);
    if (vhost)
        return not_0(hash_mix(h, hash_bytes(vhost->text, 1)));
    return not_0(hash_mix(h, (uint64_t)msg_num(m, F_REDIS_DB, 0)));
}

static uint64_t place(const struct msg *m, struct bytes exchange, struct bytes key)
{
    return hash_mix(hash_mix(topology_scope(m), hash_bytes(exchange, 2)), hash_bytes(key, 3));
}

uint64_t topology_identity(const struct msg *m)
{
    struct bytes queue = msg_text(m, F_TASK_QUEUE);

    if (queue.len > 0)
        return place(m, bytes_of("", 0), queue);
    if (!msg_has(m, F_TASK_EXCHANGE) && !msg_has(m, F_TASK_ROUTING_KEY))
        return 0;
    return place(m, msg_text(m, F_TASK_EXCHANGE), route_key(m));
}

static void bind(struct topology *t, const struct msg *m, struct bytes exchange, struct bytes key,
                 struct bytes queue)
{
    bool fresh;
    struct binding *b;

    if (queue.len == 0 || queue.len > sizeof b->queue || exchange.len == 0)
        return;
    b = lru_put(t->bindings, place(m, exchange, key), &fresh);
    if (!b || (!fresh && b->len > 0))
        return; /* the first one bound is the one that is named */
    b->len = (uint16_t)queue.len;
    memcpy(b->queue, queue.at, queue.len);
}

static void unbind(struct topology *t, const struct msg *m)
{
    uint64_t at = place(m, msg_text(m, F_AMQP_EXCHANGE), msg_text(m, F_AMQP_ROUTING_KEY));
    struct binding *b = lru_get(t->bindings, at);
    struct bytes queue = msg_text(m, F_AMQP_QUEUE);

    if (b && b->len > 0 && b->len == queue.len && memcmp(b->queue, queue.at, queue.len) == 0)
        b->len = 0;
}

bool topology_member(const struct msg *m, struct kombu_binding *b)
{
    static const char sep[] = "\x06\x16";
    struct bytes member = msg_text(m, F_MEMBER), rest = bytes_after(member, sep);

    b->queue = bytes_after(rest, sep);
    if (b->queue.len == 0) /* most have no member */
        return false;
    b->exchange = bytes_after(msg_text(m, F_REDIS_KEY), TOPOLOGY_BINDINGS);
    if (b->exchange.len == 0)
        return false;
    b->key = bytes_head(member, member.len - rest.len - 2);
    b->pattern = bytes_head(rest, rest.len - b->queue.len - 2);
    return true;
}

bool topology_wants(const struct msg *m)
{
    if (m->kind == MSG_ENVELOPE)
        return m->op == OP_PUBLISH && msg_is(m, F_REDIS_COMMAND, "SADD") &&
               bytes_after(msg_text(m, F_REDIS_KEY), TOPOLOGY_BINDINGS).len > 0;
    return m->kind == MSG_COMMAND &&
           (msg_is(m, F_AMQP_METHOD, "queue.bind") || msg_is(m, F_AMQP_METHOD, "queue.unbind"));
}

static void command(struct topology *t, const struct msg *m)
{
    if (msg_is(m, F_AMQP_METHOD, "queue.bind"))
        bind(t, m, msg_text(m, F_AMQP_EXCHANGE), msg_text(m, F_AMQP_ROUTING_KEY),
             msg_text(m, F_AMQP_QUEUE));
    else
        unbind(t, m);
}

void topology_note(struct topology *t, const struct msg *m)
{
    struct kombu_binding b;

    if (m->kind != MSG_ENVELOPE) {
        command(t, m);
    } else if (topology_member(m, &b)) {
        bind(t, m, b.exchange, b.key, b.queue);
    }
}

struct bytes topology_queue(struct topology *t, const struct msg *m)
{
    struct bytes exchange = msg_text(m, F_TASK_EXCHANGE), key = msg_text(m, F_TASK_ROUTING_KEY);
    struct binding *b;

    if (msg_has(m, F_TASK_QUEUE))
        return msg_text(m, F_TASK_QUEUE);
    if (exchange.len == 0)
        return key;
    b = lru_get(t->bindings, place(m, exchange, key));
    return b ? bytes_of(b->queue, b->len) : (struct bytes){0};
}
