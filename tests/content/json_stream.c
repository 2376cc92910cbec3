/* json_stream.c - the texts of a document and its abridged copy, however it is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "dissectors/content/json_stream.h"
#include "tests/every_split.h"

static const struct bytes wanted[] = {{(const uint8_t *)"body", 4},
                                      {(const uint8_t *)"headers", 7}};

struct reading {
    struct json_stream s;
    FILE *f;
    char *log;
    size_t len;
};

static void on_begin(void *ctx, const struct json_place *at)
{
    struct reading *r = ctx;

    fprintf(r->f, "%u", at->depth);
    for (unsigned i = 0; i < at->depth && i < JSON_STREAM_KEYS; i++)
        fprintf(r->f, " %s%.*s", at->maps >> i & 1 ? "" : "-", (int)at->key[i].len,
                (const char *)at->key[i].text);
    fprintf(r->f, ": ");
}

static void on_piece(void *ctx, struct bytes text)
{
    fwrite(text.at, 1, text.len, ((struct reading *)ctx)->f);
}

static void on_end(void *ctx)
{
    fprintf(((struct reading *)ctx)->f, "\n");
}

static void *start(void)
{
    struct reading *r = calloc(1, sizeof *r);
    struct json_stream_sink sink = {on_begin, on_piece, on_end, r};

    assert_non_null(r);
    r->f = open_memstream(&r->log, &r->len);
    json_stream_begin(&r->s, &sink, wanted, 2);
    return r;
}

static void feed(void *parser, struct bytes piece)
{
    json_stream_feed(&((struct reading *)parser)->s, piece);
}

static char *finish(void *parser)
{
    struct reading *r = parser;
    struct bytes copy = json_stream_copy(&r->s);
    char *log;

    fprintf(r->f, "= %.*s\n", (int)copy.len, copy.len > 0 ? (const char *)copy.at : "");
    fclose(r->f);
    log = r->log;
    json_stream_free(&r->s);
    free(r);
    return log;
}

static const struct split_subject subject = {start, feed, finish};

static void says(const char *json, const char *want)
{
    struct bytes all = bytes_of(json, strlen(json));
    char *log = split_run(&subject, all, all.len, all.len);

    assert_string_equal(log, want);
    free(log);
    assert_int_equal(every_split(&subject, all), 0);
}

static void texts_have_their_places(void **state)
{
    (void)state;
    says("{\"body\": \"abc\", \"headers\": {\"a\": [1, \"x\"], \"b\": \"y\"}}",
         "1 body: abc\n3 headers a -: x\n2 headers b: y\n"
         "= {\"body\":\"abc\",\"headers\":{\"a\":[1,\"x\"],\"b\":\"y\"}}\n");
    says("[{\"body\": \"abc\"}, \"q\", null]",
         "2 - body: abc\n1 -: q\n= [{\"body\":\"abc\"},\"q\",null]\n");
    says("\"alone\"", "0: alone\n= \"alone\"\n");
}

static void escapes_are_undone(void **state)
{
    (void)state;
    says("[\"a\\\"b\\\\c\\/\\n\\u0041\\u00e9\\u20ac\\ud83d\\ude00|\\ude00|\\ud83dx\"]",
         "1 -: a\"b\\c/\nA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80||x\n"
         "= [\"a\\\"b\\\\c\\/\\n\\u0041\\u00e9\\u20ac\\ud83d\\ude00|\\ude00|\\ud83dx\"]\n");
    says("{\"bod\\u0079\": \"x\"}", "1 body: x\n= {\"bod\\u0079\":\"x\"}\n");
}

static void what_nobody_asked_for_is_not_copied(void **state)
{
    (void)state;
    says("{\"x\": [1, {\"body\": \"in\"}], \"body\": 7, \"y\": \"t\", \"headers\": {\"x\": 1 }}",
         "3 x - body: in\n1 y: t\n= {\"x\":0,\"body\":7,\"y\":0,\"headers\":{\"x\":1}}\n");
}

static void junk_is_read_without_harm(void **state)
{
    (void)state;
    says("}}]]{{[\"a\\q\\u12zz\",::,\"b\" \"c", "3   -: azz\n3   -: b\n3   -: c"
                                                "= }}]]{{[\"azz\",::,\"b\"\"c\n");
    says("{\"a key that is longer than any that anybody asks for\": \"x\"}",
         "1 : x\n= {\"a key that is longer than any that anybody asks for\":0}\n");
}

/* Of a long string the head is copied, and no half of an escape. */
static void long_strings_end_early(void **state)
{
    enum { LONG = 3 * JSON_STREAM_TEXT };
    char json[LONG + 64];
    struct reading *r = start();
    struct bytes copy;
    size_t n = 10;

    (void)state;
    memcpy(json, "{\"body\": \"", n);
    json[n++] = 'x';
    while (n < LONG) {
        memcpy(json + n, "\\u0041", 6);
        n += 6;
    }
    memcpy(json + n, "\", \"headers\": 1}", 16);
    json_stream_feed(&r->s, bytes_of(json, n + 16));
    copy = json_stream_copy(&r->s);
    assert_in_range(copy.len, JSON_STREAM_TEXT - 8, JSON_STREAM_TEXT + 64);
    assert_memory_equal(copy.at + copy.len - 20, "\\u0041\",\"headers\":1}", 20);
    free(finish(r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_have_their_places),
        cmocka_unit_test(escapes_are_undone),
        cmocka_unit_test(what_nobody_asked_for_is_not_copied),
        cmocka_unit_test(junk_is_read_without_harm),
        cmocka_unit_test(long_strings_end_early),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
