/* out/stdout.c - the sink "stdout:": one record a line on standard output. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "out/lines.h"
#include "out/sinks.h"

struct out {
    struct lines lines;
    bool told;
};

static void *stdout_open(const char *url, const struct sink_options *opt, enum sink_error *error,
                         char *err, size_t err_len)
{
    struct out *o = NULL;

    *error = SINK_USAGE;
    if (*url) {
        snprintf(err, err_len, "stdout takes no path");
        return NULL;
    }
    *error = SINK_CANNOT_WRITE;
    o = calloc(1, sizeof *o);
    if (!o) {
        snprintf(err, err_len, "out of memory");
        return NULL;
    }
    lines_init(&o->lines, STDOUT_FILENO, opt);
    *error = SINK_OK;
    return o;
}

static void tell(struct out *o)
{
    if (o->lines.error != 0 && !o->told)
        log_error("standard output: %s", strerror(o->lines.error));
    o->told = o->lines.error != 0;
}

static bool stdout_write(void *self, const struct record *r)
{
    struct out *o = self;
    bool taken = lines_add(&o->lines, r);

    tell(o);
    return taken;
}

static void stdout_poll(void *self)
{
    struct out *o = self;

    lines_flush(&o->lines);
    tell(o);
}

static void stdout_reopen(void *self)
{
    stdout_poll(self);
}

static void stdout_stats(void *self, struct sink_stats *out)
{
    lines_stats(&((struct out *)self)->lines, out);
}

static bool stdout_close(void *self)
{
    struct out *o = self;
    bool whole = lines_finish(&o->lines);

    tell(o);
    free(o);
    return whole;
}

const struct sink sink_stdout = {
    .scheme = "stdout",
    .open = stdout_open,
    .write = stdout_write,
    .poll = stdout_poll,
    .reopen = stdout_reopen,
    .stats = stdout_stats,
    .close = stdout_close,
};
