/* Tests of out/text.h: strings, numbers, times, and where a text is cut. */
#include "out/text.h"

#include <inttypes.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static void is_json(const char *in, size_t n, const char *want)
{
    struct text t = {0};
    uint8_t *own = malloc(n + (n == 0)); /* of its exact size */

    memcpy(own, in, n);
    text_json(&t, bytes_of(own, n));
    TEXT_LITERAL(&t, "\0");
    assert_string_equal(t.at, want);
    text_free(&t);
    free(own);
}
#define IS(in, want) is_json(in, sizeof(in) - 1, want)

static void spelling(void **state)
{
    (void)state;
    IS("", "\"\"");
    IS("plain text, and more of it than sixteen bytes",
       "\"plain text, and more of it than sixteen bytes\"");
    IS("a\"b\\c/d", "\"a\\\"b\\\\c/d\"");
    IS("\n\t\r\b\x1b[31m\x7f", "\"\\n\\t\\r\\u0008\\u001b[31m\\u007f\"");
    IS("a\0b", "\"a\\u0000b\"");
    IS("gr\xc3\xbc\xc3\x9f \xe4\xb8\xad \xf0\x9f\x98\x80",
       "\"gr\xc3\xbc\xc3\x9f \xe4\xb8\xad \xf0\x9f\x98\x80\"");
    IS("\xe2\x80\xa8\xe2\x80\xa9", "\"\\u2028\\u2029\"");
    IS("\xe2\x80\xae"
       "cod.exe",
       "\"\\u202ecod.exe\"");
    IS("\xe2\x81\xa6\xe2\x80\x8b\xef\xbb\xbf\xd8\x9c", "\"\\u2066\\u200b\\ufeff\\u061c\"");
    IS("\xc2\x9b"
       "31m\xc2\xad",
       "\"\\u009b31m\\u00ad\"");
    IS("\xf3\xa0\x81\x81", "\"\\udb40\\udc41\""); /* a tag character: U+E0041 */
}

