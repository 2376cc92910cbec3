/* The memo: a dense array for the small keys that picklers use, a small hash for the others,
 * never an array that a hostile number could size. Beyond both, objects and names are kept
 * first; other entries are only counted. */
#include "signatures/pickle/machine.h"

#include <stdlib.h>

static uint32_t dense_max(const struct vm *vm)
{
    return vm->m->depth ? MEMO_DENSE / 8 : MEMO_DENSE;
}

static bool dense_grow(struct vm *vm, uint64_t key)
{
    struct memo *memo = &vm->memo;
    uint32_t cap = memo->dense_cap ? memo->dense_cap : 128;

    if (key >= dense_max(vm) || key > memo->entries * 4 + 1024)
        return false;
    while (cap <= key)
        cap *= 2;
    if (cap > dense_max(vm))
        cap = dense_max(vm);
    struct value *more = realloc(memo->dense, cap * sizeof *more);
    if (!more) {
        vm->m->starved = true;
        return false;
    }
    memset(more + memo->dense_cap, 0, (cap - memo->dense_cap) * sizeof *more);
    memo->dense = more;
    memo->dense_cap = cap;
    return true;
}

/* The slot of a key, or the free one where it would go; NULL: full. */
static struct memo_slot *sparse_slot(struct memo *memo, uint64_t key)
{
    uint64_t h = key * 0x9e3779b97f4a7c15u >> 40;

    for (uint32_t i = 0; memo->sparse && i < MEMO_SPARSE; i++) {
        struct memo_slot *s = &memo->sparse[(h + i) % MEMO_SPARSE];
        if (s->v.kind == V_ABSENT || s->key == key)
            return s;
    }
    return NULL;
}

static bool names_something(const struct vm *vm, struct value v)
{
    return is_object(v) || (v.flags & (VF_CALL | VF_GLOBAL | VF_PINNED)) ||
           (v.kind == V_STR && policy_word(text_of(&vm->heap, v)));
}

static void put_sparse(struct vm *vm, uint64_t key, struct value v)
{
    struct memo *memo = &vm->memo;

    if (!memo->sparse)
        memo->sparse = calloc(MEMO_SPARSE, sizeof *memo->sparse);
    vm->m->starved |= !memo->sparse;
    struct memo_slot *s = sparse_slot(memo, key);
    bool known = s && s->v.kind != V_ABSENT, important = names_something(vm, v);

    /* The last quarter is for what may matter. */
    if (s && (known || memo->sparse_used < MEMO_SPARSE / 4 * (important ? 4 : 3) - 1)) {
        memo->sparse_used += !known;
        memo->entries += !known && (!memo->lost || key >= memo->top);
        *s = (struct memo_slot){.key = key, .v = v};
        return;
    }
    memo->entries += key >= memo->top || !memo->lost;
    memo->lost = true;
    memo->lost_objects |= important;
}

void memo_put(struct vm *vm, uint64_t key, struct value v)
{
    struct memo *memo = &vm->memo;

    if (key < memo->dense_cap || dense_grow(vm, key)) {
        struct memo_slot *s = memo->sparse_used ? sparse_slot(memo, key) : NULL;
        bool moved = s && s->v.kind != V_ABSENT && s->key == key; /* from when dense was smaller */
        if (moved)
            s->v = v;
        memo->entries += memo->dense[key].kind == V_ABSENT && !moved;
        memo->dense[key] = v;
        memo->blocks[key / MEMO_BLOCK] |= v.ref != 0;
    } else {
        put_sparse(vm, key, v);
    }
    if (key >= memo->top)
        memo->top = key + 1;
}

bool memo_get(struct vm *vm, uint64_t key, struct value *v)
{
    struct memo *memo = &vm->memo;

    if (key < memo->dense_cap && memo->dense[key].kind != V_ABSENT) {
        *v = memo->dense[key];
        return true;
    }
    struct memo_slot *s = sparse_slot(memo, key);
    if (s && s->v.kind != V_ABSENT && s->key == key) {
        *v = s->v;
        return true;
    }
    *v = memo->lost_objects ? LOST_VALUE : LOST_DATA;
    return memo->lost && key < memo->top;
}
