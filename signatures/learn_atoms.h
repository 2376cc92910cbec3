/* signatures/learn_atoms.h - the entries of one section that have a name, while they are learnt:
 * one for each name as it was seen, until those of one shape become a glob. */
#ifndef SIGNATURES_LEARN_ATOMS_H
#define SIGNATURES_LEARN_ATOMS_H

#include "signatures/learn_networks.h"

struct atom {
    char *name; /* as it was seen; of an entry that was a glob before: that glob */
    bool glob;  /* it is one */
    bool any_address, any_item, any_user; /* said by an entry that was there before */
    struct network_list addresses;
    struct text_list items, users; /* globs */
};

struct atoms {
    enum baseline_section section;
    struct atom *at;
    size_t n, globs;        /* those that were there before are in front of at[globs] */
    uint32_t *heads, *next; /* by the hash of the name; heads: `room` of them */
    size_t room;
    size_t bare; /* names that stay although there are many, see learner_bare() */
};

void atoms_free(struct atoms *a);
/* A new one, beside others of that name. NULL: no memory. Good until the next. */
struct atom *atoms_add(struct atoms *a, const char *name, bool glob);
/* The one that a fact about this name goes to: of this name, else the glob that says most of it (of
 * two, the one that lists the item), else a new one. NULL: no memory. */
struct atom *atoms_for(struct atoms *a, const char *name, const char *item);
/* The one of this glob, under one of whose names a fact was seen, else a new one. NULL: no memory.
 */
struct atom *atoms_glob(struct atoms *a, const char *glob);
/* Names of one shape become globs. false: no memory. */
bool atoms_generalise(struct atoms *a, const struct learn_conf *conf);

#endif
