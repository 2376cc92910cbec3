/* content/scan.c - see scan.h: the long strings. */
#include "dissectors/content/scan.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define SCAN_AVX2 1
#include <immintrin.h>
#endif

#ifdef SCAN_AVX2
/* As scan_stops(), of thirty-two. */
__attribute__((target("avx2"))) static inline __m256i stops_32(const uint8_t *p)
{
    __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i quote = _mm256_cmpeq_epi8(x, _mm256_set1_epi8('"'));
    __m256i slash = _mm256_cmpeq_epi8(x, _mm256_set1_epi8('\\'));
    __m256i low = _mm256_cmpeq_epi8(_mm256_min_epu8(x, _mm256_set1_epi8(0x1f)), x);
    return _mm256_or_si256(_mm256_or_si256(quote, slash), low);
}

/* Over blocks of sixty-four in which no string ends. */
__attribute__((target("avx2"))) static size_t pass_avx2(struct bytes in, size_t at)
{
    for (; in.len - at >= 64; at += 64) {
        __m256i stops = _mm256_or_si256(stops_32(in.at + at), stops_32(in.at + at + 32));
        if (!_mm256_testz_si256(stops, stops))
            break;
    }
    return at;
}
#endif

size_t scan_string_on(struct bytes in, size_t at)
{
#ifdef SCAN_AVX2
    if (in.len - at >= 64 && __builtin_cpu_supports("avx2"))
        at = pass_avx2(in, at);
#endif
    for (; in.len - at >= 16; at += 16) {
        unsigned mask = scan_string_mask(in.at + at);
        if (mask)
            return at + (size_t)__builtin_ctz(mask);
    }
    if (in.len >= 16 && at < in.len) {
        unsigned mask = scan_string_mask(in.at + in.len - 16) >> (16 - (in.len - at));
        return mask ? at + (size_t)__builtin_ctz(mask) : in.len;
    }
    while (at < in.len && !scan_stops_string(in.at[at]))
        at++;
    return at;
}
