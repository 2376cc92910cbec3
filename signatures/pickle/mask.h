/* pickle/mask.h - text that leaves the machine: printable ASCII, secrets masked. */
#ifndef PICKLE_MASK_H
#define PICKLE_MASK_H

#include "base/bytes.h"

struct text_out {
    char *at;
    size_t used, room;
    bool full;
};

void put_text(struct text_out *o, const char *text);
void put_bytes(struct text_out *o, struct bytes b);
/* With everything escaped that is not printable ASCII, and quotes and backslashes. */
void put_escaped(struct text_out *o, struct bytes b, size_t max);
/* As put_escaped, with what looks like a secret cut to its first two characters. */
void put_masked(struct text_out *o, struct bytes b, size_t max);
/* A name under which people keep secrets. */
bool names_secret(struct bytes key);
/* Whether the argument behind this one is a password, of that program. */
bool option_of_secret(struct bytes program, struct bytes option);

#endif
