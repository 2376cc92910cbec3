/* The message as a whole: is it a pickle, how did it end, what is the verdict. */
#include "signatures/pickle/machine.h"

#define SLACK     2u  /* bytes behind STOP that do not count */
#define BARE_BOMB 32u /* bytes of a message that is a length and little else */

void outcome_of(const struct vm *vm, struct outcome *o)
{
    *o = (struct outcome){.flags = vm->flags,
                          .ops = vm->ops,
                          .end_at = vm->end_at,
                          .imports = vm->imports,
                          .calls = vm->calls,
                          .verdict = vm->verdict,
                          .bombless = vm->bombless,
                          .end = vm->end,
                          .ground = vm->ground,
                          .proto = vm->proto,
                          .magic = vm->magic,
                          .longest_frame = vm->longest_frame,
                          .first_plain = vm->first_import_plain,
                          .listed = vm->listed_import,
                          .unknown = vm->unknown_import};
}

/* The message ended before the stream did. */
static void cut_short(struct vm *vm, enum pickle_extent extent)
{
    bool clipped = extent == PICKLE_CLIPPED;

    bomb_end(vm, clipped);
    vm->end = clipped ? PICKLE_END_CLIPPED : PICKLE_END_NO_STOP;
    vm->end_at = vm->pos;
    if (clipped)
        vm->flags |= PICKLE_FLAG(TRUNCATED_CAPTURE);
    vm->phase = PHASE_DONE;
}

/* An error behind an import does not undo it. */
void judge_end(struct vm *vm)
{
    bool broken = vm->end != PICKLE_END_STOP && vm->end != PICKLE_END_CLIPPED;

    if (!broken || vm->imports == 0)
        return;
    vm->flags |= PICKLE_FLAG(FAILS_AFTER_EXEC);
    if (vm->unknown_import)
        vm_raise(vm, PICKLE_SUSPICIOUS, "broken after an unknown import");
}

bool imports_something(const struct outcome *o)
{
    bool stops = o->end == PICKLE_END_STOP;
    return o->imports > 0 && o->first_plain &&
           (o->calls > 0 || o->listed || stops || (o->magic && o->ops >= 4));
}

static bool accept_magic(const struct pickle *p, const struct outcome *o)
{
    if (o->end == PICKLE_END_STOP && o->ops >= 3)
        return true;
    if (o->imports > 0 && o->first_plain && (o->calls > 0 || o->ops >= 4))
        return true;
    if ((o->flags & PICKLE_FLAG(LENGTH_BOMB)) && (o->ops >= 4 || p->size <= BARE_BOMB))
        return true;
    return o->end == PICKLE_END_CLIPPED && o->ops >= 6;
}

static bool accept_plain(const struct pickle *p, const struct outcome *o)
{
    bool stops = o->end == PICKLE_END_STOP, last = stops && p->size - o->end_at == 0;
    bool clipped = o->end == PICKLE_END_CLIPPED;

    if (o->imports > 0)
        return o->first_plain && (o->calls > 0 || (o->listed && (o->ops >= 3 || clipped)) ||
                                  (stops && p->size - o->end_at <= SLACK));
    if (last && (o->flags & PICKLE_ANY_BOMB))
        return true;
    return last && o->ops >= 6 && p->size >= 10;
}

static enum pickle_tier tier_of(const struct pickle *p, const struct outcome *o)
{
    if (o->magic && accept_magic(p, o))
        return PICKLE_TIER_MAGIC;
    if (accept_plain(p, o))
        return PICKLE_TIER_STRUCTURAL;
    bool declared =
        p->context == PICKLE_DECLARED &&
        (o->end == PICKLE_END_STOP || o->imports > 0 || (o->flags & PICKLE_ANY_BOMB) ||
         (o->magic && o->ops >= 2) || p->starved || (o->end == PICKLE_END_CLIPPED && o->ops > 0));
    return declared ? PICKLE_TIER_DECLARED : PICKLE_TIER_NONE;
}

