/* dissectors/headers.h - the headers and properties of an envelope, in terms of
 * no protocol: an AMQP field table and the JSON objects of kombu's Redis
 * envelope become the same tree, so that an interpreter reads one thing.
 *
 * The tree is made once a message, in the message's arena, and is const to
 * everybody but its maker. Names and texts are views into the message or the
 * arena. Order is that of the wire; a name that comes twice is there twice. */
#ifndef DISSECTORS_HEADERS_H
#define DISSECTORS_HEADERS_H

#include "base/arena.h"
#include "base/bytes.h"

enum header_kind {
    HEADER_NULL,
    HEADER_BOOL,  /* num: 0, 1 */
    HEADER_INT,   /* num; saturated */
    HEADER_FLOAT, /* real; AMQP decimals too */
    HEADER_TEXT,  /* text: UTF-8 by promise only, escapes undone */
    HEADER_BYTES, /* text */
    HEADER_TIME,  /* num: ns since the epoch; saturated */
    HEADER_LIST,  /* child: the first member; members have no name */
    HEADER_MAP,   /* child: the first member */
};

struct header {
    const struct header *next; /* in the same list or mapping */
    struct bytes name;
    enum header_kind kind;
    bool cut; /* text is the head of a longer one; or members are missing */
    union {
        struct bytes text;
        int64_t num;
        double real;
        const struct header *child;
    };
};

struct headers {
    const struct header *first;
    bool cut;    /* there were more, which could not be read or kept */
    bool copies; /* a list with the name CC or BCC is among them: RabbitMQ's further routing keys */
    bool disputed; /* clients differ in how they read it: AMQP's tag 's', a short integer to
                      RabbitMQ, a short text to some (py-amqp up to 5.3.1: amqp:serialization.py) */
    const struct headers *other; /* the same as those read it; NULL: undisputed, or they cannot */
};

/* Routing keys beside the method's, of a member of the top: a list by one of two names
 * (rabbitmq/rabbitmq-server:deps/rabbit/src/rabbit_basic.erl:header_routes). */
static inline bool header_has_copies(const struct header *h)
{
    return h->kind == HEADER_LIST && (bytes_eq(h->name, "CC") || bytes_eq(h->name, "BCC"));
}

/* Where a maker adds members: of the top, or of one list or mapping. */
struct header_tail {
    const struct header **first; /* &headers.first, or &header.child */
    struct header *last;
};

static inline struct header_tail header_tail_of(const struct header **first)
{
    *first = NULL;
    return (struct header_tail){.first = first, .last = NULL};
}

/* A new member behind the others, HEADER_NULL as yet; NULL: the arena is full. */
static inline struct header *header_add(struct header_tail *t, struct bytes name,
                                        struct arena *arena)
{
    struct header *h = (struct header *)arena_raw(arena, sizeof *h);

    if (!h)
        return NULL;
    h->next = NULL;
    h->name = name;
    h->kind = HEADER_NULL;
    h->cut = false;
    h->text = (struct bytes){0};
    if (t->last)
        t->last->next = h;
    else
        *t->first = h;
    t->last = h;
    return h;
}

/* The member of that name in a chain of members (headers->first, or h->child of a
 * mapping); of several the last, as a Python dict ends up with. NULL: none. */
static inline const struct header *header_find(const struct header *first, const char *name)
{
    const struct header *found = NULL;
    size_t n = strlen(name);

    for (const struct header *h = first; h; h = h->next)
        if (h->name.len == n && memcmp(h->name.at, name, n) == 0)
            found = h;
    return found;
}

static inline const struct header *headers_find(const struct headers *in, const char *name)
{
    return in ? header_find(in->first, name) : NULL;
}

/* The text of a TEXT or BYTES member, else an empty range with at == NULL. */
static inline struct bytes header_text(const struct header *h)
{
    bool has = h && (h->kind == HEADER_TEXT || h->kind == HEADER_BYTES);

    return has ? h->text : (struct bytes){0};
}

/* The number of an INT, BOOL or TIME member. */
static inline int64_t header_num(const struct header *h, int64_t otherwise)
{
    bool has = h && (h->kind == HEADER_INT || h->kind == HEADER_BOOL || h->kind == HEADER_TIME);

    return has ? h->num : otherwise;
}

/* What a mapping or list holds; NULL for anything else, and for an empty one. */
static inline const struct header *header_child(const struct header *h)
{
    return h && (h->kind == HEADER_LIST || h->kind == HEADER_MAP) ? h->child : NULL;
}

#endif
