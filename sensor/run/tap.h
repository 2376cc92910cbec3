/* run/tap.h - bodies larger than what is kept, read to their end: joins content's streams and the
 * pickle machine behind the door that dissectors know (dissectors/tap.h).
 *
 *     kept head, then the rest -> [compression | JSON string -> escapes | base64]* -> pickle
 * machine
 *
 * Of kombu's envelope on Redis the members come in any order: what body_encoding, content type and
 * compression say joins at the end, and until then the body is read as it is and as base64, with
 * the compressions known by their bytes. Brotli has none: it is read where its name comes first.
 *
 * Bounded: so many taps at once, each with the memory of one pickle machine for every pickle that
 * it follows (four at most) and of one window for every compression; output by the limits of
 * decompression. What is refused is counted, and said by the coverage of its message: clipped. */
#ifndef RUN_TAP_H
#define RUN_TAP_H

#include "base/tally.h"
#include "dissectors/content/content.h"
#include "dissectors/tap.h"
#include "signatures/pickle/pickle.h"

struct tap_pool; /* one per worker */

/* `options` is copied; `tally` outlives the pool. NULL: no memory. */
struct tap_pool *tap_pool_new(unsigned max, const struct content_limits *limits,
                              const struct pickle_options *options, struct tally *tally);
/* All taps are ended. */
void tap_pool_free(struct tap_pool *p);
const struct taps *tap_door(struct tap_pool *p);

/* The answers below are asked for between the last byte of the body and tap end; NULL is none, and
 * what they point to lives until then. */

/* The body as a pickle, behind its compressions and `skip` bytes of its program's own mark. */
const struct pickle_result *tap_pickle(struct tap *t, size_t skip, bool declared);
/* The same of the body in kombu's envelope. */
const struct pickle_result *tap_envelope_pickle(struct tap *t, bool base64, bool declared);
/* A pickle that imports something in a text of the body. */
const struct pickle_found *tap_nested(struct tap *t);
/* The document without its bulk (json_stream.h); empty: it is none. */
struct bytes tap_abridged(struct tap *t);
/* Its compressions expand beyond the limits. */
bool tap_is_bomb(struct tap *t);

#endif
