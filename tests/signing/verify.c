/* Tests of signing/verify.h: keys and signatures are made here, by OpenSSL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "signatures/signing/verify.h"
#include "tests/signing/keys.h"

#define PARTS(text)                               \
    {                                             \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }
#define LITERAL(text) ((struct bytes)PARTS(text))

static const struct bytes body = PARTS("[[2, 3], {}, {\"chain\": null}]");
static const struct bytes one = PARTS("Lab CA one 4711"), two = PARTS("Lab CA one 8150");

struct lab {
    EVP_PKEY *key, *other;
    struct cert_store *store, *second;
};

static int make_lab(void **state)
{
    struct lab *l = calloc(1, sizeof *l);
    char directory[64], error[256];
    X509 *c;

    l->key = EVP_RSA_gen(2048);
    l->other = EVP_RSA_gen(1024);
    keys_directory(directory);
    c = keys_plain(l->key, "4711");
    keys_write(directory, "one.pem", c, "w");
    X509_free(c);
    l->second = cert_store_load(directory, error, sizeof error);
    c = keys_plain(l->other, "8150");
    keys_write(directory, "two.crt", c, "w");
    X509_free(c);
    l->store = cert_store_load(directory, error, sizeof error);
    keys_remove(directory);
    *state = l;
    return l->store && l->second ? 0 : -1;
}

static int free_lab(void **state)
{
    struct lab *l = *state;

    cert_store_drop(l->store);
    cert_store_drop(l->second);
    EVP_PKEY_free(l->key);
    EVP_PKEY_free(l->other);
    free(l);
    return 0;
}

static struct verifier *verifier(struct lab *l, const char *digest)
{
    struct verifier *v = verifier_new(digest, 64);

    assert_non_null(v);
    assert_true(verifier_use(v, l->store));
    return v;
}

static struct verdict judge(struct verifier *v, struct bytes signer, struct bytes signature,
                            struct bytes text)
{
    struct signed_parts p = {signer, signature, text, text, false};

    return verifier_judge(v, &p, KEYS_NOW);
}

static void any_salt_and_digest(void **state)
{
    static const char *const digests[] = {"sha256", "sha1", "sha512", "sha3_256", "SHA384"};
    static const int salts[] = {0, 1, 20, RSA_PSS_SALTLEN_DIGEST, RSA_PSS_SALTLEN_MAX};
    struct lab *l = *state;

    for (size_t d = 0; d < sizeof digests / sizeof *digests; d++) {
        struct verifier *v = verifier(l, digests[d]);
        const EVP_MD *md = d == 3 ? EVP_sha3_256() : EVP_get_digestbyname(digests[d]);

        for (size_t s = 0; s < sizeof salts / sizeof *salts; s++) {
            struct bytes signature = keys_sign(l->key, md, RSA_PKCS1_PSS_PADDING, salts[s], body);
            struct verdict got = judge(v, one, signature, body);

            assert_int_equal(got.state, SIGNATURE_VALID);
            assert_int_equal(got.scheme, SCHEME_PSS);
            keys_free(signature);
        }
        verifier_free(v);
    }
}

/* Up to 4.2: whatever digest is configured. No other digest with that padding. */
static void the_old_padding(void **state)
{
    struct lab *l = *state;
    struct verifier *v = verifier(l, "sha256");
    struct bytes old = keys_sign(l->key, EVP_sha1(), RSA_PKCS1_PADDING, 0, body);
    struct bytes wrong = keys_sign(l->key, EVP_sha256(), RSA_PKCS1_PADDING, 0, body);
    struct bytes pss = keys_sign(l->key, EVP_sha512(), RSA_PKCS1_PSS_PADDING, 20, body);
    struct verdict got = judge(v, one, old, body);

    assert_int_equal(got.state, SIGNATURE_VALID);
    assert_int_equal(got.scheme, SCHEME_PKCS1_SHA1);
    assert_int_equal(judge(v, one, wrong, body).state, SIGNATURE_INVALID);
    assert_int_equal(judge(v, one, pss, body).state, SIGNATURE_INVALID); /* another digest */
    keys_free(old);
    keys_free(wrong);
    keys_free(pss);
    verifier_free(v);
}

