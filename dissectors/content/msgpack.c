/* content/msgpack.c - MessagePack, token by token. A length off the wire is only ever compared with
 * what is there. */
#include <stdio.h>

#include "dissectors/content/msgpack_walk.h"
#include "dissectors/content/reader_formats.h"

enum state { READING, DONE, CUT };

/* A value has been read whole: one less of its container. */
static void count_value(struct reader *r)
{
    if (r->depth > 0)
        r->left[r->depth - 1]--;
    else
        r->state = DONE;
}

/* The input ends inside the token: gives its head if the document is a clipped one. */
static bool cut_token(struct reader *r, struct token *t, size_t head)
{
    if (!r->clipped)
        return reader_stop(r, READER_BROKEN, t->offset);
    bytes_cut(&r->rest, head);
    t->text = bytes_cut(&r->rest, r->rest.len);
    t->cut = true;
    r->state = CUT;
    return true;
}

/* Seconds since the epoch of the extension type -1 (specification, "Timestamp extension type"). */
static double timestamp(struct bytes data)
{
    struct cursor c = cur_over(data);
    if (data.len == 4)
        return (double)cur_u32(&c);
    if (data.len == 8) {
        uint64_t v = cur_u64(&c);
        return (double)(v & (((uint64_t)1 << 34) - 1)) + (double)(v >> 34) / 1e9;
    }
    if (data.len != 12)
        return 0;
    uint32_t ns = cur_u32(&c);
    int64_t s = (int64_t)cur_u64(&c);
    return (double)s + (double)ns / 1e9;
}

static bool read_text(struct reader *r, struct token *t, const struct mp_head *h)
{
    t->kind = h->kind == MP_STR ? TOKEN_STRING : TOKEN_BYTES;
    t->num = (int64_t)h->bits;
    if (h->count > r->rest.len - h->size)
        return cut_token(r, t, h->size);
    bytes_cut(&r->rest, h->size);
    t->text = bytes_cut(&r->rest, (size_t)h->count);
    if (h->kind == MP_EXT && t->num == -1)
        t->real = timestamp(t->text);
    count_value(r);
    return true;
}

static double float_of(const struct mp_head *h)
{
    uint32_t small = (uint32_t)h->bits;
    float f;
    double d;
    if (h->kind == MP_FLOAT32)
        return (memcpy(&f, &small, sizeof f), (double)f);
    memcpy(&d, &h->bits, sizeof d);
    return d;
}

static bool read_scalar(struct reader *r, struct token *t, const struct mp_head *h)
{
    switch (h->kind) {
    case MP_INT: t->kind = TOKEN_INT, t->num = (int64_t)h->bits; break;
    case MP_UINT:
        t->kind = TOKEN_INT;
        t->num = h->bits > INT64_MAX ? INT64_MAX : (int64_t)h->bits;
        break;
    case MP_NIL: t->kind = TOKEN_NULL; break;
    case MP_FALSE: t->kind = TOKEN_FALSE; break;
    case MP_TRUE: t->kind = TOKEN_TRUE; break;
    case MP_FLOAT32:
    case MP_FLOAT64: t->kind = TOKEN_FLOAT, t->real = float_of(h); break;
    default: return reader_stop(r, READER_BROKEN, t->offset);
    }
    bytes_cut(&r->rest, h->size);
    count_value(r);
    return true;
}

/* Over a value that nests too deep: it comes as one token. */
static bool pass_over(struct reader *r, struct token *t)
{
    struct bytes from = r->rest;
    t->kind = TOKEN_NULL;
    r->too_deep++;
    switch (mp_walk(&r->rest, 1)) {
    case MP_WALK_DONE:
        t->text = bytes_of(from.at, from.len - r->rest.len);
        count_value(r);
        return true;
    case MP_WALK_ENDED: r->rest = from; return cut_token(r, t, 0);
    case MP_WALK_BAD: break;
    }
    return reader_stop(r, READER_BROKEN, reader_at(r));
}

static bool open_container(struct reader *r, struct token *t, const struct mp_head *h)
{
    bool map = h->kind == MP_MAP;
    if (r->depth == READER_DEPTH)
        return pass_over(r, t);
    count_value(r);
    r->state = READING;
    t->kind = map ? TOKEN_MAP : TOKEN_LIST;
    bytes_cut(&r->rest, h->size);
    r->left[r->depth] = map ? 2 * h->count : h->count;
    reader_push(r, map);
    return true;
}

static bool close_container(struct reader *r, struct token *t)
{
    t->kind = reader_in_map(r) ? TOKEN_MAP_END : TOKEN_LIST_END;
    t->depth = --r->depth;
    if (r->depth == 0)
        r->state = DONE;
    return true;
}

/* A scalar in the place of a key, in words. */
static void make_key(struct reader *r, struct token *t)
{
    const char *word = r->word;
    switch (t->kind) {
    case TOKEN_INT: snprintf(r->word, sizeof r->word, "%lld", (long long)t->num); break;
    case TOKEN_FLOAT: snprintf(r->word, sizeof r->word, "%.17g", t->real); break;
    case TOKEN_TRUE: word = "true"; break;
    case TOKEN_FALSE: word = "false"; break;
    case TOKEN_NULL: word = "null"; break;
    default: word = NULL; /* text or bytes already */
    }
    if (word && !t->cut)
        t->text = bytes_of(word, strlen(word));
    t->kind = TOKEN_KEY;
}

static bool read_value(struct reader *r, struct token *t, const struct mp_head *h)
{
    switch (h->kind) {
    case MP_STR:
    case MP_BIN:
    case MP_EXT: return read_text(r, t, h);
    case MP_ARRAY:
    case MP_MAP: return open_container(r, t, h);
    default: return read_scalar(r, t, h);
    }
}

bool msgpack_next(struct reader *r, struct token *t)
{
    struct mp_head h;
    if (r->state == CUT)
        return reader_ran_out(r);
    if (r->state == DONE)
        return reader_stop(r, READER_WHOLE, 0);
    token_init(r, t, reader_at(r));
    if (r->depth > 0 && r->left[r->depth - 1] == 0)
        return close_container(r, t);
    if (!mp_head(r->rest, &h))
        return reader_ran_out(r);
    bool key = reader_in_map(r) && r->left[r->depth - 1] % 2 == 0;
    if (key && (h.kind == MP_ARRAY || h.kind == MP_MAP))
        return reader_stop(r, READER_BROKEN, t->offset);
    if (!read_value(r, t, &h))
        return false;
    if (key)
        make_key(r, t);
    return true;
}

void msgpack_skip(struct reader *r)
{
    switch (mp_walk(&r->rest, r->left[r->depth - 1])) {
    case MP_WALK_DONE: r->depth--; break;
    case MP_WALK_ENDED:
        bytes_cut(&r->rest, r->rest.len);
        r->state = CUT;
        return;
    case MP_WALK_BAD: reader_stop(r, READER_BROKEN, reader_at(r)); return;
    }
    if (r->depth == 0)
        r->state = DONE;
}
