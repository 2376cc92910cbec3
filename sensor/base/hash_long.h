/* base/hash_long.h - hash_bytes() of more than a few hundred bytes: as wide as the
 * processor allows. Only hash.c includes it. */
#ifndef BASE_HASH_LONG_H
#define BASE_HASH_LONG_H

#include "base/bytes.h"

uint64_t hash_long(struct bytes b, uint64_t seed);

#endif
