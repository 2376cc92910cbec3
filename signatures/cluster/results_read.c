/* signatures/cluster/results_read.c - results in Redis that are read by another than who asked for
 * them: redis-recon. A task is somebody's own when he published or took it, or the one that it came
 * from; what was not seen accuses nobody. Addresses are those of all brokers: results may be kept
 * on another than the tasks, if who published the task goes by the same address there. */
#include "base/hash.h"
#include "signatures/baseline.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/names.h"

#define READERS_MAX 65536u
#define FOREIGN     20u
#define WINDOW_NS   (60 * INT64_C(1000000000))

struct reader {
    int64_t began;         /* the window */
    uint64_t ids[FOREIGN]; /* that are not its own, in the window */
    uint32_t n;
};

struct lru *results_read_new(void)
{
    return lru_new(READERS_MAX, sizeof(struct reader), NULL, NULL);
}

static struct reader *reader_of(struct deployment *d, const struct msg *m)
{
    bool fresh;

    return lru_put(d->readers, crew_host_id(m), &fresh);
}

static bool is_mine(const struct ledger_task *t, uint64_t host)
{
    return t->publisher == host || ledger_took(t, host);
}

/* Published by somebody else, and so was what it came from. */
static bool is_foreign(struct deployment *d, const struct msg *m, uint64_t id, uint64_t host)
{
    int64_t now = m->at.ns;
    const struct ledger_task *t = ledger_find_any(d->ledger, id, now);
    uint64_t of[2];

    if (!t || t->publisher == 0 || t->cut || is_mine(t, host) ||
        !tasks_goes_by_it(d, m, t, t->publisher))
        return false;
    of[0] = t->parent;
    of[1] = t->root;
    for (size_t i = 0; i < 2; i++) {
        const struct ledger_task *o = of[i] ? ledger_find_any(d->ledger, of[i], now) : NULL;

        if (of[i] && (!o || o->publisher == 0 || is_mine(o, host)))
            return false;
    }
    return true;
}

static void say(const struct msg *m, bool works, const struct detect_out *out)
{
    struct bytes command = msg_text(m, F_REDIS_COMMAND);
    struct finding f;

    if (baseline_lists(out->policy->baseline, BASELINE_MONITORS, &m->conn->id.client))
        return;
    if (command.len == 0)
        command = bytes_of("SUBSCRIBE", strlen("SUBSCRIBE"));
    finding_init(&f, RULE_REDIS_RECON, SEV_LOW);
    finding_reason(&f, works ? "results of many tasks that others published are read"
                             : "a result is read by an address that neither publishes nor takes "
                               "tasks");
    finding_text(&f, "command", command);
    f.fold_class = hash_bytes(command, 0);
    out->emit(out->ctx, m, &f);
}

/* Whether it is the last of so many others in the window. */
static bool is_too_many(struct reader *r, uint64_t id, int64_t now)
{
    if (now - r->began > WINDOW_NS) {
        r->began = now;
        r->n = 0;
    }
    for (uint32_t i = 0; i < r->n; i++)
        if (r->ids[i] == id)
            return false;
    r->ids[r->n++] = id;
    if (r->n < FOREIGN)
        return false;
    r->n = 0;
    return true;
}

/* A subscription by pattern is told of when it is made. */
static bool is_read(const struct msg *m)
{
    return m->kind == MSG_RESULT && m->dir == TO_CLIENT &&
           (m->op == OP_READ || m->op == OP_DELIVER) && msg_is(m, F_RESULT_BACKEND, "redis") &&
           !msg_has(m, F_REDIS_PATTERN);
}

void results_read_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    uint64_t id, host;
    struct reader *r;
    bool works;

    if (!is_read(m) || msg_text(m, F_TASK_ID).len == 0)
        return;
    id = tasks_id(msg_text(m, F_TASK_ID));
    host = crew_host_id(m);
    if (!is_foreign(d, m, id, host))
        return;
    works = crew_works(&d->crew, host);
    r = works ? reader_of(d, m) : NULL;
    if (!works || (r && is_too_many(r, id, m->at.ns)))
        say(m, works, out);
}
