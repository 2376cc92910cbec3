/* Opcodes that import, call, and change objects. */
#include "signatures/pickle/ops.h"

static bool underflow(struct vm *vm)
{
    return vm_stop(vm, PICKLE_END_UNDERFLOW);
}

static bool import_lines(struct vm *vm, const struct arg *a, struct value *v)
{
    if (a->text.len == 0 || a->second.len == 0 || !utf8_valid(a->text, false) ||
        !utf8_valid(a->second, false))
        return vm_stop(vm, PICKLE_END_TEXT);
    struct value module = value_text(vm, V_STR, bytes_head(a->text, TEXT_KEPT), a->text.len);
    struct value name = value_text(vm, V_STR, bytes_head(a->second, TEXT_KEPT), a->second.len);
    *v = vm_import(vm, module, name, false);
    return true;
}

bool op_global(struct vm *vm, const struct arg *a)
{
    struct value v;
    return import_lines(vm, a, &v) && stack_push(vm, v);
}

static bool names(struct vm *vm, struct value v)
{
    (void)vm;
    return v.kind == V_STR || is_object(v) || v.kind == V_LOST;
}

bool op_stack_global(struct vm *vm, const struct arg *a)
{
    (void)a;
    if (!stack_has(vm, 2))
        return underflow(vm);
    struct value name = stack_pop(vm), module = stack_pop(vm);
    if (!names(vm, name) || !names(vm, module)) {
        vm->flags |= PICKLE_FLAG(TYPE_ODDITY);
        vm_raise(vm, PICKLE_SUSPICIOUS, "STACK_GLOBAL of what is not text");
        return vm_stop(vm, PICKLE_END_TYPE);
    }
    return stack_push(vm, vm_import(vm, module, name, false));
}

/* A tuple of the slice, which leaves the stack. */
static struct value slice_tuple(struct vm *vm, uint32_t first)
{
    uint32_t n = vm->len - first;
    struct value v = value_node(vm, V_TUPLE, n < TUPLE_CAP ? n : TUPLE_CAP);

    for (uint32_t i = first; i < vm->len; i++)
        value_add(vm, v, vm->stack[i].kind == V_RUN ? LOST_DATA : vm->stack[i]);
    stack_drop(vm, first);
    return v;
}

bool op_inst(struct vm *vm, const struct arg *a)
{
    uint32_t first;
    struct value callee;

    if (!stack_mark(vm, &first))
        return underflow(vm);
    if (!import_lines(vm, a, &callee))
        return false;
    return stack_push(vm, vm_call(vm, callee, slice_tuple(vm, first), NO_VALUE));
}

bool op_obj(struct vm *vm, const struct arg *a)
{
    uint32_t first;

    (void)a;
    if (!stack_mark(vm, &first) || vm->len == first)
        return underflow(vm);
    struct value callee = vm->stack[first], args = slice_tuple(vm, first + 1);
    stack_drop(vm, first);
    return stack_push(vm, vm_call(vm, callee.kind == V_RUN ? LOST_DATA : callee, args, NO_VALUE));
}

bool op_reduce(struct vm *vm, const struct arg *a)
{
    (void)a;
    if (!stack_has(vm, 2))
        return underflow(vm);
    struct value args = stack_pop(vm), callee = stack_pop(vm);
    return stack_push(vm, vm_call(vm, callee, args, NO_VALUE));
}

bool op_newobj(struct vm *vm, const struct arg *a)
{
    return op_reduce(vm, a);
}

bool op_newobj_ex(struct vm *vm, const struct arg *a)
{
    (void)a;
    if (!stack_has(vm, 3))
        return underflow(vm);
    struct value words = stack_pop(vm), args = stack_pop(vm), callee = stack_pop(vm);
    return stack_push(vm, vm_call(vm, callee, args, words));
}

bool op_build(struct vm *vm, const struct arg *a)
{
    (void)a;
    if (!stack_has(vm, 2))
        return underflow(vm);
    struct value state = stack_pop(vm);
    vm_build(vm, *stack_top(vm, 0), state);
    return true;
}

static bool push_ext(struct vm *vm, int64_t code)
{
    struct value v = plain(V_EXT);

    if (code <= 0)
        return vm_stop(vm, PICKLE_END_TYPE);
    v.ref = (uint32_t)code;
    vm->imports++;
    vm->flags |= PICKLE_FLAG(EXT);
    vm_raise(vm, PICKLE_SUSPICIOUS, "an object of the extension registry");
    return stack_push(vm, v);
}

bool op_ext(struct vm *vm, const struct arg *a)
{
    return push_ext(vm, (int64_t)a->n);
}

bool op_ext4(struct vm *vm, const struct arg *a)
{
    return push_ext(vm, (int32_t)(uint32_t)a->n);
}

static bool push_persid(struct vm *vm)
{
    vm->flags |= PICKLE_FLAG(PERSID);
    vm_raise(vm, PICKLE_SUSPICIOUS, "a persistent id, which Celery cannot load");
    return stack_push(vm, plain(V_PERSID));
}

bool op_persid(struct vm *vm, const struct arg *a)
{
    for (size_t i = 0; i < a->text.len; i++)
        if (a->text.at[i] & 0x80)
            return vm_stop(vm, PICKLE_END_TEXT);
    return push_persid(vm);
}

bool op_binpersid(struct vm *vm, const struct arg *a)
{
    (void)a;
    if (!stack_has(vm, 1))
        return underflow(vm);
    stack_pop(vm);
    return push_persid(vm);
}

bool op_next_buffer(struct vm *vm, const struct arg *a)
{
    (void)a;
    return stack_push(vm, plain(V_BUFFER));
}

bool op_readonly_buffer(struct vm *vm, const struct arg *a)
{
    (void)a;
    return stack_has(vm, 1) || underflow(vm);
}
