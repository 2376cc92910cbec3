/* signatures/signing/verify.c - see verify.h; celery-on-the-wire.md 3.3. */
#include "signatures/signing/verify.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "base/lru.h"

#define NAME_MOST 32u

/* What is remembered of one signature: its full key, since 64 bits of it find the place. */
struct memory {
    uint8_t key[16];
    uint8_t scheme; /* enum signature_scheme: NONE: it does not verify */
};

/* The contexts of one signer, made when it is first met. */
struct contexts {
    EVP_PKEY_CTX *pss, *pkcs1;
};

struct verifier {
    struct cert_store *store;
    struct contexts *contexts; /* as many as the store has signers */
    EVP_MD *digest, *sha1, *sha256;
    EVP_MD_CTX *hash;
    size_t remember;
    struct lru *known;
};

struct digest {
    uint8_t at[EVP_MAX_MD_SIZE];
    unsigned len;
};

const char *signature_state_name(enum signature_state state)
{
    static const char *const names[SIGNATURE_STATES] = {
        "none", "not verified", "valid", "invalid", "malformed", "unknown signer", "expired signer",
    };

    return (unsigned)state < SIGNATURE_STATES ? names[state] : "none";
}

const char *signature_scheme_name(enum signature_scheme scheme)
{
    switch (scheme) {
    case SCHEME_PSS: return "rsa-pss";
    case SCHEME_PKCS1_SHA1: return "rsa-pkcs1-sha1";
    case SCHEME_NONE: break;
    }
    return "none";
}

/* Celery takes the attribute of that name in upper case of cryptography's hashes: SHA3_256
 * (celery:security/utils.py:get_digest_algorithm). */
static EVP_MD *digest_fetch(const char *name)
{
    char text[NAME_MOST];
    size_t n = strlen(name);
    EVP_MD *md;

    if (n == 0 || n >= sizeof text)
        return NULL;
    for (size_t i = 0; i <= n; i++)
        text[i] = name[i] == '_' ? '-' : name[i];
    md = EVP_MD_fetch(NULL, text, NULL);
    if (md && (EVP_MD_get_flags(md) & EVP_MD_FLAG_XOF)) {
        EVP_MD_free(md);
        md = NULL;
    }
    ERR_clear_error();
    return md;
}

bool digest_is_known(const char *name)
{
    EVP_MD *md = digest_fetch(name);

    EVP_MD_free(md);
    return md != NULL;
}

struct verifier *verifier_new(const char *digest, size_t remember)
{
    struct verifier *v = calloc(1, sizeof *v);

    if (!v)
        return NULL;
    v->remember = remember;
    v->digest = digest_fetch(digest);
    v->sha1 = digest_fetch("sha1");
    v->sha256 = digest_fetch("sha256");
    v->hash = EVP_MD_CTX_new();
    /* Where the platform forbids SHA-1, what was signed with it does not verify. */
    if (v->digest && v->sha256 && v->hash)
        return v;
    verifier_free(v);
    return NULL;
}

static void leave_store(struct verifier *v)
{
    for (size_t i = 0; v->contexts && i < cert_store_count(v->store); i++) {
        EVP_PKEY_CTX_free(v->contexts[i].pss);
        EVP_PKEY_CTX_free(v->contexts[i].pkcs1);
    }
    free(v->contexts);
    v->contexts = NULL;
    if (v->known)
        lru_free(v->known);
    v->known = NULL;
    cert_store_drop(v->store);
    v->store = NULL;
}

bool verifier_use(struct verifier *v, struct cert_store *store)
{
    struct contexts *contexts = NULL;
    struct lru *known = NULL;

    if (store) {
        contexts = calloc(cert_store_count(store) + 1, sizeof *contexts);
        known = lru_new(v->remember, sizeof(struct memory), NULL, NULL);
        if (!contexts || !known) {
            free(contexts);
            if (known)
                lru_free(known);
            return false;
        }
    }
    leave_store(v);
    v->store = store ? cert_store_take(store) : NULL;
    v->contexts = contexts;
    v->known = known;
    return true;
}

const struct cert_store *verifier_store(const struct verifier *v)
{
    return v->store;
}

void verifier_free(struct verifier *v)
{
    if (!v)
        return;
    leave_store(v);
    EVP_MD_free(v->digest);
    EVP_MD_free(v->sha1);
    EVP_MD_free(v->sha256);
    EVP_MD_CTX_free(v->hash);
    free(v);
}

static bool digest_begin(struct verifier *v, const EVP_MD *md)
{
    return EVP_DigestInit_ex2(v->hash, md, NULL) == 1;
}

static bool digest_add(struct verifier *v, struct bytes b)
{
    return b.len == 0 || EVP_DigestUpdate(v->hash, b.at, b.len) == 1;
}

static bool digest_end(struct verifier *v, struct digest *out)
{
    return EVP_DigestFinal_ex(v->hash, out->at, &out->len) == 1;
}

static bool digest_of(struct verifier *v, const EVP_MD *md, struct bytes b, struct digest *out)
{
    return digest_begin(v, md) && digest_add(v, b) && digest_end(v, out);
}

