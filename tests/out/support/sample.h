/* Messages as the collector gets them, for the tests of out. */
#ifndef TESTS_OUT_SAMPLE_H
#define TESTS_OUT_SAMPLE_H

#include <jansson.h>

#include "out/encode.h"

/* A task published over AMQP: task <- envelope <- command, from 10.0.0.1:40000 to 10.0.0.2:5672,
 * stamp 2026-01-02T03:04:05.678901Z, packet 42 of input 0. */
struct sample {
    struct conn_info conn;
    struct msg command, envelope, task;
};
void sample_task(struct sample *s);
/* A login over Redis: credential with user and secret. */
void sample_login(struct sample *s, const char *user, const char *secret);

struct bytes sample_bytes(const char *text);
struct encoder *sample_encoder(bool live, const char *key);

/* The record as jansson reads it (no key twice); fails the test if it is not JSON. */
json_t *sample_parse(const struct record *r);
/* By dotted path; fails the test if it is not there. */
json_t *sample_at(json_t *record, const char *path);
const char *sample_str(json_t *record, const char *path);
/* NULL if it is not there. */
json_t *sample_find(json_t *record, const char *path);

#endif
