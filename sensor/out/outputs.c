/* out/outputs.c - see outputs.h. */
#include "out/outputs.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

struct output {
    const struct sink *sink;
    void *self;
    char *name;
    unsigned emit;
};

struct outputs {
    struct output *at;
    size_t n;
    unsigned emit; /* of all together */
};

struct outputs *outputs_new(void)
{
    return calloc(1, sizeof(struct outputs));
}

static struct output *room_for_one(struct outputs *o)
{
    struct output *more = realloc(o->at, (o->n + 1) * sizeof *more);

    if (more)
        o->at = more;
    return more ? &more[o->n] : NULL;
}

static bool refuse(enum sink_error *error, enum sink_error why, char *err, size_t err_len,
                   const char *what)
{
    *error = why;
    snprintf(err, err_len, "%s", what);
    return false;
}

bool outputs_add(struct outputs *o, const char *url, unsigned emit_mask,
                 const struct sink_options *opt, enum sink_error *error, char *err, size_t err_len)
{
    const char *rest = "";
    const struct sink *sink = sink_find(url, &rest);
    size_t shown = strcspn(url, "?"); /* properties may hold a password */
    char *name = strndup(url, shown > 0 && url[shown - 1] == ':' ? shown - 1 : shown);
    struct output *new = room_for_one(o);

    if (!sink || !name || !new) {
        free(name);
        return sink ? refuse(error, SINK_CANNOT_WRITE, err, err_len, "out of memory")
                    : refuse(error, SINK_USAGE, err, err_len,
                             "unknown output (stdout:, file:PATH, kafka:HOST[:PORT])");
    }
    void *self = sink->open(rest, opt, error, err, err_len);
    if (!self) {
        free(name);
        return false;
    }
    *new = (struct output){.sink = sink, .self = self, .name = name, .emit = emit_mask};
    o->emit |= emit_mask;
    o->n++;
    return true;
}

bool outputs_wants(const struct outputs *o, enum emit_kind kind)
{
    return o->emit >> kind & 1u;
}

bool outputs_write(struct outputs *o, const struct record *r)
{
    bool all = true;

    for (size_t i = 0; i < o->n; i++)
        if (o->at[i].emit >> r->kind & 1u)
            all = o->at[i].sink->write(o->at[i].self, r) && all;
    return all;
}

void outputs_poll(struct outputs *o)
{
    for (size_t i = 0; i < o->n; i++)
        o->at[i].sink->poll(o->at[i].self);
}

void outputs_reopen(struct outputs *o)
{
    for (size_t i = 0; i < o->n; i++)
        o->at[i].sink->reopen(o->at[i].self);
}

void outputs_settled(struct outputs *o)
{
    for (size_t i = 0; i < o->n; i++)
        if (o->at[i].sink->settled)
            o->at[i].sink->settled(o->at[i].self);
}

size_t outputs_count(const struct outputs *o)
{
    return o->n;
}

const char *outputs_name(const struct outputs *o, size_t i)
{
    return o->at[i].name;
}

void outputs_stats(struct outputs *o, size_t i, struct sink_stats *out)
{
    *out = (struct sink_stats){0};
    o->at[i].sink->stats(o->at[i].self, out);
}

bool outputs_broken(struct outputs *o)
{
    struct sink_stats s;

    for (size_t i = 0; i < o->n; i++) {
        outputs_stats(o, i, &s);
        if (s.broken)
            return true;
    }
    return false;
}

bool outputs_close(struct outputs *o)
{
    bool whole = true;

    for (size_t i = 0; o && i < o->n; i++) {
        if (!o->at[i].sink->close(o->at[i].self)) {
            log_warn("%s: not all records could be written", o->at[i].name);
            whole = false;
        }
        free(o->at[i].name);
    }
    if (o)
        free(o->at);
    free(o);
    return whole;
}
