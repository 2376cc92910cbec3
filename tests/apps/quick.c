/* tests/apps/quick.c - objects as the quick way reads them, and what it must leave to the
 * reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/apps/same_tree.h"

static const char *const read_by_both[] = {
    "{}",
    "{ }",
    "{\"a\": 1}",
    "{\"a\":1,\"b\":-20,\"c\":0}",
    "{\"lang\": \"py\", \"task\": \"shop.add\", \"id\": null, \"stamps\": {}, \"x\": true, \"y\": "
    "false}",
    "{\"timelimit\": [null, null], \"deep\": {\"a\": [[], {}, [1, {\"b\": \"c\"}]]}}",
    "{\"a long name that takes more than sixteen bytes\": \"and a longer value, of more than "
    "thirty-two\"}",
    "{\"\\u0061\\n\": \"Zo\\u00eb \\\"x\\\" \\\\ \\/ \\ud83d\\ude00\"}",
    "{\"n\": 123456789012345678, \"m\": -123456789012345678}",
    "{\"twice\": 1, \"twice\": \"2\"}",
    "{\"\": \"\"}",
    "{\"a\" : 1 , \"b\" : [1 , 2 ] }",
};

static const char *const left_to_reader[] = {
    "{\"a\":  1}",
    "{\"a\":\n1}",
    "{\"a\": 1.5}",
    "{\"a\": 1e3}",
    "{\"a\": NaN}",
    "{\"a\": 01}",
    "{\"a\": -}",
    "{\"a\": +1}",
    "{\"a\": nul}",
    "{\"a\": tru}",
    "{\"a\": \"\\x\"}",
    "{\"a\": \"\\u12g4\"}",
    "{\"a\": \"\t\"}",
    "{\"a\": \"x}",
    "{\"a\": 1",
    "{\"a\": 1,}",
    "{,\"a\": 1}",
    "{\"a\" 1}",
    "{a: 1}",
    "{\"a\": [1,]}",
    "{\"a\": [,1]}",
    "{\"a\": [1}",
    "{\"a\": {1}}",
    "{\"a\": 1]",
    "{\"a\"}",
    "{\"a\": }",
    "{\"a\": 1 2}",
    "{\"a\": [1 2]}",
    "{",
    "{\"",
    "{\"a\": 1234567890123456789}",
    "{\"a\": [[[[[[[[1]]]]]]]]}",
    "{\"a\": [}",
};

static bool accepts(struct arena *arena, const char *text, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1); /* of its exact size */
    bool accepted;

    memcpy(copy, text, n);
    if (!same_tree(bytes_of(copy + 1, n - 1), arena, &accepted))
        fail_msg("differ: %.*s", (int)n, text);
    arena_reset(arena);
    free(copy);
    return accepted;
}

static void test_both(void **state)
{
    struct arena *arena = arena_new(1u << 20);

    (void)state;
    for (size_t i = 0; i < sizeof read_by_both / sizeof *read_by_both; i++) {
        const char *text = read_by_both[i];

        if (!accepts(arena, text, strlen(text)))
            fail_msg("left to the reader: %s", text);
        for (size_t n = 1; n < strlen(text); n++)
            if (accepts(arena, text, n))
                fail_msg("read, though cut: %.*s", (int)n, text);
    }
    arena_free(arena);
}

static void test_left(void **state)
{
    struct arena *arena = arena_new(1u << 20);

    (void)state;
    for (size_t i = 0; i < sizeof left_to_reader / sizeof *left_to_reader; i++)
        if (accepts(arena, left_to_reader[i], strlen(left_to_reader[i])))
            fail_msg("read: %s", left_to_reader[i]);
    arena_free(arena);
}

static void test_too_many(void **state)
{
    struct arena *arena = arena_new(1u << 20);
    char text[8 * (QUICK_MEMBERS + 2)] = "{";

    (void)state;
    for (unsigned n = 1; n <= QUICK_MEMBERS + 1; n++) {
        strcat(text, n > 1 ? ",\"a\":1}" : "\"a\":1}");
        assert_int_equal(accepts(arena, text, strlen(text)), n <= QUICK_MEMBERS);
        text[strlen(text) - 1] = 0;
    }
    arena_free(arena);
}

/* A byte of a good text here and there replaced, taken away or doubled. */
static void test_mutated(void **state)
{
    static const char bytes[] = "{}[]\",:\\ u0123ntf-.e\tx";
    struct arena *arena = arena_new(1u << 20);
    uint64_t seed = 88172645463325252u;
    unsigned read = 0;

    (void)state;
    for (unsigned i = 0; i < 400000; i++) {
        const char *base = read_by_both[i % (sizeof read_by_both / sizeof *read_by_both)];
        char text[256];
        size_t n = strlen(base), changes = 1 + i % 3;

        memcpy(text, base, n + 1);
        while (changes-- > 0 && n > 2) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            size_t at = 1 + seed % (n - 1);
            if (seed >> 40 & 1)
                text[at] = bytes[(seed >> 20) % (sizeof bytes - 1)];
            else
                memmove(text + at, text + at + 1, n-- - at);
        }
        read += accepts(arena, text, n);
    }
    assert_true(read > 10000);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both),
        cmocka_unit_test(test_left),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_mutated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
