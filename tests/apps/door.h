/* tests/apps/door.h - the part of run that interpreters know of: an envelope is
 * unwrapped, classified, and shown to each in turn; an envelope read out of it comes
 * back in by the same door. What they say is kept as text, one line a message:
 *
 *     task published TASK_ID=... TASK_NAME=...
 *
 * with the fields of that message alone, in the order of the table. */
#ifndef TESTS_APPS_DOOR_H
#define TESTS_APPS_DOOR_H

#include <stdio.h>
#include <stdlib.h>

#include "dissectors/apps/place.h"
#include "dissectors/interpreter.h"

struct door {
    struct arena *arena;
    struct tally tally;
    FILE *log;            /* NULL: nothing is written, everything is read all the same */
    struct top_pair *top; /* what the pickle machine would say of a pickle */
    unsigned n_top;
    unsigned depth, messages;
    uint64_t sum; /* over all bytes of all views: they can be read */
};

/* As in dissectors/registry.c, which is of a layer above. */
static const struct interpreter *const door_interpreters[] = {
    &kombu_interpreter,    &celery_interpreter, &rq_interpreter,    &huey_interpreter,
    &dramatiq_interpreter, &arq_interpreter,    &cache_interpreter,
};

static const char *const door_kinds[] = {
    "peer",   "credential", "login",  "command", "reply",   "envelope", "anomaly",
    "unread", "task",       "result", "worker",  "control", "stored",
};

static const char *const door_fields[F_COUNT] = {
#define DOOR_NAME(id, path, type) [F_##id] = #id,
    FIELD_LIST_OF(DOOR_NAME)
#undef DOOR_NAME
};

static inline void door_text(struct door *d, struct bytes b)
{
    for (size_t i = 0; i < b.len; i++) {
        uint8_t c = b.at[i];

        d->sum += c;
        if (!d->log)
            continue;
        if (c <= ' ' || c > '~' || c == '\\')
            fprintf(d->log, "\\x%02x", c);
        else
            fputc(c, d->log);
    }
}

static inline void door_field(struct door *d, const struct msg *m, enum field_id id)
{
    union field_value v = m->fields.at[id];
    struct bytes item;
    bool first = true;

    if (d->log)
        fprintf(d->log, " %s=", door_fields[id]);
    if (id == F_BODY_DIGEST || id == F_SIGNATURE) {
        if (d->log)
            fputs(id == F_SIGNATURE ? "some" : v.num ? "some" : "0", d->log);
        return;
    }
    switch (field_defs[id].type) {
    case FIELD_TEXT:
    case FIELD_SECRET: door_text(d, v.text); break;
    case FIELD_LIST:
        while (list_next(&v.text, &item)) {
            if (d->log && !first)
                fputc(',', d->log);
            first = false;
            door_text(d, item);
        }
        break;
    default:
        if (d->log)
            fprintf(d->log, "%lld", (long long)v.num);
    }
}

static inline void door_write(struct door *d, const struct msg *m)
{
    d->messages++;
    if (d->log)
        fprintf(d->log, "%s %s", door_kinds[__builtin_ctz(m->kind)], m->action);
    for (unsigned id = 0; id < F_COUNT; id++)
        if (fields_have(&m->fields, (enum field_id)id))
            door_field(d, m, (enum field_id)id);
    if (m->task) {
        const struct bytes views[] = {m->task->args, m->task->kwargs, m->task->embed};
        FILE *log = d->log;

        d->log = NULL;
        for (unsigned i = 0; i < 3; i++)
            door_text(d, views[i]);
        d->log = log;
    }
    if (d->log)
        fputc('\n', d->log);
}

/* Stands in for the pickle machine: PROTO of 2 to 5. */
static inline bool door_is_pickle(struct bytes b)
{
    return b.len > 1 && b.at[0] == 0x80 && b.at[1] >= 2 && b.at[1] <= 5;
}

static inline void door_open(struct door *d, const struct msg *m, struct content *c)
{
    static const struct content_limits limits = {
        .max_kept = 1u << 20, .max_total = 4u << 20, .max_ratio = 200, .max_depth = 4};

    (void)m;
    if (!c->unwrapped)
        content_unwrap(c, d->arena, &limits, &d->tally);
    if (c->what != WHAT_JSON && door_is_pickle(content_inner(c))) {
        c->what = WHAT_PICKLE;
        c->top = d->top;
        c->n_top = d->n_top;
    }
}

static inline void door_emit(void *ctx, const struct msg *m)
{
    struct door *d = ctx;
    struct interpret_out out = {.arena = d->arena, .tally = &d->tally, .emit = door_emit, .ctx = d};

    if (d->depth > 0)
        door_write(d, m);
    if (m->kind != MSG_ENVELOPE || d->depth == 3)
        return;
    d->depth++;
    if (m->content)
        door_open(d, m, m->content);
    for (size_t i = 0; i < sizeof door_interpreters / sizeof door_interpreters[0]; i++)
        if ((door_interpreters[i]->reads & m->kind) && door_interpreters[i]->read(m, &out))
            break;
    d->depth--;
}

/* Everything in the arena is gone afterwards. */
static inline void door_enter(struct door *d, const struct msg *m)
{
    d->depth = 0;
    door_emit(d, m);
    arena_reset(d->arena);
}

#endif
