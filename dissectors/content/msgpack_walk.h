/* content/msgpack_walk.h - heads of MessagePack values, and a way over values without reading them
 * (msgpack specification, "Formats"). */
#ifndef CONTENT_MSGPACK_WALK_H
#define CONTENT_MSGPACK_WALK_H

#include "base/bytes.h"

enum mp_kind {
    MP_INT,
    MP_UINT,
    MP_NIL,
    MP_FALSE,
    MP_TRUE,
    MP_FLOAT32,
    MP_FLOAT64,
    MP_STR,
    MP_BIN,
    MP_EXT,
    MP_ARRAY,
    MP_MAP,
    MP_BAD, /* 0xc1, which is never used */
};

struct mp_head {
    enum mp_kind kind;
    unsigned size; /* of the head: lead byte, length, type */
    uint64_t
        count; /* MP_STR, MP_BIN, MP_EXT: bytes behind the head; MP_ARRAY: values; MP_MAP: pairs */
    uint64_t bits; /* MP_INT (sign extended), MP_UINT, MP_FLOAT32, MP_FLOAT64, MP_EXT: the type */
};

/* Reads the head at the front of `in`; false: `in` ends inside it. */
bool mp_head(struct bytes in, struct mp_head *h);

enum mp_walk { MP_WALK_DONE, MP_WALK_ENDED, MP_WALK_BAD };

/* Moves *in over `values` values, nested ones included. MP_WALK_ENDED: the input ended first, or
 * cannot hold them, since each is a byte at least; *in is then what cannot be walked over. */
enum mp_walk mp_walk(struct bytes *in, uint64_t values);

#endif
