/* Tests of content_unwrap(): what is declared, what shows, bounds, bombs, clipped bodies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <zlib.h>

#include <cmocka.h>

#include "dissectors/content/codecs.h"
#include "dissectors/content/content.h"
#include "tests/content/support/pack.h"

static const enum coding compressions[] = {CODING_ZLIB, CODING_GZIP, CODING_BZIP2, CODING_XZ,
                                           CODING_ZSTD};
enum { N_COMPRESSIONS = sizeof compressions / sizeof *compressions };

static const struct content_limits usual = {
    .max_kept = 8u << 20, .max_total = 1u << 30, .max_ratio = 200, .max_depth = 4};
static const char task[] = "[[1, 2], {}, {\"callbacks\": null}]";

struct bench {
    struct arena *arena;
    struct tally tally;
    struct content content;
};

static void begin(struct bench *b, struct bytes body)
{
    memset(b, 0, sizeof *b);
    b->arena = arena_new(16u << 20);
    b->content.body = body;
    b->content.wire_len = body.len;
}

static struct bytes unwrap(struct bench *b, const struct content_limits *lim)
{
    content_unwrap(&b->content, b->arena, lim, &b->tally);
    assert_true(b->content.unwrapped);
    return content_inner(&b->content);
}

static struct bytes text(const char *s)
{
    return bytes_of(s, strlen(s));
}

static void a_plain_body_is_its_own_part(void **state)
{
    (void)state;
    struct bench b;
    begin(&b, text(task));
    struct bytes inner = unwrap(&b, &usual);
    assert_ptr_equal(inner.at, task);
    assert_int_equal(b.content.n_parts, 1);
    assert_int_equal(b.content.what, WHAT_JSON);
    assert_false(b.content.limit || b.content.bomb);
    arena_free(b.arena);
}

static void a_mark_before_json_is_none_of_it(void **state)
{
    struct bench b;

    (void)state;
    begin(&b, bytes_of("\xef\xbb\xbf{\"a\": 1}", 11));
    unwrap(&b, &usual);
    assert_int_equal(b.content.what, WHAT_JSON);
    assert_true(bytes_eq(content_inner(&b.content), "{\"a\": 1}"));
    arena_free(b.arena);
    begin(&b, bytes_of("\xef\xbb\xbfhello", 8));
    unwrap(&b, &usual);
    assert_int_equal(b.content.what, WHAT_TEXT);
    assert_int_equal(content_inner(&b.content).len, 8);
    arena_free(b.arena);
}

static void every_name_of_every_compression(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum coding coding;
    } names[] = {
        {"application/x-gzip", CODING_ZLIB}, {"gzip", CODING_ZLIB},   {"zlib", CODING_ZLIB},
        {"application/x-bz2", CODING_BZIP2}, {"bzip2", CODING_BZIP2}, {"bzip", CODING_BZIP2},
        {"application/x-lzma", CODING_XZ},   {"lzma", CODING_XZ},     {"xz", CODING_XZ},
        {"application/zstd", CODING_ZSTD},   {"zstd", CODING_ZSTD},   {"zstandard", CODING_ZSTD},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct bytes packed = pack(names[i].coding, text(task));
        struct bytes carried = pack(CODING_BASE64, packed);
        struct bench b;
        begin(&b, carried);
        b.content.base64 = true;
        b.content.compression = text(names[i].name);
        assert_true(bytes_eq(unwrap(&b, &usual), task));
        assert_int_equal(b.content.n_parts, 3);
        assert_int_equal(b.content.parts[1].from, CODING_BASE64);
        assert_int_equal(b.content.parts[2].from, names[i].coding);
        assert_int_equal(b.content.out_len, strlen(task));
        assert_int_equal(b.content.what, WHAT_JSON);
        assert_int_equal(b.tally.n[TALLY_unwrap_failed], 0);
        arena_free(b.arena);
        pack_free(packed), pack_free(carried);
    }
}

static void brotli_only_when_it_is_declared(void **state)
{
    (void)state;
    const char *const names[] = {"application/x-brotli", "brotli", ""};
    for (unsigned i = 0; i < 3; i++) {
        struct bench b;
        begin(&b, brotli_packed_text);
        b.content.compression = text(names[i]);
        unwrap(&b, &usual);
        assert_int_equal(b.content.n_parts, i < 2 ? 2 : 1);
        assert_int_equal(bytes_eq(content_inner(&b.content), brotli_text), i < 2);
        arena_free(b.arena);
    }
}

static void compression_that_nobody_declares(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_COMPRESSIONS; i++) {
        struct bytes packed = pack(compressions[i], text(task));
        assert_int_equal(coding_by_magic(packed), compressions[i]);
        struct bench b;
        begin(&b, packed);
        assert_true(bytes_eq(unwrap(&b, &usual), task));
        assert_int_equal(b.content.parts[1].from, compressions[i]);
        arena_free(b.arena);
        pack_free(packed);
    }
}

/* What is declared does not decode, so it stays; then the bytes are looked at. */
static void a_wrong_declaration_is_counted(void **state)
{
    (void)state;
    struct bytes packed = pack(CODING_GZIP, text(task));
    struct bench b;
    begin(&b, packed);
    b.content.compression = text("gzip"); /* in kombu a zlib stream */
    assert_true(bytes_eq(unwrap(&b, &usual), task));
    assert_int_equal(b.content.parts[1].from, CODING_GZIP);
    assert_int_equal(b.tally.n[TALLY_unwrap_failed], 1);
    arena_free(b.arena);
    pack_free(packed);

    const char *const wrong[] = {"zlib", "bzip2", "xz", "zstd", "brotli", "snappy"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        begin(&b, text(task));
        b.content.compression = text(wrong[i]);
        assert_ptr_equal(unwrap(&b, &usual).at, task);
        assert_int_equal(b.content.n_parts, 1);
        assert_int_equal(b.tally.n[TALLY_unwrap_failed], 1);
        arena_free(b.arena);
    }
}

