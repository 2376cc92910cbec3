/* dissectors/amqp/table.c - field tables. The stack is explicit: it holds where
 * each outer table ends, and an inner one never ends behind an outer one, so a
 * false length costs the table, never the step. */
#include "dissectors/amqp/table.h"

void amqp_table_begin(struct amqp_table *t, struct bytes bytes, unsigned max_depth,
                      uint64_t max_elements, enum amqp_dialect dialect)
{
    t->in = cur_over(bytes);
    t->left = max_elements;
    t->item = ITEM_VALUE;
    t->end = TABLE_GOING;
    t->dialect = (uint8_t)dialect;
    t->conflict = t->copies = false;
    t->depth = 0;
    t->max_depth = max_depth < TABLE_DEPTH ? max_depth : TABLE_DEPTH;
    t->lists = 0;
}

static bool stop(struct amqp_table *t, enum amqp_table_end why)
{
    t->end = (uint8_t)why;
    return false;
}

static void integer(struct header *h, int64_t v)
{
    h->kind = HEADER_INT;
    h->num = v;
}

/* Seconds; many clients write milliseconds, which only a reader of the value can tell. */
static void timestamp(struct header *h, uint64_t v)
{
    h->kind = HEADER_TIME;
    h->num = v > INT64_MAX / 1000000000u ? INT64_MAX : (int64_t)(v * 1000000000u);
}

static void decimal(struct header *h, uint8_t scale, int32_t v)
{
    h->kind = HEADER_FLOAT;
    h->real = v;
    for (; scale > 0 && h->real != 0; scale--)
        h->real /= 10;
}

static void single(struct header *h, uint32_t bits)
{
    float f;

    memcpy(&f, &bits, sizeof f);
    h->kind = HEADER_FLOAT;
    h->real = (double)f;
}

static void dual(struct header *h, uint64_t bits)
{
    h->kind = HEADER_FLOAT;
    memcpy(&h->real, &bits, sizeof h->real);
}

static void text(struct header *h, struct cursor *in, size_t len, enum header_kind kind)
{
    h->kind = kind;
    h->text = cur_take(in, len);
}

/* The usual value, checked as a whole. */
static void long_string(struct header *h, struct cursor *in)
{
    struct bytes rest = bytes_of(in->at, cur_left(in));
    uint32_t len = rest.len >= 4 ? be32_at(rest, 0) : UINT32_MAX;

    h->kind = HEADER_TEXT;
    in->bad = rest.len < 4 || rest.len - 4 < len;
    if (in->bad)
        return;
    h->text = bytes_of(rest.at + 4, len);
    in->at += 4 + (size_t)len;
}

/* 's': the one tag whose size the dialects dispute. */
static void disputed(struct amqp_table *t, struct header *h, struct cursor *in)
{
    t->conflict = true;
    if (t->dialect == TABLE_RABBIT)
        integer(h, (int16_t)cur_u16(in));
    else
        text(h, in, cur_u8(in), HEADER_TEXT);
}

static void container(struct amqp_table *t, struct header *h, struct cursor *in, bool list)
{
    uint32_t len = cur_u32(in);
    struct cursor inner = cur_sub(in, len); /* *in now stands behind it */

    h->kind = list ? HEADER_LIST : HEADER_MAP;
    h->child = NULL;
    if (!cur_ok(&inner))
        return;
    if (t->depth >= t->max_depth) {
        t->item = ITEM_DEEP;
        h->cut = true;
        return;
    }
    t->item = ITEM_OPEN;
    if (list && t->depth == 0)
        t->copies |= header_has_copies(h);
    t->outer[t->depth] = in->end;
    t->lists = (t->lists & ~(1u << t->depth)) | (uint32_t)list << t->depth;
    t->depth++;
    *in = inner;
}

/* The values that Celery's messages do not hold. */
static void rare(struct amqp_table *t, struct header *h, struct cursor *in, uint8_t tag)
{
    uint8_t scale;

    switch (tag) {
    case 'L':
    case 'l': integer(h, (int64_t)cur_u64(in)); break;
    case 'b': integer(h, (int8_t)cur_u8(in)); break;
    case 'B': integer(h, cur_u8(in)); break;
    case 'U': integer(h, (int16_t)cur_u16(in)); break;
    case 'u': integer(h, cur_u16(in)); break;
    case 'i': integer(h, cur_u32(in)); break;
    case 's': disputed(t, h, in); break;
    case 'f': single(h, cur_u32(in)); break;
    case 'd': dual(h, cur_u64(in)); break;
    case 'x': text(h, in, cur_u32(in), HEADER_BYTES); break;
    case 'T': timestamp(h, cur_u64(in)); break;
    case 'D':
        scale = cur_u8(in);
        decimal(h, scale, (int32_t)cur_u32(in));
        break;
    default: in->bad = true; break; /* a tag that nobody has */
    }
}

static inline void value(struct amqp_table *t, struct header *h, struct cursor *in, uint8_t tag)
{
    switch (tag) {
    case 'S': long_string(h, in); break;
    case 'V': h->kind = HEADER_NULL; break;
    case 'I': integer(h, (int32_t)cur_u32(in)); break;
    case 't':
        integer(h, cur_u8(in) != 0);
        h->kind = HEADER_BOOL;
        break;
    case 'F':
    case 'A': container(t, h, in, tag == 'A'); break;
    default: rare(t, h, in, tag); break;
    }
}

