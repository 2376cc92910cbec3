/* signatures/glob.c - goes back to the last '*' only: what an earlier one took need never change,
 * since the later one can take as well whatever follows. */
#include "signatures/glob.h"

/* The end of the bracket that begins at `p`, behind its ']'; NULL: nothing closes it. */
static const char *bracket_end(const char *p)
{
    p++;
    if (*p == '!' || *p == '^')
        p++;
    if (*p == ']') /* the first one is a member */
        p++;
    for (; *p && *p != ']'; p++)
        if (*p == '\\' && p[1])
            p++;
    return *p ? p + 1 : NULL;
}

static uint8_t member(const char **p)
{
    if (**p == '\\' && (*p)[1])
        (*p)++;
    return (uint8_t) * (*p)++;
}

static bool in_bracket(const char *p, const char *end, uint8_t c)
{
    bool none = p[1] == '!' || p[1] == '^', found = false;

    for (p += none ? 2 : 1; p < end - 1;) {
        uint8_t low = member(&p), high = low;

        if (*p == '-' && p + 1 < end - 1) {
            p++;
            high = member(&p);
        }
        found |= low <= c && c <= high;
    }
    return found != none;
}

/* What stands for one byte, and takes c; NULL: it does not. Else what follows it in the glob. */
static const char *one(const char *p, uint8_t c)
{
    const char *end;

    if (*p == '?')
        return p + 1;
    if (*p == '[' && (end = bracket_end(p)) != NULL)
        return in_bracket(p, end, c) ? end : NULL;
    if (*p == '\\' && p[1])
        p++;
    return *p && (uint8_t)*p == c ? p + 1 : NULL;
}

bool glob_match(const char *glob, struct bytes name)
{
    const char *back = NULL; /* behind the last '*' */
    size_t i = 0, from = 0;  /* what that one takes ends there */

    while (i < name.len || *glob == '*') {
        const char *next;

        if (*glob == '*') {
            back = ++glob;
            from = i;
            if (*glob == '\0')
                return true;
        } else if ((next = one(glob, name.at[i])) != NULL) {
            glob = next;
            i++;
        } else if (back) {
            glob = back;
            i = ++from;
        } else {
            return false;
        }
    }
    return *glob == '\0';
}

bool glob_is_literal(const char *glob)
{
    return strpbrk(glob, "*?[\\") == NULL;
}
