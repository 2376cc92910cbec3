#include "signatures/pickle/mask.h"

#include "signatures/pickle/secret.h"

void put_bytes(struct text_out *o, struct bytes b)
{
    if (b.len > o->room - o->used) {
        b.len = o->room - o->used;
        o->full = true;
    }
    if (b.len > 0)
        memcpy(o->at + o->used, b.at, b.len);
    o->used += b.len;
}

void put_text(struct text_out *o, const char *text)
{
    put_bytes(o, bytes_of(text, strlen(text)));
}

static void put_one(struct text_out *o, uint8_t c)
{
    static const char digits[] = "0123456789abcdef";
    char hex[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
    const char *known = c == '\n'   ? "\\n"
                        : c == '\t' ? "\\t"
                        : c == '\r' ? "\\r"
                        : c == '\\' ? "\\\\"
                        : c == '\'' ? "\\'"
                                    : NULL;

    if (known)
        put_text(o, known);
    else if (c >= 0x20 && c < 0x7f)
        put_bytes(o, bytes_of(&c, 1));
    else if (o->room - o->used >= sizeof hex)
        put_bytes(o, bytes_of(hex, sizeof hex));
    else
        o->full = true;
}

void put_escaped(struct text_out *o, struct bytes b, size_t max)
{
    bool cut = b.len > max;

    b = bytes_head(b, max);
    for (size_t i = 0; i < b.len && !o->full; i++)
        put_one(o, b.at[i]);
    if (cut)
        put_text(o, "...");
}

void put_masked_part(struct text_out *o, struct bytes b, size_t at, size_t end, size_t max)
{
    size_t before = o->used, from = 0, to = 0;

    while (at < end && o->used - before < max && secret_next(b, &from, &to) && from < end) {
        if (to > at) {
            bool begins = from >= at;
            if (begins)
                put_escaped(o, bytes_of(b.at + at, from - at), max);
            put_escaped(o, bytes_of(b.at + from, begins && to - from >= 8 ? 2 : 0), 2);
            put_text(o, "***");
            at = to;
        }
        from = to;
    }
    if (at < end && o->used - before < max)
        put_escaped(o, bytes_of(b.at + at, end - at), max - (o->used - before));
}

void put_masked(struct text_out *o, struct bytes b, size_t max)
{
    b = bytes_head(b, max + MASK_AHEAD);
    put_masked_part(o, b, 0, b.len, max);
}
