/* Constants that are put together or decoded inside the stream. Honest pickles do none of this
 * but _codecs.encode(text, "latin1"), which is how bytes travel below protocol 3. */
#include "signatures/pickle/machine.h"

#include <string.h>

static struct value arg_at(const struct vm *vm, struct value args, unsigned i)
{
    return value_count(&vm->heap, args) > i ? value_at(&vm->heap, args, i) : NO_VALUE;
}

static struct value args_of_call(const struct vm *vm, struct value call)
{
    struct node *n = node_of(&vm->heap, call);
    return n->used > 1 ? n->v[1] : NO_VALUE;
}

static struct value built(struct vm *vm, enum kind k, struct bytes text)
{
    struct value v = value_text(vm, k, text, text.len);
    v.flags |= VF_BUILT;
    return v;
}

static void note_building(struct vm *vm, struct value call)
{
    vm_accuse(vm, PICKLE_SUSPICIOUS, call, PICKLE_FLAG(STRING_BUILDING),
              "text is put together by calls");
}

static void note_decoding(struct vm *vm, struct value call)
{
    vm_accuse(vm, PICKLE_SUSPICIOUS, call, PICKLE_FLAG(DECODE_CHAIN), "data are decoded by calls");
}

/* An unknown text that a call has made. */
static struct value unknown_text(void)
{
    return LOST_VALUE;
}

static bool append(char *out, size_t *n, struct bytes text)
{
    if (text.len > TEXT_KEPT - *n)
        return false;
    memcpy(out + *n, text.at, text.len);
    *n += text.len;
    return true;
}

static struct value join(struct vm *vm, struct value glue, struct value parts)
{
    char out[TEXT_KEPT];
    size_t n = 0;
    uint64_t count = value_count(&vm->heap, parts);

    for (unsigned i = 0; i < count; i++) {
        struct value part = value_at(&vm->heap, parts, i);
        if (!is_text(part) || !text_whole(&vm->heap, part) ||
            (i > 0 && !append(out, &n, text_of(&vm->heap, glue))) ||
            !append(out, &n, text_of(&vm->heap, part)))
            return unknown_text();
    }
    return built(vm, V_STR, bytes_of(out, n));
}

static struct value add(struct vm *vm, struct value a, struct value b)
{
    char out[TEXT_KEPT];
    size_t n = 0;

    if (!is_text(a) || !is_text(b) || !text_whole(&vm->heap, a) || !text_whole(&vm->heap, b) ||
        !append(out, &n, text_of(&vm->heap, a)) || !append(out, &n, text_of(&vm->heap, b)))
        return unknown_text();
    return built(vm, (enum kind)a.kind, bytes_of(out, n));
}

struct value fold_item(struct vm *vm, struct value container, struct value index)
{
    if (index.kind != V_INT)
        return LOST_VALUE;
    int32_t at = (int32_t)index.ref;
    if (container.kind == V_STR && text_whole(&vm->heap, container)) {
        struct bytes text = text_of(&vm->heap, container);
        int64_t i = at < 0 ? at + (int64_t)text.len : at;
        if (i < 0 || (size_t)i >= text.len)
            return LOST_VALUE;
        return built(vm, V_STR, bytes_of(text.at + i, 1));
    }
    bool sequence = container.kind == V_TUPLE || container.kind == V_LIST;
    return sequence && at >= 0 ? value_at(&vm->heap, container, (unsigned)at) : LOST_VALUE;
}

/* One of a few spellings, whatever the case and punctuation (Lib/encodings/aliases.py). */
static bool codec_is(struct bytes codec, const char *name)
{
    size_t n = 0, len = strlen(name);

    for (size_t i = 0; i < codec.len; i++) {
        unsigned c = codec.at[i];
        if (c == '-' || c == '_' || c == ' ')
            continue;
        if (n == len || (c >= 'A' && c <= 'Z' ? c | 0x20 : c) != (unsigned char)name[n++])
            return false;
    }
    return n == len;
}

static bool is_latin1(struct bytes codec)
{
    return codec_is(codec, "latin1") || codec_is(codec, "iso88591") || codec_is(codec, "latin") ||
           codec_is(codec, "l1");
}

static struct value rot13(struct vm *vm, struct bytes text)
{
    uint8_t out[TEXT_KEPT];

    if (text.len > sizeof out)
        return unknown_text();
    for (size_t i = 0; i < text.len; i++) {
        unsigned c = text.at[i], at = (c | 0x20) - 'a';
        out[i] = (uint8_t)(at < 26 ? (at + 13) % 26 + (c & 0x20 ? 'a' : 'A') : c);
    }
    return built(vm, V_STR, bytes_of(out, text.len));
}

/* UTF-8 of code points below 256 to their bytes, in the line buffer's place of a decoder. */
static struct value latin1(struct vm *vm, struct value v)
{
    struct bytes text = text_of(&vm->heap, v);
    struct value out = value_text(vm, V_BYTES, text, text_len(&vm->heap, v));
    size_t n = 0;

