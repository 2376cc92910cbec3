/* dissectors/apps/quick.c - see quick.h. Runs over every member of every envelope on
 * Redis, so it goes by pointers, each compared with the end before it is used. */
#include "dissectors/apps/quick.h"

#include "dissectors/content/reader.h"
#include "dissectors/content/scan.h"

enum { ROOM = 32, DIGITS = 18 };

static inline size_t left(const struct quick *q, quick_at at)
{
    return (size_t)(q->end - at);
}

static bool is_hex(uint8_t c)
{
    uint8_t low = c | 0x20;

    return (c >= '0' && c <= '9') || (low >= 'a' && low <= 'f');
}

/* Length of the escape at at[0..n), which begins with a backslash; 0: it is none. */
static size_t escape(quick_at at, size_t n)
{
    if (n < 2)
        return 0;
    if (at[1] != 'u')
        return at[1] && strchr("\"\\/bfnrt", at[1]) ? 2 : 0;
    if (n < 6)
        return 0;
    return is_hex(at[2]) && is_hex(at[3]) && is_hex(at[4]) && is_hex(at[5]) ? 6 : 0;
}

/* The first of at[n..) that a string cannot hold as it is; the end: there is none. */
static size_t plain(const struct quick *q, quick_at at, size_t n)
{
    struct bytes all = bytes_of(q->begin, (size_t)(q->end - q->begin));
    size_t from = (size_t)(at - q->begin);

    return scan_string_on(all, from + n) - from;
}

/* A string with escapes, the first of them behind n bytes. */
static quick_at escaped_string(struct quick *q, quick_at at, size_t n, struct bytes *text)
{
    struct token t = {.kind = TOKEN_STRING, .escaped = true};
    size_t all = left(q, at);

    while (n < all && at[n] == '\\') {
        size_t length = escape(at + n, all - n);
        if (length == 0)
            return NULL;
        n = plain(q, at, n + length);
    }
    if (n >= all || at[n] != '"')
        return NULL;
    t.text = bytes_of(at, n);
    *text = q->pass ? t.text : token_text(&t, q->arena);
    return at + n + 1;
}

quick_at quick_long_string(struct quick *q, quick_at at, size_t n, struct bytes *text)
{
    size_t all = left(q, at);

    n = plain(q, at, n);
    if (n < all && at[n] == '"') {
        *text = bytes_of(at, n);
        return at + n + 1;
    }
    return n < all ? escaped_string(q, at, n, text) : NULL;
}

static inline quick_at word(const struct quick *q, quick_at at, const char *text, size_t n)
{
    return left(q, at) > n && memcmp(at, text, n) == 0 ? at + n : NULL;
}

static quick_at integer(const struct quick *q, quick_at at, struct header *h)
{
    bool minus = *at == '-';
    quick_at from = at + minus;
    int64_t num = 0;

    for (at = from; at < q->end && *at >= '0' && *at <= '9'; at++) {
        if (at - from == DIGITS)
            return NULL;
        num = num * 10 + (*at - '0');
    }
    /* A fraction or an exponent is no separator: refused by whoever comes next. */
    if (at == from || at == q->end || (*from == '0' && at > from + 1))
        return NULL;
    h->kind = HEADER_INT;
    h->num = minus ? -num : num;
    return at;
}

static inline quick_at truth(const struct quick *q, quick_at at, struct header *h)
{
    h->kind = HEADER_BOOL;
    h->num = *at == 't';
    return *at == 't' ? word(q, at, "true", 4) : word(q, at, "false", 5);
}

static inline quick_at scalar(struct quick *q, quick_at at, struct header *h)
{
    switch (*at) {
    case '"': h->kind = HEADER_TEXT; return quick_string(q, at + 1, &h->text);
    case 'n': return word(q, at, "null", 4);
    case 't':
    case 'f': return truth(q, at, h);
    default: return integer(q, at, h);
    }
}

static inline struct header *new_header(struct quick *q)
{
    struct header *h;

    if (q->room == q->room_end) {
        q->room = arena_raw(q->arena, ROOM * sizeof *q->room);
        q->room_end = q->room ? q->room + ROOM : NULL;
        if (!q->room)
            return NULL;
    }
    h = q->room++;
    h->next = NULL;
    h->name = (struct bytes){0};
    h->kind = HEADER_NULL;
    h->cut = false;
    h->text = (struct bytes){0};
    return h;
}

struct open {
    const struct header **link; /* where the next member goes */
    bool map;
};

/* One member of the innermost container, whose end it is not; in[1] is free for one that opens. */
static inline quick_at member(struct quick *q, quick_at at, struct open *in, bool *opened)
{
    struct header *h = new_header(q);

    if (!h)
        return NULL;
    *in->link = h;
    in->link = &h->next;
    if (in->map) {
        at = quick_take(q, at, '"');
        at = quick_string(q, at, &h->name);
        at = quick_take(q, at, ':');
        if (!at)
            return NULL;
    }
    if (at < q->end && *at == ' ')
        at++;
    if (at == q->end)
        return NULL;
    *opened = *at == '{' || *at == '[';
    if (!*opened)
        return scalar(q, at, h);
    h->kind = *at == '{' ? HEADER_MAP : HEADER_LIST;
    h->child = NULL;
    in[1] = (struct open){.link = &h->child, .map = *at == '{'};
    return at + 1;
}

/* Behind all ends of containers that stand here; *depth: of those that were open; UINT_MAX: the
 * outermost has ended too. */
static inline quick_at ends(const struct quick *q, quick_at at, const struct open *open,
                            unsigned *depth)
{
    for (quick_at to; (to = quick_take(q, at, open[*depth].map ? '}' : ']')); at = to)
        if ((*depth)-- == 0)
            return to;
    return at;
}

quick_at quick_tree(struct quick *q, quick_at at, struct headers *out)
{
    struct open open[QUICK_DEPTH + 1];
    unsigned depth = 0;

    *out = (struct headers){0};
    open[0] = (struct open){.link = &out->first, .map = true};
    if (at)
        at = ends(q, at, open, &depth);
    for (unsigned n = 0; at && depth < QUICK_DEPTH && n < QUICK_MEMBERS; n++) {
        bool opened = false;

        at = member(q, at, &open[depth], &opened);
        if (!at)
            return NULL;
        if (!opened && at < q->end && *at == ',') {
            at++;
            continue;
        }
        depth += opened;
        if (depth == QUICK_DEPTH)
            return NULL;
        quick_at from = at;
        at = ends(q, at, open, &depth);
        if (depth == UINT32_MAX)
            return at;
        if (!opened || at != from)
            at = quick_take(q, at, ',');
    }
    return depth == UINT32_MAX ? at : NULL;
}
