/* dissectors/resp/credential.c - see credential.h. */
#include "dissectors/resp/credential.h"

#include <stdlib.h>

#include "dissectors/resp/tell.h"

struct credential {
    const char *kind, *action, *mechanism;
    struct bytes name, user, secret; /* at == NULL: none */
};

static void emit(const struct feed *f, enum dir dir, const struct credential *c, uint8_t coverage)
{
    struct msg m;

    tell_init(f, &m, MSG_CREDENTIAL, c->action, dir);
    m.coverage |= coverage;
    fields_str(&m.fields, F_AUTH_KIND, c->kind);
    if (c->mechanism)
        fields_str(&m.fields, F_AUTH_MECHANISM, c->mechanism);
    if (c->name.at)
        fields_text(&m.fields, F_AUTH_NAME, c->name);
    if (c->user.at)
        fields_text(&m.fields, F_USER, c->user);
    fields_text(&m.fields, F_AUTH_SECRET, c->secret);
    tell(f, &m);
}

/* Text that is there even if it is empty. */
static struct bytes present(struct bytes b)
{
    return b.at ? b : bytes_of("", 0);
}

static void login(const struct feed *f, const struct request *r, const char *mechanism,
                  struct bytes user, struct bytes secret, struct pair_record *record)
{
    struct credential c = {
        .kind = "login", .action = "login", .mechanism = mechanism, .secret = present(secret)};

    c.user = user;
    emit(f, TO_SERVER, &c, r->gap ? COVER_GAP : 0);
    record->login = true;
    record->text[PAIR_USER] = user;
    record->text[PAIR_SECRET] = present(secret);
}

/* redis:src/acl.c:authCommand */
static void auth(const struct feed *f, const struct request *r, struct pair_record *record)
{
    if (r->total == 2 && r->n == 2)
        login(f, r, "AUTH", bytes_of(NULL, 0), r->at[1], record);
    else if (r->total == 3 && r->n == 3)
        login(f, r, "AUTH", present(r->at[1]), r->at[2], record);
}

/* redis:src/networking.c:helloCommand: HELLO [version [AUTH user password] [SETNAME name]] */
static void hello(const struct feed *f, const struct request *r, struct pair_record *record)
{
    for (uint32_t i = 2; i < r->n; i++) {
        if (bytes_eq_case(r->at[i], "AUTH") && r->n - i > 2) {
            login(f, r, "HELLO", present(r->at[i + 1]), r->at[i + 2], record);
            return;
        }
        if (bytes_eq_case(r->at[i], "SETNAME"))
            i++;
    }
}

static void admin(const struct feed *f, const struct request *r, struct bytes name,
                  struct bytes user, struct bytes secret)
{
    struct credential c = {
        .kind = "admin", .action = "set", .name = name, .user = user, .secret = present(secret)};

    emit(f, TO_SERVER, &c, r->gap ? COVER_GAP : 0);
}

/* name, value, ... from argument `first` on. */
static void settings(const struct feed *f, const struct request *r, uint32_t first)
{
    for (uint32_t i = first; i + 1 < r->n; i += 2)
        if (command_setting_is_secret(r->at[i]))
            admin(f, r, r->at[i], bytes_of(NULL, 0), r->at[i + 1]);
}

/* redis:src/acl.c:ACLSetUser: >password <password #hash !hash */
static void acl_setuser(const struct feed *f, const struct request *r)
{
    for (uint32_t i = 3; i < r->n; i++) {
        struct bytes rule = r->at[i];
        if (rule.len > 0 && memchr("><#!", rule.at[0], 4)) {
            bytes_cut(&rule, 1);
            admin(f, r, bytes_of("setuser", 7), present(r->at[2]), rule);
        }
    }
}

