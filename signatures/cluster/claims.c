/* signatures/cluster/claims.c - tasks that claim to be sent by a live worker's process, from
 * another address: task-origin-spoofed, with a baseline or without. */
#include <stdlib.h>

#include "base/hash.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/topology.h"
#include "signatures/flat.h"
#include "signatures/origin.h"

#define CLAIMS_MAX 16384u
#define ALIVE_NS   (60 * INT64_C(1000000000)) /* a worker speaks every two seconds */

/* A process that announced itself: pid and host of a worker, on one broker and vhost or database.
 * A task that claims to be sent by it, from another address, waits for its next sign of life: where
 * the worker is gone, what has its name now may be its next life. */
struct claim {
    uint64_t host, node; /* its address; hash of its whole name */
    int64_t last, waits_since;
    void *task;     /* flat; NULL: none waits */
    uint8_t family; /* of its address: IPv4 and IPv6 may be one host */
    bool shared;    /* two addresses have the same pid and host: containers with a fixed name */
};

static void gone(void *ctx, uint64_t key, void *value)
{
    struct claim *c = value;

    (void)ctx, (void)key;
    free(c->task);
}

struct lru *claims_new(void)
{
    return lru_new(CLAIMS_MAX, sizeof(struct claim), gone, NULL);
}

static uint64_t process_key(const struct msg *m, int64_t pid, struct bytes host)
{
    return hash_mix(hash_mix(topology_scope(m), (uint64_t)pid), hash_bytes(host, 8));
}

static void say(const struct msg *m, struct bytes host, const struct detect_out *out)
{
    struct finding f;

    finding_init(&f, RULE_TASK_ORIGIN_SPOOFED, SEV_CRITICAL);
    finding_reason(&f, "a task claims the process of a live worker, from an address that is not "
                       "its own");
    finding_text(&f, "host", host);
    if (msg_has(m, F_USER) && m->dir == TO_SERVER)
        finding_text(&f, "user", msg_text(m, F_USER));
    f.fold_class = hash_bytes(host, 0);
    f.once_a_task = true;
    out->emit(out->ctx, m, &f);
}

static void drop_task(struct claim *c)
{
    free(c->task);
    c->task = NULL;
}

/* The worker lives: what waits was not sent by its next life. */
static void tell_claim(struct deployment *d, struct claim *c, int64_t now,
                       const struct detect_out *out)
{
    struct flat_view v;
    struct origin o;

    if (!c->task)
        return;
    flat_read(c->task, &v);
    if (now - c->waits_since <= ALIVE_NS && !late_excuses(d, &v.m, crew_host_id(&v.m)) &&
        origin_parse(msg_text(&v.m, F_TASK_ORIGIN), &o))
        say(&v.m, o.host, out);
    drop_task(c);
}

static void take_over(struct claim *c, const struct msg *m)
{
    drop_task(c);
    *c = (struct claim){.host = crew_host_id(m), .family = m->conn->id.client.family};
}

/* The host of a node's name: what follows the first '@'. */
static struct bytes host_of_node(struct bytes node)
{
    const uint8_t *at = node.len > 0 ? memchr(node.at, '@', node.len) : NULL;

    if (at)
        bytes_cut(&node, (size_t)(at - node.at) + 1);
    return at ? node : (struct bytes){0};
}

static bool takes_tasks(struct deployment *d, const struct msg *m, uint64_t host)
{
    const struct host *h = crew_find(&d->crew, m, host);

    return h && (h->took != 0 || h->partial);
}

/* The same pid and host at another address. Under the node's own name that is worker-impersonation,
 * or containers that share it. Under another name an event costs nothing, and nobody is told of it:
 * then only who takes tasks has a say, lest a stranger's heartbeat blinds us. true: the claim is
 * the speaker's now. */
static bool contest(struct deployment *d, struct claim *c, const struct msg *m, uint64_t node)
{
    if (c->node != node) {
        if (!takes_tasks(d, m, crew_host_id(m)))
            return false;
        if (!takes_tasks(d, m, c->host)) {
            take_over(c, m);
            return true;
        }
    }
    c->shared = true;
    drop_task(c);
    return false;
}

/* An event of a worker; of task-sent the name is a client's. */
void claims_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    struct bytes host = host_of_node(msg_text(m, F_WORKER_HOSTNAME));
    uint64_t node = hash_bytes(msg_text(m, F_WORKER_HOSTNAME), 14);
    int64_t pid = msg_num(m, F_WORKER_PID, 0);
    struct claim *c;
    bool fresh;

    if (m->dir != TO_SERVER || host.len == 0 || pid <= 0 || msg_is(m, F_WORKER_EVENT, "task-sent"))
        return;
    c = lru_put(d->claims, process_key(m, pid, host), &fresh);
    if (!c)
        return;
    if (fresh || (c->host != crew_host_id(m) && m->at.ns - c->last > ALIVE_NS))
        take_over(c, m);
    if (c->host != crew_host_id(m) && !contest(d, c, m, node))
        return;
    tell_claim(d, c, m->at.ns, out);
    c->node = node;
    c->last = msg_is(m, F_WORKER_EVENT, "worker-offline") ? 0 : m->at.ns;
}

void claims_judge(struct deployment *d, const struct msg *m, const struct origin *o,
                  const struct detect_out *out)
{
    struct claim *c;

    if (o->pid <= 0)
        return;
    c = lru_get(d->claims, process_key(m, o->pid, o->host));
    if (!c || c->host == crew_host_id(m) || c->shared || c->task || c->last == 0 ||
        c->family != m->conn->id.client.family || m->at.ns - c->last > ALIVE_NS ||
        origins_publishes_for_others(d, m, out->policy->baseline))
        return;
    c->task = flat_keep(m);
    c->waits_since = m->at.ns;
}
