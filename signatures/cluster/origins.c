/* signatures/cluster/origins.c - tasks that come from where the baseline knows nobody, or that
 * claim to come from somebody else: task-origin-unknown, task-origin-spoofed, task-name-unknown. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "signatures/baseline.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/topology.h"
#include "signatures/flat.h"
#include "signatures/origin.h"

#define MEMO       4096u /* answers; a power of two */
#define CLAIMS_MAX 16384u
#define ALIVE_NS   (60 * INT64_C(1000000000)) /* a worker speaks every two seconds */
#define LIST_MAX   400u

/* What the baseline says of one origin, address, user and task name. */
struct answer {
    uint64_t key;
    uint8_t origin; /* enum baseline_origin */
    bool listed;    /* by the section `tasks` */
    bool allowed;   /* by the producer's own list */
};

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

struct origins {
    struct answer memo[MEMO];
    const struct baseline *baseline; /* that the memo is of */
    unsigned generation;
    struct lru *claims;
};

static void gone(void *ctx, uint64_t key, void *value)
{
    struct claim *c = value;

    (void)ctx, (void)key;
    free(c->task);
}

struct origins *origins_new(void)
{
    struct origins *o = calloc(1, sizeof *o);

    if (!o)
        return NULL;
    o->claims = lru_new(CLAIMS_MAX, sizeof(struct claim), gone, NULL);
    if (o->claims)
        return o;
    free(o);
    return NULL;
}

void origins_free(struct origins *o)
{
    if (o)
        lru_free(o->claims);
    free(o);
}

/* --- the baseline's answers ------------------------------------------------------ */

/* A task as it is judged: who is NULL where only its delivery was seen. */
struct sent {
    const struct msg *m;
    const struct endpoint *who;
    struct bytes user;
    struct origin origin;
    bool has_origin;
};

static void forget_others(struct origins *o, const struct baseline *b)
{
    if (o->baseline == b && o->generation == b->generation)
        return;
    memset(o->memo, 0, sizeof o->memo);
    o->baseline = b;
    o->generation = b->generation;
}

static uint64_t key_of(const struct sent *s, struct bytes name)
{
    struct bytes ip = s->who ? bytes_of(s->who->ip, sizeof s->who->ip) : (struct bytes){0};
    uint64_t where = hash_mix(hash_bytes(ip, s->who ? s->who->family : 0), hash_bytes(s->user, 1));

    where = hash_mix(where, hash_bytes(s->origin.host, s->has_origin ? 2 : 3));
    where = hash_mix(where, hash_bytes(name, 4));
    return where ? where : 1;
}

static struct answer ask(struct origins *o, const struct baseline *b, const struct sent *s,
                         struct bytes name)
{
    uint64_t key = key_of(s, name);
    struct answer *a = &o->memo[key & (MEMO - 1)];

    forget_others(o, b);
    if (a->key == key)
        return *a;
    a->key = key;
    a->origin = (uint8_t)baseline_origin(b, s->origin.host, s->who, s->user);
    a->listed = baseline_task(b, name);
    a->allowed = !s->who || !s->has_origin || baseline_is_celerys(name) ||
                 baseline_producer_task(b, s->origin.host, s->who, name);
    return *a;
}

/* --- what excuses a foreign address ------------------------------------------------ */

/* A worker's retry, or what it puts back, of a task of which nothing was seen, or that was
 * forgotten since. */
static bool had_it_before(struct deployment *d, const struct msg *m, const struct host *h,
                          bool listed)
{
    bool restores = listed && strcmp(m->action, "restored") == 0;

    if (restores || (msg_num(m, F_TASK_RETRIES, 0) > 0 && (listed || h->consumes != 0)))
        return restores || h->partial || crew_lost(&d->crew, h->id) != 0 ||
               ledger_evicted(d->ledger) > 0;
    return false;
}

/* It may have taken the task before we looked, or among what was lost. */
static bool may_have_taken(struct deployment *d, const struct msg *m, uint64_t id,
                           const struct baseline *b)
{
    static const struct bytes any = {0};
    const struct host *h = crew_find(&d->crew, m, crew_host_id(m));
    const struct ledger_task *t = ledger_find_any(d->ledger, id, m->at.ns);
    bool judged = baseline_judges(b, BASELINE_WORKERS);

    /* Anybody can ask a list that nobody fills. */
    if (!h || (judged && !baseline_worker(b, any, &m->conn->id.client, any, any)))
        return false;
    return t ? tasks_may_have_taken(d, m, t, h->id) : had_it_before(d, m, h, judged);
}

