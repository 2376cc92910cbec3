/* run/worker.c - the data path, packets and chunks; from the message of the wire
 * on it is worker_say.c. */
#include <stdlib.h>

#include "run/unit.h"
#include "run/worker_parts.h"
#include "signatures/cluster/topology.h"

#define LOST_MS 100u /* it is said again after so long */

/* What concerns a connection, not a message on it. */
static void say_of_connection(struct worker *w, const struct conn *c, enum msg_kind kind,
                              const char *action, enum dir dir, struct stamp at)
{
    struct msg m;

    if (!c->proto || !(w->out.wants & kind))
        return;
    msg_init(&m, kind, action);
    m.dir = dir;
    m.at = at;
    m.conn = &c->info;
    w->out.item(w->out.ctx, &m, NULL, 0);
}

/* Bytes to the client, which takes what it was sent whether we saw it or not. Where packets are cut
 * short, each one has a hole. */
__attribute__((noinline)) static void say_lost(struct worker *w, struct conn *c, struct stamp at)
{
    uint32_t now = (uint32_t)(at.ns / 1000000) | 1u;

    if (c->lost_ms != 0 && now - c->lost_ms < LOST_MS)
        return;
    c->lost_ms = now;
    say_of_connection(w, c, MSG_LOST, "lost", TO_CLIENT, at);
}

static bool dissect(void *ctx, const struct chunk *in)
{
    struct path *p = ctx;
    struct chunk c = *in;
    struct dissect_out out = {p->w->arena, &p->w->tally, worker_says, p};
    enum dissect next;

    if (p->conn->reversed)
        c.dir = dir_other(c.dir);
    p->conn->seen[c.dir] |= c.kind == CHUNK_DATA;
    if (c.kind == CHUNK_GAP && c.dir == TO_CLIENT)
        say_lost(p->w, p->conn, c.at);
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
    worker_interpret(p, &m);
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
    if (c->closed_said)
        return;
    c->closed_said = c->proto != NULL;
    say_of_connection(w, c, MSG_CLOSED, "closed", c->reversed ? dir_other(dir) : dir, at);
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

/* What is missing may only be late: what is said meanwhile is said without it. */
__attribute__((noinline)) static void end_or_wait(struct worker *w, struct flow *flow, enum dir dir,
                                                  const struct stamp *at)
{
    struct conn *c = flow_user(flow);

    if (tcp_is_closed(&c->tcp)) {
        say_closed(w, c, dir, *at);
        flow_close(w->flows, flow);
        return;
    }
    if (tcp_waits(&c->tcp))
        note_waiting(w, flow, c);
    if (tcp_misses(&c->tcp, c->reversed ? TO_SERVER : TO_CLIENT))
        say_lost(w, c, *at);
}

static inline void after_tcp(struct worker *w, struct flow *flow, enum dir dir,
                             const struct stamp *at)
{
    const struct conn *c = flow_user(flow);

    if (tcp_is_closed(&c->tcp) || tcp_waits(&c->tcp) ||
        tcp_misses(&c->tcp, c->reversed ? TO_SERVER : TO_CLIENT))
        end_or_wait(w, flow, dir, at);
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
    after_tcp(w, flow, dir, &pkt->at);
}

/* The one way out for every flow, however it ends. */
void worker_flow_gone(void *ctx, struct flow *flow, void *user, enum flow_end why)
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
        after_tcp(w, flow, TO_SERVER, &now);
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
