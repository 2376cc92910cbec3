/* Tests of signing/store.h: what a directory may hold, and the id of a signer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "signatures/signing/store.h"
#include "tests/signing/keys.h"

struct lab {
    EVP_PKEY *key, *other, *curve;
    char directory[64];
};

static int make_lab(void **state)
{
    struct lab *l = calloc(1, sizeof *l);

    log_set_level(LOG_LEVEL_ERROR);
    l->key = EVP_RSA_gen(1024);
    l->other = EVP_RSA_gen(1024);
    l->curve = EVP_EC_gen("P-256");
    *state = l;
    return 0;
}

static int free_lab(void **state)
{
    struct lab *l = *state;

    EVP_PKEY_free(l->key);
    EVP_PKEY_free(l->other);
    EVP_PKEY_free(l->curve);
    free(l);
    return 0;
}

static int make_directory(void **state)
{
    keys_directory(((struct lab *)*state)->directory);
    return 0;
}

static int remove_directory(void **state)
{
    keys_remove(((struct lab *)*state)->directory);
    return 0;
}

static struct cert_store *load(struct lab *l)
{
    char error[256];
    struct cert_store *s = cert_store_load(l->directory, error, sizeof error);

    assert_non_null(s);
    return s;
}

static const struct signer *find(const struct cert_store *s, const char *id)
{
    return cert_store_find(s, bytes_of(id, strlen(id)));
}

static void put(struct lab *l, const char *file, EVP_PKEY *key, const char *serial,
                const char *mode)
{
    X509 *c = keys_plain(key, serial);

    keys_write(l->directory, file, c, mode);
    X509_free(c);
}

static void put_der(struct lab *l, const char *file, const char *serial)
{
    X509 *c = keys_plain(l->key, serial);
    char path[128];
    FILE *f;

    keys_path(path, sizeof path, l->directory, file);
    f = fopen(path, "w");
    keys_must(f && i2d_X509_fp(f, c));
    fclose(f);
    X509_free(c);
}

static void files_by_their_endings(void **state)
{
    struct lab *l = *state;
    struct cert_store *s;
    const struct signer *found;

    put(l, "a.pem", l->key, "1", "w");
    put(l, "b.crt", l->key, "2", "w");
    put_der(l, "c.cer", "3");
    put_der(l, "d.CRT", "4");
    put(l, "e.txt", l->key, "5", "w");
    put(l, ".f.pem", l->key, "6", "w");
    put(l, "pem", l->key, "7", "w");
    s = load(l);
    assert_int_equal(cert_store_count(s), 4);
    found = find(s, "Lab CA one 3");
    assert_non_null(found);
    assert_int_equal(found->signature_len, 128);
    assert_int_equal(found->not_before, KEYS_NOW - 3600);
    assert_int_equal(found->not_after, KEYS_NOW + 3600);
    assert_ptr_not_equal(find(s, "Lab CA one 1"), found);
    assert_null(find(s, "Lab CA one 5"));
    assert_null(find(s, "Lab CA one "));
    assert_null(find(s, ""));
    cert_store_drop(s);
}

static void several_in_one_file(void **state)
{
    struct lab *l = *state;
    struct cert_store *s;
    char path[128];
    FILE *f;

    put(l, "all.pem", l->key, "1", "w");
    keys_path(path, sizeof path, l->directory, "all.pem");
    f = fopen(path, "a");
    keys_must(f && fputs("a remark\n", f) >= 0);
    keys_must(PEM_write_PrivateKey(f, l->key, NULL, NULL, 0, NULL, NULL));
    fclose(f);
    put(l, "all.pem", l->other, "2", "a");
    put(l, "all.pem", l->curve, "3", "a");
    put(l, "all.pem", l->key, "1", "a"); /* again */
    put(l, "all.pem", l->key, "170141183460469231731687303715884105728", "a");
    s = load(l);
    assert_int_equal(cert_store_count(s), 3);
    assert_non_null(find(s, "Lab CA one 2"));
    assert_null(find(s, "Lab CA one 3")); /* no RSA */
    assert_non_null(find(s, "Lab CA one 170141183460469231731687303715884105728"));
    cert_store_drop(s);
}

static void of_one_id_the_first(void **state)
{
    struct lab *l = *state;
    struct cert_store *s;

    put(l, "b.pem", l->other, "1", "w");
    put(l, "a.pem", l->key, "1", "w");
    s = load(l);
    assert_int_equal(cert_store_count(s), 1);
    assert_int_equal(EVP_PKEY_eq(find(s, "Lab CA one 1")->key, l->key), 1);
    cert_store_drop(s);
}

