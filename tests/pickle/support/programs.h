/* tests/pickle/support/programs.h - pickles assembled as bytes, one technique each, inert. */
#ifndef TESTS_PICKLE_PROGRAMS_H
#define TESTS_PICKLE_PROGRAMS_H

#include "signatures/pickle/pickle.h"

struct program {
    const char *name;
    const char *bytes;
    size_t len;
    enum pickle_verdict want; /* exactly */
    uint64_t flags;           /* all of these */
    const char *call;         /* a part of the first decoded call that is as bad as the verdict */
};

extern const struct program programs[];
extern const unsigned n_programs;

#endif
