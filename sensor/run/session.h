/* run/session.h - one run: opens outputs and captures, drops privileges, runs the
 * pipeline to the end, says what there was. */
#ifndef RUN_SESSION_H
#define RUN_SESSION_H

#include "run/conf.h"

/* The exit code of detections.md 4. */
int session_run(const struct conf *conf);

#endif
