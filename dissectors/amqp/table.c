/* dissectors/amqp/table.c - field tables. The stack is explicit: it holds where
 * each open table ends, and an inner one never ends behind an outer one, so a
 * false length costs the table, never the step. */
#include "dissectors/amqp/table.h"

#include <string.h>

void amqp_table_begin(struct amqp_table *t, struct bytes bytes, unsigned max_depth,
                      uint64_t max_elements, enum amqp_dialect dialect)
{
    t->all = bytes;
    t->at = 0;
    t->end = TABLE_GOING;
    t->dialect = dialect;
    t->conflict = false;
    t->depth = 0;
    t->max_depth = max_depth < TABLE_DEPTH ? max_depth : TABLE_DEPTH;
    t->left = max_elements;
    t->lists = 0;
}

static size_t level_end(const struct amqp_table *t)
{
    return t->depth > 0 ? t->ends[t->depth - 1] : t->all.len;
}

static bool stop(struct amqp_table *t, enum amqp_table_end why)
{
    t->end = why;
    return false;
}

/* n bytes of the innermost open table; an empty range with at == NULL: there are not so many. */
static struct bytes take(struct amqp_table *t, size_t n)
{
    if (n > level_end(t) - t->at)
        return (struct bytes){0};
    struct bytes b = bytes_of(t->all.at + t->at, n);
    t->at += n;
    return b;
}

static bool take_be(struct amqp_table *t, unsigned width, uint64_t *out)
{
    struct bytes b = take(t, width);

    *out = 0;
    for (size_t i = 0; i < b.len; i++)
        *out = *out << 8 | b.at[i];
    return b.at != NULL;
}

static bool take_text(struct amqp_table *t, unsigned width, struct bytes *out)
{
    uint64_t n;

    if (!take_be(t, width, &n) || n > level_end(t) - t->at)
        return false;
    *out = take(t, (size_t)n);
    return true;
}

static int64_t extend(uint64_t v, unsigned width)
{
    unsigned shift = 64 - 8 * width;

    return (int64_t)(v << shift) >> shift;
}

static bool integer(struct amqp_table *t, struct amqp_item *i, unsigned width, bool is_signed)
{
    uint64_t v;

    i->type = HEADER_INT;
    if (!take_be(t, width, &v))
        return false;
    i->num = is_signed ? extend(v, width) : (int64_t)v;
    return true;
}

static bool boolean(struct amqp_table *t, struct amqp_item *i)
{
    bool ok = integer(t, i, 1, false);

    i->type = HEADER_BOOL;
    i->num = i->num != 0;
    return ok;
}

/* Seconds; many clients write milliseconds, which only a reader of the value can tell. */
static bool timestamp(struct amqp_table *t, struct amqp_item *i)
{
    uint64_t v;

    i->type = HEADER_TIME;
    if (!take_be(t, 8, &v))
        return false;
    i->num = v > INT64_MAX / 1000000000u ? INT64_MAX : (int64_t)(v * 1000000000u);
    return true;
}

static bool decimal(struct amqp_table *t, struct amqp_item *i)
{
    uint64_t scale, v;

    i->type = HEADER_FLOAT;
    if (!take_be(t, 1, &scale) || !take_be(t, 4, &v))
        return false;
    i->real = (double)extend(v, 4);
    for (; scale > 0 && i->real != 0; scale--)
        i->real /= 10;
    return true;
}

static bool real(struct amqp_table *t, struct amqp_item *i, unsigned width)
{
    uint64_t v;
    uint32_t narrow;
    float f;

    i->type = HEADER_FLOAT;
    if (!take_be(t, width, &v))
        return false;
    narrow = (uint32_t)v;
    memcpy(&f, &narrow, sizeof f);
    memcpy(&i->real, &v, sizeof i->real);
    if (width == 4)
        i->real = (double)f;
    return true;
}

static bool text(struct amqp_table *t, struct amqp_item *i, unsigned width, enum header_kind type)
{
    i->type = type;
    return take_text(t, width, &i->text);
}

/* 's': the one tag whose size the dialects dispute. */
static bool disputed(struct amqp_table *t, struct amqp_item *i)
{
    t->conflict = true;
    return t->dialect == TABLE_RABBIT ? integer(t, i, 2, true) : text(t, i, 1, HEADER_TEXT);
}

static bool container(struct amqp_table *t, struct amqp_item *i)
{
    if (!take_text(t, 4, &i->text))
        return false;
    if (t->depth >= t->max_depth) {
        i->kind = ITEM_DEEP;
        return true;
    }
    i->kind = ITEM_OPEN;
    t->ends[t->depth] = t->at;
    t->at -= i->text.len;
    t->lists &= ~(1u << t->depth);
    t->lists |= (uint32_t)(i->tag == 'A') << t->depth;
    t->depth++;
    return true;
}

