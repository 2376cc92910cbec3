/* Values in Python's syntax. */
#include "signatures/pickle/machine.h"
#include "signatures/pickle/mask.h"
#include "signatures/pickle/secret.h"

#include <stdio.h>

#define RENDER_DEPTH 6u /* of the values in a call; beyond it stands "..." */
#define RENDER_ITEMS 8u
#define RENDER_TEXT  200u

static void put_value(struct text_out *o, const struct vm *vm, struct value v, unsigned depth);

static void put_number(struct text_out *o, const struct vm *vm, struct value v)
{
    char text[48];
    float f;

    if (v.kind == V_INT) {
        snprintf(text, sizeof text, "%d", (int)(int32_t)v.ref);
    } else if (v.kind == V_FLOAT) {
        memcpy(&f, &v.ref, sizeof f);
        snprintf(text, sizeof text, "%.9g", (double)f);
    } else {
        snprintf(text, sizeof text, "<int of %llu bytes>",
                 (unsigned long long)text_len(&vm->heap, v));
    }
    put_text(o, text);
}

/* The items of a list as one text: a command, it may be. */
struct joined {
    uint8_t text[RENDER_ITEMS * (RENDER_TEXT + MASK_AHEAD + 1)];
    size_t used;
    size_t begin[RENDER_ITEMS], end[RENDER_ITEMS];
};

static void join_items(struct joined *j, const struct vm *vm, struct value v)
{
    uint64_t n = value_count(&vm->heap, v);

    j->used = 0;
    for (unsigned i = 0; i < n && i < RENDER_ITEMS; i++) {
        struct bytes text =
            bytes_head(text_of(&vm->heap, value_at(&vm->heap, v, i)), RENDER_TEXT + MASK_AHEAD);
        j->begin[i] = j->used;
        if (text.len > 0)
            memcpy(j->text + j->used, text.at, text.len);
        j->end[i] = j->used += text.len;
        j->text[j->used++] = SECRET_ITEM;
    }
}

/* `j`, `at`: the list that it is item `at` of; j NULL: of none. */
static void put_literal(struct text_out *o, const struct vm *vm, struct value v,
                        const struct joined *j, unsigned at)
{
    struct bytes text = text_of(&vm->heap, v);
    char more[48];

    if (v.kind == V_BYTEARRAY)
        put_text(o, "bytearray(");
    if (v.kind != V_STR)
        put_text(o, "b");
    put_text(o, "'");
    if (o->hide)
        put_text(o, "***");
    else if (j)
        put_masked_part(o, bytes_of(j->text, j->used), j->begin[at], j->end[at], RENDER_TEXT);
    else
        put_masked(o, text, RENDER_TEXT);
    if (!text_whole(&vm->heap, v))
        put_text(o, "...");
    put_text(o, "'");
    if (v.kind == V_BYTEARRAY)
        put_text(o, ")");
    if (text_len(&vm->heap, v) > RENDER_TEXT) {
        snprintf(more, sizeof more, "<%llu B>", (unsigned long long)text_len(&vm->heap, v));
        put_text(o, more);
    }
}

/* From the `first_secret` on, the texts among the items are hidden. */
static void put_items(struct text_out *o, const struct vm *vm, struct value v, size_t first_secret,
                      unsigned depth)
{
    uint64_t n = value_count(&vm->heap, v);
    bool pairs = v.kind == V_DICT, hide = o->hide;
    struct joined j;

    join_items(&j, vm, v);
    for (unsigned i = 0; i < n && i < RENDER_ITEMS && !o->full; i++) {
        struct value item = value_at(&vm->heap, v, i);
        if (i > 0)
            put_text(o, pairs && i % 2 ? ": " : ", ");
        o->hide = hide || (i >= first_secret && !is_object(item));
        if (is_text(item) && depth < RENDER_DEPTH)
            put_literal(o, vm, item, pairs ? NULL : &j, i);
        else
            put_value(o, vm, item, depth + 1);
        o->hide = hide;
        if (pairs) /* the value of such a key, and what is in it */
            first_secret = i % 2 == 0 && secret_name(text_of(&vm->heap, item)) ? i + 1 : SIZE_MAX;
    }
    if (n > RENDER_ITEMS || v.ref == 0)
        put_text(o, n > RENDER_ITEMS ? ", ..." : "...");
}

static void put_container(struct text_out *o, const struct vm *vm, struct value v, unsigned depth)
{
    static const char *const open[] = {"(", "[", "{", "{", "frozenset({"};
    static const char *const shut[] = {")", "]", "}", "}", "})"};
    unsigned k = v.kind - (unsigned)V_TUPLE;

    put_text(o, open[k]);
    put_items(o, vm, v, SIZE_MAX, depth);
    if (v.kind == V_TUPLE && value_count(&vm->heap, v) == 1)
        put_text(o, ",");
    put_text(o, shut[k]);
}

