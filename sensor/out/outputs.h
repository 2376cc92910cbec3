/* out/outputs.h - all outputs of a run: each record goes to those that want its
 * kind. One thread, the collector's. */
#ifndef OUT_OUTPUTS_H
#define OUT_OUTPUTS_H

#include "out/sink.h"

struct outputs;

struct outputs *outputs_new(void); /* NULL: no memory */

/* Opens one more. url as after -o ("kafka:host"), emit_mask of 1u << enum emit_kind. false: one
 * line in err, which names the output without its properties, and the exit code in *error. */
bool outputs_add(struct outputs *o, const char *url, unsigned emit_mask,
                 const struct sink_options *opt, enum sink_error *error, char *err, size_t err_len);

bool outputs_wants(const struct outputs *o, enum emit_kind kind);
/* false: at least one that wants it has lost it (and counted that). */
bool outputs_write(struct outputs *o, const struct record *r);
void outputs_poll(struct outputs *o); /* often, and when there is nothing to do */
void outputs_reopen(struct outputs *o);
/* Once the user was changed. Warns of files that cannot be made anew. */
void outputs_settled(struct outputs *o);

size_t outputs_count(const struct outputs *o);
/* The i-th: its name for people ("kafka:host:9092/prefix"), without properties. */
const char *outputs_name(const struct outputs *o, size_t i);
void outputs_stats(struct outputs *o, size_t i, struct sink_stats *out);
/* One of them can write nothing now. Offline the run then ends, with 74. */
bool outputs_broken(struct outputs *o);

/* Flushes and closes all, bounded in time, and frees. false: one of them lost a record
 * in its life; the log says which and how many. NULL is allowed. */
bool outputs_close(struct outputs *o);

#endif
