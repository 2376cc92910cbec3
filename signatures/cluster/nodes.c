/* signatures/cluster/nodes.c - a node name that lives at two addresses at once: the second one
 * speaks while the first one goes on. A restart is none: the old one is silent from then on. */
#include "signatures/cluster/nodes.h"

#include <stdlib.h>

#include "base/hash.h"
#include "signatures/cluster/names.h"
#include "signatures/cluster/topology.h"
#include "signatures/flat.h"

#define NODES_MAX 16384u
#define CONNS_MAX 65536u
#define START_NS  (30 * INT64_C(1000000000)) /* what lived in the first half minute was there */

struct life {
    uint64_t host; /* 0: none */
    uint64_t serial;
    int64_t first, last;
    uint8_t family;
    bool midstream;
};

struct node {
    struct life at[2]; /* in the order they came */
    void *second;      /* the first that the second one said, a flat block */
    bool told;
};

struct nodes {
    struct lru *by_name;
    struct lru *by_conn; /* connection -> the node that spoke on it last */
};

static void gone(void *ctx, uint64_t key, void *value)
{
    struct node *n = value;

    (void)ctx, (void)key;
    free(n->second);
}

struct nodes *nodes_new(void)
{
    struct nodes *n = calloc(1, sizeof *n);

    if (!n)
        return NULL;
    n->by_name = lru_new(NODES_MAX, sizeof(struct node), gone, NULL);
    n->by_conn = lru_new(CONNS_MAX, sizeof(uint64_t), NULL, NULL);
    if (n->by_name && n->by_conn)
        return n;
    nodes_free(n);
    return NULL;
}

void nodes_free(struct nodes *n)
{
    if (!n)
        return;
    if (n->by_name)
        lru_free(n->by_name);
    if (n->by_conn)
        lru_free(n->by_conn);
    free(n);
}

/* The place in which it shows itself: a mailbox, a table of bindings, a channel, an exchange. */
static struct bytes place_of(const struct msg *m, struct bytes node)
{
    const union field_value *place = msg_find(m, F_AMQP_EXCHANGE);
    struct bytes mailbox;

    if (m->kind == MSG_COMMAND) {
        mailbox = msg_text(m, F_AMQP_QUEUE);
        bytes_cut(&mailbox, node.len + 1);
        return mailbox;
    }
    if (!place)
        place = msg_find(m, F_REDIS_CHANNEL);
    if (!place)
        place = msg_find(m, F_REDIS_KEY);
    return place ? place->text : (struct bytes){0};
}

/* One name in two clusters that share a broker is two nodes. */
static uint64_t key_of(const struct msg *m, struct bytes name)
{
    struct bytes cluster = name_cluster(place_of(m, name));
    uint64_t key = hash_mix(topology_scope(m), hash_bytes(name, 5));

    return cluster.len > 0 ? hash_mix(key, hash_bytes(cluster, 6)) : key;
}

static void drop(struct node *n, unsigned which)
{
    if (which == 0)
        n->at[0] = n->at[1];
    n->at[1].host = 0;
    free(n->second);
    n->second = NULL;
    n->told = false;
}

static void tell(struct node *n, struct bytes name, bool from_start, const struct detect_out *out)
{
    struct flat_view v;
    struct finding f;

    if (!n->second)
        return;
    flat_read(n->second, &v);
    fields_text(&v.m.fields, F_WORKER_HOSTNAME, name);
    finding_init(&f, RULE_WORKER_IMPERSONATION, from_start ? SEV_MEDIUM : SEV_HIGH);
    finding_reason(&f, "a node name lives at two addresses at once: a second worker took it");
    finding_text(&f, "node", name);
    finding_num(&f, "first_seen_seconds_before", (n->at[1].first - n->at[0].first) / 1000000000);
    f.fold_class = hash_bytes(name, 0);
    out->emit(out->ctx, &v.m, &f);
    free(n->second);
    n->second = NULL;
    n->told = true;
}

static struct life begin(const struct msg *m, uint64_t host)
{
    return (struct life){.host = host,
                         .serial = m->conn->id.serial,
                         .first = m->at.ns,
                         .last = m->at.ns,
                         .family = m->conn->id.client.family,
                         .midstream = (m->coverage & COVER_MIDSTREAM) != 0};
}

