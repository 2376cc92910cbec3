/* signatures/cluster/consumers.c - clients that take tasks, by connection: worker-silent. */
#include <stdlib.h>

#include "base/hash.h"
#include "signatures/baseline.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/names.h"
#include "signatures/cluster/waiting.h"

#define CONSUMERS_MAX 65536u
#define WAITING_MAX   4096u
#define JUDGE_NS      (30 * INT64_C(1000000000))
#define BEFORE_NS     (60 * INT64_C(1000000000)) /* a worker announces itself, then consumes */

struct consumer {
    uint64_t host;
    int64_t start, ended; /* ended 0: not seen to */
    bool midstream, loud, tasked;
};

struct consumers {
    struct lru *by_conn;
    struct waiting *tasks; /* the first that each took */
};

struct consumers *consumers_new(void)
{
    struct consumers *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->by_conn = lru_new(CONSUMERS_MAX, sizeof(struct consumer), NULL, NULL);
    c->tasks = waiting_new(WAITING_MAX);
    if (c->by_conn && c->tasks)
        return c;
    consumers_free(c);
    return NULL;
}

void consumers_free(struct consumers *c)
{
    if (!c)
        return;
    waiting_free(c->tasks);
    lru_free(c->by_conn);
    free(c);
}

static struct consumer *consumer_of(struct consumers *c, const struct msg *m)
{
    bool fresh;
    struct consumer *at = lru_put(c->by_conn, m->conn->id.serial, &fresh);

    if (at && fresh) {
        at->host = crew_host_id(m);
        at->start = m->at.ns;
        at->midstream = (m->coverage & (COVER_MIDSTREAM | COVER_ONE_WAY)) != 0;
    }
    return at;
}

/* Whether its address has shown itself while this one was there. */
static void listen(struct deployment *d, struct consumer *at, const struct msg *m)
{
    const struct host *h = crew_find(&d->crew, m, at->host);

    if (h && h->announced != 0 && h->announced >= at->start - BEFORE_NS)
        at->loud = true;
}

static void took(struct deployment *d, const struct msg *m)
{
    struct consumer *at = consumer_of(d->consumers, m);

    if (!at)
        return;
    listen(d, at, m);
    if (!at->tasked)
        waiting_add(d->consumers->tasks, m, NULL);
    at->tasked = true;
}

static void silent(struct deployment *d, const struct msg *m, struct consumer *at,
                   const struct detect_out *out)
{
    const struct queue *q = crew_queue(&d->crew, m, crew_queue_of(m));
    struct finding f;

    if (!q || ((q->loud[0] == 0 || q->loud[0] == at->host) &&
               (q->loud[1] == 0 || q->loud[1] == at->host)))
        return; /* nobody here announces himself: their way */
    if (baseline_worker(out->policy->baseline, (struct bytes){0}, &m->conn->id.client,
                        name_without_priority(crew_queue_of(m)), msg_text(m, F_USER)))
        return;
    finding_init(&f, RULE_WORKER_SILENT, SEV_MEDIUM);
    finding_reason(&f, "a client takes tasks and announces itself nowhere, others on the queue do");
    out->emit(out->ctx, m, &f);
}

static void judge_until(struct deployment *d, int64_t until, const struct detect_out *out)
{
    struct consumers *c = d->consumers;
    struct consumer *at;
    struct flat_view v;
    uint64_t host;

    while (waiting_next(c->tasks, until, &v, &host)) {
        at = lru_get(c->by_conn, v.m.conn->id.serial);
        if (at && !at->ended)
            listen(d, at, &v.m);
        if (at && !at->midstream && !at->loud)
            silent(d, &v.m, at, out);
    }
}

void consumers_tick(struct deployment *d, struct stamp now, const struct detect_out *out)
{
    judge_until(d, now.ns - JUDGE_NS, out);
}

void consumers_finish(struct deployment *d, struct stamp now, const struct detect_out *out)
{
    (void)now;
    judge_until(d, INT64_MAX, out);
}

bool consumers_asks(const struct msg *m)
{
    bool asks = msg_is(m, F_AMQP_METHOD, "basic.consume") ||
                msg_is(m, F_AMQP_METHOD, "basic.get") || msg_is(m, F_REDIS_COMMAND, "BRPOP") ||
                msg_is(m, F_REDIS_COMMAND, "RPOP") || msg_is(m, F_REDIS_COMMAND, "BLPOP");

    return asks && m->dir == TO_SERVER && name_use(crew_queue_of(m)) == NAME_TASKS;
}

void consumers_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    struct consumer *at;

    (void)out;
    if (m->kind == MSG_TASK && m->op == OP_DELIVER && m->dir == TO_CLIENT &&
        name_use(crew_queue_of(m)) == NAME_TASKS) {
        took(d, m);
    } else if (m->kind == MSG_COMMAND && consumers_asks(m)) {
        consumer_of(d->consumers, m);
    } else if (m->kind == MSG_CLOSED ||
               (m->kind == MSG_COMMAND && msg_is(m, F_AMQP_METHOD, "connection.close"))) {
        at = lru_get(d->consumers->by_conn, m->conn->id.serial);
        if (at && !at->ended) {
            /* Scope is not in MSG_CLOSED: what was heard at its last task stands. */
            at->ended = m->at.ns;
        }
    }
}
