/* run/unit.h - the index of a finding or record among its like in one unit of the
 * wire: part of event.id (detections.md 3). */
#ifndef RUN_UNIT_H
#define RUN_UNIT_H

#include <stdlib.h>

#include "dissectors/msg.h"

#define UNIT_KINDS 8u

enum { UNIT_OWN = 2 }; /* kinds without memory of their own: few units say more */

/* Every connection has one: it is kept small. */
struct unit_counts {
    uint64_t serial, offset;
    const void *what[UNIT_OWN]; /* a rule's row, or an action's literal */
    struct unit_more *more;     /* NULL: no more than UNIT_OWN */
    uint16_t count[UNIT_OWN];
    uint8_t dir, n;
};

struct unit_more {
    const void *what[UNIT_KINDS - UNIT_OWN];
    uint16_t count[UNIT_KINDS - UNIT_OWN];
};

/* Of a zeroed one nothing need be freed. */
static inline void unit_free(struct unit_counts *u)
{
    free(u->more);
    u->more = NULL;
}

static inline const void **unit_what(struct unit_counts *u, unsigned i)
{
    return i < UNIT_OWN ? &u->what[i] : &u->more->what[i - UNIT_OWN];
}

static inline uint16_t *unit_count(struct unit_counts *u, unsigned i)
{
    return i < UNIT_OWN ? &u->count[i] : &u->more->count[i - UNIT_OWN];
}

static inline void unit_begin(struct unit_counts *u, const struct msg *m)
{
    u->serial = m->conn->id.serial;
    u->offset = m->offset;
    u->dir = (uint8_t)m->dir;
    u->n = 0;
    unit_free(u);
}

/* How many of `what` this unit had before this one. Beyond UNIT_KINDS different ones in a
 * unit the last slot is shared (without memory, that of UNIT_OWN). */
static inline uint16_t unit_index(struct unit_counts *u, const struct msg *m, const void *what)
{
    unsigned most = UNIT_KINDS;

    if (u->serial != m->conn->id.serial || u->offset != m->offset || u->dir != m->dir)
        unit_begin(u, m);
    if (u->n == UNIT_OWN && !u->more && *unit_what(u, 0) != what && *unit_what(u, 1) != what)
        u->more = calloc(1, sizeof *u->more);
    if (u->n == UNIT_OWN && !u->more)
        most = UNIT_OWN;
    for (unsigned i = 0; i < u->n; i++)
        if (*unit_what(u, i) == what || i == most - 1)
            return (*unit_count(u, i))++;
    *unit_what(u, u->n) = what;
    *unit_count(u, u->n) = 1;
    u->n++;
    return 0;
}

#endif
