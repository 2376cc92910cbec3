/* signatures/cluster/crew.c - see crew.h. */
#include "signatures/cluster/crew.h"

#include "base/hash.h"
#include "signatures/cluster/names.h"
#include "signatures/cluster/topology.h"

#define HOSTS_MAX   65536u
#define QUEUES_MAX  65536u
#define WORKERS_MAX 262144u

bool crew_open(struct crew *c)
{
    c->hosts = lru_new(HOSTS_MAX, sizeof(struct host), NULL, NULL);
    c->queues = lru_new(QUEUES_MAX, sizeof(struct queue), NULL, NULL);
    c->workers = lru_new(WORKERS_MAX, 1, NULL, NULL);
    c->lost = lru_new(HOSTS_MAX, sizeof(int64_t), NULL, NULL);
    return c->hosts && c->queues && c->workers && c->lost;
}

void crew_close(struct crew *c)
{
    if (c->hosts)
        lru_free(c->hosts);
    if (c->queues)
        lru_free(c->queues);
    if (c->workers)
        lru_free(c->workers);
    if (c->lost)
        lru_free(c->lost);
}

uint64_t crew_host_id(const struct msg *m)
{
    return topology_client(m->conn);
}

/* What is known of an address on all brokers together. */
enum { WORKS = 1, TAKES = 2, IN_PART = 4, ONE_WAY = 8 };

struct host *crew_host(struct crew *c, const struct msg *m)
{
    uint64_t id = crew_host_id(m);
    bool fresh;
    struct host *h = lru_put(c->hosts, hash_mix(topology_scope(m), id), &fresh);

    if (h && fresh) {
        h->id = id;
        h->first = m->at.ns;
    }
    if (h && (m->coverage & (COVER_MIDSTREAM | COVER_ONE_WAY | COVER_GAP))) {
        h->partial = true;
        h->one_way |= (m->coverage & COVER_ONE_WAY) != 0;
    }
    return h;
}

struct host *crew_find_in(struct crew *c, uint64_t scope, uint64_t host)
{
    return lru_get(c->hosts, hash_mix(scope, host));
}

struct host *crew_find(struct crew *c, const struct msg *m, uint64_t host)
{
    return crew_find_in(c, topology_scope(m), host);
}

static bool is_known_to(struct crew *c, uint64_t host, uint8_t what)
{
    const uint8_t *is = lru_get(c->workers, host);

    return is && (*is & what);
}

bool crew_works(struct crew *c, uint64_t host)
{
    return is_known_to(c, host, WORKS);
}

bool crew_takes(struct crew *c, uint64_t host)
{
    return is_known_to(c, host, TAKES);
}

bool crew_partial(struct crew *c, uint64_t host)
{
    return is_known_to(c, host, IN_PART);
}

bool crew_one_way(struct crew *c, uint64_t host)
{
    return is_known_to(c, host, ONE_WAY);
}

int64_t crew_lost(const struct crew *c, uint64_t host)
{
    const int64_t *at = lru_get(c->lost, host);

    return at ? *at : 0;
}

void crew_note_lost(struct crew *c, const struct msg *m)
{
    bool fresh;
    int64_t *at = lru_put(c->lost, crew_host_id(m), &fresh);

    if (at)
        *at = m->at.ns;
}

static void works(struct crew *c, struct host *h)
{
    bool takes = (h->consumes | h->announced | h->mailbox) != 0;
    bool works = h->partial || (h->published | h->consumes | h->worked) != 0;
    uint8_t now = (uint8_t)((works ? WORKS : 0) | (takes ? TAKES : 0) | (h->partial ? IN_PART : 0) |
                            (h->one_way ? ONE_WAY : 0));
    uint8_t *is;
    bool fresh;

    if ((now & ~h->known) == 0)
        return;
    h->known |= now;
    is = lru_put(c->workers, h->id, &fresh);
    if (is)
        *is |= now;
}

static uint64_t queue_key(const struct msg *m, struct bytes name)
{
    return hash_mix(topology_scope(m), hash_bytes(name_without_priority(name), 4));
}

struct queue *crew_queue(struct crew *c, const struct msg *m, struct bytes name)
{
    bool fresh;

    return name.len > 0 ? lru_put(c->queues, queue_key(m, name), &fresh) : NULL;
}

bool crew_is_task_queue(struct crew *c, const struct msg *m, struct bytes name)
{
    const struct queue *q;

    if (name.len == 0 || name_use(name) != NAME_TASKS)
        return false;
    if (bytes_eq(name_without_priority(name), "celery"))
        return true;
    q = lru_get(c->queues, queue_key(m, name));
    return q && q->tasks;
}

/* Queues are hashed with a seed, so that no name has this key but by chance. */
static uint64_t scope_key(const struct msg *m)
{
    return hash_mix(topology_scope(m), 77);
}

bool crew_is_celerys(struct crew *c, const struct msg *m)
{
    const struct queue *q = lru_get(c->queues, scope_key(m));

    return q && q->tasks;
}

static void mark_celerys(struct crew *c, const struct msg *m)
{
    bool fresh;
    struct queue *q = lru_put(c->queues, scope_key(m), &fresh);

    if (q)
        q->tasks = true;
}

