/* pickle/secret_text.h - reading words of commands and code, for secret*.c. */
#ifndef PICKLE_SECRET_TEXT_H
#define PICKLE_SECRET_TEXT_H

#include <strings.h>

#include "base/bytes.h"
#include "signatures/pickle/secret.h"

#define TEXT_ITEM   "\x1e" /* SECRET_ITEM */
#define TEXT_QUOTES "'\"\\"
#define TEXT_BLANKS " \t\r\n" TEXT_ITEM
#define TEXT_ENDS   TEXT_BLANKS "'\"&,;" /* of a word that nothing quotes */

struct span {
    size_t from, to;
};

/* In any case. */
static inline bool text_starts(struct bytes b, size_t at, const char *text)
{
    size_t n = strlen(text);
    return b.len - at >= n && (b.at[at] | 0x20) == (text[0] | 0x20) &&
           strncasecmp((const char *)b.at + at, text, n) == 0;
}

static inline size_t text_skip(struct bytes b, size_t at, const char *set)
{
    while (at < b.len && b.at[at] && strchr(set, b.at[at]))
        at++;
    return at;
}

static inline size_t text_until(struct bytes b, size_t at, const char *set)
{
    while (at < b.len && !(b.at[at] && strchr(set, b.at[at])))
        at++;
    return at;
}

static inline bool text_letter(uint8_t c)
{
    c |= 0x20;
    return c >= 'a' && c <= 'z';
}

/* Where the value ends that begins at `from`: at the quote, or the end of the item, that it begins
 * behind, else with the word. */
static inline size_t text_value_end(struct bytes b, size_t from)
{
    uint8_t before = from > 0 ? b.at[from - 1] : ' ';

    return text_until(b, from,
                      before == SECRET_ITEM ? TEXT_ITEM
                      : before == '"'       ? "\"" TEXT_ITEM
                      : before == '\''      ? "'" TEXT_ITEM
                                            : TEXT_ENDS);
}

#endif
