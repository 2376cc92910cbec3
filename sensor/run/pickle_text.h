/* run/pickle_text.h - the verdict on one file, for people and for programs. */
#ifndef RUN_PICKLE_TEXT_H
#define RUN_PICKLE_TEXT_H

#include "signatures/pickle/pickle.h"

#include <stdio.h>

struct pickle_report {
    const char *file;
    const struct pickle_result *result;
    struct bytes pickle; /* as much of the unwrapped bytes as was kept */
    uint64_t file_size;
    char path[96]; /* what was undone: "base64 -> zlib"; empty: nothing */
};

void pickle_write_text(FILE *out, const struct pickle_report *r);
/* One line. false: no memory, or it could not be written. */
bool pickle_write_json(FILE *out, const struct pickle_report *r);

#endif
