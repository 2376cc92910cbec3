/* run/baseline.h - the baseline of -b as a file: reading, checking, and the one in use, which can
 * be replaced while the sensor runs: one thread reads it anew, each other one picks it up at its
 * next tick. */
#ifndef RUN_BASELINE_H
#define RUN_BASELINE_H

#include "signatures/baseline.h"

/* Reads into a zeroed *b, and makes its index. 0; 66 no such file, 77 no permission, 78 after one
 * line on standard error for each fault: file, line, column, what was expected. *b is then empty.
 * baseline_clear() gives it back. */
int baseline_load(struct baseline *b, const char *path);
/* The same of a text in memory; `name` stands for the file in complaints. */
int baseline_parse(struct baseline *b, const char *name, struct bytes text);
/* docs/baseline.schema.json, from the table of sections. */
bool baseline_dump_schema(int fd);
/* One line to the operator: what is judged by it, and which sections are absent. */
void baseline_log(const struct baseline *b, const char *path);

struct baselines;

/* 0, and *out is the caller's; else as baseline_load(). The path outlives the result. */
int baselines_open(const char *path, struct baselines **out);
void baselines_free(struct baselines *h); /* when nobody can ask any more; NULL is fine */
/* Reads the file again. If that fails the baseline stays as it is, and one line says so. Any one
 * thread. NULL is fine. */
void baselines_reload(struct baselines *h);
/* Replaces a reference that baselines_take() gave (*held may be NULL at first) by one of now, if
 * that is another. Any thread, each with a `held` of its own; h may be NULL. */
void baselines_take(struct baselines *h, const struct baseline **held);
void baselines_drop(struct baselines *h, const struct baseline **held);

#endif
