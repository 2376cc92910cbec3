/* signatures/cluster/forged.c - results from who did not do the work: result-forged. Where the
 * server that holds them is not the broker, whether hosts go by the same addresses on both is known
 * once one that took the task shows itself there: what was stored before waits for that. */
#include "signatures/baseline.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/topology.h"
#include "signatures/cluster/waiting.h"

#define WAITING_MAX 64u /* where it is never known, every result waits: more are not kept */
#define JUDGE_NS    (30 * INT64_C(1000000000))

struct waiting *forged_new(void)
{
    return waiting_new(WAITING_MAX);
}

static bool is_final(const struct msg *m)
{
    static const char *const states[] = {"SUCCESS", "FAILURE", "REVOKED", "REJECTED", "IGNORED"};

    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (msg_is(m, F_RESULT_STATUS, states[i]))
            return true;
    return false;
}

/* Who took the task that this one came from answers for it too: the rest of a chain that failed,
 * the body of a chord (celery:backends/base.py:Backend.mark_as_failure). */
static bool took_origin(struct deployment *d, const struct ledger_task *t, uint64_t host,
                        int64_t now)
{
    const uint64_t of[] = {t->parent, t->root};
    const uint64_t scope = t->scope;

    for (size_t i = 0; i < 2; i++) {
        const struct ledger_task *o = of[i] ? ledger_find(d->ledger, of[i], scope, now) : NULL;

        if (of[i] && (!o || ledger_took_any(d->ledger, of[i], host, now)))
            return true; /* what was not seen accuses nobody */
    }
    return false;
}

/* A revoke goes to all workers; from Celery 5.6 on each of them stores the state of a task that has
 * none yet (celery:worker/control.py:_revoke). Who works shows on the broker, which need not be
 * where results are kept, and whose vhost may not be known. */
static bool is_told_revoked(struct deployment *d, const struct msg *m, const struct ledger_task *t,
                            uint64_t host)
{
    return t->revoked && msg_is(m, F_RESULT_STATUS, "REVOKED") &&
           (crew_takes(&d->crew, host) || crew_partial(&d->crew, host));
}

/* Whether the address of who stores a result can be asked whether it took the task. */
static bool is_comparable(struct deployment *d, const struct msg *m, const struct ledger_task *t,
                          uint64_t host)
{
    if (t->server == topology_server(m->conn) || crew_find_in(&d->crew, t->scope, host))
        return true;
    for (unsigned i = 0; i < LEDGER_TAKERS; i++)
        if (t->takers[i] != 0 && tasks_goes_by_it(d, m, t, t->takers[i]))
            return true;
    return false;
}

/* Nobody who took the task is known to have this address, as far as addresses tell. */
static bool is_foreign(struct deployment *d, const struct msg *m, const struct ledger_task *t,
                       uint64_t host)
{
    const struct host *h;

    if (ledger_took_any(d->ledger, t->id, host, m->at.ns) || (m->coverage & COVER_GAP))
        return false;
    /* celery:contrib/abortable.py: the state that a client may write. */
    if (msg_is(m, F_RESULT_STATUS, "ABORTED") &&
        (t->publisher == host || !tasks_goes_by_it(d, m, t, t->publisher)))
        return false;
    if (t->retried && t->publisher == host)
        return false; /* it took the task before anything of it was seen */
    if (took_origin(d, t, host, m->at.ns) || is_told_revoked(d, m, t, host) ||
        tasks_may_have_taken(d, t, host) || tasks_is_from_before(d, m, t, host))
        return false;
    if (t->taken_ns != 0)
        return true;
    /* Nobody was seen to take it: then whoever takes tasks may have. */
    h = crew_find(&d->crew, m, host);
    return t->publisher != 0 && t->server == topology_server(m->conn) && h && !h->took &&
           !h->partial;
}

static struct ledger_task *task_of(struct deployment *d, const struct msg *m)
{
    uint64_t id = tasks_id(msg_text(m, F_TASK_ID));
    struct ledger_task *t = ledger_find(d->ledger, id, topology_scope(m), m->at.ns);

    return t ? t : ledger_find_any(d->ledger, id, m->at.ns);
}

static void say(struct deployment *d, const struct msg *m, const struct ledger_task *t,
                const struct detect_out *out)
{
    struct finding f;

    finding_init(&f, RULE_RESULT_FORGED, SEV_HIGH);
    finding_reason(&f, t->taken_ns ? "a result from an address that never took the task"
                                   : "a result of a task that nobody has taken yet");
    finding_text(&f, "status", msg_text(m, F_RESULT_STATUS));
    late_say(d, m, &f, out);
}

static void written(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    struct ledger_task *t = task_of(d, m);
    uint64_t host;

    if (!t)
        return;
    host = crew_host_id(m);
    if (t->accused == host || !is_foreign(d, m, t, host) ||
        baseline_lists(out->policy->baseline, BASELINE_RELAYS, &m->conn->id.client)) {
        t->ended |= is_final(m);
        return;
    }
    t->accused = host;
    if (is_comparable(d, m, t, host))
        say(d, m, t, out);
    else
        waiting_add(d->doubted, m, NULL);
}

/* The key under which a command puts what was elsewhere on the server; empty: none. */
static struct bytes key_made(const struct msg *m)
{
    struct bytes none = {0}, args = msg_text(m, F_REDIS_ARGS), from, to;

    if (m->kind == MSG_COMMAND)
        return msg_is(m, F_REDIS_COMMAND, "BITOP") ? msg_text(m, F_REDIS_KEY) : none;
    if (msg_is(m, F_OUTCOME, "failure") ||
        !(msg_is(m, F_REDIS_COMMAND, "RENAME") || msg_is(m, F_REDIS_COMMAND, "RENAMENX") ||
          msg_is(m, F_REDIS_COMMAND, "COPY")))
        return none;
    return list_next(&args, &from) && list_next(&args, &to) ? to : none;
}

/* A result that no message carries. */
static void made(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    struct bytes task = bytes_after(key_made(m), "celery-task-meta-");
    struct msg more;

    if (task.len == 0)
        return;
    msg_from(&more, m, m->kind, m->action);
    more.index = m->index;
    more.scope = m->scope;
    fields_text(&more.fields, F_TASK_ID, task);
    written(d, &more, out);
}

void forged_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    if (m->kind & (MSG_COMMAND | MSG_REPLY))
        made(d, m, out);
    else if (m->kind == MSG_RESULT && msg_text(m, F_TASK_ID).len > 0 && m->dir == TO_SERVER &&
             (m->op == OP_PUBLISH || m->op == OP_STORE))
        written(d, m, out);
}

static void judge_until(struct deployment *d, int64_t until, const struct detect_out *out)
{
    struct flat_view v;
    uint64_t host;

    while (waiting_next(d->doubted, until, &v, &host)) {
        const struct ledger_task *t = task_of(d, &v.m);

        if (t && is_foreign(d, &v.m, t, host) && is_comparable(d, &v.m, t, host))
            say(d, &v.m, t, out);
    }
}

void forged_tick(struct deployment *d, struct stamp now, const struct detect_out *out)
{
    judge_until(d, now.ns - JUDGE_NS, out);
}

void forged_finish(struct deployment *d, const struct detect_out *out)
{
    judge_until(d, INT64_MAX, out);
}
