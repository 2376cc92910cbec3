/* content/json_walk.c - see json_walk.h. Sixty-four bytes at a time: which of them are inside
 * strings comes from the parity of the unescaped quotes before them. */
#include "dissectors/content/json_walk.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define WALK_X86 1
#include <immintrin.h>
#endif

#define BLOCK 64u

#define INLINE static inline __attribute__((always_inline))

/* How far a walk over brackets has come. */
struct walk {
    uint64_t depth;
    uint64_t in_string; /* all ones inside a string */
    bool escape;        /* the next byte is escaped */
};

/* A bit for each byte of a block, the lowest for the first. */
struct two_masks {
    uint64_t a, b;
};

typedef struct two_masks masks_fn(const uint8_t *p);
typedef uint64_t parity_fn(uint64_t m);

/* What differs between processors: quotes and backslashes; opening and closing brackets of either
 * shape, of which [ and { differ by 0x20, as ] and } do; for each bit whether those up to and with
 * it are odd in number. */
struct eyes {
    masks_fn *quotes, *brackets;
    parity_fn *parity;
};

/* The bytes of a block that follow an unescaped backslash. */
static uint64_t escaped_bytes(struct walk *w, uint64_t backslash)
{
    uint64_t escaped = w->escape;
    w->escape = false;
    for (uint64_t left = backslash & ~escaped; left;) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        left &= left - 1;
        if (i == 63) {
            w->escape = true;
            break;
        }
        escaped |= 2ull << i;
        left &= ~(2ull << i);
    }
    return escaped;
}

/* For each byte: is it inside a string (or the quote that opens one)? */
INLINE uint64_t inside_strings(struct walk *w, uint64_t quote, parity_fn *parity)
{
    uint64_t inside = parity(quote) ^ w->in_string;
    w->in_string = inside >> 63 ? UINT64_MAX : 0;
    return inside;
}

/* The place behind the bracket that brings the depth to 0, or 0. */
INLINE unsigned follow(struct walk *w, uint64_t open, uint64_t close)
{
    uint64_t n = 0;
    for (uint64_t left = close; left; left &= left - 1) {
        uint64_t before = (left & -left) - 1;
        if (w->depth + (unsigned)__builtin_popcountll(open & before) == ++n)
            return (unsigned)__builtin_ctzll(left) + 1;
    }
    w->depth += (unsigned)__builtin_popcountll(open);
    w->depth -= n;
    return 0;
}

/* One block; as follow(). */
INLINE unsigned walk_block(struct walk *w, const uint8_t *p, struct eyes eyes)
{
    struct two_masks quotes = eyes.quotes(p);
    if (w->in_string && !w->escape && (quotes.a | quotes.b) == 0)
        return 0;
    if (quotes.b | w->escape)
        quotes.a &= ~escaped_bytes(w, quotes.b);
    uint64_t outside = ~inside_strings(w, quotes.a, eyes.parity);
    struct two_masks brackets = eyes.brackets(p);
    return follow(w, brackets.a & outside, brackets.b & outside);
}

INLINE size_t walk(struct bytes in, struct eyes eyes)
{
    struct walk w = {.depth = 1};
    uint8_t last[BLOCK];
    size_t at = 0;
    for (; in.len - at >= BLOCK; at += BLOCK) {
        unsigned n = walk_block(&w, in.at + at, eyes);
        if (n > 0)
            return at + n;
    }
    if (at == in.len)
        return SIZE_MAX;
    memset(last, ' ', sizeof last);
    memcpy(last, in.at + at, in.len - at);
    unsigned n = walk_block(&w, last, eyes);
    return n > 0 ? at + n : SIZE_MAX;
}

#ifdef WALK_X86
#define AVX2 __attribute__((target("avx2,bmi,popcnt,pclmul")))

AVX2 static inline __m256i load_32(const uint8_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

AVX2 static inline uint64_t equal_64(__m256i low, __m256i high, char c)
{
    __m256i all = _mm256_set1_epi8(c);
    uint64_t a = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, all));
    uint64_t b = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, all));
    return a | b << 32;
}

AVX2 static struct two_masks quotes_avx2(const uint8_t *p)
{
    __m256i low = load_32(p), high = load_32(p + 32);
    return (struct two_masks){equal_64(low, high, '"'), equal_64(low, high, '\\')};
}

AVX2 static struct two_masks brackets_avx2(const uint8_t *p)
{
    __m256i bit = _mm256_set1_epi8(0x20);
    __m256i low = _mm256_or_si256(load_32(p), bit), high = _mm256_or_si256(load_32(p + 32), bit);
    return (struct two_masks){equal_64(low, high, '{'), equal_64(low, high, '}')};
}

/* A product without carries with all ones. */
AVX2 static uint64_t parity_avx2(uint64_t m)
{
    __m128i a = _mm_cvtsi64_si128((int64_t)m), ones = _mm_set1_epi8(-1);
    return (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(a, ones, 0));
}

AVX2 static size_t walk_avx2(struct bytes in)
{
    return walk(in, (struct eyes){quotes_avx2, brackets_avx2, parity_avx2});
}

static __m128i load_16(const uint8_t *p, bool fold)
{
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
    return fold ? _mm_or_si128(x, _mm_set1_epi8(0x20)) : x;
}

static uint64_t equal_16(const uint8_t *p, bool fold, char c)
{
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(load_16(p, fold), _mm_set1_epi8(c)));
}

static uint64_t equal(const uint8_t *p, bool fold, char c)
{
    return equal_16(p, fold, c) | equal_16(p + 16, fold, c) << 16 |
           equal_16(p + 32, fold, c) << 32 | equal_16(p + 48, fold, c) << 48;
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("pclmul");
}
#else
static uint64_t equal(const uint8_t *p, bool fold, char c)
{
    uint64_t m = 0;
    for (unsigned i = 0; i < BLOCK; i++)
        m |= (uint64_t)((fold ? p[i] | 0x20 : p[i]) == (uint8_t)c) << i;
    return m;
}

static bool has_avx2(void)
{
    return false;
}

static size_t walk_avx2(struct bytes in)
{
    (void)in;
    return SIZE_MAX;
}
#endif

static struct two_masks quotes_plain(const uint8_t *p)
{
    return (struct two_masks){equal(p, false, '"'), equal(p, false, '\\')};
}

static struct two_masks brackets_plain(const uint8_t *p)
{
    return (struct two_masks){equal(p, true, '{'), equal(p, true, '}')};
}

static uint64_t parity_plain(uint64_t m)
{
    m ^= m << 1;
    m ^= m << 2;
    m ^= m << 4;
    m ^= m << 8;
    m ^= m << 16;
    return m ^ m << 32;
}

size_t json_walk(struct bytes in)
{
    return has_avx2() ? walk_avx2(in)
                      : walk(in, (struct eyes){quotes_plain, brackets_plain, parity_plain});
}
