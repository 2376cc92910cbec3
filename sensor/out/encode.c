/* out/encode.c - an encoder's life, and the ids of records. */
#include "out/encode.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/limits.h"
#include "out/encoder.h"

/* What changes when the input of event.id does. */
#define ID_VERSION "1"

const char *emit_name(enum emit_kind kind)
{
    static const char *const NAMES[EMIT_KINDS] = {
        [EMIT_ALERTS] = "alerts",       [EMIT_TASKS] = "tasks",     [EMIT_RESULTS] = "results",
        [EMIT_WORKERS] = "workers",     [EMIT_CONTROL] = "control", [EMIT_COMMANDS] = "commands",
        [EMIT_INVENTORY] = "inventory", [EMIT_STATS] = "stats",
    };
    return kind < EMIT_KINDS ? NAMES[kind] : "";
}

const char *emit_dataset(enum emit_kind kind)
{
    static const char *const NAMES[EMIT_KINDS] = {
        [EMIT_ALERTS] = "celeriac.alert",        [EMIT_TASKS] = "celeriac.task",
        [EMIT_RESULTS] = "celeriac.result",      [EMIT_WORKERS] = "celeriac.worker",
        [EMIT_CONTROL] = "celeriac.control",     [EMIT_COMMANDS] = "celeriac.command",
        [EMIT_INVENTORY] = "celeriac.inventory", [EMIT_STATS] = "celeriac.stats",
    };
    return kind < EMIT_KINDS ? NAMES[kind] : "";
}

static bool write_observer(struct encoder *e)
{
    struct text *t = &e->observer;

    TEXT_LITERAL(t, "\"observer\":{\"name\":");
    text_json(t, bytes_of(e->conf.observer_name, strlen(e->conf.observer_name)));
    TEXT_LITERAL(t, ",\"product\":\"celeriac\",\"vendor\":\"Celeriac\",\"version\":");
    text_json(t, bytes_of(CELERIAC_VERSION, strlen(CELERIAC_VERSION)));
    TEXT_LITERAL(t, ",\"type\":\"sensor\"");
    return !t->bad;
}

static bool set_up(struct encoder *e, const struct encode_conf *conf)
{
    e->conf = *conf;
    e->conf.observer_name = strdup(conf->observer_name ? conf->observer_name : "celeriac");
    if (e->conf.max_text == 0)
        e->conf.max_text = LIMIT_EVIDENCE;
    if (e->conf.n_hmac_key > sizeof e->conf.hmac_key)
        e->conf.n_hmac_key = sizeof e->conf.hmac_key;
    e->redact.key = e->conf.hmac_key;
    e->redact.n_key = e->conf.n_hmac_key;
    e->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    e->digest = EVP_MD_CTX_new();
    e->flows = calloc(FLOW_TEXTS, sizeof *e->flows);
    return e->conf.observer_name && e->sha256 && e->digest && e->flows && write_observer(e) &&
           paths_compile(&e->paths);
}

struct encoder *encoder_new(const struct encode_conf *conf)
{
    struct encoder *e = calloc(1, sizeof *e);

    if (!e)
        return NULL;
    /* before there are threads, or two might draw a seed at once; the order of keys is ours */
    json_object_seed(1);
    if (set_up(e, conf))
        return e;
    encoder_free(e);
    return NULL;
}

void encoder_free(struct encoder *e)
{
    if (!e)
        return;
    OPENSSL_cleanse(e->conf.hmac_key, sizeof e->conf.hmac_key);
    free((char *)(uintptr_t)e->conf.observer_name);
    EVP_MD_free(e->sha256);
    EVP_MD_CTX_free(e->digest);
    text_free(&e->id_input);
    text_free(&e->out);
    text_free(&e->scratch);
    text_free(&e->observer);
    redact_free(&e->redact);
    free(e->flows);
    free(e);
}

static void id_str(struct text *t, const char *s)
{
    text_put(t, s, strlen(s) + 1);
}

static void id_num(struct text *t, uint64_t n)
{
    text_u64(t, n);
    text_put(t, "", 1);
}

void encode_digest(struct encoder *e, const char *dataset, const char *what, int64_t ns,
                   const char *community, const char *side, uint64_t offset, uint64_t index,
                   char id[33])
{
    struct text *t = &e->id_input, hex = {.at = id, .cap = 33};
    unsigned char sum[EVP_MAX_MD_SIZE] = {0};
    unsigned n = 0;

    text_clear(t);
    id_str(t, ID_VERSION);
    id_str(t, dataset);
    id_str(t, what);
    id_str(t, e->conf.live ? e->conf.observer_name : "");
    text_i64(t, ns);
    text_put(t, "", 1);
    id_str(t, community);
    id_str(t, side);
    id_num(t, offset);
    id_num(t, index);
    if (!EVP_DigestInit_ex2(e->digest, e->sha256, NULL) ||
        !EVP_DigestUpdate(e->digest, t->at, t->len) || !EVP_DigestFinal_ex(e->digest, sum, &n))
        memset(sum, 0, sizeof sum);
    text_hex(&hex, bytes_of(sum, 16));
    id[32] = '\0';
}

void encode_id(struct encoder *e, const char *dataset, const char *rule_or_action,
               const struct msg *m, unsigned index, char id[33])
{
    const char *community = m->conn ? flow_text_of(e->flows, m->conn)->community : "";

    encode_digest(e, dataset, rule_or_action, m->at.ns, community,
                  m->dir == TO_SERVER ? "client" : "server", m->offset, index, id);
}
