/* signatures/cluster/keys.c - Redis commands that no Celery client sends, by the keys that they
 * read or change: redis-recon, redis-destructive, redis-queue-tamper. Judged when the reply is
 * known, or at once where it is not told; it changes nothing. */
#include "signatures/cluster/commands.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/names.h"
#include "signatures/cluster/reach.h"
#include "signatures/cluster/topology.h"

enum act {
    ACT_NONE,
    ACT_DELETE, /* of a task queue or of kombu's own keys */
    ACT_RECON,
    ACT_SCAN,
    ACT_LISTEN,
    ACT_READ,      /* of a task queue */
    ACT_UNACKED,   /* read it whole */
    ACT_TAMPER,    /* with a task queue */
    ACT_SORT,      /* reads one, or stores over it */
    ACT_SET_ANY,   /* puts something else in the place of any key that it names */
    ACT_SET,       /* puts something else in the place of a task queue */
    ACT_OTHER,     /* makes one something else than a list, or changes kombu's own keys */
    ACT_OTHER_ANY, /* that, of any key that it names */
    ACT_OTHER_OWN, /* that, where kombu does the same to its own keys */
    ACT_EXPIRE,    /* lets one vanish */
    ACT_KOMBUS,    /* changes kombu's own keys in a way that kombu does not */
    ACT_UNBIND,
};

