/* signatures/cluster/swallowed.c - who keeps taking tasks and owes an answer to all:
 * task-swallowed.
 *
 * On AMQP a connection is asked, which gives its tasks back when it ends; on Redis an address,
 * which acknowledges on other connections than it takes on. That something was acknowledged is told
 * once in SETTLES_NS of a connection at most, hence SPREAD_NS: who has taken tasks for a minute
 * since the last word of it would have been heard, had it acknowledged any later one.
 *
 * Two go sooner, where others on the queue say who they are and they do not: a connection that ends
 * having answered none of its tasks, which can therefore not be late; and who takes off a list of
 * Redis without the entry in `unacked` that others keep, to which no acknowledgement belongs. */
#include <stdlib.h>

#include "base/hash.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/names.h"
#include "signatures/cluster/topology.h"
#include "signatures/flat.h"

#define TAKERS_MAX 16384u
#define SPREAD_NS  (60 * INT64_C(1000000000))
#define BRIEF_NS   (15 * INT64_C(1000000000))
#define BURST_NS   (5 * INT64_C(1000000000))   /* enough if the first was taken SPREAD_NS ago */
#define BURSTS_NS  (600 * INT64_C(1000000000)) /* shorter ones are counted together as long */
#define BRIEF_MIN  5                           /* tasks */
#define ALIVE_NS   (120 * INT64_C(1000000000)) /* heartbeats are seconds apart */

struct taker {
    uint64_t host;
    int64_t since, last; /* the first and the last task since it was heard to answer; 0: none */
    int64_t n;
    void *first; /* that first one, flat */
    bool asked;  /* to consume with acknowledgement: seen to do so */
    bool no_ack;
    bool queued;
    bool answered; /* ever */
    bool keeps;    /* entries in `unacked` */
};

struct due {
    uint64_t key;
    int64_t at;
};

enum { AMQP, REDIS, POPS, QUEUES }; /* POPS: without an entry in `unacked` */

struct swallowed {
    struct lru *takers;
    struct queue_of_due {
        struct due at[TAKERS_MAX]; /* a ring: all of a protocol wait for the same time */
        unsigned first, n;
    } due[QUEUES];
};

static void forget(void *ctx, uint64_t key, void *value)
{
    struct taker *t = value;

    (void)ctx, (void)key;
    free(t->first);
    t->first = NULL;
}

struct swallowed *swallowed_new(void)
{
    struct swallowed *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->takers = lru_new(TAKERS_MAX, sizeof(struct taker), forget, NULL);
    if (s->takers)
        return s;
    free(s);
    return NULL;
}

void swallowed_free(struct swallowed *s)
{
    if (!s)
        return;
    lru_free(s->takers);
    free(s);
}

static bool is_amqp(const struct msg *m)
{
    return m->conn->proto[0] == 'a';
}

static uint64_t key_of(const struct msg *m)
{
    if (is_amqp(m))
        return hash_mix(m->conn->id.serial, 1);
    return hash_mix(topology_scope(m), crew_host_id(m));
}

static struct taker *taker_of(struct swallowed *s, const struct msg *m)
{
    bool fresh;
    struct taker *t = lru_put(s->takers, key_of(m), &fresh);

    if (t && fresh)
        t->host = crew_host_id(m);
    return t;
}

static void clear(struct taker *t)
{
    free(t->first);
    t->first = NULL;
    t->since = t->last = t->n = 0;
}

static void wait(struct swallowed *s, struct taker *t, const struct msg *m)
{
    struct queue_of_due *q = &s->due[is_amqp(m) ? AMQP : t->keeps ? REDIS : POPS];

    if (t->queued || q->n == TAKERS_MAX)
        return;
    q->at[(q->first + q->n++) % TAKERS_MAX] = (struct due){key_of(m), t->since};
    t->queued = true;
}

/* On Redis the entry in `unacked` is what is owed (kombu:transport/redis.py:QoS.append). */
static bool is_kept(const struct msg *m)
{
    return m->dir == TO_SERVER && msg_num(m, F_KEPT, 0) != 0;
}

static bool is_taken(const struct msg *m)
{
    if (m->kind != MSG_TASK)
        return false;
    return is_kept(m) ||
           (m->op == OP_DELIVER && m->dir == TO_CLIENT && name_use(crew_queue_of(m)) == NAME_TASKS);
}

static bool owes(struct taker *t, const struct msg *m)
{
    if (is_amqp(m))
        return t->asked && !t->no_ack;
    if (is_kept(m) && !t->keeps) {
        t->keeps = true;
        clear(t); /* what it took off the list until now was to be kept */
    }
    return is_kept(m) || !t->keeps;
}

static void took(struct deployment *d, const struct msg *m)
{
    struct taker *t = taker_of(d->swallowed, m);
    struct queue *q = is_kept(m) ? crew_queue(&d->crew, m, crew_queue_of(m)) : NULL;

    if (q)
        q->keeper = crew_host_id(m);
    if (!t || !owes(t, m))
        return;
    t->n++;
    t->last = m->at.ns;
    if (t->since != 0)
        return;
    t->first = flat_keep(m);
    if (!t->first)
        return;
    t->since = m->at.ns;
    wait(d->swallowed, t, m);
}

static bool answers(const struct msg *m)
{
    return m->dir == TO_SERVER && m->kind == MSG_COMMAND &&
           (msg_has(m, F_SETTLES) || msg_is(m, F_AMQP_METHOD, "basic.nack") ||
            msg_is(m, F_AMQP_METHOD, "basic.reject"));
}

