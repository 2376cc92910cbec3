/* Tests of the JSON reader: tokens, verdicts as Python's, cuts, nesting, skipping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissectors/content/reader.h"
#include "tests/content/support/dump.h"

#define T(s) (s), sizeof(s) - 1

static const struct {
    const char *json;
    size_t len;
    const char *log;
} documents[] = {
    {T("{}"), "0 {\n0 }\nwhole\n"},
    {T(" [ ] "), "0 [\n0 ]\nwhole\n"},
    {T("[[1, 2], {}, {\"a\": null}]"),
     "0 [\n1 [\n2 int 1\n2 int 2\n1 ]\n1 {\n1 }\n1 {\n2 key a\n2 null\n1 }\n0 ]\nwhole\n"},
    {T("{\"a\":1,\"a\":2}"), "0 {\n1 key a\n1 int 1\n1 key a\n1 int 2\n0 }\nwhole\n"},
    {T("\"\""), "0 str \nwhole\n"},
    {T("\"a\\\"b\\\\\\/\\b\\f\\n\\r\\t\""), "0 str a\"b\\x5c/\\x08\\x0c\\x0a\\x0d\\x09\nwhole\n"},
    {T("\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\""),
     "0 str A\\xc3\\xa9\\xe2\\x82\\xac\\xf0\\x9f\\x98\\x80\nwhole\n"},
    {T("\"\\ud800\""), "0 str \\xed\\xa0\\x80\nwhole\n"},
    {T("\"\\ude00\\ud83d!\""), "0 str \\xed\\xb8\\x80\\xed\\xa0\\xbd!\nwhole\n"},
    {T("\"\\ud83d\\u0041\""), "0 str \\xed\\xa0\\xbdA\nwhole\n"},
    {T("\"\\ud83d\\udfff\\udbff\\udc00\""),
     "0 str \\xf0\\x9f\\x9f\\xbf\\xf4\\x8f\\xb0\\x80\nwhole\n"},
    {T("\"\\ud83d\\ue000\""), "0 str \\xed\\xa0\\xbd\\xee\\x80\\x80\nwhole\n"},
    {T("\"\\u0000\""), "0 str \\x00\nwhole\n"},
    {T("\"\xff\x7f\""), "0 str \\xff\\x7f\nwhole\n"},
    {T("0"), "0 int 0\nwhole\n"},
    {T("-0"), "0 int 0\nwhole\n"},
    {T("9223372036854775807"), "0 int 9223372036854775807\nwhole\n"},
    {T("-9223372036854775808"), "0 int -9223372036854775808\nwhole\n"},
    {T("9223372036854775808"), "0 int 9223372036854775807\nwhole\n"},
    {T("-99999999999999999999999"), "0 int -9223372036854775808\nwhole\n"},
    {T("1.5"), "0 float 1.5\nwhole\n"},
    {T("-1E2"), "0 float -100\nwhole\n"},
    {T("-0.0"), "0 float -0\nwhole\n"},
    {T("1700000000.123456"), "0 float 1700000000.123456\nwhole\n"},
    {T("136950674.27441417"), "0 float 136950674.27441418\nwhole\n"},
    {T("1e400"), "0 float inf\nwhole\n"},
    {T("[NaN, Infinity, -Infinity]"), "0 [\n1 float nan\n1 float inf\n1 float -inf\n0 ]\nwhole\n"},
    {T("[true, false, null]"), "0 [\n1 true\n1 false\n1 null\n0 ]\nwhole\n"},
    /* a document, and more behind it */
    {T("{} x"), "0 {\n0 }\nwhole rest x\n"},
    {T("01"), "0 int 0\nwhole rest 1\n"},
    {T("1."), "0 int 1\nwhole rest .\n"},
    {T("1e"), "0 int 1\nwhole rest e\n"},
    {T("1.5e+"), "0 float 1.5\nwhole rest e+\n"},
    {T("2.e3"), "0 int 2\nwhole rest .e3\n"},
    {T("nullx"), "0 null\nwhole rest x\n"},
    {T("0x1"), "0 int 0\nwhole rest x1\n"},
    {T("\"a\"\"b\""), "0 str a\nwhole rest \"b\"\n"},
    /* no document */
    {T(""), "broken@0\n"},
    {T(" "), "broken@1\n"},
    {T("\xef\xbb\xbf{}"), "broken@0\n"},
    {T("["), "0 [\nbroken@1\n"},
    {T("[1"), "0 [\n1 int 1\nbroken@2\n"},
    {T("[1,"), "0 [\n1 int 1\nbroken@3\n"},
    {T("[1,]"), "0 [\n1 int 1\nbroken@3\n"},
    {T("[,1]"), "0 [\nbroken@1\n"},
    {T("[1 2]"), "0 [\n1 int 1\nbroken@3\n"},
    {T("[1}"), "0 [\n1 int 1\nbroken@2\n"},
    {T("{]"), "0 {\nbroken@1\n"},
    {T("{\"a\"}"), "0 {\n1 key a\nbroken@4\n"},
    {T("{\"a\":}"), "0 {\n1 key a\nbroken@5\n"},
    {T("{\"a\":1,}"), "0 {\n1 key a\n1 int 1\nbroken@7\n"},
    {T("{a:1}"), "0 {\nbroken@1\n"},
    {T("{1:1}"), "0 {\nbroken@1\n"},
    {T("{'a':1}"), "0 {\nbroken@1\n"},
    {T("[01]"), "0 [\n1 int 0\nbroken@2\n"},
    {T("[1.]"), "0 [\n1 int 1\nbroken@2\n"},
    {T("[.5]"), "0 [\nbroken@1\n"},
    {T("[+1]"), "0 [\nbroken@1\n"},
    {T("[-]"), "0 [\nbroken@1\n"},
    {T("[-x]"), "0 [\nbroken@1\n"},
    {T("[1e]"), "0 [\n1 int 1\nbroken@2\n"},
    {T("[nul]"), "0 [\nbroken@1\n"},
    {T("[True]"), "0 [\nbroken@1\n"},
    {T("[nan]"), "0 [\nbroken@1\n"},
    {T("[-Inf]"), "0 [\nbroken@1\n"},
    {T("[\"a]"), "0 [\nbroken@1\n"},
    {T("[\"a\nb\"]"), "0 [\nbroken@3\n"},
    {T("[\"\0\"]"), "0 [\nbroken@2\n"},
    {T("[\"\x1f\"]"), "0 [\nbroken@2\n"},
    {T("[\"\\x41\"]"), "0 [\nbroken@2\n"},
    {T("[\"\\u12g4\"]"), "0 [\nbroken@2\n"},
    {T("[\"\\u123\"]"), "0 [\nbroken@2\n"},
    {T("[\"\\"), "0 [\nbroken@1\n"},
    {T("[\"0123456789abcdef\\q\"]"), "0 [\nbroken@18\n"},
    {T("[\"0123456789abcdef0123\x01\"]"), "0 [\nbroken@22\n"},
    {T("//\n[]"), "broken@0\n"},
    {T("[\x0b"
       "1]"),
     "0 [\nbroken@1\n"},
};

