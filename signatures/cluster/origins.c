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

#define MEMO     4096u /* answers; a power of two */
#define LIST_MAX 400u

/* What the baseline says of one origin, address, user and task name. */
struct answer {
    uint64_t key;
    uint8_t origin; /* enum baseline_origin */
    bool listed;    /* by the section `tasks` */
    bool allowed;   /* by the producer's own list */
};

struct origins {
    struct answer memo[MEMO];
    const struct baseline *baseline; /* that the memo is of */
    unsigned generation;
};

struct origins *origins_new(void)
{
    return calloc(1, sizeof(struct origins));
}

void origins_free(struct origins *o)
{
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
        return restores || crew_partial(&d->crew, h->id) || crew_lost(&d->crew, h->id) != 0 ||
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
    return t ? tasks_may_have_taken(d, t, h->id) : had_it_before(d, m, h, judged);
}

bool origins_publishes_for_others(struct deployment *d, const struct msg *m,
                                  const struct baseline *b)
{
    uint64_t id = tasks_id(msg_text(m, F_TASK_ID));

    return ledger_took_any(d->ledger, id, crew_host_id(m), m->at.ns) ||
           may_have_taken(d, m, id, b) || baseline_lists(b, BASELINE_RELAYS, &m->conn->id.client);
}

/* --- findings --------------------------------------------------------------------- */

static struct finding about(const struct msg *m, enum rule_id rule, enum severity severity,
                            const char *why, struct bytes host)
{
    struct finding f;

    finding_init(&f, rule, severity);
    finding_reason(&f, "%s", why);
    finding_text(&f, "host", host);
    if (msg_has(m, F_USER) && m->dir == TO_SERVER)
        finding_text(&f, "user", msg_text(m, F_USER));
    f.fold_class = hash_bytes(host, 0);
    f.once_a_task = true;
    return f;
}

static void say(const struct msg *m, enum rule_id rule, enum severity severity, const char *why,
                struct bytes host, const struct detect_out *out)
{
    struct finding f = about(m, rule, severity, why, host);

    out->emit(out->ctx, m, &f);
}

/* true: something was said. */
static bool judge_origin(struct deployment *d, const struct sent *s, enum baseline_origin is,
                         const struct detect_out *out)
{
    const struct baseline *b = out->policy->baseline;
    struct bytes host = s->origin.host;
    struct finding f;

    if (is == ORIGIN_KNOWN || !baseline_judges(b, BASELINE_PRODUCERS))
        return false;
    if (is == ORIGIN_UNKNOWN) {
        say(s->m, RULE_TASK_ORIGIN_UNKNOWN, SEV_HIGH,
            "a task from a host that the baseline does not list", host, out);
        return true;
    }
    if (origins_publishes_for_others(d, s->m, b))
        return false;
    f = is == ORIGIN_ELSEWHERE
            ? about(s->m, RULE_TASK_ORIGIN_SPOOFED, SEV_CRITICAL,
                    "a task claims a host that the baseline knows, from an address that is not its "
                    "own",
                    host)
            : about(
                  s->m, RULE_TASK_ORIGIN_UNKNOWN, SEV_HIGH,
                  "a task from a host that the baseline knows, sent by another user of the broker",
                  host);
    late_say(d, s->m, &f, out);
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
        claims_judge(d, s.m, &s.origin, out);
}

void origins_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    if (m->kind == MSG_TASK)
        task(d, m, out);
}
