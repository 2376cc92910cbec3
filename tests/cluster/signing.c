/* Tests of cluster/signing.c: the same signature under another task. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "signatures/cluster/cluster.h"
#include "signatures/signing/signature.h"

struct seen {
    unsigned n;
    struct finding last;
};

static void hear(void *ctx, const struct msg *m, struct finding *f)
{
    struct seen *s = ctx;

    (void)m;
    assert_int_equal(f->rule, RULE_TASK_SIGNATURE_REPLAYED);
    s->last = *f;
    s->n++;
}

struct task {
    const char *id, *name, *signature;
    enum signature_state state;
    const char *scheme; /* NULL: did not verify */
    bool certificates, new_layout;
};

static bool say(void *detector, struct task t)
{
    static const struct conn_info conn = {.proto = "amqp"};
    struct seen seen = {.n = 0};
    struct detect_out out = {.emit = hear, .ctx = &seen};
    struct msg m;

    msg_init(&m, MSG_TASK, "published");
    m.conn = &conn;
    if (t.id)
        fields_str(&m.fields, F_TASK_ID, t.id);
    if (t.name)
        fields_str(&m.fields, F_TASK_NAME, t.name);
    fields_str(&m.fields, F_SIGNATURE, t.signature);
    fields_num(&m.fields, F_SIGNATURE_STATE, t.state);
    fields_num(&m.fields, F_SIGNATURE_NEW, t.new_layout);
    if (t.certificates)
        fields_str(&m.fields, F_TASK_SIGNATURE, signature_state_name(t.state));
    if (t.scheme)
        fields_str(&m.fields, F_TASK_SIGNATURE_SCHEME, t.scheme);
    replays_detector.note(detector, &m, &out);
    return seen.n > 0;
}

static int begin(void **state)
{
    struct policy policy = {.signing = {.required = false}};

    *state = replays_detector.open(&policy);
    return *state ? 0 : -1;
}

static int end(void **state)
{
    replays_detector.close(*state);
    return 0;
}

static const struct task first = {"id-1",    "shop.add", "s1", SIGNATURE_VALID,
                                  "rsa-pss", true,       false};

static void another_id_or_name(void **state)
{
    struct task t = first;

    assert_false(say(*state, first));
    assert_false(say(*state, first)); /* redelivered, restored */
    t.id = "id-2";
    assert_true(say(*state, t));
    t = first, t.name = "shop.pay";
    assert_true(say(*state, t));
    t = first, t.name = NULL; /* not captured */
    assert_false(say(*state, t));
    t = first, t.id = NULL;
    assert_false(say(*state, t));
    t = first, t.id = "id-2", t.signature = "s2", t.name = NULL;
    assert_false(say(*state, t));
    t.name = "shop.add";
    assert_false(say(*state, t));
}

/* Whatever becomes of the stolen signature: it was another task's. */
static void with_another_body(void **state)
{
    struct task t = first;

    assert_false(say(*state, first));
    t.id = "id-2", t.scheme = NULL, t.state = SIGNATURE_INVALID;
    assert_true(say(*state, t));
    t.state = SIGNATURE_SIGNER_UNKNOWN;
    assert_true(say(*state, t));
    t.state = SIGNATURE_UNVERIFIED; /* the head of it was captured */
    assert_true(say(*state, t));
}

/* What is not randomised may be the same for two tasks: Celery up to 4.2. */
static void the_old_padding(void **state)
{
    struct task t = first;

    t.scheme = "rsa-pkcs1-sha1";
    assert_false(say(*state, t));
    t.id = "id-2";
    assert_false(say(*state, t));
    t.certificates = false, t.scheme = NULL, t.state = SIGNATURE_UNVERIFIED, t.signature = "s3";
    assert_false(say(*state, t));
    t.id = "id-3";
    assert_false(say(*state, t));
}

static void without_certificates(void **state)
{
    struct task t = {"id-1", "shop.add", "s1", SIGNATURE_UNVERIFIED, NULL, false, true};

    assert_false(say(*state, t));
    t.id = "id-2";
    assert_true(say(*state, t));
}

/* What could not be verified is not remembered where others can be. */
static void unverified_beside_certificates(void **state)
{
    struct task t = {"id-1", "shop.add", "s1", SIGNATURE_UNVERIFIED, NULL, true, true};

    assert_false(say(*state, t));
    t.id = "id-2";
    assert_false(say(*state, t));
}

/* A flood of signatures that do not verify is not remembered: the real ones stay. */
static void floods(void **state)
{
    struct task t = first;
    char text[32];

    assert_false(say(*state, first));
    t.scheme = NULL, t.state = SIGNATURE_INVALID, t.signature = text;
    for (unsigned i = 0; i < 300000; i++) {
        snprintf(text, sizeof text, "flood %u", i);
        assert_false(say(*state, t));
    }
    t = first, t.id = "id-2";
    assert_true(say(*state, t));
}

#define FRESH(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(another_id_or_name),
        FRESH(with_another_body),
        FRESH(the_old_padding),
        FRESH(without_certificates),
        FRESH(unverified_beside_certificates),
        FRESH(floods),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
