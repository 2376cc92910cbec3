/* dissectors/apps/members_quick.h - the members of a JSON object as Python writes it, without the
 * ceremony of the reader: see quick.h. Only members.c includes it. */
#ifndef APPS_MEMBERS_QUICK_H
#define APPS_MEMBERS_QUICK_H

#include "dissectors/apps/members.h"

/* As members_of(), with the lengths of the names as a mask. false: not JSON, or not plain enough:
 * nothing was read, and `out` holds rubbish. */
bool members_quick(struct reader *r, const struct bytes names[], unsigned n, uint32_t mask,
                   struct member out[], unsigned *others, struct arena *arena);

#endif
