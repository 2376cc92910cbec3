/* run/learn_accused.c - whom nothing is learnt of: sources of grave findings in this run, the
 * origins that they used, users with a password that everybody knows. */
#include <arpa/inet.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/lru.h"
#include "run/learn.h"
#include "signatures/cluster/names.h"

#define ADDRESSES_MAX 65536u
#define NAMES_MAX     65536u
#define SAID_MAX      20u

struct one {
    struct endpoint who;
    enum rule_id rule; /* the first that it raised */
};

/* Of an address. */
enum charge {
    CHARGE_NONE,    /* pardoned */
    CHARGE_REVOKES, /* tasks, and nothing else */
    CHARGE_GRAVE,
};

struct accused {
    struct lru *by_address; /* uint8_t, an enum charge */
    struct lru *origins, *users;
    struct one *all;
    size_t n;
    bool bad;
};

struct accused *accused_new(void)
{
    struct accused *a = calloc(1, sizeof *a);

    if (!a)
        return NULL;
    a->by_address = lru_new(ADDRESSES_MAX, 1, NULL, NULL);
    a->origins = lru_new(NAMES_MAX, 1, NULL, NULL);
    a->users = lru_new(NAMES_MAX, 1, NULL, NULL);
    if (a->by_address && a->origins && a->users)
        return a;
    accused_free(a);
    return NULL;
}

void accused_free(struct accused *a)
{
    if (!a)
        return;
    if (a->by_address)
        lru_free(a->by_address);
    if (a->origins)
        lru_free(a->origins);
    if (a->users)
        lru_free(a->users);
    free(a->all);
    free(a);
}

/* What says that somebody attacks, and not that a program is careless, old or new here. */
static bool is_grave(const struct finding *f)
{
    static const enum rule_id attacks[] = {
        RULE_PICKLE_MALICIOUS,
        RULE_PICKLE_DANGEROUS,
        RULE_PICKLE_BOMB,
        RULE_RQ_JOB_CALLEE,
        RULE_PICKLE_DISGUISED,
        RULE_YAML_PYTHON_TAG,
        RULE_DECOMPRESSION_BOMB,
        RULE_TASK_SIGNATURE_INVALID,
        RULE_TASK_SIGNER_UNKNOWN,
        RULE_TASK_SIGNATURE_REPLAYED,
        RULE_TASK_ORIGIN_SPOOFED,
        RULE_TASK_HANDCRAFTED,
        RULE_TASK_REPLAYED,
        RULE_CONTROL_DANGEROUS,
        RULE_WORKER_IMPERSONATION,
        RULE_BROKER_LOGIN_BRUTEFORCE,
        RULE_INJECT_PYTHON,
        RULE_INJECT_SHELL,
        RULE_INJECT_TEMPLATE,
        RULE_INJECT_DESERIALIZE,
        RULE_RESULT_EXCEPTION_EXEC,
        RULE_RESULT_FORGED,
        RULE_REDIS_CONFIG_WRITE,
        RULE_REDIS_REPLICAOF,
        RULE_REDIS_MODULE_LOAD,
        RULE_REDIS_LUA_ESCAPE,
        RULE_REDIS_DESTRUCTIVE,
        RULE_AMQP_DESTRUCTIVE,
        RULE_REDIS_QUEUE_TAMPER,
        RULE_REDIS_SCHEDULE_TAMPER,
        RULE_AMQP_TAP,
        RULE_STREAM_OVERLAP_CONFLICT,
    };

    for (size_t i = 0; f->severity >= SEV_HIGH && i < sizeof attacks / sizeof *attacks; i++)
        if (f->rule == attacks[i])
            return true;
    return false;
}

static uint64_t key_of(const struct endpoint *e)
{
    return hash_bytes(bytes_of(e->ip, sizeof e->ip), e->family);
}

/* A "cancel" button that terminates; what is revoked is not learnt, whoever does it. */
static bool only_revokes(const struct msg *m, const struct finding *f)
{
    return f->rule == RULE_CONTROL_DANGEROUS && f->severity < SEV_CRITICAL &&
           msg_is(m, F_CONTROL_METHOD, "revoke");
}