static void bytes_that_are_no_text(void **state)
{
    (void)state;
    IS("\xff", "\"\\ufffd\"");
    IS("a\x80z", "\"a\\ufffdz\"");
    IS("\xc0\xaf", "\"\\ufffd\\ufffd\"");                       /* overlong */
    IS("\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\"");            /* overlong */
    IS("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"");            /* a surrogate */
    IS("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""); /* above 10FFFF */
    IS("\xe4\xb8", "\"\\ufffd\\ufffd\"");                       /* cut short */
    IS("\xe4\xb8"
       "a",
       "\"\\ufffd\\ufffda\"");
}

/* At every place of a block of 16, and over its edge. */
static void every_place(void **state)
{
    (void)state;
    for (size_t n = 1; n < 70; n++)
        for (size_t at = 0; at < n; at++) {
            char in[80], want[90];
            memset(in, 'x', n);
            in[at] = '"';
            snprintf(want, sizeof want, "\"%.*s\\\"%.*s\"", (int)at, in, (int)(n - at - 1),
                     in + at + 1);
            is_json(in, n, want);
        }
}

/* Whatever the bytes are: jansson reads them as what text_utf8() makes of them. */
static void random_bytes(void **state)
{
    uint32_t seed = 1;
    struct text json = {0}, plain = {0}, list = {0}, again = {0};

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t in[64];
        size_t n = round % sizeof in;
        for (size_t i = 0; i < n; i++) {
            static const uint8_t MIX[] = {0xe2, 0x80, 0xae, 0xf0, 0xc2, 0x9b, '"',
                                          '\\', 'a',  0,    0x7f, 0xef, 0xbb, 0xbf};
            seed = seed * 1664525u + 1013904223u;
            in[i] = seed >> 30 ? MIX[(seed >> 8) % sizeof MIX] : (uint8_t)(seed >> 16);
        }
        text_clear(&json), text_clear(&plain), text_clear(&list), text_clear(&again);
        TEXT_LITERAL(&list, "[");
        text_json(&json, bytes_of(in, n));
        text_put(&list, json.at, json.len);
        TEXT_LITERAL(&list, "]");
        text_utf8(&plain, bytes_of(in, n));
        json_t *read = json_loadb(list.at, list.len, JSON_ALLOW_NUL, NULL);
        json_t *s = json_array_get(read, 0);
        assert_non_null(s);
        assert_int_equal(json_string_length(s), plain.len);
        if (plain.len > 0)
            assert_memory_equal(json_string_value(s), plain.at, plain.len);
        /* escaping what is hidden in a library's text is the same as ours */
        char *dumped = json_dumps(read, JSON_COMPACT);
        text_escape_hidden(&again, bytes_of(dumped, strlen(dumped)));
        json_t *read_again = json_loadb(again.at, again.len, JSON_ALLOW_NUL, NULL);
        assert_true(json_equal(read, read_again));
        for (size_t i = 0; i < again.len; i++)
            assert_true((uint8_t)again.at[i] >= 0x20 && again.at[i] != 0x7f);
        free(dumped);
        json_decref(read);
        json_decref(read_again);
    }
    text_free(&json), text_free(&plain), text_free(&list), text_free(&again);
}

static void numbers(void **state)
{
    static const int64_t N[] = {0,     1,  9,   10,        99,        100,          101,
                                12345, -1, -10, INT64_MAX, INT64_MIN, 1000000000000};
    struct text t = {0};
    char want[32];

    (void)state;
    for (size_t i = 0; i < sizeof N / sizeof N[0]; i++) {
        text_clear(&t);
        text_i64(&t, N[i]);
        snprintf(want, sizeof want, "%" PRId64, N[i]);
        assert_int_equal(t.len, strlen(want));
        assert_memory_equal(t.at, want, t.len);
    }
    text_clear(&t);
    text_u64(&t, UINT64_MAX);
    assert_int_equal(t.len, 20);
    assert_memory_equal(t.at, "18446744073709551615", 20);
    text_free(&t);
}

static void one_time(struct text_clock *clock, int64_t ns)
{
    struct text t = {0};
    char want[64], day[32];
    int64_t s = ns / 1000000000, us = ns % 1000000000 / 1000;
    struct tm tm;

    if (ns % 1000000000 < 0) {
        s--;
        us = (ns % 1000000000 + 1000000000) / 1000;
    }
    time_t when = s;
    gmtime_r(&when, &tm);
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(want, sizeof want, "%s.%06dZ", day, (int)us);
    text_time(&t, clock, ns);
    assert_int_equal(t.len, TEXT_TIME);
    assert_memory_equal(t.at, want, TEXT_TIME);
    text_free(&t);
}

static void times(void **state)
{
    struct text_clock clock = {0};
    uint64_t seed = 7;

    (void)state;
    one_time(&clock, 0);
    one_time(&clock, 999);
    one_time(&clock, -1);
    one_time(&clock, 951782400000000000);  /* 2000-02-29 */
    one_time(&clock, 4107542400000000000); /* 2100-03-01 */
    one_time(&clock, INT64_MAX);
    one_time(&clock, INT64_MIN + 1);
    for (unsigned i = 0; i < 20000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        one_time(&clock, (int64_t)seed);
        one_time(&clock, (int64_t)seed); /* of the same second, from what is kept */
    }
}

static void clip(const char *in, size_t max, const char *want, bool cut)
{
    bool was = false;
    struct bytes b = text_clip(bytes_of(in, strlen(in)), max, &was);

    assert_int_equal(b.len, strlen(want));
    assert_memory_equal(b.at, want, b.len);
    assert_int_equal(was, cut);
}

static void cuts(void **state)
{
    (void)state;
    clip("abc", 3, "abc", false);
    clip("abcd", 3, "abc", true);
    clip("ab\xc3\xa9", 3, "ab", true);
    clip("a\xc3\xa9z", 3, "a\xc3\xa9", true);
    clip("a\xe4\xb8\xad", 3, "a", true);
    clip("\xf0\x9f\x98\x80", 3, "", true);
    clip("\x80\x80\x80\x80\x80\x80", 5, "\x80\x80\x80\x80\x80", true);
    clip("", 0, "", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spelling),    cmocka_unit_test(bytes_that_are_no_text),
        cmocka_unit_test(every_place), cmocka_unit_test(random_bytes),
        cmocka_unit_test(numbers),     cmocka_unit_test(times),
        cmocka_unit_test(cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
