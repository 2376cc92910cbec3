/* A large body of any bytes through a tap, cut as its first byte says: no crash, no leak, and the
 * same answers as in one piece. */
#include <stdlib.h>

#include "run/tap.h"

struct answers {
    enum pickle_verdict own, envelope[2], nested;
    uint64_t flags;
    size_t abridged;
    bool bomb;
};

static enum pickle_verdict verdict_of(const struct pickle_result *r, struct answers *a)
{
    a->flags |= r ? r->flags : 0;
    return r ? r->verdict : PICKLE_NOT;
}

static struct answers ask(const struct taps *taps, struct bytes all, size_t step, unsigned how)
{
    static const char *const names[] = {"", "zlib", "bzip2", "lzma", "zstd", "brotli", "x", ""};
    const char *name = names[how & 7];
    struct tap *t = taps->begin(taps->ctx, bytes_of(name, strlen(name)));
    struct answers a = {0};

    while (all.len > 0) {
        struct bytes piece = bytes_cut(&all, step);
        uint8_t *own = malloc(piece.len);

        if (!own)
            break;
        memcpy(own, piece.at, piece.len);
        taps->feed(t, bytes_of(own, piece.len));
        free(own);
    }
    if (how & 8)
        taps->cut(t);
    a.own = verdict_of(tap_pickle(t, 0, how & 16), &a);
    if (tap_pickle(t, 1, false))
        a.own |= 8;
    for (unsigned i = 0; i < 2; i++)
        a.envelope[i] = verdict_of(tap_envelope_pickle(t, i, how & 16), &a);
    const struct pickle_found *found = tap_nested(t);
    a.nested = found ? found->result->verdict : PICKLE_NOT;
    a.abridged = tap_abridged(t).len;
    a.bomb = tap_is_bomb(t);
    taps->end(t);
    return a;
}

static bool same(const struct answers *a, const struct answers *b)
{
    return a->own == b->own && a->envelope[0] == b->envelope[0] &&
           a->envelope[1] == b->envelope[1] && a->nested == b->nested && a->flags == b->flags &&
           a->abridged == b->abridged && a->bomb == b->bomb;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tap_pool *pool;
    static struct tally tally;
    struct content_limits limits = {
        .max_kept = 1u << 20, .max_total = 8u << 20, .max_ratio = 200, .max_depth = 4};
    struct pickle_options options = {0};

    if (!pool)
        pool = tap_pool_new(2, &limits, &options, &tally);
    if (!pool || size < 2)
        return 0;
    struct bytes all = bytes_of(data + 2, size - 2);
    struct answers whole = ask(tap_door(pool), all, all.len, data[1]);
    struct answers cut = ask(tap_door(pool), all, data[0] + 1u, data[1]);

    if (!same(&whole, &cut) && !whole.bomb)
        abort();
    return 0;
}
