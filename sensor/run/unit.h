/* run/unit.h - the index of a finding or record among its like in one unit of the
 * wire: part of event.id (detections.md 3). */
#ifndef RUN_UNIT_H
#define RUN_UNIT_H

#include "dissectors/msg.h"

#define UNIT_KINDS 8u

struct unit_counts {
    uint64_t serial, offset;
    enum dir dir;
    unsigned n;
    struct {
        const void *what; /* a rule's row, or an action's literal */
        uint16_t count;
    } kinds[UNIT_KINDS];
};

/* How many of `what` this unit had before this one. Beyond UNIT_KINDS different ones in a
 * unit the last slot is shared. */
static inline uint16_t unit_index(struct unit_counts *u, const struct msg *m, const void *what)
{
    if (u->serial != m->conn->id.serial || u->offset != m->offset || u->dir != m->dir) {
        u->serial = m->conn->id.serial;
        u->offset = m->offset;
        u->dir = m->dir;
        u->n = 0;
    }
    for (unsigned i = 0; i < u->n; i++)
        if (u->kinds[i].what == what || i == UNIT_KINDS - 1)
            return u->kinds[i].count++;
    u->kinds[u->n].what = what;
    u->kinds[u->n].count = 1;
    u->n++;
    return 0;
}

#endif
