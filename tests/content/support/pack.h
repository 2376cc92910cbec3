/* tests/content/support/pack.h - makes what the unwrapping undoes. */
#ifndef TESTS_CONTENT_PACK_H
#define TESTS_CONTENT_PACK_H

#include "dissectors/content/content.h"

/* In a block of malloc of the exact size. Every coding but brotli, for which see below. */
struct bytes pack(enum coding coding, struct bytes plain);
void pack_free(struct bytes packed);

/* n times the byte c, in a block of malloc. */
struct bytes repeated(uint8_t c, size_t n);

/* Two texts, packed by Google's brotli: 64 MiB of zeros, and brotli_text. */
extern const struct bytes brotli_zeros, brotli_packed_text;
extern const char brotli_text[];

#endif
