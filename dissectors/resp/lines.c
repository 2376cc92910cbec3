/* dissectors/resp/lines.c - header lines: what stands in one, and what becomes of the
 * stream when that is nothing that may stand there. */
#include <stdlib.h>

#include "dissectors/resp/foothold.h"
#include "dissectors/resp/value_parts.h"

struct line {
    struct bytes text; /* what was kept of it, without its end */
    uint64_t len;      /* on the wire, without its end */
    uint64_t offset;
    uint64_t taken; /* bytes that it took, the end included */
    bool cr, lf;
};

/* Out of step at this line, which was just cut off the front of `before`. It may still be
 * the start of a value, unless it was read as one already. */
static void lose_line(struct resp_value *v, const struct line *l, struct bytes *in,
                      const struct bytes *before, const struct resp_sink *sink)
{
    bool candidate = v->depth > 0 && l->taken <= RESP_CANDIDATE;
    struct keep *held = v->held;

    v->held = NULL;
    value_lose(v, sink);
    if (!candidate)
        v->held = held, value_release(v);
    else if (held)
        v->held = held;
    else
        v->pos -= before->len - in->len, *in = *before;
}

static bool begin_aggregate(struct resp_value *v, uint8_t kind, const struct line *l,
                            struct bytes digits, const struct resp_sink *sink)
{
    struct resp_token t = {.kind = kind};
    bool opened;

    if (bytes_eq(digits, "?") && kind != RESP_PUSH && kind != RESP_ATTRIBUTE && !v->client) {
        t.num = -1;
    } else if (!resp_number(digits, &t.num) || t.num > RESP_COUNT_MAX) {
        value_broken(v, RESP_BAD_LENGTH, l->offset, sink);
        return false;
    } else if (t.num < 0) {
        if (t.num != -1 || kind != RESP_ARRAY)
            value_broken(v, RESP_NEGATIVE, l->offset, sink);
        t = (struct resp_token){.kind = RESP_NULL, .null = true};
        value_scalar(v, &t, sink);
        return true;
    } else if (kind == RESP_MAP || kind == RESP_ATTRIBUTE) {
        t.num *= 2;
    }
    opened = value_open(v, &t, l->offset, sink);
    if (opened && v->held) /* a line that is lost is looked at again */
        value_release(v);
    return opened;
}

static bool begin_bulk(struct resp_value *v, uint8_t kind, const struct line *l,
                       struct bytes digits, const struct resp_sink *sink)
{
    struct resp_token t = {.kind = kind, .null = true};
    bool chunks = bytes_eq(digits, "?") && kind == RESP_BULK && !v->client;
    int64_t n = 0;

    if (!chunks && (!resp_number(digits, &n) || n > RESP_BULK_MAX || (v->client && n < 0))) {
        value_broken(v, RESP_BAD_LENGTH, l->offset, sink);
        return false;
    }
    if (n < 0) {
        if (n != -1)
            value_broken(v, RESP_NEGATIVE, l->offset, sink);
        value_scalar(v, &t, sink);
        return true;
    }
    if (v->held)
        value_release(v);
    v->kind = kind;
    v->chunks = chunks;
    v->last = 0;
    v->wire_len = v->left = (uint64_t)n;
    v->state = chunks ? RESP_CHUNKS : RESP_BODY;
    return true;
}

static bool text_value(struct resp_value *v, const struct line *l, const struct resp_sink *sink)
{
    struct resp_token t = {.kind = l->text.at[0], .wire_len = l->len - 1};

    t.text = bytes_of(l->text.at + 1, l->text.len - 1);
    if (t.kind == RESP_INTEGER && !resp_number(t.text, &t.num) && t.text.len < 18) {
        value_broken(v, RESP_BAD_LENGTH, l->offset, sink);
        return false;
    }
    if (t.kind == RESP_BOOL)
        t.num = bytes_eq(t.text, "t");
    t.null = t.kind == RESP_NULL;
    value_scalar(v, &t, sink);
    return true;
}

