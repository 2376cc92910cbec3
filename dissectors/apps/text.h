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

/* Both begin with the same n bytes, 4 <= n <= 16: two words that overlap. */
static inline bool text_same_words(const uint8_t *a, const uint8_t *b, size_t n)
{
    uint64_t x[2], y[2];
    uint32_t v[2], w[2];

    if (n >= 8) {
        memcpy(x, a, 8);
        memcpy(x + 1, a + n - 8, 8);
        memcpy(y, b, 8);
        memcpy(y + 1, b + n - 8, 8);
        return x[0] == y[0] && x[1] == y[1];
    }
    memcpy(v, a, 4);
    memcpy(v + 1, a + n - 4, 4);
    memcpy(w, b, 4);
    memcpy(w + 1, b + n - 4, 4);
    return v[0] == w[0] && v[1] == w[1];
}

/* Names are short, and there are many: no call for them. */
static inline bool text_same(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    if (a.len > 16)
        return memcmp(a.at, b.at, a.len) == 0;
    if (a.len >= 4)
        return text_same_words(a.at, b.at, a.len);
    for (size_t i = 0; i < a.len; i++)
        if (a.at[i] != b.at[i])
            return false;
    return true;
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
