/* dissectors/apps/members.h - the members that one asks for by name, of the
 * outermost mapping of a document, whatever its format: JSON, MessagePack, YAML,
 * or the plain data of a pickle. One pass; everything else is skipped. */
#ifndef APPS_MEMBERS_H
#define APPS_MEMBERS_H

#include "dissectors/apps/document.h"

struct member {
    bool seen;
    bool cut;             /* the capture ended inside it */
    enum token_kind kind; /* TOKEN_MAP and TOKEN_LIST: text is the value as written */
    struct bytes text;    /* of strings with escapes undone; of other scalars as written */
    int64_t num;
};

struct members {
    bool mapping;    /* it is one */
    bool twice;      /* one of the names comes twice */
    unsigned others; /* members with names that nobody asked for */
};

/* Fills out[0..n) in the order of `names`; of a name that comes twice the last one counts, as
 * in Python. Quick when the members come in the order of the names. */
struct members members_read(const struct document *doc, const struct bytes names[], unsigned n,
                            struct member out[], struct arena *arena);
/* The same for a mapping whose TOKEN_MAP was just read from r; up to and with its end. */
struct members members_of(struct reader *r, const struct bytes names[], unsigned n,
                          struct member out[], struct arena *arena);

/* One value, whose first token was just read. */
void member_take(struct member *m, struct reader *r, const struct token *t, struct arena *arena);

/* The text of a string, a number as text; empty with at == NULL for anything else, and when it
 * was cut short. */
struct bytes member_text(const struct member *m);
bool member_true(const struct member *m);

/* A whole string. */
static inline bool member_is_text(const struct member *m)
{
    return m->seen && !m->cut && (m->kind == TOKEN_STRING || m->kind == TOKEN_BYTES);
}

/* A document for what a container member holds. */
struct document member_document(const struct member *m, const struct document *of);

#endif
