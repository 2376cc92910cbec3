/* content/codecs.c - see codecs.h. */
#include "dissectors/content/codecs.h"

static const struct alias {
    const char *name;
    enum coding coding;
} aliases[] = {
    /* kombu:compression.py, the register() calls at its end; x-gzip is a zlib stream there */
    {"application/x-gzip", CODING_ZLIB},
    {"gzip", CODING_ZLIB},
    {"zlib", CODING_ZLIB},
    {"application/x-bz2", CODING_BZIP2},
    {"bzip2", CODING_BZIP2},
    {"bzip", CODING_BZIP2},
    {"application/x-lzma", CODING_XZ},
    {"lzma", CODING_XZ},
    {"xz", CODING_XZ},
    {"application/x-brotli", CODING_BROTLI},
    {"brotli", CODING_BROTLI},
    {"application/zstd", CODING_ZSTD},
    {"zstd", CODING_ZSTD},
    {"zstandard", CODING_ZSTD},
};

enum coding coding_by_name(struct bytes name)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (bytes_eq(name, aliases[i].name))
            return aliases[i].coding;
    return CODING_NONE;
}

/* RFC 1950, 2.2: method 8, window up to 32 KiB, no preset dictionary, and the header as a
 * number divisible by 31. */
static bool zlib_header(const uint8_t *p)
{
    return (p[0] & 0x0f) == 8 && p[0] >> 4 <= 7 && !(p[1] & 0x20) && (p[0] << 8 | p[1]) % 31 == 0;
}

/* RFC 1951, 3.2.3 to 3.2.7: the first block is of a kind that there is, a stored one as long as it
 * says twice, the counts of a dynamic one are in bounds. */
static bool deflate_begins(const uint8_t *p, size_t n)
{
    switch (p[0] >> 1 & 3) {
    case 0: return n >= 5 && (p[1] ^ p[3]) == 0xff && (p[2] ^ p[4]) == 0xff;
    case 1: return true;
    case 2: return n >= 2 && p[0] >> 3 <= 29 && (p[1] & 31) <= 29;
    default: return false;
    }
}

/* Windows below 32 KiB, which zlib.decompress() takes as well: what else begins so is common, text
 * not least, and pickles of a text in quotes. */
static bool small_window(struct bytes head)
{
    bool quoted = head.at[0] == '(' && head.at[1] == 'S' && head.at[2] == '"';

    return zlib_header(head.at) && head.len >= 8 && !quoted &&
           deflate_begins(head.at + 2, head.len - 2);
}

static bool begins(struct bytes b, const void *magic, size_t n)
{
    return b.len >= n && memcmp(b.at, magic, n) == 0;
}

enum coding coding_by_magic(struct bytes head)
{
    if (head.len < 4)
        return CODING_NONE;
    switch (head.at[0]) {
    case 0x78: /* the only window size that Python's zlib writes by itself */
        return zlib_header(head.at) ? CODING_ZLIB : CODING_NONE;
    case 0x1f: return begins(head, "\x1f\x8b\x08", 3) ? CODING_GZIP : CODING_NONE;
    case 'B':
        return begins(head, "BZh", 3) && head.at[3] >= '1' && head.at[3] <= '9' ? CODING_BZIP2
                                                                                : CODING_NONE;
    case 0xfd:
        return begins(head,
                      "\xfd"
                      "7zXZ\0",
                      6)
                   ? CODING_XZ
                   : CODING_NONE;
    case 0x28:
        if (begins(head, "\x28\xb5\x2f\xfd", 4))
            return CODING_ZSTD;
        return small_window(head) ? CODING_ZLIB : CODING_NONE;
    case 0x18:
    case 0x38:
    case 0x48:
    case 0x58:
    case 0x68: return small_window(head) ? CODING_ZLIB : CODING_NONE;
    default: return CODING_NONE;
    }
}

const char *coding_name(enum coding coding)
{
    switch (coding) {
    case CODING_BASE64: return "base64";
    case CODING_ZLIB: return "zlib";
    case CODING_GZIP: return "gzip";
    case CODING_BZIP2: return "bzip2";
    case CODING_XZ: return "xz";
    case CODING_ZSTD: return "zstd";
    case CODING_BROTLI: return "brotli";
    case CODING_AUTH: return "auth";
    case CODING_NONE: break;
    }
    return "none";
}
