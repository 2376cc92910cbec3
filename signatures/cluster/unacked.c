/* signatures/cluster/unacked.c - tasks taken off `unacked`, which loses them, by a client that
 * takes none: redis-queue-tamper. A worker that starts restores what others left there before it
 * takes its first task (kombu:transport/redis.py:QoS.restore_visible), hence the wait. */
#include "base/hash.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/waiting.h"

#define WAITING_MAX 1024u
#define JUDGE_NS    (30 * INT64_C(1000000000))
#define LAST_NS     (2 * INT64_C(1000000000)) /* at the end of all */

struct waiting *unacked_new(void)
{
    return waiting_new(WAITING_MAX);
}

static bool takes_none(struct deployment *d, const struct msg *m, uint64_t host)
{
    const struct host *h = crew_find(&d->crew, m, host);

    return !h || (h->consumes == 0 && !h->partial);
}

static void judge_until(struct deployment *d, int64_t until, const struct detect_out *out)
{
    struct flat_view v;
    struct finding f;
    uint64_t host;

    while (waiting_next(d->unacked, until, &v, &host)) {
        if (!takes_none(d, &v.m, host))
            continue;
        finding_init(&f, RULE_REDIS_QUEUE_TAMPER, SEV_HIGH);
        finding_reason(&f, "tasks are put off the list of those taken by a client that takes none");
        finding_text(&f, "command", msg_text(&v.m, F_REDIS_COMMAND));
        f.fold_class = hash_bytes(msg_text(&v.m, F_REDIS_COMMAND), 0);
        out->emit(out->ctx, &v.m, &f);
    }
}

void unacked_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    if (m->kind != MSG_COMMAND || !msg_has(m, F_SETTLES) || !msg_has(m, F_REDIS_COMMAND) ||
        !takes_none(d, m, crew_host_id(m)) || waiting_add(d->unacked, m))
        return;
    judge_until(d, INT64_MAX, out); /* too many wait: they are judged early, and none is lost */
    waiting_add(d->unacked, m);
}

void unacked_tick(struct deployment *d, struct stamp now, const struct detect_out *out)
{
    judge_until(d, now.ns - JUDGE_NS, out);
}

void unacked_finish(struct deployment *d, struct stamp now, const struct detect_out *out)
{
    judge_until(d, now.ns - LAST_NS, out);
}
