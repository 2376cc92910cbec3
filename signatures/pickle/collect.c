/* The heap's collector: a copying one. Roots are the stack, the memo and the table of imports.
 * Each time the live nodes still fill half of the heap, the next collection gives up more:
 *   1  containers and texts that only the memo holds, the arguments of harmless calls
 *   2  whatever plain data lies deep in the stack
 *   3  the elements of all containers
 *   4  objects too; then everything. */
#include "signatures/pickle/machine.h"

#include <stdlib.h>

struct move {
    struct vm *vm;
    struct heap from;
    uint64_t *to;
    uint32_t used;
};

static uint32_t words_of(const struct node *n)
{
    if (n->kind == V_STR || n->kind == V_BYTES || n->kind == V_BYTEARRAY || n->kind == V_LONG) {
        uint32_t words = 2 + (n->x + 7) / 8;
        return words < NODE_WORDS ? NODE_WORDS : words;
    }
    return NODE_WORDS + n->cap;
}

static bool has_node(struct value v)
{
    return v.ref != 0 &&
           (v.kind == V_LONG || (v.kind >= V_STR && v.kind <= V_FROZENSET) || v.kind >= V_GLOBAL);
}

/* Moves one node, once, and corrects the reference to it. */
static void move_value(struct move *m, struct value *v)
{
    if (!has_node(*v))
        return;
    struct node *n = node_of(&m->from, *v);
    if (n->kind != V_MOVED) {
        uint32_t words = words_of(n);
        memcpy(m->to + m->used, n, words * sizeof *m->to);
        n->kind = V_MOVED;
        n->x = m->used;
        m->used += words;
    }
    v->ref = n->x;
}

static bool keep_in_memo(const struct move *m, struct value v)
{
    if (m->vm->shed == 0)
        return true;
    if (v.kind == V_CALL)
        return node_of(&m->from, v)->x >= PICKLE_SUSPICIOUS && m->vm->shed < 4;
    if (is_object(v))
        return m->vm->shed < 4;
    if (v.kind == V_STR)
        return (v.flags & VF_PINNED) || policy_word(text_of(&m->from, v));
    return m->vm->shed < 3 && (value_flags(&m->from, v) & (VF_CALL | VF_GLOBAL));
}

static bool keep_on_stack(const struct move *m, uint32_t i)
{
    const struct vm *vm = m->vm;
    struct value v = vm->stack[i];
    bool edge = i + 256 >= vm->len || vm->stack[i + 1].kind == V_MARK;

    if (vm->shed < 2 || edge || (is_object(v) && vm->shed < 4))
        return true;
    return v.kind == V_STR && ((v.flags & VF_PINNED) || policy_word(text_of(&m->from, v)));
}

/* Does any of these entries of the memo still hold a node? */
typedef bool block_fn(struct move *m, struct value *v, uint64_t n);

static void for_blocks(struct move *m, block_fn *fn)
{
    struct memo *memo = &m->vm->memo;
    uint64_t top = memo->top < memo->dense_cap ? memo->top : memo->dense_cap;

    for (uint64_t i = 0; i < top; i += MEMO_BLOCK)
        if (memo->blocks[i / MEMO_BLOCK])
            memo->blocks[i / MEMO_BLOCK] =
                fn(m, memo->dense + i, top - i < MEMO_BLOCK ? top - i : MEMO_BLOCK);
}

static bool shed_block(struct move *m, struct value *v, uint64_t n)
{
    bool left = false;

    for (uint64_t i = 0; i < n; i++) {
        if (has_node(v[i]) && !keep_in_memo(m, v[i]))
            v[i] = value_shed(&m->from, v[i]);
        left |= has_node(v[i]);
    }
    return left;
}

static bool move_block(struct move *m, struct value *v, uint64_t n)
{
    bool left = false;

    for (uint64_t i = 0; i < n; i++) {
        move_value(m, &v[i]);
        left |= has_node(v[i]);
    }
    return left;
}

