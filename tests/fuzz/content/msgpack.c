/* Fuzz: the MessagePack reader, its walk, and the guess. */
#include <stdlib.h>

#include "dissectors/content/reader.h"

static void need(bool what)
{
    if (!what)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes all = bytes_of(data, size);
    size_t tokens[2] = {0};
    content_guess(all, bytes_of("x-msgpack", 9));
    content_guess(all, (struct bytes){0});
    for (int clipped = 0; clipped < 2; clipped++) {
        struct reader r;
        unsigned checked = 0;
        reader_begin(&r, WHAT_MSGPACK, all, clipped, NULL);
        for (struct token t, u; reader_next(&r, &t); tokens[clipped]++) {
            need(t.offset <= size && t.depth <= READER_DEPTH);
            if (checked++ > 50 || (t.kind != TOKEN_MAP && t.kind != TOKEN_LIST))
                continue;
            struct reader skips = r, reads = r;
            struct bytes raw = reader_raw(&skips, &t);
            need(raw.len == 0 || (raw.at >= all.at && raw.len <= size));
            while (reader_next(&reads, &u) && u.depth > t.depth)
                ;
            if (reads.end == READER_GOING && skips.end == READER_GOING)
                need(skips.rest.at == reads.rest.at);
        }
        need(r.end != READER_GOING && (clipped || r.end != READER_CLIPPED));
    }
    need(tokens[1] >= tokens[0]);
    return 0;
}
