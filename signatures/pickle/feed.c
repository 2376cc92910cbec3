/* The lexer: opcodes and their arguments out of pieces of any size, for both readers.
 *
 * CPython's loads() and its newer load() ignore frames. The load() of files without peek() up to
 * 3.13.14 and 3.14.6 (kombu's BytesIO) reads a frame into a buffer, and a read that the rest of
 * the buffer cannot serve throws that rest away (_pickle.c:_Unpickler_ReadImpl,
 * _Unpickler_Readline; gh-154848). A "unit" here is one such read: an argument's number, a counted
 * body, a line. Until a unit crosses a frame's end the readers agree and one machine stands for
 * both. */
#include "signatures/pickle/fast.h"
#include "signatures/pickle/machine.h"

#include <stdlib.h>

#define FRAME_MAX ((UINT64_C(1) << 63) - 1)

static const uint8_t width_of[] = {
    [ARG_NONE] = 0, [ARG_1] = 1,      [ARG_2] = 2,      [ARG_4] = 4,
    [ARG_8] = 8,    [ARG_COUNT1] = 1, [ARG_COUNT4] = 4, [ARG_COUNT8] = 8,
};

static uint64_t little(const uint8_t *at, unsigned width)
{
    uint64_t v = 0;
    for (unsigned i = width; i-- > 0;)
        v = v << 8 | at[i];
    return v;
}

/* The same where eight bytes are there to be read. */
static uint64_t little_fast(const uint8_t *at, size_t width)
{
    uint64_t v;
    memcpy(&v, at, sizeof v);
    return width == 8 ? v : v & ((UINT64_C(1) << 8 * width) - 1);
}

static bool counted(uint8_t arg)
{
    return arg >= ARG_COUNT1 && arg <= ARG_COUNT8;
}

static void file_frame(struct vm *vm, uint64_t len)
{
    if (vm->frame_end > vm->pos) { /* drops what is left of the frame before it */
        vm->skip = vm->frame_end - vm->pos;
        vm->frame_end += len;
        vm->phase = PHASE_SKIP;
        return;
    }
    vm->frame_end = vm->pos + len;
}

/* The readers part here; false: there is no second reader to go on. */
static struct vm *part(struct vm *vm)
{
    struct pickle *m = vm->m;

    vm->flags |= PICKLE_FLAG(FRAME_STRADDLE);
    if (vm->reader != READER_BOTH)
        return vm->reader == READER_FILE ? vm : NULL;
    if (m->forked || !vm_copy(&m->file, vm)) {
        vm->flags |= PICKLE_FLAG(RESOURCE_LIMIT);
        vm_raise(vm, PICKLE_SUSPICIOUS, "a read across a frame's end");
        vm->reader = READER_LINEAR;
        return NULL;
    }
    m->forked = true;
    m->nested_tries[1] = m->nested_tries[0];
    vm->reader = READER_LINEAR;
    m->file.reader = READER_FILE;
    return &m->file;
}

/* FRAME: pos is behind its argument. */
static bool begin_frame(struct vm *vm, uint64_t len)
{
    if (len > FRAME_MAX - vm->pos)
        return vm_stop(vm, PICKLE_END_LENGTH);
    vm->longest_frame = vm->pos + len > vm->longest_frame ? vm->pos + len : vm->longest_frame;
    if (vm->reader == READER_LINEAR)
        return true;
    if (vm->frame_end > vm->pos && len <= vm->frame_end - vm->pos)
        return true; /* already in the buffer */
    struct vm *file = vm->frame_end > vm->pos ? part(vm) : vm;
    if (file)
        file_frame(file, len);
    return true;
}

/* A unit that began in the frame reached the frame's end. Only reads that cannot be served in
 * parts lose what they had. */