static bool server_line(struct resp_value *v, const struct line *l, const struct resp_sink *sink)
{
    uint8_t kind = l->text.at[0];
    struct bytes rest = bytes_of(l->text.at + 1, l->text.len - 1);

    if (kind == RESP_STREAM_END && l->len == 1 && value_stream_end(v, sink)) {
        if (v->held)
            value_release(v);
        return true;
    }
    resp_value_count(v, l->offset, sink);
    switch (kind) {
    case RESP_SIMPLE:
    case RESP_ERROR:
    case RESP_INTEGER:
    case RESP_NULL:
    case RESP_BOOL:
    case RESP_DOUBLE:
    case RESP_BIGNUM: return text_value(v, l, sink);
    case RESP_BULK:
    case RESP_BULK_ERROR:
    case RESP_VERBATIM: return begin_bulk(v, kind, l, rest, sink);
    case RESP_ARRAY:
    case RESP_MAP:
    case RESP_SET:
    case RESP_PUSH:
    case RESP_ATTRIBUTE: return begin_aggregate(v, kind, l, rest, sink);
    default: value_broken(v, RESP_BAD_TYPE, l->offset, sink); return false;
    }
}

/* After a foothold only what is surely a command is one. */
static bool inline_fits(const struct line *l)
{
    uint8_t copy[RESP_CANDIDATE];

    if (l->text.len + 2 > sizeof copy || !l->cr)
        return false;
    memcpy(copy, l->text.at, l->text.len);
    memcpy(copy + l->text.len, "\r\n", 2);
    return foothold_client(bytes_of(copy, l->text.len + 2)) == FOOTHOLD_YES;
}

static bool inline_command(struct resp_value *v, const struct line *l, const struct resp_sink *sink)
{
    struct resp_token t = {.kind = RESP_INLINE, .wire_len = l->len, .text = l->text};

    if (l->len == 0) {
        if (v->held)
            value_release(v);
        value_unit_over(v);
        return true;
    }
    if (v->trust < RESP_TRUST && !inline_fits(l))
        return false;
    value_scalar(v, &t, sink);
    return true;
}

static bool client_line(struct resp_value *v, const struct line *l, const struct resp_sink *sink)
{
    uint8_t kind = l->text.len > 0 ? l->text.at[0] : 0;
    struct bytes rest = bytes_of(l->text.at + 1, l->text.len > 0 ? l->text.len - 1 : 0);
    int64_t n;

    if (v->depth > 0) {
        if (kind != RESP_BULK) {
            value_broken(v, RESP_BAD_TYPE, l->offset, sink);
            return false;
        }
        resp_value_count(v, l->offset, sink);
        return begin_bulk(v, kind, l, rest, sink);
    }
    if (kind != RESP_ARRAY)
        return inline_command(v, l, sink);
    /* redis:src/networking.c:processMultibulkBuffer passes over a count of 0 or less. */
    if (resp_number(rest, &n) && n <= 0) {
        if (n < -1)
            value_broken(v, RESP_NEGATIVE, l->offset, sink);
        if (v->held)
            value_release(v);
        value_unit_over(v);
        return true;
    }
    return begin_aggregate(v, RESP_ARRAY, l, rest, sink);
}

static bool is_inline(const struct resp_value *v, uint8_t first)
{
    return v->client && v->depth == 0 && first != RESP_ARRAY;
}

/* How long a line of this first byte may be. */
static size_t line_max(const struct resp_value *v, uint8_t first)
{
    if (is_inline(v, first))
        return RESP_INLINE_MAX;
    if (!v->client && (first == RESP_SIMPLE || first == RESP_ERROR || first == RESP_BIGNUM))
        return SIZE_MAX;
    return RESP_CANDIDATE;
}

/* How much of it is kept. */
static size_t line_kept(const struct resp_value *v, uint8_t first)
{
    size_t max = line_max(v, first), item = v->conf->max_item;

    if (max < SIZE_MAX)
        return max;
    return item > RESP_CANDIDATE ? item : RESP_CANDIDATE;
}

/* The end of the line is not there yet. */
static bool hold_line(struct resp_value *v, struct bytes *in, const struct resp_sink *sink)
{
    uint8_t first = v->held && v->held->len > 0 ? v->held->data[0] : in->at[0];
    uint64_t offset = v->pos - v->wire_len;

    value_hold(v, *in, line_kept(v, first));
    v->wire_len += in->len;
    v->last = in->at[in->len - 1];
    value_take(v, in, in->len);
    if (v->wire_len > line_max(v, first)) {
        value_broken(v, is_inline(v, first) ? RESP_LINE_TOO_LONG : RESP_BAD_LENGTH, offset, sink);
        value_lose(v, sink);
        v->line_start = false;
    }
    return false;
}

