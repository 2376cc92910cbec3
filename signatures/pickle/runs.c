/* pickle/runs.c - see runs.h. Every text of every message is read here: sixty-four characters at
 * once become a bit each, and a run is seen in the bits. */
#include "signatures/pickle/runs.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define RUNS_X86 1
#include <immintrin.h>
#endif

#define BLOCK 64u

/* How far into a run a name in front of it may reach. */
#define RUN_NAME 24u
#define RUN_LINE 128u /* nor is its first line longer, where it has lines */
_Static_assert(RUN_NAME <= RUN_MIN, "a run is at least as long");

/* A run of RUN_MIN covers one whole group in each two: the first eight of sixteen. */
#define STRIDE 16u
#define GROUP  8u
_Static_assert(RUN_MIN >= STRIDE + GROUP - 1, "a run reaches over a whole group");

/* Which of the characters at at[0..64) may stand in a run. */
typedef uint64_t mask_fn(const uint8_t *at);
/* Whether one of the four groups of at[0..64) consists of such. */
typedef bool group_fn(const uint8_t *at);

#define INLINE static inline __attribute__((always_inline))

/* What is left is less than a block. */
INLINE uint64_t tail_mask(struct bytes text, size_t at, mask_fn *mask)
{
    uint8_t block[BLOCK] = {0};
    size_t left = text.len - at;

    if (text.len >= BLOCK)
        return mask(text.at + text.len - BLOCK) >> (BLOCK - left);
    memcpy(block, text.at + at, left);
    return mask(block);
}

INLINE uint64_t mask_at(struct bytes text, size_t at, mask_fn *mask)
{
    return text.len - at >= BLOCK ? mask(text.at + at) : tail_mask(text, at, mask);
}

/* The first block from `at` on with a whole group in it, or the one that is not whole. */
INLINE size_t find_block(struct bytes text, size_t at, group_fn *group)
{
    while (text.len - at >= BLOCK && !group(text.at + at))
        at += BLOCK;
    return at;
}

/* The first whole group of those bits; BLOCK: none. */
static unsigned first_group(uint64_t m)
{
    unsigned i = 0;

    while (i < BLOCK && (m >> i & 0xff) != 0xff)
        i += STRIDE;
    return i;
}

static bool in_run(uint8_t c)
{
    static const uint32_t set[8] = {1u << '\n', 0x23ffa800, 0x87fffffe, 0x07fffffe, 0, 0, 0, 0};

    return set[c >> 5] >> (c & 31) & 1;
}

/* Where the run of the group at bit i of the block at `at` begins, not before `from`. It reaches
 * back into the block before, but not over a whole group there. */
static size_t run_begin(struct bytes text, size_t from, size_t at, uint64_t m, unsigned i)
{
    uint64_t others = ~m & (((uint64_t)1 << i) - 1);

    if (others)
        return at + BLOCK - (size_t)__builtin_clzll(others);
    while (at > from && in_run(text.at[at - 1]))
        at--;
    return at;
}

INLINE size_t run_end(struct bytes text, size_t at, uint64_t m, unsigned i, mask_fn *mask)
{
    uint64_t others = ~m >> i;

    if (others)
        return at + i + (size_t)__builtin_ctzll(others);
    do {
        at += BLOCK;
        others = at < text.len ? ~mask_at(text, at, mask) : 1;
    } while (!others);
    return at < text.len ? at + (size_t)__builtin_ctzll(others) : text.len;
}

/* A pickle, or a compressed stream, in base64 or hex begins with one of these pairs, or it is a
 * pickle of the old protocol: see nested_smells(). */
INLINE bool may_begin(const uint8_t *run)
{
    uint8_t c = run[1];

    switch (run[0]) {
    case 'c': return true;
    case 'g': return c == 'A';
    case 'Y': return c >= '0' && c <= '3';
    case 'K': return c >= 'A' && c <= 'P';
    case 'e': return c == 'J' || c == 'N' || c == 'F' || c == 'A';
    case 'H': return c == '4';
    case 'Q': return c == 'l';
    case '/': return c == 'T';
    case '8': return c == '0';
    case '7': return c == '8';
    case '1': return c == 'f' || c == 'F';
    case '6': return c == '3' || run_begins_twice(run);
    case '2': return c == '8' || run_begins_twice(run);
    default: return run_begins_twice(run);
    }
}

/* Not the front of a number in hex: one of four characters is a letter behind F. */
static bool begins_name(const uint8_t *run)
{
    uint32_t four;

    memcpy(&four, run, sizeof four);
    return ((four | 0x20202020u) + 0x01010101u * (0x7f - 'f')) & 0x80808080u;
}

/* As an old pickle begins: cos\nsystem\n. */
static bool has_line(struct bytes run)
{
    return memchr(run.at, '\n', run.len < RUN_LINE ? run.len : RUN_LINE) != NULL;
}

/* session=gASV...: what stands behind a name. */
static __attribute__((noinline)) struct bytes behind_name(struct bytes run)
{
    const uint8_t *sign = memchr(run.at, '=', RUN_NAME);
    struct bytes rest = run;

    bytes_cut(&rest, sign ? (size_t)(sign - run.at) + 1 : run.len);
    bool tell = rest.len >= RUN_MIN && sign && may_begin(rest.at);
    return tell && !(run.at[0] == 'c' && has_line(run)) ? rest : (struct bytes){0};
}

