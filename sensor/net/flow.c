/* net/flow.c - see flow.h and flow_table.h. */
#include "net/flow.h"

#include <stdlib.h>

#include "base/limits.h"
#include "net/flow_table.h"

#define TALKS_ON_WITHIN (1u << 20) /* bytes */

enum { IDLE_S = 3600, EMBRYONIC_S = 30, CLOSED_S = 10 };

static int64_t seconds(int64_t ns, int64_t otherwise)
{
    if (ns <= 0)
        return otherwise;
    return ns / 1000000000 + (ns % 1000000000 != 0);
}

struct flow_table *flow_table_new(const struct flow_conf *conf, size_t user_size,
                                  flow_end_fn *on_end, void *ctx, struct tally *tally)
{
    struct flow_table *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    size_t flows = conf->max_flows ? conf->max_flows : LIMIT_FLOWS;
    if (flows > UINT32_MAX / 4)
        flows = UINT32_MAX / 4;
    t->per_shard = (uint32_t)(flows / FLOW_SHARDS > 0 ? flows / FLOW_SHARDS : 1);
    t->limit[STAGE_CLOSED] = seconds(conf->closed_ns, CLOSED_S);
    t->limit[STAGE_YOUNG] = seconds(conf->embryonic_ns, EMBRYONIC_S);
    t->limit[STAGE_SETTLED] = seconds(conf->idle_ns, IDLE_S);
    t->conf = *conf;
    t->user_size = user_size;
    t->on_end = on_end;
    t->ctx = ctx;
    t->tally = tally;
    size_t whole = sizeof(struct slot) + user_size;
    slab_init(&t->slab, (whole + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
    return t;
}

void *flow_user(struct flow *f)
{
    return (struct slot *)(void *)f + 1;
}

static bool same_end(const struct endpoint *a, const struct endpoint *b)
{
    return memcmp(a->ip, b->ip, sizeof a->ip) == 0 && a->port == b->port && a->family == b->family;
}

/* Is p of this flow, and if so, sent by the flow's client? */
static bool matches(const struct flow *f, const struct packet *p, bool *by_client)
{
    *by_client = same_end(&f->id.client, &p->src);
    const struct endpoint *other = *by_client ? &p->dst : &p->src;
    if (!same_end(&f->id.server, other) || f->id.network != p->network ||
        f->ip_proto != p->ip_proto)
        return false;
    return *by_client || same_end(&f->id.client, &p->dst);
}

/* All its lines at once: a flow that was idle has none of them in a cache. */
static inline void prefetch_slot(const struct flow_table *t, struct slot *s)
{
    __builtin_prefetch(s, 1);
    __builtin_prefetch(&s->flow.last, 1);
    __builtin_prefetch(&s->flow.first, 1);
    for (size_t at = 0; at < t->user_size; at += CACHE_LINE)
        __builtin_prefetch((uint8_t *)(s + 1) + at, 1);
}

/* 0: not there. */
static uint32_t look_up(const struct flow_table *t, const struct packet *p, bool *by_client)
{
    uint32_t tag = (uint32_t)p->hash;
    if (!t->entry)
        return 0;
    for (size_t i = tag & t->mask; t->entry[i].slot != 0; i = (i + 1) & t->mask) {
        if (t->entry[i].tag != tag)
            continue;
        struct slot *s = slot_at(t, t->entry[i].slot);
        prefetch_slot(t, s);
        if (matches(&s->flow, p, by_client))
            return t->entry[i].slot;
    }
    return 0;
}

void slot_end(struct flow_table *t, struct slot *s, enum flow_end why)
{
    static const enum tally_id counter[] = {[FLOW_CLOSED] = TALLY_flow_closed,
                                            [FLOW_IDLE] = TALLY_flow_idle,
                                            [FLOW_EVICTED] = TALLY_flow_evicted};
    if (stage_of(s) == STAGE_CLOSED)
        return;
    t->open--;
    if (why != FLOW_SHUTDOWN)
        tally_add(t->tally, counter[why], 1);
    t->on_end(t->ctx, &s->flow, flow_user(&s->flow), why);
}

void slot_release(struct flow_table *t, uint32_t slot)
{
    age_remove(t, slot);
    index_remove(t, slot_at(t, slot)->tag, slot);
    slab_give(&t->slab, slot);
}

static bool hinted(const struct flow_table *t, uint16_t port)
{
    for (size_t i = 0; i < t->conf.server_port_n; i++)
        if (t->conf.server_ports[i] == port)
            return true;
    return false;
}

static bool sent_by_client(const struct flow_table *t, const struct packet *p)
{
    if (p->tcp.flags & TCP_SYN)
        return !(p->tcp.flags & TCP_ACK);
    bool to = hinted(t, p->dst.port), from = hinted(t, p->src.port);
    if (to != from)
        return to;
    if (p->src.port != p->dst.port)
        return p->src.port > p->dst.port;
    return memcmp(p->src.ip, p->dst.ip, sizeof p->src.ip) <= 0;
}

/* The client's first sequence number, as a packet with SYN tells it. */
static uint32_t opening_of(const struct packet *p)
{
    return p->tcp.flags & TCP_ACK ? p->tcp.ack - 1 : p->tcp.seq;
}

/* Seconds of packet time; by the last tick, so that one packet with a wrong time
 * keeps nobody alive. */
static uint32_t seen_now(const struct flow_table *t, const struct packet *p)
{
    int64_t s = t->ticked ? t->now : p->at.ns / 1000000000;
    if (s < 0)
        return 0;
    return s < UINT32_MAX ? (uint32_t)s : UINT32_MAX;
}

static void fill(struct flow_table *t, struct slot *s, const struct packet *p, bool by_client)
{
    *s = (struct slot){.tag = (uint32_t)p->hash};
    s->flow.id = (struct flow_id){.client = by_client ? p->src : p->dst,
                                  .server = by_client ? p->dst : p->src,
                                  .network = p->network,
                                  .vlan = p->vlan,
                                  .serial = p->at.ordinal};
    s->flow.ip_proto = p->ip_proto;
    s->flow.shard = (uint8_t)flow_shard(p->hash);
    s->flow.seen = seen_now(t, p);
    s->flow.first = s->flow.last = p->at;
    set_stage(s, STAGE_YOUNG);
    if (p->tcp.flags & TCP_SYN) {
        s->syn_seq = opening_of(p);
        s->flow.state |= STATE_SYN_SEEN;
    }
    if (t->user_size > 0)
        memset(flow_user(&s->flow), 0, t->user_size);
}

static uint32_t create(struct flow_table *t, const struct packet *p, bool by_client)
{
    uint32_t victim = age_victim(t, flow_shard(p->hash));
    if (victim) {
        slot_end(t, slot_at(t, victim), FLOW_EVICTED);
        slot_release(t, victim);
    }
    uint32_t n = index_reserve(t) ? slab_take(&t->slab) : 0;
    if (n == 0)
        return 0;
    fill(t, slot_at(t, n), p, by_client);
    index_put(t, (uint32_t)p->hash, n);
    age_add(t, n);
    t->open++;
    tally_add(t->tally, TALLY_flow_new, 1);
    return n;
}

/* Does this SYN, in an open flow, begin another connection? A client's alone is
 * noted; the server's answer to it decides, since anybody can send a SYN. */
static bool begins_another(struct slot *s, const struct packet *p, bool by_client)
{
    struct flow *f = &s->flow;
    uint32_t opening = opening_of(p);
    if ((f->state & STATE_SYN_SEEN) && opening == s->syn_seq)
        return false;
    if (f->packets[by_client ? TO_CLIENT : TO_SERVER] == 0)
        return true; /* one-way: there is no answer to wait for */
    if (p->tcp.flags & TCP_ACK)
        return (f->state & STATE_NEW_SYN) && opening == s->new_seq;
    s->new_seq = opening;
    f->state |= STATE_NEW_SYN;
    return false;
}

/* More data from whoever sent the RST that closed the flow: it was not his, or not
 * meant to arrive. What the other side had under way is a straggler all the same. */
static bool talks_on(const struct slot *s, const struct packet *p, bool by_client)
{
    unsigned state = s->flow.state;
    if (!(state & STATE_RST) || by_client != ((state & STATE_RST_CLIENT) != 0))
        return false;
    uint32_t behind = p->tcp.seq - s->new_seq;
    return p->wire_payload > 0 && !(p->tcp.flags & TCP_RST) && behind < TALKS_ON_WITHIN;
}

/* A straggler, or the start of another connection of the same ends? */
static bool is_over(struct slot *s, const struct packet *p)
{
    if (!(p->tcp.flags & TCP_SYN) || (p->tcp.flags & TCP_RST))
        return false;
    return !(s->flow.state & STATE_SYN_SEEN) || opening_of(p) != s->syn_seq;
}

static void note_reset(struct slot *s, const struct packet *p, bool by_client)
{
    unsigned state = s->flow.state & ~(unsigned)(STATE_RST | STATE_RST_CLIENT);
    if (p->tcp.flags & TCP_RST) {
        state &= ~(unsigned)STATE_NEW_SYN;
        state |= by_client ? STATE_RST | STATE_RST_CLIENT : STATE_RST;
        s->new_seq = p->tcp.seq;
    }
    s->flow.state = (uint8_t)state;
}

static void count(struct flow_table *t, uint32_t n, const struct packet *p, bool by_client)
{
    struct slot *s = slot_at(t, n);
    struct flow *f = &s->flow;
    enum dir dir = by_client ? TO_SERVER : TO_CLIENT;
    f->packets[dir]++;
    f->octets[dir] += p->wire_payload;
    f->last = p->at;
    f->seen = seen_now(t, p);
    if ((f->state & STATE_RST) || (p->tcp.flags & TCP_RST))
        note_reset(s, p, by_client);
    if (stage_of(s) != STAGE_YOUNG)
        return;
    bool both = f->packets[TO_SERVER] > 0 && f->packets[TO_CLIENT] > 0;
    if (p->wire_payload > 0 || (both && !(p->tcp.flags & (TCP_SYN | TCP_RST))))
        age_move(t, n, STAGE_SETTLED);
}

/* Does the flow of this packet's ends have to make way for a new one? It is then
 * ended and released. *by_client: as it will be in the new one. */
static bool make_way(struct flow_table *t, uint32_t n, const struct packet *p, bool *by_client)
{
    struct slot *s = slot_at(t, n);
    bool closed = stage_of(s) == STAGE_CLOSED;
    if (p->tcp.flags & TCP_SYN) {
        if (closed ? !is_over(s, p) : !begins_another(s, p, *by_client))
            return false;
        *by_client = sent_by_client(t, p);
    } else if (!closed || !talks_on(s, p, *by_client)) {
        return false;
    }
    slot_end(t, s, FLOW_CLOSED);
    slot_release(t, n);
    return true;
}

struct flow *flow_find(struct flow_table *t, const struct packet *p, enum dir *dir, bool *fresh)
{
    bool by_client;
    uint32_t n = look_up(t, p, &by_client);
    if (n == 0)
        by_client = sent_by_client(t, p);
    else if (make_way(t, n, p, &by_client))
        n = 0;
    *fresh = n == 0;
    if (n == 0)
        n = create(t, p, by_client);
    if (n == 0)
        return NULL;
    struct slot *s = slot_at(t, n);
    if (stage_of(s) == STAGE_CLOSED)
        return NULL;
    count(t, n, p, by_client);
    *dir = by_client != s->flow.reversed ? TO_SERVER : TO_CLIENT;
    return &s->flow;
}

static void swap64(uint64_t v[2])
{
    uint64_t first = v[0];
    v[0] = v[1];
    v[1] = first;
}

void flow_reverse(struct flow *f)
{
    struct endpoint client = f->id.client;
    f->id.client = f->id.server;
    f->id.server = client;
    f->reversed = !f->reversed;
    swap64(f->packets);
    swap64(f->octets);
}

void flow_prefetch(const struct flow_table *t, uint64_t hash)
{
    if (t->entry)
        __builtin_prefetch(&t->entry[(uint32_t)hash & t->mask]);
}

enum { PREFETCH_ENTRIES = 4 };

static struct slot *guess(const struct flow_table *t, uint64_t hash)
{
    uint32_t tag = (uint32_t)hash;
    for (size_t i = 0; t->entry && i < PREFETCH_ENTRIES; i++) {
        struct entry e = t->entry[(tag + i) & t->mask];
        if (e.slot == 0)
            return NULL;
        if (e.tag == tag)
            return slot_at(t, e.slot);
    }
    return NULL;
}

void flow_prefetch_flow(const struct flow_table *t, uint64_t hash)
{
    struct slot *s = guess(t, hash);
    if (s)
        prefetch_slot(t, s);
}

const void *flow_guess(const struct flow_table *t, uint64_t hash)
{
    struct slot *s = guess(t, hash);
    return s ? s + 1 : NULL;
}

void flow_close(struct flow_table *t, struct flow *f)
{
    struct slot *s = (struct slot *)(void *)f;
    if (stage_of(s) == STAGE_CLOSED)
        return;
    slot_end(t, s, FLOW_CLOSED);
    bool by_client;
    struct packet p = {.src = f->id.client,
                       .dst = f->id.server,
                       .network = f->id.network,
                       .ip_proto = f->ip_proto,
                       .hash = s->tag};
    age_move(t, look_up(t, &p, &by_client), STAGE_CLOSED);
}

size_t flow_count(const struct flow_table *t)
{
    return t->open;
}

void flow_table_free(struct flow_table *t)
{
    if (!t)
        return;
    flow_table_flush(t);
    index_free(t);
    slab_free(&t->slab);
    free(t->doomed);
    free(t);
}
