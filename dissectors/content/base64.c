/* content/base64.c - see base64.h. Clean text goes thirty-two or sixteen characters at a time
 * (AVX2, SSSE3), or four at a time by a table; any other character takes the slow way,
 * which follows CPython step by step. */
#include "dissectors/content/base64.h"

#include "dissectors/content/content.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define BASE64_SSSE3 1
#include <immintrin.h>
#endif

enum { NONE = 0xff };

#define ROW_NONE   NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE
#define ROW_OF(v)  (v), (v) + 1, (v) + 2, (v) + 3, (v) + 4, (v) + 5, (v) + 6, (v) + 7
#define LETTERS(v) ROW_OF(v), ROW_OF((v) + 8), ROW_OF((v) + 16), (v) + 24, (v) + 25
/* The alphabet of RFC 4648 section 4 by character; section 5's two beside it if asked for. */
#define TABLE(dash, underscore)                                                             \
    {                                                                                       \
        ROW_NONE, ROW_NONE, ROW_NONE, ROW_NONE, ROW_NONE,                 /* 0x00 */        \
            NONE, NONE, NONE, 62, NONE, dash, NONE, 63,                   /* 0x28 */        \
            ROW_OF(52), 60, 61, NONE, NONE, NONE, NONE, NONE, NONE, NONE, /* 0x30 */        \
            LETTERS(0), NONE, NONE, NONE, NONE, underscore, NONE,         /* 0x41 */        \
            LETTERS(26), NONE, NONE, NONE, NONE, NONE,                    /* 0x61 */        \
            ROW_NONE, ROW_NONE, ROW_NONE, ROW_NONE, ROW_NONE, ROW_NONE, ROW_NONE, ROW_NONE, \
            ROW_NONE, ROW_NONE, ROW_NONE, ROW_NONE, ROW_NONE, ROW_NONE, ROW_NONE, ROW_NONE, \
    }

static const uint8_t value_of[2][256] = {TABLE(NONE, NONE), TABLE(62, 63)};

#ifdef BASE64_SSSE3
/* For each low half of a character, a bit for each high half (2..7, bit 0..5) that
 * makes a character of the alphabet with it. */
#define ROWS_OF_LOW(two, three, four, five, six, seven) \
    ((two) | (three) << 1 | (four) << 2 | (five) << 3 | (six) << 4 | (seven) << 5)

/* 16 characters to 12 bytes (16 are written); false: one of them is not of the alphabet. */
__attribute__((target("ssse3"))) static inline bool sixteen(__m128i text, uint8_t *out)
{
    const __m128i by_low = _mm_setr_epi8(
        ROWS_OF_LOW(0, 1, 0, 1, 0, 1), ROWS_OF_LOW(0, 1, 1, 1, 1, 1), ROWS_OF_LOW(0, 1, 1, 1, 1, 1),
        ROWS_OF_LOW(0, 1, 1, 1, 1, 1), ROWS_OF_LOW(0, 1, 1, 1, 1, 1), ROWS_OF_LOW(0, 1, 1, 1, 1, 1),
        ROWS_OF_LOW(0, 1, 1, 1, 1, 1), ROWS_OF_LOW(0, 1, 1, 1, 1, 1), ROWS_OF_LOW(0, 1, 1, 1, 1, 1),
        ROWS_OF_LOW(0, 1, 1, 1, 1, 1), ROWS_OF_LOW(0, 0, 1, 1, 1, 1), ROWS_OF_LOW(1, 0, 1, 0, 1, 0),
        ROWS_OF_LOW(0, 0, 1, 0, 1, 0), ROWS_OF_LOW(0, 0, 1, 0, 1, 0), ROWS_OF_LOW(0, 0, 1, 0, 1, 0),
        ROWS_OF_LOW(1, 0, 1, 0, 1, 0));
    const __m128i by_high = _mm_setr_epi8(0, 0, 1, 2, 4, 8, 16, 32, 0, 0, 0, 0, 0, 0, 0, 0);
    /* What to add to a character for its value: + digits upper lower; '/' apart. */
    const __m128i shift = _mm_setr_epi8(0, 0, 62 - '+', 52 - '0', -'A', -'A', 26 - 'a', 26 - 'a', 0,
                                        0, 0, 0, 0, 0, 0, 0);
    const __m128i order = _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);

    __m128i half = _mm_set1_epi8(0x0f);
    __m128i high = _mm_and_si128(_mm_srli_epi16(text, 4), half);
    __m128i fits = _mm_and_si128(_mm_shuffle_epi8(by_low, _mm_and_si128(text, half)),
                                 _mm_shuffle_epi8(by_high, high));
    if (_mm_movemask_epi8(_mm_cmpeq_epi8(fits, _mm_setzero_si128())) != 0)
        return false;
    __m128i slash = _mm_cmpeq_epi8(text, _mm_set1_epi8('/'));
    __m128i value = _mm_add_epi8(text, _mm_shuffle_epi8(shift, high));
    value = _mm_add_epi8(value, _mm_and_si128(slash, _mm_set1_epi8((63 - '/') - (62 - '+'))));
    __m128i twelve = _mm_maddubs_epi16(value, _mm_set1_epi32(0x01400140)); /* a << 6 | b */
    __m128i bits = _mm_madd_epi16(twelve, _mm_set1_epi32(0x00011000));     /* ab << 12 | cd */
    _mm_storeu_si128((__m128i *)(void *)out, _mm_shuffle_epi8(bits, order));
    return true;
}

