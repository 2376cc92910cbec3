/* content/scan.h - sixteen bytes at a time: the two questions that JSON asks of every
 * byte. One place knows of vector instructions; the rest asks for bit masks. */
#ifndef CONTENT_SCAN_H
#define CONTENT_SCAN_H

#include "base/bytes.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* A bit for each byte of a block of 64, the lowest for the first. */
struct scan_masks {
    uint64_t quote, backslash, open, close;
};

static inline bool scan_stops_string(uint8_t c)
{
    return c == '"' || c == '\\' || c < 0x20;
}

#if defined(__SSE2__)
/* Bit i: p[i] ends a run of plain string characters. Reads 16 bytes. */
static inline unsigned scan_string_mask(const uint8_t *p)
{
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i quote = _mm_cmpeq_epi8(x, _mm_set1_epi8('"'));
    __m128i slash = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));
    __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1f)), x);
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), low));
}

static inline uint64_t scan_equal(const __m128i x[4], char c)
{
    uint64_t mask = 0;
    for (int i = 3; i >= 0; i--) {
        __m128i eq = _mm_cmpeq_epi8(x[i], _mm_set1_epi8(c));
        mask = mask << 16 | (unsigned)_mm_movemask_epi8(eq);
    }
    return mask;
}

/* Quotes and backslashes of 64 bytes. */
static inline void scan_quotes(const uint8_t *p, struct scan_masks *m)
{
    __m128i x[4];
    for (int i = 0; i < 4; i++)
        x[i] = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
    m->quote = scan_equal(x, '"');
    m->backslash = scan_equal(x, '\\');
}

/* Brackets of 64 bytes: [ and { differ by 0x20, as ] and } do. */
static inline void scan_brackets(const uint8_t *p, struct scan_masks *m)
{
    __m128i x[4];
    for (int i = 0; i < 4; i++) {
        __m128i raw = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
        x[i] = _mm_or_si128(raw, _mm_set1_epi8(0x20));
    }
    m->open = scan_equal(x, '{');
    m->close = scan_equal(x, '}');
}
#else
static inline unsigned scan_string_mask(const uint8_t *p)
{
    unsigned mask = 0;
    for (unsigned i = 0; i < 16; i++)
        mask |= (unsigned)scan_stops_string(p[i]) << i;
    return mask;
}

static inline void scan_quotes(const uint8_t *p, struct scan_masks *m)
{
    m->quote = m->backslash = 0;
    for (unsigned i = 0; i < 64; i++) {
        m->quote |= (uint64_t)(p[i] == '"') << i;
        m->backslash |= (uint64_t)(p[i] == '\\') << i;
    }
}

static inline void scan_brackets(const uint8_t *p, struct scan_masks *m)
{
    m->open = m->close = 0;
    for (unsigned i = 0; i < 64; i++) {
        m->open |= (uint64_t)((p[i] | 0x20) == '{') << i;
        m->close |= (uint64_t)((p[i] | 0x20) == '}') << i;
    }
}
#endif

/* The first of at[0..n) that a JSON string cannot hold as it is: a quote, a backslash, a
 * control character; n if there is none. */
static inline size_t scan_string(const uint8_t *at, size_t n)
{
    size_t i = 0;
    for (; n - i >= 16; i += 16) {
        unsigned mask = scan_string_mask(at + i);
        if (mask)
            return i + (size_t)__builtin_ctz(mask);
    }
    while (i < n && !scan_stops_string(at[i]))
        i++;
    return i;
}

#endif
