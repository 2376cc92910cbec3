/* run/collect.c - the last stage before the outputs. */
#include "run/collect.h"

#include <stdlib.h>

#include "base/hash.h"
#include "out/fold.h"
#include "out/once.h"
#include "run/baseline.h"
#include "run/inventory.h"
#include "run/learn.h"
#include "run/suppress.h"
#include "run/unit.h"
#include "run/worker.h"
#include "signatures/cluster/inventory.h"
#include "signatures/cluster/topology.h"
#include "signatures/detector.h"

#define CLUSTER_MAX  32u
#define BINDINGS_MAX 65536u
#define REMEMBER_NS  (3600 * INT64_C(1000000000))

struct collector {
    struct encoder *encoder;
    struct outputs *outputs;
    struct baselines *baselines;
    struct policy policy; /* with the baseline that is in use now */
    struct fold *fold;
    struct once *told; /* (rule, task, body) that a finding was made of */
    struct once
        *delivered; /* deliveries seen, so that kombu's copy in `unacked` is not a second one */
    struct topology *topology;
    struct inventory *inventory; /* NULL: nobody asks for it */
    struct learning *learning;   /* NULL: nothing is learnt */
    bool emits_inventory;
    int64_t inventory_ns, next_inventory; /* packet time; 0: not known yet */
    void *cluster[CLUSTER_MAX];
    unsigned wants;
    struct unit_counts units;
    struct tally tally;
    struct rule_counts rules[RULE_COUNT];
};

static unsigned emits(const struct outputs *o, enum emit_kind kind, unsigned kinds)
{
    return outputs_wants(o, kind) ? kinds : 0;
}

static void write_alert(void *ctx, const struct msg *m, const struct finding *f,
                        const struct fold_state *fold)
{
    struct collector *c = ctx;
    struct record r;

    if (!encode_alert(c->encoder, m, f, fold, &r))
        return;
    outputs_write(c->outputs, &r);
    c->rules[f->rule].emitted++;
    tally_add(&c->tally, TALLY_alerts, 1);
}

static bool open_detectors(struct collector *c)
{
    for (unsigned i = 0; cluster_detectors[i]; i++) {
        c->cluster[i] = cluster_detectors[i]->open(&c->policy);
        c->wants |= cluster_detectors[i]->wants;
        if (!c->cluster[i])
            return false;
    }
    return true;
}

static bool open_inventory(struct collector *c, const struct conf *conf)
{
    c->emits_inventory = outputs_wants(c->outputs, EMIT_INVENTORY);
    c->inventory_ns = conf->inventory_ns;
    if (!conf->policy.inventory)
        return true;
    c->inventory = inventory_new();
    c->wants |= INVENTORY_KINDS;
    return c->inventory != NULL;
}

struct collector *collector_new(const struct conf *conf, struct encoder *encoder,
                                struct outputs *outputs)
{
    struct collector *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->encoder = encoder;
    c->outputs = outputs;
    c->policy = conf->policy;
    c->policy.baseline = NULL;
    c->baselines = conf->baselines;
    baselines_take(c->baselines, &c->policy.baseline);
    c->wants = emits(outputs, EMIT_TASKS, MSG_TASK) | emits(outputs, EMIT_RESULTS, MSG_RESULT) |
               emits(outputs, EMIT_WORKERS, MSG_WORKER) |
               emits(outputs, EMIT_CONTROL, MSG_CONTROL) |
               emits(outputs, EMIT_COMMANDS, MSG_COMMAND | MSG_REPLY | WORKER_EVERY_COMMAND);
    c->fold = fold_new(conf->limits.folds, !conf->fold, write_alert, c);
    c->told = once_new(conf->limits.tasks_remembered, REMEMBER_NS);
    c->delivered = once_new(conf->limits.tasks_remembered, REMEMBER_NS);
    c->topology = topology_new(BINDINGS_MAX);
    if (open_inventory(c, conf) && c->fold && c->told && c->delivered && c->topology &&
        open_detectors(c))
        return c;
    collector_free(c);
    return NULL;
}

void collector_free(struct collector *c)
{
    if (!c)
        return;
    for (unsigned i = 0; cluster_detectors[i]; i++)
        if (c->cluster[i])
            cluster_detectors[i]->close(c->cluster[i]);
    baselines_drop(c->baselines, &c->policy.baseline);
    fold_free(c->fold);
    once_free(c->told);
    once_free(c->delivered);
    topology_free(c->topology);
    inventory_free(c->inventory);
    unit_free(&c->units);
    free(c);
}

unsigned collector_wants(const struct collector *c)
{
    return c->wants;
}

/* The same task with the same body, however often it crosses the wire. */
static uint64_t task_key(const struct msg *m, uint64_t salt)
{
    uint64_t body = (uint64_t)msg_num(m, F_BODY_DIGEST, 0);

    return hash_mix(hash_bytes(msg_text(m, F_TASK_ID), salt), body);
}

static bool told_before(struct collector *c, const struct msg *m, const struct finding *f)
{
    return f->once_a_task && msg_has(m, F_TASK_ID) &&
           once_seen(c->told, task_key(m, f->rule + 1u), m->at.ns);
}

static void judge(struct collector *c, const struct msg *m, const struct finding *f)
{
    tally_add(&c->tally, TALLY_findings, 1);
    c->rules[f->rule].found++;
    if (suppressed(&c->policy, m, f)) {
        c->rules[f->rule].suppressed++;
        tally_add(&c->tally, TALLY_suppressed, 1);
        return;
    }
    if (c->learning)
        learning_found(c->learning, m, f);
    if (!told_before(c, m, f) && !fold_add(c->fold, m, f)) {
        tally_add(&c->tally, TALLY_folded, 1);
    }
}

