/* Fuzz: the YAML reader over libyaml, reading and skipping. */
#include <stdlib.h>

#include "dissectors/content/reader.h"
#include "dissectors/content/yaml_tag.h"

static void need(bool what)
{
    if (!what)
        abort();
}

static void read_all(struct bytes all, bool clipped, bool skipping, struct arena *arena)
{
    struct reader r;
    unsigned n = 0;
    reader_begin(&r, WHAT_YAML, all, clipped, arena);
    for (struct token t; reader_next(&r, &t); n++) {
        need(t.offset <= all.len && t.depth <= READER_DEPTH);
        if (!skipping || n % 3 != 1)
            continue;
        struct bytes raw = reader_raw(&r, &t);
        need(raw.len == 0 || (raw.at >= all.at && raw.len <= all.len));
    }
    need(r.end != READER_GOING);
    reader_end(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(1 << 20);
    for (int how = 0; how < 4; how++) {
        arena_reset(arena);
        read_all(bytes_of(data, size), how & 1, how & 2, arena);
    }
    struct yaml_tag tag;
    arena_reset(arena);
    if (yaml_python_tag(bytes_of(data, size), false, arena, &tag))
        need(tag.text.len > 0 && tag.offset < size);
    arena_free(arena);
    return 0;
}
