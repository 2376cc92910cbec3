/* run/worker.c - the data path, read from the bottom up: packet, chunk, message
 * of the wire, message of the application, finding. */
#include "run/worker.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"
#include "dissectors/interpreter.h"
#include "net/flow.h"
#include "net/tcp.h"
#include "run/baseline.h"
#include "run/classify.h"
#include "run/ident.h"
#include "run/unit.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/inventory.h"
#include "signatures/cluster/topology.h"
#include "signatures/form.h"
#include "signatures/pickle/pickle.h"

#define FINDINGS_MAX        16u /* of one message */
#define INTERPRET_MAX_DEPTH 3
#define KINDS               32u /* bits of enum msg_kind */
#define ASKED_MAX           32u /* detectors and interpreters of one kind */

/* Whom a kind of message is shown to, in the order of their tables; NULL at the end. */
struct asked {
    const struct message_detector *detectors[ASKED_MAX + 1];
    const struct interpreter *interpreters[ASKED_MAX + 1];
};

struct worker {
    struct flow_table *flows;
    struct tcp_pool *tcp_pool;
    struct ident_engine *ident;
    struct classifier *classifier;
    struct arena *arena;
    struct worker_out out;
    struct asked asked[KINDS];
    struct baselines *baselines;
    struct policy policy; /* with the baseline that is in use now */
    struct budget budget;
    struct dissect_conf dissect;
    struct unit_counts *units;   /* of the connection being worked on */
    const struct packet *packet; /* the one being worked on; NULL at ticks */
    struct flow **waiting;       /* those in which time ends a wait; NULL: gone since */
    size_t n_waiting, waiting_cap;
    struct finding findings[FINDINGS_MAX];
    size_t n_findings;
    struct tally tally;
};

/* What this file, and no other, hangs on each flow. */
struct conn {
    struct tcp tcp;
    struct ident ident;
    const struct dissector *proto; /* NULL until identified */
    void *state;
    struct conn_info info;
    struct unit_counts units; /* a unit may go on for many packets, with those of others between */
    bool reversed;
    bool anomaly_said;
    bool closed_said;
    bool seen[2];     /* data, by direction after reversal */
    uint32_t waiting; /* its place among the worker's, from 1; 0: none */
};

struct path {
    struct worker *w;
    struct flow *flow;
    struct conn *conn;
    unsigned depth; /* messages read out of messages */
};

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

/* Once for all messages: most are of interest to few. */
static void arrange(struct worker *w)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct asked *to = &w->asked[kind];
        size_t n = 0, k = 0;

        for (size_t i = 0; message_detectors[i] && n < ASKED_MAX; i++)
            if (message_detectors[i]->wants >> kind & 1u)
                to->detectors[n++] = message_detectors[i];
        for (size_t i = 0; interpreters[i] && k < ASKED_MAX; i++)
            if (interpreters[i]->reads >> kind & 1u)
                to->interpreters[k++] = interpreters[i];
    }
}