static void cross(struct vm *vm)
{
    if (vm->reader == READER_LINEAR || !vm->unit_framed)
        return;
    vm->unit_framed = false;
    if (vm->phase == PHASE_BODY && opcodes[vm->op].gathers)
        return;
    struct vm *file = part(vm);
    if (!file)
        return;
    file->unit_framed = false;
    file->got = 0;
    file->body_left = file->body_len;
    file->line_used = file->second ? file->first_len : 0;
    file->line_len = 0;
}

/* false: no memory, and the stream has ended. */
static bool take_line(struct vm *vm, const uint8_t *at, size_t n)
{
    uint32_t room = LITERAL_KEPT * 2 - vm->line_used;

    vm->line_len += n;
    if (n > room)
        n = room;
    if (n > 0 && vm->line_used + n > vm->line_cap) {
        uint32_t cap = vm->line_cap ? vm->line_cap : 256;
        while (cap < vm->line_used + n)
            cap *= 2;
        uint8_t *more = realloc(vm->line, cap);
        if (!more) {
            vm_starve(vm);
            return false;
        }
        vm->line = more;
        vm->line_cap = cap;
    }
    if (n > 0)
        memcpy(vm->line + vm->line_used, at, n);
    vm->line_used += (uint32_t)n;
    return true;
}

static inline void execute(struct vm *vm, const struct arg *a)
{
    if (vm->heap.used > vm->heap.limit)
        heap_collect(vm);
    vm->phase = PHASE_OPCODE;
    vm->ops++;
    if (vm->op == 0x95)
        begin_frame(vm, a->n);
    else
        opcodes[vm->op].run(vm, a);
}

static void begin_body(struct vm *vm, uint64_t len)
{
    if (len > FRAME_MAX) {
        vm_stop(vm, PICKLE_END_LENGTH);
        return;
    }
    vm->phase = PHASE_BODY;
    vm->body_len = vm->body_left = len;
    vm->line_used = 0;
    vm->line_len = 0;
    vm->unit_framed = vm->pos < vm->frame_end && len > 0;
    if (len == 0)
        execute(vm, &(struct arg){.text = bytes_of("", 0)});
}

static void begin_op(struct vm *vm, uint8_t op)
{
    const struct opcode *o = &opcodes[op];

    vm->op = op;
    vm->got = 0;
    vm->line_used = vm->first_len = 0;
    vm->line_len = 0;
    vm->second = false;
    vm->need = o->arg < ARG_LINE ? width_of[o->arg] : 0;
    vm->unit_framed = vm->pos < vm->frame_end;
    if (o->arg == ARG_BAD)
        vm_stop(vm, PICKLE_END_BAD_OPCODE);
    else if (o->arg == ARG_NONE)
        execute(vm, &(struct arg){0});
    else
        vm->phase = o->arg == ARG_LINE || o->arg == ARG_LINES ? PHASE_LINE : PHASE_FIXED;
}

static void end_fixed(struct vm *vm)
{
    uint64_t n = little(vm->small, vm->need);

    if (counted(opcodes[vm->op].arg))
        begin_body(vm, n);
    else
        execute(vm, &(struct arg){.n = n});
}

static void end_line(struct vm *vm)
{
    const struct opcode *o = &opcodes[vm->op];

    if (o->arg == ARG_LINES && !vm->second) {
        vm->second = true;
        vm->first_len = vm->line_used;
        vm->first_whole = vm->line_used == vm->line_len;
        vm->line_len = 0;
        vm->unit_framed = vm->pos < vm->frame_end;
        return;
    }
    struct arg a = {.text = bytes_of(vm->line, vm->line_used), .len = vm->line_len};
    if (o->arg == ARG_LINES) {
        a.text = bytes_of(vm->line, vm->first_len);
        a.second = bytes_of(vm->line + vm->first_len, vm->line_used - vm->first_len);
    }
    execute(vm, &a);
}

