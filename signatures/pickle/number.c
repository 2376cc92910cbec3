/* Numbers as text, with all that CPython lets pass: strtol() and PyLong_FromString() skip blanks,
 * take signs, bases and underscores, and stop at a NUL (_pickle.c:load_int, load_long, load_get).
 */
#include "signatures/pickle/machine.h"

#include <stdlib.h>

static bool blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static unsigned digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? c - 'a' + 10u : 99;
}

static struct bytes up_to_nul(struct bytes b)
{
    const uint8_t *nul = b.len ? memchr(b.at, 0, b.len) : NULL;
    return nul ? bytes_head(b, (size_t)(nul - b.at)) : b;
}

static void add_digit(struct number *n, unsigned base, unsigned d)
{
    if (n->big || __builtin_mul_overflow(n->value, (int64_t)base, &n->value) ||
        __builtin_add_overflow(n->value, (int64_t)d, &n->value))
        n->big = true;
}

/* The base that a prefix names, and the text behind it. */
static unsigned take_base(struct bytes *b, unsigned base, bool *prefixed)
{
    uint8_t c = b->len > 1 && b->at[0] == '0' ? b->at[1] | 0x20 : 0;
    unsigned named = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 0;

    *prefixed = base == 0 && named;
    if (*prefixed)
        bytes_cut(b, 2);
    return base ? base : named ? named : 10;
}

/* Objects/longobject.c:PyLong_FromString. */
static struct number python_int(struct bytes b, unsigned base)
{
    struct number n = {0};
    bool minus = false, prefixed, nonzero = false, zero_first, under = false;

    b = up_to_nul(b);
    while (b.len && blank(b.at[0]))
        bytes_cut(&b, 1);
    if (b.len && (b.at[0] == '+' || b.at[0] == '-'))
        minus = bytes_cut(&b, 1).at[0] == '-';
    unsigned real = take_base(&b, base, &prefixed);
    if (prefixed && b.len && b.at[0] == '_')
        bytes_cut(&b, 1);
    zero_first = base == 0 && !prefixed && b.len && b.at[0] == '0';
    while (b.len && (digit(b.at[0]) < real || (b.at[0] == '_' && n.digits && !under))) {
        under = b.at[0] == '_';
        if (!under) {
            nonzero |= b.at[0] != '0';
            n.digits++;
            add_digit(&n, real, digit(b.at[0]));
        }
        bytes_cut(&b, 1);
    }
    while (b.len && blank(b.at[0]))
        bytes_cut(&b, 1);
    n.ok = n.digits > 0 && !under && b.len == 0 && !(zero_first && nonzero);
    n.value = minus ? -n.value : n.value;
    if (real != 10)
        n.digits = 0;
    return n;
}

/* strtol(, 0), which knows octal by a leading 0 and no underscores. */
static bool c_int(struct bytes b, struct number *n)
{
    char text[64], *end;
    bool fits = b.len < sizeof text - 1;

    if (!fits)
        return false;
    memcpy(text, b.at, b.len);
    text[b.len] = '\0';
    n->value = strtol(text, &end, 0);
    n->ok = *end == '\0' && n->value != INT64_MAX && n->value != INT64_MIN;
    return n->ok;
}

/* A line whose tail was not kept: its head must do. */
static struct number cut_number(struct bytes line, uint64_t len)
{
    struct number n = {.ok = true, .big = true};
    n.digits = line.len > 1 && (line.at[1] | 0x20) == 'x' ? 0 : len;
    return n;
}

struct number pickle_number_int(struct bytes line, uint64_t len)
{
    struct number n = {0};

    if (line.len == 0)
        return n;
    if (line.len < len)
        return cut_number(line, len);
    if (!c_int(up_to_nul(line), &n))
        return python_int(line, 0);
    n.boolean = len == 2 && (n.value == 0 || n.value == 1);
    return n;
}

struct number number_long(struct bytes line, uint64_t len)
{
    if (line.len > 0 && line.len < len)
        return cut_number(line, len);
    if (line.len > 0 && line.at[line.len - 1] == 'L')
        line.len--;
    return python_int(line, 0);
}

struct number number_key(struct bytes line, uint64_t len)
{
    struct number n = python_int(line, 10);
    n.ok = n.ok && line.len == len && !n.big && n.value >= 0;
    return n;
}

/* PyOS_string_to_double: no blanks, no hexadecimal; a NUL ends it. */
bool number_float(struct bytes line, uint64_t len, double *v)
{
    char text[512], *end;

    if (line.len == 0 || line.len < len)
        return line.len > 0;
    line = up_to_nul(line);
    if (line.len >= sizeof text) /* as many digits as anybody likes */
        return digit(line.at[0]) < 10 || line.at[0] == '-' || line.at[0] == '+' ||
               line.at[0] == '.';
    for (size_t i = 0; i < line.len; i++)
        if (blank(line.at[i]) || (line.at[i] | 0x20) == 'x' || line.at[i] == '(')
            return false;
    memcpy(text, line.at, line.len);
    text[line.len] = '\0';
    *v = strtod(text, &end);
    return end != text && *end == '\0';
}