static void every_changed_byte(void **state)
{
    struct lab *l = *state;
    struct verifier *v = verifier(l, "sha256");
    struct bytes signature = keys_sign_pss(l->other, body);
    uint8_t text[64], bad[128];

    assert_int_equal(judge(v, two, signature, body).state, SIGNATURE_VALID);
    for (size_t i = 0; i < body.len; i++) {
        memcpy(text, body.at, body.len);
        text[i] ^= 1;
        assert_int_equal(judge(v, two, signature, bytes_of(text, body.len)).state,
                         SIGNATURE_INVALID);
        assert_int_equal(judge(v, two, signature, bytes_head(body, i)).state, SIGNATURE_INVALID);
    }
    for (size_t i = 0; i < sizeof bad; i++) {
        memcpy(bad, signature.at, sizeof bad);
        bad[i] ^= 0x80;
        assert_int_equal(judge(v, two, bytes_of(bad, sizeof bad), body).state, SIGNATURE_INVALID);
        assert_int_equal(judge(v, two, bytes_head(signature, i), body).state, SIGNATURE_INVALID);
    }
    keys_free(signature);
    verifier_free(v);
}

static void another_signer(void **state)
{
    struct lab *l = *state;
    struct verifier *v = verifier(l, "sha256");
    struct bytes signature = keys_sign_pss(l->key, body);

    assert_int_equal(judge(v, two, signature, body).state, SIGNATURE_INVALID);
    assert_int_equal(judge(v, LITERAL("Lab CA one 4712"), signature, body).state,
                     SIGNATURE_SIGNER_UNKNOWN);
    assert_int_equal(judge(v, LITERAL("Lab CA one 471"), signature, body).state,
                     SIGNATURE_SIGNER_UNKNOWN);
    assert_int_equal(judge(v, LITERAL(""), signature, body).state, SIGNATURE_SIGNER_UNKNOWN);
    assert_true(verifier_use(v, NULL));
    assert_int_equal(judge(v, one, signature, body).state, SIGNATURE_UNVERIFIED);
    keys_free(signature);
    verifier_free(v);
}

static void what_was_cut(void **state)
{
    struct lab *l = *state;
    struct verifier *v = verifier(l, "sha256");
    struct bytes signature = keys_sign_pss(l->key, body);
    struct signed_parts p = {one, signature, bytes_head(body, 5), bytes_head(body, 5), true};

    assert_int_equal(verifier_judge(v, &p, KEYS_NOW).state, SIGNATURE_UNVERIFIED);
    p.signer = LITERAL("stranger 1");
    assert_int_equal(verifier_judge(v, &p, KEYS_NOW).state, SIGNATURE_SIGNER_UNKNOWN);
    keys_free(signature);
    verifier_free(v);
}

/* Both ends belong to it; a signature that is wrong is wrong at any time. */
static void validity_at_packet_time(void **state)
{
    static const struct {
        int64_t at;
        enum signature_state want;
    } cases[] = {
        {-3601, SIGNATURE_SIGNER_EXPIRED}, {-3600, SIGNATURE_VALID},         {0, SIGNATURE_VALID},
        {3600, SIGNATURE_VALID},           {3601, SIGNATURE_SIGNER_EXPIRED},
    };
    struct lab *l = *state;
    struct verifier *v = verifier(l, "sha256");
    struct bytes signature = keys_sign_pss(l->key, body);
    struct signed_parts p = {one, signature, body, body, false};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(verifier_judge(v, &p, KEYS_NOW + cases[i].at).state, cases[i].want);
    p.whole = p.body = bytes_head(body, 3);
    assert_int_equal(verifier_judge(v, &p, KEYS_NOW + 9999).state, SIGNATURE_INVALID);
    keys_free(signature);
    verifier_free(v);
}

