/* Tests of content/unwrap_stream.h: every coding cut at every place, ends, junk, bombs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissectors/content/unwrap_stream.h"
#include "tests/content/support/pack.h"
#include "tests/every_split.h"

static const enum coding all[] = {CODING_BASE64, CODING_ZLIB, CODING_GZIP,
                                  CODING_BZIP2,  CODING_XZ,   CODING_ZSTD};

struct got {
    uint8_t *at;
    size_t len, stop_at;
};

static bool collect(void *ctx, struct bytes out)
{
    struct got *g = ctx;
    g->at = realloc(g->at, g->len + out.len);
    memcpy(g->at + g->len, out.at, out.len);
    g->len += out.len;
    return g->stop_at == 0 || g->len < g->stop_at;
}

static bool count_only(void *ctx, struct bytes out)
{
    *(uint64_t *)ctx += out.len;
    return true;
}

/* For every_split(): the coding is in a variable of this file, as its start() has no argument. */
struct subject {
    struct unwrap_stream *stream;
    struct got got;
    enum unwrap_state last;
};

static enum coding coding_under_test;

static void *start(void)
{
    struct subject *s = calloc(1, sizeof *s);
    s->stream = unwrap_stream_new(coding_under_test, NULL);
    return s;
}

static void feed(void *parser, struct bytes piece)
{
    struct subject *s = parser;
    s->last = unwrap_stream_feed(s->stream, piece, collect, &s->got);
}

static char *finish(void *parser)
{
    struct subject *s = parser;
    char *log = malloc(s->got.len * 2 + 100);
    size_t n = (size_t)sprintf(log, "state %d out %llu whole %llu\n", unwrap_stream_end(s->stream),
                               (unsigned long long)unwrap_stream_out(s->stream),
                               (unsigned long long)unwrap_stream_whole_out(s->stream));
    for (size_t i = 0; i < s->got.len; i++)
        n += (size_t)sprintf(log + n, "%02x", s->got.at[i]);
    unwrap_stream_free(s->stream);
    free(s->got.at);
    free(s);
    return log;
}

static const struct split_subject subject = {start, feed, finish};

static struct bytes joined(struct bytes a, struct bytes b)
{
    uint8_t *to = malloc(a.len + b.len + 1);
    memcpy(to, a.at, a.len);
    memcpy(to + a.len, b.at, b.len);
    return bytes_of(to, a.len + b.len);
}

/* Text that is compressed, but not to nothing. */
static struct bytes some_text(size_t n)
{
    uint8_t *to = malloc(n);
    uint32_t seed = 7;
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        to[i] = (uint8_t)("[[1, 2], {\"task\": \"lab.add\"}"[(seed >> 28) + i % 13]);
    }
    return bytes_of(to, n);
}

static void the_same_however_it_is_cut(void **state)
{
    (void)state;
    static const char junk[] = "junk behind";
    struct bytes plain = some_text(200);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        coding_under_test = all[i];
        struct bytes packed = pack(all[i], plain);
        struct bytes twice = joined(packed, packed);
        struct bytes trailed = joined(packed, bytes_of(junk, sizeof junk - 1));
        assert_int_equal(every_split(&subject, packed), 0);
        assert_int_equal(every_split(&subject, twice), 0);
        assert_int_equal(every_split(&subject, trailed), 0);
        assert_int_equal(every_split(&subject, bytes_head(packed, packed.len / 2)), 0);
        assert_int_equal(every_split(&subject, bytes_of(junk, sizeof junk - 1)), 0);
        pack_free(packed), pack_free(twice), pack_free(trailed);
    }
    coding_under_test = CODING_BROTLI;
    assert_int_equal(every_split(&subject, brotli_packed_text), 0);
    pack_free(plain);
}

static enum unwrap_state run(enum coding coding, struct bytes in, struct got *got)
{
    struct arena *arena = arena_new(1 << 20);
    struct unwrap_stream *s = unwrap_stream_new(coding, arena);
    unwrap_stream_feed(s, in, collect, got);
    enum unwrap_state end = unwrap_stream_end(s);
    assert_int_equal(unwrap_stream_out(s), got->len);
    unwrap_stream_free(s);
    arena_free(arena);
    return end;
}

static void gives_back_what_was_packed(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 1000, 32768, 32769, 300000};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            struct bytes plain = some_text(sizes[k]), packed = pack(all[i], plain);
            struct got got = {0};
            enum unwrap_state want = packed.len > 0 ? UNWRAP_WHOLE : UNWRAP_GOING;
            assert_int_equal(run(all[i], packed, &got), want);
            assert_int_equal(got.len, plain.len);
            if (plain.len > 0)
                assert_memory_equal(got.at, plain.at, plain.len);
            free(got.at);
            pack_free(plain), pack_free(packed);
        }
    struct got got = {0};
    assert_int_equal(run(CODING_BROTLI, brotli_packed_text, &got), UNWRAP_WHOLE);
    assert_int_equal(got.len, strlen(brotli_text));
    assert_memory_equal(got.at, brotli_text, got.len);
    free(got.at);
}

/* As Python: bz2, lzma and gzip go on with a second stream, zlib does not. */
static void streams_in_a_row(void **state)
{
    (void)state;
    struct bytes plain = some_text(500);
    for (size_t i = 1; i < sizeof all / sizeof *all; i++) {
        struct bytes packed = pack(all[i], plain), twice = joined(packed, packed);
        struct got got = {0};
        assert_int_equal(run(all[i], twice, &got), UNWRAP_WHOLE);
        assert_int_equal(got.len, all[i] == CODING_ZLIB ? 500 : 1000);
        free(got.at);
        pack_free(packed), pack_free(twice);
    }
    pack_free(plain);
}

