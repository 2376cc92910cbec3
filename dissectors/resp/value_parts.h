/* dissectors/resp/value_parts.h - what the files of the value machine share; nobody
 * else includes it. */
#ifndef DISSECTORS_RESP_VALUE_PARTS_H
#define DISSECTORS_RESP_VALUE_PARTS_H

#include "dissectors/resp/value.h"

/* Bytes off the front of *in, counted in the stream's position. */
static inline struct bytes value_take(struct resp_value *v, struct bytes *in, uint64_t n)
{
    struct bytes b = bytes_cut(in, n < SIZE_MAX ? (size_t)n : SIZE_MAX);

    v->pos += b.len;
    return b;
}

/* Copies `piece` behind what is held, up to `cap` bytes in all; of a line, or of a bulk. */
void value_hold(struct resp_value *v, struct bytes piece, size_t cap);
void value_release(struct resp_value *v);
/* The unit in progress is over or given up: state RESP_HEAD. */
void value_unit_over(struct resp_value *v);
void value_broken(const struct resp_value *v, enum resp_broken what, uint64_t offset,
                  const struct resp_sink *sink);

/* The stream itself shows that it is out of step. */
void value_lose(struct resp_value *v, const struct resp_sink *sink);
/* Tells a scalar, and the ends of the aggregates that end with it. */
void value_scalar(struct resp_value *v, struct resp_token *t, const struct resp_sink *sink);
/* Tells an aggregate of t->num elements (-1: streamed). false: the stream is lost. */
bool value_open(struct resp_value *v, struct resp_token *t, uint64_t offset,
                const struct resp_sink *sink);
/* A streamed aggregate ends. false: none is open. */
bool value_stream_end(struct resp_value *v, const struct resp_sink *sink);
/* One more element; beyond max_elements the rest of the unit is walked and not told. */
void resp_value_count(struct resp_value *v, uint64_t offset, const struct resp_sink *sink);

/* Takes a header line. true: go on; false: more bytes are needed. */
bool value_head(struct resp_value *v, struct bytes *in, const struct resp_sink *sink);
/* Units of which all lies in the chunk take a shorter way, and of the last request what does. Asked
 * only between units. false: what *in begins with does not. */
bool value_quick(struct resp_value *v, struct bytes *in, const struct resp_sink *sink);
/* RESP_LOST: passes over *in to a line that can be the start of a value. true: found one. */
bool value_seek(struct resp_value *v, struct bytes *in);
/* RESP_LOST with a candidate held, `rest` of it, and the first of *in: true: *rest is what to read
 * next, in `store`, and the state is what to read it in; false: all of *in was taken. */
bool value_seek_held(struct resp_value *v, uint8_t store[2 * RESP_CANDIDATE], struct bytes *rest,
                     struct bytes *in);

#endif