/* Sorted. */
static const struct command_row rows[] = {
    COMMAND_ROW("ACL GETUSER", ACT_RECON),
    COMMAND_ROW("ACL LIST", ACT_RECON),
    COMMAND_ROW("ACL USERS", ACT_RECON),
    COMMAND_ROW("APPEND", ACT_OTHER),
    COMMAND_ROW("BITFIELD", ACT_OTHER),
    COMMAND_ROW("BITOP", ACT_SET),
    COMMAND_ROW("BLMOVE", ACT_TAMPER),
    COMMAND_ROW("BLMPOP", ACT_TAMPER),
    COMMAND_ROW("BRPOPLPUSH", ACT_TAMPER),
    COMMAND_ROW("BZMPOP", ACT_TAMPER),
    COMMAND_ROW("BZPOPMAX", ACT_TAMPER),
    COMMAND_ROW("BZPOPMIN", ACT_TAMPER),
    COMMAND_ROW("CLIENT LIST", ACT_RECON),
    COMMAND_ROW("CLIENT TRACKING", ACT_RECON),
    COMMAND_ROW("COMMAND DOCS", ACT_RECON),
    COMMAND_ROW("CONFIG GET", ACT_RECON),
    COMMAND_ROW("COPY", ACT_TAMPER),
    COMMAND_ROW("DECR", ACT_OTHER),
    COMMAND_ROW("DECRBY", ACT_OTHER),
    COMMAND_ROW("DEL", ACT_DELETE),
    COMMAND_ROW("DELEX", ACT_DELETE),
    COMMAND_ROW("DUMP", ACT_RECON),
    COMMAND_ROW("EXPIRE", ACT_EXPIRE),
    COMMAND_ROW("EXPIREAT", ACT_EXPIRE),
    COMMAND_ROW("GEOADD", ACT_OTHER),
    COMMAND_ROW("GEORADIUS", ACT_SET_ANY),
    COMMAND_ROW("GEORADIUSBYMEMBER", ACT_SET_ANY),
    COMMAND_ROW("GEOSEARCHSTORE", ACT_SET),
    COMMAND_ROW("GETSET", ACT_OTHER),
    COMMAND_ROW("HEXPIRE", ACT_KOMBUS),
    COMMAND_ROW("HEXPIREAT", ACT_KOMBUS),
    COMMAND_ROW("HGETALL", ACT_UNACKED),
    COMMAND_ROW("HGETDEL", ACT_KOMBUS),
    COMMAND_ROW("HGETEX", ACT_KOMBUS),
    COMMAND_ROW("HINCRBY", ACT_OTHER),
    COMMAND_ROW("HINCRBYFLOAT", ACT_OTHER),
    COMMAND_ROW("HMSET", ACT_OTHER_OWN),
    COMMAND_ROW("HPEXPIRE", ACT_KOMBUS),
    COMMAND_ROW("HPEXPIREAT", ACT_KOMBUS),
    COMMAND_ROW("HRANDFIELD", ACT_UNACKED),
    COMMAND_ROW("HSCAN", ACT_UNACKED),
    COMMAND_ROW("HSET", ACT_OTHER_OWN),
    COMMAND_ROW("HSETEX", ACT_OTHER_OWN),
    COMMAND_ROW("HSETNX", ACT_OTHER_OWN),
    COMMAND_ROW("HVALS", ACT_UNACKED),
    COMMAND_ROW("INCR", ACT_OTHER),
    COMMAND_ROW("INCRBY", ACT_OTHER),
    COMMAND_ROW("INCRBYFLOAT", ACT_OTHER),
    COMMAND_ROW("JSON.MERGE", ACT_OTHER),
    COMMAND_ROW("JSON.SET", ACT_OTHER),
    COMMAND_ROW("KEYS", ACT_RECON),
    COMMAND_ROW("LINDEX", ACT_READ),
    COMMAND_ROW("LINSERT", ACT_TAMPER),
    COMMAND_ROW("LMOVE", ACT_TAMPER),
    COMMAND_ROW("LMPOP", ACT_TAMPER),
    COMMAND_ROW("LPOP", ACT_TAMPER),
    COMMAND_ROW("LRANGE", ACT_READ),
    COMMAND_ROW("LREM", ACT_TAMPER),
    COMMAND_ROW("LSET", ACT_TAMPER),
    COMMAND_ROW("LTRIM", ACT_TAMPER),
    COMMAND_ROW("MODULE LIST", ACT_RECON),
    COMMAND_ROW("MONITOR", ACT_RECON),
    COMMAND_ROW("MOVE", ACT_DELETE),
    COMMAND_ROW("MSET", ACT_SET_ANY),
    COMMAND_ROW("MSETEX", ACT_SET_ANY),
    COMMAND_ROW("MSETNX", ACT_OTHER_ANY),
    COMMAND_ROW("PEXPIRE", ACT_EXPIRE),
    COMMAND_ROW("PEXPIREAT", ACT_EXPIRE),
    COMMAND_ROW("PFADD", ACT_OTHER),
    COMMAND_ROW("PFMERGE", ACT_OTHER),
    COMMAND_ROW("PSETEX", ACT_SET),
    COMMAND_ROW("PSUBSCRIBE", ACT_LISTEN),
    COMMAND_ROW("RENAME", ACT_DELETE),
    COMMAND_ROW("RENAMENX", ACT_DELETE),
    COMMAND_ROW("RPOPLPUSH", ACT_TAMPER),
    COMMAND_ROW("SADD", ACT_OTHER_OWN),
    COMMAND_ROW("SCAN", ACT_SCAN),
    COMMAND_ROW("SDIFFSTORE", ACT_SET),
    COMMAND_ROW("SET", ACT_SET),
    COMMAND_ROW("SETBIT", ACT_OTHER),
    COMMAND_ROW("SETEX", ACT_SET),
    COMMAND_ROW("SETNX", ACT_OTHER),
    COMMAND_ROW("SETRANGE", ACT_OTHER),
    COMMAND_ROW("SINTERSTORE", ACT_SET),
    COMMAND_ROW("SMOVE", ACT_TAMPER),
    COMMAND_ROW("SORT", ACT_SORT),
    COMMAND_ROW("SORT_RO", ACT_READ),
    COMMAND_ROW("SPOP", ACT_KOMBUS),
    COMMAND_ROW("SREM", ACT_UNBIND),
    COMMAND_ROW("SUBSCRIBE", ACT_LISTEN),
    COMMAND_ROW("SUNIONSTORE", ACT_SET),
    COMMAND_ROW("UNLINK", ACT_DELETE),
    COMMAND_ROW("VADD", ACT_OTHER),
    COMMAND_ROW("XADD", ACT_OTHER),
    COMMAND_ROW("XGROUP CREATE", ACT_OTHER),
    COMMAND_ROW("ZADD", ACT_OTHER_OWN),
    COMMAND_ROW("ZDIFFSTORE", ACT_SET),
    COMMAND_ROW("ZINCRBY", ACT_OTHER),
    COMMAND_ROW("ZINTERSTORE", ACT_SET),
    COMMAND_ROW("ZMPOP", ACT_TAMPER),
    COMMAND_ROW("ZPOPMAX", ACT_KOMBUS),
    COMMAND_ROW("ZPOPMIN", ACT_KOMBUS),
    COMMAND_ROW("ZRANGESTORE", ACT_SET),
    COMMAND_ROW("ZREMRANGEBYLEX", ACT_KOMBUS),
    COMMAND_ROW("ZREMRANGEBYRANK", ACT_KOMBUS),
    COMMAND_ROW("ZREMRANGEBYSCORE", ACT_KOMBUS),
    COMMAND_ROW("ZUNIONSTORE", ACT_SET),
};

