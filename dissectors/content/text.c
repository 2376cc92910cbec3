/* content/text.c - JSON's escapes undone (RFC 8259, 7). */
#include "dissectors/content/reader.h"

static unsigned hex(uint8_t c)
{
    return c <= '9' ? c - (unsigned)'0' : (c | 0x20u) - 'a' + 10;
}

/* The unit of a \uXXXX at the front; the reader has checked its digits. false: it is not one. */
static bool unit(struct bytes text, unsigned *u)
{
    if (text.len < 6 || text.at[0] != '\\' || text.at[1] != 'u')
        return false;
    *u = hex(text.at[2]) << 12 | hex(text.at[3]) << 8 | hex(text.at[4]) << 4 | hex(text.at[5]);
    return true;
}

static size_t utf8(unsigned c, uint8_t out[4])
{
    if (c < 0x80)
        return (out[0] = (uint8_t)c, 1);
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xe0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (c & 0x3f));
    return 4;
}

/* A \u escape, or the two that make one character; a lone half stays one, as in Python. */
static size_t unicode(struct bytes *text, uint8_t out[4])
{
    unsigned c = 0, low;
    if (!unit(*text, &c)) {
        bytes_cut(text, text->len); /* cut by the end of the capture */
        return 0;
    }
    bytes_cut(text, 6);
    if (c >= 0xd800 && c < 0xdc00 && unit(*text, &low) && low >= 0xdc00 && low < 0xe000) {
        c = 0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00));
        bytes_cut(text, 6);
    }
    return utf8(c, out);
}

/* Takes one character, escaped or not, off the front; how many bytes it is, 0 at the end. */
static size_t next_char(struct bytes *text, uint8_t out[4])
{
    struct bytes c = bytes_cut(text, 1);
    if (c.len == 0)
        return 0;
    if (c.at[0] != '\\')
        return (out[0] = c.at[0], 1);
    if (text->len > 0 && text->at[0] == 'u') {
        *text = bytes_of(c.at, text->len + 1);
        return unicode(text, out);
    }
    c = bytes_cut(text, 1);
    if (c.len == 0)
        return 0;
    switch (c.at[0]) {
    case 'b': out[0] = '\b'; break;
    case 'f': out[0] = '\f'; break;
    case 'n': out[0] = '\n'; break;
    case 'r': out[0] = '\r'; break;
    case 't': out[0] = '\t'; break;
    default: out[0] = c.at[0];
    }
    return 1;
}

/* Text up to the next escape, as it is. */
static struct bytes plain_run(struct bytes *text)
{
    const uint8_t *escape = text->len > 0 ? memchr(text->at, '\\', text->len) : NULL;
    return bytes_cut(text, escape ? (size_t)(escape - text->at) : text->len);
}

struct bytes token_text(const struct token *t, struct arena *arena)
{
    if (!t->escaped)
        return t->text;
    struct bytes left = t->text;
    uint8_t *to = arena_raw(arena, left.len); /* no escape is shorter than what it stands for */
    size_t n = 0;
    if (!to)
        return (struct bytes){0};
    while (left.len > 0) {
        struct bytes run = plain_run(&left);
        uint8_t c[4];
        if (run.len > 0)
            memcpy(to + n, run.at, run.len);
        n += run.len;
        size_t made = next_char(&left, c);
        memcpy(to + n, c, made);
        n += made;
    }
    /* A first half whose second one the capture has cut off is not a lone one. */
    if (t->cut && n >= 3 && to[n - 3] == 0xed && to[n - 2] >= 0xa0 && to[n - 2] < 0xb0)
        n -= 3;
    return bytes_of(to, n);
}

bool token_is(const struct token *t, const char *text)
{
    if (t->cut)
        return false;
    if (!t->escaped)
        return bytes_eq(t->text, text);
    struct bytes left = t->text, want = bytes_of(text, strlen(text));
    uint8_t c[4];
    for (size_t n; (n = next_char(&left, c)) > 0;) {
        struct bytes head = bytes_cut(&want, n);
        if (head.len != n || memcmp(head.at, c, n) != 0)
            return false;
    }
    return want.len == 0;
}
