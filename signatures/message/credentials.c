/* signatures/message/credentials.c - credentials that crossed the network in
 * clear, and how the broker answered them: cred-*, broker-login-failed. */
#include "base/hash.h"
#include "signatures/message/message.h"

/* Names and passwords that brokers, their images and their manuals ship with.
 * A user of NULL stands for Redis without one, or its user "default". */
struct pair {
    const char *user, *secret;
};

static const struct pair defaults[] = {
    {"guest", "guest"},     {"admin", "admin"}, {"rabbitmq", "rabbitmq"}, {"rabbit", "rabbit"},
    {"user", "bitnami"},    {"user", "user"},   {"user", "password"},     {"admin", "password"},
    {"root", "root"},       {"test", "test"},   {"myuser", "mypassword"}, {"celery", "celery"},
    {"airflow", "airflow"}, {NULL, "foobared"}, {NULL, "redis"},          {NULL, "password"},
    {NULL, "admin"},        {NULL, "default"},  {NULL, "guest"},          {NULL, "test"},
    {NULL, "root"},         {NULL, "123456"},   {NULL, "bitnami"},
};

static bool is_default(struct bytes user, struct bytes secret)
{
    bool nobody = user.len == 0 || bytes_eq(user, "default");

    if (secret.len == 0)
        return true;
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        const struct pair *d = &defaults[i];

        if (bytes_eq(secret, d->secret) && (d->user ? bytes_eq(user, d->user) : nobody))
            return true;
    }
    return false;
}

static uint64_t class_of(const struct msg *m, enum field_id id)
{
    return hash_bytes(msg_text(m, id), id);
}

static void add_evidence(struct finding *f, const struct msg *m)
{
    if (msg_has(m, F_AUTH_MECHANISM))
        finding_text(f, "mechanism", msg_text(m, F_AUTH_MECHANISM));
    if (msg_has(m, F_AUTH_NAME))
        finding_text(f, "setting", msg_text(m, F_AUTH_NAME));
    if (msg_has(m, F_AUTH_SECRET))
        finding_secret(f, "secret", msg_text(m, F_AUTH_SECRET));
}

/* Mechanisms that show a secret to whoever listens. */
static bool amqp_shows_secret(const struct msg *m)
{
    return msg_is(m, F_AUTH_MECHANISM, "PLAIN") || msg_is(m, F_AUTH_MECHANISM, "AMQPLAIN") ||
           msg_is(m, F_AUTH_MECHANISM, "RABBIT-CR-DEMO") || msg_is(m, F_AUTH_KIND, "update-secret");
}

static void in_clear(const struct msg *m, enum rule_id rule, const char *what,
                     const struct detect_out *out)
{
    struct finding f;

    finding_init(&f, rule, SEV_HIGH);
    finding_reason(&f, "%s crossed the network in clear", what);
    add_evidence(&f, m);
    out->emit(out->ctx, m, &f);
}

static void admin_secret(const struct msg *m, const struct detect_out *out)
{
    struct finding f;
    bool read = msg_is(m, F_AUTH_KIND, "admin-read");

    finding_init(&f, RULE_CRED_REDIS_ADMIN, SEV_HIGH);
    finding_reason(&f, read ? "a reply of the Redis server shows one of its own passwords in clear"
                            : "an administrative Redis command carries a password in clear");
    add_evidence(&f, m);
    f.fold_class = class_of(m, F_AUTH_NAME);
    if (read) {
        f.fold = FOLD_CLIENT;
        f.fold_seconds = 86400;
    }
    out->emit(out->ctx, m, &f);
}

static void credential(const struct msg *m, const struct detect_out *out)
{
    bool redis = strcmp(m->conn->proto, "redis") == 0;

    if (!redis) {
        if (amqp_shows_secret(m))
            in_clear(m, RULE_CRED_AMQP_CLEARTEXT, "an AMQP credential", out);
    } else if (msg_is(m, F_AUTH_KIND, "login")) {
        in_clear(m, RULE_CRED_REDIS_CLEARTEXT, "a Redis credential", out);
    } else {
        admin_secret(m, out);
    }
}

static void accepted(const struct msg *m, const struct detect_out *out)
{
    struct finding f;
    bool empty = msg_text(m, F_AUTH_SECRET).len == 0;

    if (!msg_has(m, F_AUTH_SECRET) || !is_default(msg_text(m, F_USER), msg_text(m, F_AUTH_SECRET)))
        return;
    finding_init(&f, RULE_CRED_DEFAULT, SEV_CRITICAL);
    finding_reason(&f, empty ? "the broker accepted an empty password"
                             : "the broker accepted a well-known default credential");
    add_evidence(&f, m);
    f.fold_class = class_of(m, F_USER);
    out->emit(out->ctx, m, &f);
}

/* "AUTH ... called without any password configured" offers a password to a server
 * that has none, or the command was wrong in form: no credential was refused. */
static void refused(const struct msg *m, const struct detect_out *out)
{
    struct finding f;
    bool no_login = msg_is(m, F_REDIS_ERROR, "NOAUTH");

    if (msg_is(m, F_AUTH_NAME, "nopass") || msg_is(m, F_AUTH_NAME, "other"))
        return;
    finding_init(&f, RULE_BROKER_LOGIN_FAILED, SEV_LOW);
    finding_reason(&f, no_login ? "a client that had not logged in was turned away"
                                : "the broker refused a login");
    if (msg_has(m, F_AUTH_MECHANISM))
        finding_text(&f, "mechanism", msg_text(m, F_AUTH_MECHANISM));
    if (msg_has(m, F_REDIS_ERROR))
        finding_text(&f, "error", msg_text(m, F_REDIS_ERROR));
    if (msg_has(m, F_AMQP_REPLY_CODE))
        finding_num(&f, "code", msg_num(m, F_AMQP_REPLY_CODE, 0));
    if (msg_has(m, F_AUTH_SECRET))
        finding_secret(&f, "secret", msg_text(m, F_AUTH_SECRET));
    f.fold_class = class_of(m, F_REDIS_ERROR);
    out->emit(out->ctx, m, &f);
}

static void check(const struct msg *m, const struct detect_out *out)
{
    if (m->kind == MSG_CREDENTIAL)
        credential(m, out);
    else if (msg_is(m, F_OUTCOME, "success"))
        accepted(m, out);
    else if (msg_is(m, F_OUTCOME, "failure"))
        refused(m, out);
}

const struct message_detector credentials_detector = {
    .name = "credentials",
    .wants = MSG_CREDENTIAL | MSG_LOGIN,
    .check = check,
};
