/* signatures/cluster/server.c - Redis commands that no Celery client sends, by what they do to the
 * server and to all its data: redis-config-write, redis-replicaof, redis-module-load, redis-admin,
 * redis-destructive. Judged when the reply is known, which is in the evidence and changes nothing.
 */
#include "signatures/cluster/commands.h"
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
};

/* Sorted. */
static const struct command_row rows[] = {
    COMMAND_ROW("ACL DELUSER", ACT_ADMIN),
    COMMAND_ROW("ACL LOAD", ACT_ADMIN),
    COMMAND_ROW("ACL SAVE", ACT_ADMIN),
    COMMAND_ROW("ACL SETUSER", ACT_ADMIN),
    COMMAND_ROW("BGREWRITEAOF", ACT_ADMIN),
    COMMAND_ROW("BGSAVE", ACT_ADMIN),
    COMMAND_ROW("CLIENT KILL", ACT_ADMIN),
    COMMAND_ROW("CLIENT PAUSE", ACT_ADMIN),
    COMMAND_ROW("CLUSTER MEET", ACT_ADMIN),
    COMMAND_ROW("CLUSTER SETSLOT", ACT_ADMIN),
    COMMAND_ROW("CONFIG RESETSTAT", ACT_ADMIN),
    COMMAND_ROW("CONFIG REWRITE", ACT_ADMIN),
    COMMAND_ROW("CONFIG SET", ACT_CONFIG),
    COMMAND_ROW("DEBUG ", ACT_DESTROY),
    COMMAND_ROW("DEBUG OBJECT", ACT_NONE),
    COMMAND_ROW("FAILOVER", ACT_ADMIN),
    COMMAND_ROW("FLUSHALL", ACT_DESTROY),
    COMMAND_ROW("FLUSHDB", ACT_FLUSHDB),
    COMMAND_ROW("FUNCTION DELETE", ACT_ADMIN),
    COMMAND_ROW("FUNCTION FLUSH", ACT_ADMIN),
    COMMAND_ROW("FUNCTION LOAD", ACT_ADMIN),
    COMMAND_ROW("FUNCTION RESTORE", ACT_ADMIN),
    COMMAND_ROW("HOST:", ACT_ADMIN),
    COMMAND_ROW("MIGRATE", ACT_ADMIN),
    COMMAND_ROW("MODULE LOAD", ACT_MODULE),
    COMMAND_ROW("MODULE LOADEX", ACT_MODULE),
    COMMAND_ROW("MODULE UNLOAD", ACT_ADMIN),
    COMMAND_ROW("POST", ACT_ADMIN), /* HTTP, from a server that was made to speak it */
    COMMAND_ROW("PSYNC", ACT_ADMIN),
    COMMAND_ROW("REPLICAOF", ACT_REPLICA),
    COMMAND_ROW("RESTORE", ACT_ADMIN),
    COMMAND_ROW("RESTORE-ASKING", ACT_ADMIN),
    COMMAND_ROW("SAVE", ACT_ADMIN),
    COMMAND_ROW("SCRIPT FLUSH", ACT_ADMIN),
    COMMAND_ROW("SCRIPT KILL", ACT_ADMIN),
    COMMAND_ROW("SENTINEL CONFIG SET", ACT_ADMIN),
    COMMAND_ROW("SENTINEL FAILOVER", ACT_ADMIN),
    COMMAND_ROW("SENTINEL MONITOR", ACT_ADMIN),
    COMMAND_ROW("SENTINEL REMOVE", ACT_ADMIN),
    COMMAND_ROW("SENTINEL SET", ACT_ADMIN),
    COMMAND_ROW("SHUTDOWN", ACT_SHUTDOWN),
    COMMAND_ROW("SLAVEOF", ACT_REPLICA),
    COMMAND_ROW("SWAPDB", ACT_DESTROY),
    COMMAND_ROW("SYNC", ACT_ADMIN),
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
    "tls-client-key-file",
    "tls-client-cert-file",
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

/* SHUTDOWN ABORT is answered; a server that goes down does not answer. */
static bool aborts(const struct msg *m)
{
    struct bytes args = msg_text(m, F_REDIS_ARGS), a;

    return list_next(&args, &a) && bytes_eq(a, "<5 bytes>") && !msg_is(m, F_OUTCOME, "unknown");
}

static void admin(const struct msg *m, const struct detect_out *out)
{
    commands_say(m, RULE_REDIS_ADMIN, SEV_MEDIUM,
                 "an administrative command, which no Celery client sends", out);
}

static void destroy(const struct msg *m, const char *why, const struct detect_out *out)
{
    commands_say(m, RULE_REDIS_DESTRUCTIVE, SEV_HIGH, why, out);
}

static void server(struct deployment *d, const struct msg *m, enum act act,
                   const struct detect_out *out)
{
    switch (act) {
    case ACT_CONFIG:
        if (sets_files(m))
            commands_say(m, RULE_REDIS_CONFIG_WRITE, SEV_CRITICAL,
                         "a setting of the Redis server that names files or commands is written",
                         out);
        else
            admin(m, out);
        break;
    case ACT_REPLICA:
        if (of_no_one(m))
            admin(m, out);
        else
            commands_say(m, RULE_REDIS_REPLICAOF, SEV_CRITICAL,
                         "the Redis server is made the replica of another host", out);
        break;
    case ACT_MODULE:
        commands_say(m, RULE_REDIS_MODULE_LOAD, SEV_CRITICAL,
                     "native code is loaded into the Redis server", out);
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

void server_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    if (m->kind == MSG_ANOMALY && msg_is(m, F_ANOMALY, "http on a redis port"))
        commands_say(m, RULE_REDIS_ADMIN, SEV_MEDIUM,
                     "HTTP on the Redis port: a request made by somebody else's server", out);
    else if (m->kind == MSG_REPLY)
        server(d, m, (enum act)commands_act(rows, sizeof rows / sizeof *rows, m), out);
}
