/* dissectors/amqp/props.h - the content header frame: size of the body and the
 * properties of a basic message. Pure views.
 * Source: AMQP 0-9-1 sections 2.3.5.2 and 4.2.6.1; celery/py-amqp:amqp/serialization.py:
 * decode_properties_basic. */
#ifndef DISSECTORS_AMQP_PROPS_H
#define DISSECTORS_AMQP_PROPS_H

#include "base/arena.h"
#include "dissectors/headers.h"

/* In the order of the wire; bit 15 - n of the flags says that property n is there. */
enum amqp_prop {
    PROP_CONTENT_TYPE,
    PROP_CONTENT_ENCODING,
    PROP_HEADERS,
    PROP_DELIVERY_MODE,
    PROP_PRIORITY,
    PROP_CORRELATION_ID,
    PROP_REPLY_TO,
    PROP_EXPIRATION,
    PROP_MESSAGE_ID,
    PROP_TIMESTAMP,
    PROP_TYPE,
    PROP_USER_ID,
    PROP_APP_ID,
    PROP_CLUSTER_ID,
    PROP_COUNT,
};

union amqp_prop_value {
    struct bytes text; /* short strings; the header table without its length */
    uint64_t num;
};

struct amqp_props {
    uint16_t class_id, weight;
    uint64_t body_size;
    uint16_t flags; /* of the properties that could be read */
    bool exact;     /* they fill the frame, no more, no less */
    union amqp_prop_value at[PROP_COUNT];
};

enum { AMQP_CONTENT_HEADER_MIN = 14 };

/* Reads a content header frame's payload. false: not even class, size and flags
 * are there. A property that does not fit ends the reading (exact is false); the
 * header table is not looked into. A table that is cut short gives its head. */
bool amqp_props_read(struct amqp_props *p, struct bytes payload);

static inline bool amqp_props_have(const struct amqp_props *p, enum amqp_prop id)
{
    return p->flags >> (15 - id) & 1u;
}

/* The text property, or an empty range with at == NULL. */
static inline struct bytes amqp_props_text(const struct amqp_props *p, enum amqp_prop id)
{
    return amqp_props_have(p, id) ? p->at[id].text : (struct bytes){0};
}

/* All but content type, content encoding and headers, as members named as AMQP's
 * specification names them (delivery_mode...). */
void amqp_props_list(const struct amqp_props *p, struct arena *arena, struct headers *out);

#endif
