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
    uint64_t quote, backslash, bracket;
};

static inline bool scan_stops_string(uint8_t c)
{
    return c == '"' || c == '\\' || c < 0x20;
}

#if defined(__SSE2__)
static inline __m128i scan_load(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* All ones where a byte ends a run of plain string characters. */
static inline __m128i scan_stops(__m128i x)
{
    __m128i quote = _mm_cmpeq_epi8(x, _mm_set1_epi8('"'));
    __m128i slash = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));
    __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1f)), x);
    return _mm_or_si128(_mm_or_si128(quote, slash), low);
}

/* Bit i: p[i] ends a run of plain string characters. Reads 16 bytes. */
static inline unsigned scan_string_mask(const uint8_t *p)
{
    return (unsigned)_mm_movemask_epi8(scan_stops(scan_load(p)));
}

/* The same for 32, and only whether there is one. */
static inline bool scan_string_any(const uint8_t *p)
{
    __m128i stops = _mm_or_si128(scan_stops(scan_load(p)), scan_stops(scan_load(p + 16)));
    return _mm_movemask_epi8(stops) != 0;
}

static inline uint64_t scan_equal(__m128i x, char c)
{
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_set1_epi8(c)));
}

static inline uint64_t scan_equal_64(const __m128i x[4], char c)
{
    return scan_equal(x[0], c) | scan_equal(x[1], c) << 16 | scan_equal(x[2], c) << 32 |
           scan_equal(x[3], c) << 48;
}

/* Quotes and backslashes of 64 bytes. */
static inline void scan_quotes(const uint8_t *p, struct scan_masks *m)
{
    const __m128i x[4] = {scan_load(p), scan_load(p + 16), scan_load(p + 32), scan_load(p + 48)};
    m->quote = scan_equal_64(x, '"');
    m->backslash = scan_equal_64(x, '\\');
}

/* Brackets of all four kinds: [ and { differ by 0x20, as ] and } do. */
static inline uint64_t scan_bracket(__m128i x)
{
    x = _mm_or_si128(x, _mm_set1_epi8(0x20));
    __m128i either =
        _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('{')), _mm_cmpeq_epi8(x, _mm_set1_epi8('}')));
    return (unsigned)_mm_movemask_epi8(either);
}

static inline void scan_brackets(const uint8_t *p, struct scan_masks *m)
{
    m->bracket = scan_bracket(scan_load(p)) | scan_bracket(scan_load(p + 16)) << 16 |
                 scan_bracket(scan_load(p + 32)) << 32 | scan_bracket(scan_load(p + 48)) << 48;
}
#else
static inline unsigned scan_string_mask(const uint8_t *p)
{
    unsigned mask = 0;
    for (unsigned i = 0; i < 16; i++)
        mask |= (unsigned)scan_stops_string(p[i]) << i;
    return mask;
}

static inline bool scan_string_any(const uint8_t *p)
{
    return scan_string_mask(p) || scan_string_mask(p + 16);
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
    m->bracket = 0;
    for (unsigned i = 0; i < 64; i++) {
        m->bracket |= (uint64_t)((p[i] | 0x20) == '{' || (p[i] | 0x20) == '}') << i;
    }
}
#endif

/* scan_string() from the second block on. */
size_t scan_string_on(struct bytes in, size_t at);

/* The first place from `at` on that a JSON string cannot hold as it is: a quote, a backslash, a
 * control character; in.len if there is none. Most strings end in their first 16 bytes. */
static inline size_t scan_string(struct bytes in, size_t at)
{
    if (in.len - at >= 16) {
        unsigned mask = scan_string_mask(in.at + at);
        if (mask)
            return at + (size_t)__builtin_ctz(mask);
        at += 16;
    }
    return scan_string_on(in, at);
}

#endif
