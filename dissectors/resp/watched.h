/* dissectors/resp/watched.h - commands that are told for the sake of their key: of the many that
 * caches, counters and kombu itself send, those that may be about a queue or what kombu keeps. */
#ifndef DISSECTORS_RESP_WATCHED_H
#define DISSECTORS_RESP_WATCHED_H

#include "dissectors/resp/request.h"

/* Whether a command whose flags ask for it has such a key. It is laid out, unless its flags are
 * among COMMAND_WATCHED_KEYS. */
bool watched_key(const struct request *r);

/* What every worker does to `unacked` and its index with each task is told once in SETTLES_NS of a
 * connection. */
enum watched_turn {
    TURN_NONE,
    TURN_SETTLES, /* HDEL of `unacked` */
    TURN_INDEXES, /* ZADD or ZREM of `unacked_index` */
};

enum watched_turn watched_turn(const struct feed *f, const struct request *r);
/* It is being told now. */
void watched_told(struct feed *f, enum watched_turn turn);

#endif