/* Of the commands of queues, most say nothing that another message does not. */
static bool is_wanted(const struct worker *w, const struct msg *m)
{
    if (m->kind == MSG_ENVELOPE) /* of the others, those that topology_wants() */
        return w->policy.inventory && inventory_wants_envelope(m);
    if (!(w->out.wants & m->kind))
        return false;
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

/* What an interpreter makes of a message comes back in here: kombu's envelope
 * inside a Redis list is opened first, and is then a Celery task. */
static void interpret(void *ctx, const struct msg *said)
{
    struct path *p = ctx;
    struct worker *w = p->w;
    struct msg *m = (struct msg *)(uintptr_t)said; /* its maker's own, not const: see msg.h */
    struct interpret_out out = {.arena = w->arena, .tally = &w->tally, .emit = interpret, .ctx = p};

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
    for (const struct interpreter *const *i = asked_of(w, m)->interpreters; *i; i++)
        if ((*i)->read(m, &out))
            break;
    p->depth--;
}

static void dissector_says(void *ctx, const struct msg *m)
{
    struct path *p = ctx;
    struct arena_mark mark = arena_mark(p->w->arena);

    interpret(ctx, m);
    arena_rewind(p->w->arena, mark);
}

static bool dissect(void *ctx, const struct chunk *in)
{
    struct path *p = ctx;
    struct chunk c = *in;
    struct dissect_out out = {p->w->arena, &p->w->tally, dissector_says, p};
    enum dissect next;

    if (p->conn->reversed)
        c.dir = dir_other(c.dir);
    p->conn->seen[c.dir] |= c.kind == CHUNK_DATA;
    next = p->conn->proto->feed(p->conn->state, &c, &out);
    arena_reset(p->w->arena);
    return next != DISSECT_LEAVE;
}

/* TLS, or a protocol that is named and not read: said once, then left alone. */
static bool leave_unread(struct path *p, const struct chunk *c, const char *unread)
{
    struct worker *w = p->w;
    struct msg m;

    ident_release(w->ident, &p->conn->ident, NULL, NULL, NULL);
    if (strcmp(unread, "tls") == 0) {
        tally_add(&w->tally, TALLY_flow_encrypted, 1);
        return false;
    }
    tally_add(&w->tally, TALLY_flow_unread, 1);
    p->conn->info.proto = unread;
    p->conn->seen[TO_SERVER] = p->conn->seen[TO_CLIENT] = true;
    msg_init(&m, MSG_UNREAD, "served");
    m.dir = c->dir;
    m.at = c->at;
    m.offset = c->offset;
    fields_str(&m.fields, F_PROTOCOL_UNREAD, unread);
    interpret(p, &m);
    arena_reset(w->arena);
    return false;
}

static bool begin(struct path *p, const struct ident_answer *answer)
{
    struct conn *conn = p->conn;

    conn->state = calloc(1, answer->found->state_size);
    if (!conn->state)
        return false;
    conn->proto = answer->found;
    conn->info.proto = answer->found->name;
    conn->proto->init(conn->state, &p->w->dissect);
    tally_add(&p->w->tally,
              strcmp(conn->proto->name, "amqp") == 0 ? TALLY_ident_amqp : TALLY_ident_redis, 1);
    if (answer->reversed) {
        conn->reversed = true;
        flow_reverse(p->flow);
        conn->info.id = p->flow->id;
    }
    topology_conn(&conn->info);
    return true;
}

static bool identify(void *ctx, const struct chunk *c)
{
    struct path *p = ctx;
    struct ident_engine *e = p->w->ident;
    struct ident *id = &p->conn->ident;
    struct ident_answer answer;

    if (p->conn->proto)
        return dissect(p, c);
    switch (ident_chunk(e, id, &p->flow->id, c, p->w->packet, &answer)) {
    case IDENT_WAIT: return true;
    case IDENT_UNREAD: return leave_unread(p, c, answer.unread);
    case IDENT_FOUND: return ident_release(e, id, c, begin(p, &answer) ? dissect : NULL, p);
    default: return ident_release(e, id, NULL, NULL, NULL) && false;
    }
}

/* Detectors ask whether somebody is still there. */
static void say_closed(struct worker *w, struct conn *c, enum dir dir, struct stamp at)
{
    struct msg m;

    if (c->closed_said || !c->proto || !(w->out.wants & MSG_CLOSED))
        return;
    c->closed_said = true;
    msg_init(&m, MSG_CLOSED, "closed");
    m.dir = c->reversed ? dir_other(dir) : dir;
    m.at = at;
    m.conn = &c->info;
    w->out.item(w->out.ctx, &m, NULL, 0);
}

/* The dissector will want it, and TCP takes a while. */
static inline void prefetch_state(const struct conn *c)
{
    size_t size = c->proto ? c->proto->state_size : 0;

    for (size_t at = 0; at < size; at += 64)
        __builtin_prefetch((const uint8_t *)c->state + at, 1);
}

static void forget_waiting(struct worker *w, struct conn *c)
{
    if (c->waiting > 0)
        w->waiting[c->waiting - 1] = NULL;
    c->waiting = 0;
}

/* Without memory for it the next packet, or the flow's end, ends the wait. */
static void note_waiting(struct worker *w, struct flow *flow, struct conn *c)
{
    if (c->waiting > 0)
        return;
    if (w->n_waiting == w->waiting_cap) {
        size_t cap = w->waiting_cap > 0 ? w->waiting_cap * 2 : 64;
        struct flow **more = realloc(w->waiting, cap * sizeof(struct flow *));

        if (!more)
            return;
        w->waiting = more;
        w->waiting_cap = cap;
    }
    w->waiting[w->n_waiting++] = flow;
    c->waiting = (uint32_t)w->n_waiting;
}

static void after_tcp(struct worker *w, struct flow *flow, enum dir dir, struct stamp at)
{
    struct conn *c = flow_user(flow);

    if (tcp_is_closed(&c->tcp)) {
        say_closed(w, c, dir, at);
        flow_close(w->flows, flow);
    } else if (tcp_waits(&c->tcp)) {
        note_waiting(w, flow, c);
    }
}

void worker_packet(struct worker *w, const struct packet *pkt)
{
    enum dir dir;
    bool fresh;
    struct flow *flow = flow_find(w->flows, pkt, &dir, &fresh);

    if (!flow)
        return;
    struct path p = {w, flow, flow_user(flow), 0};
    if (fresh) {
        tcp_init(&p.conn->tcp, pkt->hash);
        p.conn->info.id = flow->id;
        p.conn->info.proto = "";
    }
    if (pkt->payload.len > 0)
        prefetch_state(p.conn);
    w->packet = pkt;
    w->units = &p.conn->units;
    tcp_input(&p.conn->tcp, w->tcp_pool, dir, pkt, identify, &p);
    w->packet = NULL;
    after_tcp(w, flow, dir, pkt->at);
}

/* The one way out for every flow, however it ends. */
static void flow_gone(void *ctx, struct flow *flow, void *user, enum flow_end why)
{
    struct worker *w = ctx;
    struct conn *c = user;
    struct path p = {w, flow, c, 0};

    (void)why;
    forget_waiting(w, c);
    w->packet = NULL;
    w->units = &c->units;
    tcp_finish(&c->tcp, w->tcp_pool, flow->last, identify, &p);
    ident_release(w->ident, &c->ident, NULL, NULL, NULL);
    unit_free(&c->units);
    if (c->proto && (!tcp_peer_seen(&c->tcp, TO_SERVER) || !tcp_peer_seen(&c->tcp, TO_CLIENT)))
        tally_add(&w->tally, TALLY_flow_one_way, 1);
    if (c->proto)
        c->proto->fini(c->state);
    free(c->state);
}

/* Fewer connections than this stay in the cache. */
#define MANY_FLOWS 8192u

bool worker_prefetch_pays(const struct worker *w)
{
    return flow_count(w->flows) >= MANY_FLOWS;
}

void worker_prefetch(const struct worker *w, const uint64_t *hash, size_t n)
{
    if (!worker_prefetch_pays(w))
        return;
    for (size_t i = 0; i < n; i++)
        flow_prefetch(w->flows, hash[i]);
    for (size_t i = 0; i < n; i++)
        flow_prefetch_flow(w->flows, hash[i]);
    for (size_t i = 0; i < n; i++) {
        const struct conn *c = flow_guess(w->flows, hash[i]);

        if (c)
            prefetch_state(c);
    }
}

void worker_tick(struct worker *w, struct stamp now)
{
    flow_tick(w->flows, now);
    classifier_tick(w->classifier);
    baselines_take(w->baselines, &w->policy.baseline);
}

static int by_serial(const void *a, const void *b)
{
    const struct flow *const *x = a, *const *y = b;

    return (*x)->id.serial < (*y)->id.serial ? -1 : (*x)->id.serial > (*y)->id.serial;
}

/* Those that go on waiting are noted again. */
static size_t take_waiting(struct worker *w)
{
    size_t n = 0;

    for (size_t i = 0; i < w->n_waiting; i++) {
        struct flow *flow = w->waiting[i];

        if (!flow)
            continue;
        ((struct conn *)flow_user(flow))->waiting = 0;
        w->waiting[n++] = flow;
    }
    w->n_waiting = 0;
    if (n > 1)
        qsort(w->waiting, n, sizeof(struct flow *), by_serial);
    return n;
}

void worker_pulse(struct worker *w, struct stamp now)
{
    size_t n = w->n_waiting > 0 ? take_waiting(w) : 0;

    for (size_t i = 0; i < n; i++) { /* the list grows behind i only */
        struct flow *flow = w->waiting[i];
        struct conn *c = flow_user(flow);
        struct path p = {w, flow, c, 0};

        w->units = &c->units;
        tcp_tick(&c->tcp, w->tcp_pool, now, identify, &p);
        after_tcp(w, flow, TO_SERVER, now);
    }
}

void worker_finish(struct worker *w, struct stamp now)
{
    (void)now;
    flow_table_flush(w->flows);
}

const struct tally *worker_tally(const struct worker *w)
{
    return &w->tally;
}

size_t worker_flows(const struct worker *w)
{
    return flow_count(w->flows);
}

/* Hints for connections that began before the capture: every dissector's ports. */
static const uint16_t server_ports[] = {5672, 6379, 5671, 6380, 26379, 5673, 6378};

static void configure(struct worker *w, const struct conf *conf, unsigned share)
{
    const struct conf_limits *l = &conf->limits;

    w->budget = (struct budget){.limit = l->budget / share};
    w->dissect = (struct dissect_conf){
        .max_body = l->body,
        .max_item = l->item,
        .max_depth = (unsigned)l->nesting,
        .max_open = (unsigned)l->channels,
        .max_pending = (unsigned)l->pending,
        .max_elements = l->elements,
        .commands = (w->out.wants & WORKER_EVERY_COMMAND) != 0,
        .budget = &w->budget,
    };
}

static bool make(struct worker *w, const struct conf *conf, unsigned share, bool ndpi_now)
{
    const struct conf_limits *l = &conf->limits;
    struct flow_conf flows = {
        .max_flows = l->flows,
        .idle_ns = l->flow_idle_ns,
        .embryonic_ns = l->flow_embryonic_ns,
        .server_ports = server_ports,
        .server_port_n = sizeof server_ports / sizeof *server_ports,
    };
    struct tcp_conf tcp = {.max_parked = l->parked_total,
                           .max_per_dir = l->parked_per_dir,
                           .no_conflicts = true /* until stream-overlap-conflict is built */};

    configure(w, conf, share);
    w->flows = flow_table_new(&flows, sizeof(struct conn), flow_gone, w, &w->tally);
    w->tcp_pool = tcp_pool_new(&tcp, &w->tally);
    w->ident = ident_engine_new(l->ident_held, ndpi_now, &w->tally);
    w->classifier = classifier_new(conf, share, &w->tally);
    if (w->classifier)
        w->dissect.taps = classifier_taps(w->classifier);
    w->arena = arena_new(l->arena);
    return w->flows && w->tcp_pool && w->ident && w->classifier && w->arena;
}

struct worker *worker_new(const struct conf *conf, unsigned share, bool ndpi_now,
                          const struct worker_out *out)
{
    struct worker *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    w->out = *out;
    w->policy = conf->policy;
    w->policy.baseline = NULL;
    w->baselines = conf->baselines;
    baselines_take(w->baselines, &w->policy.baseline);
    arrange(w);
    if (make(w, conf, share > 0 ? share : 1, ndpi_now))
        return w;
    worker_free(w);
    return NULL;
}

void worker_free(struct worker *w)
{
    if (!w)
        return;
    baselines_drop(w->baselines, &w->policy.baseline);
    if (w->flows)
        flow_table_free(w->flows);
    if (w->tcp_pool)
        tcp_pool_free(w->tcp_pool);
    free(w->waiting);
    ident_engine_free(w->ident);
    classifier_free(w->classifier);
    if (w->arena)
        arena_free(w->arena);
    free(w);
}
