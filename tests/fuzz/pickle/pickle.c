/* Any bytes, cut as their first byte says: no crash, the memory bound, and the same result as in
 * one piece. */
#include <stdlib.h>

#include "signatures/pickle/pickle.h"

static void feed_cut(struct pickle *p, struct bytes all, size_t step)
{
    while (all.len > 0) {
        struct bytes piece = bytes_cut(&all, step);
        uint8_t *own = malloc(piece.len);
        if (!own)
            return;
        memcpy(own, piece.at, piece.len);
        pickle_feed(p, bytes_of(own, piece.len));
        free(own);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pickle *p; /* used again and again, as in the sensor */
    struct pickle_found found;

    if (!p)
        p = pickle_new(NULL);
    if (size < 1 || !p)
        return 0;
    struct bytes all = bytes_of(data + 1, size - 1);
    enum pickle_context context = data[0] & 1 ? PICKLE_DECLARED : PICKLE_SEEN;
    enum pickle_extent extent = data[0] & 2 ? PICKLE_CLIPPED : PICKLE_WHOLE;
    const struct pickle_result *r = pickle_judge(p, all, context, extent);
    enum pickle_verdict verdict = r->verdict;
    uint64_t flags = r->flags, imports = r->all_imports;

    if (r->is_pickle && !pickle_maybe(all) && context == PICKLE_SEEN)
        abort();
    pickle_reset(p, context);
    feed_cut(p, all, (data[0] >> 2) + 1u);
    r = pickle_end(p, extent);
    if (r->verdict != verdict || r->flags != flags || r->all_imports != imports ||
        pickle_memory(p) > PICKLE_MEMORY_MAX)
        abort();
    pickle_find_in_text(p, all, &found);
    return 0;
}