static void asks(struct swallowed *s, const struct msg *m)
{
    struct taker *t;

    if (m->dir != TO_SERVER || name_use(msg_text(m, F_AMQP_QUEUE)) != NAME_TASKS)
        return;
    t = taker_of(s, m);
    if (!t)
        return;
    t->asked = true;
    t->no_ack |= msg_num(m, F_AMQP_NO_ACK, 0) != 0;
}

/* Whether the address was heard in another way: heartbeats, results, events of tasks. */
static bool is_at_work(struct deployment *d, const struct taker *t, const struct msg *m,
                       int64_t now)
{
    const struct host *h = crew_find(&d->crew, m, t->host);

    return h && (now - h->alive < ALIVE_NS || h->worked >= t->since);
}

static void say(const struct taker *t, const struct msg *m, int64_t now, const char *why,
                const struct detect_out *out)
{
    struct finding f;

    finding_init(&f, RULE_TASK_SWALLOWED, SEV_MEDIUM);
    finding_reason(&f, "%s", why);
    finding_num(&f, "tasks", t->n);
    finding_num(&f, "seconds", (now - t->since) / 1000000000);
    out->emit(out->ctx, m, &f);
}

/* It announces itself nowhere, and others that take from the queue do. */
static bool hides(struct deployment *d, const struct taker *t, const struct msg *m)
{
    const struct host *h = crew_find(&d->crew, m, t->host);
    const struct queue *q = crew_queue(&d->crew, m, crew_queue_of(m));

    return h && !h->announced && q && q->loud[0] != 0;
}

static bool is_brief(const struct taker *t, int64_t now)
{
    return !t->answered && t->n >= BRIEF_MIN &&
           t->last - t->since >= (now - t->since >= SPREAD_NS ? BURST_NS : BRIEF_NS);
}

/* A connection is over. */
static void left(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    struct taker *t = lru_get(d->swallowed->takers, key_of(m));
    struct flat_view v;

    if (!t || t->since == 0)
        return;
    flat_read(t->first, &v);
    if (is_brief(t, m->at.ns) && !is_at_work(d, t, &v.m, m->at.ns) && hides(d, t, &v.m))
        say(t, &v.m, m->at.ns,
            "a consumer took tasks and left without an answer to any, announced nowhere", out);
    clear(t);
}

/* Whether others keep what they take from this list. */
static bool others_keep(struct deployment *d, const struct taker *t, const struct msg *m)
{
    const struct queue *q = crew_queue(&d->crew, m, crew_queue_of(m));

    return q && q->keeper != 0 && q->keeper != t->host;
}

/* true: it is too early to tell, of one that takes in bursts and rests between them. */
static bool judge(struct deployment *d, struct taker *t, int64_t now, const struct detect_out *out)
{
    struct flat_view v;
    bool pops, early = false;

    flat_read(t->first, &v);
    pops = !is_amqp(&v.m) && !t->keeps;
    if (is_at_work(d, t, &v.m, now)) {
        ;
    } else if (pops && others_keep(d, t, &v.m) && hides(d, t, &v.m)) {
        if (is_brief(t, now))
            say(t, &v.m, now, "a client takes tasks off a list and keeps none, as others there do",
                out);
        else
            early = !t->answered && now - t->since < BURSTS_NS;
    } else if (!pops && t->last - t->since >= SPREAD_NS) {
        say(t, &v.m, now,
            "a consumer keeps taking tasks, and has acknowledged, rejected or answered none", out);
    }
    if (!early)
        clear(t);
    return early;
}

void swallowed_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    struct swallowed *s = d->swallowed;
    struct taker *t;

    if (is_taken(m)) {
        took(d, m);
    } else if (m->kind == MSG_CLOSED && is_amqp(m)) {
        left(d, m, out);
    } else if (answers(m)) {
        t = lru_get(s->takers, key_of(m));
        if (t) {
            t->answered = true;
            clear(t);
        }
    } else if (m->kind == MSG_COMMAND && (msg_is(m, F_AMQP_METHOD, "basic.consume") ||
                                          msg_is(m, F_AMQP_METHOD, "basic.get"))) {
        asks(s, m);
    }
}

/* The first in the queue is due, unless it has answered since. */
static void next(struct deployment *d, struct queue_of_due *q, int64_t now, int64_t patience,
                 const struct detect_out *out)
{
    struct due due = q->at[q->first];
    struct taker *t = lru_get(d->swallowed->takers, due.key);
    struct queue_of_due *to = q;

    q->first = (q->first + 1) % TAKERS_MAX;
    q->n--;
    if (!t || !t->queued)
        return;
    t->queued = false;
    if (t->since == 0)
        return;
    if (t->keeps && q == &d->swallowed->due[POPS])
        to = &d->swallowed->due[REDIS]; /* it was not known to keep what it takes */
    due.at = t->since;
    if (to == q && now - t->since >= patience) {
        if (!judge(d, t, now, out))
            return;
        due.at = now;
    }
    if (to->n == TAKERS_MAX)
        return;
    to->at[(to->first + to->n++) % TAKERS_MAX] = due;
    t->queued = true;
}

void swallowed_tick(struct deployment *d, struct stamp now, const struct detect_out *out)
{
    const int64_t patience[QUEUES] = {out->policy->swallowed.amqp_ns,
                                      out->policy->swallowed.redis_ns, SPREAD_NS};

    for (int i = 0; i < QUEUES; i++) {
        struct queue_of_due *q = &d->swallowed->due[i];
        while (patience[i] > 0 && q->n > 0 && now.ns - q->at[q->first].at >= patience[i])
            next(d, q, now.ns, patience[i], out);
    }
}
