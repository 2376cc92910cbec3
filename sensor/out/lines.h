/* out/lines.h - records as lines into a file descriptor, for the sinks that are
 * one. What could not be written stays and is tried again, so that a line is never
 * cut in its midst; when the buffer is full, whole records are lost and counted.
 *
 * Offline a write waits. Live it does not wait for a reader who is slow (a pipe):
 * lines then wait in the buffer, up to the bound of the options. */
#ifndef OUT_LINES_H
#define OUT_LINES_H

#include "out/sink.h"
#include "out/text.h"

struct lines {
    int fd;
    bool live;
    size_t limit; /* of what waits */
    struct text waiting;
    size_t written_to; /* bytes of `waiting` that are out already */
    size_t half;       /* bytes of a line that are out, and its end is not */
    uint64_t records;  /* in `waiting`, the one that is half out too */
    int error;         /* errno of the last write; 0: it went well */
    struct sink_stats stats;
};

void lines_init(struct lines *l, int fd, const struct sink_options *opt);
bool lines_add(struct lines *l, const struct record *r); /* false: lost, and counted */
/* Writes what it can; false: an error, in l->error. */
bool lines_flush(struct lines *l);
void lines_stats(const struct lines *l, struct sink_stats *out);
/* Flushes, waiting (live at most 10 s); what is left is lost. false: something was. The
 * descriptor stays open. */
bool lines_finish(struct lines *l);

#endif
