/* Opcodes that push scalars and text. */
#include "signatures/pickle/ops.h"

bool op_none(struct vm *vm, const struct arg *a)
{
    (void)a;
    return stack_push(vm, plain(V_NONE));
}

bool op_true(struct vm *vm, const struct arg *a)
{
    (void)a;
    return stack_push(vm, plain(V_TRUE));
}

bool op_false(struct vm *vm, const struct arg *a)
{
    (void)a;
    return stack_push(vm, plain(V_FALSE));
}

static struct value small_int(int64_t n)
{
    struct value v = plain(V_INT);
    v.ref = (uint32_t)n;
    return v;
}

bool op_binint(struct vm *vm, const struct arg *a)
{
    return stack_push(vm, small_int((int32_t)(uint32_t)a->n));
}

bool op_binint_unsigned(struct vm *vm, const struct arg *a)
{
    return stack_push(vm, small_int((int64_t)a->n));
}

static struct value long_value(struct vm *vm, const uint8_t *at, size_t kept, uint64_t len)
{
    int64_t n = kept > 0 && at[kept - 1] & 0x80 ? -1 : 0;

    if (len > 4)
        return value_text(vm, V_LONG, bytes_head(bytes_of(at, kept), TEXT_KEPT), len);
    for (size_t i = kept; i-- > 0;)
        n = (int64_t)((uint64_t)n << 8 | at[i]);
    return small_int(n);
}

static bool push_number(struct vm *vm, struct number n)
{
    if (!n.ok)
        return vm_stop(vm, PICKLE_END_TEXT);
    if (n.digits > 4300)
        vm_bomb(vm, PICKLE_FLAG(DIGITS_BOMB), "a number of more than 4300 digits");
    if (n.boolean)
        return stack_push(vm, plain(n.value ? V_TRUE : V_FALSE));
    if (n.big)
        return stack_push(vm, plain(V_LONG));
    if (n.value >= INT32_MIN && n.value <= INT32_MAX)
        return stack_push(vm, small_int(n.value));
    uint8_t raw[8];
    uint64_t bits = (uint64_t)n.value;
    for (int i = 0; i < 8; i++, bits >>= 8)
        raw[i] = (uint8_t)bits;
    return stack_push(vm, long_value(vm, raw, 8, 8));
}

bool op_int(struct vm *vm, const struct arg *a)
{
    return push_number(vm, pickle_number_int(a->text, a->len));
}

bool op_long(struct vm *vm, const struct arg *a)
{
    return push_number(vm, number_long(a->text, a->len));
}

bool op_binlong(struct vm *vm, const struct arg *a)
{
    if (a->len > INT32_MAX)
        return vm_stop(vm, PICKLE_END_LENGTH);
    return stack_push(vm, long_value(vm, a->text.at, a->text.len, a->len));
}

static bool push_float(struct vm *vm, double d)
{
    struct value v = plain(V_FLOAT);
    float f = d > 3e38 ? 3e38f : d < -3e38 ? -3e38f : (float)d;
    memcpy(&v.ref, &f, sizeof v.ref);
    return stack_push(vm, v);
}

bool op_float(struct vm *vm, const struct arg *a)
{
    double d = 0;
    if (!number_float(a->text, a->len, &d))
        return vm_stop(vm, PICKLE_END_TEXT);
    return push_float(vm, d);
}

bool op_binfloat(struct vm *vm, const struct arg *a)
{
    uint64_t bits = __builtin_bswap64(a->n);
    double d;
    memcpy(&d, &bits, sizeof d);
    return push_float(vm, d);
}

/* Text that may hide a pickle is kept longer, and looked into at once. */
static bool push_text(struct vm *vm, enum kind k, struct bytes text, uint64_t len)
{
    bool smells = len >= 8 && nested_first(text.at[0]) && nested_smells(text);

    if (smells && text.len == len)
        nested_literal(vm, text);
    vm->m->names_task |= text.len == len && is_task_key(text.at, len);
    return stack_push(vm,
                      value_text(vm, k, bytes_head(text, smells ? LITERAL_KEPT : TEXT_KEPT), len));
}

bool op_binunicode(struct vm *vm, const struct arg *a)
{
    if (!utf8_valid(a->text, a->text.len < a->len))
        return vm_stop(vm, PICKLE_END_TEXT);
    return push_text(vm, V_STR, a->text, a->len);
}

bool op_binbytes(struct vm *vm, const struct arg *a)
{
    return push_text(vm, V_BYTES, a->text, a->len);
}

bool op_bytearray(struct vm *vm, const struct arg *a)
{
    return push_text(vm, V_BYTEARRAY, a->text, a->len);
}

/* Python 3 reads Python 2's strings as ASCII unless told otherwise; others go on, flagged. */
static bool push_old_string(struct vm *vm, struct bytes text, uint64_t len)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] & 0x80) {
            vm->flags |= PICKLE_FLAG(PY2_BYTES);
            break;
        }
    return push_text(vm, V_STR, text, len);
}

bool op_binstring(struct vm *vm, const struct arg *a)
{
    return push_old_string(vm, a->text, a->len);
}

bool op_string(struct vm *vm, const struct arg *a)
{
    size_t len = a->text.len;

    if (a->text.len < a->len)
        return push_text(vm, V_STR, bytes_of("", 0), a->len);
    if (len < 2 || a->text.at[0] != a->text.at[len - 1] ||
        (a->text.at[0] != '\'' && a->text.at[0] != '"'))
        return vm_stop(vm, PICKLE_END_TEXT);
    len -= 2;
    uint8_t *own = vm->line + 1;
    if (!text_string(own, &len))
        return vm_stop(vm, PICKLE_END_TEXT);
    return push_old_string(vm, bytes_of(own, len), len);
}

bool op_unicode(struct vm *vm, const struct arg *a)
{
    if (a->text.len < a->len)
        return push_text(vm, V_STR, bytes_of("", 0), a->len);
    struct bytes text;
    if (!text_unicode(vm, a->text, &text))
        return vm_stop(vm, PICKLE_END_TEXT);
    return push_text(vm, V_STR, text, text.len);
}
