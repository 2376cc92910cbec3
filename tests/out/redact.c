/* Tests of how secrets are hidden (detections.md 3): masks, keyed hashes, and that no secret of a
 * message stands anywhere else in its records. */
#include "out/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/out/support/sample.h"

static void mask(const char *secret, const char *want)
{
    char got[REDACT_MASK];

    redact_mask(sample_bytes(secret), got);
    assert_string_equal(got, want);
}

static void masks(void **state)
{
    (void)state;
    mask("", "***");
    mask("guest", "***");
    mask("1234567", "***");
    mask("12345678", "12***");
    mask("correct horse battery", "co***");
    mask("p\xc3\xa9ssw\xc3\xb6rter", "***");
    mask("abcdefgh\n", "***");
    mask("abcdefg\x7f", "***");
}

static void hash_needs_a_key(void **state)
{
    struct redact r = {0};
    char hex[REDACT_HMAC + 1];

    (void)state;
    assert_false(redact_hmac(&r, sample_bytes("what do ya want for nothing?"), hex));
    r.key = (const uint8_t *)"Jefe"; /* RFC 4231, test case 2 */
    r.n_key = 4;
    assert_true(redact_hmac(&r, sample_bytes("what do ya want for nothing?"), hex));
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_true(redact_hmac(&r, (struct bytes){0}, hex));
}

static void text(const char *user, const char *secret, const char *in, const char *want)
{
    struct redact r = {0};
    struct sample s;

    sample_login(&s, user, secret);
    redact_begin(&r, &s.task, NULL);
    struct bytes got = redact_text(&r, sample_bytes(in));
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.at, want, got.len);
    redact_free(&r);
}

static void texts(void **state)
{
    (void)state;
    text("u", "s3cret", "s3cret", "***");
    text("u", "s3cret", "a s3cret, s3crets3cret", "a ***, ******");
    text("u", "s3cret", "s3cre", "s3cre");
    text("u", "abc", "abc", "***");
    text("u", "abc", "abcd", "abcd"); /* too short to be looked for */
    text("u", "", "anything", "anything");
    text("guest", "guest", "guest logs in", "guest logs in");
    text("guest2", "guest", "guest2", "***2");
}

/* Neither alert nor log holds the secret, wherever it stands. */
static void nowhere(void **state)
{
    static const char SECRET[] = "hunter2-hunter2";
    static const uint8_t LIST[] =
        "\x0f\0\0\0hunter2-hunter2\x12\0\0\0pw=hunter2-hunter2\x02\0\0\0ok";
    struct encoder *e = sample_encoder(false, "a key");
    struct sample s;
    struct finding f;

    (void)state;
    sample_login(&s, "shop", SECRET);
    s.task.kind = MSG_REPLY;
    fields_text(&s.task.fields, F_REDIS_ARGS, bytes_of(LIST, sizeof LIST - 1));
    fields_str(&s.task.fields, F_REDIS_KEY, SECRET);
    fields_str(&s.task.fields, F_REDIS_REPLY, "x hunter2-hunter2 y");
    finding_init(&f, RULE_CRED_REDIS_CLEARTEXT, SEV_HIGH);
    finding_reason(&f, "shop sent hunter2-hunter2 in clear");
    finding_secret(&f, "secret", sample_bytes(SECRET));
    finding_str(&f, "url", "redis://shop:hunter2-hunter2@h");
    finding_secret(&f, "other", sample_bytes("Tr0ub4dor&3"));
    finding_str(&f, "note", "and Tr0ub4dor&3 too");
    for (unsigned i = 0; i < 2; i++) {
        struct record r;
        assert_true(i ? encode_alert(e, &s.task, &f, NULL, &r)
                      : encode_log(e, EMIT_COMMANDS, &s.task, &r));
        assert_null(memmem(r.text.at, r.text.len, "hunter2", 7));
        assert_null(memmem(r.text.at, r.text.len, "Tr0ub", 5));
        json_t *j = sample_parse(&r);
        assert_string_equal(sample_str(j, "user.name"), "shop");
        assert_string_equal(sample_str(j, "redis.command"), "AUTH");
        assert_string_equal(sample_str(j, "redis.reply"), "x *** y");
        if (i) {
            assert_string_equal(sample_str(j, "event.reason"), "shop sent *** in clear");
            assert_string_equal(sample_str(j, "celeriac.evidence.secret.masked"), "hu***");
            assert_int_equal(json_integer_value(sample_at(j, "celeriac.evidence.secret.length")),
                             15);
            assert_int_equal(strlen(sample_str(j, "celeriac.evidence.secret.hmac_sha256")), 64);
        }
        json_decref(j);
    }
    encoder_free(e);
}

static void default_credential_still_names_its_user(void **state)
{
    struct encoder *e = sample_encoder(false, NULL);
    struct sample s;
    struct finding f;
    struct record r;

    (void)state;
    sample_login(&s, "guest", "guest");
    finding_init(&f, RULE_CRED_DEFAULT, SEV_CRITICAL);
    finding_reason(&f, "the broker accepted guest with its default password");
    finding_secret(&f, "secret", sample_bytes("guest"));
    assert_true(encode_alert(e, &s.task, &f, NULL, &r));
    json_t *j = sample_parse(&r);
    assert_string_equal(sample_str(j, "user.name"), "guest");
    assert_string_equal(sample_str(j, "celeriac.evidence.secret.masked"), "***");
    assert_null(sample_find(j, "celeriac.evidence.secret.hmac_sha256"));
    json_decref(j);
    encoder_free(e);
}

static void urls(void **state)
{
    static const char *const rows[][2] = {
        {"redis://shop:s3cret@h:6379/0", "redis://shop:***@h:6379/0"},
        {"amqps://:a@b@h", "amqps://:***@h"},
        {"to http://u:p@a/x?y=q@z, and ftp://v:w@b",
         "to http://u:***@a/x?y=q@z, and ftp://v:***@b"},
        {"redis://shop@h/0", "redis://shop@h/0"},
        {"redis://shop:@h/0", "redis://shop:@h/0"},
        {"celery@app1.celery.pidbox", "celery@app1.celery.pidbox"},
        {"http://h/a:b@c", "http://h/a:b@c"},
        {"gen7@web://x", "gen7@web://x"},
        {"://:@://u:p@", "://:@://u:***@"},
    };
    struct redact r = {0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bytes got = redact_text(&r, sample_bytes(rows[i][0]));

        if (got.len != strlen(rows[i][1]) || memcmp(got.at, rows[i][1], got.len) != 0)
            fail_msg("%s: %.*s", rows[i][0], (int)got.len, (const char *)got.at);
    }
    redact_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks),   cmocka_unit_test(hash_needs_a_key),
        cmocka_unit_test(texts),   cmocka_unit_test(urls),
        cmocka_unit_test(nowhere), cmocka_unit_test(default_credential_still_names_its_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
