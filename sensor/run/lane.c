/* run/lane.c - a worker's thread. */
#include "run/lane.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "run/mail.h"
#include "signatures/flat.h"

enum job_kind { JOB_PACKET, JOB_TICK, JOB_PULSE, JOB_STOP };

/* A packet's bytes follow: from its IP header when there is a payload to dissect. */
struct job {
    enum job_kind kind;
    uint64_t position;
    struct stamp now;
    struct packet packet;
    size_t payload_at, l3_len;
};

struct lane {
    struct ring *jobs, *items;
    struct worker *worker;
    pthread_t thread;
    bool live, started;
    uint64_t position, seq; /* of the job in hand */
    atomic_ullong done;
    pthread_mutex_t lock; /* of the snapshot */
    struct tally snapshot;
    size_t flows;
};

static void say(void *ctx, const struct msg *m, const struct finding *findings, size_t n)
{
    struct lane *l = ctx;
    size_t size = sizeof(struct lane_item) + flat_size(m, findings, n);
    struct lane_item *to;
    void *own;
    bool no_memory;
    unsigned times = 0;

    while (!(to = mail_reserve(l->items, size, &own, &no_memory)) && !no_memory)
        mail_wait(&times);
    if (!to)
        return;
    *to = (struct lane_item){l->position, m->conn->id.serial, l->seq++};
    flat_write(to + 1, m, findings, n);
    mail_commit(l->items, own);
}

struct lane *lane_new(const struct conf *conf, unsigned share, unsigned wants, size_t ring_bytes,
                      bool live)
{
    struct lane *l = calloc(1, sizeof *l);
    struct worker_out out = {.item = say, .ctx = l, .wants = wants};

    if (!l)
        return NULL;
    l->live = live;
    l->jobs = ring_new(ring_bytes);
    l->items = ring_new(ring_bytes);
    l->worker = worker_new(conf, share, true, &out);
    pthread_mutex_init(&l->lock, NULL);
    if (l->jobs && l->items && l->worker)
        return l;
    lane_free(l);
    return NULL;
}

void lane_free(struct lane *l)
{
    if (!l)
        return;
    ring_free(l->jobs);
    ring_free(l->items);
    worker_free(l->worker);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* The packet with its views moved onto the copy behind the job. */
static struct packet unpack(const struct job *j, struct bytes record)
{
    struct packet p = j->packet;
    struct bytes tail = record;

    bytes_cut(&tail, sizeof *j);
    p.l3 = bytes_head(tail, j->l3_len);
    bytes_cut(&tail, j->payload_at);
    p.payload = bytes_head(tail, p.payload.len);
    return p;
}

static void take_snapshot(struct lane *l)
{
    pthread_mutex_lock(&l->lock);
    l->snapshot = *worker_tally(l->worker);
    l->flows = worker_flows(l->worker);
    pthread_mutex_unlock(&l->lock);
}

static bool work(struct lane *l, struct bytes record)
{
    const struct job *j = (const void *)record.at;

    l->position = j->position;
    if (j->kind == JOB_PACKET) {
        struct packet p = unpack(j, record);

        worker_packet(l->worker, &p);
        return true;
    }
    if (j->kind == JOB_PULSE) {
        worker_pulse(l->worker, j->now);
        return true;
    }
    if (j->kind == JOB_TICK)
        worker_tick(l->worker, j->now);
    else
        worker_finish(l->worker, j->now);
    take_snapshot(l);
    return j->kind != JOB_STOP;
}

/* Memory is slow: what a batch of packets will touch is asked for before the first is worked on. */
static void prefetch(struct lane *l, const struct bytes *records, size_t n)
{
    uint64_t hash[MAIL_BATCH];
    size_t k = 0;

    for (size_t i = 0; i < n; i++) {
        const struct job *j = (const void *)records[i].at;

        if (j->kind == JOB_PACKET)
            hash[k++] = j->packet.hash;
    }
    worker_prefetch(l->worker, hash, k);
}

static void *run(void *ctx)
{
    struct lane *l = ctx;
    struct bytes records[MAIL_BATCH];
    unsigned times = 0;
    bool go = true;

    while (go) {
        size_t n = mail_peek_many(l->jobs, records);

        if (n == 0) {
            mail_wait(&times);
            continue;
        }
        times = 0;
        prefetch(l, records, n);
        for (size_t i = 0; i < n; i++) {
            go = work(l, records[i]);
            atomic_store_explicit(&l->done, l->position, memory_order_release);
        }
        mail_drop_many(l->jobs, n);
    }
    return NULL;
}

bool lane_start(struct lane *l)
{
    l->started = pthread_create(&l->thread, NULL, run, l) == 0;
    return l->started;
}

void lane_join(struct lane *l)
{
    if (l->started)
        pthread_join(l->thread, NULL);
    l->started = false;
}

static struct job *reserve(struct lane *l, size_t n, bool wait, void **own)
{
    struct job *j;
    bool no_memory;
    unsigned times = 0;

    while (!(j = mail_reserve(l->jobs, n, own, &no_memory)) && wait && !no_memory)
        mail_wait(&times);
    return j;
}

bool lane_packet(struct lane *l, uint64_t position, const struct packet *p)
{
    bool whole = p->payload.len > 0;
    struct bytes bytes = whole ? p->l3 : (struct bytes){0};
    void *own;
    struct job *j = reserve(l, sizeof *j + bytes.len, !l->live, &own);

    if (!j)
        return false;
    *j = (struct job){.kind = JOB_PACKET, .position = position, .packet = *p, .l3_len = bytes.len};
    if (whole) {
        j->payload_at = (size_t)(p->payload.at - p->l3.at);
        memcpy(j + 1, bytes.at, bytes.len);
    }
    mail_commit(l->jobs, own);
    return true;
}

static void order(struct lane *l, enum job_kind kind, uint64_t position, struct stamp now)
{
    void *own;
    struct job *j = reserve(l, sizeof *j, true, &own);

    if (!j)
        return;
    *j = (struct job){.kind = kind, .position = position, .now = now};
    mail_commit(l->jobs, own);
}

void lane_tick(struct lane *l, uint64_t position, struct stamp now)
{
    order(l, JOB_TICK, position, now);
}

void lane_pulse(struct lane *l, uint64_t position, struct stamp now)
{
    order(l, JOB_PULSE, position, now);
}

void lane_stop(struct lane *l, uint64_t position, struct stamp now)
{
    order(l, JOB_STOP, position, now);
}

uint64_t lane_done(struct lane *l, uint64_t current)
{
    bool idle = ring_used(l->jobs) == 0;
    uint64_t done = atomic_load_explicit(&l->done, memory_order_acquire);

    return idle && current > done ? current : done;
}

struct ring *lane_items(struct lane *l)
{
    return l->items;
}

void lane_tally(struct lane *l, struct tally *into, size_t *flows)
{
    pthread_mutex_lock(&l->lock);
    tally_merge(into, &l->snapshot);
    *flows += l->flows;
    pthread_mutex_unlock(&l->lock);
}
