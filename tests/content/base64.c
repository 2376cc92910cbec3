/* Tests of content/base64.h: CPython's verdicts, the fast ways against a slow one, cuts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissectors/content/base64.h"
#include "dissectors/content/content.h"
#include "tests/content/support/pack.h"

struct sample {
    const char *text, *plain;
    bool complete; /* base64.b64decode() of CPython 3.11 takes it */
};

/* Each row was asked of CPython 3.11.2. What came out before a refusal is ours. */
static const struct sample samples[] = {
    {"", "", true},
    {"YWJj", "abc", true},
    {"YW*Jj\n", "abc", true},
    {"YWI=", "ab", true},
    {"YQ==", "a", true},
    {"YQ", "a", false},
    {"YQ=", "a", false},
    {"YWI", "ab", false},
    {"Y", "", false},
    {"YWJjY", "abc", false},
    {"=", "", true},
    {"====", "", true},
    {"=YWJj", "abc", true},
    {"Y=WJj", "abc", true}, /* '=' does not count before two characters */
    {"YW=Jj", "abc", true}, /* nor alone, when more follows */
    {"YW=I=", "ab", true},  /* nor does it count on behind a character */
    {"YW=JjYQ=", "abca", false},
    {"YW=JjYQ==", "abca", true},
    {"YW==Jj", "a", true}, /* what follows the end is ignored */
    {"YWI=YWJj", "ab", true},
    {"YWJj====YWJj", "abcabc", true}, /* between groups it is nothing */
    {"YQ=\n=", "a", true},
    {"YQ=*=YWJj", "a", true},
    {"YW-_Jj", "abc", true},
    {"\xff\xfeYWJj\x80", "abc", true},
    {"YWJjYWJjYWJjYWJjYWJj", "abcabcabcabcabc", true},
    {"YWJjYWJjYWJj\nYWJjYWJjYWJj\r\nYWJj", "abcabcabcabcabcabcabc", true},
};

static void as_python(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        const struct sample *s = &samples[i];
        struct bytes out;
        bool complete;
        assert_true(
            base64_decode(bytes_of(s->text, strlen(s->text)), false, arena, &out, &complete));
        assert_true(bytes_eq(out, s->plain));
        assert_int_equal(complete, s->complete);
    }
    arena_free(arena);
}

static void urlsafe_takes_both_alphabets(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct bytes out;
    static const char text[] = "-_+/-_+/-_+/-_+/-_+/AA==";
    assert_true(base64_decode(bytes_of(text, strlen(text)), true, arena, &out, NULL));
    assert_int_equal(out.len, 16);
    for (size_t i = 0; i < 15; i++)
        assert_int_equal(out.at[i], "\xfb\xff\xbf"[i % 3] & 0xff);
    assert_true(base64_decode(bytes_of(text, strlen(text)), false, arena, &out, NULL));
    assert_int_equal(out.len, 9);
    arena_free(arena);
}

/* A second opinion, as simple as can be, of clean groups and junk; no padding. */
static size_t slowly(struct bytes text, uint8_t *out)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = 0, have = 0;
    unsigned long v = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *at = text.at[i] ? strchr(alphabet, text.at[i]) : NULL;
        if (!at)
            continue;
        v = (v << 6 | (unsigned long)(at - alphabet)) & 0xffffff;
        if (have++ % 4 > 0)
            out[n++] = (uint8_t)(v >> (6 - 2 * ((have - 1) % 4)));
    }
    return n;
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void every_character_at_every_place(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    uint8_t want[200];
    for (unsigned c = 0; c < 256; c++)
        for (size_t place = 0; place < 48; place++) {
            uint8_t *text = malloc(48);
            memcpy(text, "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlq", 48);
            text[place] = (uint8_t)c;
            struct bytes out;
            arena_reset(arena);
            if (c != '=') {
                size_t n = slowly(bytes_of(text, 48), want);
                assert_true(base64_decode(bytes_of(text, 48), false, arena, &out, NULL));
                assert_int_equal(out.len, n);
                assert_memory_equal(out.at, want, n);
            }
            free(text);
        }
    arena_free(arena);
}

static void random_text_in_pieces(void **state)
{
    (void)state;
    uint32_t seed = 1;
    static const char pool[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/ABCDEFGHIJKL\n*";
    for (unsigned round = 0; round < 2000; round++) {
        size_t n = next_random(&seed) % 300;
        uint8_t *text = malloc(n + 1), want[300], got[1000];
        for (size_t i = 0; i < n; i++)
            text[i] = (uint8_t)pool[next_random(&seed) % (round % 2 ? 64 : sizeof pool - 1)];
        size_t len = slowly(bytes_of(text, n), want), made = 0;
        struct base64 b = {0};
        struct bytes left = bytes_of(text, n);
        while (left.len > 0) {
            struct bytes piece = bytes_cut(&left, 1 + next_random(&seed) % 40);
            uint8_t *own = malloc(piece.len), *out = malloc(BASE64_ROOM(piece.len));
            memcpy(own, piece.at, piece.len);
            size_t some = base64_step(&b, bytes_of(own, piece.len), out);
            memcpy(got + made, out, some);
            made += some;
            free(own), free(out);
        }
        assert_int_equal(made, len);
        assert_memory_equal(got, want, len);
        free(text);
    }
}

static void says_when_the_arena_is_full(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1000);
    struct bytes text = repeated('A', 4000), out;
    assert_false(base64_decode(text, false, arena, &out, NULL));
    pack_free(text);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_python),
        cmocka_unit_test(urlsafe_takes_both_alphabets),
        cmocka_unit_test(every_character_at_every_place),
        cmocka_unit_test(random_text_in_pieces),
        cmocka_unit_test(says_when_the_arena_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
