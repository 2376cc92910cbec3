/* signatures/cluster/schedule.c - the schedule that redbeat keeps in Redis, written by another than
 * beat: redis-schedule-tamper. Its keys are `redbeat:<name>` (a hash: definition, meta), `redbeat::
 * schedule`, `redbeat::statics`, `redbeat::lock`, behind whatever prefix (redbeat:redbeat/
 * schedulers.py). Beat is who asks for its lock or extends it, or reads what is due and publishes
 * tasks; it writes its own entries before it takes the lock, hence the wait. It never takes the
 * lock from who has it (redis-py:lock.py:Lock.do_acquire). */
#include <stdlib.h>

#include "base/hash.h"
#include "dissectors/content/reader.h"
#include "signatures/baseline.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/names.h"
#include "signatures/cluster/topology.h"
#include "signatures/cluster/waiting.h"

#define WRITERS_MAX 4096u
#define JUDGE_NS    (30 * INT64_C(1000000000))

struct writer {
    bool beat;
    bool seizes; /* beat's lock, whoever has it */
    bool reads;  /* what is due */
    bool waits;  /* a write of its own is to be judged */
};

struct schedule {
    struct lru *writers;
    struct waiting *writes;
};

struct schedule *schedule_new(void)
{
    struct schedule *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->writers = lru_new(WRITERS_MAX, sizeof(struct writer), NULL, NULL);
    s->writes = waiting_new(WRITERS_MAX);
    if (s->writers && s->writes)
        return s;
    schedule_free(s);
    return NULL;
}

void schedule_free(struct schedule *s)
{
    if (!s)
        return;
    waiting_free(s->writes);
    lru_free(s->writers);
    free(s);
}

static bool is_redbeats(struct bytes key)
{
    return bytes_find(key, "redbeat:");
}

static bool is_lock(struct bytes key)
{
    return name_ends(key, "redbeat::lock");
}

/* LPUSH, PUBLISH, BRPOP and their like are out at once: they are most. */
bool schedule_wants(const struct msg *m)
{
    struct bytes command;

    if (m->kind != MSG_ENVELOPE || m->cause)
        return false;
    command = msg_text(m, F_REDIS_COMMAND);
    if (command.len < 3 || !memchr("HSZ", command.at[0], 3))
        return false;
    return is_redbeats(msg_text(m, F_REDIS_KEY));
}

static bool is_one_of(struct bytes command, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes_eq(command, names[i]))
            return true;
    return false;
}

bool schedule_seizes(const struct msg *m)
{
    const struct args *a = m->args;

    if (m->kind != MSG_COMMAND || !a || !msg_is(m, F_REDIS_COMMAND, "SET") ||
        !is_lock(msg_text(m, F_REDIS_KEY)))
        return false;
    for (size_t i = 3; i < a->n; i++)
        if (a->at[i].len == 2 && (a->at[i].at[0] | 0x20) == 'n' && (a->at[i].at[1] | 0x20) == 'x')
            return false;
    return true;
}

/* What takes an entry away or lets it vanish, or puts something in its place. */
bool schedule_wants_command(const struct msg *m)
{
    static const char *const names[] = {
        "HDEL",         "ZREM",        "EXPIRE",     "EXPIREAT",       "PEXPIRE",
        "PEXPIREAT",    "ZPOPMAX",     "ZPOPMIN",    "ZREMRANGEBYLEX", "ZREMRANGEBYRANK",
        "HGETDEL",      "HGETEX",      "HEXPIRE",    "HEXPIREAT",      "ZREMRANGEBYSCORE",
        "HPEXPIREAT",   "HINCRBY",     "HPEXPIRE",   "ZDIFFSTORE",     "ZRANGESTORE",
        "HINCRBYFLOAT", "BITOP",       "SDIFFSTORE", "SINTERSTORE",    "ZINTERSTORE",
        "SUNIONSTORE",  "ZUNIONSTORE",
    };
    struct bytes key = msg_text(m, F_REDIS_KEY);

    return m->kind == MSG_COMMAND && is_redbeats(key) && !is_lock(key) &&
           is_one_of(msg_text(m, F_REDIS_COMMAND), names, sizeof names / sizeof *names);
}

struct bytes schedule_task(const struct msg *m)
{
    struct bytes none = {0}, body = m->content ? m->content->body : none;
    struct reader r;
    struct token t;

    if (!msg_is(m, F_REDIS_FIELD, "definition") || body.len == 0 || body.at[0] != '{')
        return none;
    reader_begin(&r, WHAT_JSON, body, m->content->clipped, NULL);
    if (!reader_next(&r, &t) || t.kind != TOKEN_MAP)
        return none;
    while (reader_next(&r, &t) && t.kind == TOKEN_KEY) {
        if (!token_is(&t, "task"))
            reader_skip(&r, &t);
        else
            return reader_next(&r, &t) && t.kind == TOKEN_STRING && !t.cut ? t.text : none;
    }
    return none;
}

static struct writer *writer_of(struct schedule *s, const struct msg *m)
{
    bool fresh;

