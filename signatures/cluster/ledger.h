/* signatures/cluster/ledger.h - what became of each task: who published it, who took it, whether
 * it ended. Bounded: at most `max` tasks, of which one source (the publisher; of a task whose
 * publish was not seen, the first taker) holds at most a sixteenth, so that a flood of made-up ids
 * pushes out its own and not those of others. Sources whose hashes meet share a sixteenth. One
 * thread; no clock but the times given. */
#ifndef SIGNATURES_CLUSTER_LEDGER_H
#define SIGNATURES_CLUSTER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEDGER_TAKERS 4u

struct ledger_task {
    uint64_t id, scope;             /* hash of the task id; topology_scope() */
    uint64_t server;                /* hash of the broker's address */
    uint64_t publisher;             /* crew_host_id(); 0: its publish was not seen */
    uint64_t takers[LEDGER_TAKERS]; /* the last ones; 0: none */
    uint64_t parent, root;          /* hashes of their ids; 0: none, or the task itself */
    uint64_t accused;               /* of what this task was told last */
    int64_t first_ns;               /* the earliest that was seen of it */
    int64_t seen_ns;                /* last */
    int64_t taken_ns;               /* last; 0: not seen to be taken */
    bool ended, revoked;            /* a final state was seen; a revoke named it */
    bool cut;                       /* seen in part: whether it has a parent is not known */
    bool retried;   /* so was its first publish that was seen, or in its own place */
    bool delivered; /* it was seen to be, and not only in `unacked` */
    bool kept;      /* there, since it was delivered last */
};

struct ledger;

struct ledger *ledger_new(size_t max); /* NULL: out of memory */
void ledger_free(struct ledger *l);

/* The task with that id on that broker and vhost or database; NULL: not known, or not seen for a
 * day. Good until the next ledger_put(). */
struct ledger_task *ledger_find(struct ledger *l, uint64_t id, uint64_t scope, int64_t now);
/* With that id on whichever broker, the one that was put last. */
struct ledger_task *ledger_find_any(struct ledger *l, uint64_t id, int64_t now);
/* A task that ledger_find() does not know. NULL: out of memory. */
struct ledger_task *ledger_put(struct ledger *l, uint64_t id, uint64_t scope, uint64_t source,
                               int64_t now);

bool ledger_took(const struct ledger_task *t, uint64_t host);
/* The same of every task with that id, on whichever broker: mid-stream, the vhost is not known. */
bool ledger_took_any(struct ledger *l, uint64_t id, uint64_t host, int64_t now);
void ledger_take(struct ledger_task *t, uint64_t host, int64_t now);

size_t ledger_count(const struct ledger *l);
uint64_t ledger_evicted(const struct ledger *l); /* forgotten for want of room */

#endif
