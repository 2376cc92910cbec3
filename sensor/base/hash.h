/* base/hash.h - 64-bit hashes for tables and identities inside the sensor.
 * XXH3 underneath (libxxhash); never printed, so free to change. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/bytes.h"

uint64_t hash_bytes(struct bytes b, uint64_t seed);

/* Two into one. With either argument fixed no two values of the other meet, so that a chain of
 * mixed small numbers collides no more than hashes do. */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    uint64_t x = a ^ (a >> 32);

    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    x += b * 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xff51afd7ed558ccdu;
    return x ^ (x >> 32);
}

#endif
