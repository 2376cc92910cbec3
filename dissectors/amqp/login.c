/* dissectors/amqp/login.c - the login. */
#include "dissectors/amqp/login.h"

#include <stdlib.h>

#include "dissectors/amqp/emit.h"
#include "dissectors/amqp/sasl.h"

enum { USER_MAX = 1024 };

static void wipe_secret(struct amqp_login *l, struct budget *budget)
{
    if (l->secret) {
        explicit_bzero(l->secret, l->secret_len);
        free(l->secret);
        if (budget)
            budget->used -= l->secret_len;
    }
    l->secret = NULL;
    l->secret_len = 0;
    l->has_secret = false;
}

static void keep_secret(struct amqp_login *l, struct bytes secret, struct budget *budget)
{
    wipe_secret(l, budget);
    l->has_secret = secret.at != NULL;
    if (secret.len == 0 || secret.len > UINT32_MAX)
        return;
    l->secret = malloc(secret.len);
    if (!l->secret) {
        l->has_secret = false;
        return;
    }
    memcpy(l->secret, secret.at, secret.len);
    l->secret_len = (uint32_t)secret.len;
    if (budget)
        budget->used += secret.len;
}

static size_t names_len(const struct amqp_login *l)
{
    return (size_t)l->user_len + l->mechanism_len + l->vhost_len;
}

static uint8_t *append(uint8_t *to, struct bytes b)
{
    if (b.len > 0)
        memcpy(to, b.at, b.len);
    return to + b.len;
}

/* The names are views into anything, the old block too. */
static void set_names(struct amqp_login *l, struct bytes user, struct bytes mechanism,
                      struct bytes vhost, struct budget *budget)
{
    size_t old = names_len(l), n;
    uint8_t *block;

    user = bytes_head(user, USER_MAX);
    n = user.len + mechanism.len + vhost.len;
    block = malloc(n ? n : 1);
    if (!block)
        return;
    append(append(append(block, user), mechanism), vhost);
    free(l->names);
    l->names = block;
    l->user_len = (uint16_t)user.len;
    l->mechanism_len = (uint8_t)mechanism.len;
    l->vhost_len = (uint8_t)vhost.len;
    if (budget)
        budget->used += n - old;
}

void amqp_login_free(struct amqp_login *l, struct budget *budget)
{
    wipe_secret(l, budget);
    if (l->names && budget)
        budget->used -= names_len(l);
    free(l->names);
    *l = (struct amqp_login){0};
}

static struct bytes secret(const struct amqp_login *l)
{
    return l->secret_len > 0 ? bytes_of(l->secret, l->secret_len) : bytes_of("", 0);
}

/* Who, how; of a credential, and of the answer to one. */
static void fill_who(struct msg *m, const struct amqp_login *l)
{
    if (l->has_user)
        fields_text(&m->fields, F_USER, amqp_login_user(l));
    if (l->mechanism_len > 0)
        fields_text(&m->fields, F_AUTH_MECHANISM, amqp_login_mechanism(l));
}

static void emit_credential(struct amqp_feed *f, uint64_t offset, const char *kind,
                            struct bytes hidden)
{
    struct msg m;

    amqp_msg_init(f, &m, MSG_CREDENTIAL, "login", offset);
    fill_who(&m, &f->a->login);
    fields_str(&m.fields, F_AUTH_KIND, kind);
    if (hidden.at)
        fields_text(&m.fields, F_AUTH_SECRET, hidden);
    amqp_emit(f, &m);
}

static void emit_outcome(struct amqp_feed *f, uint64_t offset, const char *outcome, uint64_t code)
{
    const struct amqp_login *l = &f->a->login;
    struct msg m;

    amqp_msg_init(f, &m, MSG_LOGIN, "login", offset);
    fields_str(&m.fields, F_OUTCOME, outcome);
    fill_who(&m, l);
    fields_str(&m.fields, F_AUTH_KIND, "login");
    if (code > 0)
        fields_num(&m.fields, F_AMQP_REPLY_CODE, (int64_t)code);
    if (l->has_secret)
        fields_text(&m.fields, F_AUTH_SECRET, secret(l));
    amqp_emit(f, &m);
}

