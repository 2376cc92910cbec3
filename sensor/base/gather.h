/* base/gather.h - collect a small fixed-size unit that may straddle chunks.
 *
 * For frame headers. The unit is a view into the input when it was not split
 * (no copy), else into `held`. */
#ifndef BASE_GATHER_H
#define BASE_GATHER_H

#include "base/bytes.h"

struct gather {
    uint8_t held[16];
    uint8_t have;
};

static inline bool gather(struct gather *g, struct bytes *in, size_t want, struct bytes *unit)
{
    if (g->have == 0 && in->len >= want) {
        *unit = bytes_cut(in, want);
        return true;
    }
    if (want > sizeof g->held)
        return false;
    struct bytes more = bytes_cut(in, want - g->have);
    if (more.len > 0)
        memcpy(g->held + g->have, more.at, more.len);
    g->have = (uint8_t)(g->have + more.len);
    if (g->have < want)
        return false;
    *unit = bytes_of(g->held, want);
    g->have = 0;
    return true;
}

#endif
