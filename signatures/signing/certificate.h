/* signatures/signing/certificate.h - one certificate, as far as a signature needs it. */
#ifndef SIGNATURES_SIGNING_CERTIFICATE_H
#define SIGNATURES_SIGNING_CERTIFICATE_H

#include <openssl/x509.h>

#include "signatures/signing/store.h"

enum certificate_result { CERTIFICATE_OK, CERTIFICATE_OTHER_KEY, CERTIFICATE_BAD };

/* Fills *out, which certificate_free() releases; only if CERTIFICATE_OK. */
enum certificate_result certificate_read(X509 *certificate, struct signer *out);
void certificate_free(struct signer *s);

/* Calls take() for each certificate of a file: PEM, among whatever else is there, or one in DER.
 * false: there was none, or one was damaged. */
bool certificate_each(struct bytes file, void (*take)(void *ctx, X509 *certificate), void *ctx);

#endif
