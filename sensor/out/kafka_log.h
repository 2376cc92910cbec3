/* out/kafka_log.h - what librdkafka says, from whichever of its threads, on its way
 * to the sensor's log: a few lines a minute, and never with a credential in them. */
#ifndef OUT_KAFKA_LOG_H
#define OUT_KAFKA_LOG_H

#include <pthread.h>
#include <time.h>

#include "out/kafka_url.h"

struct kafka_log {
    const struct kafka_url *url; /* whose secrets are kept back */
    pthread_mutex_t lock;
    bool starting; /* lines are only remembered: whoever starts tells the last one */
    char last[256];
    time_t minute; /* of the monotonic clock */
    unsigned lines, held_back;
};

bool kafka_log_init(struct kafka_log *l, const struct kafka_url *url);
void kafka_log_free(struct kafka_log *l);
/* level as in syslog(3): up to 4 (warning) is told, the rest is for debugging. */
void kafka_log_line(struct kafka_log *l, int level, const char *text);
void kafka_log_started(struct kafka_log *l); /* ends the time in which lines are only remembered */
void kafka_log_last(struct kafka_log *l, char *last, size_t n); /* the last remembered one */

#endif
