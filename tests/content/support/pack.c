/* tests/content/support/pack.c - see pack.h. */
#include "tests/content/support/pack.h"

#include <bzlib.h>
#include <lzma.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

static struct bytes exact(uint8_t *block, size_t n)
{
    uint8_t *to = malloc(n > 0 ? n : 1);
    memcpy(to, block, n);
    free(block);
    return bytes_of(to, n);
}

static size_t pack_deflate(struct bytes plain, int window_bits, uint8_t *to, size_t room)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)plain.at,
                  .avail_in = (unsigned)plain.len,
                  .next_out = to,
                  .avail_out = (unsigned)room};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) !=
            Z_OK ||
        deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    deflateEnd(&z);
    return z.total_out;
}

static size_t pack_bzip2(struct bytes plain, uint8_t *to, size_t room)
{
    unsigned n = (unsigned)room;
    if (BZ2_bzBuffToBuffCompress((char *)to, &n, (char *)(uintptr_t)plain.at, (unsigned)plain.len,
                                 1, 0, 0) != BZ_OK)
        abort();
    return n;
}

static size_t pack_xz(struct bytes plain, uint8_t *to, size_t room)
{
    size_t n = 0;
    if (lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, plain.at, plain.len, to, &n, room) !=
        LZMA_OK)
        abort();
    return n;
}

static size_t pack_base64(struct bytes plain, uint8_t *to)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = 0;
    while (plain.len > 0) {
        struct bytes three = bytes_cut(&plain, 3);
        unsigned v = 0;
        for (size_t i = 0; i < 3; i++)
            v = v << 8 | (i < three.len ? three.at[i] : 0u);
        for (size_t i = 0; i < 4; i++)
            to[n++] = i <= three.len ? (uint8_t)alphabet[v >> (18 - 6 * i) & 63] : '=';
    }
    return n;
}

struct bytes pack(enum coding coding, struct bytes plain)
{
    size_t room = plain.len * 2 + 1000;
    uint8_t *to = malloc(room);
    switch (coding) {
    case CODING_BASE64: return exact(to, pack_base64(plain, to));
    case CODING_ZLIB: return exact(to, pack_deflate(plain, MAX_WBITS, to, room));
    case CODING_GZIP: return exact(to, pack_deflate(plain, MAX_WBITS + 16, to, room));
    case CODING_BZIP2: return exact(to, pack_bzip2(plain, to, room));
    case CODING_XZ: return exact(to, pack_xz(plain, to, room));
    case CODING_ZSTD: return exact(to, ZSTD_compress(to, room, plain.at, plain.len, 1));
    case CODING_BROTLI:
    case CODING_AUTH:
    case CODING_NONE: break;
    }
    abort();
}

void pack_free(struct bytes packed)
{
    free((void *)(uintptr_t)packed.at);
}

struct bytes repeated(uint8_t c, size_t n)
{
    uint8_t *to = malloc(n > 0 ? n : 1);
    memset(to, c, n);
    return bytes_of(to, n);
}

const char brotli_text[] = "[[1, 2], {\"a\": \"b\"}, {\"callbacks\": null, \"errbacks\": null}]";

#define PACKED_ZEROS                                                                   \
    "\xcb\xff\xff\x3f\xf8\x27\x00\xe2\xb1\x40\x20\xf7\xfe\x8f\xff\xff\x7f\xf0\x4f\x00" \
    "\xc4\x61\x11\x80\xee\xfd\x1f\xff\xff\xff\xe0\x9f\x00\x88\xc3\x02\x00\xdd\xfb\x3f" \
    "\xfe\xff\xff\xc1\x3f\x01\x10\x87\x05\x00\xba\xf7\x7f\xfc\xff\xff\x83\x7f\x02\x20" \
    "\x0e\x0b\x00\x74\xef\xff\xf8\xff\xff\x07\xff\x04\x40\x1c\x16\x00\xe8\xde\xff\xf1" \
    "\xff\xff\x0f\xfe\x09\x80\x38\x2c\x00\xd0\xbd\xff\xe3\xff\xff\x1f\xfc\x13\x00\x71" \
    "\x58\x00\xa0\x7b\xff\x37"
#define PACKED_TEXT                                                                    \
    "\x0b\x1d\x80\x5b\x5b\x31\x2c\x20\x32\x5d\x2c\x20\x7b\x22\x61\x22\x3a\x20\x22\x62" \
    "\x22\x7d\x2c\x20\x7b\x22\x63\x61\x6c\x6c\x62\x61\x63\x6b\x73\x22\x3a\x20\x6e\x75" \
    "\x6c\x6c\x2c\x20\x22\x65\x72\x72\x62\x61\x63\x6b\x73\x22\x3a\x20\x6e\x75\x6c\x6c" \
    "\x7d\x5d\x03"

const struct bytes brotli_zeros = {.at = (const uint8_t *)PACKED_ZEROS,
                                   .len = sizeof PACKED_ZEROS - 1};
const struct bytes brotli_packed_text = {.at = (const uint8_t *)PACKED_TEXT,
                                         .len = sizeof PACKED_TEXT - 1};
