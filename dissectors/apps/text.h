/* dissectors/apps/text.h - small questions about names and keys. */
#ifndef APPS_TEXT_H
#define APPS_TEXT_H

#include "base/arena.h"
#include "base/bytes.h"
#include "dissectors/headers.h"

/* A string literal as a range: for tables of names. */
#define TEXT(literal)                                   \
    {                                                   \
        (const uint8_t *)(literal), sizeof(literal) - 1 \
    }

static inline bool text_same(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool text_starts(struct bytes b, const char *with)
{
    size_t n = strlen(with);

    return b.len >= n && memcmp(b.at, with, n) == 0;
}

static inline bool text_ends(struct bytes b, const char *with)
{
    size_t n = strlen(with);

    return b.len >= n && memcmp(b.at + (b.len - n), with, n) == 0;
}

/* What follows the first n bytes; empty when there are no more. */
static inline struct bytes text_after(struct bytes b, size_t n)
{
    return n < b.len ? bytes_of(b.at + n, b.len - n) : bytes_of(b.at, 0);
}

/* Where `what` stands for the first time in b; b.len: nowhere. */
size_t text_find(struct bytes b, const char *what);

/* The number as decimal text, in the arena; empty: the arena is full. */
struct bytes text_of_number(int64_t n, struct arena *arena);

/* A header that stands for a name or an identifier, as Python would print it: text, a
 * number, or the {"__type__": "uuid"} object that kombu's JSON makes of an UUID
 * (kombu:utils/json.py:_as). An empty range with at == NULL: null, absent, cut
 * short, or something else. Memory: the arena, where there is something to write. */
struct bytes text_of_header(const struct header *h, struct arena *arena);

/* 32 hexadecimal digits with the four dashes of an UUID; b itself when it is not that. */
struct bytes text_of_uuid(struct bytes b, struct arena *arena);

#endif
