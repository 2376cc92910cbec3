/* dissectors/amqp/props.c - the content header frame. */
#include "dissectors/amqp/props.h"

/* Names of the properties that amqp_props_list() gives; the kind says how they are read. */
static const struct {
    const char *name;
    uint8_t len;
    enum header_kind kind;
} props[PROP_COUNT] = {
#define PROP(id, text, kind) [PROP_##id] = {text, sizeof text - 1, HEADER_##kind}
    PROP(CONTENT_TYPE, "content_type", TEXT),
    PROP(CONTENT_ENCODING, "content_encoding", TEXT),
    PROP(HEADERS, "headers", MAP),
    PROP(DELIVERY_MODE, "delivery_mode", INT),
    PROP(PRIORITY, "priority", INT),
    PROP(CORRELATION_ID, "correlation_id", TEXT),
    PROP(REPLY_TO, "reply_to", TEXT),
    PROP(EXPIRATION, "expiration", TEXT),
    PROP(MESSAGE_ID, "message_id", TEXT),
    PROP(TIMESTAMP, "timestamp", TIME),
    PROP(TYPE, "type", TEXT),
    PROP(USER_ID, "user_id", TEXT),
    PROP(APP_ID, "app_id", TEXT),
    PROP(CLUSTER_ID, "cluster_id", TEXT),
#undef PROP
};

/* The last bit of a flag word says that another follows; basic has no property there. */
static uint16_t flag_words(struct cursor *c)
{
    uint16_t first = cur_u16(c), more = first;

    while (cur_ok(c) && (more & 1u))
        more = cur_u16(c);
    return (uint16_t)(first & ~3u);
}

static union amqp_prop_value value(struct cursor *c, enum header_kind kind)
{
    union amqp_prop_value v = {.num = 0};
    uint32_t n;

    switch (kind) {
    case HEADER_TEXT: v.text = cur_take(c, cur_u8(c)); break;
    case HEADER_INT: v.num = cur_u8(c); break;
    case HEADER_TIME: v.num = cur_u64(c); break;
    default:
        n = cur_u32(c);
        if (cur_ok(c) && n > cur_left(c)) { /* its head, and then nothing more is read */
            v.text = cur_take(c, cur_left(c));
            cur_take(c, 1);
        } else {
            v.text = cur_take(c, n);
        }
    }
    return v;
}

bool amqp_props_read(struct amqp_props *p, struct bytes payload)
{
    struct cursor c = cur_over(payload);
    uint16_t flags;

    p->class_id = cur_u16(&c);
    p->weight = cur_u16(&c);
    p->body_size = cur_u64(&c);
    p->flags = 0;
    p->exact = false;
    flags = flag_words(&c);
    if (!cur_ok(&c))
        return false;
    for (unsigned id = 0; id < PROP_COUNT; id++) {
        uint16_t bit = (uint16_t)(0x8000u >> id);

        if (!(flags & bit))
            continue;
        p->at[id] = value(&c, props[id].kind);
        if (cur_ok(&c) || (id == PROP_HEADERS && p->at[id].text.at))
            p->flags |= bit;
        if (!cur_ok(&c))
            return true;
    }
    p->exact = cur_left(&c) == 0;
    return true;
}

void amqp_props_list(const struct amqp_props *p, struct arena *arena, struct headers *out)
{
    struct header_tail tail = header_tail_of(&out->first);

    out->cut = !p->exact;
    for (unsigned id = PROP_DELIVERY_MODE; id < PROP_COUNT; id++) {
        if (!amqp_props_have(p, id))
            continue;
        struct header *h = header_add(&tail, bytes_of(props[id].name, props[id].len), arena);
        if (!h) {
            out->cut = true;
            return;
        }
        h->kind = props[id].kind;
        if (h->kind == HEADER_TEXT)
            h->text = p->at[id].text;
        else if (h->kind == HEADER_INT)
            h->num = (int64_t)p->at[id].num;
        else
            h->num = p->at[id].num > INT64_MAX / 1000000000u
                         ? INT64_MAX
                         : (int64_t)(p->at[id].num * 1000000000u);
    }
}
