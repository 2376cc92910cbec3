/* signatures/learn_parts.h - the inside of a learner, for the files learn*.c only. */
#ifndef SIGNATURES_LEARN_PARTS_H
#define SIGNATURES_LEARN_PARTS_H

#include "signatures/learn.h"
#include "signatures/learn_atoms.h"
#include "signatures/learn_lists.h"
#include "signatures/learn_shape.h"

/* Sections whose entries have names that become globs, in this order. */
enum { LEARN_PRODUCERS, LEARN_WORKERS, LEARN_IMPORTS, LEARN_NAMED };

/* Tasks taken by an address without a name: an entry of its own only if none with a name covers
 * it in the end. */
struct silent {
    struct endpoint who;
    char *user, *queue; /* globs; no user: not known */
};

struct learner {
    struct learn_conf conf;
    struct baseline before, after; /* what is there, with its index; the result */
    const struct baseline *known;
    struct atoms atoms[LEARN_NAMED];
    struct silent *silent;
    size_t n_silent;
    struct atom quiet;      /* networks of such, from before */
    struct text_list tasks; /* globs */
    size_t odd;
    bool bad; /* out of memory */
};

#endif
