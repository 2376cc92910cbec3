/* signatures/baseline.h - what the operator says is normal (detections.md 5), as plain data, and
 * the questions that detectors ask of it. One form of entry serves all sections: reading it,
 * judging by it, learning it, writing it.
 *
 * Without a baseline (NULL) nothing is unknown. With one, a section that is absent is not judged;
 * one that is empty knows nothing. All questions are pure: a baseline is const once it has been
 * read, and any thread may ask. */
#ifndef SIGNATURES_BASELINE_H
#define SIGNATURES_BASELINE_H

#include "base/bytes.h"
#include "signatures/policy.h"

enum baseline_section {
    BASELINE_PRODUCERS,
    BASELINE_WORKERS,
    BASELINE_CONTROLLERS,
    BASELINE_TASKS,
    BASELINE_IMPORTS,
    BASELINE_RELAYS,
    BASELINE_MONITORS,
    BASELINE_SCHEDULERS,
    BASELINE_SECTIONS,
};

struct network_list {
    struct network *at;
    size_t n;
};

/* An entry of any section: the keys that its section has not are absent. */
struct baseline_entry {
    char *name; /* glob: origin, node, queue of imports, or the task itself; NULL: the section has
                   no name. "" of a producer: clients that write no origin */
    bool has_addresses, has_list; /* absent: any */
    struct network_list addresses;
    struct text_list list; /* globs: a producer's tasks, a worker's queues, a controller's commands,
                              prefixes of imports' modules */
    char *user;            /* glob, or NULL: any */
};

struct baseline {
    struct baseline_part {
        bool present;
        struct baseline_entry *at;
        size_t n;
    } sections[BASELINE_SECTIONS];
};

/* The section is there, so what it does not list is unknown. b may be NULL: no. */
bool baseline_judges(const struct baseline *b, enum baseline_section s);

/* relays, monitors, schedulers: the address is listed. NULL or an absent section: no. */
bool baseline_lists(const struct baseline *b, enum baseline_section s, const struct endpoint *who);
/* controllers: may this address send this command? NULL or an absent section: no. */
bool baseline_controls(const struct baseline *b, const struct endpoint *who, struct bytes command);

enum baseline_origin {
    ORIGIN_KNOWN,     /* an entry lists the host, and the address is its own */
    ORIGIN_ELSEWHERE, /* entries list the host, none with this address */
    ORIGIN_UNKNOWN,   /* no entry lists the host */
};
/* Of an origin's host (what follows gen<pid>@) and the address that publishes. Producers, and the
 * hosts of workers (the node's part after '@'). */
enum baseline_origin baseline_origin(const struct baseline *b, struct bytes host,
                                     const struct endpoint *who);
/* The producer's own list allows the task (none of the entries that match host and address has one:
 * yes). */
bool baseline_producer_task(const struct baseline *b, struct bytes host, const struct endpoint *who,
                            struct bytes task);
/* The section `tasks`; Celery's own tasks by their exact names are known always. */
bool baseline_task(const struct baseline *b, struct bytes task);
/* A worker entry allows the three; an empty node or queue is not known and matches any. */
bool baseline_worker(const struct baseline *b, struct bytes node, const struct endpoint *who,
                     struct bytes queue, struct bytes user);
enum baseline_import {
    IMPORT_KNOWN,    /* an entry of this queue covers the module */
    IMPORT_UNLISTED, /* no entry covers it, and none is for this queue */
    IMPORT_UNLEARNT, /* entries are for this queue, none covers it */
};
enum baseline_import baseline_import(const struct baseline *b, struct bytes queue,
                                     struct bytes module);

/* A name off the wire against a glob ('*', '?', '[...]', '\' before what stands for itself): bytes,
 * no locale, time bounded by the product of the lengths. */
bool glob_match(const char *glob, struct bytes name);

#endif
