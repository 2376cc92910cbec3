/* pickle/secret.h - where secrets are in text: commands, headers, URLs, source code, settings. */
#ifndef PICKLE_SECRET_H
#define PICKLE_SECRET_H

#include "base/bytes.h"

/* Stands between the items of a list that are looked at as one text: ["docker", "login", "-p", "X"]
 * is a command as well. */
#define SECRET_ITEM '\x1e'

/* The next secret in text[*from..): from where to where; false: there is none. */
bool secret_next(struct bytes text, size_t *from, size_t *to);

/* A name under which people keep secrets. */
bool secret_name(struct bytes key);

/* The first of the positional arguments of this method or class that is a secret; SIZE_MAX: none is
 * known to be. */
size_t secret_argument(struct bytes callable);

#endif
