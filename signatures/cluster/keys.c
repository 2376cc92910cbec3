/* signatures/cluster/keys.c - Redis commands that no Celery client sends, by what they do to the
 * server and to the keys of Celery: redis-config-write, redis-replicaof, redis-module-load,
 * redis-admin, redis-destructive, redis-recon, redis-queue-tamper. Judged when the reply is known,
 * which is in the evidence and changes nothing. */
#include "base/hash.h"
#include "signatures/baseline.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/names.h"

enum act {
    ACT_NONE,
    ACT_CONFIG,
    ACT_REPLICA,
    ACT_MODULE,
    ACT_ADMIN,
    ACT_DESTROY,
    ACT_FLUSHDB,
    ACT_SHUTDOWN,
    ACT_DELETE, /* of a task queue or of kombu's own keys */
    ACT_RECON,
    ACT_SCAN,
    ACT_LISTEN,
    ACT_READ,    /* of a task queue */
    ACT_UNACKED, /* read it whole */
    ACT_TAMPER,  /* with a task queue */
    ACT_SORT,    /* reads one, or stores over it */
};

#define NAME(literal)                                   \
    {                                                   \
        (const uint8_t *)(literal), sizeof(literal) - 1 \
    }

/* By name; a name that ends in a space stands for all its subcommands. */
static const struct {
    struct bytes name;
    enum act act;
} acts[] = {
    {NAME("CONFIG SET"), ACT_CONFIG},
    {NAME("REPLICAOF"), ACT_REPLICA},
    {NAME("SLAVEOF"), ACT_REPLICA},
    {NAME("MODULE LOAD"), ACT_MODULE},
    {NAME("MODULE LOADEX"), ACT_MODULE},
    {NAME("MODULE UNLOAD"), ACT_ADMIN},
    {NAME("CONFIG REWRITE"), ACT_ADMIN},
    {NAME("CONFIG RESETSTAT"), ACT_ADMIN},
    {NAME("SAVE"), ACT_ADMIN},
    {NAME("BGSAVE"), ACT_ADMIN},
    {NAME("BGREWRITEAOF"), ACT_ADMIN},
    {NAME("ACL SETUSER"), ACT_ADMIN},
    {NAME("ACL DELUSER"), ACT_ADMIN},
    {NAME("ACL LOAD"), ACT_ADMIN},
    {NAME("ACL SAVE"), ACT_ADMIN},
    {NAME("MIGRATE"), ACT_ADMIN},
    {NAME("RESTORE"), ACT_ADMIN},
    {NAME("RESTORE-ASKING"), ACT_ADMIN},
    {NAME("SYNC"), ACT_ADMIN},
    {NAME("PSYNC"), ACT_ADMIN},
    {NAME("FAILOVER"), ACT_ADMIN},
    {NAME("CLIENT KILL"), ACT_ADMIN},
    {NAME("CLIENT PAUSE"), ACT_ADMIN},
    {NAME("SCRIPT FLUSH"), ACT_ADMIN},
    {NAME("SCRIPT KILL"), ACT_ADMIN},
    {NAME("FUNCTION LOAD"), ACT_ADMIN},
    {NAME("FUNCTION DELETE"), ACT_ADMIN},
    {NAME("FUNCTION FLUSH"), ACT_ADMIN},
    {NAME("FUNCTION RESTORE"), ACT_ADMIN},
    {NAME("SENTINEL MONITOR"), ACT_ADMIN},
    {NAME("SENTINEL SET"), ACT_ADMIN},
    {NAME("SENTINEL FAILOVER"), ACT_ADMIN},
    {NAME("SENTINEL REMOVE"), ACT_ADMIN},
    {NAME("SENTINEL CONFIG SET"), ACT_ADMIN},
    {NAME("CLUSTER MEET"), ACT_ADMIN},
    {NAME("CLUSTER SETSLOT"), ACT_ADMIN},
    {NAME("POST"), ACT_ADMIN}, /* HTTP, from a server that was made to speak it */
    {NAME("HOST:"), ACT_ADMIN},
    {NAME("FLUSHALL"), ACT_DESTROY},
    {NAME("SWAPDB"), ACT_DESTROY},
    {NAME("FLUSHDB"), ACT_FLUSHDB},
    {NAME("SHUTDOWN"), ACT_SHUTDOWN},
    {NAME("DEBUG OBJECT"), ACT_NONE},
    {NAME("DEBUG "), ACT_DESTROY},
    {NAME("DEL"), ACT_DELETE},
    {NAME("UNLINK"), ACT_DELETE},
    {NAME("RENAME"), ACT_DELETE},
    {NAME("RENAMENX"), ACT_DELETE},
    {NAME("MOVE"), ACT_DELETE},
    {NAME("KEYS"), ACT_RECON},
    {NAME("MONITOR"), ACT_RECON},
    {NAME("CLIENT LIST"), ACT_RECON},
    {NAME("CLIENT TRACKING"), ACT_RECON},
    {NAME("CONFIG GET"), ACT_RECON},
    {NAME("ACL LIST"), ACT_RECON},
    {NAME("ACL USERS"), ACT_RECON},
    {NAME("ACL GETUSER"), ACT_RECON},
    {NAME("MODULE LIST"), ACT_RECON},
    {NAME("COMMAND DOCS"), ACT_RECON},
    {NAME("DUMP"), ACT_RECON},
    {NAME("SCAN"), ACT_SCAN},
    {NAME("PSUBSCRIBE"), ACT_LISTEN},
    {NAME("SUBSCRIBE"), ACT_LISTEN},
    {NAME("LRANGE"), ACT_READ},
    {NAME("LINDEX"), ACT_READ},
    {NAME("HGETALL"), ACT_UNACKED},
    {NAME("HVALS"), ACT_UNACKED},
    {NAME("LMOVE"), ACT_TAMPER},
    {NAME("BLMOVE"), ACT_TAMPER},
    {NAME("RPOPLPUSH"), ACT_TAMPER},
    {NAME("BRPOPLPUSH"), ACT_TAMPER},
    {NAME("LREM"), ACT_TAMPER},
    {NAME("LSET"), ACT_TAMPER},
    {NAME("LTRIM"), ACT_TAMPER},
    {NAME("LINSERT"), ACT_TAMPER},
    {NAME("LPOP"), ACT_TAMPER},
    {NAME("LMPOP"), ACT_TAMPER},
    {NAME("BLMPOP"), ACT_TAMPER},
    {NAME("COPY"), ACT_TAMPER},
    {NAME("SORT"), ACT_SORT},
};

