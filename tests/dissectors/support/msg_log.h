/* support/msg_log.h - a message of a dissector as one line of text, for tests:
 *
 *   kind action > @offset #packet [coverage,...] FIELD=value... body=... headers={...}
 *
 * > the client sent the unit, < the server. Fields come in the order of the
 * table, by the name of their id; a text stands bare when it is a plain word,
 * else in quotes with escapes. Secrets are printed: tests only. */
#ifndef TESTS_MSG_LOG_H
#define TESTS_MSG_LOG_H

#include <stdio.h>

#include "dissectors/msg.h"

void msg_log(FILE *to, const struct msg *m);
void msg_log_text(FILE *to, struct bytes text);

#endif
