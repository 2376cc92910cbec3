/* run/suppress.c - every part of an entry that is set must match. */
#include "run/suppress.h"

#include "signatures/glob.h"

static bool matches(const struct suppression *s, const struct msg *m, const struct finding *f)
{
    const struct rule *rule = &rules[f->rule];
    const struct flow_id *id = &m->conn->id;
    bool client = rule->client_is_source || m->dir == TO_SERVER;
    const struct endpoint *source = client ? &id->client : &id->server;
    const struct endpoint *destination = client ? &id->server : &id->client;

    if (m->at.ns >= s->until_ns || !glob_match(s->rule, bytes_of(rule->id, strlen(rule->id))))
        return false;
    if (s->has_source && !network_has(&s->source, source))
        return false;
    if (s->has_destination && !network_has(&s->destination, destination))
        return false;
    return !s->task || (msg_has(m, F_TASK_NAME) && glob_match(s->task, msg_text(m, F_TASK_NAME)));
}

bool suppressed(const struct policy *policy, const struct msg *m, const struct finding *f)
{
    for (size_t i = 0; i < policy->n_suppress; i++)
        if (matches(&policy->suppress[i], m, f))
            return true;
    return false;
}