__attribute__((target("ssse3"))) static inline __m128i standard(__m128i text)
{
    __m128i dash = _mm_cmpeq_epi8(text, _mm_set1_epi8('-'));
    __m128i line = _mm_cmpeq_epi8(text, _mm_set1_epi8('_'));
    text = _mm_xor_si128(text, _mm_and_si128(dash, _mm_set1_epi8('-' ^ '+')));
    return _mm_xor_si128(text, _mm_and_si128(line, _mm_set1_epi8('_' ^ '/')));
}

__attribute__((target("ssse3"))) static size_t run_ssse3(struct bytes text, bool urlsafe,
                                                         uint8_t *out)
{
    size_t i = 0;
    for (; text.len - i >= 16; i += 16, out += 12) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(text.at + i));
        if (!sixteen(urlsafe ? standard(x) : x, out))
            break;
    }
    return i;
}

#define AVX2       __attribute__((target("avx2")))
#define TWICE(...) _mm256_broadcastsi128_si256(_mm_setr_epi8(__VA_ARGS__))

/* As sixteen(), with 32 characters to 24 bytes (32 are written). */
AVX2 static inline bool thirty_two(__m256i text, uint8_t *out)
{
    const __m256i by_low = TWICE(
        ROWS_OF_LOW(0, 1, 0, 1, 0, 1), ROWS_OF_LOW(0, 1, 1, 1, 1, 1), ROWS_OF_LOW(0, 1, 1, 1, 1, 1),
        ROWS_OF_LOW(0, 1, 1, 1, 1, 1), ROWS_OF_LOW(0, 1, 1, 1, 1, 1), ROWS_OF_LOW(0, 1, 1, 1, 1, 1),
        ROWS_OF_LOW(0, 1, 1, 1, 1, 1), ROWS_OF_LOW(0, 1, 1, 1, 1, 1), ROWS_OF_LOW(0, 1, 1, 1, 1, 1),
        ROWS_OF_LOW(0, 1, 1, 1, 1, 1), ROWS_OF_LOW(0, 0, 1, 1, 1, 1), ROWS_OF_LOW(1, 0, 1, 0, 1, 0),
        ROWS_OF_LOW(0, 0, 1, 0, 1, 0), ROWS_OF_LOW(0, 0, 1, 0, 1, 0), ROWS_OF_LOW(0, 0, 1, 0, 1, 0),
        ROWS_OF_LOW(1, 0, 1, 0, 1, 0));
    const __m256i by_high = TWICE(0, 0, 1, 2, 4, 8, 16, 32, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m256i shift =
        TWICE(0, 0, 62 - '+', 52 - '0', -'A', -'A', 26 - 'a', 26 - 'a', 0, 0, 0, 0, 0, 0, 0, 0);
    const __m256i order = TWICE(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
    const __m256i together = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7);

    __m256i high = _mm256_and_si256(_mm256_srli_epi16(text, 4), _mm256_set1_epi8(0x0f));
    /* What is not ASCII finds nothing in by_low. */
    __m256i fits =
        _mm256_and_si256(_mm256_shuffle_epi8(by_low, text), _mm256_shuffle_epi8(by_high, high));
    if (_mm256_movemask_epi8(_mm256_cmpeq_epi8(fits, _mm256_setzero_si256())) != 0)
        return false;
    __m256i slash = _mm256_cmpeq_epi8(text, _mm256_set1_epi8('/'));
    __m256i value = _mm256_add_epi8(text, _mm256_shuffle_epi8(shift, high));
    slash = _mm256_and_si256(slash, _mm256_set1_epi8((63 - '/') - (62 - '+')));
    value = _mm256_add_epi8(value, slash);
    value = _mm256_maddubs_epi16(value, _mm256_set1_epi32(0x01400140)); /* a << 6 | b */
    value = _mm256_madd_epi16(value, _mm256_set1_epi32(0x00011000));    /* ab << 12 | cd */
    value = _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(value, order), together);
    _mm256_storeu_si256((__m256i *)(void *)out, value);
    return true;
}