static bool value(struct amqp_table *t, struct amqp_item *i)
{
    switch (i->tag) {
    case 't': return boolean(t, i);
    case 'b': return integer(t, i, 1, true);
    case 'B': return integer(t, i, 1, false);
    case 'U': return integer(t, i, 2, true);
    case 'u': return integer(t, i, 2, false);
    case 'I': return integer(t, i, 4, true);
    case 'i': return integer(t, i, 4, false);
    case 'L':
    case 'l': return integer(t, i, 8, true);
    case 's': return disputed(t, i);
    case 'f': return real(t, i, 4);
    case 'd': return real(t, i, 8);
    case 'D': return decimal(t, i);
    case 'S': return text(t, i, 4, HEADER_TEXT);
    case 'x': return text(t, i, 4, HEADER_BYTES);
    case 'T': return timestamp(t, i);
    case 'V': i->type = HEADER_NULL; return true;
    case 'A':
    case 'F': return container(t, i);
    default: return false;
    }
}

bool amqp_table_next(struct amqp_table *t, struct amqp_item *item)
{
    bool named = t->depth == 0 || !(t->lists >> (t->depth - 1) & 1u);
    uint64_t tag;

    if (t->end != TABLE_GOING)
        return false;
    item->name = (struct bytes){0};
    if (t->at == level_end(t)) {
        if (t->depth == 0)
            return stop(t, TABLE_WHOLE);
        t->depth--;
        item->kind = ITEM_CLOSE;
        return true;
    }
    if (t->left == 0)
        return stop(t, TABLE_LIMIT);
    t->left--;
    item->kind = ITEM_VALUE;
    if ((named && !take_text(t, 1, &item->name)) || !take_be(t, 1, &tag))
        return stop(t, TABLE_BROKEN);
    item->tag = (uint8_t)tag;
    return value(t, item) || stop(t, TABLE_BROKEN);
}

static void fill(struct header *h, const struct amqp_item *i)
{
    h->kind = i->type;
    switch (i->type) {
    case HEADER_BOOL:
    case HEADER_INT:
    case HEADER_TIME: h->num = i->num; break;
    case HEADER_FLOAT: h->real = i->real; break;
    case HEADER_TEXT:
    case HEADER_BYTES: h->text = i->text; break;
    default: break;
    }
}

struct build {
    struct amqp_table table;
    struct header_tail tails[TABLE_DEPTH + 1];
    struct header *open[TABLE_DEPTH]; /* the header of each open level */
    unsigned depth, deep;
    bool full;
};

static void add(struct build *b, const struct amqp_item *i, struct arena *arena)
{
    struct header *h = header_add(&b->tails[b->depth], i->name, arena);

    if (!h) {
        b->full = true;
        return;
    }
    if (i->kind == ITEM_VALUE) {
        fill(h, i);
        return;
    }
    h->kind = i->tag == 'A' ? HEADER_LIST : HEADER_MAP;
    h->child = NULL;
    if (i->kind == ITEM_DEEP) {
        h->cut = true;
        b->deep++;
        return;
    }
    b->open[b->depth] = h;
    b->tails[++b->depth] = header_tail_of(&h->child);
}

/* One attempt in one dialect. */
static void build(struct build *b, struct bytes table, enum amqp_dialect dialect,
                  const struct amqp_table_limits *limits, struct arena *arena, struct headers *out)
{
    struct amqp_item i;

    amqp_table_begin(&b->table, table, limits->max_depth, limits->max_elements, dialect);
    out->cut = false;
    b->tails[0] = header_tail_of(&out->first);
    b->depth = b->deep = 0;
    b->full = false;
    while (!b->full && amqp_table_next(&b->table, &i)) {
        if (i.kind == ITEM_CLOSE)
            b->depth--;
        else
            add(b, &i, arena);
    }
    out->cut = b->full || b->table.end != TABLE_WHOLE;
    for (unsigned d = 0; out->cut && d < b->depth; d++)
        b->open[d]->cut = true;
}

bool amqp_table_headers(struct bytes table, bool cut, const struct amqp_table_limits *limits,
                        struct arena *arena, struct tally *tally, struct headers *out)
{
    struct build b;
    struct arena_mark before = arena_mark(arena);

    build(&b, table, TABLE_RABBIT, limits, arena, out);
    if (b.table.end == TABLE_BROKEN && b.table.conflict && !cut) {
        arena_rewind(arena, before);
        build(&b, table, TABLE_SHORT_STRINGS, limits, arena, out);
    }
    if (b.table.end == TABLE_BROKEN && b.table.conflict && !cut) {
        arena_rewind(arena, before);
        build(&b, table, TABLE_RABBIT, limits, arena, out);
    }
    tally_add(tally, TALLY_nesting_limit, b.deep);
    tally_add(tally, TALLY_arena_full, b.full);
    tally_add(tally, TALLY_item_clipped, b.table.end == TABLE_LIMIT);
    out->cut = out->cut || cut || b.deep > 0;
    return cut || b.table.end != TABLE_BROKEN;
}
