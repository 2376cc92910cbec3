/* Tests of run/signed.h and run/trust.h with the classifier and the message detectors behind them:
 * a body as it is on the wire, and what is said of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "run/classify.h"
#include "run/options.h"
#include "run/trust.h"
#include "signatures/detector.h"
#include "signatures/signing/signature.h"
#include "tests/signing/keys.h"

struct lab {
    EVP_PKEY *key, *wide, *stranger; /* serial 1, 2 and none */
    char directory[64];
    struct conf conf;
    struct classifier *classifier;
    struct arena *arena;
    struct tally tally;
};

static void put(struct lab *l, const char *file, EVP_PKEY *key, const char *serial)
{
    X509 *c = keys_plain(key, serial);

    keys_write(l->directory, file, c, "w");
    X509_free(c);
}

static int make_lab(void **state)
{
    struct lab *l = calloc(1, sizeof *l);

    log_set_level(LOG_LEVEL_ERROR);
    l->key = EVP_RSA_gen(1024);
    l->wide = EVP_RSA_gen(2048);
    l->stranger = EVP_RSA_gen(1024);
    l->arena = arena_new(8 << 20);
    option_defaults(&l->conf);
    *state = l;
    return 0;
}

static int free_lab(void **state)
{
    struct lab *l = *state;

    EVP_PKEY_free(l->key);
    EVP_PKEY_free(l->wide);
    EVP_PKEY_free(l->stranger);
    arena_free(l->arena);
    option_free(&l->conf);
    free(l);
    return 0;
}

static int with_certificates(void **state)
{
    struct lab *l = *state;

    keys_directory(l->directory);
    put(l, "one.pem", l->key, "1");
    put(l, "two.pem", l->wide, "2");
    l->conf.policy.signing.certificates = l->directory;
    if (trust_open(&l->conf.policy, &l->conf.trust) != 0)
        return -1;
    l->conf.policy.signing.certificates = NULL;
    l->classifier = classifier_new(&l->conf, 1, &l->tally);
    memset(&l->tally, 0, sizeof l->tally);
    return l->classifier ? 0 : -1;
}

static int without(void **state)
{
    struct lab *l = *state;

    l->conf.trust = NULL;
    l->directory[0] = '\0';
    l->classifier = classifier_new(&l->conf, 1, &l->tally);
    return l->classifier ? 0 : -1;
}

static int end(void **state)
{
    struct lab *l = *state;

    classifier_free(l->classifier);
    trust_free(l->conf.trust);
    l->conf.trust = NULL;
    l->conf.policy.signing.required = false;
    if (l->directory[0])
        keys_remove(l->directory);
    return 0;
}

static struct bytes text(const char *s)
{
    return bytes_of(s, strlen(s));
}

static const char json[] = "[[2, 3], {}, {\"chain\": null}]";

/* As a task of `kind` with this body: the state of its signature, and the message in *m. */
static enum signature_state look(struct lab *l, struct bytes body, uint64_t wire_len,
                                 struct content *c, struct msg *m)
{
    static const struct conn_info conn = {.proto = "amqp"};

    *c = (struct content){.body = body,
                          .wire_len = wire_len,
                          .clipped = wire_len > body.len,
                          .type = text("application/data")};
    msg_init(m, MSG_ENVELOPE, NULL);
    m->at.ns = KEYS_NOW * 1000000000;
    m->content = c;
    m->conn = &conn;
    classify(l->classifier, m, l->arena, &l->tally);
    m->kind = MSG_TASK;
    classify_texts(l->classifier, m, l->arena);
    classify_signature(l->classifier, m, &l->tally);
    return (enum signature_state)msg_num(m, F_SIGNATURE_STATE, SIGNATURE_NONE);
}

/* Packs and signs it with `key`, under the id "Lab CA one <serial>". */
static struct bytes make(EVP_PKEY *key, const char *serial, const char *type, struct bytes body,
                         int new_layout)
{
    struct bytes signature = keys_sign_pss(key, body), packed;
    char signer[64];

    snprintf(signer, sizeof signer, "Lab CA one %s", serial);
    packed =
        keys_pack(&(struct keys_message){text(signer), signature, type, "utf-8", body}, new_layout);
    keys_free(signature);
    return packed;
}

static enum signature_state state_of(struct lab *l, struct bytes packed)
{
    struct content c;
    struct msg m;
    enum signature_state s = look(l, packed, packed.len, &c, &m);

