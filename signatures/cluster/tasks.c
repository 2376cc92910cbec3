/* signatures/cluster/tasks.c - the life of each task: task-replayed. */
#include "base/hash.h"
#include "signatures/baseline.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/names.h"
#include "signatures/cluster/topology.h"

#define LATE_NS INT64_C(1000000000) /* a hole is told of up to so long after it */

uint64_t tasks_id(struct bytes id)
{
    uint64_t h = hash_bytes(id, 9);

    return h ? h : 1;
}

/* Nothing that was seen of it says that it takes tasks, or is about to. */
static bool takes_none(const struct host *h)
{
    return h && !h->consumes && !h->took && !h->partial && !h->announced && !h->mailbox;
}

/* Anybody can write `redelivered` into a task: who takes none, had none to restore, unless it is
 * one that was taken (kombu:transport/virtual/base.py:QoS.restore_unacked). */
bool tasks_is_published(struct deployment *d, const struct msg *m)
{
    const struct ledger_task *t;

    if (m->kind != MSG_TASK || m->op != OP_PUBLISH || m->dir != TO_SERVER || !m->action)
        return false;
    if (strcmp(m->action, "restored") != 0 || (m->coverage & COVER_MIDSTREAM) ||
        !takes_none(crew_find(&d->crew, m, crew_host_id(m))))
        return strcmp(m->action, "published") == 0;
    t = ledger_find(d->ledger, tasks_id(msg_text(m, F_TASK_ID)), topology_scope(m), m->at.ns);
    return !t || t->taken_ns == 0;
}

static struct ledger_task *enter(struct deployment *d, const struct msg *m, uint64_t id)
{
    struct bytes parent = msg_text(m, F_TASK_PARENT_ID), root = msg_text(m, F_TASK_ROOT_ID);
    struct ledger_task *t = ledger_put(d->ledger, id, topology_scope(m), crew_host_id(m), m->at.ns);

    if (!t)
        return NULL;
    t->server = topology_server(m->conn);
    t->parent = parent.len > 0 ? tasks_id(parent) : 0;
    t->root = root.len > 0 ? tasks_id(root) : 0;
    t->cut = parent.len == 0 && (m->coverage & (COVER_GAP | COVER_CLIPPED)) != 0;
    if (t->root == id)
        t->root = 0;
    return t;
}

static void replayed(struct deployment *d, const struct msg *m, const struct ledger_task *t,
                     const struct detect_out *out)
{
    struct finding f;

    finding_init(&f, RULE_TASK_REPLAYED, SEV_HIGH);
    finding_reason(&f, t->publisher ? "a task that was published before is published again, from "
                                      "an address that never took it"
                                    : "a task that was delivered before is published again, from "
                                      "an address that never took it");
    finding_num(&f, "seconds_after", (m->at.ns - t->seen_ns) / 1000000000);
    late_say(d, m, &f, out);
}

/* A chord, or another canvas, that took this task's place: whoever runs the last of its parts
 * publishes the end of it under the id of the task that was replaced (celery:app/task.py:replace).
 * It took a part, and the part comes from that task. */
static bool ends_replaced(struct deployment *d, const struct msg *m, const struct ledger_task *t,
                          uint64_t host)
{
    struct bytes parent = msg_text(m, F_TASK_PARENT_ID);
    const struct ledger_task *part;
    uint64_t id = tasks_id(parent);

    if (parent.len == 0)
        return false;
    part = ledger_find(d->ledger, id, t->scope, m->at.ns);
    return part && ledger_took_any(d->ledger, id, host, m->at.ns) && part != t &&
           (part->parent == t->id || part->root == (t->root ? t->root : t->id));
}

/* Bytes that waited for lost ones are told of late: the delivery, and the retry that the taker
 * published since, were told of before. Who sends the end of a message first, and the rest after
 * another's, is no such. */
static bool came_first(const struct msg *m, const struct ledger_task *t)
{
    return m->at.ns < t->first_ns && (t->publisher == 0 || t->retried);
}

static void set_publisher(struct ledger_task *t, const struct msg *m, uint64_t host)
{
    struct bytes id = msg_text(m, F_TASK_ID), parent = msg_text(m, F_TASK_PARENT_ID);

    t->publisher = host;
    t->retried = msg_num(m, F_TASK_RETRIES, 0) > 0 ||
                 (parent.len == id.len && memcmp(parent.at, id.at, id.len) == 0);
}

bool tasks_may_have_taken(struct deployment *d, const struct ledger_task *t, uint64_t host)
{
    int64_t lost = crew_lost(&d->crew, host);

    return crew_takes(&d->crew, host) &&
           (crew_one_way(&d->crew, host) || (lost != 0 && lost + LATE_NS >= t->seen_ns));
}

