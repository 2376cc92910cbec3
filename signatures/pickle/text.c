#include "signatures/pickle/machine.h"

#include <stdlib.h>

static int hex(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t octal(const uint8_t *at, size_t left, uint8_t *out)
{
    unsigned v = 0;
    size_t n = 0;
    for (; n < 3 && n < left && at[n] >= '0' && at[n] <= '7'; n++)
        v = v * 8 + (at[n] - '0');
    *out = (uint8_t)v;
    return n;
}

/* One escape behind its backslash (Objects/bytesobject.c:_PyBytes_DecodeEscape): bytes used; 0:
 * CPython raises. */
static size_t escape(const uint8_t *at, size_t left, uint8_t **out)
{
    static const char from[] = "\\'\"bftnrva", to[] = "\\'\"\b\f\t\n\r\v\a";
    const char *known = at[0] ? strchr(from, at[0]) : NULL;

    if (known) {
        *(*out)++ = (uint8_t)to[known - from];
        return 1;
    }
    if (at[0] == '\n')
        return 1;
    if (at[0] >= '0' && at[0] <= '7') {
        size_t n = octal(at, left, *out);
        (*out)++;
        return n;
    }
    if (at[0] == 'x') {
        if (left < 3 || hex(at[1]) < 0 || hex(at[2]) < 0)
            return 0;
        *(*out)++ = (uint8_t)(hex(at[1]) << 4 | hex(at[2]));
        return 3;
    }
    *(*out)++ = '\\'; /* unknown: both stay */
    *(*out)++ = at[0];
    return 1;
}

bool text_string(uint8_t *at, size_t *len)
{
    uint8_t *out = at;

    for (size_t i = 0; i < *len;) {
        if (at[i] != '\\') {
            *out++ = at[i++];
            continue;
        }
        if (++i == *len)
            return false;
        uint8_t room[3], *o = room;
        size_t n = escape(at + i, *len - i, &o);
        if (n == 0)
            return false;
        i += n;
        memcpy(out, room, (size_t)(o - room));
        out += o - room;
    }
    *len = (size_t)(out - at);
    return true;
}

static uint8_t *put_utf8(uint8_t *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (uint8_t)c;
    } else if (c < 0x800) {
        *out++ = (uint8_t)(0xc0 | c >> 6);
        *out++ = (uint8_t)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *out++ = (uint8_t)(0xe0 | c >> 12);
        *out++ = (uint8_t)(0x80 | (c >> 6 & 63));
        *out++ = (uint8_t)(0x80 | (c & 63));
    } else {
        *out++ = (uint8_t)(0xf0 | c >> 18);
        *out++ = (uint8_t)(0x80 | (c >> 12 & 63));
        *out++ = (uint8_t)(0x80 | (c >> 6 & 63));
        *out++ = (uint8_t)(0x80 | (c & 63));
    }
    return out;
}

/* Objects/unicodeobject.c:_PyUnicode_DecodeRawUnicodeEscapeStateful: a backslash with u or U is
 * an escape, with anything else both stay. */
static bool raw_unicode(struct bytes in, uint8_t *out, size_t *len)
{
    uint8_t *to = out;

    for (size_t i = 0; i < in.len;) {
        uint32_t c = in.at[i++];
        if (c != '\\' || i == in.len) {
            to = put_utf8(to, c);
            continue;
        }
        unsigned n = in.at[i] == 'u' ? 4 : in.at[i] == 'U' ? 8 : 0;
        if (n == 0) {
            to = put_utf8(put_utf8(to, '\\'), in.at[i++]);
            continue;
        }
        i++;
        for (c = 0; n > 0; n--, i++) {
            if (i == in.len || hex(in.at[i]) < 0)
                return false;
            c = c << 4 | (uint32_t)hex(in.at[i]);
        }
        if (c > 0x10ffff)
            return false;
        to = put_utf8(to, c);
    }
    *len = (size_t)(to - out);
    return true;
}

/* The text lies in the line buffer; its UTF-8 form, at most twice as long, goes behind it. */
bool text_unicode(struct vm *vm, struct bytes in, struct bytes *out)
{
    size_t need = in.len * 3, len = 0;

    if (vm->line_cap < need) {
        uint8_t *more = realloc(vm->line, need);
        if (!more) {
            vm_starve(vm);
            return false;
        }
        vm->line = more;
        vm->line_cap = (uint32_t)need;
    }
    in.at = vm->line;
    if (!raw_unicode(in, vm->line + in.len, &len))
        return false;
    *out = bytes_of(vm->line + in.len, len);
    return true;
}

static size_t utf8_char(const uint8_t *at, size_t left)
{
    uint8_t c = at[0];
    size_t n = c < 0x80                ? 1
               : c >= 0xc2 && c < 0xe0 ? 2
               : (c & 0xf0) == 0xe0    ? 3
               : c >= 0xf0 && c < 0xf5 ? 4
                                       : 0;

    if (n == 0 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((c == 0xe0 && at[1] < 0xa0) || (c == 0xf0 && at[1] < 0x90) || (c == 0xf4 && at[1] > 0x8f))
        return 0;
    return n;
}

bool utf8_valid(struct bytes b, bool cut)
{
    size_t i = 0;

    while (i < b.len) {
        uint64_t eight;
        if (b.len - i >= 8 && (memcpy(&eight, b.at + i, 8), !(eight & 0x8080808080808080u))) {
            i += 8;
            continue;
        }
        size_t n = utf8_char(b.at + i, b.len - i);
        if (n == 0)
            return cut && b.len - i < 4;
        i += n;
    }
    return true;
}

static bool word_byte(unsigned c, bool first)
{
    bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    return letter || c == '_' || c >= 0x80 || (!first && c >= '0' && c <= '9');
}

bool is_identifier(struct bytes dotted)
{
    bool first = true;

    if (dotted.len == 0 || dotted.len > 255)
        return false;
    for (size_t i = 0; i < dotted.len; i++) {
        bool dot = dotted.at[i] == '.' && !first;
        if (!dot && !word_byte(dotted.at[i], first))
            return false;
        first = dot;
    }
    return !first;
}

bool is_dunder(struct bytes name)
{
    return name.len > 4 && memcmp(name.at, "__", 2) == 0 &&
           memcmp(name.at + name.len - 2, "__", 2) == 0;
}