static char *dump(const char *json, size_t len, bool clipped)
{
    uint8_t *own = malloc(len > 0 ? len : 1);
    memcpy(own, json, len);
    char *log = dump_document(WHAT_JSON, bytes_of(own, len), clipped);
    free(own);
    return log;
}

static void tokens_and_verdicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        char *log = dump(documents[i].json, documents[i].len, false);
        if (strcmp(log, documents[i].log) != 0)
            fail_msg("%s:\n%s--- not\n%s", documents[i].json, log, documents[i].log);
        free(log);
    }
}

static const char envelope[] =
    "{\"body\": \"W1syLCAzXSwge30sIHsiY2FsbGJhY2tzIjogbnVsbH1d\", \"content-encoding\": \"utf-8\", "
    "\"content-type\": \"application/json\", \"headers\": {\"lang\": \"py\", \"task\": "
    "\"lab.\\u0061dd\", "
    "\"id\": \"1db90e87-0000-4000-8000-000000000000\", \"eta\": null, \"retries\": 0, "
    "\"timelimit\": [null, 1.5], \"argsrepr\": \"('a\\\\\\\"b',)\", \"ignore_result\": false}, "
    "\"properties\": {\"priority\": 0, \"weird\": [[], {}, [-1.5e+3, NaN, -Infinity, true]]}}";

