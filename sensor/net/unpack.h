/* net/unpack.h - a stored file as a stream of bytes, whatever it was compressed with:
 * nothing, gzip, xz, zstd or lz4, told by its first bytes. Members that follow
 * one another are one stream. Memory for a decompressor is bounded. */
#ifndef NET_UNPACK_H
#define NET_UNPACK_H

#include <signal.h>
#include <stdio.h>

#include "base/bytes.h"

/* Of the caller, and must outlive the stream. */
struct unpack_state {
    const volatile sig_atomic_t *stop; /* NULL, or ends a wait for a pipe */
    uint64_t taken;                    /* bytes read of the stored file */
    char error[128];                   /* "" or why the stream ends too early */
};

/* A stream for reading; ftello() works, other seeking does not. Takes over fd
 * in any case. buffer: stdio's. After an error the stream fails, state->error says
 * why. NULL: no memory. */
FILE *unpack_open(int fd, size_t buffer, struct unpack_state *state);

#endif
