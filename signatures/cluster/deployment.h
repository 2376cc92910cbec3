/* signatures/cluster/deployment.h - what is known of the Celery deployments that were seen, shared
 * by the detectors of who sent what. One registered detector (deployment.c) keeps it and asks them
 * in turn, each with the facts that were true before the message. */
#ifndef SIGNATURES_CLUSTER_DEPLOYMENT_H
#define SIGNATURES_CLUSTER_DEPLOYMENT_H

#include "signatures/cluster/crew.h"
#include "signatures/cluster/ledger.h"
#include "signatures/cluster/nodes.h"
#include "signatures/detector.h"

struct baseline;
struct origin;

struct deployment {
    struct crew crew;
    struct ledger *ledger;
    struct nodes *nodes;
    struct control *control;
    struct consumers *consumers;
    struct swallowed *swallowed;
    struct schedule *schedule;
    struct waiting *unacked; /* of unacked.c */
    struct waiting *doubted; /* of forged.c */
    struct waiting *late;    /* of late.c */
    struct lru *bindings;    /* of tap.c */
    struct lru *ways;        /* of ways.c */
    struct lru *names;       /* of hidden.c */
    struct lru *producers;   /* of flood.c */
    struct origins *origins;
    struct lru *claims; /* of claims.c */
    struct belongs *belongs;
    struct lru *answers; /* of handcrafted.c */
    struct lru *scripts; /* of scripts.c */
    struct lru *readers; /* of results_read.c */
};

/* Whether a MSG_COMMAND is one that the detectors learn from: asked by the workers, so that the
 * many others never cross to the collector. */
bool deployment_wants_command(const struct msg *m);

/* tasks.c: fills the ledger; task-replayed. */
void tasks_note(struct deployment *d, const struct msg *m, const struct detect_out *out);
uint64_t tasks_id(struct bytes id); /* of a task, for the ledger */
/* Bytes that came to this host, which takes tasks, were lost since the task was last seen, or none
 * of them are seen: its delivery may have been among them. */
bool tasks_may_have_taken(struct deployment *d, const struct ledger_task *t, uint64_t host);
/* The task's publish was not seen, and this host was there before we looked. */
bool tasks_is_from_before(struct deployment *d, const struct msg *m, const struct ledger_task *t,
                          uint64_t host);
/* The host of the task's broker goes by the same address where m is: on the same server, or on that
 * of the results, which may be in another network. */
bool tasks_goes_by_it(struct deployment *d, const struct msg *m, const struct ledger_task *t,
                      uint64_t host);
/* A task message that brings a task in: published, or called restored by who cannot have had it. */
bool tasks_is_published(struct deployment *d, const struct msg *m);

/* forged.c: result-forged; told of results. */
struct waiting *forged_new(void);
void forged_note(struct deployment *d, const struct msg *m, const struct detect_out *out);
void forged_tick(struct deployment *d, struct stamp now, const struct detect_out *out);
void forged_finish(struct deployment *d, const struct detect_out *out);

/* late.c: emits a finding about a task that its client never took; of a client that takes tasks a
 * second later, unless it turns out that bytes to it were lost. */
struct waiting *late_new(void);
void late_say(struct deployment *d, const struct msg *m, struct finding *f,
              const struct detect_out *out);
/* Bytes to that host were lost about when m came, or since. */
bool late_excuses(struct deployment *d, const struct msg *m, uint64_t host);
void late_tick(struct deployment *d, struct stamp now, const struct detect_out *out);
void late_finish(struct deployment *d, const struct detect_out *out);

/* handcrafted.c: task-handcrafted. */
struct lru *handcrafted_new(void);
void handcrafted_note(struct deployment *d, const struct msg *m, const struct detect_out *out);

/* hidden.c: task-hidden-name. */
struct lru *hidden_new(void);
/* A task of Celery's own that carries others: what it carries is judged there. */
bool hidden_carries(struct bytes name);
void hidden_note(struct deployment *d, const struct msg *m, const struct detect_out *out);

/* flood.c: task-flood. */
struct lru *flood_new(void);
void flood_note(struct deployment *d, const struct msg *m, const struct detect_out *out);

/* swallowed.c: task-swallowed. */
struct swallowed *swallowed_new(void);
void swallowed_free(struct swallowed *s);
void swallowed_note(struct deployment *d, const struct msg *m, const struct detect_out *out);
void swallowed_tick(struct deployment *d, struct stamp now, const struct detect_out *out);

/* schedule.c: redis-schedule-tamper. */
struct schedule *schedule_new(void);
void schedule_free(struct schedule *s);
/* Whether an envelope is one that it learns from; of what is written under a schedule's entry, the
 * name of the task (as it is written; a view into the content). */
bool schedule_wants(const struct msg *m);
bool schedule_wants_command(const struct msg *m);
struct bytes schedule_task(const struct msg *m);
/* Whether a command writes over beat's lock, whoever has it: asked by the workers, which have its
 * arguments, and then say so in F_SEIZES. */
