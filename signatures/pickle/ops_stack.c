/* Opcodes of the stack, the memo, and containers. */
#include "signatures/pickle/ops.h"

static bool underflow(struct vm *vm)
{
    return vm_stop(vm, PICKLE_END_UNDERFLOW);
}

bool op_mark(struct vm *vm, const struct arg *a)
{
    struct value v = plain(V_MARK);

    (void)a;
    v.ref = vm->mark;
    if (vm->len == vm->cap) {
        stack_grow(vm);
        v.ref = vm->mark;
    }
    stack_push(vm, v);
    vm->mark = vm->len;
    return true;
}

/* A call whose result nobody takes was made for what it does. */
static void note_discarded(struct vm *vm, struct value v)
{
    if (v.kind == V_CALL && v.ref && node_of(&vm->heap, v)->x >= PICKLE_DANGEROUS)
        vm->flags |= PICKLE_FLAG(DISCARDED_CALL);
}

bool op_pop(struct vm *vm, const struct arg *a)
{
    (void)a;
    if (vm->mark > 0 && vm->mark == vm->len) {
        uint32_t first;
        return stack_mark(vm, &first);
    }
    if (!stack_has(vm, 1))
        return underflow(vm);
    note_discarded(vm, stack_pop(vm));
    return true;
}

bool op_pop_mark(struct vm *vm, const struct arg *a)
{
    uint32_t first;

    (void)a;
    if (!stack_mark(vm, &first))
        return underflow(vm);
    for (uint32_t i = first; i < vm->len; i++)
        note_discarded(vm, vm->stack[i]);
    stack_drop(vm, first);
    return true;
}

bool op_dup(struct vm *vm, const struct arg *a)
{
    (void)a;
    if (!stack_has(vm, 1))
        return underflow(vm);
    return stack_push(vm, *stack_top(vm, 0));
}

bool op_stop(struct vm *vm, const struct arg *a)
{
    (void)a;
    if (!stack_has(vm, 1))
        return underflow(vm);
    take_top(vm, *stack_top(vm, 0));
    take_document(vm, *stack_top(vm, 0));
    bomb_size(vm, *stack_top(vm, 0));
    return vm_stop(vm, PICKLE_END_STOP);
}

bool op_proto(struct vm *vm, const struct arg *a)
{
    if (a->n > 5)
        return vm_stop(vm, PICKLE_END_PROTOCOL);
    if (vm->ops == 1)
        vm->magic = true;
    else if ((int)a->n != vm->proto)
        vm->flags |= PICKLE_FLAG(LATE_PROTO);
    vm->proto = (int)a->n;
    return true;
}

/* The lexer follows frames itself. */
bool op_frame(struct vm *vm, const struct arg *a)
{
    (void)a;
    return vm != NULL;
}

bool op_empty_tuple(struct vm *vm, const struct arg *a)
{
    (void)a;
    return stack_push(vm, value_node(vm, V_TUPLE, 0));
}

bool op_empty_list(struct vm *vm, const struct arg *a)
{
    (void)a;
    return stack_push(vm, value_node(vm, V_LIST, LIST_CAP));
}

bool op_empty_dict(struct vm *vm, const struct arg *a)
{
    (void)a;
    return stack_push(vm, value_node(vm, V_DICT, LIST_CAP));
}

bool op_empty_set(struct vm *vm, const struct arg *a)
{
    (void)a;
    return stack_push(vm, value_node(vm, V_SET, LIST_CAP));
}

static void add_run(struct vm *vm, struct value into, uint32_t n)
{
    if (into.ref == 0 || n == 0)
        return;
    struct node *node = node_of(&vm->heap, into);
    node->a += n - 1;
    node->b += n - 1;
    value_add(vm, into, LOST_DATA);
}

static void add_slice(struct vm *vm, struct value into, uint32_t first)
{
    if (!vm->deep) {
        value_add_all(vm, into, vm->stack + first, vm->len - first);
        return;
    }
    for (uint32_t i = first; i < vm->len; i++) {
        if (vm->stack[i].kind == V_RUN)
            add_run(vm, into, vm->stack[i].ref);
        else
            value_add(vm, into, vm->stack[i]);
    }
}

/* In place of the slice comes a container of it. */
static bool gather(struct vm *vm, enum kind k, uint32_t first)
{
    uint32_t n = vm->len - first;
    unsigned cap = k == V_TUPLE ? (n < TUPLE_CAP ? n : TUPLE_CAP) : LIST_CAP;
    struct value v = value_node(vm, k, cap);

    add_slice(vm, v, first);
    v.flags |= value_flags(&vm->heap, v) & (VF_CALL | VF_GLOBAL);
    stack_drop(vm, first);
    return stack_push(vm, v);
}

bool op_tuple(struct vm *vm, const struct arg *a)
{
    uint32_t first;

    (void)a;
    return stack_mark(vm, &first) ? gather(vm, V_TUPLE, first) : underflow(vm);
}

static bool tuple_of(struct vm *vm, unsigned n)
{
    return stack_has(vm, n) ? gather(vm, V_TUPLE, vm->len - n) : underflow(vm);
}

bool op_tuple1(struct vm *vm, const struct arg *a)
{
    (void)a;
    return tuple_of(vm, 1);
}

bool op_tuple2(struct vm *vm, const struct arg *a)
{
    (void)a;
    return tuple_of(vm, 2);
}

bool op_tuple3(struct vm *vm, const struct arg *a)
{
    (void)a;
    return tuple_of(vm, 3);
}

