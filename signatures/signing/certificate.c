/* signatures/signing/certificate.c - see certificate.h. */
#include "signatures/signing/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <time.h>

static bool write_issuer(BIO *to, const X509_NAME *issuer)
{
    for (int i = 0; i < X509_NAME_entry_count(issuer); i++) {
        unsigned char *text = NULL;
        int n =
            ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(issuer, i)));
        bool good = n >= 0 && (i == 0 || BIO_write(to, " ", 1) == 1) &&
                    (n == 0 || BIO_write(to, text, n) == n);

        OPENSSL_free(text);
        if (!good)
            return false;
    }
    return true;
}

static bool write_serial(BIO *to, const ASN1_INTEGER *serial)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
    char *digits = number ? BN_bn2dec(number) : NULL;
    bool good = digits && BIO_printf(to, " %s", digits) > 0;

    OPENSSL_free(digits);
    BN_free(number);
    return good;
}

/* celery:security/certificate.py:Certificate.get_id: the values of the issuer's attributes in the
 * order of the certificate and without their types, then the serial number in decimal. */
static bool read_id(const X509 *certificate, struct signer *out)
{
    BIO *to = BIO_new(BIO_s_mem());
    char *text;
    long n = 0;

    if (to && write_issuer(to, X509_get_issuer_name(certificate)) &&
        write_serial(to, X509_get0_serialNumber(certificate)))
        n = BIO_get_mem_data(to, &text);
    out->id = n > 0 ? malloc((size_t)n + 1) : NULL;
    if (out->id) {
        memcpy(out->id, text, (size_t)n);
        out->id[n] = '\0';
        out->id_len = (size_t)n;
    }
    BIO_free(to);
    return out->id != NULL;
}

static bool read_time(const ASN1_TIME *time, int64_t *seconds)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(time, &tm) != 1)
        return false;
    *seconds = timegm(&tm);
    return true;
}

static bool is_rsa(const EVP_PKEY *key)
{
    int kind = EVP_PKEY_get_base_id(key);

    return kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS;
}

enum certificate_result certificate_read(X509 *certificate, struct signer *out)
{
    *out = (struct signer){.key = X509_get_pubkey(certificate)};
    if (out->key && !is_rsa(out->key)) {
        certificate_free(out);
        return CERTIFICATE_OTHER_KEY;
    }
    if (out->key && EVP_PKEY_get_size(out->key) > 0 && read_id(certificate, out) &&
        read_time(X509_get0_notBefore(certificate), &out->not_before) &&
        read_time(X509_get0_notAfter(certificate), &out->not_after)) {
        out->signature_len = (size_t)EVP_PKEY_get_size(out->key);
        return CERTIFICATE_OK;
    }
    certificate_free(out);
    ERR_clear_error();
    return CERTIFICATE_BAD;
}

void certificate_free(struct signer *s)
{
    EVP_PKEY_free(s->key);
    free(s->id);
    *s = (struct signer){0};
}

static bool each_pem(BIO *in, void (*take)(void *ctx, X509 *certificate), void *ctx, unsigned *n)
{
    X509 *certificate;

    while ((certificate = PEM_read_bio_X509(in, NULL, NULL, NULL))) {
        take(ctx, certificate);
        X509_free(certificate);
        ++*n;
    }
    return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE; /* the end of the file */
}

bool certificate_each(struct bytes file, void (*take)(void *ctx, X509 *certificate), void *ctx)
{
    BIO *in = BIO_new_mem_buf(file.at, (int)file.len);
    unsigned n = 0;
    bool good = in && each_pem(in, take, ctx, &n);
    const unsigned char *at = file.at;
    X509 *certificate;

    if (n == 0 && file.len > 0 && (certificate = d2i_X509(NULL, &at, (long)file.len))) {
        take(ctx, certificate);
        X509_free(certificate);
        n = 1;
    }
    BIO_free(in);
    ERR_clear_error();
    return good && n > 0;
}
