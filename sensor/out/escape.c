/* out/escape.c - strings of the wire as JSON.
 *
 * Nearly all text is plain ASCII and is copied 16 or 8 bytes at a time; what is
 * not is looked at one character at a time. A string of n bytes takes at most 6n. */
#include "out/text.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { WORST = 6 }; /* \u00XX for one byte */

#if defined(__SSE2__)
/* A bit for each byte that is not plain: quote, backslash, control, DEL, not ASCII. */
static unsigned not_plain(__m128i v)
{
    /* signed: bytes from 0x80 are negative, so below the space as well */
    __m128i bad = _mm_or_si128(_mm_or_si128(_mm_cmplt_epi8(v, _mm_set1_epi8(0x20)),
                                            _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f))),
                               _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                                            _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))));
    return (unsigned)_mm_movemask_epi8(bad);
}

/* 4 to 7 bytes, 8 to 15 bytes: two overlapping halves side by side; all plain or nothing. */
static bool copy_shorter(char *to, const uint8_t *from, size_t n)
{
    int low, high;

    memcpy(&low, from, 4);
    memcpy(&high, from + n - 4, 4);
    if ((not_plain(_mm_unpacklo_epi32(_mm_cvtsi32_si128(low), _mm_cvtsi32_si128(high))) & 0xff) !=
        0)
        return false;
    memcpy(to, &low, 4);
    memcpy(to + n - 4, &high, 4);
    return true;
}

static bool copy_short(char *to, const uint8_t *from, size_t n)
{
    __m128i low = _mm_loadl_epi64((const __m128i *)(const void *)from);
    __m128i high = _mm_loadl_epi64((const __m128i *)(const void *)(from + n - 8));

    if (not_plain(_mm_unpacklo_epi64(low, high)) != 0)
        return false;
    _mm_storel_epi64((__m128i *)(void *)to, low);
    _mm_storel_epi64((__m128i *)(void *)(to + n - 8), high);
    return true;
}

static size_t copy_wide(char *to, const uint8_t *from, size_t n)
{
    size_t i = 0;

    while (n - i >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(from + i));
        unsigned bad = not_plain(v);
        _mm_storeu_si128((__m128i *)(void *)(to + i), v);
        if (bad != 0)
            return i + (unsigned)__builtin_ctz(bad);
        i += 16;
        if (i < n && n - i < 16)
            i = n - 16; /* the rest with what is before it, which is copied once more */
    }
    if (i > 0 || n < 4)
        return i;
    return (n >= 8 ? copy_short(to, from, n) : copy_shorter(to, from, n)) ? n : 0;
}
#else
static size_t copy_wide(char *to, const uint8_t *from, size_t n)
{
    (void)to, (void)from, (void)n;
    return 0;
}
#endif

/* Copies the plain ASCII in front (no quote, backslash, control, DEL) and says how much it
 * was. `to` has room for n + 16 bytes. */
static size_t copy_plain(char *to, const uint8_t *from, size_t n)
{
    for (size_t i = copy_wide(to, from, n); i < n; i++) {
        uint8_t c = from[i];
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
            return i;
        to[i] = (char)c;
    }
    return n;
}

/* The length of the valid character in front and its code point; 0: the byte is part of
 * none (RFC 3629: no overlong forms, no surrogates, nothing above 10FFFF). */
static size_t utf8_length(struct bytes s, uint32_t *code)
{
    static const uint32_t LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t lead = s.at[0];
    size_t n = lead < 0x80   ? 1
               : lead < 0xc2 ? 0
               : lead < 0xe0 ? 2
               : lead < 0xf0 ? 3
               : lead < 0xf5 ? 4
                             : 0;

    if (n == 0 || n > s.len)
        return 0;
    uint32_t c = n == 1 ? lead : lead & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s.at[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s.at[i] & 0x3fu);
    }
    if (c < LEAST[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0;
    *code = c;
    return n;
}

/* Characters that are not seen, or that change how their neighbours are shown. */
static bool is_hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
           (c >= 0xe0000 && c < 0xe0080);
}

