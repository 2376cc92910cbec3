/* content/msgpack_walk.c - see msgpack_walk.h. */
#include "dissectors/content/msgpack_walk.h"

/* By lead byte from 0xc0 to 0xdf: what it is, how many bytes of length (or value) follow. */
static const struct shape {
    uint8_t kind, width;
} shapes[32] = {
    {MP_NIL, 0},  {MP_BAD, 0},  {MP_FALSE, 0}, {MP_TRUE, 0}, {MP_BIN, 1},     {MP_BIN, 2},
    {MP_BIN, 4},  {MP_EXT, 1},  {MP_EXT, 2},   {MP_EXT, 4},  {MP_FLOAT32, 4}, {MP_FLOAT64, 8},
    {MP_UINT, 1}, {MP_UINT, 2}, {MP_UINT, 4},  {MP_UINT, 8}, {MP_INT, 1},     {MP_INT, 2},
    {MP_INT, 4},  {MP_INT, 8},  {MP_EXT, 0},   {MP_EXT, 0},  {MP_EXT, 0},     {MP_EXT, 0},
    {MP_EXT, 0},  {MP_STR, 1},  {MP_STR, 2},   {MP_STR, 4},  {MP_ARRAY, 2},   {MP_ARRAY, 4},
    {MP_MAP, 2},  {MP_MAP, 4},
};

static uint64_t sign_extend(uint64_t v, unsigned width)
{
    uint64_t sign = (uint64_t)1 << (8 * width - 1);
    return (v ^ sign) - sign;
}

/* Lead bytes that hold a value or a length in themselves. */
static bool fixed(uint8_t lead, struct mp_head *h)
{
    h->size = 1;
    if (lead < 0x80)
        return (h->kind = MP_UINT, h->bits = lead, true);
    if (lead < 0x90)
        return (h->kind = MP_MAP, h->count = lead & 0x0f, true);
    if (lead < 0xa0)
        return (h->kind = MP_ARRAY, h->count = lead & 0x0f, true);
    if (lead < 0xc0)
        return (h->kind = MP_STR, h->count = lead & 0x1f, true);
    if (lead >= 0xe0)
        return (h->kind = MP_INT, h->bits = sign_extend(lead, 1), true);
    return false;
}

bool mp_head(struct bytes in, struct mp_head *h)
{
    struct cursor c = cur_over(in);
    uint8_t lead = cur_u8(&c);
    h->count = h->bits = 0;
    if (!cur_ok(&c))
        return false;
    if (fixed(lead, h))
        return true;
    const struct shape *s = &shapes[lead - 0xc0];
    uint64_t v = s->width > 0 ? cur_be(&c, s->width) : 0;
    h->kind = s->kind;
    h->size = 1u + s->width;
    switch (h->kind) {
    case MP_INT:
        if (s->width > 0) /* it is: shapes[] says so */
            h->bits = sign_extend(v, s->width);
        break;
    case MP_UINT:
    case MP_FLOAT32:
    case MP_FLOAT64: h->bits = v; break;
    case MP_EXT: /* fixext 1, 2, 4, 8, 16 */
        h->count = s->width > 0 ? v : (uint64_t)1 << (lead - 0xd4);
        h->bits = sign_extend(cur_u8(&c), 1);
        h->size++;
        break;
    default: h->count = v;
    }
    return cur_ok(&c);
}

enum mp_walk mp_walk(struct bytes *in, uint64_t values)
{
    struct mp_head h;
    while (values > 0) {
        if (values > in->len || !mp_head(*in, &h))
            return MP_WALK_ENDED;
        if (h.kind == MP_BAD)
            return MP_WALK_BAD;
        bool container = h.kind == MP_ARRAY || h.kind == MP_MAP;
        if (!container && h.count > in->len - h.size)
            return MP_WALK_ENDED;
        bytes_cut(in, h.size + (container ? 0 : (size_t)h.count));
        values--;
        if (container)
            values += h.kind == MP_MAP ? 2 * h.count : h.count;
    }
    return MP_WALK_DONE;
}