static void a_damaged_stream_stays_as_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_COMPRESSIONS; i++)
        for (int declared = 0; declared < 2; declared++) {
            struct bytes packed = pack(compressions[i], text(task));
            struct bench b;
            begin(&b, bytes_head(packed, packed.len - 2));
            if (declared)
                b.content.compression = text(coding_name(compressions[i]));
            unwrap(&b, &usual);
            assert_int_equal(b.content.n_parts, 1);
            assert_int_equal(b.tally.n[TALLY_unwrap_failed], declared);
            arena_free(b.arena);
            pack_free(packed);
        }
}

static void a_clipped_stream_goes_as_far_as_it_can(void **state)
{
    (void)state;
    uint8_t *plain = malloc(100000);
    uint32_t seed = 3;
    for (size_t i = 0; i < 100000; i++)
        plain[i] = (uint8_t)('a' + ((seed = seed * 1664525u + 1013904223u) >> 28));
    for (size_t i = 0; i < N_COMPRESSIONS; i++) {
        struct bytes packed = pack(compressions[i], bytes_of(plain, 100000)), carried;
        carried = pack(CODING_BASE64, packed);
        struct bench b;
        begin(&b, bytes_head(carried, carried.len - 99));
        b.content.clipped = b.content.base64 = true;
        b.content.wire_len = carried.len;
        struct bytes inner = unwrap(&b, &usual);
        assert_int_equal(b.tally.n[TALLY_unwrap_failed], 0);
        if (compressions[i] != CODING_BZIP2 && compressions[i] != CODING_ZSTD) {
            /* those two make a block at a time */
            assert_int_equal(b.content.n_parts, 3);
            assert_in_range(inner.len, 50000, 100000);
            assert_memory_equal(inner.at, plain, inner.len);
        }
        arena_free(b.arena);
        pack_free(packed), pack_free(carried);
    }
    free(plain);
}

