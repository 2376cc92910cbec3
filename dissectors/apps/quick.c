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

/* At a block that begins at `at`, or is the last one; of a text shorter than a block all is seen.
 */
static void look(struct quick *q, quick_at at)
{
    size_t all = (size_t)(q->end - q->begin);
    uint8_t copy[64];

    if (all < sizeof copy) {
        memset(copy, ' ', sizeof copy);
        memcpy(copy, q->begin, all);
        q->block = q->begin;
        q->stops = scan_string_mask_64(copy);
        return;
    }
    q->block = left(q, at) < 64 ? q->end - 64 : at;
    q->stops = scan_string_mask_64(q->block);
}

bool quick_begin(struct quick *q, struct bytes text, struct arena *arena)
{
    if (text.len == 0 || (text.at[text.len - 1] != '}' && text.at[text.len - 1] != ']'))
        return false;
    *q = (struct quick){.begin = text.at, .end = text.at + text.len, .arena = arena};
    look(q, q->begin);
    return true;
}

/* How far it is from the block to behind it, or to the end of the text. */
static quick_at behind_block(const struct quick *q)
{
    return left(q, q->block) < 64 ? q->end : q->block + 64;
}

quick_at quick_far_stop(struct quick *q, quick_at at)
{
    if ((size_t)(at - q->block) < 64)
        at = behind_block(q);
    if (at == q->end)
        return at;
    look(q, at);
    uint64_t stops = q->stops >> (at - q->block);
    if (stops)
        return at + __builtin_ctzll(stops);
    at = behind_block(q);
    return q->begin +
           scan_string_on(bytes_of(q->begin, (size_t)(q->end - q->begin)), (size_t)(at - q->begin));
}

quick_at quick_hard_string(struct quick *q, quick_at at, quick_at stop, struct bytes *text)
{
    struct token t = {.kind = TOKEN_STRING, .escaped = true};

    while (stop < q->end && *stop == '\\') {
        size_t length = escape(stop, left(q, stop));
        if (length == 0)
            return NULL;
        stop = quick_stop(q, stop + length);
    }
    if (stop >= q->end || *stop != '"')
        return NULL;
    t.text = bytes_of(at, (size_t)(stop - at));
    *text = q->pass ? t.text : token_text(&t, q->arena);
    return stop + 1;
}

static inline quick_at word(const struct quick *q, quick_at at, const char *text, size_t n)
{
    return left(q, at) > n && memcmp(at, text, n) == 0 ? at + n : NULL;
}

static quick_at integer(quick_at at, struct header *h)
{
    bool minus = *at == '-';
    quick_at from = at + minus;
    int64_t num = 0;

    for (at = from; *at >= '0' && *at <= '9'; at++) {
        if (at - from == DIGITS)
            return NULL;
        num = num * 10 + (*at - '0');
    }
    /* A fraction or an exponent is no separator: refused by whoever comes next. */
    if (at == from || (*from == '0' && at > from + 1))
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
    default: return integer(at, h);
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
    if (in->map)
        at = quick_name(q, at, &h->name);
    else
        at += *at == ' ';
    if (!at)
        return NULL;
    *opened = *at == '{' || *at == '[';
    if (!*opened)
        return scalar(q, at, h);
    h->kind = *at == '{' ? HEADER_MAP : HEADER_LIST;
    h->child = NULL;
    in[1] = (struct open){.link = &h->child, .map = *at == '{'};
    return at + 1;
}

/* Behind all ends of containers that stand here; *depth: of those that were open; UINT32_MAX: the
 * outermost has ended too. NULL: the text ends before it does. */
static inline quick_at ends(const struct quick *q, quick_at at, const struct open *open,
                            unsigned *depth)
{
    for (quick_at to; (to = quick_take(at, open[*depth].map ? '}' : ']')); at = to) {
        if ((*depth)-- == 0)
            return to;
        if (to == q->end)
            return NULL;
    }
    return at;
}

quick_at quick_tree(struct quick *q, quick_at at, struct headers *out)
{
    struct open open[QUICK_DEPTH + 1];
    unsigned depth = 0;

    *out = (struct headers){0};
    open[0] = (struct open){.link = &out->first, .map = true};
    at = ends(q, at, open, &depth);
    for (unsigned n = 0; at && depth < QUICK_DEPTH && n < QUICK_MEMBERS; n++) {
        bool opened = false;

        at = member(q, at, &open[depth], &opened);
        if (!at)
            return NULL;
        if (!opened && *at == ',') {
            at++;
            continue;
        }
        depth += opened;
        if (depth == QUICK_DEPTH)
            return NULL;
        quick_at from = at;
        at = ends(q, at, open, &depth);
        if (!at || depth == UINT32_MAX)
            return at;
        if (!opened || at != from)
            at = quick_take(at, ',');
    }
    return depth == UINT32_MAX ? at : NULL;
}
