/* dissectors/amqp/foothold.h - where in the middle of a stream does a frame
 * begin? For captures that join late, and after lost bytes.
 *
 * A foothold is one whole method frame, content header frame or heartbeat: known
 * class and method (or class 60, weight 0), arguments that fill the frame to the
 * byte, 0xCE behind them. That is 7 bytes or more of agreement besides the
 * lengths. Body frames are no foothold: what they belong to is not known anyway.
 * The answer depends on the bytes of the stream alone, not on how it was cut. */
#ifndef DISSECTORS_AMQP_FOOTHOLD_H
#define DISSECTORS_AMQP_FOOTHOLD_H

#include "base/bytes.h"

enum foothold {
    FOOTHOLD_NO,   /* no frame begins here */
    FOOTHOLD_MORE, /* one may; *need bytes will tell more */
    FOOTHOLD_YES,  /* *need bytes are a frame */
};

/* At the first byte of b. Frames larger than max_size are not looked for. Costs the
 * same however large the frame is. */
enum foothold amqp_foothold(struct bytes b, size_t max_size, size_t *need);

/* The first place in b where the answer is not NO: its offset in *at. */
enum foothold amqp_foothold_find(struct bytes b, size_t max_size, size_t *at, size_t *need);

#endif
