/* content/scan.h - sixteen bytes at a time: where a string ends, and where a number. */
#ifndef CONTENT_SCAN_H
#define CONTENT_SCAN_H

#include "base/bytes.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

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

/* The same of 64. */
static inline uint64_t scan_string_mask_64(const uint8_t *p)
{
    uint64_t low = scan_string_mask(p) | (uint64_t)scan_string_mask(p + 16) << 16;
    uint64_t high = scan_string_mask(p + 32) | (uint64_t)scan_string_mask(p + 48) << 16;
    return low | high << 32;
}

/* Bit i: p[i] is no decimal digit. Reads 16 bytes. */
static inline unsigned scan_no_digit_mask(const uint8_t *p)
{
    __m128i x = _mm_sub_epi8(scan_load(p), _mm_set1_epi8('0'));
    __m128i digit = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(9)), x);
    return (unsigned)_mm_movemask_epi8(digit) ^ 0xffff;
}
#else
static inline unsigned scan_string_mask(const uint8_t *p)
{
    unsigned mask = 0;
    for (unsigned i = 0; i < 16; i++)
        mask |= (unsigned)scan_stops_string(p[i]) << i;
    return mask;
}

static inline uint64_t scan_string_mask_64(const uint8_t *p)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < 64; i++)
        mask |= (uint64_t)scan_stops_string(p[i]) << i;
    return mask;
}

static inline unsigned scan_no_digit_mask(const uint8_t *p)
{
    unsigned mask = 0;
    for (unsigned i = 0; i < 16; i++)
        mask |= (unsigned)(p[i] < '0' || p[i] > '9') << i;
    return mask;
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
