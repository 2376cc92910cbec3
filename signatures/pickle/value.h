/* pickle/value.h - the values of the abstract machine, and the heap that they live in.
 *
 * A value is 8 bytes and copied freely. Scalars live in it; text, containers, globals and calls
 * are nodes of the heap, shared like Python's objects: what is appended through one reference is
 * seen through all. The heap has a hard bound. When it is full the live nodes are moved together,
 * and under lasting pressure what no verdict can rest on is given up: the value keeps its kind,
 * its flags and the rough size of what it held, and loses its node (ref 0). */
#ifndef PICKLE_VALUE_H
#define PICKLE_VALUE_H

#include "base/bytes.h"

enum kind {
    V_ABSENT, /* no value: an empty slot of the memo */
    V_MARK,   /* on the stack only; ref: 1 + index of the mark below it, 0: none */
    V_RUN,    /* on the stack only: ref values of plain data that were given up */
    V_LOST,   /* a value that was given up, of any kind unless VF_DATA says otherwise */
    V_NONE,
    V_TRUE,
    V_FALSE,
    V_INT,   /* ref: the int32_t */
    V_LONG,  /* text node: two's complement, little-endian */
    V_FLOAT, /* ref: the bits of a float, for display only */
    V_STR,
    V_BYTES,
    V_BYTEARRAY,
    V_TUPLE,
    V_LIST,
    V_DICT, /* keys and values in turn */
    V_SET,
    V_FROZENSET,
    V_EXT, /* ref: the code */
    V_PERSID,
    V_BUFFER,
    V_GLOBAL, /* module, name, original module, original name; x: 1 + index of the import */
    V_MODULE, /* name */
    V_ATTR,   /* base, name */
    V_CALL,   /* callee, argument tuple, keywords or state; x: the verdict so far */
    V_SPILL,  /* in the heap only: more elements of a container */
    V_MOVED,  /* in the heap only: x is the new place */
};

#define VF_CALL   1u  /* is, or holds, the result of a call */
#define VF_GLOBAL 2u  /* is, or holds, an imported object */
#define VF_DATA   4u  /* of a lost value: nothing but plain data */
#define VF_PINNED 8u  /* of text: named something once */
#define VF_BUILT  16u /* of text or bytes: made by a call inside the stream */
#define VF_CUT    32u /* of text: only its head is kept */

struct value {
    uint8_t kind, flags;
    uint8_t log_size, log_depth; /* binary logarithms; of containers without a node */
    uint32_t ref;
};

/* A value as one word. What is written in parts is slow to be read as a whole right behind, and
 * most of what is pushed goes into the memo at once. */
static inline uint64_t value_word(struct value v)
{
    uint64_t word;

    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
        return (uint64_t)v.ref << 32 | (uint32_t)v.log_depth << 24 | (uint32_t)v.log_size << 16 |
               (uint32_t)v.flags << 8 | v.kind;
    memcpy(&word, &v, sizeof word);
    return word;
}

struct node {
    uint8_t kind, flags;
    uint8_t cap, used; /* of v */
    uint32_t x;        /* containers: depth; text: bytes kept */
    uint64_t a;        /* containers: values within, however often shared; text: length */
    uint64_t b;        /* containers: elements; text: its bytes begin here */
    struct value v[];
};

#define NODE_WORDS   3u /* before v */
#define LIST_CAP     8u
#define SPILL_CAP    120u
#define TUPLE_CAP    64u
#define TEXT_KEPT    512u
#define LITERAL_KEPT (64u << 10)

struct heap {
    uint64_t *w;
    uint32_t used, cap, max; /* words; word 0 is never handed out */
    uint32_t limit;          /* above it the next opcode begins with a collection */
    bool starved;            /* memory ran out */
};

struct vm;

static inline struct node *node_of(const struct heap *h, struct value v)
{
    return (struct node *)(void *)(h->w + v.ref);
}

static inline bool is_text(struct value v)
{
    return v.kind == V_STR || v.kind == V_BYTES || v.kind == V_BYTEARRAY;
}

static inline bool is_container(struct value v)
{
    return v.kind >= V_TUPLE && v.kind <= V_FROZENSET;
}

/* Stands for an object that a call could use: not plain data. */
static inline bool is_object(struct value v)
{
    return v.kind >= V_EXT || (v.kind == V_LOST && !(v.flags & VF_DATA));
}

#define NO_VALUE   ((struct value){0})
#define LOST_VALUE ((struct value){.kind = V_LOST})
#define LOST_DATA  ((struct value){.kind = V_LOST, .flags = VF_DATA})

static inline struct value plain(enum kind k)
{
    return (struct value){.kind = (uint8_t)k};
}

/* What is kept of a text; empty when the node was given up. */
static inline struct bytes text_of(const struct heap *h, struct value v)
{
    if (v.ref == 0 || !(is_text(v) || v.kind == V_LONG))
        return bytes_of("", 0);
    struct node *n = node_of(h, v);
    return bytes_of(&n->b, n->x);
}

/* Its whole length. */
static inline uint64_t text_len(const struct heap *h, struct value v)
{
    return v.ref ? node_of(h, v)->a : 0;
}

/* A whole text that can be trusted to be what Python sees. */
static inline bool text_whole(const struct heap *h, struct value v)
{
    return v.ref != 0 && node_of(h, v)->x == node_of(h, v)->a;
}

/* Room for a node of n words, not cleared; 0: there is none. Invalidates every pointer into the
 * heap. The collector never runs here, only between two opcodes, so that values may be held in
 * variables. */
uint32_t heap_get(struct heap *h, uint32_t words);

/* Text of which `kept` bytes are given out of `len`. */
struct value value_text(struct vm *vm, enum kind k, struct bytes kept, uint64_t len);

/* A container or an object node with room for cap values; node NULL (ref 0): no room. */
struct value value_node(struct vm *vm, enum kind k, unsigned cap);

/* Adds one element to a container node (a list, dict or set; a tuple up to its cap), and its size,
 * depth and flags. */
void value_add(struct vm *vm, struct value into, struct value v);

/* The same for elements that stand in a row, none of them in the heap. */
void value_add_all(struct vm *vm, struct value into, const struct value *v, uint32_t count);

/* Element i of a container, wherever it is kept; a lost value if it is not. */
struct value value_at(const struct heap *h, struct value container, unsigned i);

uint64_t value_count(const struct heap *h, struct value v); /* elements of a container */
uint64_t value_size(const struct heap *h, struct value v);  /* saturated */
uint64_t value_depth(const struct heap *h, struct value v);
uint8_t value_flags(const struct heap *h, struct value v); /* with what was added since */

/* Moves the live nodes together; see collect.c. */
void heap_collect(struct vm *vm);
/* The value without its node. */
struct value value_shed(const struct heap *h, struct value v);

#endif