/* Retries, replacements and what is put back keep the origin of who sent the task first; relays
 * publish what others sent. */
static bool publishes_for_others(struct deployment *d, const struct msg *m,
                                 const struct baseline *b)
{
    uint64_t id = tasks_id(msg_text(m, F_TASK_ID));

    return ledger_took_any(d->ledger, id, crew_host_id(m), m->at.ns) ||
           may_have_taken(d, m, id, b) || baseline_lists(b, BASELINE_RELAYS, &m->conn->id.client);
}

/* --- findings --------------------------------------------------------------------- */

static void say(const struct msg *m, enum rule_id rule, enum severity severity, const char *why,
                struct bytes host, const struct detect_out *out)
{
    struct finding f;

    finding_init(&f, rule, severity);
    finding_reason(&f, "%s", why);
    finding_text(&f, "host", host);
    if (msg_has(m, F_USER) && m->dir == TO_SERVER)
        finding_text(&f, "user", msg_text(m, F_USER));
    f.fold_class = hash_bytes(host, 0);
    f.once_a_task = true;
    out->emit(out->ctx, m, &f);
}

/* true: something was said. */
static bool judge_origin(struct deployment *d, const struct sent *s, enum baseline_origin is,
                         const struct detect_out *out)
{
    const struct baseline *b = out->policy->baseline;
    struct bytes host = s->origin.host;

    if (is == ORIGIN_KNOWN || !baseline_judges(b, BASELINE_PRODUCERS))
        return false;
    if (is == ORIGIN_UNKNOWN) {
        say(s->m, RULE_TASK_ORIGIN_UNKNOWN, SEV_HIGH,
            "a task from a host that the baseline does not list", host, out);
        return true;
    }
    if (publishes_for_others(d, s->m, b))
        return false;
    if (is == ORIGIN_ELSEWHERE)
        say(s->m, RULE_TASK_ORIGIN_SPOOFED, SEV_CRITICAL,
            "a task claims a host that the baseline knows, from an address that is not its own",
            host, out);
    else
        say(s->m, RULE_TASK_ORIGIN_UNKNOWN, SEV_HIGH,
            "a task from a host that the baseline knows, sent by another user of the broker", host,
            out);
    return true;
}

struct names {
    uint8_t list[LIST_MAX]; /* as FIELD_LIST has it */
    size_t n;
    unsigned count;
    bool embedded, own_list; /* of the first one: not the task's own name; listed, but not for its
                                producer */
    uint64_t first;          /* hash */
};

static void add_name(struct names *l, struct bytes name, bool embedded, bool own_list)
{
    uint32_t len = (uint32_t)name.len;

    if (l->count++ == 0) {
        l->first = hash_bytes(name, 0);
        l->embedded = embedded;
        l->own_list = own_list;
    }
    if (name.len > LIST_MAX - sizeof len || l->n > LIST_MAX - sizeof len - name.len)
        return;
    memcpy(l->list + l->n, &len, sizeof len);
    memcpy(l->list + l->n + sizeof len, name.at, len);
    l->n += sizeof len + len;
}

static void say_names(const struct msg *m, const struct names *l, const struct detect_out *out)
{
    struct finding f;

    finding_init(&f, RULE_TASK_NAME_UNKNOWN, SEV_MEDIUM);
    finding_reason(
        &f, "%s that %s", l->embedded ? "a task carries another one" : "a task has a name",
        l->own_list ? "the baseline does not allow its producer" : "the baseline does not list");
    if (l->n > 0)
        finding_list(&f, "names", bytes_of(l->list, l->n));
    finding_num(&f, "unknown", l->count);
    f.fold_class = l->first;
    f.once_a_task = true;
    out->emit(out->ctx, m, &f);
}

/* What Celery's own tasks carry is task-hidden-name's, where the baseline lists it nowhere. */
static void judge_names(struct origins *o, const struct sent *s, const struct answer *of_task,
                        const struct detect_out *out)
{
    struct bytes name = msg_text(s->m, F_TASK_NAME), list = msg_text(s->m, F_TASK_SUBTASKS);
    bool carrier = hidden_carries(name);
    struct names unknown = {.n = 0};

    if (name.len > 0 && !(of_task->listed && of_task->allowed))
        add_name(&unknown, name, false, of_task->listed);
    while (list_next(&list, &name)) {
        struct answer a = ask(o, out->policy->baseline, s, name);

        if (name.len > 0 && !(a.listed && a.allowed) && (a.listed || !carrier))
            add_name(&unknown, name, true, a.listed);
    }
    if (unknown.count > 0)
        say_names(s->m, &unknown, out);
}

