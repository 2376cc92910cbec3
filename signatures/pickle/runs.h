/* pickle/runs.h - where in a text something encoded may stand: long runs of the characters that
 * base64 and hex are made of. */
#ifndef PICKLE_RUNS_H
#define PICKLE_RUNS_H

#include "base/bytes.h"

#define RUN_MIN 24u

/* The first run of at least RUN_MIN letters, digits, + - / = _ and line feeds from *at on, as long
 * as it is, that something worth a look may begin; *at is then behind it. Line feeds in front do
 * not belong to it. Empty: there is none. In front of *at there is no such character, or the text
 * begins there. */
struct bytes runs_next(struct bytes text, size_t *at);

#endif
