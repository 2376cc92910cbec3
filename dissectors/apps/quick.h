/* dissectors/apps/quick.h - JSON as Python's json.dumps writes it, and most others do,
 * read without the ceremony of the pull reader: names and values, at most one space
 * between tokens, integers, few members, little nesting. Whatever is different is
 * refused, and the caller reads all of it again with the reader: the outcome never
 * depends on which of the two it was, only the time. */
#ifndef APPS_QUICK_H
#define APPS_QUICK_H

#include "base/arena.h"
#include "dissectors/content/scan.h"
#include "dissectors/headers.h"

#define QUICK_MEMBERS 256u /* of one tree */
#define QUICK_DEPTH   8u

/* Where one is in the text. A function that refuses gives NULL, and is given it by the next. */
typedef const uint8_t *quick_at;

struct quick {
    quick_at begin, end; /* of the text */
    struct arena *arena;
    bool pass;                      /* texts do not matter: escapes stay */
    struct header *room, *room_end; /* headers got but not used yet */
};

/* Behind the byte c, with or without a space before it; NULL: something else stands there. */
static inline quick_at quick_take(const struct quick *q, quick_at at, uint8_t c)
{
    if (at && at < q->end && *at == ' ')
        at++;
    return at && at < q->end && *at == c ? at + 1 : NULL;
}

/* The rest of a string of which n bytes are known to be plain. */
quick_at quick_long_string(struct quick *q, quick_at at, size_t n, struct bytes *text);

#define QUICK_STRING 48u

/* Behind a string; `at` is behind its opening quote, or NULL. Text as token_text() has it. Most
 * are short: sixteen bytes at once, and done. */
static inline quick_at quick_string(struct quick *q, quick_at at, struct bytes *text)
{
    size_t n = 0;

    if (!at)
        return NULL;
    for (; n < QUICK_STRING && (size_t)(q->end - at) >= n + 16; n += 16) {
        unsigned mask = scan_string_mask(at + n);

        if (mask == 0)
            continue;
        n += (size_t)__builtin_ctz(mask);
        if (at[n] != '"')
            break;
        *text = bytes_of(at, n);
        return at + n + 1;
    }
    return quick_long_string(q, at, n, text);
}

/* Behind an object; `at` is behind its opening brace, or NULL. As tree_read() would have it. */
quick_at quick_tree(struct quick *q, quick_at at, struct headers *out);
/* Behind an object or a list that begins at `at`, with or without a space before it; text: as
 * written, from bracket to bracket. */
quick_at quick_container(struct quick *q, quick_at at, struct bytes *text);

#endif
