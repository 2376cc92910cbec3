/* run/clock.h - the sensor's clock: the largest packet time seen. A jump of more
 * than an hour forward counts once 16 packets in a row agree, so that one damaged
 * time stamp does not end every flow. */
#ifndef RUN_CLOCK_H
#define RUN_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_JUMP_NS (3600 * INT64_C(1000000000))
#define CLOCK_AGREE   16u
#define CLOCK_SECOND  INT64_C(1000000000)

struct clock {
    int64_t now, next_tick, ahead;
    unsigned agree;
    bool started, backwards; /* the last packet was older than the clock */
};

/* The time of the next packet; true: at least one second has passed since the last tick. */
static inline bool clock_see(struct clock *c, int64_t ns)
{
    c->backwards = c->started && ns < c->now;
    if (!c->started) {
        c->started = true;
        c->now = ns;
        c->next_tick = ns + CLOCK_SECOND;
        return false;
    }
    if (ns <= c->now) {
        c->agree = 0;
        return false;
    }
    if (ns - c->now > CLOCK_JUMP_NS) {
        bool near = c->agree > 0 && ns - c->ahead < CLOCK_JUMP_NS && c->ahead - ns < CLOCK_JUMP_NS;

        c->agree = near ? c->agree + 1 : 1;
        c->ahead = ns;
        if (c->agree < CLOCK_AGREE)
            return false;
    }
    c->agree = 0;
    c->now = ns;
    if (ns < c->next_tick)
        return false;
    c->next_tick = ns + CLOCK_SECOND;
    return true;
}

#endif
