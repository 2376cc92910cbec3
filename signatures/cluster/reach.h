/* signatures/cluster/reach.h - how far a pattern of keys or channels reaches, as Redis matches it
 * (redis:src/util.c:stringmatchlen). Pure. */
#ifndef CLUSTER_REACH_H
#define CLUSTER_REACH_H

#include "dissectors/msg.h"

enum reach {
    REACH_SOME,    /* what it names, none of it Celery's, as far as names tell */
    REACH_CELERYS, /* a queue, results, or what kombu keeps */
    REACH_ALL,
};

/* Results that are announced, and key events. */
enum reach reach_of_channels(struct bytes pattern);

/* Of a MSG_COMMAND with its arguments: SCAN .. MATCH pattern, other than the `*` that keys.c sees
 * by its length; the patterns of SORT. Asked by the workers, which say so in F_REACH. */
enum reach reach_of_command(const struct msg *m);

#endif