    return lru_put(s->writers, hash_mix(topology_scope(m), crew_host_id(m)), &fresh);
}

static bool is_script(const struct msg *m)
{
    return m->kind == MSG_REPLY && name_starts(msg_text(m, F_REDIS_COMMAND), "EVAL");
}

/* One of the keys, which may be the second: RENAME, COPY, scripts. */
static bool names_redbeats(const struct msg *m, bool entry)
{
    struct bytes args = msg_text(m, F_REDIS_ARGS), a = msg_text(m, F_REDIS_KEY);

    if (m->kind != MSG_REPLY)
        return is_redbeats(a) && !(entry && is_lock(a));
    do {
        if (is_redbeats(a) && !(entry && is_lock(a)))
            return true;
    } while (list_next(&args, &a));
    return false;
}

/* It asks for the lock, or runs one of redbeat's scripts on it: by their SHA-1. */
static bool holds_lock(const struct msg *m, const struct writer *w)
{
    if (names_redbeats(m, true))
        return false;
    if (m->kind == MSG_REPLY)
        return msg_is(m, F_REDIS_COMMAND, "EVALSHA");
    return m->op == OP_STORE && msg_is(m, F_REDIS_COMMAND, "SET") && !w->seizes;
}

/* Deletes or takes, or puts another key in the place of one. */
static bool replaces(const struct msg *m)
{
    static const char *const commands[] = {
        "DEL",     "UNLINK",         "DELEX", "RENAME", "RENAMENX", "MOVE",     "COPY",
        "RESTORE", "RESTORE-ASKING", "ZMPOP", "BZMPOP", "BZPOPMAX", "BZPOPMIN",
    };

    return m->kind == MSG_REPLY &&
           is_one_of(msg_text(m, F_REDIS_COMMAND), commands, sizeof commands / sizeof *commands);
}

/* Redbeat's own scripts have the lock alone. */
static bool writes(const struct msg *m)
{
    if (m->kind == MSG_ENVELOPE)
        return m->dir == TO_SERVER;
    return replaces(m) || schedule_wants_command(m) || msg_has(m, F_SEIZES) ||
           (is_script(m) && names_redbeats(m, true));
}

void schedule_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    struct schedule *s = d->schedule;
    struct writer *w;

    if (!(m->kind & (MSG_ENVELOPE | MSG_REPLY | MSG_COMMAND)) || !names_redbeats(m, false))
        return;
    w = writer_of(s, m);
    if (!w)
        return;
    w->seizes |= msg_has(m, F_SEIZES);
    if (holds_lock(m, w))
        w->beat = true;
    else if (m->op == OP_READ)
        w->reads |= name_starts(msg_text(m, F_REDIS_COMMAND), "ZRANGE");
    else if (writes(m) &&
             !baseline_lists(out->policy->baseline, BASELINE_SCHEDULERS, &m->conn->id.client))
        w->waits = w->waits || waiting_add(s->writes, m, NULL);
}

/* Beat will send it in its own name: it is judged as if it had been sent. */
static void unknown_task(const struct msg *m, struct bytes task, const struct detect_out *out)
{
    struct finding f;

    finding_init(&f, RULE_TASK_NAME_UNKNOWN, SEV_MEDIUM);
    finding_reason(&f, "an entry of beat's schedule names a task that the baseline does not list");
    finding_text(&f, "names", task);
    f.fold_class = hash_bytes(task, 0);
    out->emit(out->ctx, m, &f);
}

static void say(const struct msg *m, const struct detect_out *out)
{
    struct bytes task = msg_text(m, F_TASK_NAME);
    struct finding f;

    finding_init(&f, RULE_REDIS_SCHEDULE_TAMPER, SEV_HIGH);
    finding_reason(&f, "the schedule that beat keeps in Redis is written by another than beat");
    finding_text(&f, "command", msg_text(m, F_REDIS_COMMAND));
    if (task.len > 0)
        finding_text(&f, "task", task);
    f.fold_class = hash_bytes(task, 0);
    out->emit(out->ctx, m, &f);
    if (task.len > 0 && baseline_judges(out->policy->baseline, BASELINE_TASKS) &&
        !baseline_task(out->policy->baseline, task))
        unknown_task(m, task, out);
}

static void judge_until(struct deployment *d, int64_t until, const struct detect_out *out)
{
    struct schedule *s = d->schedule;
    const struct host *h;
    struct flat_view v;
    struct writer *w;
    uint64_t host;

    while (waiting_next(s->writes, until, &v, &host)) {
        w = lru_get(s->writers, hash_mix(topology_scope(&v.m), host));
        h = crew_find(&d->crew, &v.m, host);
        if (!w || w->seizes || !(w->beat || (w->reads && h && h->published)))
            say(&v.m, out);
        if (w)
            w->waits = w->seizes = false;
    }
}

void schedule_tick(struct deployment *d, struct stamp now, const struct detect_out *out)
{
    judge_until(d, now.ns - JUDGE_NS, out);
}

void schedule_finish(struct deployment *d, const struct detect_out *out)
{
    judge_until(d, INT64_MAX, out);
}
