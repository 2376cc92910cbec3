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

/* The header table; of one that is cut its head, and then nothing more is read. */
static struct bytes table(struct cursor *c)
{
    uint32_t n = cur_u32(c);
    struct bytes head = bytes_of(c->at, cur_left(c));

    if (!cur_ok(c) || n <= head.len)
        return cur_take(c, n);
    c->bad = true;
    return head;
}

static inline void read_value(union amqp_prop_value *v, struct cursor *c, unsigned id)
{
    switch (id) {
    case PROP_HEADERS: v->text = table(c); break;
    case PROP_DELIVERY_MODE:
    case PROP_PRIORITY: v->num = cur_u8(c); break;
    case PROP_TIMESTAMP: v->num = cur_u64(c); break;
    default: v->text = cur_take(c, cur_u8(c)); break;
    }
}

/* Those of `flags`, as far as they are there; says which. */
static uint16_t read_values(union amqp_prop_value *v, uint16_t flags, struct cursor *in)
{
    struct cursor c = *in;
    unsigned left = flags, there = 0;

    while (left > 0 && cur_ok(&c)) {
        unsigned id = (unsigned)__builtin_clz(left) - 16, bit = 0x8000u >> id;

        left &= ~bit;
        read_value(&v[id], &c, id);
        if (cur_ok(&c) || (id == PROP_HEADERS && v[id].text.at))
            there |= bit;
    }
    *in = c;
    return (uint16_t)there;
}

bool amqp_props_read(struct amqp_props *p, struct bytes payload)
{
    struct cursor c = cur_over(payload);
    uint16_t flags;

    p->class_id = cur_u16(&c);
    p->weight = cur_u16(&c);
    p->body_size = cur_u64(&c);
    flags = flag_words(&c);
    p->flags = 0;
    p->exact = false;
    if (!cur_ok(&c))
        return false;
    p->flags = read_values(p->at, flags, &c);
    p->exact = cur_ok(&c) && cur_left(&c) == 0;
    return true;
}

static void fill(struct header *h, unsigned id, const union amqp_prop_value *v)
{
    h->name = bytes_of(props[id].name, props[id].len);
    h->kind = props[id].kind;
    h->cut = false;
    if (h->kind == HEADER_TEXT)
        h->text = v->text;
    else if (h->kind == HEADER_INT)
        h->num = (int64_t)v->num;
    else
        h->num = v->num > INT64_MAX / 1000000000u ? INT64_MAX : (int64_t)(v->num * 1000000000u);
}

void amqp_props_list(const struct amqp_props *p, struct arena *arena, struct headers *out)
{
    unsigned flags = p->flags & (0xffffu >> PROP_DELIVERY_MODE);
    unsigned n = (unsigned)__builtin_popcount(flags);
    struct header *h = n > 0 ? arena_raw(arena, n * sizeof *h) : NULL;

    out->first = h;
    out->cut = !p->exact || (n > 0 && !h);
    out->disputed = out->copies = false;
    out->other = NULL;
    for (; h && n > 0; n--, h++) {
        unsigned id = (unsigned)__builtin_clz(flags) - 16;

        flags &= ~(0x8000u >> id);
        fill(h, id, &p->at[id]);
        h->next = n > 1 ? h + 1 : NULL;
    }
}
