/* tests/content/support/dump.h - tokens as lines of text, for comparing. */
#ifndef TESTS_CONTENT_DUMP_H
#define TESTS_CONTENT_DUMP_H

#include <stdio.h>

#include "dissectors/content/reader.h"

/* One line a token: depth, kind, text (escapes undone, printable or \xNN), then "cut", the tag. */
void dump_token(FILE *to, const struct token *t, struct arena *arena);
/* All tokens of a document, and a last line for how it ended: whole, clipped, or broken@N, and the
 * rest if there is one. In a block of malloc. */
char *dump_document(enum content_what format, struct bytes document, bool clipped);

/* Are the lines of `head` those that `all` begins with? The last token of `head` may be cut: then
 * its text has to be a head of that in `all`. The lines for the end do not count. */
bool dump_is_prefix(const char *head, const char *all);

#endif
