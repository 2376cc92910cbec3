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
#include "signatures/glob.h"
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

/* How a section is written: its name, and the keys of its entries; NULL: they have none such. The
 * first that is there is mandatory. Entries of `tasks` are bare texts: no keys at all. */
struct baseline_keys {
    const char *section, *name, *addresses, *list, *user;
};
extern const struct baseline_keys baseline_keys[BASELINE_SECTIONS];

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

struct baseline_index; /* baseline_index() */

struct baseline {
    struct baseline_part {
        bool present;
        struct baseline_entry *at;
        size_t n;
        struct baseline_index *index; /* NULL: questions look at every entry */
    } sections[BASELINE_SECTIONS];
    unsigned generation; /* others for each that is read while the sensor runs: for memories of
                            answers */
};

/* Making one. The texts are copied; a zeroed baseline is an empty one without sections. */

/* A new entry, empty but for the copied name (may be NULL); the section is present from now on.
 * NULL: no memory. Good until the next. */
struct baseline_entry *baseline_add(struct baseline *b, enum baseline_section s, const char *name);
/* Set has_addresses, has_list. false: no memory. */
bool baseline_add_address(struct baseline_entry *e, const struct network *n);
bool baseline_add_text(struct baseline_entry *e, const char *text);
/* Makes the questions quick; entries are not changed after it. false: no memory (answers are right,
 * and slow). */
bool baseline_index(struct baseline *b);
/* Of what is in it; the struct is the caller's, and zeroed. */
void baseline_clear(struct baseline *b);

/* The section is there, so what it does not list is unknown. b may be NULL: no. */
bool baseline_judges(const struct baseline *b, enum baseline_section s);

/* relays, monitors, schedulers: the address is listed. NULL or an absent section: no. */
bool baseline_lists(const struct baseline *b, enum baseline_section s, const struct endpoint *who);
/* controllers: may this address send this command? NULL or an absent section: no. */
bool baseline_controls(const struct baseline *b, const struct endpoint *who, struct bytes command);

enum baseline_origin {
    ORIGIN_KNOWN,      /* an entry lists the host, and address and user are its own */
    ORIGIN_OTHER_USER, /* an entry lists the host with this address, none of them this user */
    ORIGIN_ELSEWHERE,  /* entries list the host, none with this address */
    ORIGIN_UNKNOWN,    /* no entry lists the host */
};
/* Of an origin's host (what follows gen<pid>@), the address that publishes (NULL: not known, any)
 * and its user (empty: not known, any). Producers, and the hosts of workers (the node's part after
 * '@'). */
enum baseline_origin baseline_origin(const struct baseline *b, struct bytes host,
                                     const struct endpoint *who, struct bytes user);
/* The producer's own list allows the task (one of the entries that match host and address has no
 * list, or there is none that matches: yes). */
bool baseline_producer_task(const struct baseline *b, struct bytes host, const struct endpoint *who,
                            struct bytes task);
/* The section `tasks`, if it is present; Celery's own tasks by their exact names are known always.
 */
bool baseline_task(const struct baseline *b, struct bytes task);
bool baseline_is_celerys(struct bytes task); /* celery.chord and its like */
/* A worker entry allows the four; an empty node, queue or user, and a `who` of NULL, are not known
 * and match any. NULL or an absent section: no. */
bool baseline_worker(const struct baseline *b, struct bytes node, const struct endpoint *who,
                     struct bytes queue, struct bytes user);
/* A worker entry names the queue, as it is and by no glob: it carries tasks. */
bool baseline_queue(const struct baseline *b, struct bytes queue);
enum baseline_import {
    IMPORT_KNOWN,    /* an entry of this queue covers the module */
    IMPORT_UNLISTED, /* no entry covers it, and none is for this queue */
    IMPORT_UNLEARNT, /* entries are for this queue, none covers it */
};
/* An entry covers a module if a text of its list matches it or one of the packages that it is in
 * (shop covers shop.models). An empty queue is not known: any entry may cover, none is for it. */
enum baseline_import baseline_import(const struct baseline *b, struct bytes queue,
                                     struct bytes module);

#endif
