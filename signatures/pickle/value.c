#include "signatures/pickle/machine.h"

#include <stdlib.h>

static bool heap_grow(struct heap *h, uint32_t words)
{
    uint32_t cap = h->cap ? h->cap : 512;

    if (h->used + words > h->max)
        return false;
    while (cap < h->used + words)
        cap *= 2;
    if (cap > h->max)
        cap = h->max;
    uint64_t *more = realloc(h->w, cap * sizeof *more);
    if (!more) {
        h->starved = true;
        return false;
    }
    h->w = more;
    h->cap = cap;
    return true;
}

uint32_t heap_get(struct heap *h, uint32_t words)
{
    if (__builtin_expect(words > h->cap - h->used || h->cap == 0, 0) && !heap_grow(h, words))
        return 0;
    uint32_t ref = h->used;
    h->used += words;
    return ref;
}

/* Text may be taken from the heap itself, which moves when it grows. */
static size_t place_in_heap(const struct heap *h, struct bytes b)
{
    const uint8_t *from = (const uint8_t *)h->w;

    if (!from || b.at < from || b.at >= from + h->used * sizeof *h->w)
        return 0;
    return (size_t)(b.at - from);
}

struct value value_text(struct vm *vm, enum kind k, struct bytes kept, uint64_t len)
{
    struct value v = plain(k);
    uint32_t words = 2 + (uint32_t)((kept.len + 7) / 8);
    size_t inside = place_in_heap(&vm->heap, kept);
    v.ref = heap_get(&vm->heap, words < NODE_WORDS ? NODE_WORDS : words);
    if (kept.len < len)
        v.flags |= VF_CUT;
    if (v.ref == 0)
        return v;
    struct node *n = node_of(&vm->heap, v);
    n->kind = (uint8_t)k;
    n->flags = 0;
    n->cap = n->used = 0;
    n->x = (uint32_t)kept.len;
    n->a = len;
    if (inside)
        kept.at = (const uint8_t *)vm->heap.w + inside;
    if (kept.len > 0)
        memcpy(&n->b, kept.at, kept.len);
    return v;
}

struct value value_node(struct vm *vm, enum kind k, unsigned cap)
{
    struct value v = plain(k);

    v.ref = heap_get(&vm->heap, NODE_WORDS + cap);
    if (v.ref == 0)
        return v;
    struct node *n = node_of(&vm->heap, v);
    *n = (struct node){.kind = (uint8_t)k, .cap = (uint8_t)cap};
    n->a = 1;
    return v;
}

uint64_t value_size(const struct heap *h, struct value v)
{
    if (v.kind == V_CALL && v.ref)
        return node_of(h, v)->a;
    if (!is_container(v))
        return 1;
    return v.ref ? node_of(h, v)->a : UINT64_C(1) << v.log_size;
}

uint64_t value_depth(const struct heap *h, struct value v)
{
    if (!is_container(v))
        return 0;
    return v.ref ? node_of(h, v)->x : UINT64_C(1) << v.log_depth >> 1;
}

uint8_t value_flags(const struct heap *h, struct value v)
{
    return is_container(v) && v.ref ? (uint8_t)(v.flags | node_of(h, v)->flags) : v.flags;
}

uint64_t value_count(const struct heap *h, struct value v)
{
    return is_container(v) && v.ref ? node_of(h, v)->b : 0;
}

/* A list beyond its node: its last place leads to the spill. */
static void keep_more(struct vm *vm, struct value into, struct value v)
{
    struct node *n = node_of(&vm->heap, into);

    if (n->kind == V_TUPLE || n->cap != LIST_CAP)
        return;
    if (n->v[LIST_CAP - 1].kind != V_SPILL) {
        struct value spill = value_node(vm, V_SPILL, SPILL_CAP);
        if (spill.ref == 0)
            return;
        struct node *s = node_of(&vm->heap, spill);
        n = node_of(&vm->heap, into);
        s->v[s->used++] = n->v[LIST_CAP - 1];
        n->v[LIST_CAP - 1] = spill;
    }
    struct node *s = node_of(&vm->heap, n->v[LIST_CAP - 1]);
    if (s->used < s->cap)
        s->v[s->used++] = v;
}

/* What elements add to their container. */
struct sums {
    uint64_t size, depth;
    uint8_t flags;
};

static inline void sum_up(const struct heap *h, struct value v, struct sums *s)
{
    if (v.kind <= V_BYTEARRAY && v.kind != V_LOST) {
        s->size += 1;
        return;
    }
    uint64_t size = value_size(h, v), depth = value_depth(h, v);
    s->size = s->size + size < size ? UINT64_MAX - (1u << 20) : s->size + size;
    s->depth = depth > s->depth ? depth : s->depth;
    s->flags |= value_flags(h, v) & (VF_CALL | VF_GLOBAL);
    if (is_object(v))
        s->flags |= v.kind == V_CALL ? VF_CALL : VF_GLOBAL;
}

static void add_sums(struct node *n, const struct sums *s, uint64_t count)
{
    n->a = n->a + s->size < s->size ? UINT64_MAX : n->a + s->size;
    if (s->depth + 1 > n->x)
        n->x = s->depth + 1 > UINT32_MAX ? UINT32_MAX : (uint32_t)(s->depth + 1);
    n->b += count;
    n->flags |= s->flags;
}

void value_add_all(struct vm *vm, struct value into, const struct value *v, uint32_t count)
{
    struct sums s = {0};

    if (into.ref == 0 || count == 0 || !is_container(into))
        return;
    struct node *n = node_of(&vm->heap, into);
    uint32_t room = (uint32_t)(n->cap - n->used), direct = count < room ? count : room;
    struct value *to = n->v + n->used;
    for (uint32_t i = 0; i < direct; i++) { /* few: copied as they are looked at */
        to[i] = v[i];
        sum_up(&vm->heap, v[i], &s);
    }
    for (uint32_t i = direct; i < count; i++)
        sum_up(&vm->heap, v[i], &s);
    add_sums(n, &s, count);
    n->used = (uint8_t)(n->used + direct);
    for (uint32_t i = direct; i < count && i < SPILL_CAP + LIST_CAP; i++)
        keep_more(vm, into, v[i]);
}

void value_add(struct vm *vm, struct value into, struct value v)
{
    value_add_all(vm, into, &v, 1);
}

struct value value_at(const struct heap *h, struct value container, unsigned i)
{
    if (container.ref == 0)
        return LOST_VALUE;
    struct node *n = node_of(h, container);
    unsigned own = n->used;
    if (own > 0 && n->v[own - 1].kind == V_SPILL)
        own--;
    if (i < own)
        return n->v[i];
    if (own == n->used)
        return LOST_VALUE;
    struct node *s = node_of(h, n->v[own]);
    return i - own < s->used ? s->v[i - own] : LOST_VALUE;
}

struct value value_shed(const struct heap *h, struct value v)
{
    if (v.ref == 0 || v.kind == V_INT || v.kind == V_FLOAT || v.kind == V_EXT)
        return v;
    v.flags = value_flags(h, v);
    if (is_container(v)) {
        struct node *n = node_of(h, v);
        v.log_size = (uint8_t)(63 - __builtin_clzll(n->a | 1));
        v.log_depth = (uint8_t)(n->x ? 32 - __builtin_clz(n->x) : 0);
    }
    if (is_text(v) || v.kind == V_LONG)
        v.flags |= VF_CUT;
    v.ref = 0;
    return v;
}
