/* Tests of signatures/lua.c: the words of a script, whatever is in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "signatures/lua.h"

/* Names as they are, texts in quotes (one that is cut with a dot behind it), marks in a row. */
static const char *words(struct bytes script)
{
    static char all[4096];
    size_t n = 0;
    struct lua_reader r;
    struct lua_word w;

    lua_begin(&r, script);
    while ((w = lua_next(&r)).kind != LUA_END && n < sizeof all - 256)
        n += (size_t)snprintf(all + n, sizeof all - n, w.kind == LUA_TEXT ? "'%.*s'%s " : "%.*s%s ",
                              (int)w.text.len, (const char *)w.text.at, w.cut ? "." : "");
    all[n > 0 ? n - 1 : 0] = 0;
    return all;
}

static void of_scripts(void **state)
{
    static const char *const rows[][2] = {
        {"redis.call('GET', KEYS[1])", "redis . call ( 'GET' , KEYS [ 1 ] )"},
        {"#!lua name=it's\nreturn 1", "return 1"},
        {"a -- it's \"b\nc --[[ d\n ]] e --[==[ ]] ]==] f", "a c e f"},
        {"'a' .. \"b\"..[[c]] .. d", "'abc' . . d"},
        {"'a' --[[x]] .. --y\n 'b'", "'ab'"},
        {"'a' ... 'b'", "'a' . . . 'b'"},
        {"'\\65\\066C\\\\\\'\\n'", "'ABC\\'\n'"},
        {"'a\\\nb'", "'a\nb'"},
        {"[==[\na]]b]=]c]==]", "'a]]b]=]c'"},
        {"t[t[1]]", "t [ t [ 1 ] ]"},
        {"a 'no end\nb", "a b"},
        {"'a' .. 'no end\nb", "'a' . . b"},
        {"[[no end", "'no end'"},
        {"--[[no end", ""},
        {"'\\", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(words(bytes_of(rows[i][0], strlen(rows[i][0]))), rows[i][1]);
}

static void of_long_texts(void **state)
{
    char script[512];
    size_t n;

    (void)state;
    script[0] = '"';
    memset(script + 1, 'x', 300);
    memcpy(script + 301, "\" y", 3);
    n = strlen(words(bytes_of(script, 304)));
    assert_int_equal(n, LUA_TEXT_MAX + strlen("''. y"));
    script[129] = '"';
    assert_null(strchr(words(bytes_of(script, 130)), '.'));
}

static void in_any_case(void **state)
{
    const struct lua_word w = {LUA_TEXT, bytes_of("FlushAll", 8), false};
    const struct lua_word cut = {LUA_TEXT, bytes_of("flushall", 8), true};

    (void)state;
    assert_true(lua_is(&w, "flushall"));
    assert_false(lua_is(&w, "flushdb"));
    assert_false(lua_is(&cut, "flushall"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_scripts),
        cmocka_unit_test(of_long_texts),
        cmocka_unit_test(in_any_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
