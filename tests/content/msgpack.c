/* Tests of the MessagePack reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissectors/content/msgpack_walk.h"
#include "dissectors/content/reader.h"
#include "tests/content/support/dump.h"

#define T(s) (s), sizeof(s) - 1

static const struct {
    const char *bytes;
    size_t len;
    const char *log;
} documents[] = {
    {T("\x00"), "0 int 0\nwhole\n"},
    {T("\x7f"), "0 int 127\nwhole\n"},
    {T("\xe0"), "0 int -32\nwhole\n"},
    {T("\xff"), "0 int -1\nwhole\n"},
    {T("\xcc\xff"), "0 int 255\nwhole\n"},
    {T("\xcd\xff\xfe"), "0 int 65534\nwhole\n"},
    {T("\xce\xff\xff\xff\xff"), "0 int 4294967295\nwhole\n"},
    {T("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), "0 int 9223372036854775807\nwhole\n"},
    {T("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), "0 int 9223372036854775807\nwhole\n"},
    {T("\xd0\x80"), "0 int -128\nwhole\n"},
    {T("\xd1\x80\x00"), "0 int -32768\nwhole\n"},
    {T("\xd2\xff\xff\xff\xfe"), "0 int -2\nwhole\n"},
    {T("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"), "0 int -9223372036854775808\nwhole\n"},
    {T("\xca\x3f\xc0\x00\x00"), "0 float 1.5\nwhole\n"},
    {T("\xcb\xbf\xf8\x00\x00\x00\x00\x00\x00"), "0 float -1.5\nwhole\n"},
    {T("\xc0"), "0 null\nwhole\n"},
    {T("\xc2"), "0 false\nwhole\n"},
    {T("\xc3"), "0 true\nwhole\n"},
    {T("\xa0"), "0 str \nwhole\n"},
    {T("\xa3"
       "abc"),
     "0 str abc\nwhole\n"},
    {T("\xd9\x01"
       "a"),
     "0 str a\nwhole\n"},
    {T("\xda\x00\x01"
       "a"),
     "0 str a\nwhole\n"},
    {T("\xdb\x00\x00\x00\x01\\"), "0 str \\x5c\nwhole\n"},
    {T("\xc4\x02\x00\xff"), "0 bytes \\x00\\xff\nwhole\n"},
    {T("\xc5\x00\x01"
       "a"),
     "0 bytes a\nwhole\n"},
    {T("\xc6\x00\x00\x00\x01"
       "a"),
     "0 bytes a\nwhole\n"},
    {T("\xd4\x05"
       "a"),
     "0 bytes a\nwhole\n"},
    {T("\xd5\x05"
       "ab"),
     "0 bytes ab\nwhole\n"},
    {T("\xd6\x05"
       "abcd"),
     "0 bytes abcd\nwhole\n"},
    {T("\xd7\x05"
       "abcdefgh"),
     "0 bytes abcdefgh\nwhole\n"},
    {T("\xd8\x05"
       "abcdefghijklmnop"),
     "0 bytes abcdefghijklmnop\nwhole\n"},
    {T("\xc7\x03\x05"
       "abc"),
     "0 bytes abc\nwhole\n"},
    {T("\xc8\x00\x03\x05"
       "abc"),
     "0 bytes abc\nwhole\n"},
    {T("\xc9\x00\x00\x00\x03\x05"
       "abc"),
     "0 bytes abc\nwhole\n"},
    {T("\x90"), "0 [\n0 ]\nwhole\n"},
    {T("\x80"), "0 {\n0 }\nwhole\n"},
    {T("\x93\x92\x02\x03\x80\x81\xa1"
       "a\xc0"),
     "0 [\n1 [\n2 int 2\n2 int 3\n1 ]\n1 {\n1 }\n1 {\n2 key a\n2 null\n1 }\n0 ]\nwhole\n"},
    {T("\xdc\x00\x01\x01"), "0 [\n1 int 1\n0 ]\nwhole\n"},
    {T("\xdd\x00\x00\x00\x01\x01"), "0 [\n1 int 1\n0 ]\nwhole\n"},
    {T("\xde\x00\x01\xa1"
       "a\x01"),
     "0 {\n1 key a\n1 int 1\n0 }\nwhole\n"},
    {T("\xdf\x00\x00\x00\x01\xa1"
       "a\x01"),
     "0 {\n1 key a\n1 int 1\n0 }\nwhole\n"},
    /* keys of every scalar type */
    {T("\x89\x01\x00\xd0\x80\x00\xca\x3f\xc0\x00\x00\x00\xc0\x00\xc2\x00\xc3\x00\xc4\x01k\x00"
       "\xd4\x05x\x00\xa1s\x00"),
     "0 {\n1 key 1\n1 int 0\n1 key -128\n1 int 0\n1 key 1.5\n1 int 0\n1 key null\n1 int 0\n"
     "1 key false\n1 int 0\n1 key true\n1 int 0\n1 key k\n1 int 0\n1 key x\n1 int 0\n1 key s\n"
     "1 int 0\n0 }\nwhole\n"},
    /* a document, and more behind it */
    {T("\x01\x02"), "0 int 1\nwhole rest \\x02\n"},
    /* no document */
    {T(""), "broken@0\n"},
    {T("\xc1"), "broken@0\n"},
    {T("\x92\x01"), "0 [\n1 int 1\nbroken@2\n"},
    {T("\x92\x01\xc1"), "0 [\n1 int 1\nbroken@2\n"},
    {T("\x81\xa1"
       "a"),
     "0 {\n1 key a\nbroken@3\n"},
    {T("\x81\x90\x01"), "0 {\nbroken@1\n"},
    {T("\x81\x80\x01"), "0 {\nbroken@1\n"},
    {T("\xa5"
       "abc"),
     "broken@0\n"},
    {T("\xcd\x01"), "broken@2\n"},
    {T("\xdb\xff\xff\xff\xff"
       "a"),
     "broken@0\n"},
    {T("\xc9\xff\xff\xff\xff\x01"
       "a"),
     "broken@0\n"},
    {T("\xdd\xff\xff\xff\xff\x01"), "0 [\n1 int 1\nbroken@6\n"},
    {T("\xdf\xff\xff\xff\xff\x01"), "0 {\n1 key 1\nbroken@6\n"},
};

