/* content/reader_formats.h - what the formats share behind reader.h. Only reader*.c,
 * json*.c, msgpack*.c and yaml*.c include it. */
#ifndef CONTENT_READER_FORMATS_H
#define CONTENT_READER_FORMATS_H

#include "dissectors/content/reader.h"

bool json_next(struct reader *r, struct token *t);
void json_skip(struct reader *r); /* to behind the end of the innermost open container */
bool msgpack_next(struct reader *r, struct token *t);
void msgpack_skip(struct reader *r);
void yaml_begin(struct reader *r, struct arena *arena);
bool yaml_next(struct reader *r, struct token *t);
void yaml_skip(struct reader *r);
void yaml_end(struct reader *r);

/* Text to number. The text is one of the format's numbers: digits, one sign, point, exponent. */
int64_t number_int(struct bytes text);
double number_real(struct bytes text);

static inline size_t reader_at(const struct reader *r)
{
    return r->all.len - r->rest.len;
}

static inline bool reader_in_map(const struct reader *r)
{
    unsigned level = r->depth - 1;
    return r->depth > 0 && (r->kinds[level / 8] >> level % 8 & 1);
}

/* The caller has seen that there is a level left. */
static inline void reader_push(struct reader *r, bool map)
{
    unsigned level = r->depth++, bit = 1u << level % 8;
    r->kinds[level / 8] = (uint8_t)(map ? r->kinds[level / 8] | bit : r->kinds[level / 8] & ~bit);
}

/* No further token: always false. */
static inline bool reader_stop(struct reader *r, enum reader_end end, size_t at)
{
    r->end = end;
    r->broken_at = at;
    return false;
}

/* The input ended inside the document. */
static inline bool reader_ran_out(struct reader *r)
{
    return reader_stop(r, r->clipped ? READER_CLIPPED : READER_BROKEN, r->all.len);
}

static inline void token_init(const struct reader *r, struct token *t, size_t offset)
{
    *t = (struct token){.depth = r->depth, .offset = offset};
}

#endif
