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

/* Where one is in the text, of which the last byte is a closing bracket: whatever else is accepted
 * has a byte behind it, so that only who passes a closing bracket must look for the end. A function
 * that refuses gives NULL. */
typedef const uint8_t *quick_at;

struct quick {
    quick_at begin, end; /* of the text */
    struct arena *arena;
    bool pass;                      /* texts do not matter: escapes stay */
    struct header *room, *room_end; /* headers got but not used yet */
    quick_at block;                 /* sixty-four bytes, of which all before it were read */
    uint64_t stops;                 /* a bit for each of them that a string cannot hold as it is */
};

/* false: it is not for the quick way. */
bool quick_begin(struct quick *q, struct bytes text, struct arena *arena);

/* Behind the byte c, with or without a space before it; NULL: something else stands there. */
static inline quick_at quick_take(quick_at at, uint8_t c)
{
    at += *at == ' ';
    return *at == c ? at + 1 : NULL;
}

/* The first byte from `at` on that a string cannot hold as it is, if it is not in the block; the
 * end: there is none. */
quick_at quick_far_stop(struct quick *q, quick_at at);

static inline quick_at quick_stop(struct quick *q, quick_at at)
{
    size_t i = (size_t)(at - q->block);
    uint64_t stops = i < 64 ? q->stops >> i : 0;

    return stops ? at + __builtin_ctzll(stops) : quick_far_stop(q, at);
}

/* A string with an escape, the first one at `stop`; NULL: or something else stands there. */
quick_at quick_hard_string(struct quick *q, quick_at at, quick_at stop, struct bytes *text);

/* Behind a string; `at` is behind its opening quote. Text as token_text() has it. */
static inline quick_at quick_string(struct quick *q, quick_at at, struct bytes *text)
{
    quick_at stop = quick_stop(q, at);

    if (stop == q->end || *stop != '"')
        return quick_hard_string(q, at, stop, text);
    *text = bytes_of(at, (size_t)(stop - at));
    return stop + 1;
}

/* Behind a string, with or without a space before it. */
static inline quick_at quick_text(struct quick *q, quick_at at, struct bytes *text)
{
    at = quick_take(at, '"');
    return at ? quick_string(q, at, text) : NULL;
}

/* The name of a member and its colon: at its value. */
static inline quick_at quick_name(struct quick *q, quick_at at, struct bytes *name)
{
    at = quick_text(q, at, name);
    at = at ? quick_take(at, ':') : NULL;
    return at ? at + (*at == ' ') : NULL;
}

/* Behind an object; `at` is behind its opening brace. As tree_read() would have it. */
quick_at quick_tree(struct quick *q, quick_at at, struct headers *out);
/* Behind an object or a list that begins at `at`, with or without a space before it, and is not the
 * last thing of the text; text: as written, from bracket to bracket. */
quick_at quick_container(struct quick *q, quick_at at, struct bytes *text);

#endif
