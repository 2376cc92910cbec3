/* run/signed.c - see signed.h. */
#include "run/signed.h"

#include <stdlib.h>

#include "dissectors/content/auth.h"
#include "signatures/signing/verify.h"

/* Verified signatures that are remembered: a body is published, delivered and kept in `unacked`
 * within moments; one that is restored after an hour costs a verification. */
#define REMEMBERED 8192u

struct signed_bodies {
    bool required; /* policy.signing.required */
    struct trust *trust;
    unsigned generation; /* of the certificates in use */
    struct verifier *verifier;
};

struct signed_bodies *signed_new(const struct policy *policy, struct trust *trust)
{
    struct signed_bodies *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->required = policy->signing.required;
    s->trust = trust;
    s->verifier = verifier_new(policy->signing.digest, REMEMBERED);
    if (!s->verifier) {
        free(s);
        return NULL;
    }
    signed_tick(s);
    return s;
}

void signed_free(struct signed_bodies *s)
{
    if (s)
        verifier_free(s->verifier);
    free(s);
}

void signed_tick(struct signed_bodies *s)
{
    unsigned generation = s->generation;
    struct cert_store *store = s->trust ? trust_take(s->trust, &generation) : NULL;

    if (!store)
        return;
    if (verifier_use(s->verifier, store))
        s->generation = generation; /* else again at the next tick */
    cert_store_drop(store);
}

void signed_open(const struct signed_bodies *s, struct content *c, struct arena *arena)
{
    const struct cert_store *store = verifier_store(s->verifier);
    const struct signer *signer;

    if (!c->auth || !store)
        return;
    signer = cert_store_find(store, c->auth->signer);
    if (signer)
        content_reopen(c, signer->signature_len, arena);
}

static bool is_head(const struct content *c)
{
    return c->clipped || c->limit;
}

/* It says that it is signed, and cannot be opened. No other serializer of tasks writes that content
 * type (celery-on-the-wire.md 2.7), but only who knows that tasks are signed here can say that
 * something else than a signed body under it is a broken one. */
static bool claims(const struct signed_bodies *s, const struct content *c)
{
    if (c->what == WHAT_AUTH)
        return true;
    return (s->required || verifier_store(s->verifier)) && bytes_eq(c->type, "application/data");
}

static struct signed_parts parts_of(const struct content *c)
{
    const struct auth_parts *a = c->auth;
    struct signed_parts p = {a->signer, a->signature, a->body, a->body, a->cut};

    if (a->after.len > 0)
        p.whole = bytes_of(a->body.at, (size_t)(a->after.at - a->body.at) + a->after.len);
    return p;
}

static struct verdict judge(struct signed_bodies *s, const struct msg *m)
{
    const struct content *c = m->content;
    struct verdict v = {.state = SIGNATURE_NONE};

    if (c->auth) {
        struct signed_parts p = parts_of(c);

        return verifier_judge(s->verifier, &p, m->at.ns / 1000000000);
    }
    if (claims(s, c))
        v.state = is_head(c) ? SIGNATURE_UNVERIFIED : SIGNATURE_MALFORMED;
    return v;
}

void signed_judge(struct signed_bodies *s, struct msg *m, struct tally *tally)
{
    struct verdict v = {.state = SIGNATURE_NONE};

    if (m->content)
        v = judge(s, m);
    if (v.state == SIGNATURE_NONE)
        return;
    tally_add(tally, TALLY_signatures_verified, v.verified);
    tally_add(tally, TALLY_signatures_known, v.cached);
    fields_num(&m->fields, F_SIGNATURE_STATE, v.state);
    fields_num(&m->fields, F_SIGNATURE_NEW,
               m->content->auth && m->content->auth->layout == AUTH_NEW);
    if (!verifier_store(s->verifier))
        return;
    fields_str(&m->fields, F_TASK_SIGNATURE, signature_state_name(v.state));
    if (v.scheme != SCHEME_NONE)
        fields_str(&m->fields, F_TASK_SIGNATURE_SCHEME, signature_scheme_name(v.scheme));
}
