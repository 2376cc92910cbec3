/* Fuzz: content_unwrap() and the streams. The first byte says what is declared; a stream that is
 * fed in pieces must give what it gives when fed at once. */
#include <stdlib.h>

#include "base/hash.h"
#include "dissectors/content/unwrap_stream.h"

static void need(bool what)
{
    if (!what)
        abort();
}

struct sum {
    uint64_t hash, left;
    enum unwrap_state end;
    bool breaks; /* at its end, or behind a whole stream */
};

/* Byte by byte, since pieces differ. */
static bool add(void *ctx, struct bytes out)
{
    struct sum *s = ctx;
    for (size_t i = 0; i < out.len && s->left > 0; i++, s->left--)
        s->hash = hash_mix(s->hash, out.at[i]);
    return s->left > 0;
}

static struct sum stream(enum coding coding, struct bytes in, size_t step)
{
    struct sum sum = {.left = 1 << 18};
    struct unwrap_stream *s = unwrap_stream_new(coding, NULL);
    need(s != NULL);
    while (in.len > 0) {
        struct bytes piece = bytes_cut(&in, step);
        uint8_t *own = malloc(piece.len);
        memcpy(own, piece.at, piece.len);
        unwrap_stream_feed(s, bytes_of(own, piece.len), add, &sum);
        free(own);
    }
    need(unwrap_stream_whole_out(s) <= unwrap_stream_out(s));
    sum.end = unwrap_stream_end(s);
    sum.breaks = sum.end == UNWRAP_BROKEN ||
                 (sum.end == UNWRAP_WHOLE && unwrap_stream_whole_out(s) < unwrap_stream_out(s));
    unwrap_stream_free(s);
    return sum;
}

static void unwrap(struct bytes body, uint8_t how)
{
    static const char *const names[] = {"", "gzip", "bzip2", "xz", "zstd", "brotli", "other", ""};
    static const struct content_limits lim = {
        .max_kept = 1 << 16, .max_total = 1 << 22, .max_ratio = 50, .max_depth = 3};
    struct arena *arena = arena_new(how & 0x40 ? 1 << 17 : 1 << 22);
    struct tally tally = {0};
    const char *name = names[how & 7];
    struct content c = {.body = body,
                        .wire_len = body.len,
                        .clipped = how & 0x10,
                        .base64 = how & 0x20,
                        .compression = bytes_of(name, strlen(name))};
    content_unwrap(&c, arena, &lim, &tally);
    size_t kept = 0;
    for (unsigned i = 1; i < c.n_parts; i++)
        kept += c.parts[i].bytes.len;
    need(c.n_parts >= 1 && c.n_parts <= 4 && kept <= lim.max_kept);
    need(!c.bomb || c.limit);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct bytes body = bytes_of(data + 1, size - 1);
    enum coding coding = (enum coding)(1 + data[0] % 7);
    unwrap(body, data[0]);
    struct sum once = stream(coding, body, size), pieces = stream(coding, body, 1 + data[0] / 8);
    if (once.end == UNWRAP_STOPPED || pieces.end == UNWRAP_STOPPED)
        return 0;
    need(once.end == pieces.end);
    need(once.breaks || pieces.breaks || (once.hash == pieces.hash && once.left == pieces.left));
    return 0;
}
