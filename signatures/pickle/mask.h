/* pickle/mask.h - text that leaves the machine: printable ASCII, secrets masked. */
#ifndef PICKLE_MASK_H
#define PICKLE_MASK_H

#include "base/bytes.h"

struct text_out {
    char *at;
    size_t used, room;
    bool full;
    bool hide; /* all text is secret */
};

void put_text(struct text_out *o, const char *text);
void put_bytes(struct text_out *o, struct bytes b);
/* With everything escaped that is not printable ASCII, and quotes and backslashes. */
void put_escaped(struct text_out *o, struct bytes b, size_t max);
/* How much more than what is shown has to be looked at to know what in it is secret. */
#define MASK_AHEAD 512u
/* As put_escaped, with what looks like a secret cut to its first two characters. */
void put_masked(struct text_out *o, struct bytes b, size_t max);
/* As put_masked, of b[at..end) alone: the rest tells more of what it is. */
void put_masked_part(struct text_out *o, struct bytes b, size_t at, size_t end, size_t max);

#endif
