/* run/options.h - the one table of options that are plain values: it serves the
 * configuration file, the command line, --dump-config, the JSON Schema and the
 * manual's table. Lists of objects (outputs, suppress) are beside it, in
 * conf_file.c. */
#ifndef RUN_OPTIONS_H
#define RUN_OPTIONS_H

#include "run/conf.h"

enum option_type {
    OPTION_BOOL,     /* bool */
    OPTION_COUNT,    /* uint64_t */
    OPTION_UNSIGNED, /* unsigned */
    OPTION_BYTES,    /* uint64_t; text with k, M or G */
    OPTION_TIME,     /* int64_t ns; text with ms, s, m, h or d */
    OPTION_TEXT,     /* char *, NULL when absent */
    OPTION_TEXTS,    /* struct text_list */
    OPTION_SECONDS,  /* int64_t ns; a bare number is seconds */
};

struct option_def {
    const char *path; /* dotted, as in the file */
    enum option_type type;
    size_t offset;        /* in struct conf */
    const char *standard; /* default, as it would be written; NULL: absent */
    uint64_t min, max;    /* of numbers, in the unit that is stored (time: ns) */
    const char *help;
};

extern const struct option_def option_defs[];
extern const size_t option_count;

const struct option_def *option_find(const char *path);
/* Sets the field from its text. false: not of the type, or out of range; `error` says what was
 * expected. */
bool option_set(struct conf *conf, const struct option_def *o, const char *text, char *error,
                size_t error_len);
/* Adds to a list. */
bool option_add(struct conf *conf, const struct option_def *o, const char *text);
void option_defaults(struct conf *conf);
void option_free(struct conf *conf);
/* The value as it would be written in the file; lists excepted. */
void option_text(const struct conf *conf, const struct option_def *o, char *text, size_t len);

#endif
