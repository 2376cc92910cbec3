/* run/worker_parts.h - inside worker only: worker.c follows packets and connections, worker_say.c
 * messages, worker_make.c makes and frees. */
#ifndef RUN_WORKER_PARTS_H
#define RUN_WORKER_PARTS_H

#include "base/arena.h"
#include "dissectors/interpreter.h"
#include "net/flow.h"
#include "net/tcp.h"
#include "run/baseline.h"
#include "run/classify.h"
#include "run/ident.h"
#include "run/unit.h"
#include "run/worker.h"

#define FINDINGS_MAX 16u /* of one message */
#define KINDS        32u /* bits of enum msg_kind */
#define ASKED_MAX    32u /* detectors and interpreters of one kind */

/* Whom a kind of message is shown to, in the order of their tables; NULL at the end. */
struct asked {
    const struct message_detector *detectors[ASKED_MAX + 1];
    const struct interpreter *interpreters[ASKED_MAX + 1];
};

struct worker {
    struct flow_table *flows;
    struct tcp_pool *tcp_pool;
    struct ident_engine *ident;
    struct classifier *classifier;
    struct arena *arena;
    struct worker_out out;
    struct asked asked[KINDS];
    struct baselines *baselines;
    struct policy policy; /* with the baseline that is in use now */
    struct budget budget;
    struct dissect_conf dissect;
    struct unit_counts *units;   /* of the connection being worked on */
    const struct packet *packet; /* the one being worked on; NULL at ticks */
    struct flow **waiting;       /* those in which time ends a wait; NULL: gone since */
    size_t n_waiting, waiting_cap;
    struct finding findings[FINDINGS_MAX];
    size_t n_findings;
    struct tally tally;
};

/* What the worker, and nobody else, hangs on each flow. */
struct conn {
    struct tcp tcp;
    struct ident ident;
    const struct dissector *proto; /* NULL until identified */
    void *state;
    struct conn_info info;
    struct unit_counts units; /* a unit may go on for many packets, with those of others between */
    bool reversed;
    bool anomaly_said;
    bool closed_said;
    bool seen[2];     /* data, by direction after reversal */
    uint32_t waiting; /* its place among the worker's, from 1; 0: none */
    uint32_t lost_ms; /* when it was last said that bytes are missing; 0: never */
};

struct path {
    struct worker *w;
    struct flow *flow;
    struct conn *conn;
    unsigned depth; /* messages read out of messages */
};

/* A message of the wire, or (interpret) one that was read out of another; ctx is a struct path. */
void worker_says(void *ctx, const struct msg *m);
void worker_interpret(void *ctx, const struct msg *said);

/* flow_end_fn: the one way out for every flow, however it ends. */
void worker_flow_gone(void *ctx, struct flow *flow, void *user, enum flow_end why);

#endif