/* Cut anywhere and known to be clipped: never broken, and the tokens are those of the whole, the
 * last one perhaps cut. */
static void clipped_at_every_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i <= sizeof documents / sizeof *documents; i++) {
        const char *json = i == 0 ? envelope : documents[i - 1].json;
        size_t len = i == 0 ? sizeof envelope - 1 : documents[i - 1].len;
        char *whole = dump(json, len, false);
        bool good = strstr(whole, "broken") == NULL && strstr(whole, "rest") == NULL;
        for (size_t n = 0; good && n <= len; n++) {
            char *head = dump(json, n, true);
            if (strstr(head, "broken") || !dump_is_prefix(head, whole))
                fail_msg("%.*s:\n%s--- not a prefix of\n%s", (int)n, json, head, whole);
            free(head);
        }
        free(whole);
    }
}

static void damaged_at_every_byte(void **state)
{
    (void)state;
    static const char put[] = {'"', '\\', '{', '}', '[', ']', ',', ':', '0', 'x', '\0', '\x80'};
    for (size_t n = 0; n < sizeof envelope - 1; n++)
        for (size_t k = 0; k < sizeof put; k++) {
            char copy[sizeof envelope];
            memcpy(copy, envelope, sizeof envelope);
            copy[n] = put[k];
            free(dump(copy, sizeof envelope - 1, k % 2));
        }
}

static struct reader over(const char *json, size_t len, bool clipped)
{
    struct reader r;
    reader_begin(&r, WHAT_JSON, bytes_of(json, len), clipped, NULL);
    return r;
}

/* Reads on to the key, and stands behind it. */
static bool find_key(struct reader *r, const char *key, struct token *t)
{
    while (reader_next(r, t))
        if (t->kind == TOKEN_KEY && token_is(t, key))
            return true;
    return false;
}

static void skipping_ends_where_reading_does(void **state)
{
    (void)state;
    struct reader whole = over(envelope, sizeof envelope - 1, false);
    for (struct token t; reader_next(&whole, &t);) {
        if (t.kind != TOKEN_MAP && t.kind != TOKEN_LIST)
            continue;
        struct reader skips = whole, reads = whole;
        struct token u;
        reader_skip(&skips, &t);
        while (reader_next(&reads, &u) && u.depth > t.depth)
            ;
        assert_int_equal(skips.rest.len, reads.rest.len);
        assert_int_equal(skips.depth, reads.depth);
        while (reader_next(&skips, &u))
            ;
        assert_int_equal(skips.end, READER_WHOLE);
    }
}

/* Around the borders of the blocks in which strings are scanned. */
static void every_byte_at_every_place_of_a_string(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++)
        for (size_t place = 0; place < 100; place++) {
            char *json = malloc(102);
            memset(json, 'x', 102);
            json[0] = json[101] = '"';
            json[1 + place] = (char)c;
            struct reader r = over(json, 102, false);
            struct token t;
            bool good = reader_next(&r, &t);
            assert_int_equal(good, c == '"' || (c >= 0x20 && c != '\\'));
            if (good)
                assert_int_equal(t.text.len, c == '"' ? place : 100);
            else /* an escaped closing quote leaves the whole string open */
                assert_int_equal(r.broken_at, c == '\\' && place == 99 ? 0 : 1 + place);
            free(json);
        }
}

static void raw_values(void **state)
{
    (void)state;
    static const struct {
        const char *key, *raw;
    } wants[] = {
        {"task", "\"lab.\\u0061dd\""},
        {"eta", "null"},
        {"retries", "0"},
        {"timelimit", "[null, 1.5]"},
        {"priority", "0"},
        {"weird", "[[], {}, [-1.5e+3, NaN, -Infinity, true]]"},
    };
    for (int by_key = 0; by_key < 2; by_key++) {
        struct reader r = over(envelope, sizeof envelope - 1, false);
        for (size_t i = 0; i < sizeof wants / sizeof *wants; i++) {
            struct token t;
            assert_true(find_key(&r, wants[i].key, &t));
            if (!by_key)
                assert_true(reader_next(&r, &t));
            assert_true(bytes_eq(reader_raw(&r, &t), wants[i].raw));
        }
    }
}

