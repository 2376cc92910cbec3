/* out/kafka_url.h - HOST[:PORT][,HOST..][/PREFIX][?property=value&..] taken apart. */
#ifndef OUT_KAFKA_URL_H
#define OUT_KAFKA_URL_H

#include "out/sink.h"

struct kafka_property {
    char *name, *value; /* percent-decoded; of @FILE the file's text */
    bool secret;        /* a password, a key, or out of a file: never to be shown */
};

struct kafka_url {
    char *brokers; /* each with its port, 9092 unless said */
    char *prefix;  /* of topics; may be empty */
    struct kafka_property *properties;
    size_t n;
};

/* Anything but SINK_OK: one line in err, without any value of a property; *u is freed. */
enum sink_error kafka_url_parse(struct kafka_url *u, const char *url, char *err, size_t err_len);
void kafka_url_free(struct kafka_url *u); /* wipes values */

/* true: the text holds the value of a secret property. */
bool kafka_url_leaks(const struct kafka_url *u, const char *text);

#endif