/* The end of what is open: on with what is around it. */
static bool leave(struct amqp_table *t)
{
    if (t->depth == 0)
        return stop(t, TABLE_WHOLE);
    t->depth--;
    t->in.end = t->outer[t->depth];
    t->item = ITEM_CLOSE;
    return true;
}

/* A member's name, if it has one, and its tag; 0: they are not all there. */
static inline uint8_t name_and_tag(struct cursor *in, bool named, struct bytes *name)
{
    struct bytes rest = bytes_of(in->at, cur_left(in));
    size_t tag_at = named ? 1u + rest.at[0] : 0;

    if (tag_at >= rest.len)
        return 0;
    *name = named ? bytes_of(rest.at + 1, tag_at - 1) : (struct bytes){0};
    in->at += tag_at + 1;
    return rest.at[tag_at];
}

bool amqp_table_next(struct amqp_table *t, struct header *h)
{
    bool named = t->depth == 0 || !(t->lists >> (t->depth - 1) & 1u);
    struct cursor in = t->in;

    if (t->end != TABLE_GOING)
        return false;
    if (cur_left(&in) == 0)
        return leave(t);
    if (t->left == 0)
        return stop(t, TABLE_LIMIT);
    t->left--;
    t->item = ITEM_VALUE;
    h->cut = false;
    value(t, h, &in, name_and_tag(&in, named, &h->name));
    t->in = in;
    return cur_ok(&in) || stop(t, TABLE_BROKEN);
}

enum { BATCH = 16 };

struct build {
    struct amqp_table table;
    struct arena *arena;
    struct header *spare; /* nodes not used yet */
    unsigned n_spare, deep;
    bool full;
    const struct header **at[TABLE_DEPTH + 1]; /* where the next member of each level is linked */
    struct header *open[TABLE_DEPTH];          /* the header of each open level */
};

/* The next node, without taking it; NULL: the arena is full. */
static struct header *node(struct build *b)
{
    if (b->n_spare == 0) {
        b->spare = arena_raw(b->arena, BATCH * sizeof *b->spare);
        b->n_spare = b->spare ? BATCH : 0;
    }
    return b->spare;
}

static void link_node(struct build *b, struct header *h, unsigned depth)
{
    b->spare++;
    b->n_spare--;
    h->next = NULL;
    *b->at[depth] = h;
    b->at[depth] = &h->next;
}

static void add(struct build *b, struct header *h)
{
    unsigned depth = b->table.depth;

    switch ((enum amqp_item)b->table.item) {
    case ITEM_CLOSE: break;
    case ITEM_OPEN:
        link_node(b, h, depth - 1);
        b->open[depth - 1] = h;
        b->at[depth] = &h->child;
        break;
    case ITEM_DEEP: b->deep++; /* fall through */
    case ITEM_VALUE: link_node(b, h, depth); break;
    }
}

/* One attempt in one dialect. */
static void build(struct build *b, struct bytes table, enum amqp_dialect dialect,
                  const struct amqp_table_limits *limits, struct headers *out)
{
    struct header *h;

    amqp_table_begin(&b->table, table, limits->max_depth, limits->max_elements, dialect);
    out->first = NULL;
    b->at[0] = &out->first;
    b->deep = b->n_spare = 0;
    while ((h = node(b)) && amqp_table_next(&b->table, h))
        add(b, h);
    b->full = !h;
    out->cut = b->full || b->table.end != TABLE_WHOLE;
    out->copies = b->table.copies;
    out->disputed = b->table.conflict;
    out->other = NULL;
    for (unsigned d = 0; out->cut && d < b->table.depth; d++)
        b->open[d]->cut = true;
}

/* The same table as those read it to whom 's' is a short text, if it adds up to them too. */
static const struct headers *other_reading(struct bytes table,
                                           const struct amqp_table_limits *limits,
                                           struct arena *arena)
{
    struct headers *other = arena_raw(arena, sizeof *other);
    struct build b;

    if (!other)
        return NULL;
    b.arena = arena;
    build(&b, table, TABLE_SHORT_STRINGS, limits, other);
    return b.table.end == TABLE_WHOLE ? other : NULL;
}

bool amqp_table_headers(struct bytes table, bool cut, const struct amqp_table_limits *limits,
                        struct arena *arena, struct tally *tally, struct headers *out)
{
    struct build b;
    struct arena_mark before = arena_mark(arena);

    b.arena = arena;
    build(&b, table, TABLE_RABBIT, limits, out);
    if (b.table.end == TABLE_BROKEN && b.table.conflict && !cut) {
        arena_rewind(arena, before);
        build(&b, table, TABLE_SHORT_STRINGS, limits, out);
    }
    if (b.table.end == TABLE_BROKEN && b.table.conflict && !cut) {
        arena_rewind(arena, before);
        build(&b, table, TABLE_RABBIT, limits, out);
    }
    tally_add(tally, TALLY_nesting_limit, b.deep);
    tally_add(tally, TALLY_arena_full, b.full);
    tally_add(tally, TALLY_item_clipped, b.table.end == TABLE_LIMIT);
    out->cut = out->cut || cut || b.deep > 0;
    if (out->disputed && b.table.dialect == TABLE_RABBIT && b.table.end == TABLE_WHOLE && !cut)
        out->other = other_reading(table, limits, arena);
    return cut || b.full || b.table.end != TABLE_BROKEN;
}
