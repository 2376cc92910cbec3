/* signatures/cluster/scripts.h - Redis scripts: which are known, and what one that is not known
 * says of itself. Asked by the workers, which have the arguments; no state. */
#ifndef SIGNATURES_CLUSTER_SCRIPTS_H
#define SIGNATURES_CLUSTER_SCRIPTS_H

#include "base/arena.h"
#include "dissectors/msg.h"

#define SCRIPT_HEX 40u /* digits of a SHA-1 */

enum script_sign {
    SCRIPT_TEXT = 1u << 0,        /* its text was seen */
    SCRIPT_WRITES = 1u << 1,      /* with a command that changes lists, sets or hashes */
    SCRIPT_WRITES_ARGV = 1u << 2, /* to a key that is an argument */
    SCRIPT_FUNCTION = 1u << 3,    /* FCALL: a name, and no text; or a library of such */
    SCRIPT_LOADED = 1u << 4,      /* SCRIPT LOAD, FUNCTION LOAD: it does not run yet */
    SCRIPT_CALLS_GIVEN = 1u << 5, /* a command whose name is not in its text */
    SCRIPT_WIPES = 1u << 6,       /* FLUSHALL, SWAPDB */
    SCRIPT_EMPTIES = 1u << 7,     /* FLUSHDB */
    SCRIPT_PUBLISHES = 1u << 16,
    /* Of a command whose name is among the keys and arguments: WRITES, WIPES, EMPTIES, PUBLISHES
     * times this. */
    SCRIPT_GIVEN = 1u << 8,
};

/* Whether clients that are known run it: SHA-1, 40 lower-case digits. */
bool script_is_known(const char hex[SCRIPT_HEX]);
/* Of a MSG_COMMAND with its arguments that runs or loads a script which is not known: SCRIPT,
 * SCRIPT_SIGNS, SCRIPT_NAMES, SCRIPT_ARGS. What it sets lives in the arena. */
void scripts_read(struct msg *m, struct arena *arena);

#endif
