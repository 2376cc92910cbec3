/* run/ingest.h - one frame to zero or one whole, innermost packet with its flow
 * hash; and the sensor's clock, which is the capture's. */
#ifndef RUN_INGEST_H
#define RUN_INGEST_H

#include "base/tally.h"
#include "net/packet.h"
#include "run/conf.h"

/* A packet, or (tick) the news that a second of packet time has passed: `at->ns` is
 * then the clock, and at->ordinal that of the packet that moved it, which comes next. */
#define PULSE_NS (10 * INT64_C(1000000))

struct ingest_out {
    void (*packet)(void *ctx, const struct packet *p);
    void (*tick)(void *ctx, struct stamp now);
    void (*pulse)(void *ctx, struct stamp now); /* as tick, after PULSE_NS, and after a tick */
    void *ctx;
};

struct ingest;

struct ingest *ingest_new(const struct conf *conf, const uint8_t hash_key[16],
                          const struct ingest_out *out);
void ingest_frame(struct ingest *i, const struct raw_packet *raw);
/* Live, while no packet comes: the machine's clock moves the sensor's. */
void ingest_idle(struct ingest *i, int64_t now_ns);
struct stamp ingest_now(const struct ingest *i); /* the clock and the last ordinal */
const struct tally *ingest_tally(const struct ingest *i);
void ingest_free(struct ingest *i);

#endif
