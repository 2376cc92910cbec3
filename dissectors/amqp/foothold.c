/* dissectors/amqp/foothold.c - recognises a frame by all that is fixed in it. */
#include "dissectors/amqp/foothold.h"

#include "dissectors/amqp/frame.h"
#include "dissectors/amqp/method.h"
#include "dissectors/amqp/props.h"

enum { HEAD = AMQP_FRAME_HEAD, HEAD_AND_IDS = HEAD + 4 };

static bool known_method(struct bytes ids)
{
    struct cursor c = cur_over(ids);
    uint16_t class_id = cur_u16(&c), method_id = cur_u16(&c);

    return cur_ok(&c) && (amqp_method_find(class_id, method_id, false) ||
                          amqp_method_find(class_id, method_id, true));
}

static bool known_header(struct bytes ids)
{
    static const uint8_t basic[] = {0, 60, 0, 0};

    return ids.len >= sizeof basic && memcmp(ids.at, basic, sizeof basic) == 0;
}

static bool exact(uint8_t type, struct bytes payload)
{
    struct amqp_method m;
    struct amqp_props p;

    if (type == AMQP_METHOD)
        return (amqp_method_read(&m, payload, false) && m.exact) ||
               (amqp_method_read(&m, payload, true) && m.exact); /* 0-8 */
    return type == AMQP_HEARTBEAT || (amqp_props_read(&p, payload) && p.exact);
}

/* What can be said by type, channel and size. */
static bool sane(uint8_t type, uint16_t channel, uint32_t size, size_t max_size)
{
    switch (type) {
    case AMQP_METHOD: return size >= 4 && size <= max_size;
    case AMQP_HEADER: return size >= AMQP_CONTENT_HEADER_MIN && size <= max_size && channel > 0;
    case AMQP_HEARTBEAT: return size == 0 && channel == 0;
    default: return false;
    }
}

enum foothold amqp_foothold(struct bytes b, size_t max_size, size_t *need)
{
    struct cursor c = cur_over(b);
    uint8_t type = cur_u8(&c);

    *need = HEAD;
    if (!cur_ok(&c))
        return FOOTHOLD_MORE;
    if (type != AMQP_METHOD && type != AMQP_HEADER && type != AMQP_HEARTBEAT)
        return FOOTHOLD_NO;
    uint16_t channel = cur_u16(&c);
    uint32_t size = cur_u32(&c);
    if (!cur_ok(&c))
        return FOOTHOLD_MORE;
    if (!sane(type, channel, size, max_size))
        return FOOTHOLD_NO;
    *need = size > 0 ? HEAD_AND_IDS : HEAD + 1;
    if (b.len < *need)
        return FOOTHOLD_MORE;
    struct cursor at_ids = c;
    struct bytes ids = cur_take(&at_ids, 4);
    if ((type == AMQP_METHOD && !known_method(ids)) || (type == AMQP_HEADER && !known_header(ids)))
        return FOOTHOLD_NO;
    *need = HEAD + (size_t)size + 1;
    if (b.len < *need)
        return FOOTHOLD_MORE;
    struct bytes payload = cur_take(&c, size);
    return cur_u8(&c) == AMQP_FRAME_END && exact(type, payload) ? FOOTHOLD_YES : FOOTHOLD_NO;
}

/* Sizes are below 2^24, so the byte behind the channel is zero in every frame that
 * is looked for: that is what is searched. */
static size_t next_zero(struct bytes b, size_t from)
{
    const uint8_t *zero = b.at[from] == 0 ? b.at + from : memchr(b.at + from, 0, b.len - from);

    return zero ? (size_t)(zero - b.at) : b.len;
}

enum foothold amqp_foothold_find(struct bytes b, size_t max_size, size_t *at, size_t *need)
{
    for (size_t i = 0; i < b.len; i++) {
        if (b.len - i > 3)
            i = next_zero(b, i + 3) - 3;
        if (b.at[i] - 1u >= AMQP_HEARTBEAT) /* no type of frame */
            continue;
        enum foothold v = amqp_foothold(bytes_of(b.at + i, b.len - i), max_size, need);
        if (v != FOOTHOLD_NO) {
            *at = i;
            return v;
        }
    }
    return FOOTHOLD_NO;
}
