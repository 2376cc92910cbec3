/* Tests of the YAML reader: tokens, tags, scalars as PyYAML's safe loader reads them, cuts, bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "dissectors/content/reader.h"
#include "dissectors/content/yaml_tag.h"
#include "tests/content/support/dump.h"

static const struct {
    const char *yaml, *log;
} documents[] = {
    {"", "whole\n"},
    {"# nothing\n", "whole\n"},
    {"a: 1\nb: [x, 'y', \"z\\n\"]\n",
     "0 {\n1 key a\n1 int 1\n1 key b\n1 [\n2 str x\n2 str y\n2 str z\\x0a\n1 ]\n0 }\nwhole\n"},
    {"- - 1\n  - 2\n- {}\n- callbacks: null\n  errbacks: ~\n",
     "0 [\n1 [\n2 int 1\n2 int 2\n1 ]\n1 {\n1 }\n1 {\n2 key callbacks\n2 null\n2 key errbacks\n"
     "2 null\n1 }\n0 ]\nwhole\n"},
    {"--- |\n  two\n  lines\n...\n", "0 str two\\x0alines\\x0a\nwhole\n"},
    {"\xef\xbb\xbf"
     "k: gr\xc3\xbc\xc3\x9f\n",
     "0 {\n1 key k\n1 str gr\\xc3\\xbc\\xc3\\x9f\n0 }\nwhole\n"},
    /* tags */
    {"!!python/object/apply:os.system ['id']",
     "0 [ <tag:yaml.org,2002:python/object/apply:os.system>\n1 str id\n0 ]\nwhole\n"},
    {"a: !!python/name:os.system ''\n",
     "0 {\n1 key a\n1 str  <tag:yaml.org,2002:python/name:os.system>\n0 }\nwhole\n"},
    {"!<tag:yaml.org,2002:python/name:os.system> x",
     "0 str x <tag:yaml.org,2002:python/name:os.system>\nwhole\n"},
    {"%TAG !e! tag:yaml.org,2002:python/\n---\n!e!name:os.system x\n",
     "0 str x <tag:yaml.org,2002:python/name:os.system>\nwhole\n"},
    {"- !local 1\n- ! 1\n- !!str 1\n- !!int '1'\n- !!float '1'\n- !!bool 'yes'\n- !!null x\n"
     "- !!binary aGk=\n- !!int x\n",
     "0 [\n1 str 1 <!local>\n1 str 1 <!>\n1 str 1 <tag:yaml.org,2002:str>\n"
     "1 int 1 <tag:yaml.org,2002:int>\n1 float 1 <tag:yaml.org,2002:float>\n"
     "1 true <tag:yaml.org,2002:bool>\n1 null <tag:yaml.org,2002:null>\n"
     "1 bytes aGk= <tag:yaml.org,2002:binary>\n1 str x <tag:yaml.org,2002:int>\n0 ]\nwhole\n"},
    /* aliases are not followed, but of scalars */
    {"a: &x one\n*x : *x\nb: &x 2\nc: *x\nd: &x []\ne: *x\n",
     "0 {\n1 key a\n1 str one\n1 key one\n1 str one\n1 key b\n1 int 2\n1 key c\n1 int 2\n1 key d\n"
     "1 [\n1 ]\n1 key e\n1 null\n0 }\nwhole aliases 4\n"},
    {"- &x [1]\n- *x\n- *x\n", "0 [\n1 [\n2 int 1\n1 ]\n1 null\n1 null\n0 ]\nwhole aliases 2\n"},
    {"*x : 1", "0 {\n1 key \n1 int 1\n0 }\nwhole aliases 1\n"},
    {"<<: *x\n", "0 {\n1 key <<\n1 null\n0 }\nwhole aliases 1\n"},
    /* keys */
    {"? [a, {b: c}]\n: 1\n? !!python/tuple [x]\n: 2\n1: 2\nyes: no\n",
     "0 {\n1 key \n1 int 1\n1 key  <tag:yaml.org,2002:python/tuple>\n1 int 2\n1 key 1\n1 int 2\n"
     "1 key yes\n1 false\n0 }\nwhole\n"},
    /* more than one document: the safe loader refuses that */
    {"a\n---\nb\n", "0 str a\nwhole rest ---\\x0ab\\x0a\n"},
    /* no document */
    {"a: b: c", "0 {\n1 key a\n1 str b\nbroken@4\n"},
    {"[a, b", "0 [\n1 str a\n1 str b\nbroken@5\n"},
    {"'a", "broken@2\n"},
    {"a: \x01", "broken@3\n"},
    {"gr\xc3\xbc: [x\n]: y: z", "0 {\n1 key gr\\xc3\\xbc\n1 [\n2 str x\n1 ]\nbroken@10\n"},
    {"@", "broken@0\n"},
};