/* Settings that name files or commands, or open the way to such (redis:src/config.c; those that
 * are protected, and their like). */
static const char *const file_settings[] = {
    "dir",
    "dbfilename",
    "appendfilename",
    "appenddirname",
    "aclfile",
    "logfile",
    "pidfile",
    "unixsocket",
    "loadmodule",
    "include",
    "rename-command",
    "enable-module-command",
    "tls-key-file",
    "tls-cert-file",
    "enable-debug-command",
    "enable-protected-configs",
    "slaveof",
    "replicaof",
    "rdb-save-incremental-fsync-file",
    "tls-ca-cert-file",
    "tls-dh-params-file",
    "tls-ca-cert-dir",
    "oom-score-adj-file",
};

static bool is_named(struct bytes command, struct bytes name)
{
    bool family = name.at[name.len - 1] == ' ';

    return (family ? command.len >= name.len : command.len == name.len) &&
           memcmp(command.at, name.at, name.len) == 0;
}

static enum act act_of(struct bytes command)
{
    for (size_t i = 0; command.len > 0 && i < sizeof acts / sizeof *acts; i++)
        if (is_named(command, acts[i].name))
            return acts[i].act;
    return ACT_NONE;
}

static bool same_word(struct bytes a, const char *lower)
{
    size_t n = strlen(lower);

    if (a.len != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = a.at[i];
        if ((c >= 'A' && c <= 'Z' ? c + 0x20 : c) != (uint8_t)lower[i])
            return false;
    }
    return true;
}

/* CONFIG SET name value [name value]...; the names are among the arguments that are shown. */
static bool sets_files(const struct msg *m)
{
    struct bytes args = msg_text(m, F_REDIS_ARGS), a;

    for (unsigned i = 0; list_next(&args, &a); i++)
        for (size_t k = 0; i % 2 == 1 && k < sizeof file_settings / sizeof *file_settings; k++)
            if (same_word(a, file_settings[k]))
                return true;
    return false;
}