static void a_bomb_of_each_kind(void **state)
{
    (void)state;
    struct bytes zeros = repeated(0, 20u << 20);
    for (size_t i = 0; i <= N_COMPRESSIONS; i++) {
        struct bytes packed = i < N_COMPRESSIONS ? pack(compressions[i], zeros) : brotli_zeros;
        struct bench b;
        begin(&b, packed);
        if (i == N_COMPRESSIONS)
            b.content.compression = text("brotli");
        struct bytes inner = unwrap(&b, &usual);
        assert_true(b.content.bomb);
        assert_true(b.content.limit);
        assert_int_equal(b.tally.n[TALLY_unwrap_limit], 1);
        assert_int_equal(b.content.n_parts, 2);
        assert_in_range(b.content.out_len, 1 << 20, 20u << 20);
        assert_in_range(inner.len, 1, 8u << 20);
        assert_int_equal(inner.at[inner.len - 1], 0);
        arena_free(b.arena);
        if (i < N_COMPRESSIONS)
            pack_free(packed);
    }
    pack_free(zeros);
}

static void the_first_mebibyte_is_free(void **state)
{
    (void)state;
    for (size_t extra = 0; extra < 2; extra++) {
        struct bytes zeros = repeated(0, (1u << 20) + extra), packed = pack(CODING_ZSTD, zeros);
        struct bench b;
        begin(&b, packed);
        unwrap(&b, &usual);
        assert_int_equal(b.content.bomb, extra);
        assert_int_equal(b.content.out_len, (1u << 20) + extra);
        arena_free(b.arena);
        pack_free(packed), pack_free(zeros);
    }
}

static void the_total_is_a_bound_of_its_own(void **state)
{
    (void)state;
    struct content_limits lim = usual;
    struct bytes zeros = repeated(0, 600000), packed = pack(CODING_ZLIB, zeros);
    for (uint64_t total = 599999; total <= 600000; total++) {
        struct bench b;
        lim.max_total = total;
        begin(&b, packed);
        unwrap(&b, &lim);
        assert_int_equal(b.content.bomb, total == 599999);
        arena_free(b.arena);
    }
    pack_free(packed), pack_free(zeros);
}

static void the_total_is_of_all_layers(void **state)
{
    (void)state;
    struct content_limits lim = usual;
    uint8_t *plain = malloc(200000);
    uint32_t seed = 3;
    for (size_t i = 0; i < 200000; i++)
        plain[i] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
    struct bytes once = pack(CODING_ZLIB, bytes_of(plain, 200000)), twice = pack(CODING_GZIP, once);
    for (int bomb = 0; bomb < 2; bomb++) {
        struct bench b;
        lim.max_total = 200000 + once.len - (uint64_t)bomb;
        begin(&b, twice);
        unwrap(&b, &lim);
        assert_int_equal(b.content.n_parts, 3);
        assert_int_equal(b.content.bomb, bomb);
        arena_free(b.arena);
    }
    free(plain);
    pack_free(once), pack_free(twice);
}

/* A bomb inside a stream that is none by itself: ratios are measured by the outermost one. */
static void a_bomb_in_two_layers(void **state)
{
    (void)state;
    struct content_limits lim = usual;
    lim.max_ratio = 2000;
    struct bytes zeros = repeated(0, 50u << 20);
    struct bytes once = pack(CODING_GZIP, zeros), twice = pack(CODING_ZLIB, once);
    assert_true(zeros.len / once.len < 2000 && once.len / twice.len < 2000);
    struct bench b;
    begin(&b, twice);
    unwrap(&b, &lim);
    assert_int_equal(b.content.n_parts, 3);
    assert_true(b.content.bomb);
    arena_free(b.arena);
    pack_free(zeros), pack_free(once), pack_free(twice);
}

static void honest_data_is_kept_up_to_the_limit(void **state)
{
    (void)state;
    struct content_limits lim = usual;
    uint8_t *plain = malloc(3u << 20);
    uint32_t seed = 3;
    for (size_t i = 0; i < 3u << 20; i++)
        plain[i] = (uint8_t)('a' + ((seed = seed * 1664525u + 1013904223u) >> 28));
    for (size_t i = 0; i < N_COMPRESSIONS; i++) {
        struct bytes packed = pack(compressions[i], bytes_of(plain, 3u << 20));
        struct bytes carried = pack(CODING_BASE64, packed);
        const size_t kept[] = {8u << 20, packed.len + 300001, packed.len + 1};
        for (size_t k = 0; k < 3; k++) {
            struct bench b;
            lim.max_kept = kept[k];
            begin(&b, carried);
            b.content.base64 = true;
            struct bytes inner = unwrap(&b, &lim);
            size_t want = k == 0 ? 3u << 20 : kept[k] - packed.len;
            assert_int_equal(b.content.n_parts, 3);
            assert_int_equal(inner.len, want);
            assert_memory_equal(inner.at, plain, want);
            assert_int_equal(b.content.limit, k > 0);
            assert_false(b.content.bomb);
            assert_int_equal(b.content.out_len, 3u << 20);
            arena_free(b.arena);
        }
        pack_free(packed), pack_free(carried);
    }
    free(plain);
}

