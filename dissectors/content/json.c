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

static void skip_blanks(struct bytes *in)
{
    while (in->len > 0 && is_blank(in->at[0]))
        bytes_cut(in, 1);
}

/* The token goes from r->rest to behind its first n bytes. */
static bool token_of(struct reader *r, struct token *t, enum token_kind kind, size_t n)
{
    t->kind = kind;
    t->text = bytes_cut(&r->rest, n);
    r->state = AFTER;
    return true;
}

/* As token_of, for one that the end of the input cuts; broken unless it is a clipped one. */
static bool cut_token(struct reader *r, struct token *t, enum token_kind kind)
{
    if (!r->clipped)
        return reader_stop(r, READER_BROKEN, t->offset);
    token_of(r, t, kind, r->rest.len);
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

/* A string; r->rest begins with its quote. */
static bool read_string(struct reader *r, struct token *t, enum token_kind kind)
{
    struct bytes in = bytes_of(r->rest.at + 1, r->rest.len - 1);
    size_t n = scan_string(in.at, in.len);
    while (n < in.len && in.at[n] == '\\') {
        size_t length = escape_length(in, n);
        if (length == 0)
            return reader_stop(r, READER_BROKEN, t->offset + 1 + n);
        t->escaped = true;
        n = length == SIZE_MAX ? in.len : n + length;
        n += scan_string(in.at + n, in.len - n);
    }
    if (n < in.len && in.at[n] != '"')
        return reader_stop(r, READER_BROKEN, t->offset + 1 + n);
    bool whole = n < in.len;
    r->rest = in;
    if (!whole)
        return cut_token(r, t, kind);
    token_of(r, t, kind, n);
    bytes_cut(&r->rest, 1);
    if (kind == TOKEN_KEY)
        r->state = COLON;
    return true;
}

/* What `in` and `word` have in common at their beginning. */
static size_t common(struct bytes in, const char *word)
{
    size_t n = 0;
    while (n < in.len && word[n] && in.at[n] == (uint8_t)word[n])
        n++;
    return n;
}

static bool read_word(struct reader *r, struct token *t, const char *word, enum token_kind kind,
                      double real)
{
    size_t n = common(r->rest, word);
    t->real = real;
    if (!word[n])
        return token_of(r, t, kind, n);
    if (n == r->rest.len)
        return cut_token(r, t, kind);
    return reader_stop(r, READER_BROKEN, t->offset);
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

static bool read_fraction(struct reader *r, struct token *t, size_t from)
{
    struct bytes in = r->rest;
    size_t n = from;
    if (in.at[n] == '.') {
        size_t to = digits(in, n + 1);
        n = to > n + 1 ? to : n;
    }
    if (n > from || in.at[n] != '.')
        n = exponent(in, n);
    if (r->clipped && may_go_on(in, n))
        return cut_token(r, t, TOKEN_FLOAT);
    bool real = n > from;
    token_of(r, t, real ? TOKEN_FLOAT : TOKEN_INT, n);
    if (real)
        t->real = number_real(t->text);
    else
        t->num = number_int(t->text);
    return true;
}

static bool read_number(struct reader *r, struct token *t)
{
    struct bytes in = r->rest;
    size_t sign = in.at[0] == '-', n = sign;
    if (n < in.len && in.at[n] == '0')
        n++;
    else
        n = digits(in, n);
    if (n == in.len && r->clipped) {
        cut_token(r, t, TOKEN_INT);
        t->num = n > sign ? number_int(t->text) : 0;
        return true;
    }
    if (n == sign)
        return reader_stop(r, READER_BROKEN, t->offset);
    if (n < in.len && (in.at[n] == '.' || (in.at[n] | 0x20) == 'e'))
        return read_fraction(r, t, n);
    token_of(r, t, TOKEN_INT, n);
    t->num = number_int(t->text);
    return true;
}

static bool open_container(struct reader *r, struct token *t, bool map)
{
    t->kind = map ? TOKEN_MAP : TOKEN_LIST;
    bytes_cut(&r->rest, 1);
    if (r->depth < READER_DEPTH) {
        reader_push(r, map);
        r->state = map ? FIRST_KEY : FIRST_ITEM;
        return true;
    }
    size_t n = json_walk(r->rest);
    r->too_deep++;
    r->rest = bytes_of(r->rest.at - 1, r->rest.len + 1);
    if (n == SIZE_MAX)
        return cut_token(r, t, TOKEN_NULL);
    return token_of(r, t, TOKEN_NULL, n + 1);
}

static bool close_container(struct reader *r, struct token *t)
{
    t->kind = reader_in_map(r) ? TOKEN_MAP_END : TOKEN_LIST_END;
    bytes_cut(&r->rest, 1);
    t->depth = --r->depth;
    r->state = AFTER;
    return true;
}

static bool read_value(struct reader *r, struct token *t)
{
    struct bytes in = r->rest;
    switch (in.at[0]) {
    case '"': return read_string(r, t, TOKEN_STRING);
    case '{': return open_container(r, t, true);
    case '[': return open_container(r, t, false);
    case 't': return read_word(r, t, "true", TOKEN_TRUE, 0);
    case 'f': return read_word(r, t, "false", TOKEN_FALSE, 0);
    case 'n': return read_word(r, t, "null", TOKEN_NULL, 0);
    case 'N': return read_word(r, t, "NaN", TOKEN_FLOAT, __builtin_nan(""));
    case 'I': return read_word(r, t, "Infinity", TOKEN_FLOAT, __builtin_inf());
    case '-':
        if (in.len > 1 && in.at[1] == 'I')
            return read_word(r, t, "-Infinity", TOKEN_FLOAT, -__builtin_inf());
        return read_number(r, t);
    default:
        return is_digit(in.at[0]) ? read_number(r, t) : reader_stop(r, READER_BROKEN, t->offset);
    }
}

/* After a value inside a container: on to where the next key or value begins. false: there is
 * none, because the container closes here (*closes) or the document is broken. */
static bool next_item(struct reader *r, bool *closes)
{
    bool map = reader_in_map(r);
    uint8_t c = r->rest.at[0];
    *closes = c == (map ? '}' : ']');
    if (*closes)
        return false;
    if (c != ',')
        return reader_stop(r, READER_BROKEN, reader_at(r));
    bytes_cut(&r->rest, 1);
    skip_blanks(&r->rest);
    r->state = map ? KEY : VALUE;
    return r->rest.len > 0 || reader_ran_out(r);
}

static bool pass_colon(struct reader *r)
{
    if (r->rest.at[0] != ':')
        return reader_stop(r, READER_BROKEN, reader_at(r));
    bytes_cut(&r->rest, 1);
    skip_blanks(&r->rest);
    r->state = VALUE;
    return r->rest.len > 0 || reader_ran_out(r);
}

bool json_next(struct reader *r, struct token *t)
{
    bool closes = false;
    if (r->state == CUT)
        return reader_ran_out(r);
    skip_blanks(&r->rest);
    if (r->state == AFTER && r->depth == 0)
        return reader_stop(r, READER_WHOLE, 0);
    if (r->rest.len == 0)
        return reader_ran_out(r);
    if (r->state == COLON && !pass_colon(r))
        return false;
    if (r->state == AFTER && !next_item(r, &closes) && !closes)
        return false;

    uint8_t c = r->rest.at[0];
    token_init(r, t, reader_at(r));
    if (closes || (r->state == FIRST_KEY && c == '}') || (r->state == FIRST_ITEM && c == ']'))
        return close_container(r, t);
    if (r->state != KEY && r->state != FIRST_KEY)
        return read_value(r, t);
    return c == '"' ? read_string(r, t, TOKEN_KEY) : reader_stop(r, READER_BROKEN, t->offset);
}

void json_skip(struct reader *r)
{
    size_t n = json_walk(r->rest);
    if (n == SIZE_MAX) {
        bytes_cut(&r->rest, r->rest.len);
        r->state = CUT;
        return;
    }
    bytes_cut(&r->rest, n);
    r->depth--;
    r->state = AFTER;
}
