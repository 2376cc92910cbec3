/* signatures/cluster/control.c - remote control by whoever may reach the broker:
 * control-dangerous, control-change, control-recon. */
#include <stdlib.h>

#include "base/hash.h"
#include "signatures/baseline.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/names.h"
#include "signatures/cluster/topology.h"
#include "signatures/cluster/waiting.h"

#define HELLOS_MAX 1024u
#define ELECTIONS  16u
#define HEARD      64u
#define HEARD_NS   (60 * INT64_C(1000000000))
#define HELLO_NS   (30 * INT64_C(1000000000))
#define HOUR_NS    (3600 * INT64_C(1000000000))

enum risk { NO_RISK, RECON, CHANGE, DANGER, TAKEOVER };

/* celery:worker/control.py, the Panel's registry; kombu dispatches by these names only. */
static const struct {
    const char *method;
    enum risk risk;
} commands[] = {
    {"ping", NO_RISK},
    {"hello", NO_RISK},
    {"election", TAKEOVER},
    {"shutdown", TAKEOVER},
    {"pool_restart", TAKEOVER},
    {"add_consumer", DANGER},
    {"cancel_consumer", DANGER},
    {"revoke", DANGER},
    {"revoke_by_stamped_headers", DANGER},
    {"terminate", DANGER},
    {"rate_limit", DANGER},
    {"time_limit", DANGER},
    {"autoscale", CHANGE},
    {"pool_grow", CHANGE},
    {"pool_shrink", CHANGE},
    {"disable_events", CHANGE},
    {"objgraph", CHANGE},
    {"memdump", CHANGE},
    {"memsample", CHANGE},
    {"enable_events", RECON},
    {"heartbeat", RECON},
    {"active", RECON},
    {"dump_active", RECON},
    {"reserved", RECON},
    {"dump_reserved", RECON},
    {"scheduled", RECON},
    {"dump_schedule", RECON},
    {"query_task", RECON},
    {"revoked", RECON},
    {"dump_revoked", RECON},
    {"registered", RECON},
    {"dump_tasks", RECON},
    {"active_queues", RECON},
    {"stats", RECON},
    {"clock", RECON},
    {"conf", RECON},
    {"dump_conf", RECON},
    {"report", RECON},
};

struct control {
    struct waiting *hellos; /* whose nodes have still to show themselves */
    struct {
        uint64_t what; /* election_of() */
        int64_t at;
    } elections[ELECTIONS]; /* called by a command; a ring */
    unsigned election;
    struct {
        uint64_t what; /* command_of() */
        int64_t at;
    } heard[HEARD]; /* commands that were judged; a ring */
    unsigned next_heard;
};

struct control *control_new(void)
{
    struct control *c = calloc(1, sizeof *c);

    if (c && (c->hellos = waiting_new(HELLOS_MAX)) != NULL)
        return c;
    free(c);
    return NULL;
}

void control_free(struct control *c)
{
    if (!c)
        return;
    waiting_free(c->hellos);
    free(c);
}

static enum risk risk_of(struct bytes method, bool *known)
{
    *known = true;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (bytes_eq(method, commands[i].method))
            return commands[i].risk;
    *known = false;
    return CHANGE;
}

bool control_only_asks(struct bytes method)
{
    bool known;
    enum risk risk = risk_of(method, &known);

    return known && (risk == NO_RISK || risk == RECON);
}

static unsigned count(struct bytes list, struct bytes *first)
{
    struct bytes item;
    unsigned n = 0;

    while (list_next(&list, &item)) {
        if (n++ == 0)
            *first = item;
    }
    return n;
}

/* A pod's own preStop: one destination, and it lives where the command comes from. What reaches
 * every node with a name that is a part of it, reaches others too. */
static bool to_itself(struct deployment *d, const struct msg *m)
{
    struct bytes node;

    return count(msg_text(m, F_CONTROL_DESTINATION), &node) == 1 &&
           !msg_has(m, F_CONTROL_BY_PART) && !msg_has(m, F_CONTROL_PATTERN) &&
           nodes_is_own(d->nodes, m, node);
}

/* A web page's "cancel": one id, not killed, by who publishes tasks. */
static bool is_cancel(struct deployment *d, const struct msg *m)
{
    struct bytes id;
    const struct host *h;

    if (!msg_is(m, F_CONTROL_METHOD, "revoke") || !msg_has(m, F_CONTROL_TERMINATE) ||
        msg_num(m, F_CONTROL_TERMINATE, 1) != 0 || count(msg_text(m, F_CONTROL_TASKS), &id) != 1)
        return false;
    h = crew_find(&d->crew, m, crew_host_id(m));
    return h && h->published != 0;
}