/* Celery up to 5.4 reads up to a separator; its sender signed all of it. */
static void separators_in_the_body(void **state)
{
    struct lab *l = *state;
    struct verifier *v = verifier(l, "sha256");
    struct bytes all = LITERAL("head\0\1tail");
    struct bytes of_all = keys_sign_pss(l->key, all),
                 of_head = keys_sign_pss(l->key, bytes_head(all, 4));
    struct signed_parts p = {one, of_all, bytes_head(all, 4), all, false};

    assert_int_equal(verifier_judge(v, &p, KEYS_NOW).state, SIGNATURE_VALID);
    p.signature = of_head;
    assert_int_equal(verifier_judge(v, &p, KEYS_NOW).state, SIGNATURE_VALID);
    p.body = bytes_head(all, 3);
    assert_int_equal(verifier_judge(v, &p, KEYS_NOW).state, SIGNATURE_INVALID);
    keys_free(of_all);
    keys_free(of_head);
    verifier_free(v);
}

static void once_for_the_same_body(void **state)
{
    struct lab *l = *state;
    struct verifier *v = verifier(l, "sha256");
    struct bytes signature = keys_sign_pss(l->key, body), again = keys_sign_pss(l->key, body);
    struct verdict got = judge(v, one, signature, body);

    assert_true(got.verified && !got.cached);
    for (int i = 0; i < 3; i++) {
        got = judge(v, one, signature, body);
        assert_true(!got.verified && got.cached);
        assert_int_equal(got.state, SIGNATURE_VALID);
    }
    assert_true(judge(v, one, again, body).verified);
    assert_true(judge(v, two, signature, body).verified); /* wrong, and remembered as that */
    got = judge(v, two, signature, body);
    assert_true(got.cached && got.state == SIGNATURE_INVALID);
    /* What is remembered is of these certificates. */
    assert_true(verifier_use(v, l->second));
    assert_int_equal(judge(v, two, signature, body).state, SIGNATURE_SIGNER_UNKNOWN);
    got = judge(v, one, signature, body);
    assert_true(got.verified && got.state == SIGNATURE_VALID);
    keys_free(signature);
    keys_free(again);
    verifier_free(v);
}

static void memory_is_bounded(void **state)
{
    struct lab *l = *state;
    struct verifier *v = verifier(l, "sha256");
    struct bytes signature = keys_sign_pss(l->other, body);
    char text[16];

    judge(v, two, signature, body);
    for (int i = 0; i < 64; i++) { /* as many others as are remembered */
        snprintf(text, sizeof text, "%d", i);
        assert_true(judge(v, two, signature, bytes_of(text, strlen(text))).verified);
    }
    assert_true(judge(v, two, signature, body).verified);
    assert_true(judge(v, two, signature, body).cached);
    keys_free(signature);
    verifier_free(v);
}

static void digests(void **state)
{
    (void)state;
    assert_true(digest_is_known("sha256") && digest_is_known("sha512_256"));
    assert_false(digest_is_known("") || digest_is_known("sha257") || digest_is_known("shake128"));
    assert_false(digest_is_known("sha256sha256sha256sha256sha256sha256sha256"));
    assert_null(verifier_new("none", 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_salt_and_digest),    cmocka_unit_test(the_old_padding),
        cmocka_unit_test(every_changed_byte),     cmocka_unit_test(another_signer),
        cmocka_unit_test(what_was_cut),           cmocka_unit_test(validity_at_packet_time),
        cmocka_unit_test(separators_in_the_body), cmocka_unit_test(once_for_the_same_body),
        cmocka_unit_test(memory_is_bounded),      cmocka_unit_test(digests),
    };

    return cmocka_run_group_tests(tests, make_lab, free_lab);
}