/* Of the standard alphabet. */
AVX2 static size_t run_avx2(struct bytes text, uint8_t *out)
{
    size_t i = 0;
    for (; text.len - i >= 32; i += 32, out += 24)
        if (!thirty_two(_mm256_loadu_si256((const __m256i *)(const void *)(text.at + i)), out))
            break;
    return i;
}
#endif

static size_t run_table(struct bytes text, const uint8_t *value, uint8_t *out)
{
    size_t i = 0;
    for (; text.len - i >= 4; i += 4, out += 3) {
        unsigned a = value[text.at[i]], b = value[text.at[i + 1]];
        unsigned c = value[text.at[i + 2]], d = value[text.at[i + 3]];
        if ((a | b | c | d) > 63)
            break;
        out[0] = (uint8_t)(a << 2 | b >> 4);
        out[1] = (uint8_t)(b << 4 | c >> 2);
        out[2] = (uint8_t)(c << 6 | d);
    }
    return i;
}

/* Whole groups of clean text: how many characters were taken. */
static size_t run_clean(struct bytes text, bool urlsafe, uint8_t *out)
{
    size_t i = 0;
    struct bytes rest = text;
#ifdef BASE64_SSSE3
    if (text.len >= 32 && !urlsafe && __builtin_cpu_supports("avx2"))
        i = run_avx2(text, out);
    rest = bytes_of(text.at + i, text.len - i);
    if (rest.len >= 16 && __builtin_cpu_supports("ssse3"))
        i += run_ssse3(rest, urlsafe, out + i / 4 * 3);
    rest = bytes_of(text.at + i, text.len - i);
#endif
    return i + run_table(rest, value_of[urlsafe], out + i / 4 * 3);
}

/* One character as CPython takes it; returns 1 if *out was written. */
static size_t one(struct base64 *b, uint8_t c, uint8_t *out)
{
    if (c == '=') {
        if (b->have >= 2)
            b->ended = b->have + ++b->pads >= 4;
        return 0;
    }
    uint8_t v = value_of[b->urlsafe][c];
    if (v == NONE)
        return 0;
    b->pads = 0;
    unsigned bits = (unsigned)b->left << 6 | v;
    switch (b->have++) {
    case 0: b->left = v; return 0;
    case 1: *out = (uint8_t)(bits >> 4), b->left = v & 0x0f; return 1;
    case 2: *out = (uint8_t)(bits >> 2), b->left = v & 0x03; return 1;
    default: *out = (uint8_t)bits, b->left = 0, b->have = 0; return 1;
    }
}

size_t base64_step(struct base64 *b, struct bytes text, uint8_t *out)
{
    size_t n = 0;
    while (text.len > 0 && !b->ended) {
        if (b->have == 0) {
            size_t taken = run_clean(text, b->urlsafe, out + n);
            n += taken / 4 * 3;
            bytes_cut(&text, taken);
        }
        /* On to the next place where a group begins. */
        while (text.len > 0 && !b->ended &&
               (b->have > 0 || value_of[b->urlsafe][text.at[0]] == NONE))
            n += one(b, bytes_cut(&text, 1).at[0], out + n);
        if (text.len > 0 && !b->ended)
            n += one(b, bytes_cut(&text, 1).at[0], out + n);
    }
    return n;
}

bool base64_is_text(struct bytes text)
{
    unsigned worst = 0;
    for (size_t i = 0; i < text.len; i++)
        worst |= value_of[0][text.at[i]];
    return worst < 64;
}

bool base64_decode(struct bytes text, bool urlsafe, struct arena *arena, struct bytes *out,
                   bool *complete)
{
    struct base64 b = {.urlsafe = urlsafe};
    uint8_t *to = arena_raw(arena, BASE64_ROOM(text.len));
    if (!to)
        return false;
    *out = bytes_of(to, base64_step(&b, text, to));
    if (complete)
        *complete = base64_whole(&b);
    return true;
}