static void junk_behind_a_stream_is_ignored(void **state)
{
    (void)state;
    static const char junk[] = "BZh9 not a stream";
    struct bytes plain = some_text(500);
    for (size_t i = 1; i < sizeof all / sizeof *all; i++) {
        struct bytes packed = pack(all[i], plain);
        struct bytes trailed = joined(packed, bytes_of(junk, sizeof junk - 1));
        struct got got = {0};
        assert_int_equal(run(all[i], trailed, &got), UNWRAP_WHOLE);
        assert_int_equal(got.len, 500);
        free(got.at);
        pack_free(packed), pack_free(trailed);
    }
    pack_free(plain);
}

static void cut_short_is_going_and_junk_is_broken(void **state)
{
    (void)state;
    struct bytes plain = some_text(500), junk = repeated(0xa5, 200);
    for (size_t i = 1; i < sizeof all / sizeof *all; i++) {
        struct bytes packed = pack(all[i], plain);
        struct got got = {0};
        assert_int_equal(run(all[i], bytes_head(packed, packed.len - 1), &got), UNWRAP_GOING);
        free(got.at);
        got = (struct got){0};
        assert_int_equal(run(all[i], junk, &got), UNWRAP_BROKEN);
        assert_int_equal(got.len, 0);
        free(got.at);
        pack_free(packed);
    }
    pack_free(plain), pack_free(junk);
}

static void stops_when_told(void **state)
{
    (void)state;
    struct bytes zeros = repeated(0, 10 << 20);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct bytes packed = pack(all[i], zeros);
        struct got got = {.stop_at = 100000};
        assert_int_equal(run(all[i], packed, &got), UNWRAP_STOPPED);
        assert_in_range(got.len, 100000, 100000 + (32 << 10));
        free(got.at);
        pack_free(packed);
    }
    pack_free(zeros);
}

/* Formats of zstd before 1.0, which some builds of the library still read. */
static void old_zstd_is_broken(void **state)
{
    (void)state;
    for (unsigned version = 0x22; version < 0x28; version++) {
        uint8_t frame[40] = {(uint8_t)version, 0xb5, 0x2f, 0xfd};
        struct got got = {0};
        assert_int_equal(run(CODING_ZSTD, bytes_of(frame, sizeof frame), &got), UNWRAP_BROKEN);
    }
}

static void skippable_frames(void **state)
{
    (void)state;
    struct bytes plain = some_text(100), packed = pack(CODING_ZSTD, plain);
    struct bytes skip = bytes_of("\x5a\x2a\x4d\x18\x03\x00\x00\x00"
                                 "abc",
                                 11);
    struct bytes row = joined(skip, packed), longer = joined(row, skip);
    struct got got = {0};
    assert_int_equal(run(CODING_ZSTD, longer, &got), UNWRAP_WHOLE);
    assert_int_equal(got.len, 100);
    free(got.at);
    coding_under_test = CODING_ZSTD;
    assert_int_equal(every_split(&subject, longer), 0);
    pack_free(plain), pack_free(packed), pack_free(row), pack_free(longer);
}

/* lzma.decompress() also takes the format before xz: LZMA_alone. Made by Python's
 * lzma.compress(b"lab" * 20, lzma.FORMAT_ALONE). */
static void old_lzma(void **state)
{
    (void)state;
    static const char alone[] = "\x5d\x00\x00\x80\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00\x36\x18"
                                "\x48\x86\x55\xcf\xf1\x1c\xff\xff\xfd\xbe\x30\x00";
    struct got got = {0};
    assert_int_equal(run(CODING_XZ, bytes_of(alone, sizeof alone - 1), &got), UNWRAP_WHOLE);
    assert_int_equal(got.len, 60);
    assert_memory_equal(got.at, "lablab", 6);
    free(got.at);
}

static void many_empty_streams_cost_little(void **state)
{
    (void)state;
    for (size_t i = 1; i < sizeof all / sizeof *all; i++) {
        struct bytes one = pack(all[i], bytes_of("", 0));
        size_t n = 100000;
        uint8_t *row = malloc(one.len * n);
        for (size_t k = 0; k < n; k++)
            memcpy(row + k * one.len, one.at, one.len);
        struct got got = {0};
        assert_int_equal(run(all[i], bytes_of(row, one.len * n), &got), UNWRAP_WHOLE);
        assert_int_equal(got.len, 0);
        free(row);
        pack_free(one);
    }
}

static void a_row_of_codings(void **state)
{
    (void)state;
    uint64_t n = 0;
    struct unwrap_stream *s = unwrap_stream_new(CODING_BROTLI, NULL);
    assert_int_equal(unwrap_stream_feed(s, brotli_zeros, count_only, &n), UNWRAP_WHOLE);
    assert_int_equal(n, 64 << 20);
    unwrap_stream_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_however_it_is_cut),
        cmocka_unit_test(gives_back_what_was_packed),
        cmocka_unit_test(streams_in_a_row),
        cmocka_unit_test(junk_behind_a_stream_is_ignored),
        cmocka_unit_test(cut_short_is_going_and_junk_is_broken),
        cmocka_unit_test(stops_when_told),
        cmocka_unit_test(old_lzma),
        cmocka_unit_test(old_zstd_is_broken),
        cmocka_unit_test(skippable_frames),
        cmocka_unit_test(many_empty_streams_cost_little),
        cmocka_unit_test(a_row_of_codings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
