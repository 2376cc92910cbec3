/* pickle/runs.h - where in a text something encoded may stand: long runs of the characters that
 * base64 and hex are made of. */
#ifndef PICKLE_RUNS_H
#define PICKLE_RUNS_H

#include "base/bytes.h"

#define RUN_MIN 24u

/* The first run of at least RUN_MIN letters, digits, + - / = _ and line feeds from *at on, as long
 * as it is, that something worth a look may begin; *at is then behind it. Line feeds in front do
 * not belong to it, nor does a name of a few letters with its sign (session=). Empty: there is
 * none. In front of *at there is no such character, or the text begins there. */
struct bytes runs_next(struct bytes text, size_t *at);

/* Base64, or hex, of what is base64 or hex of a pickle or a compressed stream begins with one of
 * these pairs. */
static inline bool run_begins_twice(const uint8_t *run)
{
    uint8_t c = run[1];

    switch (run[0]) {
    case 'Z': return c == '0' || c == 'U';
    case 'W': return c == 'T';
    case 'S': return c == '0' || c == '1' || c == 'D';
    case 'U': return c == 'W';
    case 'L': return c == '1';
    case 'O': return c == 'D';
    case 'N': return c == 'z' || c == 'j';
    case 'M': return c == 'W' || c == 'U' || c == 'j';
    case '2': return c == 'f' || c == 'F';
    case '3': return c == '8' || c == '7' || c == '1' || c == '6' || c == '2';
    case '4': return c == 'b' || c == 'B' || c == '8';
    case '5': return c == '9' || c == '1';
    case '6': return c == '7' || c == '5';
    default: return false;
    }
}

#endif
