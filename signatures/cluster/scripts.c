/* signatures/cluster/scripts.c - scripts that no known client runs: redis-admin,
 * redis-destructive, and redis-queue-tamper of those that write to a queue of tasks or to kombu's
 * own keys. One that is run by its SHA-1 is what was loaded, or run, under it on that server
 * before. */
#include "signatures/cluster/scripts.h"

#include "base/hash.h"
#include "signatures/baseline.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/names.h"
#include "signatures/cluster/topology.h"

#define SCRIPTS_MAX 16384u
#define DAY         86400u

enum about { ABOUT_NOTHING, ABOUT_RESULTS, ABOUT_KOMBU, ABOUT_TASKS };

/* Of a text that was seen. */
struct text {
    int64_t signs;
    uint8_t about; /* what the texts in it name */
};

struct lru *scripts_new(void)
{
    return lru_new(SCRIPTS_MAX, sizeof(struct text), NULL, NULL);
}

/* A channel that workers listen to: /0.celery.pidbox, /0.celeryev/worker.elect. */
static struct bytes channel_of(const struct msg *m, enum field_id list)
{
    struct bytes left = msg_text(m, list), a, none = {0};

    while (list_next(&left, &a))
        if (name_use(a) == NAME_MAILBOX || bytes_find(a, ".celeryev"))
            return a;
    return none;
}

/* The gravest that one of them names; *which is that one. */
static enum about named(struct deployment *d, const struct msg *m, enum field_id list,
                        struct bytes *which)
{
    struct bytes left = msg_text(m, list), a;
    enum about most = ABOUT_NOTHING;

    while (list_next(&left, &a)) {
        enum name_use use = name_use(a);
        enum about one = ABOUT_NOTHING;

        if (use == NAME_RESULTS)
            one = ABOUT_RESULTS;
        else if (use == NAME_KOMBU)
            one = ABOUT_KOMBU;
        else if (crew_is_task_queue(&d->crew, m, a))
            one = ABOUT_TASKS;
        if (one > most) {
            most = one;
            *which = a;
        }
    }
    return most;
}

static void say(const struct msg *m, enum rule_id rule, enum severity severity, const char *why,
                struct bytes which, const struct detect_out *out)
{
    bool function = msg_num(m, F_SCRIPT_SIGNS, 0) & SCRIPT_FUNCTION;
    struct bytes command = msg_text(m, F_REDIS_COMMAND), id = msg_text(m, F_SCRIPT);
    struct finding f;

    if (rule != RULE_REDIS_QUEUE_TAMPER &&
        baseline_controls(out->policy->baseline, &m->conn->id.client, command))
        return;
    finding_init(&f, rule, severity);
    finding_reason(&f, "%s", why);
    finding_text(&f, "command", command);
    finding_text(&f, function ? "function" : "script", id);
    if (which.len > 0)
        finding_text(&f, "names", which);
    f.fold_class = hash_bytes(id, 0);
    if (rule == RULE_REDIS_ADMIN) {
        f.fold = FOLD_BROKER | FOLD_CLASS;
        f.fold_seconds = DAY;
    }
    out->emit(out->ctx, m, &f);
}

static uint64_t key_of(const struct msg *m, struct bytes name, bool function)
{
    return hash_mix(topology_server(m->conn), hash_bytes(name, function ? 8 : 6));
}

/* A library: what is in its text is remembered of whatever may be a function's name. That it is
 * loaded was said (server.c). */
static void keep_library(struct deployment *d, const struct msg *m, enum about about)
{
    struct bytes names = msg_text(m, F_SCRIPT_NAMES), name;
    bool fresh;

    while (list_next(&names, &name)) {
        struct text *t = lru_put(d->scripts, key_of(m, name, true), &fresh);

        if (t)
            *t = (struct text){msg_num(m, F_SCRIPT_SIGNS, 0), (uint8_t)about};
    }
}

/* What is known of its text; it is remembered when it is there. */
static struct text recall(struct deployment *d, const struct msg *m, enum about about)
{
    struct text none = {0}, *t;
    int64_t signs = msg_num(m, F_SCRIPT_SIGNS, 0);
    uint64_t key = key_of(m, msg_text(m, F_SCRIPT), signs & SCRIPT_FUNCTION);
    bool fresh;

    if (!(signs & SCRIPT_TEXT)) {
        t = lru_get(d->scripts, key);
        return t ? *t : none;
    }
    t = lru_put(d->scripts, key, &fresh);
    if (!t)
        return none;
    t->signs = signs;
    if (signs & SCRIPT_LOADED) /* else keys are among the names */
        t->about = (uint8_t)about;
    return *t;
}

/* What it does, by the text that is known of it and by what this command gives it. */
static int64_t does(const struct msg *m, const struct text *text)
{
    const int64_t all = SCRIPT_WRITES | SCRIPT_WIPES | SCRIPT_EMPTIES | SCRIPT_PUBLISHES;
    int64_t signs = msg_num(m, F_SCRIPT_SIGNS, 0), given = signs / SCRIPT_GIVEN & all;

    if (signs & SCRIPT_LOADED)
        return 0; /* not yet */
    if (!(text->signs & SCRIPT_CALLS_GIVEN) || !given)
        return text->signs & (all | SCRIPT_WRITES_ARGV);
    return (text->signs & all) | given | SCRIPT_WRITES_ARGV;
}

void scripts_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    struct bytes which = {0}, argument = {0}, channel;
    enum about about, given;
    struct text text;
    int64_t acts;

    if (m->kind != MSG_COMMAND || !msg_has(m, F_SCRIPT))
        return;
    about = named(d, m, F_SCRIPT_NAMES, &which);
    given = named(d, m, F_SCRIPT_ARGS, &argument);
    if ((msg_num(m, F_SCRIPT_SIGNS, 0) & (SCRIPT_LOADED | SCRIPT_FUNCTION)) ==
        (SCRIPT_LOADED | SCRIPT_FUNCTION)) {
        keep_library(d, m, about);
        return;
    }
    text = recall(d, m, about);
    acts = does(m, &text);
    channel = channel_of(m, F_SCRIPT_NAMES);
    if (channel.len == 0)
        channel = channel_of(m, F_SCRIPT_ARGS);
    if (text.about > about)
        about = text.about;
    if ((acts & SCRIPT_WIPES) || ((acts & SCRIPT_EMPTIES) && crew_is_celerys(&d->crew, m)))
        say(m, RULE_REDIS_DESTRUCTIVE, SEV_HIGH, "a script destroys data of the Redis server",
            which, out);
    else if ((acts & SCRIPT_WRITES) &&
             (about >= ABOUT_KOMBU || ((acts & SCRIPT_WRITES_ARGV) && given >= ABOUT_KOMBU)))
        say(m, RULE_REDIS_QUEUE_TAMPER, SEV_HIGH,
            "a script that kombu does not have writes to a queue of tasks or to kombu's keys",
            about >= ABOUT_KOMBU ? which : argument, out);
    else if ((acts & SCRIPT_PUBLISHES) && channel.len > 0)
        say(m, RULE_REDIS_QUEUE_TAMPER, SEV_HIGH,
            "a script that kombu does not have sends to what workers listen to", channel, out);
    else if (about != ABOUT_NOTHING || given != ABOUT_NOTHING)
        say(m, RULE_REDIS_ADMIN, SEV_MEDIUM,
            "a script that no known client runs names a queue of tasks, kombu's keys or results",
            about != ABOUT_NOTHING ? which : argument, out);
    else
        say(m, RULE_REDIS_ADMIN, SEV_INFO, "a script that no known client runs", which, out);
}
