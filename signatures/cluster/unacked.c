/* signatures/cluster/unacked.c - tasks taken off `unacked`, which loses them, or put back by its
 * index, by a client that takes none; and tasks put there that nobody took: redis-queue-tamper.
 * Tasks called restored by a client that takes none, and that stay there: task-replayed. A
 * worker that starts restores what others left there before it takes its first task (kombu:
 * transport/redis.py:QoS.restore_visible), and a delivery may be told of late, hence the wait. */
#include "base/hash.h"
#include "signatures/baseline.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/topology.h"
#include "signatures/cluster/waiting.h"

#define WAITING_MAX 1024u
#define JUDGE_NS    (30 * INT64_C(1000000000))
#define BEGIN_NS    (2 * INT64_C(1000000000))
#define SETTLES_NS  (10 * INT64_C(1000000000))
#define LAST_NS     (2 * INT64_C(1000000000)) /* at the end of all */

struct waiting *unacked_new(void)
{
    return waiting_new(WAITING_MAX);
}

static bool takes_none(struct deployment *d, const struct msg *m, uint64_t host)
{
    const struct host *h = crew_find(&d->crew, m, host);

    return (!h || h->consumes == 0) && !crew_partial(&d->crew, host);
}

/* kombu puts a task there when it has taken it (kombu:transport/redis.py:QoS.append). One that is
 * no longer remembered accuses nobody. */
static bool was_delivered(struct deployment *d, const struct msg *m)
{
    const struct ledger_task *t =
        ledger_find(d->ledger, tasks_id(msg_text(m, F_TASK_ID)), topology_scope(m), m->at.ns);

    return !t || t->delivered;
}

/* It took its last task before we looked, stops, and puts back what it had not run. All workers ask
 * for tasks every second. */
static bool is_from_before(struct deployment *d, const struct msg *m, const struct host *h)
{
    return h && h->restored && m->at.ns - d->crew.begin < BEGIN_NS;
}

static bool is_restored(const struct msg *m)
{
    return m->kind == MSG_TASK && !msg_has(m, F_KEPT);
}

/* HDEL and the push are sent together (kombu:transport/redis.py:QoS.restore_by_tag); of HDEL one in
 * 10 s is told of. */
static bool moves(const struct msg *m, const struct host *h)
{
    return h && h->settled != 0 && m->at.ns - h->settled < SETTLES_NS;
}

/* The reason to accuse the sender of a message that waited; NULL: there is none. `early`: it may
 * yet take its first task, if it restores: for that it asked for a lock. */
static const char *accuses(struct deployment *d, const struct msg *m, uint64_t host, bool early)
{
    const struct host *h = crew_find(&d->crew, m, host);

    if (msg_has(m, F_KEPT))
        return was_delivered(d, m) || (h && h->partial) || late_excuses(d, m, host)
                   ? NULL
                   : "a task that was never delivered is put among those taken";
    if (!takes_none(d, m, host) || (early && h && h->restores))
        return NULL;
    if (is_restored(m))
        return moves(m, h) ? NULL
                           : "a task that was taken is put back on its queue, and was not taken "
                             "off the list of those taken";
    if (is_from_before(d, m, h))
        return NULL;
    if (!msg_has(m, F_INDEXES))
        return "tasks are put off the list of those taken by a client that takes none";
    return h && h->keeps /* that is what it is judged by */
               ? NULL
               : "the list of when tasks were taken is changed by a client that takes none";
}

static void judge_until(struct deployment *d, int64_t until, int64_t early,
                        const struct detect_out *out)
{
    struct flat_view v;
    struct finding f;
    uint64_t host;

    while (waiting_next(d->unacked, until, &v, &host)) {
        const char *why = accuses(d, &v.m, host, v.m.at.ns > early);

        if (!why)
            continue;
        finding_init(&f, is_restored(&v.m) ? RULE_TASK_REPLAYED : RULE_REDIS_QUEUE_TAMPER,
                     SEV_HIGH);
        finding_reason(&f, "%s", why);
        finding_text(&f, "command", msg_text(&v.m, F_REDIS_COMMAND));
        f.fold_class = hash_bytes(msg_text(&v.m, F_REDIS_COMMAND), 0);
        out->emit(out->ctx, &v.m, &f);
    }
}

/* Too many wait: they are judged early, and none is lost. */
static void wait(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    if (waiting_add(d->unacked, m, NULL))
        return;
    judge_until(d, INT64_MAX, INT64_MAX, out);
    waiting_add(d->unacked, m, NULL);
}

void unacked_kept(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    if (!(m->coverage & (COVER_GAP | COVER_CLIPPED)))
        wait(d, m, out);
}

void unacked_restored(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    if (takes_none(d, m, crew_host_id(m)) &&
        !baseline_lists(out->policy->baseline, BASELINE_RELAYS, &m->conn->id.client))
        wait(d, m, out);
}

void unacked_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    if (m->kind == MSG_COMMAND && (msg_has(m, F_SETTLES) || msg_has(m, F_INDEXES)) &&
        msg_has(m, F_REDIS_COMMAND) && takes_none(d, m, crew_host_id(m)))
        wait(d, m, out);
}

void unacked_tick(struct deployment *d, struct stamp now, const struct detect_out *out)
{
    judge_until(d, now.ns - JUDGE_NS, INT64_MAX, out);
}

void unacked_finish(struct deployment *d, struct stamp now, const struct detect_out *out)
{
    judge_until(d, INT64_MAX, now.ns - LAST_NS, out);
}
