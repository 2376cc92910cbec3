/* Values in Python's syntax. */
#include "signatures/pickle/machine.h"
#include "signatures/pickle/mask.h"

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

static void put_literal(struct text_out *o, const struct vm *vm, struct value v, bool secret)
{
    struct bytes text = text_of(&vm->heap, v);
    char more[48];

    if (v.kind == V_BYTEARRAY)
        put_text(o, "bytearray(");
    if (v.kind != V_STR)
        put_text(o, "b");
    put_text(o, "'");
    if (secret)
        put_text(o, "***");
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

static void put_items(struct text_out *o, const struct vm *vm, struct value v, unsigned depth)
{
    uint64_t n = value_count(&vm->heap, v);
    bool pairs = v.kind == V_DICT, secret = false;
    struct value first = n > 0 ? value_at(&vm->heap, v, 0) : v;
    struct bytes program = is_text(first) ? text_of(&vm->heap, first) : bytes_of("", 0);

    for (unsigned i = 0; i < n && i < RENDER_ITEMS && !o->full; i++) {
        struct value item = value_at(&vm->heap, v, i);
        if (i > 0)
            put_text(o, pairs && i % 2 ? ": " : ", ");
        if (secret && is_text(item))
            put_literal(o, vm, item, true);
        else
            put_value(o, vm, item, depth + 1);
        secret = is_text(item) && (pairs ? i % 2 == 0 && names_secret(text_of(&vm->heap, item))
                                         : option_of_secret(program, text_of(&vm->heap, item)));
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
    put_items(o, vm, v, depth);
    if (v.kind == V_TUPLE && value_count(&vm->heap, v) == 1)
        put_text(o, ",");
    put_text(o, shut[k]);
}

static void put_call(struct text_out *o, const struct vm *vm, struct value v, unsigned depth)
{
    struct node *n = node_of(&vm->heap, v);

    put_value(o, vm, n->v[0], depth + 1);
    put_text(o, "(");
    if (n->used > 1 && n->v[1].kind == V_TUPLE)
        put_items(o, vm, n->v[1], depth + 1);
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
    case V_FLOAT: put_number(o, vm, v); break;
    case V_STR:
    case V_BYTES:
    case V_BYTEARRAY: put_literal(o, vm, v, false); break;
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
