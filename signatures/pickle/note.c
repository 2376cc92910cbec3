/* Evidence: imports, calls and plain values, copied out of the heap before it moves on. */
#include "signatures/pickle/machine.h"

#include <stdio.h>

struct bytes pool_copy(struct pickle *m, struct bytes b, size_t max)
{
    b = bytes_head(b, max);
    if (b.len == 0 || b.len > POOL_MAX - m->pool_used)
        return bytes_of("", 0);
    uint8_t *to = m->pool + m->pool_used;
    memcpy(to, b.at, b.len);
    m->pool_used += (uint32_t)b.len;
    return bytes_of(to, b.len);
}

static bool equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static bool noted(const struct pickle *m, const struct pickle_import *in)
{
    for (unsigned i = m->kept_imports; i < m->result.n_imports; i++) {
        const struct pickle_import *old = &m->imports[i];
        if (old->depth == m->depth && old->trailing == m->trailing &&
            equal(old->module, in->module) && equal(old->name, in->name) &&
            equal(old->orig_module, in->orig_module) && equal(old->orig_name, in->orig_name))
            return true;
    }
    return false;
}

void note_import(struct vm *vm, const struct pickle_import *in)
{
    struct pickle *m = vm->m;

    count_imports(m, 1);
    if (m->result.n_imports == PICKLE_IMPORTS || noted(m, in))
        return;
    bool alias = in->module.at != in->orig_module.at || in->name.at != in->orig_name.at;
    struct pickle_import *to = &m->imports[m->result.n_imports++];
    to->module = pool_copy(m, in->module, 255);
    to->name = pool_copy(m, in->name, 255);
    to->orig_module = alias ? pool_copy(m, in->orig_module, 255) : to->module;
    to->orig_name = alias ? pool_copy(m, in->orig_name, 255) : to->name;
    to->offset = vm->op_at;
    to->opcode = vm->op;
    to->depth = (uint8_t)m->depth;
    to->trailing = m->trailing;
    to->conditional = in->conditional;
    to->kind = in->kind;
    to->severity = in->severity;
    to->source = in->source;
}

static bool row_noted(const struct pickle *m, const struct policy_row *row)
{
    for (unsigned i = m->kept_imports; i < m->result.n_imports; i++) {
        const struct pickle_import *old = &m->imports[i];
        bool same = old->module.len == row->module_len && old->name.len == row->name_len &&
                    old->orig_module.at == old->module.at && old->orig_name.at == old->name.at;

        if (same && old->depth == m->depth && old->trailing == m->trailing &&
            memcmp(old->module.at, row->module, row->module_len) == 0 &&
            memcmp(old->name.at, row->name, row->name_len) == 0)
            return true;
    }
    return false;
}

void note_row(struct vm *vm, const struct policy_row *row)
{
    struct pickle *m = vm->m;

    count_imports(m, 1);
    if (m->result.n_imports == PICKLE_IMPORTS || row_noted(m, row))
        return;
    struct pickle_import *to = &m->imports[m->result.n_imports++];
    /* One by one: a pair that was just written in halves is slow to be read as a whole. */
    to->module.at = to->orig_module.at = (const uint8_t *)row->module;
    to->name.at = to->orig_name.at = (const uint8_t *)row->name;
    to->module.len = to->orig_module.len = row->module_len;
    to->name.len = to->orig_name.len = row->name_len;
    to->offset = vm->op_at;
    to->opcode = vm->op;
    to->depth = (uint8_t)m->depth;
    to->trailing = m->trailing;
    to->conditional = row->conditional;
    to->kind = row->kind;
    to->severity = row->severity;
    to->source = row->source;
}

/* A plain scalar as text. */
static bool scalar(struct vm *vm, struct value v, struct bytes *out)
{
    char text[32];
    int n = 0;

    switch (v.kind) {
    case V_STR:
    case V_BYTES: *out = pool_copy(vm->m, text_of(&vm->heap, v), TEXT_KEPT); return true;
    case V_NONE: *out = bytes_of("None", 4); return true;
    case V_TRUE: *out = bytes_of("True", 4); return true;
    case V_FALSE: *out = bytes_of("False", 5); return true;
    case V_INT: n = snprintf(text, sizeof text, "%d", (int)(int32_t)v.ref); break;
    case V_LONG: {
        struct bytes raw = text_of(&vm->heap, v);
        uint64_t bits = raw.len && raw.at[raw.len - 1] & 0x80 ? UINT64_MAX : 0;
        if (raw.len == 0 || raw.len > 8)
            return false;
        for (size_t i = raw.len; i-- > 0;)
            bits = bits << 8 | raw.at[i];
        n = snprintf(text, sizeof text, "%lld", (long long)bits);
        break;
    }
    case V_FLOAT: {
        float f;
        memcpy(&f, &v.ref, sizeof f);
        n = snprintf(text, sizeof text, "%.9g", (double)f);
        break;
    }
    default: return false;
    }
    *out = pool_copy(vm->m, bytes_of(text, (size_t)n), sizeof text);
    return true;
}

/* Of the object that the first stream gives: the pairs of a mapping, the first text of a sequence.
 */
void take_top(struct vm *vm, struct value v)
{
    struct pickle *m = vm->m;
    struct pickle_result *r = &m->result;
    uint64_t n = value_count(&vm->heap, v);

    if (m->trailing || vm->reader == READER_FILE || m->depth > 0)
        return;
    if ((v.kind == V_TUPLE || v.kind == V_LIST) && n > 0) {
        struct value first = value_at(&vm->heap, v, 0);
        if (first.kind == V_STR)
            scalar(vm, first, &r->first);
    }
    for (unsigned i = 0; v.kind == V_DICT && i + 1 < n && r->n_top < PICKLE_TOP; i += 2) {
        struct value key = value_at(&vm->heap, v, i), value = value_at(&vm->heap, v, i + 1);
        struct top_pair pair;
        if (key.kind == V_STR && scalar(vm, value, &pair.value) && scalar(vm, key, &pair.key))
            m->top[r->n_top++] = pair;
    }
}