static char *dump(const char *yaml, size_t len, bool clipped)
{
    uint8_t *own = malloc(len > 0 ? len : 1);
    memcpy(own, yaml, len);
    char *log = dump_document(WHAT_YAML, bytes_of(own, len), clipped);
    free(own);
    return log;
}

static void tokens_and_verdicts(void **state)
{
    (void)state;
    unsigned bad = 0;
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        char *log = dump(documents[i].yaml, strlen(documents[i].yaml), false);
        if (strcmp(log, documents[i].log) != 0) {
            bad++;
            print_error("%s:\n%s--- not\n%s", documents[i].yaml, log, documents[i].log);
        }
        free(log);
    }
    assert_int_equal(bad, 0);
}

static void plain_scalars(void **state)
{
    (void)state;
    static const struct {
        const char *text, *log;
    } scalars[] = {
        {"null", "null"},
        {"Null", "null"},
        {"~", "null"},
        {"nULL", "str nULL"},
        {"yes", "true"},
        {"On", "true"},
        {"TRUE", "true"},
        {"off", "false"},
        {"y", "str y"},
        {"n", "str n"},
        {"tRue", "str tRue"},
        {"0", "int 0"},
        {"-12", "int -12"},
        {"+12", "int 12"},
        {"017", "int 15"},
        {"08", "str 08"},
        {"0o7", "str 0o7"},
        {"0x1F", "int 31"},
        {"-0b101", "int -5"},
        {"1_000", "int 1000"},
        {"1:30", "int 90"},
        {"1:60", "str 1:60"},
        {"0:1", "str 0:1"},
        {"1.5", "float 1.5"},
        {"1.", "float 1"},
        {".5", "float 0.5"},
        {"-.5", "str -.5"},
        {"._5", "str ._5"},
        {"1e3", "str 1e3"},
        {"1.0e3", "str 1.0e3"},
        {"1.0e+3", "float 1000"},
        {"1_0.2_5", "float 10.25"},
        {".inf", "float inf"},
        {"-.INF", "float -inf"},
        {".nan", "float nan"},
        {"-.nan", "str -.nan"},
        {"1:30.5", "float 90.5"},
        {"2001-12-14", "str 2001-12-14"},
        {"=", "str ="},
        {".", "str ."},
        {"_1", "str _1"},
        {"9223372036854775808", "int 9223372036854775807"},
        {"-99999999999999999999", "int -9223372036854775808"},
    };
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
        char want[100];
        char *log = dump(scalars[i].text, strlen(scalars[i].text), false);
        snprintf(want, sizeof want, "0 %s\nwhole\n", scalars[i].log);
        assert_string_equal(log, want);
        free(log);
    }
}

static void clipped_at_every_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        const char *log = documents[i].log;
        if (strstr(log, "broken") || strstr(log, "rest"))
            continue;
        for (size_t n = 0; n <= strlen(documents[i].yaml); n++) {
            char *head = dump(documents[i].yaml, n, true);
            if (strstr(head, "broken") || !dump_is_prefix(head, log))
                fail_msg("%.*s:\n%s--- not a prefix of\n%s", (int)n, documents[i].yaml, head, log);
            free(head);
        }
    }
}

static void skipping_and_raw(void **state)
{
    (void)state;
    static const char yaml[] =
        "gr\xc3\xbc\xc3\x9f: [1, {x: y}]\nblock:\n  - 1\n  - a: b\n\nlast: 'q'\n";
    static const char *const raws[] = {"[1, {x: y}]", "- 1\n  - a: b", "'q'"};
    struct arena *arena = arena_new(1 << 20);
    struct reader r;
    struct token t;
    reader_begin(&r, WHAT_YAML, bytes_of(yaml, sizeof yaml - 1), false, arena);
    assert_true(reader_next(&r, &t));
    for (unsigned i = 0; i < 3; i++) {
        assert_true(reader_next(&r, &t));
        assert_int_equal(t.kind, TOKEN_KEY);
        assert_int_equal(t.depth, 1);
        assert_true(bytes_eq(reader_raw(&r, &t), raws[i]));
    }
    assert_true(reader_next(&r, &t));
    assert_int_equal(t.kind, TOKEN_MAP_END);
    assert_false(reader_next(&r, &t));
    assert_int_equal(r.end, READER_WHOLE);
    reader_end(&r);
    arena_free(arena);
}

