/* run/progress.h - how far a long replay is, on a terminal. */
#ifndef RUN_PROGRESS_H
#define RUN_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "net/capture.h"

struct progress {
    bool on, shown;
    int64_t began_ns, last_ns; /* of the machine's clock: for a person, not for the records */
};

/* verbosity below 0, or standard error not a terminal: nothing is shown. */
void progress_begin(struct progress *p, int verbosity);
void progress_show(struct progress *p, struct capture_progress at);
void progress_done(struct progress *p); /* wipes the line */

#endif
