/* signatures/cluster/signing.c - a signature that is used again for another task:
 * task-signature-replayed. The body alone is signed, so that whoever sees a signed task can send
 * the same body under another id or name (celery-on-the-wire.md 3.2). */
#include <stdlib.h>

#include "base/hash.h"
#include "base/lru.h"
#include "signatures/cluster/cluster.h"
#include "signatures/signing/signature.h"

/* Where certificates are configured only what verifies is remembered: nobody without a key can
 * push the real ones out. */
#define SIGNATURES_MAX 131072u
#define NAME_KEPT      96u

/* The task that a signature was first seen with. */
struct use {
    uint64_t id, name; /* hashes */
    uint8_t id_len, name_len;
    char texts[40 + NAME_KEPT]; /* the id, then the name, for the evidence */
};

struct signing {
    struct lru *uses; /* by signature */
};

static void *open_signing(const struct policy *policy)
{
    struct signing *s = calloc(1, sizeof *s);

    (void)policy;
    if (s)
        s->uses = lru_new(SIGNATURES_MAX, sizeof(struct use), NULL, NULL);
    if (s && s->uses)
        return s;
    free(s);
    return NULL;
}

static void close_signing(void *self)
{
    struct signing *s = self;

    lru_free(s->uses);
    free(s);
}

/* PSS is randomised: no two acts of signing give the same bytes. The signatures of Celery up to 4.2
 * are not: the same arguments give the same signature. They have the old layout, as those up to 5.4
 * have, so that there the padding must be known. */
static bool is_unique(const struct msg *m, enum signature_state state)
{
    switch (state) {
    case SIGNATURE_VALID:
    case SIGNATURE_SIGNER_EXPIRED:
        return bytes_eq(msg_text(m, F_TASK_SIGNATURE_SCHEME), signature_scheme_name(SCHEME_PSS));
    case SIGNATURE_UNVERIFIED: /* F_TASK_SIGNATURE: there are certificates */
        return !msg_has(m, F_TASK_SIGNATURE) && msg_num(m, F_SIGNATURE_NEW, 0);
    default: return false;
    }
}

static void remember(struct use *u, const struct msg *m)
{
    struct bytes id = bytes_head(msg_text(m, F_TASK_ID), sizeof u->texts - NAME_KEPT);
    struct bytes name = bytes_head(msg_text(m, F_TASK_NAME), NAME_KEPT);

    u->id = hash_bytes(msg_text(m, F_TASK_ID), 1);
    u->name = hash_bytes(msg_text(m, F_TASK_NAME), 2);
    u->id_len = (uint8_t)id.len;
    u->name_len = (uint8_t)name.len;
    memcpy(u->texts, id.at, id.len);
    if (name.len > 0)
        memcpy(u->texts + id.len, name.at, name.len);
}

static void replayed(const struct msg *m, const struct use *u, bool same_id,
                     const struct detect_out *out)
{
    struct finding f;

    finding_init(&f, RULE_TASK_SIGNATURE_REPLAYED, SEV_HIGH);
    finding_reason(&f, "the signature of one task is used again for another %s",
                   same_id ? "task name" : "task id");
    finding_text(&f, "first_id", bytes_of(u->texts, u->id_len));
    finding_text(&f, "first_name", bytes_of(u->texts + u->id_len, u->name_len));
    finding_text(&f, "signer", msg_text(m, F_TASK_SIGNER));
    f.fold_class = hash_bytes(msg_text(m, F_SIGNATURE), 0);
    f.once_a_task = true;
    out->emit(out->ctx, m, &f);
}

static bool is_same(const struct use *u, const struct msg *m, bool *same_id)
{
    *same_id = u->id == hash_bytes(msg_text(m, F_TASK_ID), 1);
    /* A name that was not captured is no other name. */
    return *same_id && (msg_text(m, F_TASK_NAME).len == 0 || u->name_len == 0 ||
                        u->name == hash_bytes(msg_text(m, F_TASK_NAME), 2));
}

static void note(void *self, const struct msg *m, const struct detect_out *out)
{
    struct signing *s = self;
    enum signature_state state = (enum signature_state)msg_num(m, F_SIGNATURE_STATE, 0);
    struct bytes signature = msg_text(m, F_SIGNATURE);
    uint64_t key = hash_bytes(signature, 0);
    bool fresh = false, same_id;
    struct use *u;

    if (state == SIGNATURE_NONE || signature.len == 0 || msg_text(m, F_TASK_ID).len == 0)
        return;
    u = is_unique(m, state) ? lru_put(s->uses, key, &fresh) : lru_get(s->uses, key);
    if (u && fresh)
        remember(u, m);
    else if (u && !is_same(u, m, &same_id))
        replayed(m, u, same_id, out);
}

const struct cluster_detector replays_detector = {
    .name = "signing",
    .wants = MSG_TASK,
    .open = open_signing,
    .note = note,
    .close = close_signing,
};
