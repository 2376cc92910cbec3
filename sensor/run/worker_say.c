/* run/worker_say.c - see worker_parts.h. From a message of the wire to messages of applications and
 * findings. */
#include "run/worker_parts.h"

#include "base/hash.h"
#include "dissectors/interpreter.h"
#include "run/unit.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/inventory.h"
#include "signatures/cluster/reach.h"
#include "signatures/cluster/scripts.h"
#include "signatures/cluster/topology.h"
#include "signatures/form.h"
#include "signatures/pickle/pickle.h"

#define INTERPRET_MAX_DEPTH 3

static void found(void *ctx, const struct msg *m, struct finding *f)
{
    struct worker *w = ctx;

    if (w->n_findings == FINDINGS_MAX)
        return;
    f->index = unit_index(w->units, m, &rules[f->rule]);
    finding_signature(f, m);
    w->findings[w->n_findings++] = *f;
}

/* What makes one finding of a message that crosses the wire again (finding.once_a_task). */
static void digest(struct msg *m)
{
    if (m->content && !msg_has(m, F_BODY_DIGEST))
        fields_num(&m->fields, F_BODY_DIGEST, (int64_t)hash_bytes(content_inner(m->content), 0));
}

static const struct asked *asked_of(const struct worker *w, const struct msg *m)
{
    return &w->asked[__builtin_ctz((unsigned)m->kind | 1u << (KINDS - 1))];
}

/* Of the commands of queues, most say nothing that another message does not. */
static bool is_wanted(const struct worker *w, const struct msg *m)
{
    if (m->kind == MSG_ENVELOPE) /* of the others, those that topology_wants() */
        return w->policy.inventory && inventory_wants_envelope(m);
    if (!(w->out.wants & m->kind))
        return false;
    if (m->kind == MSG_STORED) /* what may be a command */
        return msg_has(m, F_CONTROL_METHOD);
    return m->kind != MSG_COMMAND || (w->out.wants & WORKER_EVERY_COMMAND) ||
           deployment_wants_command(m);
}

/* The modules of a pickle that nothing worse is to be said of than that they are on no list: the
 * collector sees no pickle. */
static void list_imports(struct msg *m, struct arena *arena)
{
    struct bytes list = {0};

    if (m->pickle->verdict != PICKLE_OBJECTS_UNKNOWN)
        return;
    for (unsigned i = 0; i < m->pickle->n_imports; i++)
        if (m->pickle->imports[i].kind == PICKLE_CLASS_UNKNOWN)
            list_add(arena, &list, m->pickle->imports[i].module);
    if (list.len > 0)
        fields_text(&m->fields, F_IMPORTS, list);
}

/* The task of a schedule's entry: the collector does not see the value. */
static bool keep_schedule(struct msg *m)
{
    struct bytes task;

    if (!schedule_wants(m))
        return false;
    task = schedule_task(m);
    if (task.len > 0)
        fields_text(&m->fields, F_TASK_NAME, task);
    return true;
}

/* A script that nobody knows. One that breaks out of its sandbox was told of already. */
static void keep_script(struct worker *w, struct msg *m)
{
    for (unsigned i = 0; i < w->n_findings; i++)
        if (w->findings[i].rule == RULE_REDIS_LUA_ESCAPE)
            return;
    scripts_read(m, w->arena);
}

/* What the arguments of a command say: the collector does not see them. */
static void keep_arguments(struct worker *w, struct msg *m)
{
    enum reach reach;

    if (m->kind != MSG_COMMAND || !m->args)
        return;
    reach = reach_of_command(m);
    if (reach != REACH_SOME)
        fields_num(&m->fields, F_REACH, reach);
    if (schedule_seizes(m))
        fields_num(&m->fields, F_SEIZES, 1);
    keep_script(w, m);
}

static void detect(struct worker *w, struct msg *m)
{
    struct detect_out out = {.policy = &w->policy, .arena = w->arena, .emit = found, .ctx = w};

    w->n_findings = 0;
    if (w->policy.inventory && m->pickle)
        list_imports(m, w->arena);
    for (const struct message_detector *const *d = asked_of(w, m)->detectors; *d; d++)
        (*d)->check(m, &out);
    if (w->n_findings > 0)
        digest(m);
    keep_arguments(w, m);
    if (keep_schedule(m) || w->n_findings > 0 || is_wanted(w, m) || topology_wants(m))
        w->out.item(w->out.ctx, m, w->findings, w->n_findings);
}

