/* Tests of content_guess(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissectors/content/content.h"

#define T(s) (s), sizeof(s) - 1

static const struct {
    const char *type, *bytes;
    size_t len;
    enum content_what what;
} samples[] = {
    {"", T(""), WHAT_EMPTY},
    /* JSON, whatever the declaration says */
    {"application/json", T("[[1, 2], {}, {\"callbacks\": null}]"), WHAT_JSON},
    {"application/x-python-serialize", T("{\"a\": 1}"), WHAT_JSON},
    {"application/x-msgpack", T("{\"a\": 1}"), WHAT_JSON},
    {"", T(" \r\n\t{ \"a\": 1}"), WHAT_JSON},
    {"", T("{}"), WHAT_JSON},
    {"", T("{"), WHAT_JSON},
    {"", T("[]"), WHAT_JSON},
    {"", T("[ null]"), WHAT_JSON},
    {"", T("[-1]"), WHAT_JSON},
    {"", T("\"text\""), WHAT_JSON},
    {"", T("\"text that is cut"), WHAT_JSON},
    {"", T("\"quoted\" words"), WHAT_TEXT},
    {"", T("12"), WHAT_JSON},
    {"", T("-1.5e3 "), WHAT_JSON},
    {"", T("true"), WHAT_JSON},
    {"", T("null\n"), WHAT_JSON},
    {"", T("NaN"), WHAT_JSON},
    {"", T("{a: 1}"), WHAT_TEXT},
    {"", T("[hello]"), WHAT_TEXT},
    {"", T("12 monkeys"), WHAT_TEXT},
    {"", T("nullify"), WHAT_TEXT},
    {"", T("Never"), WHAT_TEXT},
    /* YAML is only declared */
    {"application/x-yaml", T("- 1\n- {a: b}\n"), WHAT_YAML},
    {"text/YAML", T("{\"a\": !!python/name:os.system ''}"), WHAT_YAML},
    {"application/x-yaml", T("\x80\x04\x95\x01"), WHAT_BINARY},
    {"", T("- 1\n- 2\n"), WHAT_TEXT},
    /* MessagePack */
    {"application/x-msgpack", T("\x93\x92\x02\x03\x80\x80"), WHAT_MSGPACK},
    {"application/x-msgpack", T("\x93\x92\x02"), WHAT_MSGPACK},
    {"application/x-msgpack", T("\x80"), WHAT_MSGPACK},
    {"application/x-msgpack",
     T("\xa3"
       "abc"),
     WHAT_MSGPACK},
    {"application/x-msgpack", T("\xc1"), WHAT_BINARY},
    {"", T("\x93\x92\x02\x03\x80\x81\xa1k\xc0"), WHAT_MSGPACK},
    {"", T("\x93\x92\x02\x03\x80"), WHAT_BINARY},
    {"", T("\x93\x92\x02\x03\x80\x80\x00"), WHAT_BINARY},
    {"",
     T("\x82\xa1"
       "a\x01\xa1"
       "b\xdc\x00\x00"),
     WHAT_MSGPACK},
    {"", T("\x81\x01\x02\x03"), WHAT_BINARY},
    {"", T("\xdd\xff\xff\xff\xff\x01\x02"), WHAT_BINARY},
    /* a pickle: somebody else's to name */
    {"", T("\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94."), WHAT_BINARY},
    {"", T("(lp0\nI1\na."), WHAT_TEXT},
    /* auth: see the tests of auth.h for real ones */
    {"application/data", T("TGFiIENBIDEyMzQAAXNpZw=="), WHAT_AUTH},
    {"", T("TGFiIENBIDEyMzQAAXNpZw=="), WHAT_AUTH},
    {"application/json", T("TGFiIENBIDEyMzQAAXNpZw=="), WHAT_TEXT},
    {"application/data", T("TGFiIENBIDEyMzQgAXNpZw=="), WHAT_TEXT},
    /* the rest */
    {"text/plain", T("gr\xc3\xbc\xc3\x9f Gott\n"), WHAT_TEXT},
    {"", T("a\0b"), WHAT_BINARY},
    {"", T("\xff\xd8\xff\xe0"), WHAT_BINARY},
};

static void by_bytes_then_by_declaration(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        uint8_t *own = malloc(samples[i].len + 1);
        memcpy(own, samples[i].bytes, samples[i].len);
        struct bytes type = bytes_of(samples[i].type, strlen(samples[i].type));
        enum content_what what = content_guess(bytes_of(own, samples[i].len), type);
        if (what != samples[i].what)
            fail_msg("sample %zu (%s): %d, not %d", i, samples[i].bytes, what, samples[i].what);
        free(own);
    }
}

static void long_msgpack_that_is_cut(void **state)
{
    (void)state;
    uint8_t many[5000];
    memset(many, 'a', sizeof many);
    many[0] = 0x9e; /* 14 texts of 400 bytes, of which 12 are here */
    for (size_t at = 1; at < sizeof many; at += 403)
        memcpy(many + at, "\xda\x01\x90", 3);
    struct bytes head = bytes_of(many, sizeof many);
    assert_int_equal(content_guess(head, (struct bytes){0}), WHAT_MSGPACK);
    assert_int_equal(content_guess(bytes_head(head, 4000), (struct bytes){0}), WHAT_BINARY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_bytes_then_by_declaration),
        cmocka_unit_test(long_msgpack_that_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
