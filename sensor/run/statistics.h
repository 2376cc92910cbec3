/* run/statistics.h - the sensor about itself: records of statistics, SIGUSR1, and
 * the summary that a person at a terminal sees at the end. */
#ifndef RUN_STATISTICS_H
#define RUN_STATISTICS_H

#include "net/capture.h"
#include "run/pipeline.h"

struct statistics;

/* All but *conf are the caller's and outlive it. capture: live, for its drop counters; else NULL.
 */
struct statistics *statistics_new(const struct conf *conf, struct encoder *encoder,
                                  struct outputs *outputs, const struct collector *collector,
                                  struct capture *capture);
void statistics_free(struct statistics *s);
/* Once a second of packet time, in the collector's thread: writes a record when its time has come,
 * at the end, and when asked by signal. Also reopens outputs when asked. */
void statistics_tick(struct statistics *s, struct pipeline *p, struct stamp now, bool last);
/* SIGUSR1 while no packet comes, in the thread that owns the pipeline of one. */
void statistics_asked(struct pipeline *p);
/* After the end: what was found, for a person; only on a terminal. */
void statistics_summary(struct statistics *s, struct pipeline *p);

#endif