static char *dump(const char *bytes, size_t len, bool clipped)
{
    uint8_t *own = malloc(len > 0 ? len : 1);
    memcpy(own, bytes, len);
    char *log = dump_document(WHAT_MSGPACK, bytes_of(own, len), clipped);
    free(own);
    return log;
}

static void tokens_and_verdicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        char *log = dump(documents[i].bytes, documents[i].len, false);
        if (strcmp(log, documents[i].log) != 0)
            fail_msg("document %zu:\n%s--- not\n%s", i, log, documents[i].log);
        free(log);
    }
}

static void clipped_at_every_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        if (strstr(documents[i].log, "broken") || strstr(documents[i].log, "rest"))
            continue;
        for (size_t n = 0; n < documents[i].len; n++) {
            char *head = dump(documents[i].bytes, n, true);
            if (!strstr(head, "clipped") || !dump_is_prefix(head, documents[i].log))
                fail_msg("document %zu, %zu bytes:\n%s--- not a prefix of\n%s", i, n, head,
                         documents[i].log);
            free(head);
        }
    }
}

static void the_head_of_a_long_text(void **state)
{
    (void)state;
    static const char bytes[] = "\x93\xdb\x00\x10\x00\x00"
                                "abc";
    char *log = dump(bytes, sizeof bytes - 1, true);
    assert_string_equal(log, "0 [\n1 str abc cut\nclipped\n");
    free(log);
}

static void damaged_at_every_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++)
        for (size_t n = 0; n < documents[i].len; n++)
            for (unsigned c = 0; c < 256; c++) {
                char copy[100];
                memcpy(copy, documents[i].bytes, documents[i].len);
                copy[n] = (char)c;
                free(dump(copy, documents[i].len, c % 2));
            }
}

static void timestamps(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        double seconds;
    } stamps[] = {
        {T("\xd6\xff\x65\x53\xf1\x00"), 1700000000},
        {T("\xd7\xff\x77\x35\x94\x00\x65\x53\xf1\x00"), 1700000000.5},
        {T("\xc7\x0c\xff\x1d\xcd\x65\x00\xff\xff\xff\xff\xff\xff\xff\xff"), -0.5},
        {T("\xd4\xff\x01"), 0},
        {T("\xc7\x00\xff"), 0},
    };
    for (size_t i = 0; i < sizeof stamps / sizeof *stamps; i++) {
        struct reader r;
        struct token t;
        reader_begin(&r, WHAT_MSGPACK, bytes_of(stamps[i].bytes, stamps[i].len), false, NULL);
        assert_true(reader_next(&r, &t));
        assert_int_equal(t.kind, TOKEN_BYTES);
        assert_int_equal(t.num, -1);
        assert_true(t.real == stamps[i].seconds);
    }
}

