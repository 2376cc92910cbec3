/* Tests of content/auth.h: bodies that Celery signed, and bodies that are made to mislead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissectors/content/auth.h"
#include "tests/content/support/pack.h"

/* Signed by Celery 5.7.0 and by 5.2.6 with keys of 1024 bits made for this test. */
static const char by_5_7[] =
    "U1V3Z1RHRmlJRU5CSUdsemMzVmxjaUJ2Ym1VZ05UUTFNVGcxTXpFMU5qYzBOalkzTXpFNU9UYzJN"
    "RFV4TmpVeE1qazRNVEV6TVRVeU5UUTVPVFF6TURNME9UazUAAU5GVmxKbkVaRnFTc2o1SWg0Z2FQ"
    "NjFZQTJzMHB2djdNWTB6LzNNd0FzZUdoVnEvZU1WaWZGMWFvdEpaVUVjSjZYd3FhdWFhemlWR2xk"
    "eTRZd2ZtbCtRaGQ1VVhOVWxjUFJLK0xHQ1Z5eER5ZG9ZWEM2SUJrY3k5bEpaenRRZDIxVVRYRk1X"
    "T053TFN1bThqM2IzTDFUaGNsWXZVTHVESGZxY0NaakNBMUR3TT0AAWFwcGxpY2F0aW9uL2pzb24A"
    "AXV0Zi04AAFbWzIsIDNdLCB7fSwgeyJjYWxsYmFja3MiOiBudWxsLCAiZXJyYmFja3MiOiBudWxs"
    "LCAiY2hhaW4iOiBudWxsLCAiY2hvcmQiOiBudWxsfV0=";
static const char by_5_2[] =
    "SUwgTGFiIENBIGlzc3VlciBvbmUgNjcwMzA1NDgxMzk0NjEyMDE1NTg4MjMyMjYyMTE0MTk2NjMw"
    "NzE2OTczNTkzMjU4AAFrG9k+XPf8D8bVYgqtCecI0Zd5illpqIlasFYoNNqWqxhBSappvA52j65j"
    "so6ND7YKLyEsgRgGlTExXQMAaOu/R0EPMsmXg8CPYGCL637M6vFNRYkagFMTDijS0WXHj/hXKLWg"
    "YviNd2F/poxoJEQBxbTdENvDm3016YVInnNjtwABYXBwbGljYXRpb24vanNvbgABdXRmLTgAAVtb"
    "MiwgM10sIHt9LCB7ImNhbGxiYWNrcyI6IG51bGwsICJlcnJiYWNrcyI6IG51bGwsICJjaGFpbiI6"
    "IG51bGwsICJjaG9yZCI6IG51bGx9XQ==";
static const char embed[] =
    "[[2, 3], {}, {\"callbacks\": null, \"errbacks\": null, \"chain\": null, "
    "\"chord\": null}]";

static struct bytes text(const char *s)
{
    return bytes_of(s, strlen(s));
}

static void what_celery_signed(void **state)
{
    (void)state;
    const char *const bodies[] = {by_5_7, by_5_2};
    const char *const signers[] = {
        "IL Lab CA issuer one 545185315674667319976051651298113152549943034999",
        "IL Lab CA issuer one 670305481394612015588232262114196630716973593258"};
    for (unsigned i = 0; i < 2; i++) {
        struct arena *arena = arena_new(1 << 20);
        struct auth_parts p;
        assert_true(auth_looks(text(bodies[i])));
        assert_int_equal(auth_split(text(bodies[i]), 0, false, arena, &p), AUTH_OK);
        assert_int_equal(p.layout, i == 0 ? AUTH_NEW : AUTH_OLD);
        assert_true(bytes_eq(p.signer, signers[i]));
        assert_int_equal(p.signature.len, 128);
        assert_true(bytes_eq(p.type, "application/json"));
        assert_true(bytes_eq(p.encoding, "utf-8"));
        assert_true(bytes_eq(p.body, embed));
        assert_int_equal(p.after.len, 0);
        assert_false(p.cut);
        arena_free(arena);
    }
}

/* A body of the old layout around a signature of n bytes, all of them `fill`, with a separator at
 * `at` (none if it does not fit). */
static struct bytes old_body(size_t n, uint8_t fill, size_t at, const char *tail, size_t tail_len)
{
    static const char signer[] = "Lab CA 1234";
    size_t head = sizeof signer - 1;
    uint8_t *to = malloc(head + n + tail_len + 4);
    memcpy(to, signer, head);
    memcpy(to + head, "\0\1", 2);
    memset(to + head + 2, fill, n);
    if (n >= 2 && at <= n - 2)
        memcpy(to + head + 2 + at, "\0\1", 2);
    memcpy(to + head + 2 + n, tail, tail_len);
    struct bytes packed = pack(CODING_BASE64, bytes_of(to, head + 2 + n + tail_len));
    free(to);
    return packed;
}

#define TAIL "\0\1application/json\0\1utf-8\0\1[1]"

