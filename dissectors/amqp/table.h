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
 *     struct header h;
 *     amqp_table_begin(&t, bytes, max_depth, max_elements, TABLE_RABBIT);
 *     while (amqp_table_next(&t, &h)) ... t.item, h ...
 *     t.end says how it ended.
 */
#ifndef DISSECTORS_AMQP_TABLE_H
#define DISSECTORS_AMQP_TABLE_H

#include "base/arena.h"
#include "base/tally.h"
#include "dissectors/headers.h"

#define TABLE_DEPTH 32u

enum amqp_dialect { TABLE_RABBIT, TABLE_SHORT_STRINGS };

enum amqp_item {
    ITEM_VALUE, /* a scalar */
    ITEM_OPEN,  /* a table or array begins: what comes next is in it */
    ITEM_CLOSE, /* the one opened last is over */
    ITEM_DEEP,  /* a table or array deeper than is read: skipped, h->cut is set */
};

enum amqp_table_end {
    TABLE_GOING,
    TABLE_WHOLE,
    TABLE_BROKEN, /* it does not add up, or a tag that nobody has */
    TABLE_LIMIT,  /* more elements than are read */
};

struct amqp_table {
    struct cursor in; /* ends where the innermost open table ends */
    uint64_t left;    /* elements that may still come */
    uint8_t item;     /* enum amqp_item: what amqp_table_next() gave */
    uint8_t end;      /* enum amqp_table_end */
    uint8_t dialect;  /* enum amqp_dialect */
    bool conflict;    /* a tag was met that the dialects read differently */
    bool copies;      /* an array was met that is header_has_copies() */
    unsigned depth, max_depth;
    uint32_t lists;                    /* bit n: what is open at level n is an array */
    const uint8_t *outer[TABLE_DEPTH]; /* where what is around level n ends */
};

/* `bytes` is the table without its length. max_depth: at most TABLE_DEPTH. */
void amqp_table_begin(struct amqp_table *t, struct bytes bytes, unsigned max_depth,
                      uint64_t max_elements, enum amqp_dialect dialect);
/* Fills name, kind, cut and value of *h, not its next; t->item says what it is (ITEM_CLOSE
 * leaves *h alone). false: no more; t->end says why. */
bool amqp_table_next(struct amqp_table *t, struct header *h);

struct amqp_table_limits {
    unsigned max_depth;
    uint64_t max_elements;
};

/* The whole table as headers, in `arena`. What cannot be read or kept is missing,
 * and out->cut says so; counted in tally (nesting_limit, arena_full, item_clipped). `cut`: the
 * table itself is only the head of one. false: it is malformed in every dialect (never when `cut`,
 * or when only a limit was met). A table that adds up in several dialects: RabbitMQ's, with the
 * other reading as out->other. */
bool amqp_table_headers(struct bytes table, bool cut, const struct amqp_table_limits *limits,
                        struct arena *arena, struct tally *tally, struct headers *out);

#endif