/* Text of `n` bytes that shrinks to about a sixtieth, or to about a half. */
static struct bytes honest_text(size_t n, size_t fresh)
{
    enum { ROW = 4096 };
    uint8_t *plain = malloc(n);
    uint32_t seed = 5;
    for (size_t i = 0; i < n; i++)
        if (i < ROW || i % ROW < fresh)
            plain[i] = (uint8_t)('a' + ((seed = seed * 1664525u + 1013904223u) >> 28));
        else
            plain[i] = plain[i - ROW];
    return bytes_of(plain, n);
}

/* What is honest and large is drained no further than it may cost. */
static void work_is_bounded(void **state)
{
    static const struct {
        enum coding coding;
        size_t made, drained, fresh;
    } rows[] = {
        {CODING_BZIP2, 9u << 20, 8u << 20, 4096},
        {CODING_ZLIB, 70u << 20, 64u << 20, 60},
        {CODING_GZIP, 70u << 20, 64u << 20, 60},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bytes plain = honest_text(rows[i].made, rows[i].fresh);
        struct bytes packed = pack(rows[i].coding, plain);
        struct bench b;
        begin(&b, packed);
        struct bytes inner = unwrap(&b, &usual);
        assert_int_equal(b.content.n_parts, 2);
        assert_true(b.content.limit);
        assert_false(b.content.bomb);
        assert_int_equal(inner.len, 8u << 20);
        assert_memory_equal(inner.at, plain.at, inner.len);
        assert_in_range(b.content.out_len, rows[i].drained, rows[i].drained + (64u << 10));
        arena_free(b.arena);
        pack_free(packed), pack_free(plain);
    }
}

/* A row of streams, of which the first tell what the others are. */
static void a_long_bomb_shows_early(void **state)
{
    (void)state;
    struct bytes zeros = repeated(0, 900000), one = pack(CODING_BZIP2, zeros);
    size_t n = (1u << 20) / one.len;
    uint8_t *row = malloc(n * one.len);
    for (size_t i = 0; i < n; i++)
        memcpy(row + i * one.len, one.at, one.len);
    struct bench b;
    begin(&b, bytes_of(row, n * one.len));
    unwrap(&b, &usual);
    assert_true(b.content.bomb);
    assert_in_range(b.content.out_len, 8u << 20, 9u << 20);
    arena_free(b.arena);
    free(row);
    pack_free(zeros), pack_free(one);
}

/* Of what comes, the second half tells more of what will: noise in front makes it no better. */
static void a_bomb_behind_noise(void **state)
{
    enum { NOISE = 300000, ZEROS = 290 << 20 };
    static const enum coding kinds[] = {CODING_ZLIB, CODING_GZIP};

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct bytes plain = repeated(0, NOISE + (size_t)ZEROS);
        uint32_t seed = 1;
        for (size_t k = 0; k < NOISE; k++)
            ((uint8_t *)(uintptr_t)plain.at)[k] =
                (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
        struct bytes packed = pack(kinds[i], plain);
        struct bench b;
        begin(&b, packed);
        unwrap(&b, &usual);
        assert_true(b.content.bomb);
        assert_in_range(b.content.out_len, 60u << 20, 80u << 20);
        arena_free(b.arena);
        pack_free(packed), pack_free(plain);
    }
}

