/* content/base64.h - Python's lax base64 as a machine that can stop anywhere.
 *
 * What b64decode() does without validate (CPython 3.11, Modules/binascii.c:
 * a2b_base64 in its non-strict form): characters outside the alphabet do not count;
 * '=' counts only where two or three characters of a group are there, and ends the
 * text when together with them it makes four; a character of the alphabet between
 * two '=' makes the count of '=' start over. What follows the end is ignored. */
#ifndef CONTENT_BASE64_H
#define CONTENT_BASE64_H

#include "base/bytes.h"

struct base64 {
    uint8_t have; /* characters of the group so far, 0..3 */
    uint8_t pads; /* '=' seen in it, in a row */
    uint8_t left; /* bits of the last character that are not written yet */
    bool urlsafe; /* '-' and '_' count as '+' and '/' too */
    bool ended;   /* by padding */
};

/* Room that base64_step() needs for n characters; it may write (and then overwrite)
 * up to 16 bytes behind the result. */
#define BASE64_ROOM(n) ((n) / 4 * 3 + 24)

/* Decodes all of `text` to out[0..]; returns how many bytes came out. */
size_t base64_step(struct base64 *b, struct bytes text, uint8_t *out);

/* Would Python have taken the text if it ended here? */
static inline bool base64_whole(const struct base64 *b)
{
    return b->ended || b->have == 0;
}

/* Are these all characters of the standard alphabet? */
bool base64_is_text(struct bytes text);

#endif