/* Any salt: Celery takes the longest; MGF1 with the same digest (celery:security/key.py). */
static EVP_PKEY_CTX *pss_context(EVP_PKEY *key, const EVP_MD *md)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);

    if (c && EVP_PKEY_verify_init(c) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PSS_PADDING) == 1 &&
        EVP_PKEY_CTX_set_signature_md(c, md) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(c, md) == 1 &&
        EVP_PKEY_CTX_set_rsa_pss_saltlen(c, RSA_PSS_SALTLEN_AUTO) == 1)
        return c;
    EVP_PKEY_CTX_free(c);
    return NULL;
}

static EVP_PKEY_CTX *pkcs1_context(EVP_PKEY *key, const EVP_MD *md)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);

    if (c && EVP_PKEY_verify_init(c) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1 &&
        EVP_PKEY_CTX_set_signature_md(c, md) == 1)
        return c;
    EVP_PKEY_CTX_free(c);
    return NULL;
}

static bool verifies(EVP_PKEY_CTX *c, struct bytes signature, const struct digest *d)
{
    bool good = c && EVP_PKEY_verify(c, signature.at, signature.len, d->at, d->len) == 1;

    ERR_clear_error();
    return good;
}

static enum signature_scheme try(struct verifier *v, const struct signer *s, struct bytes signature,
                                 struct bytes body, const struct digest *d)
{
    struct contexts *c = &v->contexts[cert_store_index(v->store, s)];
    struct digest sha1;

    if (!c->pss)
        c->pss = pss_context(s->key, v->digest);
    if (verifies(c->pss, signature, d))
        return SCHEME_PSS;
    if (!v->sha1)
        return SCHEME_NONE;
    if (!c->pkcs1)
        c->pkcs1 = pkcs1_context(s->key, v->sha1);
    if (digest_of(v, v->sha1, body, &sha1) && verifies(c->pkcs1, signature, &sha1))
        return SCHEME_PKCS1_SHA1;
    return SCHEME_NONE;
}

/* The whole of what was sent first: it is what the key below is of. */
static enum signature_scheme verify(struct verifier *v, const struct signer *s,
                                    const struct signed_parts *p, const struct digest *whole)
{
    enum signature_scheme scheme;
    struct digest d;

    if (p->signature.len != s->signature_len)
        return SCHEME_NONE;
    scheme = try(v, s, p->signature, p->whole, whole);
    if (scheme != SCHEME_NONE || p->whole.len == p->body.len)
        return scheme;
    return digest_of(v, v->digest, p->body, &d) ? try(v, s, p->signature, p->body, &d)
                                                : SCHEME_NONE;
}

static struct bytes size_of(const uint64_t *n)
{
    return bytes_of(n, sizeof *n);
}

/* By a real hash, so that nobody can have a body of theirs taken for one that was verified. */
static bool key_of(struct verifier *v, const struct signed_parts *p, const struct digest *whole,
                   struct digest *key)
{
    uint64_t sizes[] = {p->signer.len, p->signature.len, p->body.len};

    return digest_begin(v, v->sha256) && digest_add(v, size_of(&sizes[0])) &&
           digest_add(v, p->signer) && digest_add(v, size_of(&sizes[1])) &&
           digest_add(v, p->signature) && digest_add(v, size_of(&sizes[2])) &&
           digest_add(v, bytes_of(whole->at, whole->len)) && digest_end(v, key);
}

static struct verdict judge_by(struct verifier *v, const struct signer *s,
                               const struct signed_parts *p)
{
    struct verdict out = {.state = SIGNATURE_UNVERIFIED};
    struct digest whole, key;
    struct memory *m;
    uint64_t place;
    bool fresh;

    if (!digest_of(v, v->digest, p->whole, &whole) || !key_of(v, p, &whole, &key))
        return out; /* no memory */
    memcpy(&place, key.at, sizeof place);
    m = lru_put(v->known, place, &fresh);
    if (m && !fresh && memcmp(m->key, key.at, sizeof m->key) == 0) {
        out.cached = true;
        out.scheme = (enum signature_scheme)m->scheme;
    } else {
        out.verified = true;
        out.scheme = verify(v, s, p, &whole);
    }
    if (m) {
        memcpy(m->key, key.at, sizeof m->key);
        m->scheme = (uint8_t)out.scheme;
    }
    out.state = out.scheme == SCHEME_NONE ? SIGNATURE_INVALID : SIGNATURE_VALID;
    return out;
}

struct verdict verifier_judge(struct verifier *v, const struct signed_parts *p, int64_t seconds)
{
    const struct signer *s = v->store ? cert_store_find(v->store, p->signer) : NULL;
    struct verdict out = {.state = SIGNATURE_UNVERIFIED};

    if (!v->store)
        return out;
    if (!s) {
        out.state = SIGNATURE_SIGNER_UNKNOWN;
        return out;
    }
    if (p->cut)
        return out;
    out = judge_by(v, s, p);
    if (out.state == SIGNATURE_VALID && (seconds < s->not_before || seconds > s->not_after))
        out.state = SIGNATURE_SIGNER_EXPIRED;
    return out;
}