/* Cuts the line off, which ends `n` bytes into *in. */
static void cut_line(struct resp_value *v, struct bytes *in, size_t n, struct line *l)
{
    uint64_t before = v->held ? v->wire_len : 0;
    struct bytes all;

    l->offset = v->pos - before;
    all = value_take(v, in, n);
    l->taken = before + n;
    l->lf = all.at[n - 1] == '\n';
    l->cr = n > 1 ? all.at[n - 2] == '\r' : before > 0 && v->last == '\r';
    l->len = l->taken - 1 - l->cr;
    if (v->held) {
        value_hold(v, all, line_kept(v, v->held->len > 0 ? v->held->data[0] : all.at[0]));
        all = keep_view(v->held);
        v->wire_len = 0;
    } else {
        all = bytes_head(all, line_kept(v, all.at[0]));
    }
    l->text = bytes_head(all, l->len < all.len ? (size_t)l->len : all.len);
}

/* Lines that cannot be right whatever they say. */
static bool bad_line(struct resp_value *v, const struct line *l, const struct resp_sink *sink)
{
    uint8_t first = l->text.len > 0 ? l->text.at[0] : 0;
    bool line = is_inline(v, first);

    if (l->taken > line_max(v, first)) {
        value_broken(v, line ? RESP_LINE_TOO_LONG : RESP_BAD_LENGTH, l->offset, sink);
        return true;
    }
    if (line)
        return l->text.len < l->len; /* no memory for it */
    if (l->text.len == 0)
        value_broken(v, RESP_BAD_TYPE, l->offset, sink);
    else if (!l->cr)
        value_broken(v, RESP_NO_CRLF, l->offset, sink);
    else if (!l->lf)
        value_broken(v, RESP_NO_CRLF, l->offset, sink); /* and the server reads on */
    return l->text.len == 0 || !l->cr;
}

/* Before the answer to SYNC come newlines; it is a bulk without end, or an error
 * (redis:src/replication.c:syncCommand). */
static bool bare_head(struct resp_value *v, struct bytes *in)
{
    if (in->at[0] == '\n')
        value_take(v, in, 1);
    else if (in->at[0] == RESP_ERROR || in->at[0] == RESP_SIMPLE)
        v->bare = false;
    else
        v->unit = v->pos, resp_value_ignore(v);
    return true;
}

bool value_quick(struct resp_value *v, struct bytes *in, const struct resp_sink *sink)
{
    uint32_t args = 0, total = 0;
    size_t n;

    if (v->replay || !sink->quick)
        return false;
    while (args == total) {
        if (in->len == 0 || v->state != RESP_HEAD)
            return true;
        if (v->client && in->at[0] != RESP_ARRAY)
            return false;
        v->unit = v->pos;
        n = sink->quick(sink->ctx, *in, &args, &total);
        if (n == 0)
            return false;
        value_take(v, in, n);
        v->trust = (uint8_t)(v->trust + (args == total && v->trust < RESP_TRUST));
    }
    v->open = true;
    v->depth = 1;
    v->near[0] = (struct resp_level){.left = total - args, .index = args, .kind = RESP_ARRAY};
    return true;
}

/* A length, a count or an integer whose line lies whole in the chunk, as they nearly all do. false:
 * nothing was taken, and the line is to be read with care. */
static bool plain_number(struct bytes in, int64_t *num, size_t *taken)
{
    size_t n = in.len < 12 ? in.len : 12, i = 1;
    int64_t x = 0;

    for (; i < n && in.at[i] >= '0' && in.at[i] <= '9'; i++)
        x = x * 10 + (in.at[i] - '0');
    if (i == 1 || i + 1 >= n || in.at[i] != '\r' || in.at[i + 1] != '\n' ||
        (in.at[1] == '0' && i > 2))
        return false;
    *num = x;
    *taken = i + 2;
    return true;
}

