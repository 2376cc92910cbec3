/* run/pipeline.c - the same functions in one thread, or in several. */
#include "run/pipeline.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

#include "net/flow.h"
#include "run/batch.h"
#include "run/ingest.h"
#include "run/lane.h"
#include "run/mail.h"
#include "run/merge.h"
#include "run/worker.h"
#include "signatures/flat.h"

#define LANES_MAX   64u
#define RING_BYTES  (8u << 20)
#define MERGE_BYTES (64u << 20)

struct pipeline {
    struct ingest *ingest;
    struct collector *collector;
    struct worker *worker; /* of the one thread; NULL with lanes */
    struct batch batch;    /* its */
    struct lane *lanes[LANES_MAX];
    unsigned n_lanes;
    struct merge *merge;
    struct ring *ticks;
    pthread_t thread;
    bool started, live;
    uint64_t position;     /* the capture thread's own */
    atomic_ullong current; /* what has been sent */
    atomic_bool ended;
    pthread_mutex_t lock; /* of the snapshot */
    struct tally snapshot;
    uint64_t ring_full;
    pipeline_tick_fn *tick;
    void *ctx;
};

/* --- one thread --------------------------------------------------------- */

static void direct_item(void *ctx, const struct msg *m, const struct finding *findings, size_t n)
{
    struct pipeline *p = ctx;

    collector_item(p->collector, m, findings, n);
}

static void direct_packet(void *ctx, const struct packet *packet)
{
    struct pipeline *p = ctx;

    batch_packet(&p->batch, p->worker, packet);
}

static void direct_tick(void *ctx, struct stamp now)
{
    struct pipeline *p = ctx;

    batch_flush(&p->batch, p->worker);
    worker_tick(p->worker, now);
    collector_tick(p->collector, now);
    p->tick(p->ctx, now, false);
}

static void direct_pulse(void *ctx, struct stamp now)
{
    struct pipeline *p = ctx;

    batch_flush(&p->batch, p->worker);
    worker_pulse(p->worker, now);
}

/* --- several: the capture thread ------------------------------------------ */

static void snapshot(struct pipeline *p)
{
    pthread_mutex_lock(&p->lock);
    p->snapshot = *ingest_tally(p->ingest);
    p->snapshot.n[TALLY_ring_full_drop] = p->ring_full;
    pthread_mutex_unlock(&p->lock);
}

/* Shards stay together: lane i owns whole virtual shards. */
static void lanes_packet(void *ctx, const struct packet *packet)
{
    struct pipeline *p = ctx;
    unsigned lane = flow_shard(packet->hash) % p->n_lanes;

    if (!lane_packet(p->lanes[lane], ++p->position, packet))
        p->ring_full++;
    atomic_store_explicit(&p->current, p->position, memory_order_release);
}

static void send_tick(struct pipeline *p, struct stamp now)
{
    struct merge_tick *t;
    void *own;
    bool no_memory;
    unsigned times = 0;

    while (!(t = mail_reserve(p->ticks, sizeof *t, &own, &no_memory)) && !no_memory)
        mail_wait(&times);
    if (!t)
        return;
    *t = (struct merge_tick){p->position, now};
    mail_commit(p->ticks, own);
}

static void lanes_tick(void *ctx, struct stamp now)
{
    struct pipeline *p = ctx;

    snapshot(p);
    p->position++;
    for (unsigned i = 0; i < p->n_lanes; i++)
        lane_tick(p->lanes[i], p->position, now);
    send_tick(p, now);
    atomic_store_explicit(&p->current, p->position, memory_order_release);
}

static void lanes_pulse(void *ctx, struct stamp now)
{
    struct pipeline *p = ctx;

    p->position++;
    for (unsigned i = 0; i < p->n_lanes; i++)
        lane_pulse(p->lanes[i], p->position, now);
    atomic_store_explicit(&p->current, p->position, memory_order_release);
}

/* --- several: the collector's thread --------------------------------------- */

static void merged_item(void *ctx, const void *flat)
{
    struct pipeline *p = ctx;
    struct flat_view v;
    struct finding findings[16];
    size_t n = 0;

    flat_read(flat, &v);
    while (n < sizeof findings / sizeof *findings && flat_finding(&v, &findings[n]))
        n++;
    collector_item(p->collector, &v.m, findings, n);
}

static void merged_tick(void *ctx, struct stamp now)
{
    struct pipeline *p = ctx;

    collector_tick(p->collector, now);
    p->tick(p->ctx, now, false);
}

