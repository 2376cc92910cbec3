/* pickle/machine.h - the inside of the pickle machine, for the files of this folder only.
 *
 * struct vm is one reader of one stream: lexer, stack, memo, heap. struct pickle holds the
 * linear reader, the old file reader once the two have parted, and what both have found.
 *
 *     feed.c     bytes -> opcodes with their arguments, for both readers
 *     ops_*.c    opcodes -> values
 *     import.c   names -> policy         call.c  calls, BUILD, mutation -> verdict
 *     fold.c     calls whose result can be known
 *     nested.c   pickles inside literals
 *     bomb.c     streams that cost far more than their size
 *     judge.c    the message as a whole */
#ifndef PICKLE_MACHINE_H
#define PICKLE_MACHINE_H

#include "signatures/pickle/policy.h"
#include "signatures/pickle/value.h"

#define STACK_MAX    49152u
#define MEMO_DENSE   98304u
#define MEMO_BLOCK   64u
#define MEMO_SPARSE  4096u
#define HEAP_MAX     (98304u)       /* words: 768 KiB */
#define HEAP_RESERVE (HEAP_MAX / 6) /* free before each opcode */
#define GLOBALS_MAX  256u
#define STREAMS_MAX  16u
#define NESTED_DEPTH 4u
#define NESTED_TRIES 16u
#define POOL_MAX     (160u << 10)
#define JUNK_MAX     64u
#define DECODED_MAX  (256u << 10)
#define FOLD_DEPTH   8u
#define RECENT_ROWS  64u
#define RESIDUES     16u

enum reader { READER_BOTH, READER_LINEAR, READER_FILE };

enum phase {
    PHASE_OPCODE,
    PHASE_FIXED, /* need bytes of argument into small */
    PHASE_BODY,  /* body_left bytes of a counted argument */
    PHASE_LINE,
    PHASE_SKIP, /* the file reader drops the rest of a frame */
    PHASE_DONE,
};

struct arg {
    uint64_t n;          /* fixed arguments */
    struct bytes text;   /* what is kept of a body or line, without the newline */
    struct bytes second; /* GLOBAL, INST: the second line */
    uint64_t len;        /* of the body or line, kept or not */
};

struct vm;

enum arg_kind {
    ARG_BAD, /* not an opcode */
    ARG_NONE,
    ARG_1,
    ARG_2,
    ARG_4,
    ARG_8,
    ARG_COUNT1, /* a length, and as many bytes */
    ARG_COUNT4,
    ARG_COUNT8,
    ARG_LINE,
    ARG_LINES,
};

struct opcode {
    const char *name;
    uint8_t arg;  /* enum arg_kind */
    bool gathers; /* its body is read without dropping a frame's rest (ReadInto) */
    bool (*run)(struct vm *vm, const struct arg *a); /* false: the stream has ended */
};

extern const struct opcode opcodes[256];

struct memo {
    struct value *dense;
    uint32_t dense_cap;
    uint8_t blocks[MEMO_DENSE / MEMO_BLOCK + 1]; /* of the dense part: which may hold nodes */
    struct memo_slot {
        uint64_t key;
        struct value v; /* V_ABSENT: free */
    } * sparse;
    uint32_t sparse_used;
    uint64_t entries;  /* distinct keys, as CPython counts them */
    uint64_t top;      /* 1 + largest key */
    bool lost;         /* some entries are not kept */
    bool lost_objects; /* and some of these may be more than plain data */
};

struct residue {
    uint64_t value;
    uint32_t count;
};

struct vm {
    struct pickle *m;
    struct heap heap;
    struct value *stack;
    uint32_t cap; /* of the stack */
    struct memo memo;
    uint8_t *line; /* captured body or line, up to LITERAL_KEPT */
    uint32_t line_cap;
    char cleared_from; /* what follows is cleared by vm_reset() */
    uint32_t len;      /* of the stack */
    uint32_t mark;     /* 1 + index of the topmost mark; 0: none */
    bool deep;         /* part of the stack is runs */
    bool bottomless;   /* the lower stack was given up: underflow cannot be told */
    uint32_t n_globals;
    /* lexer */
    enum reader reader;
    enum phase phase;
    uint8_t op;
    uint8_t small[8];
    uint32_t need, got; /* of small */
    uint64_t body_left, body_len;
    uint32_t line_used;
    uint64_t line_len;
    uint32_t first_len; /* of the first of two lines, which stays at the start of `line` */
    bool second, first_whole;
    bool unit_framed; /* the unit in progress began inside the frame */
    uint64_t pos, op_at;
    uint64_t frame_end, longest_frame;
    uint64_t skip;
    /* findings */
    int proto;
    bool magic;
    uint64_t ops, imports, calls, container_gets;
    uint64_t flags;
    enum pickle_verdict verdict, bombless; /* bombless: without the bombs */
    const char *ground;
    enum pickle_end_state end;
    uint64_t end_at;
    bool first_import_plain, first_import_seen, listed_import, unknown_import, critical_import;
    unsigned shed; /* how hard heap_collect has to press */
    struct residue residues[RESIDUES];
    /* one node for each imported pair, n_globals of them; not cleared */
    struct value globals[GLOBALS_MAX];
};

