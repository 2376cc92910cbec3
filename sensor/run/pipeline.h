/* run/pipeline.h - threads and rings, and nothing about protocols.
 *
 *   capture thread: ingest (decode, defrag, decode, hash)
 *        | ring i                                    (0 workers: a plain call)
 *   worker thread i: worker_packet() -> messages, findings
 *        | ring i
 *   collector thread: merge by (position, flow serial) -> collector
 */
#ifndef RUN_PIPELINE_H
#define RUN_PIPELINE_H

#include "net/packet.h"
#include "run/collect.h"
#include "run/conf.h"

/* Called in the collector's thread (0 workers: in the only one) at every tick of packet
 * time and, with last set, at the end, after the collector: for statistics and polling. */
typedef void pipeline_tick_fn(void *ctx, struct stamp now, bool last);

struct pipeline;

/* collector: the caller's, used by the pipeline's threads until pipeline_finish(). ring_bytes: 0
 * for the default. NULL: no memory, or threads could not be made. */
struct pipeline *pipeline_new(const struct conf *conf, struct collector *collector,
                              size_t ring_bytes, bool live, pipeline_tick_fn *tick, void *ctx);
void pipeline_frame(struct pipeline *p, const struct raw_packet *raw);
void pipeline_idle(struct pipeline *p, struct stamp now); /* live, when no packet comes */
void pipeline_finish(struct pipeline *p);                 /* ends every flow, drains, joins */
/* Counters of ingest, workers and collector. In the tick function, or after pipeline_finish(). */
void pipeline_tally(struct pipeline *p, struct tally *into, size_t *flows);
void pipeline_free(struct pipeline *p);

#endif