static void skipping_ends_where_reading_does(void **state)
{
    (void)state;
    static const char bytes[] = "\x93\x92\x02\xa3"
                                "abc\x82\xa1"
                                "a\x91\xc4\x02\x00\x00\xa1"
                                "b\xc0\x81\xa1"
                                "a\xd7\x05"
                                "abcdefgh";
    struct reader whole;
    reader_begin(&whole, WHAT_MSGPACK, bytes_of(bytes, sizeof bytes - 1), false, NULL);
    unsigned containers = 0;
    for (struct token t; reader_next(&whole, &t);) {
        if (t.kind != TOKEN_MAP && t.kind != TOKEN_LIST)
            continue;
        struct reader skips = whole, reads = whole;
        struct token u;
        containers++;
        struct bytes raw = reader_raw(&skips, &t);
        while (reader_next(&reads, &u) && u.depth > t.depth)
            ;
        assert_int_equal(skips.rest.len, reads.rest.len);
        assert_int_equal(skips.depth, reads.depth);
        assert_ptr_equal(raw.at, bytes + t.offset);
        assert_ptr_equal(raw.at + raw.len, reads.rest.at);
        while (reader_next(&skips, &u))
            ;
        assert_int_equal(skips.end, READER_WHOLE);
    }
    assert_int_equal(containers, 5);
}

static void skipping_what_does_not_end(void **state)
{
    (void)state;
    static const char bytes[] = "\x93\x92\x02\xdd\xff\xff\xff\xff\x01\x02\x03";
    for (int clipped = 0; clipped < 2; clipped++) {
        struct reader r;
        struct token t;
        reader_begin(&r, WHAT_MSGPACK, bytes_of(bytes, sizeof bytes - 1), clipped, NULL);
        assert_true(reader_next(&r, &t) && reader_next(&r, &t));
        assert_int_equal(reader_raw(&r, &t).len, sizeof bytes - 2);
        assert_false(reader_next(&r, &t));
        assert_int_equal(r.end, clipped ? READER_CLIPPED : READER_BROKEN);
    }
}

static void nesting_deeper_than_is_read(void **state)
{
    (void)state;
    char bytes[READER_DEPTH + 10];
    memset(bytes, '\x91', sizeof bytes);
    bytes[sizeof bytes - 1] = '\xc0';
    char *log = dump(bytes, sizeof bytes, false);
    assert_non_null(strstr(log, "63 [\n64 null\n63 ]\n"));
    assert_non_null(strstr(log, "whole deep 1\n"));
    free(log);
    bytes[sizeof bytes - 1] = '\xc1';
    log = dump(bytes, sizeof bytes, false);
    assert_non_null(strstr(log, "broken@73 deep 1\n"));
    free(log);
}

static void a_mebibyte_of_nesting(void **state)
{
    (void)state;
    size_t n = 1 << 20;
    static const char *const leads[] = {"\x91", "\xdd\xff\xff\xff\xff", "\x81\xa1k",
                                        "\xdf\xff\xff\xff\xff\x01"};
    static const size_t lengths[] = {1, 5, 3, 6};
    for (int kind = 0; kind < 4; kind++)
        for (int clipped = 0; clipped < 2; clipped++) {
            char *bytes = malloc(n);
            for (size_t i = 0; i < n; i++)
                bytes[i] = leads[kind][i % lengths[kind]];
            char *log = dump(bytes, n, clipped);
            assert_non_null(strstr(log, clipped ? "clipped deep 1" : "broken@"));
            free(log);
            free(bytes);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_and_verdicts),
        cmocka_unit_test(clipped_at_every_byte),
        cmocka_unit_test(the_head_of_a_long_text),
        cmocka_unit_test(damaged_at_every_byte),
        cmocka_unit_test(timestamps),
        cmocka_unit_test(skipping_ends_where_reading_does),
        cmocka_unit_test(skipping_what_does_not_end),
        cmocka_unit_test(nesting_deeper_than_is_read),
        cmocka_unit_test(a_mebibyte_of_nesting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
