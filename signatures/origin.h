/* signatures/origin.h - the header `origin` of a task: gen<pid>@<host>, as
 * celery:utils/nodenames.py:anon_nodename makes it. Pure. */
#ifndef SIGNATURES_ORIGIN_H
#define SIGNATURES_ORIGIN_H

#include "base/bytes.h"

struct origin {
    int64_t pid; /* -1: more digits than a number has */
    struct bytes host;
};

/* false: it has not that form. */
bool origin_parse(struct bytes text, struct origin *o);

#endif
