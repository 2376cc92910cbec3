/* base/hash_long.c - see hash_long.h. */
#include "base/hash_long.h"

#include <xxhash.h>
/* Its variants give the same hashes. */
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#endif

uint64_t hash_long(struct bytes b, uint64_t seed)
{
    return XXH3_64bits_withSeed(b.at, b.len, seed);
}
