/* Streams that cost a worker far more than their size (measured on CPython 3.11.7: reference 2.5).
 */
#include "signatures/pickle/machine.h"

#include "base/hash.h"

#define MERSENNE61 ((UINT64_C(1) << 61) - 1) /* CPython's hash of int: modulo this */
#define KEY_DEPTH \
    10000u /* tuples that deep overflow the C stack in tuple_hash; 100000 do not yet */
#define COLLISIONS   1000u
#define SIZE_MIN     UINT64_C(20000000)
#define SIZE_RATIO   500u
#define LENGTH_MIN   (UINT64_C(64) << 20)
#define LENGTH_RATIO 16u

/* The memo is an array as long as its largest index. */
void bomb_memo(struct vm *vm, uint64_t key)
{
    if (key > 65536 && key > vm->memo.entries * 4 + 1024)
        vm_bomb(vm, PICKLE_FLAG(MEMO_BOMB), "a memo index far beyond the entries");
}

static uint64_t modulo(uint64_t high, uint64_t byte)
{
    __uint128_t v = (__uint128_t)high * 256 + byte;
    return (uint64_t)(v % MERSENNE61);
}

/* The hash of an int, of a tuple of such; *big: it holds an int that was chosen from beyond 61
 * bits. */
static uint64_t key_hash(const struct heap *h, struct value v, bool *big, unsigned depth)
{
    uint64_t r = 0;

    if (v.kind == V_INT)
        return v.ref;
    if (v.kind == V_LONG) {
        struct bytes raw = text_of(h, v);
        *big |= raw.len >= 8;
        for (size_t i = raw.len; i-- > 0;)
            r = modulo(r, raw.at[i]);
        return r;
    }
    if (v.kind != V_TUPLE || v.ref == 0 || depth == 3)
        return 0;
    for (unsigned i = 0; i < node_of(h, v)->used; i++)
        r = hash_mix(r, key_hash(h, node_of(h, v)->v[i], big, depth + 1));
    return r;
}

/* Misra and Gries: finds any hash that makes up more than a seventeenth of the keys. */
static void count_residue(struct vm *vm, uint64_t r)
{
    struct residue *room = NULL;

    for (unsigned i = 0; i < RESIDUES; i++) {
        struct residue *s = &vm->residues[i];
        if (s->count > 0 && s->value == r) {
            if (++s->count >= COLLISIONS)
                vm_bomb(vm, PICKLE_FLAG(COLLISION_BOMB), "keys that all have one hash");
            return;
        }
        if (s->count == 0)
            room = s;
    }
    if (room) {
        *room = (struct residue){.value = r, .count = 1};
        return;
    }
    for (unsigned i = 0; i < RESIDUES; i++)
        vm->residues[i].count--;
}

void bomb_key(struct vm *vm, struct value key)
{
    bool big = false;

    if (key.kind != V_LONG && key.kind != V_TUPLE && key.kind != V_FROZENSET)
        return;
    if (value_depth(&vm->heap, key) > KEY_DEPTH)
        vm_bomb(vm, PICKLE_FLAG(DEPTH_BOMB), "a key nested too deep to be hashed");
    if (vm->flags & PICKLE_FLAG(COLLISION_BOMB))
        return;
    uint64_t r = key_hash(&vm->heap, key, &big, 0);
    if (big)
        count_residue(vm, r);
}

/* Sizes are added when a container is put into another. Those that are filled later are found by
 * adding again, until nothing changes. */
static void relax(struct vm *vm)
{
    const struct heap *h = &vm->heap;

    for (int pass = 0; pass < 64; pass++) {
        bool changed = false;
        for (uint32_t at = 1; at < h->used;) {
            struct value v = {.ref = at};
            struct node *n = node_of(h, v);
            uint64_t size = 1;
            bool text = n->kind == V_STR || n->kind == V_BYTES || n->kind == V_BYTEARRAY ||
                        n->kind == V_LONG;
            uint32_t words = text ? 2 + (n->x + 7) / 8 : NODE_WORDS + n->cap;
            at += words < NODE_WORDS ? NODE_WORDS : words;
            if (n->kind < V_TUPLE ||
                (n->kind > V_FROZENSET && n->kind != V_SPILL && n->kind != V_CALL))
                continue;
            for (unsigned i = 0; i < n->used; i++) {
                uint64_t part =
                    n->v[i].kind == V_SPILL ? node_of(h, n->v[i])->a : value_size(h, n->v[i]);
                size = size + part < size ? UINT64_MAX : size + part;
            }
            changed |= size > n->a;
            n->a = size > n->a ? size : n->a;
            if (n->a > UINT64_C(1) << 60)
                return;
        }
        if (!changed)
            return;
    }
}

void bomb_size(struct vm *vm, struct value v)
{
    if (vm->container_gets >= 4)
        relax(vm);
    uint64_t size = value_size(&vm->heap, v);
    if (size > SIZE_MIN && size / SIZE_RATIO > vm->ops)
        vm_bomb(vm, PICKLE_FLAG(EXPANSION_BOMB), "shared containers that expand without bound");
}

/* A length that the message does not have; CPython makes room for it before it reads. */
void bomb_end(struct vm *vm, bool clipped)
{
    if (vm->phase != PHASE_BODY || clipped)
        return;
    if (vm->body_len >= LENGTH_MIN && vm->body_len / LENGTH_RATIO > vm->m->size)
        vm_bomb(vm, PICKLE_FLAG(LENGTH_BOMB), "a length far beyond the message");
}