/* REPLICAOF NO ONE: what is no number there stands as its length, and a port is a number. */
static bool of_no_one(const struct msg *m)
{
    struct bytes args = msg_text(m, F_REDIS_ARGS), host, port;

    return list_next(&args, &host) && list_next(&args, &port) && bytes_eq(host, "<2 bytes>") &&
           bytes_eq(port, "<3 bytes>");
}

/* SCAN cursor MATCH pattern: five bytes, then more than one that are no number. */
static bool scans_all(const struct msg *m)
{
    struct bytes args = msg_text(m, F_REDIS_ARGS), a;
    bool match = false;

    while (list_next(&args, &a)) {
        if (match && name_starts(a, "<") && !bytes_eq(a, "<1 bytes>"))
            return false;
        match = bytes_eq(a, "<5 bytes>");
    }
    return true;
}

/* SHUTDOWN ABORT is answered; a server that goes down does not answer. */
static bool aborts(const struct msg *m)
{
    struct bytes args = msg_text(m, F_REDIS_ARGS), a;

    return list_next(&args, &a) && bytes_eq(a, "<5 bytes>") && !msg_is(m, F_OUTCOME, "unknown");
}

static bool listens_to_all(const struct msg *m)
{
    struct bytes args = msg_text(m, F_REDIS_ARGS), a;

    while (list_next(&args, &a)) {
        bool pattern = a.len > 0 && memchr(a.at, '*', a.len) != NULL;

        if (bytes_eq(a, "*") || name_starts(a, "__key") ||
            (pattern && bytes_find(a, "celery-task-meta-")))
            return true;
    }
    return false;
}

/* Whether one of the keys is a task queue, or one that kombu keeps its state in. */
static bool names_queue(struct deployment *d, const struct msg *m, bool kombus)
{
    struct bytes args = msg_text(m, F_REDIS_ARGS), a = msg_text(m, F_REDIS_KEY);

    do {
        if (crew_is_task_queue(&d->crew, m, a) || (kombus && name_use(a) == NAME_KOMBU))
            return true;
    } while (list_next(&args, &a));
    return false;
}