static struct bytes as_told(struct bytes text, size_t from, size_t to)
{
    while (from < to && text.at[from] == '\n')
        from++;
    struct bytes run = bytes_of(text.at + from, to - from), rest = {0};
    bool may = run.len >= RUN_MIN && may_begin(run.at);
    if ((!may || run.at[0] == 'c') && run.len >= RUN_MIN && begins_name(run.at))
        rest = behind_name(run);
    return rest.len > 0 ? rest : may ? run : rest;
}

INLINE struct bytes next(struct bytes text, size_t *at, group_fn *group, mask_fn *mask)
{
    size_t from = *at, block = from;

    while (text.len - from >= RUN_MIN && block < text.len) {
        block = find_block(text, block, group);
        uint64_t m = block < text.len ? mask_at(text, block, mask) : 0;
        unsigned i = first_group(m);

        if (i == BLOCK) {
            block += BLOCK;
            continue;
        }
        size_t begin = run_begin(text, from, block, m, i);
        size_t end = run_end(text, block, m, i, mask);
        struct bytes run = as_told(text, begin, end);

        from = block = end;
        if (run.len > 0) {
            *at = end;
            return run;
        }
    }
    *at = text.len;
    return (struct bytes){0};
}

#ifdef RUNS_X86
static __m128i below(__m128i x, char from, char count)
{
    x = _mm_sub_epi8(x, _mm_set1_epi8(from));
    return _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8((char)(count - 1))), x);
}

static __m128i is(__m128i x, char c)
{
    return _mm_cmpeq_epi8(x, _mm_set1_epi8(c));
}

/* + and / differ in one bit, as - and = do. */
static unsigned mask_of(__m128i x)
{
    __m128i letters = below(_mm_or_si128(x, _mm_set1_epi8(0x20)), 'a', 26);
    __m128i digits = below(x, '0', 10);
    __m128i one = is(_mm_or_si128(x, _mm_set1_epi8(0x04)), '/');
    __m128i two = is(_mm_or_si128(x, _mm_set1_epi8(0x10)), '=');
    __m128i rest = _mm_or_si128(is(x, '_'), is(x, '\n'));

    x = _mm_or_si128(_mm_or_si128(letters, digits), _mm_or_si128(one, two));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(x, rest));
}

static __m128i load(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

static uint64_t mask_sse2(const uint8_t *at)
{
    uint64_t low = mask_of(load(at)) | mask_of(load(at + 16)) << 16;
    uint64_t high = mask_of(load(at + 32)) | mask_of(load(at + 48)) << 16;

    return low | high << 32;
}

static bool group_sse2(const uint8_t *at)
{
    unsigned a = mask_of(_mm_unpacklo_epi64(load(at), load(at + 16)));
    unsigned b = mask_of(_mm_unpacklo_epi64(load(at + 32), load(at + 48)));

    return (a & 0xff) == 0xff || a >> 8 == 0xff || (b & 0xff) == 0xff || b >> 8 == 0xff;
}

#define AVX2 __attribute__((target("avx2")))

/* Zero where a character may not stand in a run. For each low half of one a bit for each high half
 * that makes one of a run with it: bit 0 for 0x0., 1 for 0x2., 2 for 0x3., 3 for 0x4. and 0x6., 4
 * for 0x5., 5 for 0x7. What is not ASCII finds nothing in `low`. */
AVX2 static inline __m256i fits(__m256i x)
{
    const __m128i low = _mm_setr_epi8(0x34, 0x3c, 0x3c, 0x3c, 0x3c, 0x3c, 0x3c, 0x3c, 0x3c, 0x3c,
                                      0x39, 0x0a, 0x08, 0x0e, 0x08, 0x1a);
    const __m128i high =
        _mm_setr_epi8(0x01, 0, 0x02, 0x04, 0x08, 0x10, 0x08, 0x20, 0, 0, 0, 0, 0, 0, 0, 0);
    __m256i half = _mm256_and_si256(_mm256_srli_epi16(x, 4), _mm256_set1_epi8(0x0f));

    return _mm256_and_si256(_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(low), x),
                            _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(high), half));
}

AVX2 static inline __m256i load_32(const uint8_t *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

AVX2 static inline uint64_t mask_32(const uint8_t *at)
{
    __m256i others = _mm256_cmpeq_epi8(fits(load_32(at)), _mm256_setzero_si256());

    return ~(uint32_t)_mm256_movemask_epi8(others);
}

AVX2 static uint64_t mask_avx2(const uint8_t *at)
{
    return mask_32(at) | mask_32(at + 32) << 32;
}

AVX2 static bool group_avx2(const uint8_t *at)
{
    __m256i groups = _mm256_unpacklo_epi64(load_32(at), load_32(at + 32));
    __m256i others = _mm256_cmpeq_epi8(fits(groups), _mm256_setzero_si256());
    __m256i whole = _mm256_cmpeq_epi64(others, _mm256_setzero_si256());

    return !_mm256_testz_si256(whole, whole);
}

AVX2 static struct bytes next_avx2(struct bytes text, size_t *at)
{
    return next(text, at, group_avx2, mask_avx2);
}

struct bytes runs_next(struct bytes text, size_t *at)
{
    return __builtin_cpu_supports("avx2") ? next_avx2(text, at)
                                          : next(text, at, group_sse2, mask_sse2);
}
#else
static uint64_t mask_plain(const uint8_t *at)
{
    uint64_t m = 0;

    for (unsigned i = 0; i < BLOCK; i++)
        m |= (uint64_t)in_run(at[i]) << i;
    return m;
}

static bool group_plain(const uint8_t *at)
{
    return first_group(mask_plain(at)) < BLOCK;
}

struct bytes runs_next(struct bytes text, size_t *at)
{
    return next(text, at, group_plain, mask_plain);
}
#endif