/* What zlib.decompress() takes and zlib.compress() never makes. */
static void small_windows(void **state)
{
    (void)state;
    for (int bits = 9; bits < 15; bits++) {
        z_stream z = {0};
        uint8_t out[256];
        struct bench b;

        assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
        z.next_in = (Bytef *)(uintptr_t)task;
        z.avail_in = sizeof task - 1;
        z.next_out = out;
        z.avail_out = sizeof out;
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        begin(&b, bytes_of(out, sizeof out - z.avail_out));
        assert_true(bytes_eq(unwrap(&b, &usual), task));
        assert_int_equal(b.content.parts[1].from, CODING_ZLIB);
        deflateEnd(&z);
        arena_free(b.arena);
    }
}

/* Beyond the total by its own word, though it is not drained so far; that of zstd is in its head.
 */
static void a_total_that_is_declared(void **state)
{
    static const struct {
        enum coding coding;
        size_t made;
    } rows[] = {{CODING_XZ, 40u << 20}, {CODING_ZSTD, 280u << 20}, {CODING_GZIP, 80u << 20}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct content_limits lim = usual;
        struct bytes zeros = repeated(0, rows[i].made), packed = pack(rows[i].coding, zeros);
        lim.max_ratio = UINT32_MAX;
        for (unsigned kind = 0; kind < 3; kind++) {
            struct bench b;
            lim.max_total = kind > 0 ? rows[i].made - 1 : rows[i].made;
            begin(&b, packed);
            b.content.clipped = kind == 2;
            unwrap(&b, &lim);
            assert_int_equal(b.content.bomb, kind == 1 || (kind == 2 && i == 1));
            assert_true(b.content.limit);
            if (kind == 1)
                assert_int_equal(b.content.out_len, rows[i].made);
            arena_free(b.arena);
        }
        pack_free(packed), pack_free(zeros);
    }
}

static void base64_is_kept_up_to_the_limit(void **state)
{
    (void)state;
    struct content_limits lim = usual;
    struct bytes plain = repeated('[', 1000), carried = pack(CODING_BASE64, plain);
    for (lim.max_kept = 0; lim.max_kept < 1010; lim.max_kept += 101) {
        struct bench b;
        begin(&b, carried);
        b.content.base64 = true;
        unwrap(&b, &lim);
        if (lim.max_kept > 0) {
            assert_int_equal(b.content.n_parts, 2);
            assert_in_range(b.content.parts[1].bytes.len,
                            lim.max_kept < 1000 ? lim.max_kept - 3 : 1000, lim.max_kept);
        }
        assert_int_equal(b.content.limit, lim.max_kept < 1000);
        arena_free(b.arena);
    }
    pack_free(carried), pack_free(plain);
}

static void layers_end_at_the_depth(void **state)
{
    (void)state;
    struct bytes inner = pack(CODING_ZLIB, text(task));
    for (unsigned i = 1; i < 7; i++) {
        struct bytes outer = pack(compressions[i % N_COMPRESSIONS], inner);
        pack_free(inner);
        inner = outer;
    }
    for (unsigned depth = 0; depth < 8; depth++) {
        struct content_limits lim = usual;
        struct bench b;
        lim.max_depth = depth;
        begin(&b, inner);
        unwrap(&b, &lim);
        assert_int_equal(b.content.n_parts, depth < 5 ? depth + 1 : 6);
        assert_true(b.content.limit);
        arena_free(b.arena);
    }
    pack_free(inner);
}

static void a_full_arena_is_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_COMPRESSIONS; i++)
        for (size_t room = 1000; room < 500000; room += 33333) {
            struct bytes zeros = repeated(0, 900000), packed = pack(compressions[i], zeros);
            struct bench b;
            begin(&b, packed);
            arena_free(b.arena);
            b.arena = arena_new(room);
            unwrap(&b, &usual);
            assert_int_equal(b.tally.n[TALLY_unwrap_limit], 1);
            assert_true(b.content.limit);
            arena_free(b.arena);
            pack_free(packed), pack_free(zeros);
        }
}

static void text_that_only_begins_like_a_magic(void **state)
{
    (void)state;
    const char *const texts[] = {"x\x9cyz is text",  "BZh9 is text", "BZh",      "\x1f\x8b",
                                 "\x28\xb5\x2f\xfd", "\xfd\x37zXZ",  "x^2 + y^2"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct bench b;
        begin(&b, text(texts[i]));
        unwrap(&b, &usual);
        assert_int_equal(b.content.n_parts, 1);
        assert_int_equal(b.tally.n[TALLY_unwrap_failed], 0);
        arena_free(b.arena);
    }
}