    arena_reset(l->arena);
    keys_free(packed);
    return s;
}

static void both_layouts(void **state)
{
    struct lab *l = *state;
    const char *type = "application/json";

    for (int layout = 0; layout < 2; layout++) {
        assert_int_equal(state_of(l, make(l->key, "1", type, text(json), layout)), SIGNATURE_VALID);
        assert_int_equal(state_of(l, make(l->wide, "2", type, text(json), layout)),
                         SIGNATURE_VALID);
        assert_int_equal(state_of(l, make(l->stranger, "1", type, text(json), layout)),
                         SIGNATURE_INVALID);
        assert_int_equal(state_of(l, make(l->stranger, "3", type, text(json), layout)),
                         SIGNATURE_SIGNER_UNKNOWN);
        /* A longer signature than the signer's key makes. */
        assert_int_equal(state_of(l, make(l->wide, "1", type, text(json), layout)),
                         SIGNATURE_INVALID);
    }
}

/* A raw signature may look as if it ended earlier: the key says where it does. */
static void length_of_the_key(void **state)
{
    static const char inner[] = "\0\1text/plain\0\1utf-8\0\1evil";
    struct lab *l = *state;
    struct content c;
    struct msg m;
    uint8_t fake[256] = {1};
    struct bytes packed;

    memcpy(fake + 128, inner, sizeof inner - 1);
    packed = keys_pack(&(struct keys_message){text("Lab CA one 2"), bytes_of(fake, sizeof fake),
                                              "application/json", "utf-8", text(json)},
                       0);
    assert_int_equal(look(l, packed, packed.len, &c, &m), SIGNATURE_INVALID);
    assert_true(bytes_eq(content_inner(&c), json));
    arena_reset(l->arena);
    /* The other way: what a shorter key's reader takes for a body is what is looked at. */
    keys_free(packed);
    packed = keys_pack(&(struct keys_message){text("Lab CA one 1"), bytes_of(fake, sizeof fake),
                                              "application/json", "utf-8", text(json)},
                       0);
    assert_int_equal(look(l, packed, packed.len, &c, &m), SIGNATURE_INVALID);
    assert_memory_equal(content_inner(&c).at, "evil", 4);
    arena_reset(l->arena);
    keys_free(packed);
}

/* Cut short by its sender: broken. Cut by us: not verified. */
static void cut_at_every_byte(void **state)
{
    struct lab *l = *state;

    for (int layout = 0; layout < 2; layout++) {
        struct bytes packed = make(l->key, "1", "application/json", text(json), layout);

        for (size_t i = 0; i < packed.len; i++) {
            uint8_t *own = malloc(i + 1);
            struct content c;
            struct msg m;
            enum signature_state cut, clipped;

            memcpy(own, packed.at, i);
            cut = look(l, bytes_of(own, i), i, &c, &m);
            clipped = look(l, bytes_of(own, i), packed.len, &c, &m);
            arena_reset(l->arena);
            free(own);
            /* base64 without its padding, or without a last quantum of it, may be whole */
            if (i + 4 <= packed.len)
                assert_true(cut == SIGNATURE_MALFORMED || cut == SIGNATURE_INVALID);
            assert_int_equal(clipped, SIGNATURE_UNVERIFIED);
        }
        keys_free(packed);
    }
}

static void what_only_says_so(void **state)
{
    struct lab *l = *state;
    struct content c;
    struct msg m;

    assert_int_equal(look(l, text(json), sizeof json - 1, &c, &m), SIGNATURE_MALFORMED);
    c = (struct content){.body = text(json), .type = text("application/json")};
    msg_init(&m, MSG_ENVELOPE, NULL);
    m.content = &c;
    classify(l->classifier, &m, l->arena, &l->tally);
    m.kind = MSG_TASK;
    classify_signature(l->classifier, &m, &l->tally);
    assert_false(msg_has(&m, F_SIGNATURE_STATE));
    arena_reset(l->arena);
}

static void no_certificates(void **state)
{
    struct lab *l = *state;
    struct bytes packed = make(l->key, "1", "application/json", text(json), 1);
    struct content c;
    struct msg m;

    assert_int_equal(look(l, packed, packed.len, &c, &m), SIGNATURE_UNVERIFIED);
    assert_false(msg_has(&m, F_TASK_SIGNATURE));
    assert_true(bytes_eq(content_inner(&c), json));
    assert_int_equal(look(l, text(json), sizeof json - 1, &c, &m), SIGNATURE_NONE);
    arena_reset(l->arena);
    keys_free(packed);
}

