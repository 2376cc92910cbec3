/* signatures/cluster/broker.c - what a broker lets in: data commands without a
 * login, anonymous logins, and protocols by which tasks can travel that the
 * sensor does not read: broker-no-auth, broker-unread-protocol. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/lru.h"
#include "signatures/cluster/cluster.h"
#include "signatures/flat.h"

#define BROKERS_MAX 16384u

struct broker {
    bool tasks;   /* a Celery task crossed it */
    void *unread; /* a message about another protocol that it serves, as a flat block; freed once
                     told */
};

struct brokers {
    struct lru *by_host; /* server address -> struct broker */
};

static void gone(void *ctx, uint64_t key, void *value)
{
    struct broker *b = value;

    (void)ctx, (void)key;
    free(b->unread);
}

static void *open_brokers(const struct policy *policy)
{
    struct brokers *b = calloc(1, sizeof *b);

    (void)policy;
    if (!b)
        return NULL;
    b->by_host = lru_new(BROKERS_MAX, sizeof(struct broker), gone, NULL);
    if (!b->by_host) {
        free(b);
        return NULL;
    }
    return b;
}

static void close_brokers(void *self)
{
    struct brokers *b = self;

    lru_free(b->by_host);
    free(b);
}

static struct broker *broker_of(struct brokers *b, const struct msg *m)
{
    const struct endpoint *s = &m->conn->id.server;
    bool fresh;

    return lru_put(b->by_host, hash_bytes(bytes_of(s->ip, sizeof s->ip), m->conn->id.network),
                   &fresh);
}

static void tell_unread(const struct msg *m, const struct detect_out *out)
{
    struct finding f;
    struct bytes what = msg_text(m, F_PROTOCOL_UNREAD);

    finding_init(&f, RULE_BROKER_UNREAD_PROTOCOL, SEV_MEDIUM);
    finding_reason(&f,
                   "a broker that carries tasks also serves %.*s, which the sensor does not read",
                   (int)(what.len < 32 ? what.len : 32), (const char *)what.at);
    finding_text(&f, "protocol", what);
    f.fold = FOLD_BROKER | FOLD_CLASS;
    f.fold_seconds = 86400;
    f.fold_class = hash_bytes(what, 0);
    out->emit(out->ctx, m, &f);
}

static void unread(struct broker *b, const struct msg *m, const struct detect_out *out)
{
    if (b->tasks) {
        tell_unread(m, out);
    } else if (!b->unread) {
        b->unread = aligned_alloc(16, (flat_size(m, NULL, 0) + 15) & ~(size_t)15);
        if (b->unread)
            flat_write(b->unread, m, NULL, 0);
    }
}

static void task(struct broker *b, const struct detect_out *out)
{
    struct flat_view v;

    b->tasks = true;
    if (!b->unread)
        return;
    flat_read(b->unread, &v);
    tell_unread(&v.m, out);
    free(b->unread);
    b->unread = NULL;
}

static void no_auth(const struct msg *m, const char *reason, const struct detect_out *out)
{
    const struct flow_id *id = &m->conn->id;
    bool local = endpoint_is_loopback(&id->client) && endpoint_is_loopback(&id->server);
    struct finding f;

    finding_init(&f, RULE_BROKER_NO_AUTH, local ? SEV_INFO : SEV_MEDIUM);
    finding_reason(&f, "%s", reason);
    if (msg_has(m, F_AUTH_MECHANISM))
        finding_text(&f, "mechanism", msg_text(m, F_AUTH_MECHANISM));
    out->emit(out->ctx, m, &f);
}

static void note(void *self, const struct msg *m, const struct detect_out *out)
{
    struct brokers *all = self;

    if (m->kind == MSG_REPLY) {
        if (msg_num(m, F_NEVER_LOGGED_IN, 0) && msg_is(m, F_OUTCOME, "success"))
            no_auth(m, "a Redis server runs data commands of a client that never logged in", out);
        return;
    }
    if (m->kind == MSG_LOGIN) {
        if (msg_is(m, F_AUTH_MECHANISM, "ANONYMOUS") && msg_is(m, F_OUTCOME, "success"))
            no_auth(m, "the AMQP broker lets anybody in (ANONYMOUS)", out);
        return;
    }
    struct broker *b = broker_of(all, m);
    /* A replica's stream is no way for tasks to travel. */
    if (b && m->kind == MSG_UNREAD && !msg_is(m, F_PROTOCOL_UNREAD, "redis-replication"))
        unread(b, m, out);
    else if (b && m->kind == MSG_TASK)
        task(b, out);
}

const struct cluster_detector broker_detector = {
    .name = "broker",
    .wants = MSG_REPLY | MSG_LOGIN | MSG_UNREAD | MSG_TASK,
    .open = open_brokers,
    .note = note,
    .close = close_brokers,
};