static void say(const struct msg *m, enum rule_id rule, enum severity severity, const char *why,
                const struct detect_out *out)
{
    struct bytes method = msg_text(m, F_CONTROL_METHOD), one;
    struct finding f;

    finding_init(&f, rule, severity);
    finding_reason(&f, "%s", why);
    if (method.len > 0)
        finding_text(&f, "method", method);
    if (msg_has(m, F_CONTROL_TOPIC))
        finding_text(&f, "topic", msg_text(m, F_CONTROL_TOPIC));
    if (msg_has(m, F_CONTROL_TASKS))
        finding_num(&f, "tasks", count(msg_text(m, F_CONTROL_TASKS), &one));
    f.fold_class = hash_bytes(method, 0);
    if (rule == RULE_CONTROL_RECON && severity == SEV_INFO) {
        f.fold = FOLD_CLIENT;
        f.fold_seconds = 86400;
        f.fold_class = 0;
    }
    out->emit(out->ctx, m, &f);
}

static void recon(const struct msg *m, const struct detect_out *out)
{
    const struct baseline *b = out->policy->baseline;
    bool judged = baseline_judges(b, BASELINE_CONTROLLERS) || baseline_judges(b, BASELINE_MONITORS);

    if (baseline_lists(b, BASELINE_MONITORS, &m->conn->id.client))
        return;
    say(m, RULE_CONTROL_RECON, judged ? SEV_LOW : SEV_INFO,
        "a remote control command explores the workers", out);
}

/* By the baseline: a node that it knows controls itself, an address of a producer that it knows has
 * a "cancel" button. Pods come and go, and controllers are never widened to their networks. */
static bool is_usual(struct deployment *d, const struct msg *m, const struct baseline *b)
{
    const struct endpoint *who = &m->conn->id.client;
    struct bytes node;

    if (to_itself(d, m))
        return count(msg_text(m, F_CONTROL_DESTINATION), &node) == 1 &&
               baseline_worker(b, node, who, (struct bytes){0}, (struct bytes){0});
    return is_cancel(d, m) && baseline_lists(b, BASELINE_PRODUCERS, who);
}

static void change(struct deployment *d, const struct msg *m, bool known, enum risk risk,
                   const struct detect_out *out)
{
    const char *why = "a remote control command changes the workers";

    if (!known)
        why = "a remote control command that no Celery has";
    else if (risk > CHANGE)
        why = to_itself(d, m) ? "a node that controls itself"
                              : "a task is cancelled by an address that publishes tasks";
    if (out->policy->baseline && is_usual(d, m, out->policy->baseline))
        return;
    say(m, RULE_CONTROL_CHANGE, SEV_MEDIUM, why, out);
}

static bool runs(const struct ledger_task *t, int64_t now)
{
    return t && t->publisher != 0 && !t->ended && !t->revoked &&
           (t->taken_ns == 0 || now - t->taken_ns < HOUR_NS);
}

/* A forged hello suppresses tasks (celery:worker/control.py:hello merges `revoked`). */
static bool suppresses(struct deployment *d, const struct msg *m)
{
    struct bytes list = msg_text(m, F_CONTROL_TASKS), id;

    while (list_next(&list, &id))
        if (runs(ledger_find(d->ledger, tasks_id(id), topology_scope(m), m->at.ns), m->at.ns))
            return true;
    return false;
}

static bool joined(struct deployment *d, const struct msg *m)
{
    const struct host *h = crew_find(&d->crew, m, crew_host_id(m));
    int64_t from = m->at.ns - HELLO_NS;

    if (m->coverage & COVER_GAP)
        return true; /* what follows may be among what was not seen either */
    if (nodes_seen(d->nodes, m, msg_text(m, F_CONTROL_FROM_NODE)) >= from)
        return true;
    /* On a connection that was there before us, of no vhost that we know. */
    if (crew_takes(&d->crew, crew_host_id(m)) && crew_partial(&d->crew, crew_host_id(m)))
        return true;
    return h && (h->mailbox >= from || h->consumes >= from);
}

void control_tick(struct deployment *d, struct stamp now, const struct detect_out *out)
{
    struct flat_view v;
    uint64_t host;

    while (waiting_next(d->control->hellos, now.ns - HELLO_NS, &v, &host))
        if (!joined(d, &v.m))
            say(&v.m, RULE_CONTROL_DANGEROUS, SEV_HIGH, "a hello of a node that then did not join",
                out);
}

static void revoked(struct ledger_task *t)
{
    if (t)
        t->revoked = true;
}

/* A revoke that was seen explains that the id comes back in another node's hello, and what workers
 * store of the task. Of a connection that was there before us the vhost is not known. */
static void remember_revoked(struct deployment *d, const struct msg *m)
{
    struct bytes list = msg_text(m, F_CONTROL_TASKS), id;

    while (list_next(&list, &id)) {
        revoked(ledger_find(d->ledger, tasks_id(id), topology_scope(m), m->at.ns));
        revoked(ledger_find_any(d->ledger, tasks_id(id), m->at.ns));
    }
}

static uint64_t election_of(const struct msg *m)
{
    return hash_bytes(msg_text(m, F_TASK_NAME), topology_scope(m));
}

static void remember_election(struct control *c, const struct msg *m)
{
    c->elections[c->election].what = election_of(m);
    c->elections[c->election].at = m->at.ns;
    c->election = (c->election + 1) % ELECTIONS;
}

