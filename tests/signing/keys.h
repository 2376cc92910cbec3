/* tests/signing/keys.h - keys, certificates and signatures made while a test runs, and the two
 * layouts of Celery's auth serializer around them. */
#ifndef TESTS_SIGNING_KEYS_H
#define TESTS_SIGNING_KEYS_H

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define KEYS_NOW INT64_C(1800000000) /* the packet time of the tests */

struct issuer_part {
    const char *type;
    int string_type; /* MBSTRING_UTF8, V_ASN1_BMPSTRING, ... */
    const char *value;
    int set; /* 0: an RDN of its own; -1: of the one before */
};

static inline void keys_must(int good)
{
    if (!good) {
        ERR_print_errors_fp(stderr);
        abort();
    }
}

/* Serial, and validity as seconds from KEYS_NOW. `issuer` ends with a type of NULL. */
static inline X509 *keys_certificate(EVP_PKEY *key, const struct issuer_part *issuer,
                                     const char *serial, long from, long to)
{
    X509 *c = X509_new();
    X509_NAME *name = X509_NAME_new();
    BIGNUM *number = NULL;

    for (; issuer->type; issuer++)
        keys_must(X509_NAME_add_entry_by_txt(name, issuer->type, issuer->string_type,
                                             (const unsigned char *)issuer->value, -1, -1,
                                             issuer->set));
    keys_must(BN_dec2bn(&number, serial) > 0);
    keys_must(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(c)) != NULL);
    keys_must(X509_set_version(c, 2) && X509_set_issuer_name(c, name) &&
              X509_set_subject_name(c, name) && X509_set_pubkey(c, key));
    keys_must(ASN1_TIME_set(X509_getm_notBefore(c), KEYS_NOW + from) != NULL);
    keys_must(ASN1_TIME_set(X509_getm_notAfter(c), KEYS_NOW + to) != NULL);
    keys_must(X509_sign(c, key, EVP_sha256()) > 0);
    BN_free(number);
    X509_NAME_free(name);
    return c;
}

/* "Lab CA one <serial>", valid for an hour on either side of KEYS_NOW. */
static inline X509 *keys_plain(EVP_PKEY *key, const char *serial)
{
    static const struct issuer_part issuer[] = {
        {"O", MBSTRING_UTF8, "Lab CA", 0}, {"CN", MBSTRING_UTF8, "one", 0}, {NULL, 0, NULL, 0}};

    return keys_certificate(key, issuer, serial, -3600, 3600);
}

static inline void keys_path(char *to, size_t len, const char *directory, const char *name)
{
    keys_must((size_t)snprintf(to, len, "%s/%s", directory, name) < len);
}

static inline void keys_write(const char *directory, const char *name, X509 *c, const char *mode)
{
    char path[512];
    FILE *f;

    keys_path(path, sizeof path, directory, name);
    f = fopen(path, mode);
    keys_must(f != NULL && PEM_write_X509(f, c));
    fclose(f);
}

static inline void keys_write_text(const char *directory, const char *name, const char *text)
{
    char path[512];
    FILE *f;

    keys_path(path, sizeof path, directory, name);
    f = fopen(path, "w");
    keys_must(f != NULL && fputs(text, f) >= 0);
    fclose(f);
}

/* salt: RSA_PSS_SALTLEN_* or a length; padding RSA_PKCS1_PADDING has none. In malloc. */
static inline struct bytes keys_sign(EVP_PKEY *key, const EVP_MD *md, int padding, int salt,
                                     struct bytes body)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *p;
    size_t n = 0;
    uint8_t *to;

    keys_must(EVP_DigestSignInit(ctx, &p, md, NULL, key) == 1);
    keys_must(EVP_PKEY_CTX_set_rsa_padding(p, padding) == 1);
    if (padding == RSA_PKCS1_PSS_PADDING)
        keys_must(EVP_PKEY_CTX_set_rsa_mgf1_md(p, md) == 1 &&
                  EVP_PKEY_CTX_set_rsa_pss_saltlen(p, salt) == 1);
    keys_must(EVP_DigestSign(ctx, NULL, &n, body.at, body.len) == 1);
    to = malloc(n);
    keys_must(EVP_DigestSign(ctx, to, &n, body.at, body.len) == 1);
    EVP_MD_CTX_free(ctx);
    return bytes_of(to, n);
}

/* As Celery since 4.3. */
static inline struct bytes keys_sign_pss(EVP_PKEY *key, struct bytes body)
{
    return keys_sign(key, EVP_sha256(), RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_MAX, body);
}

static inline void keys_free(struct bytes b)
{
    free((void *)(uintptr_t)b.at);
}

static inline struct bytes keys_base64(struct bytes b)
{
    uint8_t *to = malloc(b.len * 2 + 8);
    int n = EVP_EncodeBlock(to, b.at, (int)b.len);
    uint8_t *exact = malloc((size_t)n + 1);

    memcpy(exact, to, (size_t)n);
    free(to);
    return bytes_of(exact, (size_t)n);
}

struct keys_message {
    struct bytes signer, signature;
    const char *type, *encoding;
    struct bytes body;
};

/* The body of a signed message as it is sent, in malloc (celery:security/serialization.py:
 * SecureSerializer._pack of 5.5 and later, or of those before). */
static inline struct bytes keys_pack(const struct keys_message *m, int new_layout)
{
    struct bytes parts[5] = {m->signer, m->signature, bytes_of(m->type, strlen(m->type)),
                             bytes_of(m->encoding, strlen(m->encoding)), m->body};
    struct bytes own[2] = {{0}, {0}}, packed;
    size_t n = 0;
    uint8_t *to;

    for (int i = 0; new_layout && i < 2; i++)
        parts[i] = own[i] = keys_base64(parts[i]);
    for (int i = 0; i < 5; i++)
        n += parts[i].len + 2;
    to = malloc(n);
    n = 0;
    for (int i = 0; i < 5; i++) {
        if (i > 0)
            to[n++] = 0, to[n++] = 1;
        if (parts[i].len > 0)
            memcpy(to + n, parts[i].at, parts[i].len);
        n += parts[i].len;
    }
    packed = keys_base64(bytes_of(to, n));
    free(to);
    keys_free(own[0]);
    keys_free(own[1]);
    return packed;
}

/* A directory of its own, and what is in it gone again. */
static inline void keys_directory(char path[64])
{
    strcpy(path, "/tmp/celeriac-keys-XXXXXX");
    keys_must(mkdtemp(path) != NULL);
}

static inline void keys_remove(const char *directory)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    keys_must(system(command) == 0);
}

#endif
