/* signatures/message/pickle_story.h - what a finding says of a pickle: reference 7.3, but for the
 * bytes themselves, which may hold what must not leave the sensor. */
#ifndef SIGNATURES_PICKLE_STORY_H
#define SIGNATURES_PICKLE_STORY_H

#include "signatures/message/message.h"
#include "signatures/pickle/pickle.h"

/* Texts of the evidence, made once a message where there is a finding; in the arena. */
struct story {
    const struct pickle_result *r;
    const struct pickle_import *worst; /* NULL: it imports nothing */
    struct bytes imports, calls, flags, path, digest, original;
};

/* `own`: the pickle is the body itself, not something in a text of it. */
struct story story_of(const struct msg *m, const struct pickle_result *r, bool own,
                      struct arena *arena);
void story_add(struct finding *f, const struct story *s);

#endif
