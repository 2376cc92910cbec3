/* net/unpack.h - a stored file as a stream of bytes, whatever it was compressed with:
 * nothing, gzip, xz, zstd or lz4, told by its first bytes. Members that follow
 * one another are one stream. Memory for a decompressor is bounded. */
#ifndef NET_UNPACK_H
#define NET_UNPACK_H

#include <stdio.h>

#include "base/bytes.h"

/* Of the caller, zeroed at first, and must outlive the stream. */
struct unpack_state {
    /* NULL, or asked every 100 ms while a pipe is silent; false ends the stream. */
    bool (*wait)(void *ctx);
    void *ctx;
    char error[128]; /* "" or why the stream ends too early */
    uint64_t taken;  /* of unpack.c, as are these: */
    uint8_t *buffer;
    int plain; /* descriptor + 1 of a file that needs no unpacking */
};

/* A stream for reading; ftello() works, other seeking may not. Takes over fd in any
 * case, closes it unless it is standard input. buffer: bytes read at a time. After an error the
 * stream fails and state->error says why, if the cause is not in errno. NULL: no memory. */
FILE *unpack_open(int fd, size_t buffer, struct unpack_state *state);
/* Bytes of the stored file read so far. */
uint64_t unpack_taken(const struct unpack_state *state);
/* After the stream has been closed. */
void unpack_end(struct unpack_state *state);

#endif