static void offsets_are_bytes(void **state)
{
    (void)state;
    static const char yaml[] = "\xef\xbb\xbf\"\xe2\x82\xac\xf0\x9f\x98\x80\": [\xc3\xbc, x]\n";
    struct arena *arena = arena_new(1 << 20);
    struct reader r;
    struct token t;
    reader_begin(&r, WHAT_YAML, bytes_of(yaml, sizeof yaml - 1), false, arena);
    const size_t at[] = {3, 3, 14, 15, 19};
    for (unsigned i = 0; i < 5; i++) {
        assert_true(reader_next(&r, &t));
        assert_int_equal(t.offset, at[i]);
    }
    reader_end(&r);
    arena_free(arena);
}

static void deep_and_wide(void **state)
{
    (void)state;
    static const char *const pieces[] = {"[",     "{",    "- ",           "? ",           "a: ",
                                         "&a ",   "[a,",  "[? a : ",      "*a ",          "!!a ",
                                         "\"",    "'",    "|\n",          "\n",           "a: 1\n",
                                         "- 1\n", "{a: ", "%TAG !a! b\n", "--- a\n",      "\t",
                                         "a\n: ", "#",    "...\n",        "\xef\xbb\xbf", "-\n"};
    size_t n = READER_YAML_BYTES + 1000;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        for (int clipped = 0; clipped < 2; clipped++) {
            char *yaml = malloc(n);
            size_t len = strlen(pieces[i]);
            for (size_t k = 0; k < n; k++)
                yaml[k] = pieces[i][k % len];
            clock_t before = clock();
            free(dump(yaml, n, clipped));
            double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
            if (seconds > 0.5)
                print_message("%s: %.1f s\n", pieces[i], seconds);
            assert_true(seconds < 20);
            free(yaml);
        }
}

static void tags_of_python(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *tag; /* NULL: none */
        size_t offset;
    } samples[] = {
        {"a: !!python/name:os.system x", "tag:yaml.org,2002:python/name:os.system", 3},
        {"? [!!python/object:a.b {}]\n: 1", "tag:yaml.org,2002:python/object:a.b", 3},
        {"? !!python/tuple [x]\n: 1", NULL, 0}, /* names a type, calls nothing */
        {"a\n--- !!python/none\n", NULL, 0},
        {"- !!python/str x\n- !!python/object/apply:os.system [id]\n",
         "tag:yaml.org,2002:python/object/apply:os.system", 19},
        {"%TAG !p! tag:yaml.org,2002:python/\n---\n- !p!name:x y\n",
         "tag:yaml.org,2002:python/name:x", 41},
        {"- !<tag:yaml.org,2002:python/name:x> y", "tag:yaml.org,2002:python/name:x", 2},
        {"a: '!!python/name:x'\n# !!python/name:y\n", NULL, 0},
        {"a: !python/name:x y", NULL, 0},
        {"a: !!str x", NULL, 0},
        {"", NULL, 0},
        {"a: b: c\n- !!python/name:x, y", "!!python/name:x", 10},
        {"@ [!<tag:yaml.org,2002:python/name:x>]", "tag:yaml.org,2002:python/name:x", 5},
        /* escapes and handles */
        {"- !!pyth%6fn/object/apply:os.system [id]",
         "tag:yaml.org,2002:python/object/apply:os.system", 2},
        {"- !!python%2Fname%3Ax y", "tag:yaml.org,2002:python/name:x", 2},
        {"- !<tag:yaml.org,2002:pyth%6fn/name:x> y", "tag:yaml.org,2002:python/name:x", 2},
        {"%TAG !p! tag:yaml.org,2002:pyth\n---\n- !p!on/name:x y\n",
         "tag:yaml.org,2002:python/name:x", 38},
        {"%TAG !p! tag:yaml.org,2002:p%79thon/\n---\n- !p!name:x y\n",
         "tag:yaml.org,2002:python/name:x", 43},
        {"a: b: c\n- !!pyth%6fn/name:x, y", "!!python/name:x", 10},
        {"%TAG !p! tag:yaml.org,2002:python/\n---\na: b: c\n- !p!object/apply:x [y]",
         "!p!object/apply:x", 49},
        {"- 100% of it!\n- a!%6f\n", NULL, 0},
        {"a: b: c\n- 100%! !%zz !%6 !", NULL, 0},
    };
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        struct arena *arena = arena_new(1 << 20);
        struct yaml_tag found;
        struct bytes yaml = bytes_of(samples[i].yaml, strlen(samples[i].yaml));
        if (yaml_python_tag(yaml, false, arena, &found) != (samples[i].tag != NULL))
            fail_msg("%s", samples[i].yaml);
        if (samples[i].tag) {
            if (!bytes_eq(found.text, samples[i].tag))
                fail_msg("%s: %.*s", samples[i].yaml, (int)found.text.len,
                         (const char *)found.text.at);
            assert_int_equal(found.offset, samples[i].offset);
        }
        arena_free(arena);
    }
}

