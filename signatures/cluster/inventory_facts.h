/* signatures/cluster/inventory_facts.h - single observations about a deployment, each kept once:
 * "on this broker and vhost this origin was seen to publish that task from there". What an
 * inventory and a baseline are put together from.
 *
 * Bounded: FACTS_MAX of each kind, of which one source (the client whose connection showed it)
 * holds at most a sixteenth: a flood of made-up names pushes out its own kind and source, and not
 * those of others. What was seen longest ago goes first, and is counted. Sources whose hashes meet
 * share a sixteenth. One thread; no clock but the times given; memory grows with use. */
#ifndef SIGNATURES_CLUSTER_INVENTORY_FACTS_H
#define SIGNATURES_CLUSTER_INVENTORY_FACTS_H

#include "base/wire.h"

#define FACTS_MAX     65536u /* of each kind */
#define FACT_TEXT_MAX 255u   /* a fact with a longer text is not kept, and counted */

enum fact_kind {
    FACT_BROKER,     /* name, item: software and version of the server */
    FACT_CLIENT,     /* name, item: software and version that a client says it is */
    FACT_USER,       /* name: a user who logged in */
    FACT_QUEUE,      /* name: it carries tasks */
    FACT_IMPORT,     /* name: queue; item: a module that pickles in it import */
    FACT_PRODUCER,   /* name: host of the origin ("": none is written); item: task. No address:
                        seen on the way to a consumer */
    FACT_NODE,       /* name: node of a worker */
    FACT_SOFTWARE,   /* name: node; item: what the worker says it runs */
    FACT_CONSUMER,   /* name: a queue that tasks are asked of or taken from */
    FACT_CONTROLLER, /* item: a command of remote control */
    FACT_SCHEDULER,  /* writes the keys of redbeat */
    FACT_LISTENER,   /* subscribes to celeryev */
    FACT_KINDS,
};

struct fact {
    enum fact_kind kind;
    const char *proto;      /* "amqp", "redis" */
    struct endpoint server; /* the broker */
    uint32_t network;       /* as in struct flow_id */
    struct endpoint who;    /* the client; its port is 0. family 0: not known */
    /* place: vhost, or number of the database; empty: the broker as a whole, or not known. */
    struct bytes place, name, item, user;
    int64_t first_ns, last_ns;
    uint64_t count;
    uint8_t coverage; /* COVER_* of all messages that showed it */
};

/* The one order of facts: kind, broker, place, name, address, item, user. */
int facts_order(const struct fact *a, const struct fact *b);

struct facts;

struct facts *facts_new(size_t max); /* of each kind; NULL: out of memory */
void facts_free(struct facts *f);

/* The times of `seen` count once: first and last are `now`. `source` is whose sixteenth it is. The
 * texts are copied. Out of memory or too long: not kept, counted as lost. */
void facts_note(struct facts *f, const struct fact *seen, uint64_t source, int64_t now);

size_t facts_count(const struct facts *f);
uint64_t facts_evicted(const struct facts *f);
uint64_t facts_lost(const struct facts *f);

/* All of them, in that order. Views, good until the next facts_note(); the array is the caller's,
 * to be freed. NULL: none, or out of memory. */
struct fact *facts_sorted(const struct facts *f, size_t *n);

#endif
