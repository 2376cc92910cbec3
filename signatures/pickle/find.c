/* Pickles inside text: a whole value, a data URL, or a long run of base64 or hex within it. */
#include "signatures/pickle/machine.h"

#include <stdio.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define RUN_MIN  24u
#define RUNS_MAX 64u

static bool in_run(uint8_t c)
{
    static const uint32_t set[8] = {0, 0x03ffa800 | 1u << 29, 0x87fffffe, 0x07fffffe, 0, 0, 0, 0};
    return set[c >> 5] >> (c & 31) & 1;
}

static bool judge_run(struct pickle *p, struct bytes run, struct pickle_found *found)
{
    struct bytes inner;
    bool cut;

    if (!peel(p, run, &inner, &cut, found->path))
        return false;
    struct pickle *child = nested_machine(p);
    if (!child || found->path[0] == '\0')
        return false;
    const struct pickle_result *r =
        pickle_judge(child, inner, PICKLE_SEEN, cut ? PICKLE_CLIPPED : PICKLE_WHOLE);
    found->result = r;
    return r->is_pickle && r->all_imports > 0;
}

static bool may_run(uint8_t c)
{
    return in_run(c) || c == '\n';
}

/* Every other group of eight is looked at: a run of RUN_MIN covers one of those whole, wherever it
 * lies. */
#define STRIDE 16u
#define GROUP  8u
_Static_assert(RUN_MIN >= STRIDE + GROUP - 1, "a run reaches over a whole group");

#if defined(__SSE2__)
static __m128i below(__m128i x, char from, char count)
{
    x = _mm_sub_epi8(x, _mm_set1_epi8(from));
    return _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8((char)(count - 1))), x);
}

static __m128i is(__m128i x, char c)
{
    return _mm_cmpeq_epi8(x, _mm_set1_epi8(c));
}

/* may_run(), of sixteen: + and / differ in one bit, as - and = do. */
static inline __attribute__((always_inline)) unsigned run_mask(__m128i x)
{
    __m128i letters = below(_mm_or_si128(x, _mm_set1_epi8(0x20)), 'a', 26);
    __m128i digits = below(x, '0', 10);
    __m128i one = is(_mm_or_si128(x, _mm_set1_epi8(0x04)), '/');
    __m128i two = is(_mm_or_si128(x, _mm_set1_epi8(0x10)), '=');
    __m128i rest = _mm_or_si128(is(x, '_'), is(x, '\n'));

    x = _mm_or_si128(_mm_or_si128(letters, digits), _mm_or_si128(one, two));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(x, rest));
}

static unsigned run_mask_at(const uint8_t *p)
{
    return run_mask(_mm_loadu_si128((const __m128i *)(const void *)p));
}

/* Where the characters of runs from `at` on end. */
static size_t run_end(struct bytes text, size_t at)
{
    for (; text.len - at >= 16; at += 16) {
        unsigned others = run_mask_at(text.at + at) ^ 0xffff;
        if (others)
            return at + (size_t)__builtin_ctz(others);
    }
    while (at < text.len && may_run(text.at[at]))
        at++;
    return at;
}

/* Where those before `at` begin, not before `from`. */
static size_t run_begin(struct bytes text, size_t from, size_t at)
{
    for (; at - from >= 16; at -= 16) {
        unsigned others = run_mask_at(text.at + at - 16) ^ 0xffff;
        if (others)
            return at - (size_t)(__builtin_clz(others) - 16);
    }
    while (at > from && may_run(text.at[at - 1]))
        at--;
    return at;
}

/* More than what runs are made of, at a fraction of the price: no blanks, no quotes, no round
 * brackets, nothing that is not ASCII. */
static inline __m128i no_space(__m128i x)
{
    return _mm_or_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8('*')), is(x, '\n'));
}

/* Passes over pairs of groups that cannot be in a run. */
static size_t pass_pairs(struct bytes text, size_t at)
{
    for (; text.len - at >= STRIDE + GROUP; at += 2 * STRIDE) {
        const uint8_t *p = text.at + at;
        __m128i low = _mm_loadl_epi64((const __m128i *)(const void *)p);
        __m128i high = _mm_loadl_epi64((const __m128i *)(const void *)(p + STRIDE));
        __m128i may = no_space(_mm_unpacklo_epi64(low, high));
        unsigned mask = (unsigned)_mm_movemask_epi8(may);

        if ((mask & 0xff) == 0xff || mask >> 8 == 0xff)
            break;
        if (text.len - at < 2 * STRIDE)
            return text.len;
    }
    return at;
}
#else
static size_t pass_pairs(struct bytes text, size_t at)
{
    (void)text;
    return at;
}

static size_t run_end(struct bytes text, size_t at)
{
    while (at < text.len && may_run(text.at[at]))
        at++;
    return at;
}

static size_t run_begin(struct bytes text, size_t from, size_t at)
{
    while (at > from && may_run(text.at[at - 1]))
        at--;
    return at;
}
#endif

/* The next run of characters that encodings are made of; line breaks count within it. */
static struct bytes next_run(struct bytes text, size_t *at)
{
    size_t begin = *at, probe = begin;

    while (text.len - probe >= GROUP && (probe = pass_pairs(text, probe)) < text.len) {
        size_t from, end = run_end(text, probe);

        if (end - probe < GROUP) {
            probe += text.len - probe < STRIDE ? text.len - probe : STRIDE;
            continue;
        }
        from = run_begin(text, begin, probe);
        while (from < end && text.at[from] == '\n')
            from++;
        *at = probe = begin = end < text.len ? end + 1 : end;
        if (end - from >= RUN_MIN)
            return bytes_of(text.at + from, end - from);
    }
    *at = text.len;
    return bytes_of(text.at, 0);
}

bool pickle_find_in_text(struct pickle *p, struct bytes text, struct pickle_found *found)
{
    bool reset = false;
    size_t at = 0;

    if (text.len < RUN_MIN)
        return false;
    found->result = NULL;
    found->path[0] = '\0';
    for (unsigned i = 0; i <= RUNS_MAX;) {
        struct bytes run = i == 0 ? text : next_run(text, &at);
        if (run.len == 0)
            return false;
        if (!nested_smells(run)) {
            i += i == 0;
            continue;
        }
        i++;
        if (!reset)
            pickle_reset(p, PICKLE_SEEN);
        reset = true;
        found->at = (size_t)(run.at - text.at);
        found->len = run.len;
        if (judge_run(p, run, found))
            return true;
    }
    return false;
}
