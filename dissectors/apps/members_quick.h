/* dissectors/apps/members_quick.h - the members of a JSON object as Python writes it, without the
 * ceremony of the reader: see quick.h. Only members.c includes it. */
#ifndef APPS_MEMBERS_QUICK_H
#define APPS_MEMBERS_QUICK_H

#include "dissectors/apps/members.h"

/* A bit for a name, by its length and first letter: most that nobody asks for share it with none.
 */
static inline uint64_t members_bit(struct bytes name)
{
    return (uint64_t)1 << ((name.len + (name.len > 0 ? name.at[0] * 5u : 0)) & 63);
}

/* As members_of(), with the bits of all names. false: not JSON, or not plain enough: nothing was
 * read, and `out` holds rubbish. */
bool members_quick(struct reader *r, const struct bytes names[], unsigned n, uint64_t bits,
                   struct member out[], unsigned *others, struct arena *arena);

#endif
