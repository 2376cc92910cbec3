/* Tests of signatures/glob.h: against a matcher that is simple and slow, and by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "signatures/glob.h"

static bool match(const char *glob, const char *name)
{
    return glob_match(glob, bytes_of(name, strlen(name)));
}

static void by_hand(void **state)
{
    static const struct {
        const char *glob, *name;
        bool is;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "a/b.c", true},
        {"shop.*", "shop.add", true},
        {"shop.*", "shop", false},
        {"shop.*", "workshop.add", false},
        {"*.add", "shop.add", true},
        {"*.add", "shop.add.more", false},
        {"a*b*c", "aXbXbXc", true},
        {"a*b*c", "aXbXbXd", false},
        {"**", "abc", true},
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"?", "", false},
        {"celery@app[0-9]", "celery@app7", true},
        {"celery@app[0-9]", "celery@appx", false},
        {"[!0-9]", "x", true},
        {"[^0-9]", "5", false},
        {"[]x]", "]", true},
        {"[]x]", "y", false},
        {"[a-]", "-", true},
        {"[\\]]", "]", true},
        {"[ab", "[ab", true},
        {"[ab", "a", false},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"a\\", "a\\", true},
        {"*[0-9]x", "123x", true},
        {"caf\xc3\xa9*", "caf\xc3\xa9s", true},
        {"[\x80-\xff]", "\xc3", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (match(cases[i].glob, cases[i].name) != cases[i].is) {
            print_error("%s against %s\n", cases[i].glob, cases[i].name);
            fail();
        }
    assert_false(glob_match("a", bytes_of("a\0b", 3)));
    assert_true(glob_match("a*b", bytes_of("a\0b", 3)));
}

/* '*' tries every length. */
static bool simple(const char *g, const char *n)
{
    if (*g == '\0')
        return *n == '\0';
    if (*g == '*')
        return simple(g + 1, n) || (*n && simple(g, n + 1));
    return *n && (*g == '?' || *g == *n) && simple(g + 1, n + 1);
}

static void against_simple(void **state)
{
    static const char letters[] = "ab*?";
    char glob[8], name[8];

    (void)state;
    srand(1);
    for (unsigned i = 0; i < 300000; i++) {
        size_t g = (size_t)rand() % 7, n = (size_t)rand() % 8;

        for (size_t k = 0; k < g; k++)
            glob[k] = letters[rand() % 4];
        for (size_t k = 0; k < n; k++)
            name[k] = letters[rand() % 2];
        glob[g] = name[n == 8 ? 7 : n] = '\0';
        assert_int_equal(match(glob, name), simple(glob, name));
    }
}

/* One that goes back to every '*' takes longer than the sun will shine. */
static void bounded(void **state)
{
    char *name = malloc(100000), glob[64] = "";

    (void)state;
    memset(name, 'a', 100000);
    for (unsigned i = 0; i < 20; i++)
        strcat(glob, "*a");
    strcat(glob, "*b");
    assert_false(glob_match(glob, bytes_of(name, 100000)));
    free(name);
}

static void literal(void **state)
{
    (void)state;
    assert_true(glob_is_literal("celery@app1.example"));
    assert_true(glob_is_literal(""));
    assert_false(glob_is_literal("a*"));
    assert_false(glob_is_literal("a?"));
    assert_false(glob_is_literal("a[b]"));
    assert_false(glob_is_literal("a\\b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_hand), cmocka_unit_test(against_simple),
                                       cmocka_unit_test(bounded), cmocka_unit_test(literal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
