/* run/collect.h - what all shards say, in packet order, in one thread: names the
 * queue, writes the message log, asks the cluster detectors, drops what is
 * suppressed or already told, folds repeats, encodes, and hands to the outputs. */
#ifndef RUN_COLLECT_H
#define RUN_COLLECT_H

#include "out/encode.h"
#include "out/outputs.h"
#include "run/conf.h"
#include "signatures/finding.h"

struct rule_counts {
    uint64_t found, emitted, suppressed;
};

struct collector;
struct learning; /* learn.h */

/* encoder and outputs are the caller's and outlive it. NULL: no memory. */
struct collector *collector_new(const struct conf *conf, struct encoder *encoder,
                                struct outputs *outputs);
void collector_free(struct collector *c);

/* From now on findings are told to it. Before the first message. */
void collector_learn(struct collector *c, struct learning *l);
/* What it saw of the deployments; NULL unless conf->policy.inventory. */
const struct facts *collector_facts(const struct collector *c);

/* Kinds of message that it takes even when nothing was found in them. */
unsigned collector_wants(const struct collector *c);
void collector_item(struct collector *c, const struct msg *m, const struct finding *findings,
                    size_t n);
void collector_tick(struct collector *c, struct stamp now);
void collector_finish(struct collector *c, struct stamp now); /* closes every window */

const struct tally *collector_tally(const struct collector *c);
const struct rule_counts *collector_rules(const struct collector *c); /* RULE_COUNT of them */

#endif
