/* pickle/secret_command.h - secrets that programs and functions are given, by their place. */
#ifndef PICKLE_SECRET_COMMAND_H
#define PICKLE_SECRET_COMMAND_H

#include "signatures/pickle/secret_text.h"

/* Whether a secret is announced at text[at]: mysql -pX, docker login -p X, echo X | sudo -S,
 * .login("user", "X"); and where it is. */
bool command_secret(struct bytes text, size_t at, struct span *secret);

#endif
