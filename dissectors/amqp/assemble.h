/* dissectors/amqp/assemble.h - method, content header and bodies of one message,
 * interleaved with those of other channels, over any number of frames and chunks.
 *
 * What begins and ends within one chunk is a set of views; only what straddles
 * chunks, or gives way to another channel in mid-message, is copied. */
#ifndef DISSECTORS_AMQP_ASSEMBLE_H
#define DISSECTORS_AMQP_ASSEMBLE_H

#include "dissectors/amqp/conn.h"

/* The unfinished message on that channel in the chunk's direction; NULL: none. */
struct amqp_content *amqp_content_find(struct amqp_feed *f, uint16_t channel);

/* A method that announces content; there is none unfinished on its channel. */
void amqp_content_begin(struct amqp_feed *f, const struct amqp_frame *frame,
                        const struct amqp_method *method);
/* A content header frame. */
void amqp_content_header(struct amqp_feed *f, const struct amqp_frame *frame);
/* A body frame, or a piece of one; `end`: the frame is complete. */
void amqp_content_body(struct amqp_feed *f, const struct amqp_frame *frame, bool end);
/* `lost` bytes of a body on that channel are missing. */
void amqp_content_hole(struct amqp_feed *f, uint16_t channel, uint64_t lost);

/* Given up: a protocol error, its channel was closed. */
void amqp_content_drop(struct amqp_feed *f, struct amqp_content *c);
/* Tells what there is of those of this direction whose header was seen, and gives all
 * of them up. cover: COVER_* to tell it with. */
void amqp_contents_flush(struct amqp_feed *f, uint8_t cover);
/* The chunk is over: what is unfinished moves into the connection. */
void amqp_content_park(struct amqp_feed *f);
/* Forgets those of one channel, both directions. */
void amqp_contents_reset(struct amqp_feed *f, uint16_t channel);
void amqp_contents_free(struct amqp *a);

#endif