struct bytes crew_queue_of(const struct msg *m)
{
    if (msg_has(m, F_TASK_QUEUE))
        return msg_text(m, F_TASK_QUEUE);
    if (msg_has(m, F_AMQP_QUEUE))
        return msg_text(m, F_AMQP_QUEUE);
    return msg_text(m, F_REDIS_KEY);
}

static void loud(struct queue *q, uint64_t host)
{
    if (q->loud[0] == 0 || q->loud[0] == host)
        q->loud[0] = host;
    else
        q->loud[1] = host;
}

static void task(struct crew *c, const struct msg *m, struct host *h)
{
    struct queue *q = NULL;

    if (m->dir == TO_SERVER && m->op == OP_PUBLISH)
        *(strcmp(m->action, "restored") == 0 ? &h->restored : &h->published) = m->at.ns;
    if (m->op == OP_DELIVER && m->dir == TO_CLIENT)
        h->took = h->consumes = m->at.ns;
    if (msg_num(m, F_KEPT, 0))
        h->keeps = m->at.ns;
    if (msg_text(m, F_TASK_QUEUE).len > 0 && name_use(msg_text(m, F_TASK_QUEUE)) == NAME_TASKS)
        q = crew_queue(c, m, msg_text(m, F_TASK_QUEUE));
    if (q) {
        q->tasks = true;
        if (h->took && h->announced && m->dir == TO_CLIENT)
            loud(q, h->id);
    }
}

static void asks(struct crew *c, const struct msg *m, struct host *h, struct bytes queue)
{
    (void)c;
    if (name_use(queue) == NAME_TASKS && queue.len > 0)
        h->consumes = m->at.ns;
}

static void amqp(struct crew *c, const struct msg *m, struct host *h)
{
    struct bytes queue = msg_text(m, F_AMQP_QUEUE);
    struct queue *q;

    if (m->dir != TO_SERVER)
        return;
    if (msg_is(m, F_AMQP_METHOD, "queue.declare")) {
        q = crew_queue(c, m, queue);
        if (q && q->declarer == 0)
            q->declarer = h->id;
        if (name_use(queue) == NAME_MAILBOX)
            h->announced = m->at.ns;
    } else if (msg_is(m, F_AMQP_METHOD, "basic.consume") || msg_is(m, F_AMQP_METHOD, "basic.get")) {
        asks(c, m, h, queue);
    }
}

/* By SET or SETNX; redis-py 2.10 also by a script (kombu:transport/redis.py:Mutex). */
static bool asks_for_mutex(const struct msg *m, struct bytes command)
{
    return name_ends(msg_text(m, F_REDIS_KEY), "unacked_mutex") &&
           (bytes_eq(command, "SET") || bytes_eq(command, "SETNX") || name_starts(command, "EVAL"));
}

/* kombu 5.7 makes its bindings in a script; SADD before. The subscription follows either way. */
static void redis(struct crew *c, const struct msg *m, struct host *h)
{
    struct bytes command = msg_text(m, F_REDIS_COMMAND), channel = msg_text(m, F_REDIS_CHANNEL);
    bool subscribes = bytes_eq(command, "PSUBSCRIBE") || bytes_eq(command, "SUBSCRIBE");

    if (asks_for_mutex(m, command))
        h->restores = m->at.ns;
    if (msg_has(m, F_SETTLES))
        h->settled = m->at.ns;
    if (bytes_eq(command, "BRPOP") || bytes_eq(command, "RPOP") || bytes_eq(command, "BLPOP"))
        asks(c, m, h, msg_text(m, F_REDIS_KEY));
    else if (subscribes && name_use(channel) == NAME_MAILBOX)
        h->mailbox = h->announced = m->at.ns;
    else if ((bytes_eq(command, "SADD") || name_starts(command, "EVAL")) &&
             name_ends(msg_text(m, F_REDIS_KEY), "_kombu.binding.celery.pidbox"))
        h->mailbox = h->announced = m->at.ns;
}

void crew_note(struct crew *c, const struct msg *m)
{
    struct host *h = crew_host(c, m);

    if (c->begin == 0)
        c->begin = m->at.ns;
    if (!h)
        return;
    if (m->kind & (MSG_TASK | MSG_RESULT))
        mark_celerys(c, m);
    if (m->kind == MSG_WORKER && m->dir == TO_SERVER)
        *(name_starts(msg_text(m, F_WORKER_EVENT), "worker-") ? &h->alive : &h->worked) = m->at.ns;
    if (m->kind == MSG_RESULT && m->dir == TO_SERVER && m->op != OP_READ)
        h->worked = m->at.ns;
    if (m->kind == MSG_TASK)
        task(c, m, h);
    else if (m->kind == MSG_COMMAND && msg_has(m, F_AMQP_METHOD))
        amqp(c, m, h);
    else if (m->kind == MSG_COMMAND)
        redis(c, m, h);
    else if (m->kind == MSG_WORKER && m->dir == TO_SERVER &&
             name_starts(msg_text(m, F_WORKER_EVENT), "worker-"))
        h->announced = m->at.ns;
    else if (m->kind == MSG_CONTROL && m->dir == TO_SERVER && msg_has(m, F_WORKER_HOSTNAME))
        h->announced = m->at.ns;
    works(c, h);
}