/* One anomaly a connection, whatever the dissector has to complain of. */
static bool is_repeated_anomaly(struct conn *c, const struct msg *m)
{
    bool again = m->kind == MSG_ANOMALY && c->anomaly_said;

    if (m->kind == MSG_ANOMALY)
        c->anomaly_said = true;
    return again;
}

static void count(struct worker *w, const struct msg *m)
{
    switch (m->kind) {
    case MSG_RESULT: tally_add(&w->tally, TALLY_results, 1); break;
    case MSG_WORKER: tally_add(&w->tally, TALLY_worker_events, 1); break;
    case MSG_CONTROL: tally_add(&w->tally, TALLY_controls, 1); break;
    default: break;
    }
}

/* By its text: whether equal literals of two files are one pointer is the build's affair, and
 * indexes are part of event.id. */
static const void *action_key(const char *action)
{
    return (const void *)(uintptr_t)hash_bytes(bytes_of(action, strlen(action)), 0);
}

/* Acknowledgements say as well as data that the other side is in the capture. A client speaks
 * first: that it was not answered yet is no loss. */
static void set_one_way(const struct conn *c, struct msg *m)
{
    enum dir dir = c->reversed ? dir_other(m->dir) : m->dir;

    m->coverage = (uint8_t)(m->coverage & ~(unsigned)COVER_ONE_WAY);
    if (!c->seen[dir_other(m->dir)] && !tcp_peer_seen(&c->tcp, dir))
        m->coverage |= COVER_ONE_WAY;
}

/* The worker's part of a message: its makers leave these fields to us. */
static void stamp(struct path *p, struct msg *m)
{
    m->conn = &p->conn->info;
    set_one_way(p->conn, m);
    if (m->action)
        m->index = unit_index(p->w->units, m, action_key(m->action));
    count(p->w, m);
}

/* The member that SADD puts into one of kombu's sets is what the collector learns bindings from. */
static void keep_member(struct msg *m)
{
    if (m->kind == MSG_ENVELOPE && m->content && topology_wants(m))
        fields_text(&m->fields, F_MEMBER, m->content->body);
}

/* Headers do not cross to the collector: what is wrong with them does. */
static void note_form(struct msg *m)
{
    uint32_t signs = task_form(m);

    if (signs)
        fields_num(&m->fields, F_TASK_SIGNS, signs);
}

/* What kombu does not read, where it would have to. */
static void keep_junk(struct worker *w, struct msg *m, const struct interpreter *reader)
{
    if (reader == &kombu_interpreter || !junk_wants(m))
        return;
    fields_num(&m->fields, F_JUNK, 1);
    w->out.item(w->out.ctx, m, NULL, 0);
}

/* What an interpreter makes of a message comes back in here: kombu's envelope
 * inside a Redis list is opened first, and is then a Celery task. */
void worker_interpret(void *ctx, const struct msg *said)
{
    struct path *p = ctx;
    struct worker *w = p->w;
    struct msg *m = (struct msg *)(uintptr_t)said; /* its maker's own, not const: see msg.h */
    struct interpret_out out = {
        .arena = w->arena, .tally = &w->tally, .emit = worker_interpret, .ctx = p};

    if (is_repeated_anomaly(p->conn, m))
        return;
    stamp(p, m);
    if (m->kind == MSG_ENVELOPE && m->content)
        classify(w->classifier, m, w->arena, &w->tally);
    if (m->kind & (MSG_TASK | MSG_RESULT | MSG_WORKER | MSG_CONTROL))
        classify_texts(w->classifier, m, w->arena);
    if (m->kind & (MSG_TASK | MSG_CONTROL))
        classify_signature(w->classifier, m, &w->tally);
    if (m->kind == MSG_TASK)
        note_form(m);
    keep_member(m);
    detect(w, m);
    if (p->depth == INTERPRET_MAX_DEPTH)
        return;
    p->depth++;
    const struct interpreter *const *i = asked_of(w, m)->interpreters;
    while (*i && !(*i)->read(m, &out))
        i++;
    p->depth--;
    keep_junk(w, m, *i);
}

void worker_says(void *ctx, const struct msg *m)
{
    struct path *p = ctx;
    struct arena_mark mark = arena_mark(p->w->arena);

    worker_interpret(ctx, m);
    arena_rewind(p->w->arena, mark);
}
