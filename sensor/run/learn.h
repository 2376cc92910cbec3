/* run/learn.h - --learn: writes a baseline (detections.md 5) from what the collector saw, merged
 * with what the file holds already. What raised a grave finding in this run is left out, and said.
 */
#ifndef RUN_LEARN_H
#define RUN_LEARN_H

#include "run/conf.h"
#include "signatures/cluster/inventory_facts.h"
#include "signatures/finding.h"

struct learning;
struct baseline;
struct learner;

/* Reads the file, if there is one: before anything else is done. 0, and *out is the caller's; 1 no
 * memory, 77, or 78 after lines that say where it is damaged. conf outlives it. */
int learning_open(const struct conf *conf, struct learning **out);
/* Makes the file that will take its place; after privileges are dropped. 0, or 74. */
int learning_begin(struct learning *l);
void learning_free(
    struct learning *l); /* what was begun and not ended leaves nothing; NULL is fine */

/* A finding that was not suppressed: its source may be one that nothing is learnt of. The
 * collector's thread. */
void learning_found(struct learning *l, const struct msg *m, const struct finding *f);

/* At the end: puts the new file in place of the old one. known: -b, or NULL. 0, 1, or 74. */
int learning_end(struct learning *l, const struct facts *facts, const struct baseline *known);

/* --- parts, for learn*.c and tests ------------------------------------------------ */

/* Whom nothing is learnt of. Bounded; when it is full nothing is learnt at all. */
struct accused;
struct accused *accused_new(void);
void accused_free(struct accused *a);
void accused_note(struct accused *a, const struct msg *m, const struct finding *f);
/* Who only revoked tasks is accused no longer. */
void accused_pardon(struct accused *a, const struct endpoint *who);
bool accused_is(const struct accused *a, const struct endpoint *who);
bool accused_origin(const struct accused *a, struct bytes host);
bool accused_user(const struct accused *a, struct bytes user);
bool accused_full(const struct accused *a);
/* One line each on standard error: addresses with the rule that they raised. */
void accused_say(const struct accused *a);

/* Gives the learner what is learnt of these facts, but for the accused; pardons first who sends
 * tasks or is a worker. false: no memory. */
bool learn_facts(struct learner *to, const struct facts *facts, struct accused *accused);

/* YAML, one entry a line; *text is the caller's, to be freed. false: no memory. */
bool baseline_print(const struct baseline *b, char **text, size_t *len);

#endif