/* How a stream ended, and what it was found to be. */
struct outcome {
    uint64_t flags, ops, end_at, imports, calls, longest_frame;
    enum pickle_verdict verdict, bombless;
    enum pickle_end_state end;
    const char *ground;
    int proto;
    bool magic, first_plain, listed, unknown, bottom;
};

struct pickle {
    struct pickle_options options;
    struct bytes *allow;    /* own copies */
    struct bytes *borrowed; /* of a nested machine: its parent's */
    struct vm linear, file;
    bool names_task; /* some text is "task", or it is said to */
    bool starved;    /* memory ran out somewhere */
    bool forked;     /* the file reader goes its own way */
    enum pickle_context context;
    const struct policy_row *recent[RECENT_ROWS]; /* see import.c */
    uint64_t size;
    uint64_t *to_space; /* for heap_collect, of to_cap words */
    uint32_t to_cap;
    /* streams behind the first: `linear` is used again for them */
    struct outcome first_stream;
    bool trailing;
    bool seeking; /* between two streams */
    bool at_once; /* nothing has been skipped since the last one ended */
    unsigned streams, junk;
    unsigned kept_imports, kept_calls; /* before the stream in progress */
    uint64_t trail_flags;
    bool trail_found;
    /* what was found; texts in the pool */
    struct pickle_import imports[PICKLE_IMPORTS];
    struct pickle_call call[PICKLE_CALLS];
    uint64_t imports_seen, calls_seen;
    uint64_t trail_imports, trail_calls; /* of those, by the stream in progress behind the first */
    uint8_t *pool;                       /* POOL_MAX: never moved, results point into it */
    uint32_t pool_used;
    struct top_pair top[PICKLE_TOP];
    /* pickles inside */
    struct pickle *child;
    unsigned depth; /* of this machine */
    unsigned
        nested_tries[2]; /* of the linear reader, of the file reader: neither spends the other's */
    uint8_t *decoded[2]; /* DECODED_MAX each */
    struct pickle_result result;
};

/* Memory ran out somewhere. */
static inline bool is_starved(const struct pickle *p)
{
    return p->starved || p->linear.heap.starved || (p->forked && p->file.heap.starved);
}

static inline void count_imports(struct pickle *m, uint64_t n)
{
    m->imports_seen += n;
    m->trail_imports += m->trailing ? n : 0;
}

static inline void count_calls(struct pickle *m, uint64_t n)
{
    m->calls_seen += n;
    m->trail_calls += m->trailing ? n : 0;
}

/* vm.c */
void vm_reset(struct vm *vm, struct pickle *m, enum reader reader);
void vm_free(struct vm *vm);
bool vm_copy(struct vm *to, const struct vm *from);
size_t vm_memory(const struct vm *vm);
bool vm_stop(struct vm *vm, enum pickle_end_state why); /* always false */
/* Without memory nobody can follow it any further: said, and not taken for harmless. */
void vm_starve(struct vm *vm);
/* Verdicts only go up. bomb: on the ground of a bomb alone. */
void vm_raise(struct vm *vm, enum pickle_verdict level, const char *ground);
void vm_bomb(struct vm *vm, uint64_t flag, const char *ground);

/* stack.c */
bool stack_grow(struct vm *vm);        /* makes room for one more */
struct value stack_pop(struct vm *vm); /* for those who asked stack_has first */
bool stack_split(struct vm *vm, unsigned n);
/* The slice above the topmost mark: index of its first element; the mark is gone. */
bool stack_mark(struct vm *vm, uint32_t *first);
uint64_t stack_slice_count(const struct vm *vm, uint32_t first);
void stack_drop(struct vm *vm, uint32_t to);

/* At least n values above the topmost mark, each a value of its own. */
static inline bool stack_has(struct vm *vm, unsigned n)
{
    return (vm->len - vm->mark >= n && !vm->deep) || stack_split(vm, n);
}

static inline struct value *stack_top(struct vm *vm, unsigned below)
{
    return &vm->stack[vm->len - 1 - below];
}

static inline bool stack_push(struct vm *vm, struct value v)
{
    if (vm->len == vm->cap && !stack_grow(vm))
        return true; /* given up: the stack is bottomless now */
    uint64_t word = value_word(v);
    memcpy(&vm->stack[vm->len++], &word, sizeof word);
    return true;
}

/* memo.c */
void memo_put(struct vm *vm, uint64_t key, struct value v);
/* false: CPython has no such key. */
bool memo_get(struct vm *vm, uint64_t key, struct value *v);

/* feed.c */
void vm_feed(struct vm *vm, struct bytes piece);

/* number.c: the texts of INT, LONG, FLOAT, GET and PUT as CPython reads them */
struct number {
    bool ok, boolean, big;
    int64_t value;   /* when not big */
    uint64_t digits; /* decimal digits, when the base is 10 */
};
struct number pickle_number_int(struct bytes line, uint64_t len);
struct number number_long(struct bytes line, uint64_t len);
struct number number_key(struct bytes line, uint64_t len);
bool number_float(struct bytes line, uint64_t len, double *v);