bool tasks_is_from_before(struct deployment *d, const struct msg *m, const struct ledger_task *t,
                          uint64_t host)
{
    return t->publisher == 0 && ((m->coverage & COVER_MIDSTREAM) || crew_partial(&d->crew, host));
}

/* Who publishes it again may be who published it first, or took it unseen. */
static bool is_excused(struct deployment *d, const struct msg *m, struct ledger_task *t,
                       uint64_t host)
{
    if (came_first(m, t) || ledger_took_any(d->ledger, t->id, host, m->at.ns) ||
        tasks_is_from_before(d, m, t, host) || ends_replaced(d, m, t, host))
        return true;
    if (!tasks_may_have_taken(d, t, host))
        return false;
    ledger_take(t, host, m->at.ns); /* what follows of it comes from there */
    return true;
}

static void published(struct deployment *d, const struct msg *m, uint64_t id,
                      const struct detect_out *out)
{
    uint64_t host = crew_host_id(m);
    struct ledger_task *t = ledger_find(d->ledger, id, topology_scope(m), m->at.ns);

    if (!t) {
        t = enter(d, m, id);
        if (t)
            set_publisher(t, m, host);
        return;
    }
    if (t->publisher != host && !is_excused(d, m, t, host) &&
        !baseline_lists(out->policy->baseline, BASELINE_RELAYS, &m->conn->id.client))
        replayed(d, m, t, out);
    if (came_first(m, t)) {
        t->first_ns = m->at.ns;
        set_publisher(t, m, host);
        return;
    }
    if (t->publisher == 0)
        set_publisher(t, m, host);
    t->seen_ns = m->at.ns;
    t->ended = false;
}

static void taken(struct deployment *d, const struct msg *m, uint64_t id)
{
    struct ledger_task *t = ledger_find(d->ledger, id, topology_scope(m), m->at.ns);

    if (!t)
        t = enter(d, m, id);
    if (!t)
        return;
    t->seen_ns = m->at.ns;
    t->kept = msg_num(m, F_KEPT, 0) != 0;
    t->delivered |= !t->kept;
    ledger_take(t, crew_host_id(m), m->at.ns);
}

/* What is put into `unacked` is restored, and then run: only who takes tasks has any to put there
 * (kombu:transport/redis.py:QoS.append). Who puts a task there that was delivered just now, and is
 * not there yet, takes tasks by another address. */
static void kept(struct deployment *d, const struct msg *m, uint64_t id,
                 const struct detect_out *out)
{
    const struct ledger_task *t = ledger_find(d->ledger, id, topology_scope(m), m->at.ns);
    struct host *h = crew_find(&d->crew, m, crew_host_id(m));
    struct finding f;

    if (!h || h->partial || late_excuses(d, m, h->id))
        return;
    if (t && t->delivered && !t->kept)
        h->consumes = m->at.ns;
    if (h->consumes != 0) {
        if (!t || !t->delivered)
            unacked_kept(d, m, out);
        return;
    }
    finding_init(&f, RULE_REDIS_QUEUE_TAMPER, SEV_HIGH);
    finding_reason(&f, "a task is put among those taken by a client that takes none");
    f.fold_class = hash_bytes(msg_text(m, F_REDIS_COMMAND), 0);
    out->emit(out->ctx, m, &f);
}

static void task(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    struct bytes text = msg_text(m, F_TASK_ID);
    bool keeps = msg_num(m, F_KEPT, 0) != 0;
    uint64_t id;

    if (text.len == 0)
        return;
    id = tasks_id(text);
    if (keeps)
        kept(d, m, id, out);
    if (keeps || (m->op == OP_DELIVER && m->dir == TO_CLIENT))
        taken(d, m, id);
    else if (tasks_is_published(d, m))
        published(d, m, id, out);
    else if (m->op == OP_PUBLISH && m->dir == TO_SERVER)
        unacked_restored(d, m, out);
}

bool tasks_goes_by_it(struct deployment *d, const struct msg *m, const struct ledger_task *t,
                      uint64_t host)
{
    return t->server == topology_server(m->conn) || crew_find(&d->crew, m, host);
}

static void event(struct deployment *d, const struct msg *m)
{
    static const char *const last[] = {"task-succeeded", "task-failed", "task-revoked",
                                       "task-rejected"};
    struct bytes id = msg_text(m, F_TASK_ID);
    struct ledger_task *t;

    if (id.len == 0 || m->dir != TO_SERVER)
        return;
    for (size_t i = 0; i < sizeof last / sizeof *last; i++)
        if (msg_is(m, F_WORKER_EVENT, last[i])) {
            t = ledger_find(d->ledger, tasks_id(id), topology_scope(m), m->at.ns);
            if (t && ledger_took(t, crew_host_id(m)))
                t->ended = true;
        }
}

void tasks_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    if (m->kind == MSG_TASK)
        task(d, m, out);
    else if (m->kind == MSG_WORKER)
        event(d, m);
}
