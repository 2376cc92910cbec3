/* run/suppress.c - every part of an entry that is set must match. */
#include "run/suppress.h"

#include <fnmatch.h>

/* A name off the wire against a glob. Longer names than this match no glob but by their head. */
#define NAME_MAX_MATCHED 512u

static bool glob(const char *pattern, struct bytes name)
{
    char text[NAME_MAX_MATCHED];
    size_t n = name.len < sizeof text - 1 ? name.len : sizeof text - 1;

    if (name.len > 0 && memchr(name.at, 0, name.len))
        return false; /* no real name holds one; it must not end the comparison early */
    if (n > 0)
        memcpy(text, name.at, n);
    text[n] = '\0';
    return fnmatch(pattern, text, 0) == 0;
}

static bool matches(const struct suppression *s, const struct msg *m, const struct finding *f)
{
    const struct rule *rule = &rules[f->rule];
    const struct flow_id *id = &m->conn->id;
    bool client = rule->client_is_source || m->dir == TO_SERVER;
    const struct endpoint *source = client ? &id->client : &id->server;
    const struct endpoint *destination = client ? &id->server : &id->client;

    if (m->at.ns >= s->until_ns || fnmatch(s->rule, rule->id, 0) != 0)
        return false;
    if (s->has_source && !network_has(&s->source, source))
        return false;
    if (s->has_destination && !network_has(&s->destination, destination))
        return false;
    return !s->task || (msg_has(m, F_TASK_NAME) && glob(s->task, msg_text(m, F_TASK_NAME)));
}

bool suppressed(const struct policy *policy, const struct msg *m, const struct finding *f)
{
    for (size_t i = 0; i < policy->n_suppress; i++)
        if (matches(&policy->suppress[i], m, f))
            return true;
    return false;
}
