/* The runs that are found by blocks are those that one finds byte by byte, but for those that
 * nothing begins with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "signatures/pickle/machine.h"
#include "signatures/pickle/runs.h"

static bool may(uint8_t c)
{
    return c != 0 && (strchr("+-/=_\n", c) || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                      (c >= 'A' && c <= 'Z'));
}

static struct bytes plain_next(struct bytes text, size_t *at)
{
    while (*at < text.len) {
        size_t from = *at;

        while (*at < text.len && may(text.at[*at]))
            ++*at;
        while (from < *at && text.at[from] == '\n')
            from++;
        if (*at - from >= RUN_MIN)
            return bytes_of(text.at + from, *at - from);
        *at += *at < text.len;
    }
    return bytes_of(text.at + text.len, 0);
}

static bool smells(struct bytes b)
{
    return nested_smells(b) || nested_smells_twice(b);
}

/* Behind name=, where the name is no number in hex. */
static struct bytes unnamed(struct bytes b)
{
    const uint8_t *sign = memchr(b.at, '=', b.len < RUN_MIN ? b.len : RUN_MIN);
    bool word = false;

    for (size_t i = 0; i < 4 && i < b.len; i++)
        word |= (b.at[i] | 0x20) > 'f';
    bytes_cut(&b, sign && word ? (size_t)(sign - b.at) + 1 : b.len);
    return b.len >= RUN_MIN && b.at != NULL ? b : (struct bytes){0};
}

/* Each that is told is one, and none is left out that smells. */
static void check_text(struct bytes text)
{
    size_t at = 0, plain = 0;

    for (;;) {
        struct bytes a = runs_next(text, &at), b;

        for (;;) {
            b = plain_next(text, &plain);
            struct bytes c = b.len > 0 ? unnamed(b) : b;
            if (b.len == 0 || b.at == a.at || smells(b))
                break;
            if (c.len > 0 && (c.at == a.at || smells(c))) {
                b = c;
                break;
            }
        }
        assert_int_equal(a.len, b.len);
        if (a.len == 0)
            return;
        assert_ptr_equal(a.at, b.at);
        assert_int_equal(at, plain);
    }
}

/* Texts in blocks of their own exact size. */
static void copy_and_check(const uint8_t *from, size_t n)
{
    uint8_t *copy = malloc(n + 1);

    memcpy(copy + 1, from, n);
    check_text(bytes_of(copy + 1, n));
    free(copy);
}

static void test_every_character(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++)
        for (unsigned n = 0; n < 150; n++) {
            uint8_t text[150];

            memset(text, (int)c, n);
            copy_and_check(text, n);
        }
}

static void test_every_place(void **state)
{
    uint8_t text[300];

    (void)state;
    for (size_t from = 0; from < 200; from++)
        for (size_t n = RUN_MIN - 2; n < RUN_MIN + 3; n++) {
            memset(text, ' ', sizeof text);
            memset(text + from, 'c', n);
            copy_and_check(text, sizeof text);
            copy_and_check(text, from + n);
        }
}

static void test_random(void **state)
{
    uint32_t seed = 1;
    uint8_t text[400];

    (void)state;
    for (unsigned round = 0; round < 200000; round++) {
        size_t n = round % sizeof text;
        unsigned rare = 2 + round % 60;

        for (size_t i = 0; i < n; i++) {
            seed = seed * 1664525 + 1013904223;
            text[i] =
                (seed >> 16) % rare ? (uint8_t)('a' + (seed >> 24) % 26) : (uint8_t)(seed >> 24);
        }
        copy_and_check(text, n);
    }
}

static void test_names(void **state)
{
    static const struct {
        const char *text;
        size_t from; /* SIZE_MAX: nothing is told */
    } rows[] = {
        {"session=gASVKwAAAAAAAABDAGFiY2RlZmdo", 8},
        {"x y=1 token=80048c05706f7369788c0673797374656d", 12},
        {"sessions_of_all_the_users_there_are=gASVKwAAAAAAAABDAGFi", SIZE_MAX},
        {"session==gASVKwAAAAAAAABDAGFiY2RlZmdo", SIZE_MAX},
        {"session=gASV", SIZE_MAX},
        {"cookie=gASVKwAAAAAAAABDAGFiY2RlZmdo", 7},
        {"cookie=gASVKwAAAAAAAABDAGFiY2RlZmdo\nx", 0},
        {"7c9e=gASVKwAAAAAAAABDAGFiY2RlZmdo", SIZE_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bytes text = bytes_of(rows[i].text, strlen(rows[i].text)), run;
        size_t at = 0;

        run = runs_next(text, &at);
        assert_int_equal(run.len > 0, rows[i].from != SIZE_MAX);
        if (run.len > 0)
            assert_int_equal(run.at - text.at, rows[i].from);
        copy_and_check(text.at, text.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_character),
        cmocka_unit_test(test_every_place),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
