/* tests/every_split.h - the test that every stream parser must pass: what it
 * says must not depend on how the stream was cut.
 *
 * `run` starts a fresh parser, is fed the pieces through `feed`, and returns a
 * malloc'd log. Each piece is put in a block of its own, exactly as long as the
 * piece, so that one byte too far is an AddressSanitizer report. */
#ifndef TESTS_EVERY_SPLIT_H
#define TESTS_EVERY_SPLIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

struct split_subject {
    void *(*start)(void);
    void (*feed)(void *parser, struct bytes piece);
    char *(*finish)(void *parser); /* the log; frees the parser */
};

static char *split_run(const struct split_subject *s, struct bytes all, size_t first, size_t step)
{
    void *parser = s->start();
    for (size_t at = 0, n = first; at < all.len; at += n, n = step) {
        if (n > all.len - at)
            n = all.len - at;
        uint8_t *own = malloc(n);
        memcpy(own, all.at + at, n);
        s->feed(parser, bytes_of(own, n));
        free(own);
    }
    return s->finish(parser);
}

/* Whole; cut in two at every place; in steps of 1, 2, 3, ... bytes. */
static int every_split(const struct split_subject *s, struct bytes all)
{
    char *want = split_run(s, all, all.len, all.len);
    int bad = 0;
    for (size_t n = 1; n < all.len && !bad; n++) {
        char *two = split_run(s, all, n, all.len), *steps = split_run(s, all, n, n);
        bad = strcmp(want, two) != 0 || strcmp(want, steps) != 0;
        if (bad)
            fprintf(stderr, "cut at %zu:\n--- whole\n%s--- cut\n%s%s", n, want, two, steps);
        free(two), free(steps);
    }
    free(want);
    return bad;
}

#endif