/* The first argument of a call that is a secret, by what is called: login, partial(login, ...),
 * methodcaller("login", ...). */
static size_t secret_from(const struct vm *vm, struct value callee, struct value args)
{
    struct value first = value_count(&vm->heap, args) > 0 ? value_at(&vm->heap, args, 0) : NO_VALUE;
    struct bytes name = bytes_of("", 0);
    size_t from;

    if ((callee.kind == V_GLOBAL || callee.kind == V_ATTR) && callee.ref)
        name = text_of(&vm->heap, node_of(&vm->heap, callee)->v[1]);
    from = secret_argument(name);
    if (from != SIZE_MAX)
        return from;
    if (is_text(first))
        name = text_of(&vm->heap, first);
    else if ((first.kind == V_GLOBAL || first.kind == V_ATTR) && first.ref)
        name = text_of(&vm->heap, node_of(&vm->heap, first)->v[1]);
    from = is_text(first) || first.kind >= V_GLOBAL ? secret_argument(name) : SIZE_MAX;
    return from == SIZE_MAX ? SIZE_MAX : from + 1;
}

static void put_call(struct text_out *o, const struct vm *vm, struct value v, unsigned depth)
{
    struct node *n = node_of(&vm->heap, v);

    put_value(o, vm, n->v[0], depth + 1);
    put_text(o, "(");
    if (n->used > 1 && n->v[1].kind == V_TUPLE)
        put_items(o, vm, n->v[1], secret_from(vm, n->v[0], n->v[1]), depth + 1);
    else if (n->used > 1) {
        put_text(o, "*");
        put_value(o, vm, n->v[1], depth + 1);
    } else {
        put_text(o, "...");
    }
    if (n->used > 2) {
        put_text(o, ", **");
        put_value(o, vm, n->v[2], depth + 1);
    }
    put_text(o, ")");
}

static void put_object(struct text_out *o, const struct vm *vm, struct value v, unsigned depth)
{
    struct node *n = node_of(&vm->heap, v);

    if (v.kind == V_CALL) {
        put_call(o, vm, v, depth);
    } else if (v.kind == V_MODULE) {
        put_escaped(o, text_of(&vm->heap, n->v[0]), 100);
    } else if (v.kind == V_ATTR) {
        put_value(o, vm, n->v[0], depth + 1);
        put_text(o, ".");
        put_escaped(o, text_of(&vm->heap, n->v[1]), 100);
    } else {
        put_escaped(o, text_of(&vm->heap, n->v[0]), 100);
        put_text(o, ".");
        put_escaped(o, text_of(&vm->heap, n->v[1]), 100);
    }
}

static void put_ext(struct text_out *o, struct value v)
{
    char text[32];
    snprintf(text, sizeof text, "<extension %u>", v.ref);
    put_text(o, text);
}

/* As deep as RENDER_DEPTH: the recursion is bounded. */
static void put_value(struct text_out *o, const struct vm *vm, struct value v, unsigned depth)
{
    if (o->full)
        return;
    if (depth > RENDER_DEPTH || (v.kind >= V_GLOBAL && v.ref == 0)) {
        put_text(o, "...");
        return;
    }
    switch ((enum kind)v.kind) {
    case V_NONE: put_text(o, "None"); break;
    case V_TRUE: put_text(o, "True"); break;
    case V_FALSE: put_text(o, "False"); break;
    case V_INT:
    case V_LONG:
    case V_FLOAT:
        if (o->hide)
            put_text(o, "***");
        else
            put_number(o, vm, v);
        break;
    case V_STR:
    case V_BYTES:
    case V_BYTEARRAY: put_literal(o, vm, v, NULL, 0); break;
    case V_TUPLE:
    case V_LIST:
    case V_DICT:
    case V_SET:
    case V_FROZENSET: put_container(o, vm, v, depth); break;
    case V_GLOBAL:
    case V_MODULE:
    case V_ATTR:
    case V_CALL: put_object(o, vm, v, depth); break;
    case V_EXT: put_ext(o, v); break;
    case V_PERSID: put_text(o, "<persistent id>"); break;
    default: put_text(o, "<unknown>"); break;
    }
}

size_t render_call(const struct vm *vm, struct value call, char *out, size_t room)
{
    struct text_out o = {.at = out, .room = room - 3};

    put_value(&o, vm, call, 0);
    if (o.full) {
        memcpy(out + o.used, "...", 3);
        o.used += 3;
    }
    return o.used;
}
