/* dissectors/resp/value.c - see value.h. One loop, one switch; each case takes what
 * it can from `in` and either moves the state on or returns for more. */
#include "dissectors/resp/value.h"

#include <stdlib.h>

#include "dissectors/resp/value_parts.h"

#define WIPE_MAX 4096u /* small buffers are wiped without asking what was in them */

void resp_value_init(struct resp_value *v, const struct dissect_conf *conf, bool client)
{
    memset(v, 0, sizeof *v);
    v->conf = conf;
    v->client = client;
    v->trust = RESP_TRUST;
}

void value_hold(struct resp_value *v, struct bytes piece, size_t cap)
{
    if (!v->held) {
        v->held = malloc(sizeof *v->held);
        if (!v->held)
            return;
        keep_init(v->held, SIZE_MAX / 2, v->conf->budget);
    }
    if (piece.len > 0 && v->held->len < cap)
        keep_add_of(v->held, bytes_head(piece, cap - v->held->len),
                    v->state == RESP_BODY && v->wire_len < cap ? v->wire_len : 0);
}

void value_release(struct resp_value *v)
{
    tap_end(v->conf->taps, &v->tap);
    if (!v->held)
        return;
    if (v->held->len > 0 && v->held->len <= WIPE_MAX)
        explicit_bzero(v->held->data, v->held->len);
    keep_free(v->held);
    free(v->held);
    v->held = NULL;
}

void resp_value_free(struct resp_value *v)
{
    value_release(v);
    free(v->deep);
    v->deep = NULL;
}

void resp_value_lose(struct resp_value *v)
{
    if (v->state == RESP_IGNORE)
        return;
    value_release(v);
    value_unit_over(v);
    v->bare = false;
    v->trust = 0;
    v->line_start = true;
    v->state = RESP_LOST;
}

void value_lose(struct resp_value *v, const struct resp_sink *sink)
{
    if (v->state == RESP_IGNORE)
        return;
    sink->lost(sink->ctx);
    resp_value_lose(v);
}

void resp_value_sync(struct resp_value *v)
{
    v->bare = true;
}

void resp_value_ignore(struct resp_value *v)
{
    value_release(v);
    value_unit_over(v);
    v->bare = false;
    v->state = RESP_IGNORE;
}

static void end_bulk(struct resp_value *v, struct bytes text, const struct resp_sink *sink)
{
    struct resp_token t = {.kind = v->kind, .gap = v->gap, .wire_len = v->wire_len, .text = text};

    if (v->tap)
        t.tap = &v->tap;
    value_scalar(v, &t, sink);
    tap_end(v->conf->taps, &v->tap);
}

/* `text` follows `kept`, and is not kept. Verbatim strings begin with three letters and a colon. */
static void tap_text(struct resp_value *v, struct bytes kept, struct bytes text)
{
    if (v->kind == RESP_VERBATIM)
        bytes_cut(&kept, 4);
    tap_add(v->conf->taps, &v->tap, bytes_of(NULL, 0), kept, text);
}

/* Keeps what there is room for. */
static void hold_text(struct resp_value *v, struct bytes text)
{
    size_t before = v->held ? v->held->len : 0;

    value_hold(v, text, v->conf->max_body);
    bytes_cut(&text, v->held ? v->held->len - before : 0);
    if (text.len > 0)
        tap_text(v, v->held ? keep_view(v->held) : bytes_of(NULL, 0), text);
}

/* A server reads on by the length, whatever stands where CRLF should (processMultibulkBuffer);
 * so does this. A server always sends it: without it, this is not the place that we think. */
static void bulk_over(struct resp_value *v, struct bytes text, bool crlf,
                      const struct resp_sink *sink)
{
    if (!crlf)
        value_broken(v, RESP_NO_CRLF, v->pos - 2, sink);
    if (!v->chunks)
        end_bulk(v, text, sink);
    else
        v->state = RESP_CHUNKS, v->left = 0, v->last = 0;
    if (!crlf && (!v->client || v->trust < RESP_TRUST))
        value_lose(v, sink);
}

/* Never without a place, even if it is empty: that would be no text. */
static struct bytes held_text(const struct resp_value *v)
{
    return v->held && v->held->len > 0 ? keep_view(v->held) : bytes_of("", 0);
}

static bool at_body(struct resp_value *v, struct bytes *in, const struct resp_sink *sink)
{
    struct bytes text, end;

    if (!v->split && !v->chunks && in->len >= 2 && in->len - 2 >= v->left) {
        text = value_take(v, in, v->left);
        end = value_take(v, in, 2);
        if (text.len > v->conf->max_body) {
            struct bytes rest = text;
            tap_text(v, bytes_cut(&rest, v->conf->max_body), rest);
        }
        bulk_over(v, bytes_head(text, v->conf->max_body), memcmp(end.at, "\r\n", 2) == 0, sink);
        return true;
    }
    if (in->len == 0 && v->left > 0)
        return false;
    v->split = true;
    text = value_take(v, in, v->left);
    v->left -= text.len;
    if (!v->gap)
        hold_text(v, text);
    if (v->left > 0)
        return false;
    v->state = RESP_CRLF;
    v->last = 0;
    return true;
}

