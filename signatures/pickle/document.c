/* The outermost object of a pickle as a JSON document without its bulk, for those who look for the
 * tasks that a message of Celery brings along: canvas signatures are calls of celery.canvas around
 * a mapping (celery:canvas.py:Signature.__reduce__). What is no plain data is null. */
#include "signatures/pickle/machine.h"

#include <stdio.h>

#define DEPTH    20u /* of the containers in it */
#define ITEMS    128u
#define TEXT_MAX 256u
#define ROOM     (24u << 10)

struct json {
    const struct vm *vm;
    char *at;
    size_t used;
    bool full;
};

static void put(struct json *j, const void *text, size_t n)
{
    j->full |= n > ROOM - j->used;
    if (j->full)
        return;
    memcpy(j->at + j->used, text, n);
    j->used += n;
}

static void put_str(struct json *j, const char *text)
{
    put(j, text, strlen(text));
}

/* Without the part of a character that a cut left over. */
static struct bytes whole_characters(struct bytes b)
{
    size_t tail = 0;

    while (tail < b.len && tail < 3 && (b.at[b.len - 1 - tail] & 0xc0) == 0x80)
        tail++;
    if (tail < b.len && b.at[b.len - 1 - tail] >= 0xc0)
        b.len -= tail + 1;
    return b;
}

static void put_string(struct json *j, struct bytes text)
{
    if (text.len > TEXT_MAX)
        text = whole_characters(bytes_head(text, TEXT_MAX));
    put_str(j, "\"");
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        char six[8];

        if (c >= 0x20 && c != '"' && c != '\\') {
            put(j, &c, 1);
            continue;
        }
        snprintf(six, sizeof six, "\\u%04x", (unsigned)c);
        put(j, six, 6);
    }
    put_str(j, "\"");
}

static void put_value(struct json *j, struct value v, unsigned depth);

static void put_pairs(struct json *j, struct value v, unsigned depth)
{
    const struct heap *h = &j->vm->heap;
    uint64_t n = value_count(h, v);
    bool any = false;

    put_str(j, "{");
    for (unsigned i = 0; i + 1 < n && i < ITEMS && !j->full; i += 2) {
        struct value key = value_at(h, v, i);
        if (key.kind != V_STR)
            continue;
        put_str(j, any ? "," : "");
        put_string(j, text_of(h, key));
        put_str(j, ":");
        put_value(j, value_at(h, v, i + 1), depth + 1);
        any = true;
    }
    put_str(j, "}");
}

static void put_items(struct json *j, struct value v, unsigned depth)
{
    const struct heap *h = &j->vm->heap;
    uint64_t n = value_count(h, v);

    put_str(j, "[");
    for (unsigned i = 0; i < n && i < ITEMS && !j->full; i++) {
        put_str(j, i > 0 ? "," : "");
        put_value(j, value_at(h, v, i), depth + 1);
    }
    put_str(j, "]");
}

/* celery.canvas.signature(mapping), and the classes around it. */
static struct value signature_of(const struct vm *vm, struct value call)
{
    static const char canvas[] = "celery.canvas";
    const struct heap *h = &vm->heap;
    struct node *n = node_of(h, call);
    struct value callee = n->used > 1 ? n->v[0] : NO_VALUE;

    if (callee.kind != V_GLOBAL || callee.ref == 0 || n->v[1].kind != V_TUPLE ||
        !bytes_eq(text_of(h, node_of(h, callee)->v[0]), canvas) || value_count(h, n->v[1]) == 0)
        return NO_VALUE;
    return value_at(h, n->v[1], 0);
}

/* As deep as DEPTH: the recursion is bounded. */
static void put_value(struct json *j, struct value v, unsigned depth)
{
    char text[16];

    if (v.kind == V_CALL && v.ref)
        v = signature_of(j->vm, v);
    if (depth > DEPTH)
        v = NO_VALUE;
    switch ((enum kind)v.kind) {
    case V_TRUE: put_str(j, "true"); break;
    case V_FALSE: put_str(j, "false"); break;
    case V_INT:
        snprintf(text, sizeof text, "%d", (int)(int32_t)v.ref);
        put_str(j, text);
        break;
    case V_STR: put_string(j, text_of(&j->vm->heap, v)); break;
    case V_DICT: put_pairs(j, v, depth); break;
    case V_TUPLE:
    case V_LIST: put_items(j, v, depth); break;
    default: put_str(j, "null"); break;
    }
}

void take_document(struct vm *vm, struct value v)
{
    struct pickle *m = vm->m;
    struct json j = {.vm = vm, .at = (char *)m->pool + m->pool_used};

    if (!m->names_task || m->trailing || vm->reader == READER_FILE || m->depth > 0 ||
        POOL_MAX - m->pool_used < ROOM)
        return;
    put_value(&j, v, 0);
    m->pool_used += (uint32_t)j.used;
    m->result.document = bytes_of(j.at, j.used);
}
