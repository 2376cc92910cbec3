#include "signatures/pickle/disasm.h"

#include "signatures/pickle/machine.h"

static const uint8_t widths[] = {
    [ARG_NONE] = 0, [ARG_1] = 1,      [ARG_2] = 2,      [ARG_4] = 4,
    [ARG_8] = 8,    [ARG_COUNT1] = 1, [ARG_COUNT4] = 4, [ARG_COUNT8] = 8,
};

static uint64_t little(struct bytes b)
{
    uint64_t v = 0;
    for (size_t i = b.len; i-- > 0;)
        v = v << 8 | b.at[i];
    return v;
}

static bool take_line(struct bytes *rest, struct bytes *line)
{
    const uint8_t *end = rest->len ? memchr(rest->at, '\n', rest->len) : NULL;
    *line = bytes_cut(rest, end ? (size_t)(end - rest->at) : rest->len);
    if (end)
        bytes_cut(rest, 1);
    return end != NULL;
}

static bool take_lines(struct bytes *rest, struct disasm *d, bool two)
{
    d->kind = two ? DISASM_TWO_TEXTS : DISASM_TEXT;
    bool whole = take_line(rest, &d->text);
    return two ? whole && take_line(rest, &d->second) : whole;
}

static void set_number(struct disasm *d, uint64_t n)
{
    d->kind = DISASM_NUMBER;
    d->number = d->opcode == 'J' || d->opcode == 0x84 ? (int32_t)(uint32_t)n : (int64_t)n;
    if (d->opcode != 'G')
        return;
    n = __builtin_bswap64(n);
    memcpy(&d->real, &n, sizeof d->real);
    d->kind = DISASM_FLOAT;
}

static bool take_fixed(struct bytes *rest, struct disasm *d, uint8_t arg)
{
    struct bytes raw = bytes_cut(rest, widths[arg]);

    if (raw.len < widths[arg])
        return false;
    if (arg < ARG_COUNT1) {
        if (raw.len > 0)
            set_number(d, little(raw));
        return true;
    }
    uint64_t len = little(raw);
    d->kind = DISASM_TEXT;
    d->text = bytes_cut(rest, len < rest->len ? (size_t)len : rest->len);
    return d->text.len == len;
}

bool disasm_next(struct bytes all, size_t *at, struct disasm *d)
{
    struct bytes rest = all;

    *d = (struct disasm){.at = *at};
    bytes_cut(&rest, *at);
    if (rest.len == 0)
        return false;
    d->opcode = bytes_cut(&rest, 1).at[0];
    const struct opcode *o = &opcodes[d->opcode];
    d->name = o->name;
    if (!d->name)
        return false;
    d->cut = o->arg >= ARG_LINE ? !take_lines(&rest, d, o->arg == ARG_LINES)
                                : !take_fixed(&rest, d, o->arg);
    *at = all.len - rest.len;
    return !d->cut;
}