/* v->last: bytes of the end seen; 4 is added when one was wrong. */
static bool at_crlf(struct resp_value *v, struct bytes *in, const struct resp_sink *sink)
{
    while ((v->last & 3u) < 2) {
        struct bytes b = value_take(v, in, 1);
        if (b.len == 0)
            return false;
        if (b.at[0] != "\r\n"[v->last & 1u])
            v->last |= 4u;
        v->last++;
    }
    bulk_over(v, held_text(v), v->last < 4, sink);
    return true;
}

/* `;<len>\r\n`: a piece of a streamed string; of length 0: its end. Byte by byte, since
 * the string itself is what is held. v->left is the number so far; v->last: 0 nothing,
 * 1 `;`, 2 a digit, 3 the CR was seen. */
static bool at_chunks(struct resp_value *v, struct bytes *in, const struct resp_sink *sink)
{
    for (;;) {
        struct bytes b = value_take(v, in, 1);
        uint8_t c = b.len > 0 ? b.at[0] : 0;

        if (b.len == 0)
            return false;
        if (v->last == 0 && c == RESP_CHUNK) {
            v->last = 1;
        } else if ((v->last == 1 || v->last == 2) && c >= '0' && c <= '9' &&
                   v->left < (uint64_t)RESP_BULK_MAX) {
            v->left = v->left * 10 + (c - (uint64_t)'0');
            v->last = 2;
        } else if (v->last == 2 && c == '\r') {
            v->last = 3;
        } else if (v->last == 3 && c == '\n') {
            break;
        } else {
            value_broken(v, RESP_BAD_LENGTH, v->pos - 1, sink);
            value_lose(v, sink);
            v->line_start = c == '\n';
            return true;
        }
    }
    if (v->left == 0) {
        end_bulk(v, held_text(v), sink);
        return true;
    }
    v->wire_len += v->left;
    v->state = v->wire_len > (uint64_t)RESP_BULK_MAX ? RESP_LOST : RESP_BODY;
    if (v->state == RESP_LOST)
        value_lose(v, sink);
    return true;
}

/* true: *from was not used up, or the next state may need nothing. */
static bool step(struct resp_value *v, struct bytes *from, const struct resp_sink *sink)
{
    switch (v->state) {
    case RESP_HEAD: return value_head(v, from, sink);
    case RESP_BODY: return at_body(v, from, sink);
    case RESP_CRLF: return at_crlf(v, from, sink);
    case RESP_CHUNKS: return at_chunks(v, from, sink);
    case RESP_LOST: return value_seek(v, from);
    default: value_take(v, from, from->len); return false;
    }
}

/* The same from where a candidate is held that may be the way back: what is held is read again
 * first. */
static void feed_again(struct resp_value *v, struct bytes in, const struct resp_sink *sink)
{
    uint8_t again[2 * RESP_CANDIDATE];
    struct bytes rest = {0};

    for (;;) {
        if (v->state == RESP_LOST && v->held) {
            if (!value_seek_held(v, again, &rest, &in))
                break;
            continue;
        }
        struct bytes *from = rest.len > 0 ? &rest : &in;
        v->replay = from == &rest;
        if (!step(v, from, sink) && from == &in)
            break;
    }
    v->replay = false;
}

void resp_value_feed(struct resp_value *v, struct bytes in, const struct resp_sink *sink)
{
    if (resp_value_between(v) && !v->bare && in.len > 0 && value_quick(v, &in, sink) && in.len == 0)
        return;
    do {
        if (v->state == RESP_LOST && v->held) {
            feed_again(v, in, sink);
            return;
        }
    } while (step(v, &in, sink));
}

/* A bulk of which something was seen is told as far as it goes. */
static void cut_short(struct resp_value *v, const struct resp_sink *sink)
{
    bool bulk = v->state == RESP_BODY || v->state == RESP_CRLF || v->state == RESP_CHUNKS;

    if (!bulk || !v->split)
        return;
    v->gap = true;
    end_bulk(v, held_text(v), sink);
}

bool resp_value_gap(struct resp_value *v, uint64_t missing, const struct resp_sink *sink)
{
    uint64_t end = v->state == RESP_BODY && missing > v->left ? missing - v->left : 0;
    bool body = v->state == RESP_BODY && !v->chunks;

    if (v->state == RESP_IGNORE || (body && end <= 2)) {
        v->pos += missing;
        v->gap = v->split = true;
        v->left -= missing - end < v->left ? missing - end : v->left;
        if (v->state != RESP_IGNORE && v->left == 0)
            v->state = RESP_CRLF, v->last = (uint8_t)end;
        return true;
    }
    if (v->state == RESP_CRLF && missing <= 2u - (v->last & 3u)) {
        v->pos += missing;
        v->last = (uint8_t)(v->last + missing);
        return true;
    }
    cut_short(v, sink);
    resp_value_lose(v);
    v->pos += missing;
    return false;
}

void resp_value_close(struct resp_value *v, const struct resp_sink *sink)
{
    cut_short(v, sink);
    resp_value_free(v);
    value_unit_over(v);
    v->state = RESP_IGNORE;
}