static enum act act_of(const struct msg *m)
{
    return (enum act)commands_act(rows, sizeof rows / sizeof *rows, m);
}

/* SCAN cursor MATCH pattern: five bytes, then more than one that are no number. */
static bool scans_all(const struct msg *m)
{
    struct bytes args = msg_text(m, F_REDIS_ARGS), a;
    bool match = false;

    if (m->coverage & COVER_GAP)
        return false; /* perhaps of what was lost */
    while (list_next(&args, &a)) {
        if (match && name_starts(a, "<") && !bytes_eq(a, "<1 bytes>"))
            return false;
        match = bytes_eq(a, "<5 bytes>");
    }
    return true;
}

static bool listens_to_all(const struct msg *m)
{
    struct bytes args = msg_text(m, F_REDIS_ARGS), a;
    bool patterns = msg_is(m, F_REDIS_COMMAND, "PSUBSCRIBE");

    while (list_next(&args, &a)) {
        bool pattern = a.len > 0 && memchr(a.at, '*', a.len) != NULL;

        if (bytes_eq(a, "*") || name_starts(a, "__key") ||
            (pattern && bytes_find(a, "celery-task-meta-")) ||
            (patterns && reach_of_channels(a) != REACH_SOME &&
             (pattern || memchr(a.at, '?', a.len) || memchr(a.at, '[', a.len))))
            return true;
    }
    return false;
}

/* Whether one of the keys is a task queue, or one that kombu keeps its state in. */
static bool names_queue(struct deployment *d, const struct msg *m, bool kombus)
{
    struct bytes args = msg_text(m, F_REDIS_ARGS), a = msg_text(m, F_REDIS_KEY);

    if ((m->coverage & (COVER_GAP | COVER_CLIPPED)) && !list_next(&args, &a))
        return false; /* the key may be the head of a longer one; the arguments are whole */
    do {
        if (crew_is_task_queue(&d->crew, m, a) || (kombus && name_use(a) == NAME_KOMBU))
            return true;
    } while (list_next(&args, &a));
    return false;
}

static void recon(const struct msg *m, const struct detect_out *out)
{
    commands_say(m, RULE_REDIS_RECON, SEV_LOW,
                 "a client explores the Redis server or reads what is not its own", out);
}

static void destroy(const struct msg *m, const char *why, const struct detect_out *out)
{
    commands_say(m, RULE_REDIS_DESTRUCTIVE, SEV_HIGH, why, out);
}

static void tamper(const struct msg *m, const char *why, const struct detect_out *out)
{
    commands_say(m, RULE_REDIS_QUEUE_TAMPER, SEV_HIGH, why, out);
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
            tamper(m, "keys that kombu keeps its state in are deleted", out);
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
            tamper(m, "a queue of tasks is changed in a way that kombu does not", out);
        else if (names_queue(d, m, false))
            recon(m, out);
        break;
    case ACT_TAMPER:
        if (names_queue(d, m, true))
            tamper(m, "a queue of tasks is changed in a way that kombu does not", out);
        break;
    case ACT_SET_ANY:
        if (names_queue(d, m, false))
            destroy(m, "something else is put in the place of a queue of tasks", out);
        else if (names_queue(d, m, true))
            tamper(m, "something else is put in the place of what kombu keeps", out);
        break;
    case ACT_OTHER_ANY:
        if (names_queue(d, m, true))
            tamper(m, "a queue of tasks, or what kombu keeps, is made something else", out);
        break;
    default: break;
    }
}

/* Who neither sends tasks nor takes any, as far as was seen. */
static bool is_stranger(struct deployment *d, const struct msg *m)
{
    const struct host *h = crew_find(&d->crew, m, crew_host_id(m));

    return !h || (h->published == 0 && h->consumes == 0 && !h->partial);
}

