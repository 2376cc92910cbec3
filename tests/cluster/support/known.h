/* tests/cluster/support/known.h - baselines of a story, in few words. */
#ifndef TESTS_CLUSTER_KNOWN_H
#define TESTS_CLUSTER_KNOWN_H

#include "signatures/baseline.h"

/* An entry: addresses are the last numbers of 10.0.0.x ("21,22", "24/30" a network; NULL: any), the
 * list is "a,b" (NULL: none), and each may be NULL. */
void known(struct baseline *b, enum baseline_section s, const char *name, const char *addresses,
           const char *list, const char *user);
/* The section is there, and empty. */
void known_none(struct baseline *b, enum baseline_section s);

#endif