static void one_verification_for_a_redelivery(void **state)
{
    struct lab *l = *state;
    struct bytes packed = make(l->key, "1", "application/json", text(json), 1);
    struct content c;
    struct msg m;

    for (int i = 0; i < 5; i++)
        assert_int_equal(look(l, packed, packed.len, &c, &m), SIGNATURE_VALID);
    assert_int_equal(l->tally.n[TALLY_signatures_verified], 1);
    assert_int_equal(l->tally.n[TALLY_signatures_known], 4);
    assert_true(msg_is(&m, F_TASK_SIGNATURE, "valid"));
    assert_true(msg_is(&m, F_TASK_SIGNATURE_SCHEME, "rsa-pss"));
    arena_reset(l->arena);
    keys_free(packed);
}

static void replaced_while_running(void **state)
{
    struct lab *l = *state;
    const char *type = "application/json";

    put(l, "one.pem", l->stranger, "3");
    assert_int_equal(state_of(l, make(l->key, "1", type, text(json), 1)), SIGNATURE_VALID);
    trust_reload(l->conf.trust);
    assert_int_equal(state_of(l, make(l->key, "1", type, text(json), 1)), SIGNATURE_VALID);
    classifier_tick(l->classifier);
    assert_int_equal(state_of(l, make(l->key, "1", type, text(json), 1)), SIGNATURE_SIGNER_UNKNOWN);
    assert_int_equal(state_of(l, make(l->stranger, "3", type, text(json), 1)), SIGNATURE_VALID);
    keys_remove(l->directory); /* what was read stays */
    trust_reload(l->conf.trust);
    classifier_tick(l->classifier);
    assert_int_equal(state_of(l, make(l->stranger, "3", type, text(json), 1)), SIGNATURE_VALID);
    l->directory[0] = '\0';
}

static void what_cannot_be_opened(void **state)
{
    struct policy policy = {.signing = {.certificates = (char *)(uintptr_t) "/no/such/place",
                                        .digest = (char *)(uintptr_t) "sha256"}};
    struct trust *t;

    (void)state;
    assert_int_equal(trust_open(&policy, &t), 78);
    policy.signing.certificates = NULL;
    assert_int_equal(trust_open(&policy, &t), 0);
    assert_null(t);
    policy.signing.digest = (char *)(uintptr_t) "sha255";
    assert_int_equal(trust_open(&policy, &t), 78);
    trust_reload(NULL);
}

/* --- what the detectors say ------------------------------------------------ */

struct heard {
    enum rule_id rules[16];
    struct finding last;
    unsigned n;
};

static void hear(void *ctx, const struct msg *m, struct finding *f)
{
    struct heard *h = ctx;

    finding_signature(f, m);
    h->last = *f;
    h->rules[h->n++] = f->rule;
}

static struct heard listen(struct lab *l, struct bytes packed)
{
    struct heard h = {.n = 0};
    struct detect_out out = {&l->conf.policy, l->arena, hear, &h};
    struct content c;
    struct msg m;

    look(l, packed, packed.len, &c, &m);
    for (const struct message_detector *const *d = message_detectors; *d; d++)
        if ((*d)->wants & MSG_TASK)
            (*d)->check(&m, &out);
    arena_reset(l->arena);
    keys_free(packed);
    return h;
}

static bool has(const struct heard *h, enum rule_id rule)
{
    for (unsigned i = 0; i < h->n; i++)
        if (h->rules[i] == rule)
            return true;
    return false;
}

static void rules_of_signatures(void **state)
{
    struct lab *l = *state;
    const char *type = "application/json";
    struct heard h = listen(l, make(l->key, "1", type, text(json), 1));

    assert_int_equal(h.n, 0);
    h = listen(l, make(l->stranger, "1", type, text(json), 1));
    assert_true(h.n == 1 && h.rules[0] == RULE_TASK_SIGNATURE_INVALID);
    assert_int_equal(h.last.severity, SEV_CRITICAL);
    h = listen(l, make(l->stranger, "7", type, text(json), 0));
    assert_true(h.n == 1 && h.rules[0] == RULE_TASK_SIGNER_UNKNOWN);
    assert_int_equal(h.last.severity, SEV_HIGH);
    h = listen(l, keys_base64(text("Lab CA one 1")));
    assert_true(h.n == 1 && h.rules[0] == RULE_TASK_SIGNATURE_INVALID);
    assert_string_equal(h.last.evidence[h.last.n_evidence - 1].name, "signature");
}