static void migrate(const struct feed *f, const struct request *r)
{
    struct bytes name = bytes_of("migrate", 7);

    for (uint32_t i = 6; i < r->n; i++) {
        if (bytes_eq_case(r->at[i], "KEYS"))
            return;
        if (bytes_eq_case(r->at[i], "AUTH") && i + 1 < r->n) {
            admin(f, r, name, bytes_of(NULL, 0), r->at[i + 1]);
            i++;
        } else if (bytes_eq_case(r->at[i], "AUTH2") && i + 2 < r->n) {
            admin(f, r, name, present(r->at[i + 1]), r->at[i + 2]);
            i += 2;
        }
    }
}

void credential_asked(const struct feed *f, const struct request *r, const struct command *c,
                      struct pair_record *record)
{
    switch (c->act) {
    case ACT_AUTH: auth(f, r, record); break;
    case ACT_HELLO: hello(f, r, record); break;
    case ACT_CONFIG_SET: settings(f, r, 2); break;
    case ACT_SENTINEL_SET:
    case ACT_SENTINEL_CONFIG_SET: settings(f, r, 3); break;
    case ACT_ACL_SETUSER: acl_setuser(f, r); break;
    case ACT_MIGRATE: migrate(f, r); break;
    default: break;
    }
}

void credential_setting_read(const struct feed *f, struct bytes name, struct bytes value)
{
    struct credential c = {.kind = "admin-read", .action = "read", .name = name, .secret = value};

    if (value.len > 0 && command_setting_is_secret(name))
        emit(f, TO_CLIENT, &c, 0);
}

static bool word_is(const struct reply *a, const char *word)
{
    return a->word_len == strlen(word) && memcmp(a->word, word, a->word_len) == 0;
}

static void set_failure(struct msg *m, const struct reply *a, bool login)
{
    fields_str(&m->fields, F_OUTCOME, "failure");
    fields_text(&m->fields, F_REDIS_ERROR, bytes_of(a->word, a->word_len));
    if (a->no_password)
        fields_str(&m->fields, F_AUTH_NAME, "nopass");
    else if (login && !a->bad_password && !word_is(a, "WRONGPASS"))
        fields_str(&m->fields, F_AUTH_NAME, "other");
}

/* Nobody: the default user (redis:src/acl.c). */
static void logged_in(struct resp_conn *conn, struct bytes user)
{
    if (!user.at)
        user = bytes_of("default", 7);
    free(conn->user);
    conn->user = strndup((const char *)user.at, user.len < 256 ? user.len : 256);
    conn->logged_in = true;
}

static void put_credential(struct msg *m, const struct command *c, const struct pair_record *r)
{
    fields_text(&m->fields, F_AUTH_SECRET, r->text[PAIR_SECRET]);
    fields_str(&m->fields, F_AUTH_MECHANISM, c->act == ACT_HELLO ? "HELLO" : "AUTH");
    if (r->text[PAIR_USER].at)
        fields_text(&m->fields, F_USER, r->text[PAIR_USER]);
}

void credential_unanswered(const struct feed *f, const struct command *c,
                           const struct pair_entry *e, uint8_t coverage)
{
    struct msg m;

    tell_init(f, &m, MSG_LOGIN, "login", TO_SERVER);
    m.offset = e->record->offset;
    m.coverage |= coverage | e->record->coverage;
    fields_str(&m.fields, F_OUTCOME, "unknown");
    put_credential(&m, c, e->record);
    tell(f, &m);
}

void credential_answered(struct feed *f, const struct command *c, const struct pair_entry *e)
{
    struct resp_conn *conn = f->conn;
    const struct reply *a = &conn->reply;
    bool failed = a->word_len > 0;
    struct msg m;

    if (!e->record->login && (conn->noauth_told || !word_is(a, "NOAUTH")))
        return;
    conn->noauth_told = conn->noauth_told || word_is(a, "NOAUTH");
    tell_init(f, &m, MSG_LOGIN, "login", TO_CLIENT);
    if (failed)
        set_failure(&m, a, e->record->login);
    else
        fields_str(&m.fields, F_OUTCOME, "success");
    if (e->record->login) {
        put_credential(&m, c, e->record);
        if (!failed)
            logged_in(conn, e->record->text[PAIR_USER]);
    }
    tell(f, &m);
}