static void second_life(struct node *n, const struct msg *m, uint64_t host)
{
    if (n->at[0].family != m->conn->id.client.family)
        return;             /* IPv4 and IPv6 of one host */
    if (n->at[1].host != 0) /* a third one: the first has moved on */
        drop(n, 0);
    n->at[1] = begin(m, host);
    n->second = flat_keep(m);
}

static void lives(struct nodes *all, const struct crew *c, const struct msg *m, struct bytes name,
                  const struct detect_out *out)
{
    uint64_t host = crew_host_id(m), key = key_of(m, name);
    bool fresh;
    struct node *n = lru_put(all->by_name, key, &fresh);
    uint64_t *conn = lru_put(all->by_conn, m->conn->id.serial, &fresh);

    if (conn)
        *conn = key;
    if (!n)
        return;
    if (n->at[0].host == 0) {
        n->at[0] = begin(m, host);
        return;
    }
    unsigned which = n->at[0].host == host ? 0 : n->at[1].host == host ? 1 : 2;
    if (which == 2) {
        second_life(n, m, host);
        return;
    }
    n->at[which].last = m->at.ns;
    n->at[which].serial = m->conn->id.serial;
    if (which == 0 && n->at[1].host != 0 && !n->told)
        tell(n, name, n->at[1].first - c->begin < START_NS && n->at[1].midstream, out);
}

static void ends(struct nodes *all, const struct msg *m, struct bytes name)
{
    struct node *n = lru_get(all->by_name, key_of(m, name));
    uint64_t host = crew_host_id(m);

    for (unsigned i = 0; n && i < 2; i++)
        if (n->at[i].host == host) {
            drop(n, i);
            return;
        }
}

/* The connection that a life spoke on last is over, and so is that life. */
static void closed(struct nodes *all, const struct msg *m)
{
    const uint64_t *key = lru_get(all->by_conn, m->conn->id.serial);
    struct node *n = key ? lru_get(all->by_name, *key) : NULL;

    for (unsigned i = 0; n && i < 2; i++)
        if (n->at[i].host != 0 && n->at[i].serial == m->conn->id.serial) {
            drop(n, i);
            return;
        }
}

struct bytes nodes_shown(const struct msg *m)
{
    struct bytes none = {0};
    struct kombu_binding bound;

    if (m->dir != TO_SERVER)
        return none;
    /* task-sent comes from clients, in another form: gen<pid>@<host>. */
    if (m->kind == MSG_WORKER && !msg_is(m, F_WORKER_EVENT, "task-sent"))
        return msg_text(m, F_WORKER_HOSTNAME);
    if (m->kind == MSG_CONTROL && !msg_has(m, F_CONTROL_METHOD))
        return msg_text(m, F_WORKER_HOSTNAME);
    if (m->kind == MSG_COMMAND && msg_is(m, F_AMQP_METHOD, "queue.declare"))
        return name_node(msg_text(m, F_AMQP_QUEUE));
    if (m->kind == MSG_ENVELOPE && msg_is(m, F_REDIS_COMMAND, "SADD"))
        return topology_member(m, &bound) ? name_node(bound.queue) : none;
    return none;
}

void nodes_note(struct nodes *n, const struct crew *c, const struct msg *m,
                const struct detect_out *out)
{
    struct bytes name;

    if (m->kind == MSG_CLOSED) {
        closed(n, m);
        return;
    }
    name = nodes_shown(m);
    if (name.len == 0)
        return;
    if (m->kind == MSG_WORKER && msg_is(m, F_WORKER_EVENT, "worker-offline"))
        ends(n, m, name);
    else
        lives(n, c, m, name, out);
}

bool nodes_is_own(struct nodes *n, const struct msg *m, struct bytes node)
{
    const struct node *at = lru_get(n->by_name, key_of(m, node));

    return at && at->at[0].host == crew_host_id(m) && at->at[1].host == 0;
}

int64_t nodes_seen(struct nodes *n, const struct msg *m, struct bytes node)
{
    const struct node *at = lru_get(n->by_name, key_of(m, node));
    uint64_t host = crew_host_id(m);

    for (unsigned i = 0; at && i < 2; i++)
        if (at->at[i].host == host)
            return at->at[i].last;
    return 0;
}