static char *put_u(char *to, uint32_t unit)
{
    static const char HEX[] = "0123456789abcdef";

    *to++ = '\\';
    *to++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4)
        *to++ = HEX[unit >> shift & 15];
    return to;
}

static char *put_escaped(char *to, uint32_t c)
{
    if (c < 0x10000)
        return put_u(to, c);
    to = put_u(to, 0xd7c0 + (c >> 10)); /* a surrogate pair: 0xd800 - (0x10000 >> 10) */
    return put_u(to, 0xdc00 + (c & 0x3ff));
}

/* One character that copy_plain() does not take, off the front of *s. */
static char *put_special(char *to, struct bytes *s)
{
    uint32_t code = 0;
    size_t n = utf8_length(*s, &code);
    char c = (char)s->at[0];

    if (n == 0) {
        bytes_cut(s, 1);
        return put_u(to, 0xfffd);
    }
    struct bytes taken = bytes_cut(s, n);
    if (c == '"' || c == '\\' || c == '\n' || c == '\t' || c == '\r') {
        *to++ = '\\';
        *to++ = c == '\n' ? 'n' : c == '\t' ? 't' : c == '\r' ? 'r' : c;
        return to;
    }
    if (is_hidden(code))
        return put_escaped(to, code);
    memcpy(to, taken.at, taken.len);
    return to + taken.len;
}

void text_json(struct text *t, struct bytes s)
{
    if (s.len > (SIZE_MAX - 32) / WORST || !text_room(t, WORST * s.len + 18)) {
        t->bad = true;
        return;
    }
    char *to = t->at + t->len;
    *to++ = '"';
    while (s.len > 0) {
        size_t plain = copy_plain(to, s.at, s.len);
        to += plain;
        bytes_cut(&s, plain);
        if (s.len > 0)
            to = put_special(to, &s);
    }
    *to++ = '"';
    t->len = (size_t)(to - t->at);
}

void text_utf8(struct text *t, struct bytes s)
{
    if (s.len > (SIZE_MAX - 32) / WORST || !text_room(t, 3 * s.len)) {
        t->bad = true;
        return;
    }
    while (s.len > 0) {
        uint32_t code;
        size_t n = utf8_length(s, &code);
        struct bytes taken = bytes_cut(&s, n > 0 ? n : 1);
        if (n > 0)
            text_put(t, (const char *)taken.at, taken.len);
        else
            TEXT_LITERAL(t, "\xef\xbf\xbd");
    }
}

/* Outside strings JSON is plain ASCII, so what is escaped here stands in a string. */
void text_escape_hidden(struct text *t, struct bytes json)
{
    while (json.len > 0) {
        size_t n = 0;
        uint32_t code;
        char buffer[12];

        while (n < json.len && json.at[n] < 0x7f)
            n++;
        struct bytes plain = bytes_cut(&json, n);
        text_put(t, (const char *)plain.at, plain.len);
        if (json.len == 0)
            break;
        n = utf8_length(json, &code);
        struct bytes taken = bytes_cut(&json, n > 0 ? n : 1);
        if (n > 0 && !is_hidden(code))
            text_put(t, (const char *)taken.at, taken.len);
        else
            text_put(t, buffer, (size_t)(put_escaped(buffer, n > 0 ? code : 0xfffd) - buffer));
    }
}

struct bytes text_clip(struct bytes s, size_t max, bool *cut)
{
    if (s.len <= max)
        return s;
    size_t n = max;
    /* at most three bytes of a character can stand before the cut */
    while (n > 0 && max - n < 3 && (s.at[n] & 0xc0) == 0x80)
        n--;
    if ((s.at[n] & 0xc0) == 0x80)
        n = max; /* no character at all: bytes */
    *cut = true;
    return bytes_head(s, n);
}
