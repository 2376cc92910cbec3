/* content/json.c - JSON as Python's json reads it (CPython 3.11, Modules/_json.c,
 * Lib/json/decoder.py), token by token.
 *
 *   VALUE --scalar--> AFTER --','--> KEY or VALUE        at depth 0: the end
 *     | '[' --> FIRST_ITEM --value--> AFTER --']'--> AFTER of the level above
 *     | '{' --> FIRST_KEY --string--> COLON --':'--> VALUE */
#include "dissectors/content/json_walk.h"
#include "dissectors/content/reader_formats.h"
#include "dissectors/content/scan.h"

enum state {
    VALUE, /* 0: where a document begins */
    FIRST_ITEM,
    FIRST_KEY,
    KEY,
    COLON,
    AFTER,
    CUT, /* the last token was cut by the end of the input */
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static inline size_t skip_blanks(struct bytes in, size_t at)
{
    while (at < in.len && in.at[at] <= ' ' && is_blank(in.at[at]))
        at++;
    return at;
}

/* Everything below has the document as `in` and a place in it as `at`, so that the compiler can
 * keep them in registers; this is where the reader learns how far it came. */
static inline void move_to(struct reader *r, size_t at)
{
    r->rest = bytes_of(r->all.at + at, r->all.len - at);
}

/* The text of the token goes from `from` to `to`, and reading goes on at `next`. */
static inline bool token_of(struct reader *r, struct token *t, enum token_kind kind, size_t from,
                            size_t to, size_t next)
{
    t->kind = kind;
    t->text = bytes_of(r->all.at + from, to - from);
    r->state = AFTER;
    move_to(r, next);
    return true;
}

/* As token_of, for one that the end of the input cuts; broken unless it is a clipped one. */
static bool cut_token(struct reader *r, struct token *t, enum token_kind kind, size_t from)
{
    size_t end = r->all.len;
    if (!r->clipped)
        return reader_stop(r, READER_BROKEN, t->offset);
    token_of(r, t, kind, from, end, end);
    t->cut = true;
    r->state = CUT;
    return true;
}

/* An escape at `at`, which is its backslash: its length, 0 if it is none, SIZE_MAX if the input
 * ends inside it. */
static size_t escape_length(struct bytes in, size_t at)
{
    if (in.len - at < 2)
        return SIZE_MAX;
    switch (in.at[at + 1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': return 2;
    case 'u': break;
    default: return 0;
    }
    for (size_t i = 2; i < 6; i++) {
        if (in.len - at <= i)
            return SIZE_MAX;
        uint8_t c = in.at[at + i], low = c | 0x20;
        if (!is_digit(c) && (low < 'a' || low > 'f'))
            return 0;
    }
    return 6;
}

/* From the first escape of a string on, to its quote, or what should not be there. */
static size_t pass_escapes(struct bytes in, size_t at)
{
    while (at < in.len && in.at[at] == '\\') {
        size_t length = escape_length(in, at);
        if (length == 0)
            break;
        at = scan_string(in, length == SIZE_MAX ? in.len : at + length);
    }
    return at;
}

/* A string from the quote at `at`, of which `to` is the first byte that is not plain; not the
 * closing quote, or it would not come here. */
static bool read_hard_string(struct reader *r, struct token *t, enum token_kind kind, size_t at,
                             size_t to)
{
    struct bytes in = r->all;
    if (to < in.len && in.at[to] == '\\') {
        t->escaped = true;
        to = pass_escapes(in, to);
    }
    if (to == in.len)
        return cut_token(r, t, kind, at + 1);
    if (in.at[to] != '"')
        return reader_stop(r, READER_BROKEN, to);
    return token_of(r, t, kind, at + 1, to, to + 1);
}

/* The word at `at`, or as much of it as the input has left. */
static bool read_word(struct reader *r, struct token *t, size_t at, const char *word,
                      enum token_kind kind, double real)
{
    struct bytes in = r->all;
    size_t n = 0;
    while (at + n < in.len && word[n] && in.at[at + n] == (uint8_t)word[n])
        n++;
    t->real = real;
    if (!word[n])
        return token_of(r, t, kind, at, at + n, at + n);
    if (at + n == in.len)
        return cut_token(r, t, kind, at);
    return reader_stop(r, READER_BROKEN, t->offset);
}

/* The same for the usual three. */
static inline bool read_literal(struct reader *r, struct token *t, size_t at, const char *word,
                                size_t len, enum token_kind kind)
{
    struct bytes in = r->all;
    if (in.len - at >= len && memcmp(in.at + at, word, len) == 0)
        return token_of(r, t, kind, at, at + len, at + len);
    return read_word(r, t, at, word, kind, 0);
}

static size_t digits(struct bytes in, size_t at)
{
    while (at < in.len && is_digit(in.at[at]))
        at++;
    return at;
}

/* Where the exponent that begins at `at` ends; `at` itself if there is none. */
static size_t exponent(struct bytes in, size_t at)
{
    size_t from = at;
    if (from == in.len || (in.at[from] | 0x20) != 'e')
        return at;
    from++;
    if (from < in.len && (in.at[from] == '+' || in.at[from] == '-'))
        from++;
    size_t to = digits(in, from);
    return to > from ? to : at;
}

/* Is what is left at `at` nothing, or the beginning of a fraction or an exponent? */
static bool may_go_on(struct bytes in, size_t at)
{
    if (at < in.len && in.at[at] == '.')
        return at + 1 == in.len;
    if (at < in.len && (in.at[at] | 0x20) == 'e')
        at++;
    if (at < in.len && (in.at[at] == '+' || in.at[at] == '-'))
        at++;
    return at == in.len;
}

/* A number from `from`, whose integer part ends at `at` with a point or an 'e'. */
static bool read_fraction(struct reader *r, struct token *t, size_t from, size_t at)
{
    struct bytes in = r->all;
    size_t to = at;
    if (in.at[at] == '.') {
        to = digits(in, at + 1);
        to = to > at + 1 ? to : at;
    }
    if (to > at || in.at[at] != '.')
        to = exponent(in, to);
    if (r->clipped && may_go_on(in, to))
        return cut_token(r, t, TOKEN_FLOAT, from);
    token_of(r, t, to > at ? TOKEN_FLOAT : TOKEN_INT, from, to, to);
    if (to > at)
        t->real = number_real(t->text);
    else
        t->num = number_int(t->text);
    return true;
}

static bool read_number(struct reader *r, struct token *t, size_t from)
{
    struct bytes in = r->all;
    size_t first = from + (in.at[from] == '-'), at = first;
    if (at < in.len && in.at[at] == '0')
        at++;
    else
        at = digits(in, at);
    if (at == in.len && r->clipped) {
        cut_token(r, t, TOKEN_INT, from);
        t->num = at > first ? number_int(t->text) : 0;
        return true;
    }
    if (at == first)
        return reader_stop(r, READER_BROKEN, from);
    if (at < in.len && (in.at[at] == '.' || (in.at[at] | 0x20) == 'e'))
        return read_fraction(r, t, from, at);
    token_of(r, t, TOKEN_INT, from, at, at);
    t->num = number_int(t->text);
    return true;
}

/* A container that is too deep: it comes as one token. */
static bool pass_over(struct reader *r, struct token *t, size_t at)
{
    struct bytes in = r->all;
    size_t n = json_walk(bytes_of(in.at + at + 1, in.len - at - 1));
    r->too_deep++;
    if (n == SIZE_MAX)
        return cut_token(r, t, TOKEN_NULL, at);
    return token_of(r, t, TOKEN_NULL, at, at + 1 + n, at + 1 + n);
}

static bool open_container(struct reader *r, struct token *t, bool map, size_t at)
{
    if (r->depth == READER_DEPTH)
        return pass_over(r, t, at);
    t->kind = map ? TOKEN_MAP : TOKEN_LIST;
    reader_push(r, map);
    r->state = map ? FIRST_KEY : FIRST_ITEM;
    move_to(r, at + 1);
    return true;
}

static bool close_container(struct reader *r, struct token *t, size_t at)
{
    t->kind = reader_in_map(r) ? TOKEN_MAP_END : TOKEN_LIST_END;
    t->depth = --r->depth;
    r->state = AFTER;
    move_to(r, at + 1);
    return true;
}

static bool read_value(struct reader *r, struct token *t, size_t at)
{
    struct bytes in = r->all;
    switch (in.at[at]) {
    case '{': return open_container(r, t, true, at);
    case '[': return open_container(r, t, false, at);
    case 't': return read_literal(r, t, at, "true", 4, TOKEN_TRUE);
    case 'f': return read_literal(r, t, at, "false", 5, TOKEN_FALSE);
    case 'n': return read_literal(r, t, at, "null", 4, TOKEN_NULL);
    case 'N': return read_word(r, t, at, "NaN", TOKEN_FLOAT, __builtin_nan(""));
    case 'I': return read_word(r, t, at, "Infinity", TOKEN_FLOAT, __builtin_inf());
    case '-':
        if (in.len - at > 1 && in.at[at + 1] == 'I')
            return read_word(r, t, at, "-Infinity", TOKEN_FLOAT, -__builtin_inf());
        return read_number(r, t, at);
    default: return is_digit(in.at[at]) ? read_number(r, t, at) : reader_stop(r, READER_BROKEN, at);
    }
}

/* A key or a string; its quote is at `at`. The colon behind a key is taken with it if it is there
 * already. */
static inline bool read_string(struct reader *r, struct token *t, bool key, size_t at)
{
    struct bytes in = r->all;
    enum token_kind kind = key ? TOKEN_KEY : TOKEN_STRING;
    size_t to = scan_string(in, at + 1);
    if (to < in.len && in.at[to] == '"')
        token_of(r, t, kind, at + 1, to, to + 1);
    else if (!read_hard_string(r, t, kind, at, to))
        return false;
    if (!key || t->cut)
        return true;
    bool colon = r->rest.len > 0 && r->rest.at[0] == ':';
    r->state = colon ? VALUE : COLON;
    move_to(r, reader_at(r) + colon);
    return true;
}

/* Over the comma or colon at `at` to where a key, a value or the end of the container begins.
 * false: there is none, and r->end says why. */
static inline bool pass_mark(struct reader *r, size_t *at)
{
    struct bytes in = r->all;
    bool map = reader_in_map(r);
    uint8_t c = in.at[*at];
    if (r->state == AFTER && c == (map ? '}' : ']'))
        return true;
    if (c != (r->state == AFTER ? ',' : ':'))
        return reader_stop(r, READER_BROKEN, *at);
    r->state = r->state == AFTER && map ? KEY : VALUE;
    *at = skip_blanks(in, *at + 1);
    return *at < in.len || reader_ran_out(r);
}

bool json_next(struct reader *r, struct token *t)
{
    struct bytes in = r->all;
    size_t at = skip_blanks(in, reader_at(r));
    if (r->state == CUT)
        return reader_ran_out(r);
    if (r->state == AFTER && r->depth == 0) {
        move_to(r, at);
        return reader_stop(r, READER_WHOLE, 0);
    }
    if (at == in.len)
        return reader_ran_out(r);
    if (r->state >= COLON && !pass_mark(r, &at))
        return false;

    uint8_t c = in.at[at];
    bool key = r->state == KEY || r->state == FIRST_KEY;
    token_init(r, t, at);
    if (c == '"')
        return read_string(r, t, key, at);
    if (r->state == AFTER || (r->state == FIRST_KEY && c == '}') ||
        (r->state == FIRST_ITEM && c == ']'))
        return close_container(r, t, at);
    return key ? reader_stop(r, READER_BROKEN, at) : read_value(r, t, at);
}

void json_skip(struct reader *r)
{
    size_t n = json_walk(r->rest);
    if (n == SIZE_MAX) {
        bytes_cut(&r->rest, r->rest.len);
        r->state = CUT;
        return;
    }
    reader_passed(r, n);
}

void reader_passed(struct reader *r, size_t n)
{
    bytes_cut(&r->rest, n);
    r->depth--;
    r->state = AFTER;
}
