/* signatures/lua.c - see lua.h. */
#include "signatures/lua.h"

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}

static bool starts(struct bytes b, const char *with)
{
    size_t n = strlen(with);

    return b.len >= n && memcmp(b.at, with, n) == 0;
}

static void line_ends(struct bytes *left)
{
    const uint8_t *lf = left->len > 0 ? memchr(left->at, '\n', left->len) : NULL;

    bytes_cut(left, lf ? (size_t)(lf - left->at) + 1 : left->len);
}

/* `[`, equal signs, `[`: how many of these; -1: it is none. */
static int level_of(struct bytes b)
{
    size_t n = 1;

    if (b.len < 2 || b.at[0] != '[')
        return -1;
    while (n < b.len && b.at[n] == '=' && n < LUA_TEXT_MAX)
        n++;
    return n < b.len && b.at[n] == '[' ? (int)n - 1 : -1;
}

/* What is in long brackets, which go with it; without an end it is all. */
static struct bytes long_text(struct bytes *left, int level)
{
    size_t open = (size_t)level + 2, n = 0;
    struct bytes text;

    bytes_cut(left, open);
    for (; n < left->len; n++) {
        size_t k = 1;

        if (left->at[n] != ']' || left->len - n < open)
            continue;
        while (k <= (size_t)level && left->at[n + k] == '=')
            k++;
        if (k == (size_t)level + 1 && left->at[n + k] == ']')
            break;
    }
    text = bytes_cut(left, n);
    bytes_cut(left, open);
    return text;
}

static void past_blanks(struct bytes *left)
{
    while (left->len > 0) {
        if (is_space(*left->at)) {
            bytes_cut(left, 1);
        } else if (starts(*left, "--")) {
            bytes_cut(left, 2);
            int level = level_of(*left);
            if (level >= 0)
                long_text(left, level);
            else
                line_ends(left);
        } else {
            return;
        }
    }
}

static void put(struct lua_reader *r, uint8_t c)
{
    if (r->n < LUA_TEXT_MAX)
        r->text[r->n++] = c;
    else
        r->cut = true;
}

/* Behind a backslash (lua:llex.c:read_string). */
static void escape(struct lua_reader *r)
{
    static const char letters[] = "abfnrtv", means[] = "\a\b\f\n\r\t\v";
    struct bytes *left = &r->left;
    unsigned code = 0, digits = 0;
    const char *letter;

    while (digits < 3 && left->len > 0 && is_digit(*left->at)) {
        code = code * 10 + (unsigned)(*left->at - '0');
        bytes_cut(left, 1);
        digits++;
    }
    if (digits > 0 || left->len == 0) {
        put(r, (uint8_t)code);
        return;
    }
    letter = memchr(letters, *left->at, sizeof letters - 1);
    put(r, letter ? (uint8_t)means[letter - letters] : *left->at);
    bytes_cut(left, 1);
}

/* A text in quotes; false: it has no end on its line, with which no script loads, and the line is
 * passed over. */
static bool quoted(struct lua_reader *r)
{
    uint8_t quote = *r->left.at;
    size_t n = r->n;

    bytes_cut(&r->left, 1);
    while (r->left.len > 0 && *r->left.at != quote && *r->left.at != '\n') {
        uint8_t c = *r->left.at;

        bytes_cut(&r->left, 1);
        if (c == '\\')
            escape(r);
        else
            put(r, c);
    }
    if (r->left.len == 0 || *r->left.at != quote) {
        r->n = n;
        return false;
    }
    bytes_cut(&r->left, 1);
    return true;
}

/* A text of either form, behind what is in r->text; false: there is none. */
static bool text(struct lua_reader *r)
{
    int level = level_of(r->left);
    struct bytes plain;

    if (level < 0)
        return r->left.len > 0 && (*r->left.at == '\'' || *r->left.at == '"') && quoted(r);
    plain = long_text(&r->left, level);
    if (plain.len > 0 && *plain.at == '\n')
        bytes_cut(&plain, 1);
    for (size_t i = 0; i < plain.len && !r->cut; i++)
        put(r, plain.at[i]);
    return true;
}

/* `.. text`, as often as it is there. */
static void joined(struct lua_reader *r)
{
    for (;;) {
        struct bytes was = r->left;

        past_blanks(&r->left);
        if (starts(r->left, "..") && !starts(r->left, "...")) {
            bytes_cut(&r->left, 2);
            past_blanks(&r->left);
            if (text(r))
                continue;
        }
        r->left = was;
        return;
    }
}

void lua_begin(struct lua_reader *r, struct bytes script)
{
    r->left = script;
    if (starts(script, "#"))
        line_ends(&r->left); /* of a library: `#!lua name=x` */
}

struct lua_word lua_next(struct lua_reader *r)
{
    struct lua_word w = {.kind = LUA_END};
    size_t n = 0, before;

    do {
        past_blanks(&r->left);
        if (r->left.len == 0)
            return w;
        before = r->left.len;
        r->n = 0;
        r->cut = false;
        if (text(r)) {
            joined(r);
            w = (struct lua_word){LUA_TEXT, bytes_of(r->text, r->n), r->cut};
            return w;
        }
    } while (r->left.len < before); /* a line was passed over */
    while (n < r->left.len && is_name(r->left.at[n]))
        n++;
    w.kind = n > 0 ? LUA_NAME : LUA_MARK;
    w.text = bytes_cut(&r->left, n > 0 ? n : 1);
    return w;
}

bool lua_is(const struct lua_word *w, const char *small)
{
    size_t n = strlen(small);

    if (w->text.len != n || w->cut)
        return false;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = w->text.at[i];

        if ((c >= 'A' && c <= 'Z' ? c + 0x20 : c) != (uint8_t)small[i])
            return false;
    }
    return true;
}
