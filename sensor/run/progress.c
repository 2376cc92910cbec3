/* run/progress.c - one line that is written over. */
#include "run/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define FIRST_NS INT64_C(1000000000)
#define EVERY_NS INT64_C(500000000)

static int64_t machine_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void progress_begin(struct progress *p, int verbosity)
{
    *p = (struct progress){.on = verbosity >= 0 && isatty(STDERR_FILENO), .began_ns = machine_ns()};
}

void progress_show(struct progress *p, struct capture_progress at)
{
    int64_t now;

    if (!p->on)
        return;
    now = machine_ns();
    if (now - p->began_ns < FIRST_NS || now - p->last_ns < EVERY_NS)
        return;
    p->last_ns = now;
    p->shown = true;
    if (at.bytes_total > 0)
        fprintf(stderr, "\r\033[Kcapture: %" PRIu64 " of %" PRIu64 " MB (%" PRIu64 " %%)",
                at.bytes_read >> 20, at.bytes_total >> 20, at.bytes_read * 100 / at.bytes_total);
    else
        fprintf(stderr, "\r\033[Kcapture: %" PRIu64 " MB", at.bytes_read >> 20);
    fflush(stderr);
}

void progress_done(struct progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = false;
}
