/* The machine as a whole: its memory, and one message through it. */
#include "signatures/pickle/machine.h"

#include <stdlib.h>

static bool copy_allow(struct pickle *p, const struct pickle_options *o)
{
    p->allow = calloc(o->n_allow, sizeof *p->allow);
    if (!p->allow)
        return false;
    for (size_t i = 0; i < o->n_allow; i++) {
        struct bytes prefix = o->allow[i];
        if (prefix.len >= 2 && memcmp(prefix.at + prefix.len - 2, ".*", 2) == 0)
            prefix.len -= 2;
        uint8_t *own = malloc(prefix.len + 1);
        if (!own)
            return false;
        if (prefix.len > 0)
            memcpy(own, prefix.at, prefix.len);
        p->allow[i] = bytes_of(own, prefix.len);
    }
    return true;
}

struct pickle *pickle_new(const struct pickle_options *options)
{
    struct pickle *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->pool = malloc(POOL_MAX);
    if (options) {
        p->options = *options;
        p->options.allow = NULL;
    }
    if (!p->pool || (options && options->n_allow > 0 && !copy_allow(p, options))) {
        pickle_free(p);
        return NULL;
    }
    pickle_reset(p, PICKLE_SEEN);
    return p;
}

void pickle_free(struct pickle *p)
{
    while (p) { /* a chain of nested machines */
        struct pickle *child = p->child;
        for (size_t i = 0; p->allow && i < p->options.n_allow; i++)
            free((void *)(uintptr_t)p->allow[i].at);
        free(p->allow);
        vm_free(&p->linear);
        vm_free(&p->file);
        free(p->to_space);
        free(p->pool);
        free(p->decoded[0]);
        free(p->decoded[1]);
        free(p);
        p = child;
    }
}

size_t pickle_memory(const struct pickle *p)
{
    size_t n = 0;

    for (; p; p = p->child)
        n += sizeof *p + POOL_MAX + vm_memory(&p->linear) + vm_memory(&p->file) + p->to_cap * 8u +
             (p->decoded[0] ? DECODED_MAX : 0) + (p->decoded[1] ? DECODED_MAX : 0);
    return n;
}

void pickle_reset(struct pickle *p, enum pickle_context context)
{
    p->context = context;
    p->names_task = p->starved = p->forked = p->trailing = p->seeking = p->trail_found = false;
    p->size = p->imports_seen = p->calls_seen = p->trail_flags = 0;
    p->trail_imports = p->trail_calls = 0;
    p->streams = p->junk = p->kept_imports = p->kept_calls = 0;
    p->nested_tries[0] = p->nested_tries[1] = 0;
    p->pool_used = 0;
    p->result = (struct pickle_result){.imports = p->imports, .calls = p->call, .top = p->top};
    vm_reset(&p->linear, p, READER_BOTH);
}

void pickle_expect_tasks(struct pickle *p)
{
    p->names_task = true;
}

void pickle_declare(struct pickle *p, enum pickle_context context)
{
    p->context = context;
}

/* Takes back what the stream in progress has added; what the file reader, still in the first
 * stream, noted meanwhile stays. */
static void take_back(struct pickle *p)
{
    unsigned imports = p->kept_imports, calls = p->kept_calls;

    for (unsigned i = imports; i < p->result.n_imports; i++)
        if (!p->imports[i].trailing)
            p->imports[imports++] = p->imports[i];
    for (unsigned i = calls; i < p->result.n_calls; i++)
        if (!p->call[i].trailing)
            p->call[calls++] = p->call[i];
    p->result.n_imports = imports;
    p->result.n_calls = calls;
    p->imports_seen -= p->trail_imports;
    p->calls_seen -= p->trail_calls;
}

/* Keeps what the stream in progress has added, or takes it back. */
static void settle(struct pickle *p, bool keep)
{
    if (!keep)
        take_back(p);
    p->kept_imports = p->result.n_imports;
    p->kept_calls = p->result.n_calls;
    p->trail_imports = p->trail_calls = 0;
}

static void end_trailing(struct pickle *p)
{
    struct outcome o;

    outcome_of(&p->linear, &o);
    bool found = imports_something(&o), stops = o.end == PICKLE_END_STOP;
    settle(p, found);
    p->trail_found |= found;
    if (found || (stops && o.magic && o.ops >= 3))
        p->trail_flags |= PICKLE_FLAG(TRAILING_PICKLE);
    p->streams += found || stops;
    p->junk += !stops;
    p->at_once = stops;
}

void stream_over(struct pickle *p)
{
    judge_end(&p->linear);
    if (p->trailing) {
        end_trailing(p);
    } else {
        outcome_of(&p->linear, &p->first_stream);
        settle(p, true);
        p->streams = 1;
        p->at_once = true;
    }
    p->trailing = p->seeking = true;
}

/* Whether another stream may follow. Nothing does behind an error of the first. */
static bool may_follow(const struct pickle *p)
{
    return p->first_stream.end == PICKLE_END_STOP && p->streams < STREAMS_MAX &&
           p->junk < JUNK_MAX && p->depth == 0;
}

/* The next stream begins right behind the last one, or at the next 0x80. */
static bool seek(struct pickle *p, struct bytes *rest, uint64_t at)
{
    const uint8_t *magic = rest->at;
    uint8_t two[2] = {rest->at[0], 0};

    if (!p->at_once || !pickle_maybe(bytes_of(two, 2)))
        magic = memchr(rest->at, 0x80, rest->len);
    p->at_once = false;
    if (!magic) {
        bytes_cut(rest, rest->len);
        return false;
    }
    size_t skipped = (size_t)(magic - rest->at);
    bytes_cut(rest, skipped);
    vm_reset(&p->linear, p, READER_LINEAR);
    p->linear.pos = at + skipped;
    p->seeking = false;
    return true;
}

static void feed_linear(struct pickle *p, struct bytes rest)
{
    uint64_t end = p->size;

    while (rest.len > 0) {
        if (p->seeking && (!may_follow(p) || !seek(p, &rest, end - rest.len)))
            return;
        struct vm *vm = &p->linear;
        vm_feed(vm, rest);
        if (vm->phase != PHASE_DONE)
            return;
        uint64_t begin = end - rest.len;
        bytes_cut(&rest, vm->pos > begin ? (size_t)(vm->pos - begin) : 1);
        stream_over(p);
    }
}

bool pickle_feed(struct pickle *p, struct bytes piece)
{
    uint64_t base = p->size;
    bool was_forked = p->forked;

    p->size += piece.len;
    if (piece.len == 0)
        return true;
    feed_linear(p, piece);
    if (p->forked && p->file.phase != PHASE_DONE) {
        struct bytes rest = piece;
        bool trailing = p->trailing;
        if (!was_forked)
            bytes_cut(&rest, p->file.pos > base ? (size_t)(p->file.pos - base) : 0);
        p->trailing = false; /* what the file reader sees is the first stream */
        vm_feed(&p->file, rest);
        p->trailing = trailing;
    }
    bool file_going = p->forked && p->file.phase != PHASE_DONE;
    return file_going || !p->seeking || may_follow(p);
}

const struct pickle_result *pickle_judge(struct pickle *p, struct bytes all,
                                         enum pickle_context context, enum pickle_extent extent)
{
    pickle_reset(p, context);
    pickle_feed(p, all);
    return pickle_end(p, extent);
}