static void raw_signatures_that_hold_separators(void **state)
{
    (void)state;
    static const size_t lengths[] = {64, 128, 256, 384, 512, 1024, 2048, 77, 300};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (size_t at = 0; at < lengths[i] + 7; at += 7)
            for (int known = 0; known < 2; known++) {
                struct bytes body = old_body(lengths[i], 0xee, at, TAIL, sizeof TAIL - 1);
                struct arena *arena = arena_new(1 << 20);
                struct auth_parts p;
                assert_int_equal(auth_split(body, known ? lengths[i] : 0, false, arena, &p),
                                 AUTH_OK);
                assert_int_equal(p.layout, AUTH_OLD);
                assert_int_equal(p.signature.len, lengths[i]);
                assert_true(bytes_eq(p.body, "[1]"));
                arena_free(arena);
                pack_free(body);
            }
}

/* What looks like the end of a signature inside of one. */
static void a_signature_that_imitates_its_end(void **state)
{
    (void)state;
    static const char inner[] = TAIL;
    static const size_t lengths[] = {256, 512, 128, 384, 64};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char tail[600];
        size_t n = lengths[i] - 10;
        memset(tail, 'x', n);
        memcpy(tail + 3, inner, sizeof inner - 1);
        memcpy(tail + n, inner, sizeof inner - 1);
        struct bytes body = old_body(10, 0xee, 100, tail, n + sizeof inner - 1);
        struct arena *arena = arena_new(1 << 20);
        struct auth_parts p;
        assert_int_equal(auth_split(body, 0, false, arena, &p), AUTH_OK);
        assert_int_equal(p.signature.len, lengths[i]);
        assert_true(bytes_eq(p.body, "[1]"));
        arena_free(arena);
        pack_free(body);
    }
}

/* Such a Celery splits the rest at every separator and takes the third piece. */
static void an_old_body_ends_at_the_next_separator(void **state)
{
    (void)state;
    static const char tail[] = "\0\1application/json\0\1utf-8\0\1[1]\0\1[2]\0\1";
    struct bytes body = old_body(128, 0xee, 1000, tail, sizeof tail - 1);
    struct arena *arena = arena_new(1 << 20);
    struct auth_parts p;
    assert_int_equal(auth_split(body, 0, false, arena, &p), AUTH_OK);
    assert_true(bytes_eq(p.body, "[1]"));
    assert_int_equal(p.after.len, 5);
    arena_free(arena);
    pack_free(body);
}

static void what_is_not_one(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
    } wrong[] = {
        {"", 0},
        {"plain text without any separator", 32},
        {"Lab CA 1234\0\1", 13},
        {"Lab CA 1234\0\1abc\0\1", 18},
        {"Lab CA 1234\0\1sig\0\1not a type\0\1utf-8\0\1x", 38},
        {"Lab CA 1234\0\1sig\0\1application/json\0\1", 35},
        {"Lab CA 1234\0\1sig\0\1application/json\0\1\0\1x", 38},
        {"TGFiIENBIDEyMzQ=\0\1c2ln", 22},
        {"TGFiIENBIDEyMzQ=\0\1not base64\0\1a/b\0\1utf-8\0\1x", 43},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct bytes body = pack(CODING_BASE64, bytes_of(wrong[i].text, wrong[i].len));
        struct arena *arena = arena_new(1 << 20);
        struct auth_parts p;
        assert_int_equal(auth_split(body, 0, false, arena, &p), AUTH_MALFORMED);
        arena_free(arena);
        pack_free(body);
    }
}

static void clipped_at_every_byte(void **state)
{
    (void)state;
    const char *const bodies[] = {by_5_7, by_5_2};
    for (unsigned i = 0; i < 2; i++) {
        size_t good = 0;
        for (size_t n = 0; n <= strlen(bodies[i]); n++) {
            uint8_t *own = malloc(n + 1);
            memcpy(own, bodies[i], n);
            struct arena *arena = arena_new(1 << 20);
            struct auth_parts p;
            if (auth_split(bytes_of(own, n), 0, true, arena, &p) == AUTH_OK) {
                good++;
                assert_int_equal(p.layout, i == 0 ? AUTH_NEW : AUTH_OLD);
                assert_true(p.cut);
                assert_in_range(p.body.len, 0, sizeof embed - 1);
                if (p.body.len > 0)
                    assert_memory_equal(p.body.at, embed, p.body.len);
            } else {
                assert_int_equal(good, 0);
            }
            arena_free(arena);
            free(own);
        }
        assert_in_range(good, 200, strlen(bodies[i]));
    }
}

static void a_full_arena(void **state)
{
    (void)state;
    struct arena *arena = arena_new(100);
    struct auth_parts p;
    assert_int_equal(auth_split(text(by_5_2), 0, false, arena, &p), AUTH_NO_MEMORY);
    arena_free(arena);
}

static void what_does_not_look_like_one(void **state)
{
    (void)state;
    const char *const others[] = {"", "aGVsbG8=", "[[1, 2], {}]",
                                  "aGVsbG8gd29ybGQgdGhpcyBpcyBiYXNlNjQgb2YgdGV4dA==",
                                  "eyJ0YXNrIjogImxhYi5hZGQifQ==eyJ0YXNrIjogImxhYi5hZGQifQ=="};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(auth_looks(text(others[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_celery_signed),
        cmocka_unit_test(raw_signatures_that_hold_separators),
        cmocka_unit_test(a_signature_that_imitates_its_end),
        cmocka_unit_test(an_old_body_ends_at_the_next_separator),
        cmocka_unit_test(what_is_not_one),
        cmocka_unit_test(clipped_at_every_byte),
        cmocka_unit_test(a_full_arena),
        cmocka_unit_test(what_does_not_look_like_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
