/* signatures/cluster/names.h - what the name of a queue, list, exchange or channel says of its use
 * (kombu:pidbox.py, celery:events/receiver.py, celery:backends/rpc.py). Pure. */
#ifndef SIGNATURES_CLUSTER_NAMES_H
#define SIGNATURES_CLUSTER_NAMES_H

#include "base/bytes.h"

enum name_use {
    NAME_TASKS,   /* as far as the name tells */
    NAME_MAILBOX, /* <node>.celery.pidbox, celery.pidbox */
    NAME_REPLIES, /* <oid>.reply.celery.pidbox, reply.celery.pidbox, and an oid: results by rpc */
    NAME_EVENTS,  /* celeryev.<uuid>, celeryev */
    NAME_KOMBU,   /* unacked, unacked_index, unacked_mutex, _kombu.binding.* */
    NAME_RESULTS, /* celery-task-meta-*, celery-taskset-meta-* */
};

/* Of a queue or list (its priority is ignored), or an exchange. */
enum name_use name_use(struct bytes name);
/* A Redis list's name without the priority that kombu appends. */
struct bytes name_without_priority(struct bytes key);
/* Without a number at its end, and what separates it from the rest: a priority, if kombu was told
 * to use another separator. */
struct bytes name_without_number(struct bytes name);
/* The node of "<node>.<namespace>.pidbox"; empty: none. */
struct bytes name_node(struct bytes mailbox);
/* What a cluster's key, channel, exchange or mailbox (without its node) of events, remote control
 * or bindings is called by that those of others on the same broker are not: the prefix of its keys
 * (kombu:transport/redis.py:GlobalKeyPrefixMixin), of its exchange or that itself, or its
 * namespace. Empty: all is Celery's own. */
struct bytes name_cluster(struct bytes name);

__attribute__((always_inline)) static inline bool name_ends(struct bytes name, const char *end)
{
    size_t n = strlen(end);

    return name.len >= n && memcmp(name.at + name.len - n, end, n) == 0;
}

__attribute__((always_inline)) static inline bool name_starts(struct bytes name, const char *start)
{
    size_t n = strlen(start);

    return name.len >= n && memcmp(name.at, start, n) == 0;
}

#endif
