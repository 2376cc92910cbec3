/* dissectors/apps/embed.h - the tasks that a task brings along. */
#ifndef APPS_EMBED_H
#define APPS_EMBED_H

#include "dissectors/apps/body.h"

#define EMBED_NAMES 64u
#define EMBED_SIGNATURES                                                    \
    (1u << 18) /* that are looked at; a message of more is one of few names \
                */

/* The names of the tasks that a task called `name`, with this body, makes a worker run besides
 * itself: those of callbacks, errbacks, chain and chord, with all that hangs on them, and those
 * that a built-in task carries in its arguments (celery:canvas.py:Signature;
 * celery:app/builtins.py). Packed as list_add() does, without repeats, about in the order of the
 * wire, at most EMBED_NAMES; empty: none. Memory: the arena. */
struct bytes embed_names(const struct document *doc, const struct body *b, struct bytes name,
                         struct arena *arena);

/* celery.map, starmap, chunks, group, chain, chord, chord_unlock: their arguments hold signatures.
 */
bool embed_is_builtin(struct bytes name);

#endif
