/* signatures/signing/verify.h - does a signature verify? One verifier a thread: it
 * keeps the contexts of OpenSSL and remembers, within a bound, what it has verified,
 * so that a body that crosses the wire again costs no second verification. */
#ifndef SIGNATURES_SIGNING_VERIFY_H
#define SIGNATURES_SIGNING_VERIFY_H

#include "signatures/signing/signature.h"
#include "signatures/signing/store.h"

struct signed_parts {
    struct bytes signer, signature;
    struct bytes body;  /* what the signature should be over */
    struct bytes whole; /* begins as body does; longer where a separator stands in what was signed,
                           at which Celery up to 5.4 stops reading */
    bool cut;           /* body is a head of what was signed: unverified, at best */
};

struct verdict {
    enum signature_state state;
    enum signature_scheme scheme; /* of VALID and SIGNER_EXPIRED */
    bool cached;                  /* known from before */
    bool verified;                /* the key was asked */
};

/* The name of a digest as Celery has it (security_digest: sha256, sha3_256). */
bool digest_is_known(const char *name);

struct verifier;

/* `remember`: results kept. NULL: no memory, or the digest is not known. */
struct verifier *verifier_new(const char *digest, size_t remember);
/* Takes a reference of its own; what was remembered is forgotten. NULL: no certificates. false: no
 * memory, nothing changed. */
bool verifier_use(struct verifier *v, struct cert_store *store);
const struct cert_store *verifier_store(const struct verifier *v); /* NULL: none */
/* `seconds`: packet time. Not for NONE and MALFORMED: those have no parts. */
struct verdict verifier_judge(struct verifier *v, const struct signed_parts *p, int64_t seconds);
void verifier_free(struct verifier *v);

#endif
