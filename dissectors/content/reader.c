/* content/reader.c - see reader.h: hands each call to the reader of the format. */
#include "dissectors/content/reader_formats.h"

void reader_begin(struct reader *r, enum content_what format, struct bytes document, bool clipped,
                  struct arena *arena)
{
    r->format = format;
    r->all = r->rest = document;
    r->clipped = clipped;
    r->end = READER_GOING;
    r->broken_at = 0;
    r->depth = r->too_deep = r->aliases = 0;
    r->state = 0;
    r->more = NULL;
    memset(r->kinds, 0, sizeof r->kinds);
    if (format == WHAT_YAML)
        yaml_begin(r, arena);
}

bool reader_next(struct reader *r, struct token *t)
{
    if (r->end != READER_GOING)
        return false;
    if (r->format == WHAT_JSON)
        return json_next(r, t);
    switch (r->format) {
    case WHAT_MSGPACK: return msgpack_next(r, t);
    case WHAT_YAML: return yaml_next(r, t);
    default: return reader_stop(r, READER_BROKEN, 0);
    }
}

static void skip_container(struct reader *r)
{
    switch (r->format) {
    case WHAT_JSON: json_skip(r); break;
    case WHAT_MSGPACK: msgpack_skip(r); break;
    case WHAT_YAML: yaml_skip(r); break;
    default: break;
    }
}

void reader_skip(struct reader *r, const struct token *t)
{
    struct token value = *t;
    if (r->end != READER_GOING || (t->kind == TOKEN_KEY && !reader_next(r, &value)))
        return;
    if (value.kind == TOKEN_MAP || value.kind == TOKEN_LIST)
        skip_container(r);
}

struct bytes reader_raw(struct reader *r, const struct token *t)
{
    struct token value = *t;
    if (t->kind == TOKEN_KEY && !reader_next(r, &value))
        return (struct bytes){0};
    reader_skip(r, &value);
    size_t to = reader_at(r);
    /* YAML's blocks end where the next token begins. */
    while (r->format == WHAT_YAML && to > value.offset && r->all.at[to - 1] <= ' ')
        to--;
    return to > value.offset ? bytes_of(r->all.at + value.offset, to - value.offset)
                             : (struct bytes){0};
}

void reader_end(struct reader *r)
{
    if (r->format == WHAT_YAML)
        yaml_end(r);
}
