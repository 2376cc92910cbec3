/* run/lane.h - one worker in a thread of its own, between two rings: packets and
 * ticks in, messages with their findings out. */
#ifndef RUN_LANE_H
#define RUN_LANE_H

#include "base/ring.h"
#include "net/packet.h"
#include "run/conf.h"
#include "run/worker.h"

/* What a lane says. Its place in the one order of the sensor: position of the packet
 * or tick, then the flow's serial, then `seq`. */
struct lane_item {
    uint64_t position, serial, seq;
    /* A flat message (signatures/flat.h) follows. */
};

struct lane;

struct lane *lane_new(const struct conf *conf, unsigned share, unsigned wants, size_t ring_bytes,
                      bool live);
bool lane_start(struct lane *l);
void lane_free(struct lane *l); /* after lane_join() */

/* Capture thread. A packet is copied; false: the ring was full and this is live. */
bool lane_packet(struct lane *l, uint64_t position, const struct packet *p);
void lane_tick(struct lane *l, uint64_t position, struct stamp now);
void lane_pulse(struct lane *l, uint64_t position, struct stamp now);
void lane_stop(struct lane *l, uint64_t position,
               struct stamp now); /* ends every flow, then the thread */
void lane_join(struct lane *l);

/* Collector thread. All that this lane has to say up to the result is in its ring already;
 * `current` is the capture's own position, read before. */
uint64_t lane_done(struct lane *l, uint64_t current);
struct ring *lane_items(struct lane *l);

/* The counters as of the last tick; any thread. */
void lane_tally(struct lane *l, struct tally *into, size_t *flows);

#endif