static void skipping_the_value_of_a_key(void **state)
{
    (void)state;
    struct reader r = over(envelope, sizeof envelope - 1, false);
    struct token t;
    unsigned keys = 0;
    assert_true(reader_next(&r, &t));
    while (reader_next(&r, &t) && t.kind == TOKEN_KEY) {
        keys++;
        reader_skip(&r, &t);
    }
    assert_int_equal(t.kind, TOKEN_MAP_END);
    assert_int_equal(keys, 5);
    assert_false(reader_next(&r, &t));
    assert_int_equal(r.end, READER_WHOLE);
}

/* Strings with brackets, quotes and backslashes around every border of the blocks of 64. */
static void skipping_over_hard_strings(void **state)
{
    (void)state;
    static const char *const strings[] = {"\"]\"",         "\"\\\"]\"",       "\"\\\\\"",
                                          "\"\\\\\\\"]\"", "\"}{][\\u005d\"", "\"a\\\\\\\\\""};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        for (size_t pad = 0; pad < 140; pad++) {
            char json[400];
            int len = snprintf(json, sizeof json, "[[%*s%s, {\"a]\": [%s]}], 7]", (int)pad, "",
                               strings[i], strings[i]);
            char *own = malloc((size_t)len);
            memcpy(own, json, (size_t)len);
            struct reader r = over(own, (size_t)len, false);
            struct token t;
            assert_true(reader_next(&r, &t) && reader_next(&r, &t));
            reader_skip(&r, &t);
            assert_true(reader_next(&r, &t));
            assert_int_equal(t.kind, TOKEN_INT);
            assert_int_equal(t.num, 7);
            free(own);
        }
}

static void skipping_what_does_not_end(void **state)
{
    (void)state;
    for (int clipped = 0; clipped < 2; clipped++)
        for (size_t n = 1; n < 300; n++) {
            char *json = malloc(n);
            memset(json, 'x', n);
            json[0] = '[';
            struct reader r = over(json, n, clipped);
            struct token t;
            assert_true(reader_next(&r, &t));
            struct bytes raw = reader_raw(&r, &t);
            assert_int_equal(raw.len, n);
            assert_false(reader_next(&r, &t));
            assert_int_equal(r.end, clipped ? READER_CLIPPED : READER_BROKEN);
            free(json);
        }
}

static void nesting_deeper_than_is_read(void **state)
{
    (void)state;
    for (size_t deep = READER_DEPTH - 1; deep < READER_DEPTH + 3; deep++) {
        char json[400] = "", want[8000] = "";
        size_t n = 0, w = 0;
        for (size_t i = 0; i < deep; i++)
            json[n++] = '[';
        n += (size_t)sprintf(json + n, "1, \"]\"");
        for (size_t i = 0; i < deep; i++)
            json[n++] = ']';
        for (size_t i = 0; i < deep && i < READER_DEPTH; i++)
            w += (size_t)sprintf(want + w, "%zu [\n", i);
        if (deep <= READER_DEPTH)
            w += (size_t)sprintf(want + w, "%zu int 1\n%zu str ]\n", deep, deep);
        else
            w += (size_t)sprintf(want + w, "%u null\n", READER_DEPTH);
        for (size_t i = deep < READER_DEPTH ? deep : READER_DEPTH; i-- > 0;)
            w += (size_t)sprintf(want + w, "%zu ]\n", i);
        sprintf(want + w, deep > READER_DEPTH ? "whole deep 1\n" : "whole\n");
        char *log = dump(json, n, false);
        assert_string_equal(log, want);
        free(log);
    }
}