/* In both orders, parsed or not. */
static void tags_in_utf16(void **state)
{
    static const char *const samples[] = {"[!!python/name:x y]", "a: b: c\n- [!!python/name:x y]"};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        const char *text = samples[i / 2];
        size_t n = strlen(text), want = 2 + 2 * (size_t)(strstr(text, "!!") - text);
        char wide[128] = {(char)(i % 2 ? 0xfe : 0xff), (char)(i % 2 ? 0xff : 0xfe)};
        struct arena *arena = arena_new(1 << 20);
        struct yaml_tag found;

        for (size_t k = 0; k < n; k++)
            wide[2 + 2 * k + i % 2] = text[k];
        struct bytes yaml = bytes_of(wide, 2 + 2 * n);
        assert_int_equal(content_guess(yaml, bytes_of("application/x-yaml", 18)), WHAT_YAML);
        assert_int_equal(content_guess(yaml, bytes_of("application/json", 16)), WHAT_BINARY);
        assert_true(yaml_python_tag(yaml, false, arena, &found));
        assert_int_equal(found.offset, want);
        assert_non_null(bytes_find(found.text, "python/name:x"));
        arena_free(arena);
    }
}

static void padding_hides_no_tag(void **state)
{
    (void)state;
    static const char last[] = "- !!python/name:x y\n";
    for (int deep = 0; deep < 2; deep++) {
        size_t n = 3u << 20;
        char *yaml = malloc(n);
        for (size_t i = 0; i < n; i++)
            yaml[i] = deep ? '[' : "- 1\n"[i % 4];
        memcpy(yaml + n - 1000, last, sizeof last - 1);
        struct arena *arena = arena_new(1 << 20);
        struct yaml_tag found;
        assert_true(yaml_python_tag(bytes_of(yaml, n), false, arena, &found));
        assert_int_equal(found.offset, n - 998);
        arena_free(arena);
        free(yaml);
    }
}

/* libyaml looks at the open levels for each token. */
static void many_tokens_in_deep_nesting(void **state)
{
    (void)state;
    size_t n = READER_YAML_BYTES;
    static const char *const pieces[] = {"a,", "a: b,", "[],", "\"a\",", "? a,"};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        char *yaml = malloc(n);
        memset(yaml, i % 2 ? '{' : '[', 990);
        for (size_t k = 990; k < n; k++)
            yaml[k] = pieces[i][(k - 990) % strlen(pieces[i])];
        clock_t before = clock();
        free(dump(yaml, n, false));
        double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
        if (seconds > 0.5)
            print_message("%s: %.1f s\n", pieces[i], seconds);
        assert_true(seconds < 5);
        free(yaml);
    }
}

static void prefixes_of_tags_are_bounded(void **state)
{
    (void)state;
    size_t n = 1 << 19, at;
    char *yaml = malloc(2 * n + 100);
    at = (size_t)sprintf(yaml, "%%TAG !e! tag:");
    memset(yaml + at, 'x', n);
    at += n;
    at += (size_t)sprintf(yaml + at, "\n---\n[");
    while (at < 2 * n)
        at += (size_t)sprintf(yaml + at, "!e!a b,");
    clock_t before = clock();
    char *log = dump(yaml, at, false);
    assert_non_null(strstr(log, "clipped"));
    assert_true((double)(clock() - before) / CLOCKS_PER_SEC < 5);
    free(log);
    free(yaml);
}

static void a_full_arena_is_clipped(void **state)
{
    (void)state;
    for (size_t room = 0; room < 4000; room += 100) {
        struct arena *arena = arena_new(room);
        struct reader r;
        struct token t;
        char yaml[3000];
        memset(yaml, 'a', sizeof yaml);
        memcpy(yaml, "- b\n- ", 6);
        reader_begin(&r, WHAT_YAML, bytes_of(yaml, sizeof yaml), false, arena);
        while (reader_next(&r, &t))
            ;
        assert_int_equal(r.end, room < 3500 ? READER_CLIPPED : r.end);
        reader_end(&r);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_and_verdicts),
        cmocka_unit_test(plain_scalars),
        cmocka_unit_test(clipped_at_every_byte),
        cmocka_unit_test(skipping_and_raw),
        cmocka_unit_test(offsets_are_bytes),
        cmocka_unit_test(tags_of_python),
        cmocka_unit_test(tags_in_utf16),
        cmocka_unit_test(padding_hides_no_tag),
        cmocka_unit_test(deep_and_wide),
        cmocka_unit_test(many_tokens_in_deep_nesting),
        cmocka_unit_test(prefixes_of_tags_are_bounded),
        cmocka_unit_test(a_full_arena_is_clipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