/* Every worker that an election calls upon stands for it, by an event of its own
 * (celery:worker/consumer/gossip.py:Gossip.election): who called it was told, the workers are no
 * attackers. */
static bool is_called_upon(struct deployment *d, const struct msg *m)
{
    const struct control *c = d->control;
    const struct host *h = crew_find(&d->crew, m, crew_host_id(m));

    if (!h || (!h->mailbox && !h->consumes))
        return false;
    for (unsigned i = 0; i < ELECTIONS; i++)
        if (c->elections[i].at != 0 && c->elections[i].what == election_of(m) &&
            m->at.ns - c->elections[i].at < HELLO_NS)
            return true;
    return false;
}

static uint64_t command_of(const struct msg *m)
{
    static const enum field_id parts[] = {F_CONTROL_METHOD, F_CONTROL_DESTINATION, F_CONTROL_TASKS,
                                          F_CONTROL_TICKET, F_TASK_NAME};
    uint64_t hash = topology_scope(m);

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        hash = hash_mix(hash, hash_bytes(msg_text(m, parts[i]), i));
    return hash;
}

static void hear(struct control *c, const struct msg *m)
{
    c->heard[c->next_heard].what = command_of(m);
    c->heard[c->next_heard].at = m->at.ns;
    c->next_heard = (c->next_heard + 1) % HEARD;
}

static bool is_heard(const struct control *c, const struct msg *m)
{
    uint64_t what = command_of(m);

    for (unsigned i = 0; i < HEARD; i++)
        if (c->heard[i].at != 0 && c->heard[i].what == what && m->at.ns - c->heard[i].at < HEARD_NS)
            return true;
    return false;
}

static void danger(const struct msg *m, enum risk risk, const struct detect_out *out)
{
    if (risk == TAKEOVER)
        say(m, RULE_CONTROL_DANGEROUS, SEV_CRITICAL,
            "a remote control command stops or takes over workers", out);
    else
        say(m, RULE_CONTROL_DANGEROUS, SEV_HIGH,
            "a remote control command redirects, cancels or throttles tasks", out);
}

/* What a worker gets by a way that kombu does not go was perhaps no command where it was published:
 * told once, by the first delivery, which excuses nobody, as it does not say who sent it. */
static void astray(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    bool known;
    enum risk risk = risk_of(msg_text(m, F_CONTROL_METHOD), &known);

    if (is_heard(d->control, m))
        return;
    hear(d->control, m);
    if (risk > CHANGE)
        danger(m, risk, out);
    else if (risk == CHANGE)
        say(m, RULE_CONTROL_CHANGE, SEV_MEDIUM, "a remote control command by a way of its own",
            out);
    else if (msg_is(m, F_CONTROL_METHOD, "hello") && suppresses(d, m))
        danger(m, DANGER, out);
}

static void judge(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    bool known;
    enum risk risk = risk_of(msg_text(m, F_CONTROL_METHOD), &known);

    if (msg_is(m, F_CONTROL_METHOD, "hello")) {
        if (suppresses(d, m)) /* told once, whether it joins or not */
            say(m, RULE_CONTROL_DANGEROUS, SEV_HIGH,
                "a hello that revokes a task which was published and has not ended", out);
        else
            waiting_add(d->control->hellos, m, NULL);
    } else if (risk == RECON) {
        recon(m, out);
    } else if (risk == CHANGE || (risk > CHANGE && (to_itself(d, m) || is_cancel(d, m)))) {
        change(d, m, known, risk, out);
    } else if (risk > CHANGE) {
        danger(m, risk, out);
    }
}

static bool is_allowed(const struct msg *m, struct bytes method, const struct detect_out *out)
{
    return baseline_controls(out->policy->baseline, &m->conn->id.client, method);
}

static void command(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    struct bytes method = msg_text(m, F_CONTROL_METHOD);

    if (!control_only_asks(method))
        hear(d->control, m);
    if (!is_allowed(m, method, out))
        judge(d, m, out);
    if (name_starts(method, "revoke") || bytes_eq(method, "terminate"))
        remember_revoked(d, m);
    if (bytes_eq(method, "election"))
        remember_election(d->control, m);
}

void control_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    if (m->dir != TO_SERVER) {
        if (m->kind == MSG_CONTROL && msg_has(m, F_CONTROL_ASTRAY))
            astray(d, m, out);
        return;
    }
    if (m->kind == MSG_CONTROL && msg_has(m, F_CONTROL_METHOD) && m->op == OP_PUBLISH)
        command(d, m, out);
    else if (m->kind == MSG_WORKER && msg_is(m, F_WORKER_EVENT, "worker-elect") &&
             msg_is(m, F_CONTROL_TOPIC, "task") && !is_allowed(m, bytes_of("election", 8), out) &&
             !is_called_upon(d, m))
        say(m, RULE_CONTROL_DANGEROUS, SEV_CRITICAL,
            "an election among the workers: the winner publishes a task in its own name", out);
    else if (m->kind == MSG_STORED && msg_has(m, F_CONTROL_METHOD) && ways_lead_to_mailbox(d, m))
        command(d, m, out); /* see dissectors/msg.h */
}
