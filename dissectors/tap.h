/* dissectors/tap.h - who reads a body to its end when it is larger than what is kept of it.
 *
 * A dissector keeps the head of a body (dissect_conf.max_body). What does not fit there is not
 * lost to inspection: from the first byte that is not kept, the body goes through a tap, which
 * gets the head first. What taps look for, dissectors do not know: the worker hands the door in,
 * and finds its own tap again in the content that is emitted (content.tap).
 *
 * Who began a tap ends it, after the message was emitted or when the body is given up. */
#ifndef DISSECTORS_TAP_H
#define DISSECTORS_TAP_H

#include "base/bytes.h"

struct tap; /* the worker's */

struct taps {
    /* Never NULL: one that was refused takes everything and finds nothing. `compression`: as
     * declared, where that is known before the body; good until begin() returns. */
    struct tap *(*begin)(void *ctx, struct bytes compression);
    void (*feed)(struct tap *t, struct bytes piece);
    /* What follows is missing: nothing more is fed, and what was seen is a head. */
    void (*cut)(struct tap *t);
    void (*end)(struct tap *t);
    void *ctx;
};

/* `rest` of a body was not kept, `kept` is what was, all of it before the first rest. taps NULL:
 * there are none. */
static inline void tap_add(const struct taps *taps, struct tap **tap, struct bytes compression,
                           struct bytes kept, struct bytes rest)
{
    if (!taps || rest.len == 0)
        return;
    if (!*tap) {
        *tap = taps->begin(taps->ctx, compression);
        taps->feed(*tap, kept);
    }
    taps->feed(*tap, rest);
}

static inline void tap_cut(const struct taps *taps, struct tap *tap)
{
    if (tap)
        taps->cut(tap);
}

static inline void tap_end(const struct taps *taps, struct tap **tap)
{
    if (*tap)
        taps->end(*tap);
    *tap = NULL;
}

#endif
