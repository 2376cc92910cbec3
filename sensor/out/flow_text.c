/* out/flow_text.c - see flow_text.h. A slot belongs to the connection that used it last. */
#include "out/flow_text.h"

#include <arpa/inet.h>

static bool same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && a->family == b->family && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

/* A connection may be turned round once it is known who is the server. */
static bool is_of(const struct flow_text *f, const struct conn_info *c)
{
    return f->proto && f->id.serial == c->id.serial && strcmp(f->proto, c->proto) == 0 &&
           f->id.vlan == c->id.vlan && same_endpoint(&f->id.client, &c->id.client) &&
           same_endpoint(&f->id.server, &c->id.server);
}

void flow_text_ip(const struct endpoint *e, char to[INET6_ADDRSTRLEN])
{
    if (!inet_ntop(e->family == 6 ? AF_INET6 : AF_INET, e->ip, to, INET6_ADDRSTRLEN))
        to[0] = '\0';
}

/* Addresses that belong to nobody in particular: RFC 1918, 6598, 3927, 4193, 4291, loopback. */
static bool is_local(const struct endpoint *e)
{
    const uint8_t *ip = e->ip;

    if (e->family == 4)
        return ip[0] == 10 || ip[0] == 127 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
               (ip[0] == 192 && ip[1] == 168) || (ip[0] == 169 && ip[1] == 254) ||
               (ip[0] == 100 && (ip[1] & 0xc0) == 64);
    static const uint8_t ONE[16] = {[15] = 1};
    return (ip[0] & 0xfe) == 0xfc || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) ||
           memcmp(ip, ONE, sizeof ONE) == 0;
}

/* network.direction of ECS, as seen from the networks that are nobody's. */
static const char *direction(const struct endpoint *from, const struct endpoint *to)
{
    bool in = is_local(from), out = is_local(to);

    return in && out ? "internal" : in ? "outbound" : out ? "inbound" : "external";
}

static void write_end(struct text *t, const char *name, const char *ip, uint16_t port)
{
    text_str(t, name);
    text_str(t, ip);
    TEXT_LITERAL(t, "\",\"port\":");
    text_u64(t, port);
    TEXT_LITERAL(t, "},");
}

static void write_json(struct flow_text *f, enum dir dir)
{
    const struct endpoint *end[2] = {&f->id.client, &f->id.server};
    enum dir to = dir_other(dir);
    struct text t = {0};

    write_end(&t, "\"source\":{\"ip\":\"", f->ip[dir], end[dir]->port);
    write_end(&t, "\"destination\":{\"ip\":\"", f->ip[to], end[to]->port);
    TEXT_LITERAL(&t, "\"network\":{\"transport\":\"tcp\",\"type\":\"");
    text_str(&t, f->type);
    TEXT_LITERAL(&t, "\",\"protocol\":");
    text_json(&t, bytes_of(f->proto, strlen(f->proto)));
    TEXT_LITERAL(&t, ",\"community_id\":\"");
    text_str(&t, f->community);
    if (f->id.vlan != 0) {
        TEXT_LITERAL(&t, "\",\"vlan\":{\"id\":\"");
        text_u64(&t, f->id.vlan);
        TEXT_LITERAL(&t, "\"}");
    } else {
        TEXT_LITERAL(&t, "\"");
    }
    TEXT_LITERAL(&t, ",\"direction\":\"");
    text_str(&t, f->direction[dir]);
    TEXT_LITERAL(&t, "\"}");
    f->json_len[dir] = 0;
    if (!t.bad && t.len <= sizeof f->json[dir]) {
        memcpy(f->json[dir], t.at, t.len);
        f->json_len[dir] = (uint16_t)t.len;
    }
    text_free(&t);
}

static void fill(struct flow_text *f, const struct conn_info *c)
{
    const struct endpoint *client = &c->id.client, *server = &c->id.server;

    f->id = c->id;
    f->proto = c->proto;
    f->type = client->family == 6 ? "ipv6" : "ipv4";
    flow_text_ip(client, f->ip[TO_SERVER]);
    flow_text_ip(server, f->ip[TO_CLIENT]);
    f->direction[TO_SERVER] = direction(client, server);
    f->direction[TO_CLIENT] = direction(server, client);
    community_id(client, server, IPPROTO_TCP, 0, f->community);
    write_json(f, TO_SERVER);
    write_json(f, TO_CLIENT);
}

const struct flow_text *flow_text_of(struct flow_text *table, const struct conn_info *conn)
{
    struct flow_text *f = &table[(conn->id.serial * 0x9e3779b97f4a7c15u >> 40) % FLOW_TEXTS];

    if (!is_of(f, conn))
        fill(f, conn);
    return f;
}