static void on_start_ok(struct amqp_feed *f, const struct amqp_method *m, uint64_t offset)
{
    struct amqp_login *l = &f->a->login;
    struct bytes mechanism = amqp_method_text(m, ARG_SHORTSTR, 0);
    struct amqp_sasl s = amqp_sasl_response(mechanism, amqp_method_text(m, ARG_LONGSTR, 0));

    amqp_emit_peer(f, amqp_method_text(m, ARG_TABLE, 0), offset);
    if (m->n < 3) /* cut before the response */
        return;
    set_names(l, s.user, mechanism, amqp_login_vhost(l), f->a->conf->budget);
    l->has_user = s.user.at != NULL;
    l->phase = PHASE_STARTED;
    if (amqp_sasl_goes_on(mechanism))
        return;
    emit_credential(f, offset, "login", s.secret);
    keep_secret(l, s.secret, f->a->conf->budget);
}

static void on_secure_ok(struct amqp_feed *f, const struct amqp_method *m, uint64_t offset)
{
    struct amqp_login *l = &f->a->login;
    struct bytes response = amqp_method_text(m, ARG_LONGSTR, 0);
    struct amqp_sasl s = amqp_sasl_answer(amqp_login_mechanism(l), response);

    if (s.user.at) {
        set_names(l, s.user, amqp_login_mechanism(l), amqp_login_vhost(l), f->a->conf->budget);
        l->has_user = true;
    }
    if (s.user.at || s.secret.at)
        emit_credential(f, offset, "login", s.secret);
    if (l->phase == PHASE_STARTED)
        keep_secret(l, s.secret, f->a->conf->budget);
}

static void on_tune(struct amqp_feed *f, uint64_t offset)
{
    struct amqp_login *l = &f->a->login;

    if (l->phase == PHASE_STARTED)
        emit_outcome(f, offset, "success", 0);
    wipe_secret(l, f->a->conf->budget);
    l->phase = PHASE_TUNED;
}

static void on_tune_ok(struct amqp *a, const struct amqp_method *m)
{
    if (!m->exact)
        return;
    a->channel_max = (uint16_t)amqp_method_num(m, ARG_SHORT, 0);
    a->frame_max = (uint32_t)amqp_method_num(m, ARG_LONG, 0);
}

/* 402: no such vhost, from brokers that follow the specification; RabbitMQ says 530. */
static void on_close(struct amqp_feed *f, const struct amqp_method *m, uint64_t offset)
{
    struct amqp_login *l = &f->a->login;
    uint64_t code = amqp_method_num(m, ARG_SHORT, 0);
    bool refused = code == 403 || code == 402 || code == 530;

    if (f->c->dir == TO_CLIENT &&
        ((l->phase == PHASE_STARTED && code == 403) || (l->phase == PHASE_TUNED && refused)))
        emit_outcome(f, offset, "failure", code);
    l->phase = PHASE_OPEN;
    wipe_secret(l, f->a->conf->budget);
}

void amqp_login_method(struct amqp_feed *f, const struct amqp_method *m, uint64_t offset)
{
    struct amqp_login *l = &f->a->login;

    switch ((enum amqp_method_id)m->def->id) {
    case M_CONNECTION_START:
        f->a->v0_8 = amqp_method_num(m, ARG_OCTET, 0) == 8;
        amqp_emit_peer(f, amqp_method_text(m, ARG_TABLE, 0), offset);
        break;
    case M_CONNECTION_START_OK: on_start_ok(f, m, offset); break;
    case M_CONNECTION_SECURE_OK: on_secure_ok(f, m, offset); break;
    case M_CONNECTION_TUNE: on_tune(f, offset); break;
    case M_CONNECTION_TUNE_OK: on_tune_ok(f->a, m); break;
    case M_CONNECTION_OPEN:
        set_names(l, amqp_login_user(l), amqp_login_mechanism(l),
                  amqp_method_text(m, ARG_SHORTSTR, 0), f->a->conf->budget);
        break;
    case M_CONNECTION_OPEN_OK: l->phase = PHASE_OPEN; break;
    case M_CONNECTION_CLOSE: on_close(f, m, offset); break;
    case M_CONNECTION_UPDATE_SECRET:
        emit_credential(f, offset, "update-secret", amqp_method_text(m, ARG_LONGSTR, 0));
        break;
    default: break;
    }
}

/* RabbitMQ refuses clients that cannot take a close that way, after some seconds; a
 * client that closes first has only given up. */
void amqp_login_close(struct amqp_feed *f)
{
    struct amqp *a = f->a;
    struct amqp_login *l = &a->login;
    bool whole = !a->gaps && !a->midstream && a->seen[TO_SERVER] && a->seen[TO_CLIENT];

    if (l->phase == PHASE_STARTED && whole && !a->closed[TO_SERVER])
        emit_outcome(f, f->c->offset, "failure", 0);
    if (l->phase == PHASE_STARTED)
        l->phase = PHASE_NONE;
    wipe_secret(l, a->conf->budget);
}
