/* signatures/signing/signature.h - what is known of the signature of a message: the
 * words that the verifier and the detectors share. */
#ifndef SIGNATURES_SIGNING_SIGNATURE_H
#define SIGNATURES_SIGNING_SIGNATURE_H

enum signature_state {
    SIGNATURE_NONE,           /* not signed */
    SIGNATURE_UNVERIFIED,     /* no certificates to verify by, or not all of it was captured */
    SIGNATURE_VALID,          /* by a certificate that is valid at packet time */
    SIGNATURE_INVALID,        /* does not verify with the signer's certificate */
    SIGNATURE_MALFORMED,      /* cut short, no base64, or without a part */
    SIGNATURE_SIGNER_UNKNOWN, /* no certificate has this signer id */
    SIGNATURE_SIGNER_EXPIRED, /* verifies; the certificate is not valid at packet time */
    SIGNATURE_STATES,
};

/* How a signature verified (celery-on-the-wire.md 3.2). */
enum signature_scheme {
    SCHEME_NONE,
    SCHEME_PSS,        /* RSASSA-PSS with the configured digest: since 4.3 */
    SCHEME_PKCS1_SHA1, /* RSASSA-PKCS1-v1_5 with SHA-1: up to 4.2 */
};

/* "not verified", "valid", ...; literals. */
const char *signature_state_name(enum signature_state state);
/* "rsa-pss", "rsa-pkcs1-sha1"; "none". */
const char *signature_scheme_name(enum signature_scheme scheme);

#endif