/* The kinds of value that matter for speed. */
static bool is_plain(const struct resp_value *v, uint8_t kind)
{
    if (kind == RESP_BULK)
        return !v->client || v->depth > 0;
    if (v->client)
        return false;
    return kind == RESP_INTEGER || (kind == RESP_ARRAY && v->depth < RESP_NEAR) ||
           (kind == RESP_PUSH && v->depth == 0);
}

/* false: nothing was taken. */
static bool plain_value(struct resp_value *v, struct bytes *in, const struct resp_sink *sink)
{
    uint64_t offset = v->pos;
    struct resp_token t = {.kind = in->at[0]};
    size_t taken;

    if (v->held || !is_plain(v, t.kind) || !plain_number(*in, &t.num, &taken) ||
        (t.kind != RESP_INTEGER && t.num > RESP_COUNT_MAX) || v->depth >= v->conf->max_depth)
        return false;
    resp_value_count(v, offset, sink);
    t.text = value_take(v, in, taken);
    if (t.kind == RESP_BULK) {
        v->kind = t.kind;
        v->last = 0;
        v->wire_len = v->left = (uint64_t)t.num;
        v->state = RESP_BODY;
    } else if (t.kind == RESP_INTEGER) {
        t.wire_len = taken - 3;
        t.text = bytes_of(t.text.at + 1, taken - 3);
        value_scalar(v, &t, sink);
    } else {
        t.text = bytes_of(NULL, 0);
        value_open(v, &t, offset, sink);
    }
    return true;
}

/* A count or a length that does not end where all of them do: lost, with nothing of it taken. What
 * stands in it is looked through for a foothold, from its start. */
static bool endless(struct resp_value *v, struct bytes *in, const struct resp_sink *sink)
{
    struct keep *held = v->held;
    size_t before = held ? (size_t)v->wire_len : 0;

    value_broken(v, RESP_BAD_LENGTH, v->pos - before, sink);
    if (held)
        value_hold(v, value_take(v, in, RESP_CANDIDATE - before), RESP_CANDIDATE);
    v->held = NULL;
    value_lose(v, sink);
    v->held = held;
    v->line_start = false;
    return true;
}

/* How much of *in ends the line; 0: its end is not there. The counts and lengths of a request end
 * with CR and one byte more, whichever (redis:src/networking.c:processMultibulkBuffer). */
static size_t to_line_end(const struct resp_value *v, struct bytes in)
{
    uint8_t first = v->held && v->held->len > 0 ? v->held->data[0] : in.at[0];
    bool any = v->client && !is_inline(v, first);
    const uint8_t *end = memchr(in.at, any ? '\r' : '\n', in.len);

    if (any && v->held && v->held->len > 0 && v->last == '\r')
        return 1;
    if (!end)
        return 0;
    return (size_t)(end - in.at) + 1 + any <= in.len ? (size_t)(end - in.at) + 1 + any : 0;
}

/* Any line, with care. */
static bool some_line(struct resp_value *v, struct bytes *in, const struct resp_sink *sink)
{
    struct bytes before = *in;
    size_t max = line_max(v, v->held && v->held->len > 0 ? v->held->data[0] : in->at[0]);
    size_t room = max - (v->held && max < SIZE_MAX ? (size_t)v->wire_len : 0);
    size_t end = to_line_end(v, max == RESP_CANDIDATE ? bytes_head(*in, room) : *in);
    struct line l;

    if (end == 0 && max == RESP_CANDIDATE && in->len >= room)
        return endless(v, in, sink);
    if (end == 0)
        return hold_line(v, in, sink);
    cut_line(v, in, end, &l);
    if (bad_line(v, &l, sink) || !(v->client ? client_line(v, &l, sink) : server_line(v, &l, sink)))
        lose_line(v, &l, in, &before, sink);
    return true;
}

bool value_head(struct resp_value *v, struct bytes *in, const struct resp_sink *sink)
{
    if (in->len == 0)
        return false;
    if (!v->open) {
        if (v->bare)
            return bare_head(v, in);
        if (!v->held && value_quick(v, in, sink))
            return true;
        v->open = true;
        v->unit = v->pos;
    }
    return plain_value(v, in, sink) || some_line(v, in, sink);
}
