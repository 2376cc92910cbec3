/* run/worker.h - one shard: all that happens to a packet, in order, in one
 * thread. Has no idea of threads; whoever calls it supplies them, or not. */
#ifndef RUN_WORKER_H
#define RUN_WORKER_H

#include "base/tally.h"
#include "net/packet.h"
#include "run/conf.h"
#include "signatures/detector.h"

/* What a shard says: a message that the collector wants, with what the message
 * detectors found in it. Views are good until the call returns. */
#define WORKER_EVERY_COMMAND (1u << 31) /* beside the kinds of `wants`: --emit commands */

struct worker_out {
    void (*item)(void *ctx, const struct msg *m, const struct finding *findings, size_t n);
    void *ctx;
    unsigned wants; /* kinds that the collector takes even when nothing was found in them */
};

struct worker;

/* share: how many workers divide the totals of conf->limits; ndpi_now: see ident.h. */
struct worker *worker_new(const struct conf *conf, unsigned share, bool ndpi_now,
                          const struct worker_out *out);
/* Of packets that come next, a small batch: hints to the memory, where it pays. */
void worker_prefetch(const struct worker *w, const uint64_t *hash, size_t n);
bool worker_prefetch_pays(const struct worker *w);
void worker_packet(struct worker *w, const struct packet *p);
void worker_tick(struct worker *w, struct stamp now);
void worker_pulse(struct worker *w, struct stamp now);  /* hundreds a second, if need be */
void worker_finish(struct worker *w, struct stamp now); /* ends every flow */
const struct tally *worker_tally(const struct worker *w);
size_t worker_flows(const struct worker *w); /* open now */
void worker_free(struct worker *w);

#endif
