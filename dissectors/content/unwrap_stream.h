/* content/unwrap_stream.h - base64 and the compressions, undone piece by piece: for
 * content_unwrap(), and for bodies that are larger than what is kept of them.
 *
 *     s = unwrap_stream_new(CODING_ZLIB, NULL);
 *     while (pieces come)
 *         unwrap_stream_feed(s, piece, fn, ctx);
 *     unwrap_stream_end(s);    says whether it was whole
 *     unwrap_stream_free(s);
 *
 * Streams are put in a row by a `fn` that feeds the next one. What comes out does not
 * depend on how the input is cut, but for what a broken stream gives before it breaks. Each is read
 * as Python's one-shot function reads it: zlib.decompress (one stream, what follows is ignored),
 * bz2.decompress and lzma.decompress (streams in a row; lzma also the old .lzma format),
 * gzip.decompress, zstd frames in a row, brotli.decompress; base64 as in base64.h.
 *
 * Memory: some ten bytes (base64), 40 KiB (zlib, gzip), 3.7 MiB (bzip2), and for the others
 * the window that the stream asks for, at most UNWRAP_WINDOW. Of a window, only what was really
 * filled is touched. */
#ifndef CONTENT_UNWRAP_STREAM_H
#define CONTENT_UNWRAP_STREAM_H

#include "dissectors/content/content.h"

#define UNWRAP_WINDOW_LOG 27u /* zstd's own limit for decoders; xz -9 asks for 2^26 */
#define UNWRAP_WINDOW     (1u << UNWRAP_WINDOW_LOG)

enum unwrap_state {
    UNWRAP_GOING,   /* in the middle: ended here, it is cut short */
    UNWRAP_WHOLE,   /* at an end of the coding; more may follow all the same */
    UNWRAP_BROKEN,  /* not this coding; sticky */
    UNWRAP_LIMIT,   /* no memory, or it asks for a window above UNWRAP_WINDOW; sticky */
    UNWRAP_STOPPED, /* fn wanted no more; sticky */
};

struct unwrap_stream;

/* `out` is good until fn returns. false: no more. */
typedef bool unwrap_fn(void *ctx, struct bytes out);

/* `arena`: where memory of a fixed, small size comes from; NULL: the heap, for streams that
 * live longer than a message. Never CODING_NONE. NULL: no memory. */
struct unwrap_stream *unwrap_stream_new(enum coding coding, struct arena *arena);
/* Takes all of `in`; fn gets what came out, in pieces of at most 32 KiB. */
enum unwrap_state unwrap_stream_feed(struct unwrap_stream *s, struct bytes in, unwrap_fn *fn,
                                     void *ctx);
/* Where it stands: UNWRAP_WHOLE if the input may end here. */
enum unwrap_state unwrap_stream_end(const struct unwrap_stream *s);
/* Bytes that came out; and those of them that belong to parts that were whole (bzip2, xz,
 * gzip and zstd may be several streams in a row, of which the last can be junk that Python
 * ignores). */
uint64_t unwrap_stream_out(const struct unwrap_stream *s);
uint64_t unwrap_stream_whole_out(const struct unwrap_stream *s);
/* Bytes that it has taken, not counting what it only passed by. */
uint64_t unwrap_stream_in(const struct unwrap_stream *s);
void unwrap_stream_free(struct unwrap_stream *s);

/* What a byte of output costs at worst, in those of the cheapest codec. */
uint32_t unwrap_weight(enum coding coding);
/* How long the output will be, by what the stream says of itself; 0: it does not. `whole`: `in` is
 * not only its head. */
uint64_t unwrap_declared(enum coding coding, struct bytes in, bool whole);

#endif
