/* dissectors/amqp/table.h - field tables: a pull reader over views, and the
 * tree of headers made from it.
 *
 * Three dialects share the tags (AMQP 0-9-1 as written, RabbitMQ, py-amqp); all
 * agree on the size of every value but that of 's', which RabbitMQ takes for a
 * 16-bit integer and the specification for a short string. RabbitMQ, the
 * arbiter, is tried first, the other when the table does not add up. Signs
 * are RabbitMQ's. `U` (16 bits) and `x` (byte array) are read though not every
 * dialect has them.
 * Sources: rabbitmq/rabbitmq-server:deps/rabbit_common/src/rabbit_binary_parser.erl,
 * celery/py-amqp:amqp/serialization.py:_read_item, AMQP 0-9-1 section 4.2.1,
 * rabbitmq-website:amqp-0-9-1-errata section 3.
 *
 *     struct amqp_table t;
 *     amqp_table_begin(&t, bytes, max_depth, max_elements, TABLE_RABBIT);
 *     for (struct amqp_item i; amqp_table_next(&t, &i);) ...
 *     t.end says how it ended.
 */
#ifndef DISSECTORS_AMQP_TABLE_H
#define DISSECTORS_AMQP_TABLE_H

#include "base/arena.h"
#include "base/tally.h"
#include "dissectors/headers.h"

#define TABLE_DEPTH 32u

enum amqp_dialect { TABLE_RABBIT, TABLE_SHORT_STRINGS };

enum amqp_item_kind {
    ITEM_VALUE, /* a scalar: tag, and text, num or real */
    ITEM_OPEN,  /* a table ('F') or array ('A') begins */
    ITEM_CLOSE, /* the one opened last is over */
    ITEM_DEEP,  /* a table or array deeper than is read: skipped, text is its bytes */
};

struct amqp_item {
    enum amqp_item_kind kind;
    uint8_t tag;
    struct bytes name;     /* in a table */
    enum header_kind type; /* of a value */
    struct bytes text;
    int64_t num;
    double real;
};

enum amqp_table_end {
    TABLE_GOING,
    TABLE_WHOLE,
    TABLE_BROKEN, /* it does not add up, or a tag that nobody has */
    TABLE_LIMIT,  /* more elements than are read */
};

struct amqp_table {
    struct bytes all;
    size_t at;
    enum amqp_table_end end;
    enum amqp_dialect dialect;
    bool conflict; /* a tag was met that the dialects read differently */
    unsigned depth, max_depth;
    uint64_t left; /* elements that may still come */
    size_t ends[TABLE_DEPTH];
    uint32_t lists; /* bit n: level n is an array */
};

/* `bytes` is the table without its length. max_depth: at most TABLE_DEPTH. */
void amqp_table_begin(struct amqp_table *t, struct bytes bytes, unsigned max_depth,
                      uint64_t max_elements, enum amqp_dialect dialect);
/* false: no more; t->end says why. */
bool amqp_table_next(struct amqp_table *t, struct amqp_item *item);

struct amqp_table_limits {
    unsigned max_depth;
    uint64_t max_elements;
};

/* The whole table as headers, in `arena`. What cannot be read or kept is missing,
 * and out->cut says so; counted in tally (nesting_limit, arena_full, item_clipped). `cut`: the
 * table itself is only the head of one. false: it is malformed in every dialect (never when `cut`,
 * or when only a limit was met). */
bool amqp_table_headers(struct bytes table, bool cut, const struct amqp_table_limits *limits,
                        struct arena *arena, struct tally *tally, struct headers *out);

#endif
