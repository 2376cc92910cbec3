/* content/json_stream.c - see json_stream.h.
 *
 *   OUT --"--> TEXT --\--> ESCAPE --u--> HEX (4 digits) --> TEXT
 *    ^----"-----'  ^--any other--'                                */
#include "dissectors/content/json_stream.h"

#include "dissectors/content/scan.h"

enum state { OUT, TEXT, ESCAPE, HEX };

void json_stream_begin(struct json_stream *s, const struct json_stream_sink *sink,
                       const struct bytes *wanted, unsigned n_wanted)
{
    memset(s, 0, sizeof *s);
    s->sink = *sink;
    s->wanted = wanted;
    s->n_wanted = n_wanted;
    keep_init(&s->copy, JSON_STREAM_COPY, NULL);
}

void json_stream_free(struct json_stream *s)
{
    keep_free(&s->copy);
}

struct bytes json_stream_copy(const struct json_stream *s)
{
    return keep_view(&s->copy);
}

static void copy(struct json_stream *s, const void *at, size_t n)
{
    if (s->wanted && !s->mute)
        keep_add(&s->copy, bytes_of(at, n));
}

/* Of a string as it is written: as much as the copy has room for, and never half an escape. */
static void copy_text(struct json_stream *s, const void *at, size_t n)
{
    if (s->copied + n > JSON_STREAM_TEXT)
        n = s->copied < JSON_STREAM_TEXT ? JSON_STREAM_TEXT - s->copied : 0;
    if (n > 0)
        copy(s, at, n);
    s->copied += (uint32_t)n;
}

static bool top_is_map(const struct json_stream *s)
{
    unsigned d = s->at.depth;

    return d > 0 && d <= JSON_STREAM_LEVELS && (s->at.maps >> (d - 1) & 1);
}

/* The object that the document is, or the first element of the list that it is. */
static bool is_outermost(const struct json_stream *s)
{
    unsigned d = s->at.depth;

    return top_is_map(s) && (d == 1 || (d == 2 && !(s->at.maps & 1)));
}

static struct json_key *own_key(struct json_stream *s)
{
    unsigned d = s->at.depth;

    return d > 0 && d <= JSON_STREAM_KEYS ? &s->at.key[d - 1] : NULL;
}

static void add_key(struct json_stream *s, struct bytes piece)
{
    struct json_key *k = own_key(s);

    if (!k || s->long_key)
        return;
    if (piece.len > sizeof k->text - k->len) {
        s->long_key = true;
        k->len = 0;
        return;
    }
    if (piece.len > 0)
        memcpy(k->text + k->len, piece.at, piece.len);
    k->len = (uint8_t)(k->len + piece.len);
}

static void text_piece(struct json_stream *s, struct bytes piece)
{
    if (s->in_key)
        add_key(s, piece);
    else if (piece.len > 0)
        s->sink.piece(s->sink.ctx, piece);
}

static void text_begins(struct json_stream *s)
{
    struct json_key *k = own_key(s);

    copy(s, "\"", 1);
    s->state = TEXT;
    s->copied = 0;
    s->high = 0;
    s->in_key = s->expect_key;
    if (!s->in_key) {
        s->sink.begin(s->sink.ctx, &s->at);
        return;
    }
    s->long_key = false;
    if (k)
        k->len = 0;
}

static void text_ends(struct json_stream *s)
{
    copy(s, "\"", 1);
    s->state = OUT;
    if (!s->in_key)
        s->sink.end(s->sink.ctx);
}

static bool is_wanted(struct json_stream *s)
{
    const struct json_key *k = own_key(s);

    for (unsigned i = 0; i < s->n_wanted; i++)
        if (s->wanted[i].len == k->len && memcmp(s->wanted[i].at, k->text, k->len) == 0)
            return true;
    return false;
}

/* A value begins behind its colon. */
static void colon(struct json_stream *s)
{
    bool drop = is_outermost(s) && s->wanted && !s->mute && !is_wanted(s);

    copy(s, drop ? ":0" : ":", drop ? 2 : 1);
    s->mute |= drop;
    s->expect_key = false;
}

static void comma(struct json_stream *s)
{
    if (is_outermost(s))
        s->mute = false;
    copy(s, ",", 1);
    s->expect_key = top_is_map(s);
}

static void opens(struct json_stream *s, uint8_t c)
{
    unsigned d = s->at.depth++;

    copy(s, &c, 1);
    if (d < JSON_STREAM_LEVELS) {
        s->at.maps &= ~((uint64_t)1 << d);
        s->at.maps |= (uint64_t)(c == '{') << d;
    }
    if (d < JSON_STREAM_KEYS)
        s->at.key[d].len = 0;
    s->expect_key = c == '{' && d < JSON_STREAM_LEVELS;
}

static void closes(struct json_stream *s, uint8_t c)
{
    if (is_outermost(s))
        s->mute = false;
    copy(s, &c, 1);
    s->at.depth -= s->at.depth > 0;
    s->expect_key = false;
}