static void what_is_no_certificate(void **state)
{
    struct lab *l = *state;
    struct cert_store *s;
    char path[128];

    keys_write_text(l->directory, "a.pem", "");
    keys_write_text(l->directory, "b.pem", "nothing of the kind\n");
    keys_write_text(l->directory, "c.pem",
                    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    keys_write_text(l->directory, "d.cer", "0\x82\x01");
    keys_path(path, sizeof path, l->directory, "e.pem");
    keys_must(mkfifo(path, 0600) == 0); /* nobody waits for who writes to it */
    keys_path(path, sizeof path, l->directory, "f.pem");
    keys_must(mkdir(path, 0700) == 0);
    keys_path(path, sizeof path, l->directory, "g.pem");
    keys_must(symlink("absent", path) == 0);
    put(l, "h.pem", l->key, "1", "w");
    s = load(l);
    assert_int_equal(cert_store_count(s), 1);
    cert_store_drop(s);
}

/* A certificate that is cut short anywhere is none, and harms nothing. */
static void cut_at_every_byte(void **state)
{
    struct lab *l = *state;
    X509 *c = keys_plain(l->key, "1");
    unsigned char *der = NULL;
    int n = i2d_X509(c, &der);
    char path[128];

    keys_path(path, sizeof path, l->directory, "a.cer");
    for (int i = 0; i <= n; i++) {
        FILE *f = fopen(path, "w");
        struct cert_store *s;

        keys_must(f && fwrite(der, 1, (size_t)i, f) == (size_t)i);
        fclose(f);
        s = load(l);
        assert_int_equal(cert_store_count(s), i == n);
        cert_store_drop(s);
    }
    OPENSSL_free(der);
    X509_free(c);
}

/* Values in the order of the certificate, of every string type; what Celery makes of the same
 * issuer is in celery-on-the-wire.md 3.2. */
static void ids(void **state)
{
    static const struct issuer_part lab[] = {{"C", MBSTRING_ASC, "IL", 0},
                                             {"O", MBSTRING_UTF8, "Lab CA", 0},
                                             {"CN", V_ASN1_PRINTABLESTRING, "issuer one", 0},
                                             {NULL, 0, NULL, 0}};
    static const struct issuer_part turned[] = {{"CN", MBSTRING_UTF8, "\xc3\xa5ngstr\xc3\xb6m", 0},
                                                {"O", MBSTRING_UTF8, "a", 0},
                                                {"OU", MBSTRING_UTF8, "b", -1},
                                                {"C", MBSTRING_ASC, "SE", 0},
                                                {NULL, 0, NULL, 0}};
    static const char serial[] = "440538446182590459217453996223715314638689554051";
    struct lab *l = *state;
    X509 *c = keys_certificate(l->key, lab, serial, -9, 9);
    struct cert_store *s;

    keys_write(l->directory, "a.pem", c, "w");
    X509_free(c);
    c = keys_certificate(l->key, turned, "0", -9, 9);
    keys_write(l->directory, "b.pem", c, "w");
    X509_free(c);
    s = load(l);
    assert_int_equal(cert_store_count(s), 2);
    assert_non_null(
        find(s, "IL Lab CA issuer one 440538446182590459217453996223715314638689554051"));
    assert_non_null(find(s, "\xc3\xa5ngstr\xc3\xb6m a b SE 0"));
    cert_store_drop(s);
}

static void directories(void **state)
{
    struct lab *l = *state;
    struct cert_store *s = load(l);
    char error[256];

    assert_int_equal(cert_store_count(s), 0);
    assert_null(find(s, "a 1"));
    assert_ptr_equal(cert_store_take(s), s);
    cert_store_drop(s);
    cert_store_drop(s);
    assert_null(cert_store_load("/no/such/directory", error, sizeof error));
    assert_non_null(strstr(error, "/no/such/directory: No such file"));
    keys_write_text(l->directory, "file", "");
    assert_null(cert_store_load("/dev/null", error, sizeof error));
    assert_non_null(strstr(error, "Not a directory"));
}

#define IN_DIRECTORY(f) cmocka_unit_test_setup_teardown(f, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(files_by_their_endings),
        IN_DIRECTORY(several_in_one_file),
        IN_DIRECTORY(of_one_id_the_first),
        IN_DIRECTORY(what_is_no_certificate),
        IN_DIRECTORY(cut_at_every_byte),
        IN_DIRECTORY(ids),
        IN_DIRECTORY(directories),
    };

    return cmocka_run_group_tests(tests, make_lab, free_lab);
}