/* --- a live worker's name ---------------------------------------------------------- */

static uint64_t process_key(const struct msg *m, int64_t pid, struct bytes host)
{
    return hash_mix(hash_mix(topology_scope(m), (uint64_t)pid), hash_bytes(host, 8));
}

static void drop_task(struct claim *c)
{
    free(c->task);
    c->task = NULL;
}

/* The worker lives: what waits was not sent by its next life. */
static void tell_claim(struct claim *c, int64_t now, const struct detect_out *out)
{
    struct flat_view v;
    struct origin o;

    if (!c->task)
        return;
    flat_read(c->task, &v);
    if (now - c->waits_since <= ALIVE_NS && origin_parse(msg_text(&v.m, F_TASK_ORIGIN), &o))
        say(&v.m, RULE_TASK_ORIGIN_SPOOFED, SEV_CRITICAL,
            "a task claims the process of a live worker, from an address that is not its own",
            o.host, out);
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
static void worker_speaks(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    struct origins *o = d->origins;
    struct bytes host = host_of_node(msg_text(m, F_WORKER_HOSTNAME));
    uint64_t node = hash_bytes(msg_text(m, F_WORKER_HOSTNAME), 14);
    int64_t pid = msg_num(m, F_WORKER_PID, 0);
    struct claim *c;
    bool fresh;

    if (m->dir != TO_SERVER || host.len == 0 || pid <= 0 || msg_is(m, F_WORKER_EVENT, "task-sent"))
        return;
    c = lru_put(o->claims, process_key(m, pid, host), &fresh);
    if (!c)
        return;
    if (fresh || (c->host != crew_host_id(m) && m->at.ns - c->last > ALIVE_NS))
        take_over(c, m);
    if (c->host != crew_host_id(m) && !contest(d, c, m, node))
        return;
    tell_claim(c, m->at.ns, out);
    c->node = node;
    c->last = msg_is(m, F_WORKER_EVENT, "worker-offline") ? 0 : m->at.ns;
}

static void judge_claim(struct deployment *d, const struct sent *s, const struct detect_out *out)
{
    const struct msg *m = s->m;
    struct claim *c;

    if (s->origin.pid <= 0)
        return;
    c = lru_get(d->origins->claims, process_key(m, s->origin.pid, s->origin.host));
    if (!c || c->host == crew_host_id(m) || c->shared || c->task || c->last == 0 ||
        c->family != m->conn->id.client.family || m->at.ns - c->last > ALIVE_NS ||
        publishes_for_others(d, m, out->policy->baseline))
        return;
    c->task = flat_keep(m);
    c->waits_since = m->at.ns;
}

/* --- tasks ------------------------------------------------------------------------- */

/* A delivery stands for a publish that was not seen. */
static bool is_first_seen(struct deployment *d, const struct msg *m)
{
    const struct ledger_task *t;
    uint64_t id = tasks_id(msg_text(m, F_TASK_ID));

    if (m->op != OP_DELIVER || m->dir != TO_CLIENT)
        return false;
    t = ledger_find(d->ledger, id, topology_scope(m), m->at.ns);
    return !t || t->publisher == 0;
}

static void task(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    const struct baseline *b = out->policy->baseline;
    struct sent s = {.m = m};
    struct answer a;
    bool said = false;

    if (tasks_is_published(d, m)) {
        s.who = &m->conn->id.client;
        s.user = msg_text(m, F_USER);
    } else if (!b || !is_first_seen(d, m)) {
        return;
    }
    s.has_origin = origin_parse(msg_text(m, F_TASK_ORIGIN), &s.origin);
    if (b) {
        a = ask(d->origins, b, &s, msg_text(m, F_TASK_NAME));
        said = s.has_origin && judge_origin(d, &s, a.origin, out);
        judge_names(d->origins, &s, &a, out);
    }
    if (s.who && s.has_origin && !said)
        judge_claim(d, &s, out);
}

void origins_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    if (m->kind == MSG_TASK)
        task(d, m, out);
    else if (m->kind == MSG_WORKER)
        worker_speaks(d, m, out);
}
