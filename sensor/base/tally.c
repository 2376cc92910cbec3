/* base/tally.c - see tally.h. */
#include "base/tally.h"

#define TALLY_TEXT(name, text) text,
static const char *const names[] = {TALLY_LIST(TALLY_TEXT)};
#undef TALLY_TEXT

const char *tally_name(enum tally_id id)
{
    return names[id];
}

void tally_merge(struct tally *into, const struct tally *from)
{
    for (unsigned i = 0; i < TALLY_COUNT; i++)
        into->n[i] += from->n[i];
}