/* kombu takes what it binds out of the table of a queue that it deletes, and lets queues with
 * x-expires expire, from wherever tasks are sent or taken
 * (kombu:transport/redis.py:Channel._delete, _put). */
static void unbinds(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    struct bytes exchange = bytes_after(msg_text(m, F_REDIS_KEY), TOPOLOGY_BINDINGS);

    if (crew_is_task_queue(&d->crew, m, exchange) && is_stranger(d, m))
        tamper(m, "a queue of tasks is unbound by who neither sends nor takes any", out);
}

/* By the patterns of the command; applications look through their own results. */
static bool reads_celerys(struct deployment *d, const struct msg *m)
{
    int64_t reach = msg_num(m, F_REACH, REACH_SOME);

    return reach == REACH_ALL ||
           (reach == REACH_CELERYS && crew_is_celerys(&d->crew, m) && is_stranger(d, m));
}

/* What kombu does to that key with the same command. Since 5.7 it has more tables than those of
 * bindings, by the same name with more behind it. */
static bool is_kombus_own(const struct msg *m, struct bytes key)
{
    if (bytes_find(key, "_kombu.binding_"))
        return true;
    switch (*msg_text(m, F_REDIS_COMMAND).at) {
    case 'H': return name_ends(key, "unacked");
    case 'Z': return name_ends(key, "unacked_index");
    default: return bytes_find(key, TOPOLOGY_BINDINGS) != NULL;
    }
}

/* A worker can take nothing from a queue that is no list. Where it is one, the command fails; what
 * kombu keeps its state in is mostly not there. */
static void other(struct deployment *d, const struct msg *m, enum act act,
                  const struct detect_out *out)
{
    struct bytes key = msg_text(m, F_REDIS_KEY);
    bool kombus = name_use(key) == NAME_KOMBU && !name_ends(key, "unacked_mutex") &&
                  crew_is_celerys(&d->crew, m); /* else they may count their own */

    if (act == ACT_OTHER_OWN)
        kombus = kombus && !is_kombus_own(m, key);
    if (crew_is_task_queue(&d->crew, m, key))
        tamper(m, "a queue of tasks is made something else than a list", out);
    else if (kombus)
        tamper(m, "what kombu keeps is changed in a way that kombu does not", out);
}

/* Of these the reply is not told. */
static void at_once(struct deployment *d, const struct msg *m, enum act act,
                    const struct detect_out *out)
{
    struct bytes key = msg_text(m, F_REDIS_KEY);

    switch (act) {
    case ACT_SCAN:
    case ACT_SORT:
    case ACT_READ:
        if (reads_celerys(d, m))
            recon(m, out);
        break;
    case ACT_UNACKED:
        if (name_use(key) == NAME_KOMBU)
            recon(m, out);
        break;
    case ACT_SET:
        if (crew_is_task_queue(&d->crew, m, key))
            destroy(m, "something else is put in the place of a queue of tasks", out);
        else if (name_use(key) == NAME_KOMBU && !name_ends(key, "unacked_mutex"))
            tamper(m, "something else is put in the place of what kombu keeps", out);
        break;
    case ACT_OTHER:
    case ACT_OTHER_OWN: other(d, m, act, out); break;
    case ACT_EXPIRE:
        if (crew_is_task_queue(&d->crew, m, key) && is_stranger(d, m))
            destroy(m, "a queue of tasks is made to expire", out);
        else if (name_use(key) == NAME_KOMBU && !name_ends(key, "unacked_mutex"))
            tamper(m, "what kombu keeps is made to expire", out);
        break;
    case ACT_KOMBUS:
        if (name_use(key) == NAME_KOMBU)
            tamper(m, "what kombu keeps is changed in a way that kombu does not", out);
        break;
    case ACT_UNBIND: unbinds(d, m, out); break;
    default: break;
    }
}

bool keys_wants_command(const struct msg *m)
{
    enum act act = act_of(m);

    return act >= ACT_SET ||
           (act == ACT_UNACKED && name_use(msg_text(m, F_REDIS_KEY)) == NAME_KOMBU);
}

void keys_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    if (m->kind == MSG_COMMAND)
        at_once(d, m, act_of(m), out);
    else if (m->kind == MSG_REPLY)
        keys(d, m, act_of(m), out);
}
