/* signatures/cluster/deployment.c - keeps what is known of the deployments, and asks the detectors
 * that share it. */
#include "signatures/cluster/deployment.h"

#include <stdlib.h>

#include "signatures/cluster/cluster.h"
#include "signatures/cluster/names.h"
#include "signatures/cluster/waiting.h"

#define TASKS_MIN 1024u

static void close_deployment(void *self)
{
    struct deployment *d = self;
    struct lru *const maps[] = {d->bindings,  d->ways,    d->answers, d->names,
                                d->producers, d->scripts, d->readers, d->claims};

    crew_close(&d->crew);
    ledger_free(d->ledger);
    nodes_free(d->nodes);
    control_free(d->control);
    consumers_free(d->consumers);
    origins_free(d->origins);
    belongs_free(d->belongs);
    swallowed_free(d->swallowed);
    schedule_free(d->schedule);
    waiting_free(d->unacked);
    waiting_free(d->doubted);
    waiting_free(d->late);
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        if (maps[i])
            lru_free(maps[i]);
    free(d);
}

/* What is only a map. */
static bool open_maps(struct deployment *d)
{
    d->bindings = tap_new();
    d->ways = ways_new();
    d->answers = handcrafted_new();
    d->names = hidden_new();
    d->producers = flood_new();
    d->scripts = scripts_new();
    d->readers = results_read_new();
    d->claims = claims_new();
    return d->bindings && d->ways && d->answers && d->names && d->producers && d->scripts &&
           d->readers && d->claims;
}

static void *open_deployment(const struct policy *policy)
{
    struct deployment *d = calloc(1, sizeof *d);
    size_t max = policy->tasks_remembered > TASKS_MIN ? policy->tasks_remembered : TASKS_MIN;

    if (!d)
        return NULL;
    d->ledger = ledger_new(max);
    d->nodes = nodes_new();
    d->control = control_new();
    d->consumers = consumers_new();
    d->origins = origins_new();
    d->belongs = belongs_new();
    d->swallowed = swallowed_new();
    d->schedule = schedule_new();
    d->unacked = unacked_new();
    d->doubted = forged_new();
    d->late = late_new();
    if (crew_open(&d->crew) && d->ledger && d->nodes && d->control && d->consumers && d->origins &&
        d->belongs && d->swallowed && d->schedule && d->unacked && d->doubted && d->late &&
        open_maps(d))
        return d;
    close_deployment(d);
    return NULL;
}

bool deployment_wants_command(const struct msg *m)
{
    struct bytes command;

    if (msg_has(m, F_AMQP_METHOD))
        return msg_has(m, F_SETTLES) || !msg_is(m, F_AMQP_METHOD, "basic.ack");
    if (msg_has(m, F_SETTLES) || msg_has(m, F_INDEXES) || msg_has(m, F_SCRIPT) ||
        msg_has(m, F_REACH))
        return true;
    command = msg_text(m, F_REDIS_COMMAND);
    if (bytes_eq(command, "BRPOP") || bytes_eq(command, "RPOP") || bytes_eq(command, "BLPOP"))
        return name_use(msg_text(m, F_REDIS_KEY)) == NAME_TASKS;
    return keys_wants_command(m) || schedule_wants_command(m) || bytes_eq(command, "PSUBSCRIBE") ||
           bytes_eq(command, "SUBSCRIBE") ||
           ((bytes_eq(command, "SADD") || name_starts(command, "EVAL")) &&
            (bytes_find(msg_text(m, F_REDIS_KEY), "_kombu.binding") ||
             name_ends(msg_text(m, F_REDIS_KEY), "unacked_mutex")));
}

/* What concerns a task, from its publish to its result. */
static void life(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    if (m->kind == MSG_TASK) {
        origins_note(d, m, out);
        tasks_note(d, m, out);
        handcrafted_note(d, m, out);
        hidden_note(d, m, out);
        flood_note(d, m, out);
    } else if (m->kind == MSG_WORKER) {
        claims_note(d, m, out);
        tasks_note(d, m, out);
    } else if (m->kind == MSG_RESULT) {
        forged_note(d, m, out);
        results_read_note(d, m, out);
    }
}

/* What is asked of the server itself, of AMQP's methods and of keys. */
static void use(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    server_note(d, m, out);
    if (m->kind & (MSG_COMMAND | MSG_REPLY)) {
        forged_note(d, m, out);
        keys_note(d, m, out);
    }
    if (m->kind == MSG_COMMAND) {
        scripts_note(d, m, out);
        unacked_note(d, m, out);
    } else if (m->kind == MSG_ENVELOPE) {
        junk_note(d, m, out);
    }
    schedule_note(d, m, out);
}

static void note(void *self, const struct msg *m, const struct detect_out *out)
{
    struct deployment *d = self;

    if (m->kind == MSG_LOST) {
        crew_note_lost(&d->crew, m);
        return;
    }
    nodes_note(d->nodes, &d->crew, m, out);
    if (m->kind != MSG_CLOSED)
        crew_note(&d->crew, m);
    if (m->kind & (MSG_TASK | MSG_WORKER | MSG_RESULT))
        life(d, m, out);
    else if (m->kind & (MSG_COMMAND | MSG_REPLY | MSG_ENVELOPE | MSG_ANOMALY))
        use(d, m, out);
    control_note(d, m, out);
    tap_note(d, m, out);
    consumers_note(d, m, out);
    swallowed_note(d, m, out);
    belongs_note(d, m, out);
}

static void tick(void *self, struct stamp now, const struct detect_out *out)
{
    struct deployment *d = self;

    control_tick(d, now, out);
    consumers_tick(d, now, out);
    swallowed_tick(d, now, out);
    schedule_tick(d, now, out);
    unacked_tick(d, now, out);
    forged_tick(d, now, out);
    late_tick(d, now, out);
}

static void finish(void *self, struct stamp now, const struct detect_out *out)
{
    consumers_finish(self, now, out);
    schedule_finish(self, out);
    unacked_finish(self, now, out);
    forged_finish(self, out);
    late_finish(self, out);
}

const struct cluster_detector deployment_detector = {
    .name = "deployment",
    .wants = MSG_TASK | MSG_RESULT | MSG_WORKER | MSG_CONTROL | MSG_COMMAND | MSG_REPLY |
             MSG_ENVELOPE | MSG_ANOMALY | MSG_CLOSED | MSG_LOST | MSG_STORED,
    .open = open_deployment,
    .note = note,
    .tick = tick,
    .finish = finish,
    .close = close_deployment,
};