static void a_mebibyte_of_brackets(void **state)
{
    (void)state;
    size_t n = 1 << 20;
    for (int kind = 0; kind < 3; kind++)
        for (int clipped = 0; clipped < 2; clipped++) {
            char *json = malloc(n);
            for (size_t i = 0; i < n; i++)
                json[i] = kind == 0 ? '[' : kind == 1 ? "{\"a\":"[i % 5] : "[{\"\":"[i % 5];
            char *log = dump(json, n, clipped);
            assert_non_null(strstr(log, clipped ? "clipped deep 1" : "broken@"));
            free(log);
            free(json);
        }
}

static void key_compares_with_its_escapes_undone(void **state)
{
    (void)state;
    static const char json[] = "[\"t\\u0061sk\", \"\\ud83d\\ude00\", \"task\", \"tas";
    struct reader r = over(json, sizeof json - 1, true);
    struct token t;
    assert_true(reader_next(&r, &t) && reader_next(&r, &t));
    assert_true(token_is(&t, "task"));
    assert_false(token_is(&t, "tas"));
    assert_false(token_is(&t, "tasks"));
    assert_false(token_is(&t, ""));
    assert_true(reader_next(&r, &t));
    assert_true(token_is(&t, "\xf0\x9f\x98\x80"));
    assert_false(token_is(&t, "\xf0\x9f\x98"));
    assert_true(reader_next(&r, &t));
    assert_true(token_is(&t, "task"));
    assert_true(reader_next(&r, &t));
    assert_true(t.cut);
    assert_false(token_is(&t, "tas"));
    assert_true(bytes_eq(t.text, "tas"));
}

static void text_when_the_arena_is_full(void **state)
{
    (void)state;
    static const char json[] = "\"0123456789 0123456789 0123456789 0123456789 \\n 0123456789\"";
    struct arena *arena = arena_new(16);
    struct reader r = over(json, sizeof json - 1, false);
    struct token t;
    assert_true(reader_next(&r, &t));
    assert_int_equal(token_text(&t, arena).len, 0);
    arena_free(arena);
}

static void text_of_an_escape_that_is_cut(void **state)
{
    (void)state;
    static const char json[] = "\"ab\\ud83d\\ude00";
    struct arena *arena = arena_new(1 << 16);
    for (size_t n = 1; n < sizeof json; n++) {
        struct reader r = over(json, n, true);
        struct token t;
        assert_true(reader_next(&r, &t));
        struct bytes text = token_text(&t, arena);
        assert_int_equal(text.len, n < 3 ? n - 1 : n < 15 ? 2 : 6);
    }
    arena_free(arena);
}

static void offsets_point_at_the_tokens(void **state)
{
    (void)state;
    struct reader r = over(envelope, sizeof envelope - 1, false);
    for (struct token t; reader_next(&r, &t);) {
        char c = envelope[t.offset];
        switch (t.kind) {
        case TOKEN_MAP: assert_int_equal(c, '{'); break;
        case TOKEN_MAP_END: assert_int_equal(c, '}'); break;
        case TOKEN_LIST: assert_int_equal(c, '['); break;
        case TOKEN_LIST_END: assert_int_equal(c, ']'); break;
        case TOKEN_KEY:
        case TOKEN_STRING:
            assert_int_equal(c, '"');
            assert_ptr_equal(t.text.at, envelope + t.offset + 1);
            break;
        default: assert_ptr_equal(t.text.at, envelope + t.offset);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_and_verdicts),
        cmocka_unit_test(clipped_at_every_byte),
        cmocka_unit_test(damaged_at_every_byte),
        cmocka_unit_test(skipping_ends_where_reading_does),
        cmocka_unit_test(every_byte_at_every_place_of_a_string),
        cmocka_unit_test(raw_values),
        cmocka_unit_test(skipping_the_value_of_a_key),
        cmocka_unit_test(skipping_over_hard_strings),
        cmocka_unit_test(skipping_what_does_not_end),
        cmocka_unit_test(nesting_deeper_than_is_read),
        cmocka_unit_test(a_mebibyte_of_brackets),
        cmocka_unit_test(key_compares_with_its_escapes_undone),
        cmocka_unit_test(text_when_the_arena_is_full),
        cmocka_unit_test(text_of_an_escape_that_is_cut),
        cmocka_unit_test(offsets_point_at_the_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
