/* out/fold_key.c - see fold_key.h. A part is a letter, a length and its bytes, so
 * that neighbours cannot run into each other; a text longer than FOLD_KEY_TEXT is its
 * head, its length and its hash. */
#include "out/fold_key.h"

#include "base/hash.h"
#include "signatures/route.h"

static void put(struct fold_key *k, char part, const void *data, size_t n)
{
    uint16_t len = (uint16_t)n;

    if (n + 3 > sizeof k->at - k->len)
        return; /* cannot be: twelve parts of at most 80 bytes and four texts */
    k->at[k->len++] = (uint8_t)part;
    memcpy(k->at + k->len, &len, sizeof len);
    k->len += sizeof len;
    if (n > 0)
        memcpy(k->at + k->len, data, n);
    k->len += n;
}

static void put_text(struct fold_key *k, char part, struct bytes text)
{
    put(k, part, text.at, text.len < FOLD_KEY_TEXT ? text.len : FOLD_KEY_TEXT);
    if (text.len <= FOLD_KEY_TEXT)
        return;
    uint64_t rest[2] = {text.len, hash_bytes(text, 0)};
    put(k, '+', rest, sizeof rest);
}

/* The client's port is one of many and says nothing; a server's is which broker it is. */
static void put_endpoint(struct fold_key *k, char part, const struct msg *m,
                         const struct endpoint *e)
{
    uint8_t at[sizeof e->ip + 3] = {0};

    memcpy(at, e->ip, sizeof e->ip);
    at[sizeof e->ip] = e->family;
    if (e == &m->conn->id.server)
        memcpy(at + sizeof e->ip + 1, &e->port, sizeof e->port);
    put(k, part, at, sizeof at);
}

static void put_network(struct fold_key *k, const struct endpoint *client)
{
    uint8_t at[9] = {0};

    memcpy(at, client->ip, client->family == 6 ? 8 : 3);
    at[8] = client->family;
    put(k, 'n', at, sizeof at);
}

static void put_scope(struct fold_key *k, const struct msg *m)
{
    const union field_value *db = msg_find(m, F_REDIS_DB);

    if (db)
        put(k, 'd', &db->num, sizeof db->num);
    if (msg_has(m, F_AMQP_VHOST))
        put_text(k, 'v', msg_text(m, F_AMQP_VHOST));
}

/* A publish whose queue is not known goes to (exchange, routing key). */
static void put_queue(struct fold_key *k, const struct msg *m)
{
    if (msg_has(m, F_TASK_QUEUE)) {
        put_text(k, 'q', msg_text(m, F_TASK_QUEUE));
        return;
    }
    put_text(k, 'x', msg_text(m, F_TASK_EXCHANGE));
    put_text(k, 'r', route_key(m));
}

/* A Redis password without a user is that of "default" (redis.io: AUTH), whichever form of login
 * a client's library prefers. */
static void put_user(struct fold_key *k, const struct msg *m)
{
    struct bytes user = msg_text(m, F_USER);

    if (user.len == 0 && strcmp(m->conn->proto, "redis") == 0)
        user = bytes_of("default", 7);
    put_text(k, 'u', user);
}

static bool from_client(const struct msg *m, const struct finding *f)
{
    return rules[f->rule].client_is_source || m->dir == TO_SERVER || m->kind == MSG_REPLY;
}

const struct endpoint *fold_source(const struct msg *m, const struct finding *f)
{
    return from_client(m, f) ? &m->conn->id.client : &m->conn->id.server;
}

unsigned fold_parts(const struct finding *f, int64_t *window_ns)
{
    const struct rule *r = &rules[f->rule];
    unsigned seconds = f->fold_seconds ? f->fold_seconds : r->fold_seconds;

    *window_ns = (int64_t)seconds * 1000000000;
    return f->fold ? f->fold : r->fold;
}

static void put_ends(struct fold_key *k, const struct msg *m, const struct finding *f,
                     unsigned parts)
{
    const struct endpoint *client = &m->conn->id.client, *server = &m->conn->id.server;
    const struct endpoint *source = fold_source(m, f);

    put(k, 'N', &m->conn->id.network, sizeof m->conn->id.network);
    if (parts & FOLD_SOURCE)
        put_endpoint(k, 's', m, source);
    if (parts & FOLD_DESTINATION)
        put_endpoint(k, 't', m, source == client ? server : client);
    if (parts & FOLD_BROKER)
        put_endpoint(k, 'b', m, server);
    if (parts & FOLD_CLIENT)
        put_endpoint(k, 'c', m, client);
    if (parts & FOLD_SOURCE_NET)
        put_network(k, client);
}

void fold_key_make(struct fold_key *k, const struct msg *m, const struct finding *f, unsigned parts)
{
    uint32_t head[3] = {f->rule, f->severity, parts};

    k->len = 0;
    put(k, 'R', head, sizeof head);
    if (m->conn)
        put_ends(k, m, f, parts);
    if (parts & FOLD_SCOPE)
        put_scope(k, m);
    if (parts & FOLD_QUEUE)
        put_queue(k, m);
    if (parts & FOLD_USER)
        put_user(k, m);
    if (parts & FOLD_CLASS)
        put(k, 'e', &f->fold_class, sizeof f->fold_class);
}