/* Forward references must not be followed by value_shed: it looks before anything is moved. */
static void shed_roots(struct move *m)
{
    struct vm *vm = m->vm;

    for (uint32_t i = 0; vm->shed >= 2 && i < vm->len; i++)
        if (has_node(vm->stack[i]) && !keep_on_stack(m, i))
            vm->stack[i] = value_shed(&m->from, vm->stack[i]);
    if (vm->shed == 0)
        return;
    for_blocks(m, shed_block);
    for (uint32_t i = 0; vm->memo.sparse_used && i < MEMO_SPARSE; i++)
        if (has_node(vm->memo.sparse[i].v) && !keep_in_memo(m, vm->memo.sparse[i].v))
            vm->memo.sparse[i].v = value_shed(&m->from, vm->memo.sparse[i].v);
}

static void move_roots(struct move *m)
{
    struct vm *vm = m->vm;

    for (uint32_t i = 0; i < vm->n_globals; i++)
        move_value(m, &vm->globals[i]);
    for (uint32_t i = 0; i < vm->len; i++)
        move_value(m, &vm->stack[i]);
    for_blocks(m, move_block);
    for (uint32_t i = 0; vm->memo.sparse_used && i < MEMO_SPARSE; i++)
        move_value(m, &vm->memo.sparse[i].v);
}

/* Elements that pressure takes from a node; the sizes stay. */
static void thin(const struct vm *vm, struct node *n)
{
    bool harmless = n->kind == V_CALL && n->x < PICKLE_SUSPICIOUS && n->used > 1;

    if (vm->shed >= 1 && harmless)
        n->used = 1; /* the callee */
    if (vm->shed >= 3 && n->kind >= V_TUPLE && n->kind <= V_FROZENSET)
        n->used = 0;
}

static void move_children(struct move *m)
{
    for (uint32_t at = 1; at < m->used;) {
        struct node *n = (struct node *)(void *)(m->to + at);
        at += words_of(n);
        if (n->cap == 0)
            continue;
        thin(m->vm, n);
        for (unsigned i = 0; i < n->used; i++)
            move_value(m, &n->v[i]);
    }
}

static void collect_once(struct vm *vm)
{
    struct pickle *p = vm->m;
    struct move m = {.vm = vm, .from = vm->heap, .to = p->to_space, .used = 1};
    uint32_t cap = p->to_cap;

    shed_roots(&m);
    move_roots(&m);
    move_children(&m);
    p->to_space = m.from.w;
    p->to_cap = m.from.cap;
    vm->heap.w = m.to;
    vm->heap.cap = cap;
    vm->heap.used = m.used;
}

/* Nothing helped: values keep their kinds only. */
static void forget_all(struct vm *vm)
{
    uint64_t dense = vm->memo.top < vm->memo.dense_cap ? vm->memo.top : vm->memo.dense_cap;

    for (uint32_t i = 0; i < vm->len; i++)
        vm->stack[i] = value_shed(&vm->heap, vm->stack[i]);
    for (uint64_t i = 0; i < dense; i++)
        vm->memo.dense[i] = value_shed(&vm->heap, vm->memo.dense[i]);
    for (uint32_t i = 0; vm->memo.sparse_used && i < MEMO_SPARSE; i++)
        vm->memo.sparse[i].v = value_shed(&vm->heap, vm->memo.sparse[i].v);
    vm->n_globals = 0;
    vm->heap.used = 1;
    vm->flags |= PICKLE_FLAG(RESOURCE_LIMIT);
    vm_raise(vm, PICKLE_SUSPICIOUS, "more objects than can be followed");
}

void heap_collect(struct vm *vm)
{
    struct pickle *p = vm->m;

    if (p->to_cap < vm->heap.cap) {
        uint64_t *to = realloc(p->to_space, vm->heap.cap * sizeof *to);
        if (!to) {
            forget_all(vm);
            return;
        }
        p->to_space = to;
        p->to_cap = vm->heap.cap;
    }
    collect_once(vm);
    while (vm->heap.used > vm->heap.max / 2 && vm->shed < 4) {
        vm->shed++;
        collect_once(vm);
    }
    if (vm->heap.used > vm->heap.max / 2)
        forget_all(vm);
}
