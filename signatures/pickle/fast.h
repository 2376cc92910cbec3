/* pickle/fast.h - the opcodes that ordinary streams are made of, done in place. They do just what
 * their op_ functions do; whatever is out of the ordinary is left to those. */
#ifndef PICKLE_FAST_H
#define PICKLE_FAST_H

#include "signatures/pickle/machine.h"

static inline uint64_t load8(const uint8_t *at)
{
    uint64_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

/* Returns `used`, for fast_op(). */
static inline size_t fast_push(struct vm *vm, enum kind k, uint32_t ref, size_t used)
{
    uint64_t word = value_word((struct value){.kind = (uint8_t)k, .ref = ref});

    memcpy(&vm->stack[vm->len++], &word, sizeof word);
    return used;
}

/* Is there a newline? Eight bytes can be read behind the text. */
static inline bool fast_line(const uint8_t *at, size_t n)
{
    for (size_t i = 0; i < n; i += 8) {
        uint64_t x = load8(at + i) ^ 0x0a0a0a0a0a0a0a0au;
        if ((x - 0x0101010101010101u) & ~x & 0x8080808080808080u)
            return true;
    }
    return false;
}

/* false: nested_smells() says no, for certain. Words that begin like a pickle are common. */
static inline bool fast_smells(const uint8_t *at, size_t n)
{
    if (n < 8 || !nested_first(at[0]))
        return false;
    switch (at[0]) {
    case 'c': return n > 32 || fast_line(at, n);
    case 'd': return memcmp(at + 1, "ata:", 4) == 0;
    case 'e':
    case 'g': return at[1] <= 'Z';
    case 'x': return at[1] < 0x20 || at[1] == '^' || at[1] >= 0x80;
    default: return true;
    }
}

/* A short ASCII text that smells of nothing; eight bytes can be read behind it. Its node; 0: not
 * done here. */
static inline uint32_t fast_text(struct vm *vm, const uint8_t *at, size_t n)
{
    struct heap *h = &vm->heap;
    uint32_t words = n > 8 ? 2 + (uint32_t)((n + 7) / 8) : NODE_WORDS;
    size_t tail = n & 7;

    if (fast_smells(at, n) || h->cap - h->used < words || h->cap == 0)
        return 0;
    uint64_t *to = h->w + h->used + 2, high = 0, last = 0;
    for (size_t i = 0; i < n / 8; i++) {
        to[i] = load8(at + 8 * i);
        high |= to[i];
    }
    if (tail > 0)
        to[n / 8] = last = load8(at + (n - tail)) & ((UINT64_C(1) << 8 * tail) - 1);
    if ((high | last) & 0x8080808080808080u)
        return 0;
    struct node *node = (struct node *)(void *)(h->w + h->used);
    node->kind = V_STR;
    node->flags = node->cap = node->used = 0;
    node->x = (uint32_t)n;
    node->a = n;
    vm->m->names_task |= is_task_key(at, n);
    h->used += words;
    return h->used - words;
}

static inline uint32_t fast_container(struct vm *vm, enum kind k, unsigned cap)
{
    struct heap *h = &vm->heap;

    if (h->cap - h->used < NODE_WORDS + cap || h->cap == 0)
        return 0;
    struct node *n = (struct node *)(void *)(h->w + h->used);
    n->kind = (uint8_t)k;
    n->flags = 0;
    n->cap = (uint8_t)cap;
    n->used = 0;
    n->x = 0;
    n->a = 1;
    n->b = 0;
    h->used += NODE_WORDS + cap;
    return h->used - NODE_WORDS - cap;
}

/* Keys in the order in which CPython's pickler gives them out: no key lies above. */
static inline bool fast_may_memoize(const struct memo *memo)
{
    return memo->entries == memo->top && memo->entries < memo->dense_cap && memo->sparse_used == 0;
}

static inline void fast_put(struct memo *memo, const void *value, bool has_node)
{
    uint64_t key = memo->entries;

    memcpy(&memo->dense[key], value, sizeof *memo->dense);
    memo->blocks[key / MEMO_BLOCK] |= has_node;
    memo->entries = memo->top = key + 1;
}

static inline __attribute__((always_inline)) bool fast_memoize(struct vm *vm)
{
    if (vm->len == vm->mark || !fast_may_memoize(&vm->memo))
        return false;
    const struct value *top = &vm->stack[vm->len - 1];
    fast_put(&vm->memo, top, top->ref != 0);
    return true;
}

static inline bool fast_binget(struct vm *vm, uint8_t key)
{
    struct memo *memo = &vm->memo;

    if (key >= memo->dense_cap || memo->dense[key].kind == V_ABSENT)
        return false;
    struct value v = memo->dense[key];
    vm->container_gets += is_container(v);
    vm->stack[vm->len++] = v;
    return true;
}

static inline size_t fast_mark(struct vm *vm)
{
    fast_push(vm, V_MARK, vm->mark, 0);
    vm->mark = vm->len;
    return 1;
}

/* Pushes a node; most of them go into the memo at once. */
static inline __attribute__((always_inline)) size_t fast_push_node(struct vm *vm, enum kind k,
                                                                   uint32_t ref, const uint8_t *at,
                                                                   size_t used, size_t left)
{
    uint64_t word = value_word((struct value){.kind = (uint8_t)k, .ref = ref});

    if (ref == 0)
        return 0;
    memcpy(&vm->stack[vm->len++], &word, sizeof word);
    if (left <= used || at[used] != 0x94 || !fast_may_memoize(&vm->memo))
        return used;
    fast_put(&vm->memo, &word, true);
    vm->ops++;
    return used + 1;
}

/* The opcode at `at`, of which `left` bytes are there: bytes used; 0: not done here. */
static inline size_t fast_op(struct vm *vm, const uint8_t *at, size_t left)
{
    if (left < 2 || vm->len == vm->cap || vm->heap.used > vm->heap.limit || vm->deep)
        return 0;
    switch (at[0]) {
    case 0x94: return fast_memoize(vm) ? 1 : 0;
    case 0x8c:
        if (left < at[1] + 10u)
            return 0;
        return fast_push_node(vm, V_STR, fast_text(vm, at + 2, at[1]), at, at[1] + 2u, left);
    case '(': return fast_mark(vm);
    case 'h': return fast_binget(vm, at[1]) ? 2 : 0;
    case 'N': return fast_push(vm, V_NONE, 0, 1);
    case 'K': return fast_push(vm, V_INT, at[1], 2);
    case 'M': return left >= 3 ? fast_push(vm, V_INT, (uint32_t)(at[1] | at[2] << 8), 3) : 0;
    case 'J': return left >= 9 ? fast_push(vm, V_INT, (uint32_t)load8(at + 1), 5) : 0;
    case 0x88: return fast_push(vm, V_TRUE, 0, 1);
    case 0x89: return fast_push(vm, V_FALSE, 0, 1);
    case '}': return fast_push_node(vm, V_DICT, fast_container(vm, V_DICT, LIST_CAP), at, 1, left);
    case ']': return fast_push_node(vm, V_LIST, fast_container(vm, V_LIST, LIST_CAP), at, 1, left);
    case ')': return fast_push_node(vm, V_TUPLE, fast_container(vm, V_TUPLE, 0), at, 1, left);
    case 'X': {
        size_t n = left >= 9 ? (size_t)(uint32_t)load8(at + 1) : LITERAL_KEPT;
        if (n > TEXT_KEPT || left < n + 13)
            return 0;
        return fast_push_node(vm, V_STR, fast_text(vm, at + 5, n), at, n + 5, left);
    }
    case 'q': {
        return at[1] == vm->memo.entries && fast_memoize(vm) ? 2 : 0;
    }
    default: return 0;
    }
}

#endif
