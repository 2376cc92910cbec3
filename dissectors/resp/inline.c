/* dissectors/resp/inline.c - inline commands: a line, split as a shell would. */
#include "dissectors/resp/request.h"

static bool space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0;
}

static int hex(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One escaped character behind a backslash inside double quotes. */
static uint8_t unescape(struct bytes *in)
{
    uint8_t c = bytes_cut(in, 1).at[0];

    if (c == 'x' && in->len >= 2 && hex(in->at[0]) >= 0 && hex(in->at[1]) >= 0) {
        struct bytes two = bytes_cut(in, 2);
        return (uint8_t)(hex(two.at[0]) << 4 | hex(two.at[1]));
    }
    switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'a': return '\a';
    default: return c;
    }
}

/* The rest of a quoted piece into `to`, its closing quote taken; false: there is none, or
 * something follows it directly. */
static bool unquote(struct bytes *in, uint8_t quote, struct keep *to)
{
    while (in->len > 0) {
        uint8_t c = bytes_cut(in, 1).at[0];

        if (c == quote)
            return in->len == 0 || space(in->at[0]);
        if (c == '\\' && in->len > 0 && (quote == '"' || in->at[0] == '\''))
            c = quote == '"' ? unescape(in) : bytes_cut(in, 1).at[0];
        keep_add(to, bytes_of(&c, 1));
    }
    return false;
}

/* A word with quotes in it. */
static bool word_with_quotes(struct bytes *in, struct keep *to)
{
    while (in->len > 0 && !space(in->at[0])) {
        struct bytes c = bytes_cut(in, 1);

        if (c.at[0] != '"' && c.at[0] != '\'')
            keep_add(to, c);
        else if (!unquote(in, c.at[0], to))
            return false;
    }
    return true;
}

static size_t word_length(struct bytes in, bool *quotes)
{
    size_t n = 0;

    *quotes = false;
    for (; n < in.len && !space(in.at[n]); n++)
        if (in.at[n] == '"' || in.at[n] == '\'')
            *quotes = true;
    return n;
}

enum inline_next inline_next(struct bytes *line, struct bytes *arg, struct keep *quoted)
{
    bool quotes;
    size_t n;

    while (line->len > 0 && space(line->at[0]))
        bytes_cut(line, 1);
    if (line->len == 0)
        return INLINE_END;
    n = word_length(*line, &quotes);
    if (!quotes) {
        *arg = bytes_cut(line, n);
        return INLINE_ARG;
    }
    keep_clear(quoted);
    if (!word_with_quotes(line, quoted))
        return INLINE_UNBALANCED;
    *arg = quoted->len > 0 ? keep_view(quoted) : bytes_of("", 0);
    return INLINE_ARG;
}