static void accuse(struct accused *a, const struct endpoint *who, enum rule_id rule,
                   enum charge charge)
{
    struct one *more;
    bool fresh;
    uint8_t *of = a->n < ADDRESSES_MAX ? lru_put(a->by_address, key_of(who), &fresh) : NULL;

    if (!of) {
        a->bad = true;
        return;
    }
    if (*of < charge)
        *of = (uint8_t)charge;
    if (!fresh)
        return;
    more = realloc(a->all, (a->n + 1) * sizeof *more);
    if (!more) {
        a->bad = true;
        return;
    }
    a->all = more;
    more[a->n++] = (struct one){*who, rule};
}

static void add_name(struct accused *a, struct lru *to, struct bytes name)
{
    bool fresh;

    if (!lru_put(to, hash_bytes(name, 0), &fresh) || lru_evicted(to) > 0)
        a->bad = true;
}

/* A worker that keeps what it took, or puts it back, is not who sent it. */
static bool passes_on(const struct msg *m)
{
    return msg_num(m, F_KEPT, 0) != 0 ||
           (m->action && bytes_eq(bytes_of(m->action, strlen(m->action)), "restored"));
}

void accused_note(struct accused *a, const struct msg *m, const struct finding *f)
{
    struct bytes origin = msg_text(m, F_TASK_ORIGIN), host = origin;
    const uint8_t *at = origin.len > 0 ? memchr(origin.at, '@', origin.len) : NULL;

    if (f->rule == RULE_CRED_DEFAULT && msg_has(m, F_USER))
        add_name(a, a->users, msg_text(m, F_USER));
    if (!m->conn || !is_grave(f))
        return;
    if (at)
        bytes_cut(&host, (size_t)(at - origin.at) + 1);
    if (origin.len > 0)
        add_name(a, a->origins, host);
    if (passes_on(m))
        return;
    if (m->dir == TO_SERVER || m->kind == MSG_REPLY || rules[f->rule].client_is_source)
        accuse(a, &m->conn->id.client, f->rule, only_revokes(m, f) ? CHARGE_REVOKES : CHARGE_GRAVE);
}

void accused_pardon(struct accused *a, const struct endpoint *who)
{
    uint8_t *of = lru_get(a->by_address, key_of(who));

    if (of && *of == CHARGE_REVOKES)
        *of = CHARGE_NONE;
}

bool accused_is(const struct accused *a, const struct endpoint *who)
{
    const uint8_t *of = lru_get(a->by_address, key_of(who));

    return of && *of != CHARGE_NONE;
}

bool accused_origin(const struct accused *a, struct bytes host)
{
    return lru_get(a->origins, hash_bytes(host, 0)) != NULL;
}

bool accused_user(const struct accused *a, struct bytes user)
{
    return user.len > 0 && lru_get(a->users, hash_bytes(user, 0)) != NULL;
}

bool accused_full(const struct accused *a)
{
    return a->bad;
}

static int order(const void *x, const void *y)
{
    const struct one *a = x, *b = y;
    int is = (a->who.family > b->who.family) - (a->who.family < b->who.family);

    return is != 0 ? is : memcmp(a->who.ip, b->who.ip, sizeof a->who.ip);
}

void accused_say(const struct accused *a)
{
    char ip[INET6_ADDRSTRLEN] = "";
    size_t said = 0;

    if (a->n > 0)
        qsort(a->all, a->n, sizeof *a->all, order);
    for (size_t i = 0; i < a->n; i++) {
        if (!accused_is(a, &a->all[i].who) || said++ >= SAID_MAX)
            continue;
        inet_ntop(a->all[i].who.family == 4 ? AF_INET : AF_INET6, a->all[i].who.ip, ip, sizeof ip);
        log_warn("--learn: nothing is learnt of %s: it raised %s", ip, rules[a->all[i].rule].id);
    }
    if (said > SAID_MAX)
        log_warn("--learn: nothing is learnt of %zu more addresses", said - SAID_MAX);
    if (lru_count(a->users) > 0)
        log_warn("--learn: %zu users with a default credential are not learnt",
                 lru_count(a->users));
}