    if (out.ref == 0)
        return out;
    struct node *node = node_of(&vm->heap, out);
    uint8_t *b = (uint8_t *)&node->b;
    bool whole = node->x == node->a;
    for (size_t i = 0; i < node->x; n++) {
        bool two = (b[i] & 0xfc) == 0xc0 && i + 1 < node->x;
        b[n] = (uint8_t)(two ? (b[i] & 3) << 6 | (b[i + 1] & 63) : b[i]);
        i += two ? 2 : 1;
    }
    node->x = (uint32_t)n;
    if (whole)
        node->a = n;
    if (whole && n >= 8 && nested_smells(bytes_of(b, n)))
        nested_literal(vm, bytes_of(b, n));
    return out;
}

static struct value decode(struct vm *vm, enum special how, struct value data)
{
    struct bytes out;

    if (!is_text(data) || !text_whole(&vm->heap, data) ||
        !decode_layer(vm->m, how, text_of(&vm->heap, data), 0, &out))
        return unknown_text();
    if (out.len >= 8 && nested_smells(out))
        nested_literal(vm, out);
    return built(vm, V_BYTES, bytes_head(out, LITERAL_KEPT));
}

static struct value transcode(struct vm *vm, struct value call, struct value text,
                              struct value codec, bool encodes)
{
    struct bytes name = text_of(&vm->heap, codec);

    if (encodes && codec.kind == V_STR && is_latin1(name) && text.kind == V_STR)
        return latin1(vm, text);
    note_decoding(vm, call);
    if (codec.kind != V_STR || !is_text(text) || !text_whole(&vm->heap, text))
        return unknown_text();
    if (codec_is(name, "rot13"))
        return rot13(vm, text_of(&vm->heap, text));
    if (codec_is(name, "hex") || codec_is(name, "hexcodec"))
        return encodes ? unknown_text() : decode(vm, SPECIAL_FROMHEX, text);
    if (codec_is(name, "base64") || codec_is(name, "base64codec"))
        return encodes ? unknown_text() : decode(vm, SPECIAL_B64DECODE, text);
    if (codec_is(name, "zlib") || codec_is(name, "bz2") || codec_is(name, "zip"))
        return encodes ? unknown_text() : decode(vm, SPECIAL_DECOMPRESS, text);
    bool same = codec_is(name, "utf8") || codec_is(name, "ascii") || is_latin1(name);
    return same ? built(vm, encodes ? V_BYTES : V_STR, text_of(&vm->heap, text)) : unknown_text();
}

static struct value bytes_of_text(struct vm *vm, struct value call, struct value text)
{
    (void)call;
    if (text.kind == V_STR)
        return latin1(vm, text);
    return is_text(text) ? text : plain(V_BYTES);
}

struct value fold_text(struct vm *vm, enum special s, struct value call)
{
    struct value args = args_of_call(vm, call), a = arg_at(vm, args, 0), b = arg_at(vm, args, 1);

    switch (s) {
    case SPECIAL_ADD: note_building(vm, call); return add(vm, a, b);
    case SPECIAL_GETITEM: note_building(vm, call); return fold_item(vm, a, b);
    case SPECIAL_JOIN: note_building(vm, call); return join(vm, a, b);
    case SPECIAL_FORMAT: note_building(vm, call); return unknown_text();
    case SPECIAL_BYTES: return bytes_of_text(vm, call, a);
    case SPECIAL_BYTES_DECODE:
        note_building(vm, call);
        return is_text(a) && text_whole(&vm->heap, a) ? built(vm, V_STR, text_of(&vm->heap, a))
                                                      : LOST_VALUE;
    case SPECIAL_CODECS_ENCODE: return transcode(vm, call, a, b, true);
    case SPECIAL_CODECS_DECODE: return transcode(vm, call, a, b, false);
    case SPECIAL_FROMHEX:
    case SPECIAL_B64DECODE:
    case SPECIAL_B64URL:
    case SPECIAL_DECOMPRESS: note_decoding(vm, call); return decode(vm, s, a);
    default: return call;
    }
}

/* A method of a constant text. */
struct value fold_method(struct vm *vm, struct value base, struct bytes name, struct value call)
{
    struct value args = args_of_call(vm, call), a = arg_at(vm, args, 0);
    bool join_it = bytes_eq(name, "join"), add_it = bytes_eq(name, "__add__"),
         same = bytes_eq(name, "decode") || bytes_eq(name, "encode");

    note_building(vm, call);
    if (join_it)
        return join(vm, base, a);
    if (add_it)
        return add(vm, base, a);
    if (same && text_whole(&vm->heap, base))
        return built(vm, base.kind == V_STR ? V_BYTES : V_STR, text_of(&vm->heap, base));
    return unknown_text();
}