/* One step over bytes that all lie on the same side of the frame's end. */
static size_t step(struct vm *vm, struct bytes b)
{
    size_t n = b.len;

    switch (vm->phase) {
    case PHASE_OPCODE:
        vm->op_at = vm->pos++;
        begin_op(vm, b.at[0]);
        return 1;
    case PHASE_FIXED:
        n = n < vm->need - vm->got ? n : vm->need - vm->got;
        memcpy(vm->small + vm->got, b.at, n);
        vm->got += (uint32_t)n;
        vm->pos += n;
        if (vm->got == vm->need)
            end_fixed(vm);
        return n;
    case PHASE_BODY:
        n = n < vm->body_left ? n : (size_t)vm->body_left;
        if (!take_line(vm, b.at, n))
            return n;
        vm->body_left -= n;
        vm->pos += n;
        if (vm->body_left == 0)
            execute(vm,
                    &(struct arg){.text = bytes_of(vm->line, vm->line_used), .len = vm->body_len});
        return n;
    case PHASE_LINE: {
        const uint8_t *end = memchr(b.at, '\n', n);
        size_t text = end ? (size_t)(end - b.at) : n;
        if (!take_line(vm, b.at, text))
            return n;
        n = text + (end != NULL);
        vm->pos += n;
        if (end)
            end_line(vm);
        return n;
    }
    case PHASE_SKIP:
        n = n < vm->skip ? n : (size_t)vm->skip;
        vm->skip -= n;
        vm->pos += n;
        if (vm->skip == 0)
            vm->phase = PHASE_OPCODE;
        return n;
    case PHASE_DONE: break;
    }
    return n;
}

/* Whole opcodes whose arguments lie in one piece, one after the other: the common case. Returns
 * what it used; the rest is for step(). */
static size_t run(struct vm *vm, struct bytes b)
{
    const uint8_t *at = b.at, *end = b.at + b.len;
    uint64_t base = vm->pos;

    while (at < end && vm->phase == PHASE_OPCODE) {
        uint64_t ops = 0;

        for (size_t fast; at < end && (fast = fast_op(vm, at, (size_t)(end - at))) > 0; ops++)
            at += fast;
        vm->ops += ops;
        vm->pos = base + (uint64_t)(at - b.at);
        if (at == end)
            break;
        const struct opcode *o = &opcodes[*at];
        struct arg a = {0};
        size_t left = (size_t)(end - at) - 1, width = 0;

        if (o->arg == ARG_BAD || o->arg >= ARG_LINE)
            break;
        width = width_of[o->arg];
        if (width > left)
            break;
        a.n = width == 0   ? 0
              : width == 1 ? at[1]
              : left >= 8  ? little_fast(at + 1, width)
                           : little(at + 1, (unsigned)width);
        if (counted(o->arg)) {
            if (a.n > left - width)
                break;
            a.text = bytes_of(at + 1 + width, (size_t)a.n);
            a.len = a.n;
            width += (size_t)a.n;
        }
        vm->op = *at;
        vm->op_at = base + (uint64_t)(at - b.at);
        at += 1 + width;
        vm->pos = base + (uint64_t)(at - b.at);
        execute(vm, &a);
        if (vm->op == 0x95)
            break; /* the frame's end may be nearer now */
    }
    return (size_t)(at - b.at);
}

void vm_feed(struct vm *vm, struct bytes piece)
{
    while (piece.len > 0 && vm->phase != PHASE_DONE) {
        struct bytes part_of = piece;
        bool framed = vm->pos < vm->frame_end;

        if (framed)
            part_of = bytes_head(piece, vm->frame_end - vm->pos < piece.len
                                            ? (size_t)(vm->frame_end - vm->pos)
                                            : piece.len);
        size_t used = vm->phase == PHASE_OPCODE ? run(vm, part_of) : 0;
        if (used < part_of.len && used == 0 && vm->phase != PHASE_DONE)
            used = step(vm, part_of);
        bytes_cut(&piece, used);
        if (framed && vm->pos >= vm->frame_end && vm->phase > PHASE_OPCODE &&
            vm->phase < PHASE_SKIP)
            cross(vm);
    }
}