bool op_list(struct vm *vm, const struct arg *a)
{
    uint32_t first;

    (void)a;
    return stack_mark(vm, &first) ? gather(vm, V_LIST, first) : underflow(vm);
}

static void hash_keys(struct vm *vm, uint32_t first, uint32_t stride)
{
    for (uint32_t i = first; i < vm->len; i += stride) {
        uint8_t kind = vm->stack[i].kind;
        if (kind == V_LONG || kind == V_TUPLE || kind == V_FROZENSET)
            bomb_key(vm, vm->stack[i]);
    }
}

bool op_dict(struct vm *vm, const struct arg *a)
{
    uint32_t first;

    (void)a;
    if (!stack_mark(vm, &first))
        return underflow(vm);
    if (stack_slice_count(vm, first) % 2 != 0 && !vm->bottomless)
        return vm_stop(vm, PICKLE_END_TYPE);
    hash_keys(vm, first, 2);
    return gather(vm, V_DICT, first);
}

bool op_frozenset(struct vm *vm, const struct arg *a)
{
    uint32_t first;

    (void)a;
    if (!stack_mark(vm, &first))
        return underflow(vm);
    hash_keys(vm, first, 1);
    return gather(vm, V_FROZENSET, first);
}

/* The receiver of a slice: what lies under its mark. */
static bool receiver(struct vm *vm, uint32_t first, struct value *v)
{
    if (first == vm->mark) {
        *v = LOST_VALUE;
        return vm->bottomless && vm->mark == 0;
    }
    *v = vm->stack[first - 1].kind == V_RUN ? LOST_DATA : vm->stack[first - 1];
    return true;
}

/* What an object is given counts as within it. */
static void grow_object(struct vm *vm, struct value v, uint32_t first)
{
    if (v.kind != V_CALL || v.ref == 0)
        return;
    struct node *n = node_of(&vm->heap, v);
    for (uint32_t i = first; i < vm->len; i++) {
        uint64_t size = value_size(&vm->heap, vm->stack[i]);
        n->a = n->a + size < size ? UINT64_MAX : n->a + size;
    }
}

/* APPEND(S), SETITEM(S), ADDITEMS; an empty slice does nothing, whatever the receiver is. */
static bool extend(struct vm *vm, uint32_t first, enum kind want)
{
    struct value v;

    if (!receiver(vm, first, &v))
        return underflow(vm);
    if (first == vm->len)
        return true;
    if (want == V_DICT && stack_slice_count(vm, first) % 2 != 0 && !vm->bottomless)
        return vm_stop(vm, PICKLE_END_TYPE);
    if (want != V_LIST)
        hash_keys(vm, first, want == V_DICT ? 2 : 1);
    if (is_object(v)) {
        vm_mutate(vm, v);
        grow_object(vm, v, first);
    } else if (v.kind == want)
        add_slice(vm, v, first);
    else if (v.kind != V_LOST)
        vm->flags |= PICKLE_FLAG(TYPE_ODDITY);
    stack_drop(vm, first);
    return true;
}

static bool extend_marked(struct vm *vm, enum kind want)
{
    uint32_t first;
    return stack_mark(vm, &first) ? extend(vm, first, want) : underflow(vm);
}

bool op_append(struct vm *vm, const struct arg *a)
{
    (void)a;
    return stack_has(vm, 2) ? extend(vm, vm->len - 1, V_LIST) : underflow(vm);
}

bool op_appends(struct vm *vm, const struct arg *a)
{
    (void)a;
    return extend_marked(vm, V_LIST);
}

bool op_setitem(struct vm *vm, const struct arg *a)
{
    (void)a;
    return stack_has(vm, 3) ? extend(vm, vm->len - 2, V_DICT) : underflow(vm);
}

bool op_setitems(struct vm *vm, const struct arg *a)
{
    (void)a;
    return extend_marked(vm, V_DICT);
}

bool op_additems(struct vm *vm, const struct arg *a)
{
    (void)a;
    return extend_marked(vm, V_SET);
}

static bool put(struct vm *vm, uint64_t key)
{
    if (!stack_has(vm, 1))
        return underflow(vm);
    if (key > 65536)
        bomb_memo(vm, key);
    memo_put(vm, key, *stack_top(vm, 0));
    return true;
}

bool op_put(struct vm *vm, const struct arg *a)
{
    struct number n = number_key(a->text, a->len);

    if (!stack_has(vm, 1))
        return underflow(vm);
    return n.ok ? put(vm, (uint64_t)n.value) : vm_stop(vm, PICKLE_END_TEXT);
}

bool op_binput(struct vm *vm, const struct arg *a)
{
    return put(vm, a->n);
}

bool op_memoize(struct vm *vm, const struct arg *a)
{
    (void)a;
    return put(vm, vm->memo.entries);
}

static bool get(struct vm *vm, uint64_t key)
{
    struct value v;

    if (!memo_get(vm, key, &v))
        return vm_stop(vm, PICKLE_END_MEMO);
    vm->container_gets += is_container(v);
    return stack_push(vm, v);
}

bool op_get(struct vm *vm, const struct arg *a)
{
    struct number n = number_key(a->text, a->len);
    return n.ok ? get(vm, (uint64_t)n.value) : vm_stop(vm, PICKLE_END_TEXT);
}

bool op_binget(struct vm *vm, const struct arg *a)
{
    return get(vm, a->n);
}