static void magic_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        enum coding coding;
    } heads[] = {
        {"x\x01..", CODING_ZLIB},
        {"x\x5e..", CODING_ZLIB},
        {"x\x9c..", CODING_ZLIB},
        {"x\xda..", CODING_ZLIB},
        {"x\x9d..", CODING_NONE},
        {"x\xbb..", CODING_NONE},
        {"h\x81..", CODING_NONE},
        {"x\x9c.", CODING_NONE},
        {"\x1f\x8b\x08.", CODING_GZIP},
        {"\x1f\x8b\x07.", CODING_NONE},
        {"BZh0", CODING_NONE},
        {"BZh1", CODING_BZIP2},
        {"\xfd"
         "7zX",
         CODING_NONE},
        {"\x28\xb5\x2f\xfd", CODING_ZSTD},
        {"\x29\xb5\x2f\xfd", CODING_NONE},
        /* smaller windows: a block that can be one has to follow */
        {"\x18\xd3\x6b\x60\xe1\x61\xca\x2f", CODING_ZLIB},
        {"\x68\xde\x6b\x60\xe1\x61\xca\x2f", CODING_ZLIB},
        {"\x68\xde\x67\x60\xe1\x61\xca\x2f", CODING_NONE},
        {"\x68\xde\x01\x04\xff\xfb\x00\x2f", CODING_NONE},
        {"\x68\xde\x01\x04\xfe\xfb\x01\x2f", CODING_ZLIB},
        {"\x68\xde\x6b\x60\xe1\x61\xca", CODING_NONE},
        {"(S'it is so'\n", CODING_NONE},
        {"(S\"it's so\"\n", CODING_NONE},
        {"HK is text of a kind", CODING_NONE},
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        assert_int_equal(coding_by_magic(text(heads[i].head)), heads[i].coding);
}

static void an_empty_body(void **state)
{
    (void)state;
    struct bytes packed = pack(CODING_ZLIB, bytes_of("", 0));
    for (int i = 0; i < 3; i++) {
        struct bench b;
        begin(&b, i < 2 ? (struct bytes){0} : packed);
        b.content.base64 = i == 1;
        assert_int_equal(unwrap(&b, &usual).len, 0);
        assert_int_equal(b.content.what, WHAT_EMPTY);
        assert_int_equal(b.tally.n[TALLY_unwrap_failed], 0);
        arena_free(b.arena);
    }
    pack_free(packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_body_is_its_own_part),
        cmocka_unit_test(a_mark_before_json_is_none_of_it),
        cmocka_unit_test(every_name_of_every_compression),
        cmocka_unit_test(brotli_only_when_it_is_declared),
        cmocka_unit_test(compression_that_nobody_declares),
        cmocka_unit_test(a_wrong_declaration_is_counted),
        cmocka_unit_test(a_damaged_stream_stays_as_it_is),
        cmocka_unit_test(a_clipped_stream_goes_as_far_as_it_can),
        cmocka_unit_test(a_bomb_of_each_kind),
        cmocka_unit_test(the_first_mebibyte_is_free),
        cmocka_unit_test(the_total_is_a_bound_of_its_own),
        cmocka_unit_test(the_total_is_of_all_layers),
        cmocka_unit_test(a_bomb_in_two_layers),
        cmocka_unit_test(magic_numbers),
        cmocka_unit_test(honest_data_is_kept_up_to_the_limit),
        cmocka_unit_test(work_is_bounded),
        cmocka_unit_test(a_long_bomb_shows_early),
        cmocka_unit_test(a_bomb_behind_noise),
        cmocka_unit_test(small_windows),
        cmocka_unit_test(a_total_that_is_declared),
        cmocka_unit_test(base64_is_kept_up_to_the_limit),
        cmocka_unit_test(layers_end_at_the_depth),
        cmocka_unit_test(a_full_arena_is_counted),
        cmocka_unit_test(text_that_only_begins_like_a_magic),
        cmocka_unit_test(an_empty_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
