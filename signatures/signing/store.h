/* signatures/signing/store.h - the certificates of those who may sign, as Celery's
 * FSCertStore keeps them: found by signer id, trusted because they are there (no
 * chain, no revocation). Const once loaded; shared by threads, counted. */
#ifndef SIGNATURES_SIGNING_STORE_H
#define SIGNATURES_SIGNING_STORE_H

#include <openssl/evp.h>

#include "base/bytes.h"

struct signer {
    char *id; /* NUL-terminated; may hold any text that an issuer may have */
    size_t id_len;
    EVP_PKEY *key;                 /* RSA */
    size_t signature_len;          /* bytes of each of its signatures */
    int64_t not_before, not_after; /* seconds since the epoch, both within */
};

struct cert_store;

/* Every certificate of every *.pem, *.crt and *.cer (PEM, several a file, or DER) in the directory,
 * in the order of their names. What is no RSA certificate is left out, with one warning. NULL: the
 * directory cannot be read, or no memory; `error` says which. One reference: the caller's. */
struct cert_store *cert_store_load(const char *directory, char *error, size_t error_len);
struct cert_store *cert_store_take(struct cert_store *s); /* one more reference */
void cert_store_drop(struct cert_store *s);               /* NULL is fine */

size_t cert_store_count(const struct cert_store *s);
/* By Celery's id: "<issuer attribute values, in certificate order> <serial in decimal>"
 * (celery:security/certificate.py:Certificate.get_id). NULL: none. As long-lived as the store. */
const struct signer *cert_store_find(const struct cert_store *s, struct bytes id);
/* The place of a signer of this store, from 0. */
size_t cert_store_index(const struct cert_store *s, const struct signer *signer);

#endif