/* The file reader's outcome beside the linear one: the worse counts. */
static void merge_readers(struct pickle *p, struct outcome *o, struct outcome f)
{
    bool runs = f.imports + o->imports > 0 || f.end == PICKLE_END_STOP || o->end == PICKLE_END_STOP;
    o->flags |= f.flags;
    p->result.file_reader_only = f.verdict > o->verdict;
    if (f.verdict > o->verdict || (f.imports > 0 && o->imports == 0)) {
        uint64_t flags = o->flags;
        *o = f;
        o->flags = flags;
    }
    enum pickle_verdict floor = runs ? PICKLE_DANGEROUS : PICKLE_SUSPICIOUS;
    o->flags |= PICKLE_FLAG(READER_DIFFERENTIAL);
    if (floor > o->bombless)
        o->bombless = floor;
    if (floor > o->verdict) {
        o->verdict = floor;
        o->ground = "what is loaded depends on the reader";
    }
}

static void merge_trailing(struct pickle *p, struct outcome *o)
{
    o->flags |= p->trail_flags;
    if (!p->trail_found)
        return;
    if (o->verdict < PICKLE_SUSPICIOUS) {
        o->flags |= PICKLE_FLAG(ONLY_TRAILING);
        o->verdict = PICKLE_SUSPICIOUS;
        o->ground = "a further stream behind STOP imports something";
    }
    if (o->bombless < PICKLE_SUSPICIOUS)
        o->bombless = PICKLE_SUSPICIOUS;
}

/* What could not be followed for want of memory is not said to be harmless. */
static void merge_starved(const struct pickle *p, struct outcome *o)
{
    if (!is_starved(p))
        return;
    o->flags |= PICKLE_FLAG(RESOURCE_LIMIT);
    if (o->bombless < PICKLE_SUSPICIOUS)
        o->bombless = PICKLE_SUSPICIOUS;
    if (o->verdict < PICKLE_SUSPICIOUS) {
        o->verdict = PICKLE_SUSPICIOUS;
        o->ground = "no memory to follow it";
    }
}

static void refuse(struct pickle *p)
{
    struct pickle_result *r = &p->result;

    r->verdict = PICKLE_NOT;
    r->is_pickle = false;
    r->flags = p->context == PICKLE_DECLARED ? PICKLE_FLAG(DECLARED_NOT) : 0;
    r->n_imports = r->n_calls = r->n_top = 0;
    r->all_imports = r->all_calls = 0;
    r->first = r->document = bytes_of("", 0);
    r->ground = "not a pickle";
}

static void write_result(struct pickle *p, const struct outcome *o)
{
    struct pickle_result *r = &p->result;

    r->verdict = o->verdict;
    r->flags = o->flags;
    r->is_pickle = true;
    r->only_bomb = o->verdict >= PICKLE_SUSPICIOUS && o->bombless < PICKLE_SUSPICIOUS;
    r->ground = o->ground ? o->ground : "plain data";
    r->all_imports = p->imports_seen;
    r->all_calls = p->calls_seen;
}

const struct pickle_result *pickle_end(struct pickle *p, enum pickle_extent extent)
{
    struct outcome o;
    struct pickle_result *r = &p->result;

    if (!p->seeking && p->linear.phase != PHASE_DONE) {
        cut_short(&p->linear, extent);
        stream_over(p);
    }
    if (p->forked && p->file.phase != PHASE_DONE)
        cut_short(&p->file, extent);
    o = p->first_stream;
    r->tier = tier_of(p, &o);
    if (p->forked) {
        struct outcome f;
        judge_end(&p->file);
        outcome_of(&p->file, &f);
        enum pickle_tier other = tier_of(p, &f);
        r->tier = other > r->tier ? other : r->tier;
        merge_readers(p, &o, f);
    }
    r->protocol = o.proto;
    r->opcodes = o.ops;
    r->size = p->size;
    r->end = o.end;
    r->end_at = o.end_at;
    r->streams = p->streams;
    merge_trailing(p, &o);
    merge_starved(p, &o);
    if (o.longest_frame > p->size && extent == PICKLE_WHOLE)
        o.flags |= PICKLE_FLAG(FRAME_OVERLONG);
    if (r->tier == PICKLE_TIER_NONE)
        refuse(p);
    else
        write_result(p, &o);
    return r;
}