static void *collect(void *ctx)
{
    struct pipeline *p = ctx;
    struct merge_out out = {merged_item, merged_tick, p};
    unsigned times = 0;

    for (;;) {
        bool ended = atomic_load_explicit(&p->ended, memory_order_acquire);
        uint64_t current = atomic_load_explicit(&p->current, memory_order_acquire);

        if (merge_step(p->merge, current, p->ticks, &out))
            times = 0;
        else if (ended)
            return NULL;
        else
            mail_wait(&times);
    }
}

/* --- making and ending ------------------------------------------------------ */

static bool start_lanes(struct pipeline *p, const struct conf *conf, size_t ring_bytes)
{
    p->n_lanes = conf->workers < LANES_MAX ? conf->workers : LANES_MAX;
    for (unsigned i = 0; i < p->n_lanes; i++) {
        p->lanes[i] =
            lane_new(conf, p->n_lanes, collector_wants(p->collector), ring_bytes, p->live);
        if (!p->lanes[i])
            return false;
    }
    p->ticks = ring_new(ring_bytes);
    p->merge = merge_new(p->lanes, p->n_lanes, MERGE_BYTES);
    if (!p->ticks || !p->merge)
        return false;
    for (unsigned i = 0; i < p->n_lanes; i++)
        if (!lane_start(p->lanes[i]))
            return false;
    p->started = pthread_create(&p->thread, NULL, collect, p) == 0;
    return p->started;
}

static bool make(struct pipeline *p, const struct conf *conf, size_t ring_bytes)
{
    struct ingest_out out = {lanes_packet, lanes_tick, lanes_pulse, p};
    struct worker_out say = {.item = direct_item, .ctx = p, .wants = collector_wants(p->collector)};
    uint8_t key[16] = {1}; /* a replay's: the same each time */

    if (p->live && getrandom(key, sizeof key, 0) != sizeof key)
        return false;
    if (conf->workers == 0)
        out = (struct ingest_out){direct_packet, direct_tick, direct_pulse, p};
    p->ingest = ingest_new(conf, key, &out);
    if (!p->ingest)
        return false;
    if (conf->workers > 0)
        return start_lanes(p, conf, ring_bytes > 0 ? ring_bytes : RING_BYTES);
    p->worker = worker_new(conf, 1, false, &say);
    return p->worker != NULL;
}

struct pipeline *pipeline_new(const struct conf *conf, struct collector *collector,
                              size_t ring_bytes, bool live, pipeline_tick_fn *tick, void *ctx)
{
    struct pipeline *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->collector = collector;
    p->live = live;
    p->tick = tick;
    p->ctx = ctx;
    pthread_mutex_init(&p->lock, NULL);
    if (make(p, conf, ring_bytes))
        return p;
    pipeline_free(p);
    return NULL;
}

void pipeline_frame(struct pipeline *p, const struct raw_packet *raw)
{
    ingest_frame(p->ingest, raw);
}

void pipeline_idle(struct pipeline *p, struct stamp now)
{
    if (p->worker)
        batch_flush(&p->batch, p->worker);
    ingest_idle(p->ingest, now.ns);
}

static void finish_lanes(struct pipeline *p, struct stamp now)
{
    if (!p->started)
        return;
    snapshot(p);
    p->position++;
    for (unsigned i = 0; i < p->n_lanes; i++)
        lane_stop(p->lanes[i], p->position, now);
    atomic_store_explicit(&p->current, p->position, memory_order_release);
    for (unsigned i = 0; i < p->n_lanes; i++)
        lane_join(p->lanes[i]);
    atomic_store_explicit(&p->ended, true, memory_order_release);
    pthread_join(p->thread, NULL);
    p->started = false;
}

void pipeline_finish(struct pipeline *p)
{
    struct stamp now = ingest_now(p->ingest);

    if (p->worker) {
        batch_flush(&p->batch, p->worker);
        worker_finish(p->worker, now);
    } else {
        finish_lanes(p, now);
    }
    collector_finish(p->collector, now);
    p->tick(p->ctx, now, true);
}

void pipeline_tally(struct pipeline *p, struct tally *into, size_t *flows)
{
    *into = *collector_tally(p->collector);
    *flows = 0;
    if (p->worker) {
        tally_merge(into, ingest_tally(p->ingest));
        tally_merge(into, worker_tally(p->worker));
        *flows = worker_flows(p->worker);
        return;
    }
    pthread_mutex_lock(&p->lock);
    tally_merge(into, &p->snapshot);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->n_lanes; i++)
        lane_tally(p->lanes[i], into, flows);
}

void pipeline_free(struct pipeline *p)
{
    if (!p)
        return;
    for (unsigned i = 0; i < p->n_lanes; i++)
        lane_free(p->lanes[i]);
    merge_free(p->merge);
    ring_free(p->ticks);
    worker_free(p->worker);
    ingest_free(p->ingest);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
