#include "signatures/pickle/machine.h"

#include <stddef.h>
#include <stdlib.h>

static void memo_clear(struct memo *memo)
{
    uint64_t n = memo->top < memo->dense_cap ? memo->top : memo->dense_cap;

    if (n > 0) {
        memset(memo->dense, 0, n * sizeof *memo->dense);
        memset(memo->blocks, 0, n / MEMO_BLOCK + 1);
    }
    if (memo->sparse_used > 0)
        memset(memo->sparse, 0, MEMO_SPARSE * sizeof *memo->sparse);
    memo->sparse_used = 0;
    memo->entries = memo->top = 0;
    memo->lost = memo->lost_objects = false;
}

/* All memory that was taken before is used again. */
void vm_reset(struct vm *vm, struct pickle *m, enum reader reader)
{
    memo_clear(&vm->memo);
    memset(&vm->cleared_from, 0, offsetof(struct vm, globals) - offsetof(struct vm, cleared_from));
    vm->m = m;
    vm->heap.used = 1;
    vm->heap.starved = false;
    vm->heap.max = m->depth ? HEAP_MAX / 8 : HEAP_MAX;
    vm->heap.limit = vm->heap.max - vm->heap.max / 6;
    vm->reader = reader;
    vm->verdict = vm->bombless = PICKLE_DATA;
    vm->proto = -1;
}

void vm_free(struct vm *vm)
{
    free(vm->heap.w);
    free(vm->stack);
    free(vm->line);
    free(vm->memo.dense);
    free(vm->memo.sparse);
}

/* Makes *buffer as large as `size` bytes, the first `used` of them those of `from`. It is the
 * caller's whatever comes: on failure as it was. */
static bool twin(void **buffer, const void *from, size_t used, size_t size)
{
    void *to = realloc(*buffer, size ? size : 1);

    if (!to)
        return false;
    *buffer = to;
    if (from && used > 0)
        memcpy(to, from, used);
    return true;
}

static bool copy_memo(struct memo *to, const struct memo *from)
{
    size_t dense = from->dense_cap * sizeof *from->dense, sparse = MEMO_SPARSE * sizeof *to->sparse;
    struct memo own = *from;

    if (!twin((void **)&to->dense, from->dense, dense, dense) ||
        (from->sparse && !twin((void **)&to->sparse, from->sparse, sparse, sparse)))
        return false;
    own.dense = to->dense;
    own.sparse = from->sparse ? to->sparse : NULL;
    if (!from->sparse)
        free(to->sparse);
    *to = own;
    return true;
}

/* Nothing is left of it: what it would hold now is half of one reader and half of another. */
static void drop(struct vm *vm)
{
    struct pickle *m = vm->m;

    vm_free(vm);
    memset(vm, 0, sizeof *vm);
    vm->m = m;
}

/* The two readers part: `to` becomes what `from` is now. false: no memory, and `to` is empty. */
bool vm_copy(struct vm *to, const struct vm *from)
{
    size_t stack = sizeof *from->stack;

    if (!twin((void **)&to->heap.w, from->heap.w, from->heap.used * 8u, from->heap.cap * 8u) ||
        !twin((void **)&to->stack, from->stack, from->len * stack, from->cap * stack) ||
        !twin((void **)&to->line, from->line, from->line_used, from->line_cap) ||
        !copy_memo(&to->memo, &from->memo)) {
        drop(to);
        return false;
    }
    struct vm own = *to;
    *to = *from;
    to->heap.w = own.heap.w;
    to->stack = own.stack;
    to->line = own.line;
    to->memo = own.memo;
    return true;
}

size_t vm_memory(const struct vm *vm)
{
    return vm->heap.cap * 8u + vm->cap * sizeof *vm->stack + vm->line_cap +
           vm->memo.dense_cap * sizeof *vm->memo.dense +
           (vm->memo.sparse ? MEMO_SPARSE * sizeof *vm->memo.sparse : 0);
}

bool vm_stop(struct vm *vm, enum pickle_end_state why)
{
    vm->end = why;
    vm->end_at = why == PICKLE_END_STOP ? vm->pos : vm->op_at;
    vm->phase = PHASE_DONE;
    return false;
}

void vm_starve(struct vm *vm)
{
    vm->m->starved = true;
    vm_stop(vm, PICKLE_END_CLIPPED);
}

/* What only a further stream does never counts for more than suspicious: Celery reads one. */
static enum pickle_verdict allowed(const struct vm *vm, enum pickle_verdict level)
{
    return vm->m->trailing && level > PICKLE_SUSPICIOUS ? PICKLE_SUSPICIOUS : level;
}

void vm_raise(struct vm *vm, enum pickle_verdict level, const char *ground)
{
    level = allowed(vm, level);
    if (level > vm->bombless)
        vm->bombless = level;
    if (level <= vm->verdict)
        return;
    vm->verdict = level;
    vm->ground = ground;
}

void vm_bomb(struct vm *vm, uint64_t flag, const char *ground)
{
    vm->flags |= flag;
    if (vm->verdict >= PICKLE_SUSPICIOUS)
        return;
    vm->verdict = PICKLE_SUSPICIOUS;
    vm->ground = ground;
}