/* What a replica, or a migration that is under way, sends. */
static bool is_replication(struct bytes command)
{
    static const char *const names[] = {"SYNC",    "PSYNC",          "FAILOVER",
                                        "RESTORE", "RESTORE-ASKING", "MIGRATE"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (bytes_eq(command, names[i]))
            return true;
    return false;
}

/* By the baseline. No policy excuses what takes the server over, or a queue apart. */
static bool is_allowed(const struct msg *m, enum rule_id rule, const struct baseline *b)
{
    const struct endpoint *who = &m->conn->id.client;
    struct bytes command = msg_text(m, F_REDIS_COMMAND);

    switch (rule) {
    case RULE_REDIS_RECON: return baseline_lists(b, BASELINE_MONITORS, who);
    case RULE_REDIS_DESTRUCTIVE: return baseline_controls(b, who, command);
    case RULE_REDIS_ADMIN:
        return baseline_controls(b, who, command) ||
               (is_replication(command) && baseline_lists(b, BASELINE_RELAYS, who));
    default: return false;
    }
}

static void say(const struct msg *m, enum rule_id rule, enum severity severity, const char *why,
                const struct detect_out *out)
{
    struct finding f;

    if (is_allowed(m, rule, out->policy->baseline))
        return;
    finding_init(&f, rule, severity);
    finding_reason(&f, "%s", why);
    if (msg_has(m, F_REDIS_COMMAND))
        finding_text(&f, "command", msg_text(m, F_REDIS_COMMAND));
    if (msg_has(m, F_OUTCOME))
        finding_text(&f, "outcome", msg_text(m, F_OUTCOME));
    if (msg_has(m, F_REDIS_ERROR))
        finding_text(&f, "error", msg_text(m, F_REDIS_ERROR));
    f.fold_class = hash_bytes(msg_text(m, F_REDIS_COMMAND), 0);
    out->emit(out->ctx, m, &f);
}

static void recon(const struct msg *m, const struct detect_out *out)
{
    say(m, RULE_REDIS_RECON, SEV_LOW,
        "a client explores the Redis server or reads what is not its own", out);
}

static void admin(const struct msg *m, const struct detect_out *out)
{
    say(m, RULE_REDIS_ADMIN, SEV_MEDIUM, "an administrative command, which no Celery client sends",
        out);
}

static void destroy(const struct msg *m, const char *why, const struct detect_out *out)
{
    say(m, RULE_REDIS_DESTRUCTIVE, SEV_HIGH, why, out);
}

static void server(struct deployment *d, const struct msg *m, enum act act,
                   const struct detect_out *out)
{
    switch (act) {
    case ACT_CONFIG:
        if (sets_files(m))
            say(m, RULE_REDIS_CONFIG_WRITE, SEV_CRITICAL,
                "a setting of the Redis server that names files or commands is written", out);
        else
            admin(m, out);
        break;
    case ACT_REPLICA:
        if (of_no_one(m))
            admin(m, out);
        else
            say(m, RULE_REDIS_REPLICAOF, SEV_CRITICAL,
                "the Redis server is made the replica of another host", out);
        break;
    case ACT_MODULE:
        say(m, RULE_REDIS_MODULE_LOAD, SEV_CRITICAL, "native code is loaded into the Redis server",
            out);
        break;
    case ACT_ADMIN: admin(m, out); break;
    case ACT_DESTROY:
        destroy(m, "data of the Redis server is destroyed or put at risk", out);
        break;
    case ACT_FLUSHDB:
        if (crew_is_celerys(&d->crew, m))
            destroy(m, "a database with Celery's keys is emptied", out);
        else
            admin(m, out);
        break;
    case ACT_SHUTDOWN:
        if (!aborts(m))
            destroy(m, "the Redis server is shut down", out);
        break;
    default: break;
    }
}

/* SORT key [..] [STORE key]: the key behind the first is written. */
static bool sorts_into_queue(struct deployment *d, const struct msg *m)
{
    struct bytes args = msg_text(m, F_REDIS_ARGS), a;

    for (bool first = true; list_next(&args, &a); first = false)
        if (!first && crew_is_task_queue(&d->crew, m, a))
            return true;
    return false;
}

static void keys(struct deployment *d, const struct msg *m, enum act act,
                 const struct detect_out *out)
{
    switch (act) {
    case ACT_DELETE:
        if (names_queue(d, m, false))
            destroy(m, "a queue of tasks is deleted, renamed or moved away", out);
        else if (names_queue(d, m, true))
            say(m, RULE_REDIS_QUEUE_TAMPER, SEV_HIGH,
                "keys that kombu keeps its state in are deleted", out);
        break;
    case ACT_RECON: recon(m, out); break;
    case ACT_SCAN:
        if (scans_all(m))
            recon(m, out);
        break;
    case ACT_LISTEN:
        if (listens_to_all(m))
            recon(m, out);
        break;
    case ACT_READ:
        if (names_queue(d, m, false))
            recon(m, out);
        break;
    case ACT_SORT:
        if (sorts_into_queue(d, m))
            say(m, RULE_REDIS_QUEUE_TAMPER, SEV_HIGH,
                "a queue of tasks is changed in a way that kombu does not", out);
        else if (names_queue(d, m, false))
            recon(m, out);
        break;
    case ACT_TAMPER:
        if (names_queue(d, m, true))
            say(m, RULE_REDIS_QUEUE_TAMPER, SEV_HIGH,
                "a queue of tasks is changed in a way that kombu does not", out);
        break;
    default: break;
    }
}

void keys_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    enum act act;

    if (m->kind == MSG_ANOMALY && msg_is(m, F_ANOMALY, "http on a redis port")) {
        say(m, RULE_REDIS_ADMIN, SEV_MEDIUM,
            "HTTP on the Redis port: a request made by somebody else's server", out);
        return;
    }
    if (m->kind != MSG_REPLY && m->kind != MSG_COMMAND)
        return;
    act = act_of(msg_text(m, F_REDIS_COMMAND));
    if (m->kind == MSG_COMMAND) { /* its reply is not told */
        if (act == ACT_UNACKED && name_use(msg_text(m, F_REDIS_KEY)) == NAME_KOMBU)
            recon(m, out);
    } else if (act >= ACT_DELETE && act != ACT_UNACKED) {
        keys(d, m, act, out);
    } else if (act != ACT_NONE && act != ACT_UNACKED) {
        server(d, m, act, out);
    }
}
