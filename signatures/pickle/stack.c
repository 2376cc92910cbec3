/* The operand stack. Marks stand in it, each with the place of the one below, and fence off
 * what is under them as CPython's separate mark stack does. When it is full, runs of plain data
 * that lie deep are counted instead of kept; objects, marks, and what a mark's slice will be
 * added to are kept longest. */
#include "signatures/pickle/machine.h"

#include <stdlib.h>

static bool worth_keeping(const struct vm *vm, uint32_t i)
{
    struct value v = vm->stack[i];

    if (v.kind == V_MARK || is_object(v) || (v.flags & (VF_CALL | VF_GLOBAL | VF_PINNED)))
        return true;
    if (v.kind == V_STR && policy_word(text_of(&vm->heap, v)))
        return true;
    return i + 1 < vm->len && vm->stack[i + 1].kind == V_MARK;
}

static uint32_t run_length(struct value v)
{
    return v.kind == V_RUN ? v.ref : 1;
}

static uint32_t add_run(struct vm *vm, uint32_t to, struct value v)
{
    struct value *last = to > 0 ? &vm->stack[to - 1] : NULL;
    uint32_t n = run_length(v);

    if (last && last->kind == V_RUN && last->ref + n > n) {
        last->ref += n;
        return to;
    }
    vm->stack[to] = (struct value){.kind = V_RUN, .ref = n};
    return to + 1;
}

/* All but the top 1024 values: plain data become runs. */
static void compress(struct vm *vm)
{
    uint32_t to = 0, mark = 0;

    for (uint32_t i = 0; i < vm->len; i++) {
        struct value v = vm->stack[i];
        if (i + 1024 < vm->len && !worth_keeping(vm, i)) {
            to = add_run(vm, to, v);
            continue;
        }
        if (v.kind == V_MARK) {
            v.ref = mark;
            mark = to + 1;
        }
        vm->stack[to++] = v;
    }
    vm->len = to;
    vm->mark = mark;
    vm->deep = true;
}

/* The lower half goes; what is popped beyond it is anything. */
static void cut_bottom(struct vm *vm)
{
    uint32_t n = vm->len / 2, mark = 0;

    memmove(vm->stack, vm->stack + n, (vm->len - n) * sizeof *vm->stack);
    vm->len -= n;
    for (uint32_t i = 0; i < vm->len; i++) {
        if (vm->stack[i].kind != V_MARK)
            continue;
        vm->stack[i].ref = mark;
        mark = i + 1;
    }
    vm->mark = mark;
    vm->deep = vm->bottomless = true;
    vm->flags |= PICKLE_FLAG(RESOURCE_LIMIT);
}

bool stack_grow(struct vm *vm)
{
    uint32_t max = vm->m->depth ? STACK_MAX / 8 : STACK_MAX;

    if (vm->cap < max) {
        uint32_t cap = vm->cap ? vm->cap * 2 : 256;
        struct value *more = realloc(vm->stack, (cap < max ? cap : max) * sizeof *more);
        if (more) {
            vm->stack = more;
            vm->cap = cap < max ? cap : max;
            return true;
        }
        vm->m->starved = true;
        if (vm->cap == 0) {
            vm_starve(vm);
            return false;
        }
    }
    compress(vm);
    if (vm->len > vm->cap / 4 * 3)
        cut_bottom(vm);
    return true;
}

struct value stack_pop(struct vm *vm)
{
    return vm->stack[--vm->len];
}

/* Takes one value off a run that lies at `at`, so that it stands on its own above it. */
static bool split_at(struct vm *vm, uint32_t at)
{
    if (vm->stack[at].ref <= 1) {
        vm->stack[at] = LOST_DATA;
        return true;
    }
    if (vm->len == vm->cap) {
        /* Full to the last slot: the run loses what cannot be laid out. */
        vm->stack[at] = LOST_DATA;
        vm->bottomless = true;
        return true;
    }
    memmove(vm->stack + at + 2, vm->stack + at + 1, (vm->len - at - 1) * sizeof *vm->stack);
    vm->stack[at].ref--;
    vm->stack[at + 1] = LOST_DATA;
    vm->len++;
    return false;
}

/* A value that was given up, under all that is left. */
static bool invent(struct vm *vm)
{
    if (!vm->bottomless || vm->mark > 0 || (vm->len == vm->cap && !stack_grow(vm)))
        return false;
    memmove(vm->stack + 1, vm->stack, vm->len * sizeof *vm->stack);
    vm->stack[0] = LOST_VALUE;
    vm->len++;
    return true;
}

bool stack_split(struct vm *vm, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        while (vm->len - vm->mark <= i)
            if (!invent(vm))
                return false;
        if (vm->stack[vm->len - 1 - i].kind == V_RUN)
            split_at(vm, vm->len - 1 - i);
    }
    return true;
}

bool stack_mark(struct vm *vm, uint32_t *first)
{
    if (vm->mark == 0) {
        *first = 0;
        return vm->bottomless;
    }
    uint32_t at = vm->mark - 1;
    vm->mark = vm->stack[at].ref;
    /* The slice moves onto the mark's own place. */
    memmove(vm->stack + at, vm->stack + at + 1, (vm->len - at - 1) * sizeof *vm->stack);
    vm->len--;
    *first = at;
    return true;
}

uint64_t stack_slice_count(const struct vm *vm, uint32_t first)
{
    uint64_t n = vm->len - first;

    if (!vm->deep)
        return n;
    n = 0;
    for (uint32_t i = first; i < vm->len; i++)
        n += run_length(vm->stack[i]);
    return n;
}

void stack_drop(struct vm *vm, uint32_t to)
{
    vm->len = to;
}