/* Numbers and words, without the blanks around them. */
static void copy_plain(struct json_stream *s, struct bytes b)
{
    while (b.len > 0) {
        size_t n = 0;

        while (n < b.len && b.at[n] > ' ')
            n++;
        if (n > 0)
            copy(s, b.at, n);
        bytes_cut(&b, n);
        bytes_cut(&b, 1);
    }
}

/* Outside of strings: up to and with the next byte that means something. */
static void take_out(struct json_stream *s, struct bytes *in)
{
    size_t n = 0;
    uint8_t c = 0;

    for (; n < in->len; n++) {
        c = in->at[n];
        if (c == '"' || c == ',' || c == ':' || (c | 0x20) == '{' || (c | 0x20) == '}')
            break;
    }
    copy_plain(s, bytes_cut(in, n));
    if (in->len == 0)
        return;
    bytes_cut(in, 1);
    switch (c) {
    case '"': text_begins(s); break;
    case ',': comma(s); break;
    case ':': colon(s); break;
    case '[':
    case '{': opens(s, c); break;
    default: closes(s, c); break;
    }
}

static void take_text(struct json_stream *s, struct bytes *in)
{
    size_t n = scan_string(*in, 0);

    while (n < in->len && in->at[n] != '"' && in->at[n] != '\\') /* a control character */
        n = scan_string(*in, n + 1);
    struct bytes piece = bytes_cut(in, n);
    if (piece.len > 0) {
        s->high = 0;
        copy_text(s, piece.at, piece.len);
        text_piece(s, piece);
    }
    if (in->len == 0)
        return;
    if (*bytes_cut(in, 1).at == '"')
        text_ends(s);
    else
        s->state = ESCAPE;
}

static const char plain_escapes[] = "\"\\/bfnrt", plain_meaning[] = "\"\\/\b\f\n\r\t";

static void take_escape(struct json_stream *s, struct bytes *in)
{
    uint8_t c = *bytes_cut(in, 1).at;
    const char *which = c ? strchr(plain_escapes, c) : NULL;
    char two[2] = {'\\', (char)c};

    if (c == 'u') {
        s->state = HEX;
        s->hex = s->n_hex = 0;
        return;
    }
    s->state = TEXT;
    s->high = 0;
    if (!which)
        return; /* no reader takes it */
    if (s->copied + 2 <= JSON_STREAM_TEXT)
        copy_text(s, two, 2);
    else
        s->copied = JSON_STREAM_TEXT;
    text_piece(s, bytes_of(&plain_meaning[which - plain_escapes], 1));
}

static size_t utf8(uint32_t c, uint8_t to[4])
{
    if (c < 0x80) {
        to[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (uint8_t)(0xc0 | c >> 6);
        to[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (uint8_t)(0xe0 | c >> 12);
        to[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        to[2] = (uint8_t)(0x80 | (c & 0x3f));
        return 3;
    }
    to[0] = (uint8_t)(0xf0 | c >> 18);
    to[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
    to[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    to[3] = (uint8_t)(0x80 | (c & 0x3f));
    return 4;
}

/* A code unit is complete. Halves without their other half are nothing that anybody looks for. */
static void unit(struct json_stream *s)
{
    static const char digits[] = "0123456789abcdef";
    char six[6] = {'\\',
                   'u',
                   digits[s->hex >> 12],
                   digits[s->hex >> 8 & 15],
                   digits[s->hex >> 4 & 15],
                   digits[s->hex & 15]};
    uint32_t c = s->hex;
    uint8_t text[4];

    s->state = TEXT;
    if (s->copied + sizeof six <= JSON_STREAM_TEXT)
        copy_text(s, six, sizeof six);
    else
        s->copied = JSON_STREAM_TEXT;
    if (c >= 0xd800 && c < 0xdc00) {
        s->high = (uint16_t)c;
        return;
    }
    if (c >= 0xdc00 && c < 0xe000) {
        if (s->high == 0)
            return;
        c = 0x10000 + ((uint32_t)(s->high - 0xd800) << 10) + (c - 0xdc00);
    }
    s->high = 0;
    text_piece(s, bytes_of(text, utf8(c, text)));
}

static void take_hex(struct json_stream *s, struct bytes *in)
{
    uint8_t c = *in->at;
    unsigned digit = c >= '0' && c <= '9' ? c - (unsigned)'0' : (c | 0x20u) - 'a' + 10u;

    if (digit > 15) { /* no reader takes it */
        s->state = TEXT;
        return;
    }
    bytes_cut(in, 1);
    s->hex = (uint16_t)((unsigned)s->hex << 4 | digit);
    if (++s->n_hex == 4)
        unit(s);
}

void json_stream_feed(struct json_stream *s, struct bytes in)
{
    while (in.len > 0) {
        switch (s->state) {
        case OUT: take_out(s, &in); break;
        case TEXT: take_text(s, &in); break;
        case ESCAPE: take_escape(s, &in); break;
        default: take_hex(s, &in); break;
        }
    }
}