bool schedule_seizes(const struct msg *m);
void schedule_note(struct deployment *d, const struct msg *m, const struct detect_out *out);
void schedule_tick(struct deployment *d, struct stamp now, const struct detect_out *out);
void schedule_finish(struct deployment *d, const struct detect_out *out);

/* unacked.c: redis-queue-tamper of tasks that were taken. */
struct waiting *unacked_new(void);
/* A task is put there by a client that takes some, and was not seen to be delivered to anybody: if
 * that does not follow, it was not taken. */
void unacked_kept(struct deployment *d, const struct msg *m, const struct detect_out *out);
/* A task that was taken is put back on its queue: if its sender takes none, and takes it off no
 * list of those taken, it is sent again, task-replayed. */
void unacked_restored(struct deployment *d, const struct msg *m, const struct detect_out *out);
void unacked_note(struct deployment *d, const struct msg *m, const struct detect_out *out);
void unacked_tick(struct deployment *d, struct stamp now, const struct detect_out *out);
void unacked_finish(struct deployment *d, struct stamp now, const struct detect_out *out);

/* control.c: control-dangerous, control-change, control-recon. */
struct control *control_new(void);
void control_free(struct control *c);
void control_note(struct deployment *d, const struct msg *m, const struct detect_out *out);
/* A command of Celery's that changes nothing in a worker: ping, inspect and their like. */
bool control_only_asks(struct bytes method);
void control_tick(struct deployment *d, struct stamp now, const struct detect_out *out);

/* consumers.c: worker-silent. */
struct consumers *consumers_new(void);
void consumers_free(struct consumers *c);
void consumers_note(struct deployment *d, const struct msg *m, const struct detect_out *out);
void consumers_tick(struct deployment *d, struct stamp now, const struct detect_out *out);
/* It asks for tasks, as far as the queue's name tells. */
bool consumers_asks(const struct msg *m);
void consumers_finish(struct deployment *d, struct stamp now, const struct detect_out *out);

/* origins.c: task-origin-unknown, task-origin-spoofed, task-name-unknown. Asked before tasks.c:
 * what became of the task until now. */
struct origins *origins_new(void);
void origins_free(struct origins *o);
void origins_note(struct deployment *d, const struct msg *m, const struct detect_out *out);
/* Retries, replacements and what is put back keep the origin of who sent the task first; relays
 * publish what others sent. b: NULL, or the baseline. */
bool origins_publishes_for_others(struct deployment *d, const struct msg *m,
                                  const struct baseline *b);

/* claims.c: task-origin-spoofed of a live worker's name; told of events, and asked by origins.c of
 * a task that is published. */
struct lru *claims_new(void);
void claims_note(struct deployment *d, const struct msg *m, const struct detect_out *out);
void claims_judge(struct deployment *d, const struct msg *m, const struct origin *o,
                  const struct detect_out *out);

/* belongs.c: worker-unknown. */
struct belongs *belongs_new(void);
void belongs_free(struct belongs *b);
void belongs_note(struct deployment *d, const struct msg *m, const struct detect_out *out);

/* tap.c: amqp-tap, amqp-destructive. */
struct lru *tap_new(void);
void tap_note(struct deployment *d, const struct msg *m, const struct detect_out *out);

/* ways.c: no rule of its own. */
struct lru *ways_new(void);
/* A declare with F_AMQP_ONWARD; a queue or an exchange that is bound. */
void ways_declared(struct deployment *d, const struct msg *m);
void ways_bound(struct deployment *d, const struct msg *m);
/* Whether what is published like this comes to a worker's mailbox, as far as was seen. */
bool ways_lead_to_mailbox(struct deployment *d, const struct msg *m);

/* server.c: redis-config-write, redis-replicaof, redis-module-load, redis-admin, redis-destructive.
 */
void server_note(struct deployment *d, const struct msg *m, const struct detect_out *out);

/* keys.c: redis-destructive, redis-recon, redis-queue-tamper. */
bool keys_wants_command(const struct msg *m);
void keys_note(struct deployment *d, const struct msg *m, const struct detect_out *out);

/* junk.c: redis-queue-tamper of what is no message. */
/* Whether an envelope that kombu could not read is one that it would have to: asked by the workers,
 * which then say so in F_JUNK. */
bool junk_wants(const struct msg *m);
void junk_note(struct deployment *d, const struct msg *m, const struct detect_out *out);

/* scripts.c: redis-admin, redis-destructive and redis-queue-tamper of scripts that nobody knows. */
struct lru *scripts_new(void);
void scripts_note(struct deployment *d, const struct msg *m, const struct detect_out *out);

/* results_read.c: redis-recon of results. */
struct lru *results_read_new(void);
void results_read_note(struct deployment *d, const struct msg *m, const struct detect_out *out);

#endif