/* cos\nsystem\n(S'id'\ntR. : inside a signature it is still what it is. */
static void pickles_inside_a_signature(void **state)
{
    static const char pickle[] = "cos\nsystem\n(S'id'\ntR.";
    struct lab *l = *state;

    for (int layout = 0; layout < 2; layout++) {
        struct heard h =
            listen(l, make(l->key, "1", "application/x-python-serialize", text(pickle), layout));

        assert_true(has(&h, RULE_PICKLE_MALICIOUS) && has(&h, RULE_PICKLE_DISGUISED));
        assert_true(has(&h, RULE_PICKLE_SERIALIZER));
        assert_false(has(&h, RULE_TASK_SIGNATURE_INVALID));
        h = listen(l, make(l->stranger, "9", "application/json", text(pickle), layout));
        assert_true(has(&h, RULE_PICKLE_MALICIOUS) && has(&h, RULE_PICKLE_DISGUISED));
        assert_true(has(&h, RULE_TASK_SIGNER_UNKNOWN));
    }
}

/* What only its type shows to be a pickle. */
static void type_of_what_is_signed(void **state)
{
    struct lab *l = *state;
    const char *type = "application/x-python-serialize";
    struct heard h = listen(l, make(l->key, "1", type, text("I1\n."), 1));

    assert_true(has(&h, RULE_PICKLE_SERIALIZER));
    h = listen(l, make(l->key, "1", "text/plain", text("I1\n."), 1));
    assert_false(has(&h, RULE_PICKLE_SERIALIZER));
}

/* The rest of what is kept is too small for what is inside, and it can be verified all the same. */
static void larger_than_is_kept(void **state)
{
    struct lab *l = *state;
    struct bytes packed = make(l->key, "1", "application/json", text(json), 0);
    uint64_t kept = l->conf.limits.unwrap_kept;
    struct content c;
    struct msg m;

    classifier_free(l->classifier);
    l->conf.limits.unwrap_kept = 5;
    l->classifier = classifier_new(&l->conf, 1, &l->tally);
    assert_int_equal(look(l, packed, packed.len, &c, &m), SIGNATURE_VALID);
    assert_int_equal(content_inner(&c).len, 5);
    assert_true(c.limit);
    l->conf.limits.unwrap_kept = kept;
    arena_reset(l->arena);
    keys_free(packed);
}

static void yaml_inside_a_signature(void **state)
{
    struct lab *l = *state;
    struct heard h = listen(l, make(l->key, "1", "application/x-yaml",
                                    text("- !!python/object/apply:os.system [id]\n"), 1));

    assert_true(has(&h, RULE_YAML_PYTHON_TAG));
}

static void evidence_without_certificates(void **state)
{
    struct lab *l = *state;
    struct heard h =
        listen(l, make(l->key, "1", "application/x-yaml", text("!!python/name:os.system\n"), 1));
    const struct evidence *e = &h.last.evidence[h.last.n_evidence - 1];

    assert_true(h.n == 1 && h.rules[0] == RULE_YAML_PYTHON_TAG);
    assert_string_equal(e->name, "signature");
    assert_true(bytes_eq(e->value.text, "not verified"));
}

#define WITH(f)    cmocka_unit_test_setup_teardown(f, with_certificates, end)
#define WITHOUT(f) cmocka_unit_test_setup_teardown(f, without, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(both_layouts),
        WITH(length_of_the_key),
        WITH(cut_at_every_byte),
        WITH(what_only_says_so),
        WITHOUT(no_certificates),
        WITH(one_verification_for_a_redelivery),
        WITH(replaced_while_running),
        cmocka_unit_test(what_cannot_be_opened),
        WITH(rules_of_signatures),
        WITH(pickles_inside_a_signature),
        WITH(type_of_what_is_signed),
        WITH(larger_than_is_kept),
        WITH(yaml_inside_a_signature),
        WITHOUT(evidence_without_certificates),
    };

    return cmocka_run_group_tests(tests, make_lab, free_lab);
}