/* A cluster detector has found something. */
static void found(void *ctx, const struct msg *m, struct finding *f)
{
    struct collector *c = ctx;

    f->index = unit_index(&c->units, m, &rules[f->rule]);
    finding_signature(f, m);
    judge(c, m, f);
}

static void ask_cluster(struct collector *c, const struct msg *m)
{
    struct detect_out out = {.policy = &c->policy, .emit = found, .ctx = c};

    for (unsigned i = 0; cluster_detectors[i]; i++)
        if (cluster_detectors[i]->wants & m->kind)
            cluster_detectors[i]->note(c->cluster[i], m, &out);
}

static bool log_kind(const struct msg *m, enum emit_kind *kind)
{
    switch (m->kind) {
    case MSG_TASK: *kind = EMIT_TASKS; return true;
    case MSG_RESULT: *kind = EMIT_RESULTS; return true;
    case MSG_WORKER: *kind = EMIT_WORKERS; return true;
    case MSG_CONTROL: *kind = EMIT_CONTROL; return true;
    case MSG_COMMAND: *kind = EMIT_COMMANDS; return msg_has(m, F_AMQP_METHOD);
    case MSG_REPLY: *kind = EMIT_COMMANDS; return !msg_has(m, F_ARGS_MORE);
    default: return false;
    }
}

static void write_log(struct collector *c, const struct msg *m)
{
    enum emit_kind kind;
    struct record r;

    if (log_kind(m, &kind) && outputs_wants(c->outputs, kind) &&
        encode_log(c->encoder, kind, m, &r))
        outputs_write(c->outputs, &r);
}

/* The copy that a Redis worker keeps in `unacked` repeats a delivery. */
static bool repeats_delivery(struct collector *c, const struct msg *m)
{
    bool delivered = m->kind == MSG_TASK && m->op == OP_DELIVER;
    uint64_t key;

    if (!delivered && !(m->kind == MSG_TASK && msg_num(m, F_KEPT, 0)))
        return false;
    key = hash_mix(task_key(m, 0), hash_bytes(msg_text(m, F_TASK_DELIVERY_TAG), 1));
    return once_seen(c->delivered, key, m->at.ns) && !delivered;
}

/* As the message, with the queue that its routing key stands for, if that is known. */
static const struct msg *with_queue(struct collector *c, const struct msg *m, struct msg *more)
{
    struct bytes queue;

    if (m->kind != MSG_TASK || msg_has(m, F_TASK_QUEUE))
        return m;
    queue = topology_queue(c->topology, m);
    if (queue.len == 0)
        return m;
    msg_from(more, m, m->kind, m->action);
    more->index = m->index;
    more->scope = m->scope;
    fields_text(&more->fields, F_TASK_QUEUE, queue);
    return more;
}

/* Asked by all cluster detectors, and the same for all. */
static void set_scope(const struct msg *said)
{
    struct msg *m = (struct msg *)(uintptr_t)said; /* its maker's own, not const: see msg.h */

    if (m->conn)
        m->scope = topology_scope(m);
}

void collector_item(struct collector *c, const struct msg *said, const struct finding *findings,
                    size_t n)
{
    struct msg more;
    const struct msg *m;

    set_scope(said);
    m = with_queue(c, said, &more);
    if (topology_wants(m))
        topology_note(c->topology, m);
    if (!repeats_delivery(c, m)) {
        tally_add(&c->tally, TALLY_tasks, m->kind == MSG_TASK);
        write_log(c, m);
    }
    for (size_t i = 0; i < n; i++)
        judge(c, m, &findings[i]);
    ask_cluster(c, m);
    if (c->inventory)
        inventory_note(c->inventory, m);
}

/* Each time what is known, whole: a store keeps the newest. */
static void tell_inventory(struct collector *c, struct stamp now, bool last)
{
    const struct facts *facts = collector_facts(c);

    if (!facts)
        return;
    c->tally.n[TALLY_inventory_evicted] = facts_evicted(facts);
    c->tally.n[TALLY_inventory_lost] = facts_lost(facts);
    if (!c->emits_inventory)
        return;
    if (c->next_inventory == 0)
        c->next_inventory = now.ns + c->inventory_ns;
    if (!last && now.ns < c->next_inventory)
        return;
    c->next_inventory = now.ns + c->inventory_ns;
    inventory_write(facts, now.ns, c->encoder, c->outputs);
}

static void tick(struct collector *c, struct stamp now)
{
    struct detect_out out = {.policy = &c->policy, .emit = found, .ctx = c};

    for (unsigned i = 0; cluster_detectors[i]; i++)
        if (cluster_detectors[i]->tick)
            cluster_detectors[i]->tick(c->cluster[i], now, &out);
    fold_tick(c->fold, now.ns);
    baselines_take(c->baselines, &c->policy.baseline);
}

void collector_tick(struct collector *c, struct stamp now)
{
    tick(c, now);
    tell_inventory(c, now, false);
}

void collector_finish(struct collector *c, struct stamp now)
{
    struct detect_out out = {.policy = &c->policy, .emit = found, .ctx = c};

    tick(c, now);
    for (unsigned i = 0; cluster_detectors[i]; i++)
        if (cluster_detectors[i]->finish)
            cluster_detectors[i]->finish(c->cluster[i], now, &out);
    fold_finish(c->fold);
    tell_inventory(c, now, true);
}

void collector_learn(struct collector *c, struct learning *l)
{
    c->learning = l;
}

const struct facts *collector_facts(const struct collector *c)
{
    return c->inventory ? inventory_facts(c->inventory) : NULL;
}

const struct tally *collector_tally(const struct collector *c)
{
    return &c->tally;
}

const struct rule_counts *collector_rules(const struct collector *c)
{
    return c->rules;
}
