/* signatures/cluster/crew.h - who does what on a broker, by address: publishes tasks, takes them,
 * opens a mailbox, announces itself; and which queues carry tasks. Shared by the detectors of
 * deployment.c. Addresses, not connections: Celery spreads one process over several. */
#ifndef SIGNATURES_CLUSTER_CREW_H
#define SIGNATURES_CLUSTER_CREW_H

#include "base/lru.h"
#include "dissectors/msg.h"

/* When this address was last seen doing it, on one broker and vhost or database; 0: never. */
struct host {
    uint64_t id;
    int64_t first;
    int64_t published; /* a task */
    int64_t took;      /* a task */
    int64_t consumes;  /* asked for tasks: basic.consume, basic.get, BRPOP, or took one */
    int64_t mailbox;   /* opened one that is told of no node by name */
    int64_t announced; /* sent a worker-* event, opened or answered from a mailbox */
    int64_t alive;     /* sent a worker-* event */
    int64_t worked;    /* stored or sent a result, or said what became of a task */
    int64_t keeps;     /* put a task among those taken, in `unacked` */
    int64_t restores;  /* asked for the lock under which tasks are put back from `unacked` */
    int64_t restored;  /* put a task back on its queue */
    int64_t settled;   /* took tasks off `unacked`, as far as it was told of: F_SETTLES */
    uint32_t names;    /* of tasks that it was the first to bring in: hidden.c */
    bool partial;      /* some of what it did was seen in part only: mid-stream, one way, a gap */
    bool one_way;      /* some connection of its was seen one way only */
    uint8_t known;     /* what crew.workers has of it */
};

struct queue {
    uint64_t declarer; /* crew_host_id(): who declared it first */
    uint64_t loud[2];  /* two addresses that take tasks from it and announce themselves */
    uint64_t keeper;   /* an address that keeps what it takes from it in `unacked` */
    bool tasks;        /* a task passed through it, or it was consumed by who takes tasks */
};

struct crew {
    struct lru *hosts, *queues;
    struct lru *workers; /* addresses of crew_works(), _takes(), _partial(), _one_way() */
    struct lru *lost;    /* of crew_lost() */
    int64_t begin;       /* the first message of all */
};

bool crew_open(struct crew *c);
void crew_close(struct crew *c);

/* The client's address: the same on every broker. */
uint64_t crew_host_id(const struct msg *m);
/* NULL: out of memory. Good until the next call. */
struct host *crew_host(struct crew *c, const struct msg *m);
/* On whichever broker, this address publishes or takes tasks, or was seen in part only. */
bool crew_works(struct crew *c, uint64_t host);
/* Likewise, it takes tasks, or says or shows itself to be a worker. */
bool crew_takes(struct crew *c, uint64_t host);
/* Likewise, some of what it did was seen in part only: of a connection that was there before us the
 * database is not known. */
bool crew_partial(struct crew *c, uint64_t host);
/* Likewise, some connection of its was seen one way only. */
bool crew_one_way(struct crew *c, uint64_t host);
/* When bytes of one of its connections, to whichever broker, were last lost; 0: never. */
int64_t crew_lost(const struct crew *c, uint64_t host);
/* Who has that id on the broker of m; NULL: nobody known. */
struct host *crew_find(struct crew *c, const struct msg *m, uint64_t host);
struct host *crew_find_in(struct crew *c, uint64_t scope, uint64_t host);
/* Of the broker and vhost or database of m; the priority of a list is ignored. */
struct queue *crew_queue(struct crew *c, const struct msg *m, struct bytes name);
bool crew_is_task_queue(struct crew *c, const struct msg *m, struct bytes name);
/* Celery was seen to use that vhost or database. */
bool crew_is_celerys(struct crew *c, const struct msg *m);
/* The name of the queue that a task message is about; empty: not known. */
struct bytes crew_queue_of(const struct msg *m);

/* Learns. */
void crew_note(struct crew *c, const struct msg *m);
void crew_note_lost(struct crew *c, const struct msg *m); /* of a MSG_LOST */

#endif
