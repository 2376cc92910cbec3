/* run/facts_index.h - the facts of an inventory in their order, and which of them concern one
 * address or one worker: for the inventory and for learning. A worker's queues and its name come on
 * different connections: they belong together by address, so that of several nodes at one address
 * each has the queues of all. */
#ifndef RUN_FACTS_INDEX_H
#define RUN_FACTS_INDEX_H

#include "base/hash.h"
#include "base/lru.h"
#include "signatures/cluster/inventory_facts.h"

struct facts_index {
    struct fact *all; /* sorted */
    size_t n;
    size_t from[FACT_KINDS + 1]; /* where each kind begins */
    struct fact **consumers;     /* by facts_at() */
    size_t n_consumers;
    struct lru *takers; /* facts_host() of whoever is a node or takes tasks */
};

/* false: no memory; to be closed all the same. Views, as in facts_sorted(). */
bool facts_index_open(struct facts_index *x, const struct facts *facts);
void facts_index_close(struct facts_index *x);

/* Keys: of an address; of a broker and place; of an address there. */
uint64_t facts_host(const struct endpoint *who);
uint64_t facts_scope(const struct fact *f);
uint64_t facts_at(const struct fact *f);

/* The queues that tasks are taken from at the broker, place and address of f. */
struct fact **facts_consumed(const struct facts_index *x, const struct fact *f, size_t *n);
/* What the worker of this FACT_NODE says it runs. */
const struct fact *facts_software(const struct facts_index *x, const struct fact *node, size_t *n);
bool facts_takes(const struct facts_index *x, const struct fact *f);

#define FACTS_EACH(x, f, kind)                                                                    \
    for (const struct fact *f = (x)->all + (x)->from[kind]; f < (x)->all + (x)->from[(kind) + 1]; \
         f++)

#endif