/* text.c */
/* Undoes the escapes of STRING and UNICODE in place; false: CPython raises. */
bool text_string(uint8_t *at, size_t *len);
bool text_unicode(struct vm *vm, struct bytes in, struct bytes *out);
bool utf8_valid(struct bytes b, bool cut); /* surrogates pass, as in pickle */
bool is_identifier(struct bytes dotted);
bool is_dunder(struct bytes name);

/* import.c */
/* What an import gives: judged, noted, and looked up. folded: a call inside the stream makes it, so
 * that aliases do not apply. */
struct value vm_import(struct vm *vm, struct value module, struct value name, bool folded);
struct value vm_import_text(struct vm *vm, struct bytes module, struct bytes name);
const struct policy_row *global_row(const struct vm *vm, struct value global);
/* A whole text, as a name has to be. */
static inline bool is_name(const struct vm *vm, struct value v)
{
    return v.kind == V_STR && text_whole(&vm->heap, v);
}

/* attribute.c */
struct value vm_module(struct vm *vm, struct bytes name);
/* getattr(base, name), name dotted as operator.attrgetter takes it. */
struct value vm_attr(struct vm *vm, struct value base, struct value name);

/* call.c */
struct value vm_call(struct vm *vm, struct value callee, struct value args, struct value extra);
struct value call_deep(struct vm *vm, struct value callee, struct value args, unsigned depth);
struct value call_node(struct vm *vm, struct value callee, struct value args, struct value extra);
void vm_build(struct vm *vm, struct value object, struct value state);
void vm_mutate(struct vm *vm, struct value receiver);
/* Raises the verdict, and notes the call that it rests on. */
void vm_accuse(struct vm *vm, enum pickle_verdict level, struct value call, uint64_t flags,
               const char *why);

/* fold.c: what a special callable does with its arguments. `call` is its call node; what comes
 * back is the result, or `call` itself when that is all there is to say. */
struct value fold_call(struct vm *vm, enum special s, struct value call, unsigned depth);
/* Calls the result of a call, when that was partial(), attrgetter() and the like. */
bool fold_result(struct vm *vm, struct value made, struct value args, unsigned depth,
                 struct value *result);
struct value args_from(struct vm *vm, struct value args, unsigned first);

/* fold_text.c: the same for constants. */
struct value fold_text(struct vm *vm, enum special s, struct value call);
struct value fold_method(struct vm *vm, struct value base, struct bytes name, struct value call);
struct value fold_item(struct vm *vm, struct value container, struct value index);

/* nested.c */
bool nested_smells(struct bytes head);
/* The same of text that is encoded twice. */
bool nested_smells_twice(struct bytes head);
/* The first bytes that nested_smells() looks further at. */
static inline bool nested_first(uint8_t c)
{
    static const uint32_t set[8] = {1u << 31, 0x01c68100, 0x22020904, 0x010000b8,
                                    1,        0,          0,          1u << 29};
    return set[c >> 5] >> (c & 31) & 1;
}
/* Text as data: a pickle in it is a flag, and suspicious if it would import what is not known. */
void nested_literal(struct vm *vm, struct bytes text);
/* The same text handed to a loader. */
void nested_loads(struct vm *vm, struct bytes text);
struct pickle *nested_machine(struct pickle *m);
/* The bytes behind one layer of coding (enum special), in m->decoded[which]; false: not that. */
bool decode_layer(struct pickle *m, enum special how, struct bytes in, unsigned which,
                  struct bytes *out);
/* Undoes up to four layers of coding until something may be a pickle. path: their names. */
#define PATH_MAX_TEXT 64u
bool peel(struct pickle *m, struct bytes in, struct bytes *out, bool *cut, char *path);

/* bomb.c */
void bomb_key(struct vm *vm, struct value key);
void bomb_size(struct vm *vm, struct value v);
void bomb_memo(struct vm *vm, uint64_t key);
void bomb_end(struct vm *vm, bool clipped);

/* note.c: what is kept as evidence */
void note_import(struct vm *vm, const struct pickle_import *in);
/* The same of a row of the tables that says all of it. */
void note_row(struct vm *vm, const struct policy_row *row);
struct bytes pool_copy(struct pickle *m, struct bytes b, size_t max);
void take_top(struct vm *vm, struct value v);

/* document.c: the object that the first stream gives, where it may name tasks. */
void take_document(struct vm *vm, struct value v);
static inline bool is_task_key(const uint8_t *at, uint64_t n)
{
    return n == 4 && memcmp(at, "task", 4) == 0;
}

/* machine.c: the linear reader's stream has ended, one way or the other. */
void stream_over(struct pickle *p);

/* judge.c */
void judge_end(struct vm *vm);
void outcome_of(const struct vm *vm, struct outcome *o);
/* Import evidence that a stream behind the first is a pickle. */
bool imports_something(const struct outcome *o);

/* render.c: a call in Python's syntax, printable ASCII, secrets masked. */
size_t render_call(const struct vm *vm, struct value call, char *out, size_t room);

#endif
