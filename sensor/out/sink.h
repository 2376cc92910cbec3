/* out/sink.h - where finished records go. A sink sees bytes and a few routing
 * fields; it knows no finding, no JSON, no protocol. */
#ifndef OUT_SINK_H
#define OUT_SINK_H

#include <sys/types.h>

#include "base/wire.h"

enum emit_kind {
    EMIT_ALERTS,
    EMIT_TASKS,
    EMIT_RESULTS,
    EMIT_WORKERS,
    EMIT_CONTROL,
    EMIT_COMMANDS,
    EMIT_INVENTORY,
    EMIT_STATS,
    EMIT_KINDS
};

/* "alerts", "tasks", ... as in --emit; and event.dataset: "celeriac.alert", ... */
const char *emit_name(enum emit_kind kind);
const char *emit_dataset(enum emit_kind kind);

struct record {
    enum emit_kind kind;
    uint8_t severity;  /* 1..5; 0 for what is not an alert */
    struct bytes key;  /* Community ID; empty for statistics */
    struct bytes text; /* one JSON object, no newline */
};

enum sink_error {
    SINK_OK,
    SINK_USAGE = 64,
    SINK_UNREACHABLE = 69,
    SINK_CANNOT_WRITE = 74,
    SINK_DENIED = 77
};

struct sink_options {
    bool live;          /* live: never block, bounded queue, losses counted; offline: wait */
    size_t queue_bytes; /* bound of what waits; 0: SINK_QUEUE_BYTES */
    /* Offline: asked while a sink waits; true: wait no longer (a second SIGINT). NULL: never. */
    bool (*give_up)(void *ctx);
    void *ctx;
    /* The process becomes this user once all is open: files that are its own now become his. */
    bool changes_user;
    uid_t uid;
    gid_t gid;
};
#define SINK_QUEUE_BYTES ((size_t)64 << 20)

struct sink_stats {
    uint64_t written, lost, lost_bytes, waiting_bytes;
    bool
        broken; /* will write no more (offline: any error; live: the reader has gone); in the log */
};

/* Live, when a queue fills up: what is least worth goes first. The share of the queue, in 256ths,
 * that records of this kind and severity may fill: the message log half of it, high and
 * critical alerts all. */
unsigned sink_share(const struct record *r);

struct sink {
    const char *scheme; /* "stdout", "file", "kafka" */
    /* url: the part after "scheme:". Not *sink_error == SINK_OK: NULL, and one line in err. */
    void *(*open)(const char *url, const struct sink_options *opt, enum sink_error *error,
                  char *err, size_t err_len);
    bool (*write)(void *self, const struct record *r); /* false: lost, and counted */
    void (*poll)(void *self);                          /* often; delivery reports and the like */
    void (*reopen)(void *self);                        /* SIGHUP */
    void (*settled)(
        void *self); /* the user was changed: warns of what reopen() cannot do; or NULL */
    void (*stats)(void *self, struct sink_stats *out);
    bool (*close)(void *self); /* flushes, bounded in time; false: something was lost */
};

extern const struct sink *const sinks[]; /* NULL at the end */

/* "kafka:host" -> the sink and its url; NULL: unknown scheme. */
const struct sink *sink_find(const char *url, const char **rest);

/* --format: true for "ecs"; else one line in err (unknown, or not built yet): exit 64. */
bool sink_format(const char *format, char *err, size_t err_len);

#endif
