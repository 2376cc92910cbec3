/* Fuzz: the JSON reader. Reading, skipping and raw views must agree where the document is good, and
 * a clipped document must give a head of the same tokens. */
#include <stdlib.h>

#include "dissectors/content/reader.h"

static void need(bool what)
{
    if (!what)
        abort();
}

static void check_token(struct bytes all, const struct token *t, struct arena *arena)
{
    need(t->offset <= all.len && t->text.len <= all.len - t->offset);
    struct bytes text = token_text(t, arena);
    need(text.len <= t->text.len);
    need(token_is(t, "task") == (!t->cut && bytes_eq(text, "task")));
}

/* Skips each container of a good document and compares with where reading it ends. */
static void check_skips(struct bytes all)
{
    struct reader r;
    reader_begin(&r, WHAT_JSON, all, false, NULL);
    unsigned checked = 0;
    for (struct token t, u; checked < 50 && reader_next(&r, &t);) {
        if (t.kind != TOKEN_MAP && t.kind != TOKEN_LIST)
            continue;
        struct reader skips = r, reads = r;
        checked++;
        reader_skip(&skips, &t);
        while (reader_next(&reads, &u) && u.depth > t.depth)
            ;
        need(skips.rest.at == reads.rest.at);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes all = bytes_of(data, size);
    struct arena *arena = arena_new(1 << 20);
    size_t tokens[2] = {0}, last[2] = {0};
    enum reader_end end = READER_GOING;
    for (int clipped = 0; clipped < 2; clipped++) {
        struct reader r;
        reader_begin(&r, WHAT_JSON, all, clipped, NULL);
        for (struct token t; reader_next(&r, &t); tokens[clipped]++) {
            need(tokens[clipped] == 0 || t.offset > last[clipped]);
            last[clipped] = t.offset;
            arena_reset(arena);
            check_token(all, &t, arena);
        }
        need(r.end != READER_GOING && (clipped || r.end != READER_CLIPPED));
        need(!reader_next(&r, &(struct token){0}));
        end = clipped ? end : r.end;
    }
    need(tokens[1] >= tokens[0]);
    if (end == READER_WHOLE)
        check_skips(all);
    arena_free(arena);
    return 0;
}
