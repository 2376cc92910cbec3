/* base/bytes.h - borrowed byte ranges and a bounds-checked reader.
 *
 * A `struct bytes` never owns memory. Its lifetime is that of the buffer it
 * points into; anyone who keeps it past the current callback copies it.
 *
 * A cursor fails once and stays failed: a read past the end returns 0 (or an
 * empty range), does not move, and sets `bad`. Read a whole group of fields,
 * then test cur_ok() once. There is no pointer arithmetic on input outside this
 * file. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const uint8_t *at;
    size_t len;
};

struct cursor {
    const uint8_t *at, *end;
    bool bad;
};

static inline struct bytes bytes_of(const void *p, size_t n)
{
    return (struct bytes){.at = p, .len = n};
}

static inline struct bytes bytes_head(struct bytes b, size_t n)
{
    return bytes_of(b.at, b.len < n ? b.len : n);
}

/* Takes up to n bytes off the front. */
static inline struct bytes bytes_cut(struct bytes *b, size_t n)
{
    struct bytes head = bytes_head(*b, n);
    if (head.len > 0)
        *b = bytes_of(b->at + head.len, b->len - head.len);
    return head;
}

/* Always inlined: of a literal the length is then known, and few bytes are compared in place. */
__attribute__((always_inline)) static inline bool bytes_eq(struct bytes b, const char *text)
{
    size_t n = strlen(text);
    return b.len == n && (n == 0 || memcmp(b.at, text, n) == 0);
}

/* Where `text` begins first in b; NULL: nowhere. An empty range, whose `at` may be NULL, holds
 * nothing. */
__attribute__((always_inline)) static inline const uint8_t *bytes_find(struct bytes b,
                                                                       const char *text)
{
    size_t n = strlen(text);
    return b.len > 0 && b.len >= n ? memmem(b.at, b.len, text, n) : NULL;
}

/* What stands behind the first `text` in b; empty: there is none, or nothing behind it. */
__attribute__((always_inline)) static inline struct bytes bytes_after(struct bytes b,
                                                                      const char *text)
{
    const uint8_t *at = bytes_find(b, text);
    size_t n = at ? (size_t)(at - b.at) + strlen(text) : b.len;
    return bytes_of(at ? b.at + n : NULL, b.len - n);
}

static inline struct cursor cur_over(struct bytes b)
{
    return (struct cursor){.at = b.at, .end = b.len ? b.at + b.len : b.at};
}

static inline size_t cur_left(const struct cursor *c)
{
    return (size_t)(c->end - c->at);
}

static inline bool cur_ok(const struct cursor *c)
{
    return !c->bad;
}

/* The next n bytes, or an empty range and a failed cursor. */
static inline struct bytes cur_take(struct cursor *c, size_t n)
{
    if (c->bad || n > cur_left(c)) {
        c->bad = true;
        return (struct bytes){0};
    }
    struct bytes b = bytes_of(c->at, n);
    c->at += n;
    return b;
}

/* Big-endian unsigned integer of 1 to 8 bytes. */
static inline uint64_t cur_be(struct cursor *c, unsigned width)
{
    struct bytes b = cur_take(c, width);
    uint64_t v = 0;
    for (size_t i = 0; i < b.len; i++)
        v = v << 8 | b.at[i];
    return v;
}

static inline uint8_t cur_u8(struct cursor *c)
{
    struct bytes b = cur_take(c, 1);
    return b.len > 0 ? *b.at : 0;
}

static inline uint16_t cur_u16(struct cursor *c)
{
    struct bytes b = cur_take(c, 2);
    uint16_t v = 0;
    if (b.len > 0)
        memcpy(&v, b.at, sizeof v);
    return __builtin_bswap16(v);
}

static inline uint32_t cur_u32(struct cursor *c)
{
    struct bytes b = cur_take(c, 4);
    uint32_t v = 0;
    if (b.len > 0)
        memcpy(&v, b.at, sizeof v);
    return __builtin_bswap32(v);
}

static inline uint64_t cur_u64(struct cursor *c)
{
    struct bytes b = cur_take(c, 8);
    uint64_t v = 0;
    if (b.len > 0)
        memcpy(&v, b.at, sizeof v);
    return __builtin_bswap64(v);
}

/* Big-endian integers at a place that the caller has checked. */
static inline uint16_t be16_at(struct bytes b, size_t at)
{
    uint16_t v;
    memcpy(&v, b.at + at, sizeof v);
    return __builtin_bswap16(v);
}

static inline uint32_t be32_at(struct bytes b, size_t at)
{
    uint32_t v;
    memcpy(&v, b.at + at, sizeof v);
    return __builtin_bswap32(v);
}

/* A child that cannot see past its own length field (tables, TLVs). */
static inline struct cursor cur_sub(struct cursor *c, size_t n)
{
    struct cursor s = cur_over(cur_take(c, n));
    s.bad = c->bad;
    return s;
}

#endif
