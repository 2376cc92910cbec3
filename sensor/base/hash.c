/* base/hash.c - see hash.h. */
#include "base/hash.h"

/* Compiled in: most of what is hashed is so short that finding the right variant costs more. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/hash_long.h"

enum { SHORT = 240 }; /* as XXH3 has it */

uint64_t hash_bytes(struct bytes b, uint64_t seed)
{
    return b.len <= SHORT ? XXH3_64bits_withSeed(b.at, b.len, seed) : hash_long(b, seed);
}
