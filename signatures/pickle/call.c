/* Calls, and what else runs an object's code: judged at the moment that they happen. */
#include "signatures/pickle/machine.h"

struct value call_node(struct vm *vm, struct value callee, struct value args, struct value extra)
{
    struct value v = value_node(vm, V_CALL, 3);
    uint64_t size = value_size(&vm->heap, args);

    v.flags = VF_CALL;
    if (v.ref == 0)
        return v;
    struct node *n = node_of(&vm->heap, v);
    n->x = PICKLE_DATA;
    n->a = size < UINT64_MAX ? size + 1 : size;
    n->v[0] = callee;
    n->v[1] = args;
    n->v[2] = extra;
    n->used = extra.kind == V_ABSENT ? 2 : 3;
    return v;
}

static void accuse(struct vm *vm, enum pickle_verdict level, struct value call, const char *why)
{
    struct pickle *m = vm->m;

    vm_raise(vm, level, why);
    if (call.kind == V_CALL && call.ref && node_of(&vm->heap, call)->x < level)
        node_of(&vm->heap, call)->x = level;
    count_calls(m, 1);
    for (unsigned i = 0; i < m->result.n_calls; i++)
        if (m->call[i].offset == vm->op_at && m->call[i].depth == m->depth &&
            m->call[i].trailing == m->trailing && m->call[i].level >= level)
            return;
    if (m->result.n_calls == PICKLE_CALLS)
        return;
    char text[PICKLE_CALL_TEXT];
    size_t n = render_call(vm, call, text, sizeof text);
    struct bytes kept = pool_copy(m, bytes_of(text, n), sizeof text);
    m->call[m->result.n_calls++] = (struct pickle_call){
        .text = kept,
        .offset = vm->op_at,
        .opcode = vm->op,
        .depth = (uint8_t)m->depth,
        .trailing = m->trailing,
        .why = why,
        .level = m->trailing && level > PICKLE_SUSPICIOUS ? PICKLE_SUSPICIOUS : level};
}

void vm_accuse(struct vm *vm, enum pickle_verdict level, struct value call, uint64_t flags,
               const char *why)
{
    vm->flags |= flags;
    accuse(vm, level, call, why);
}

/* Callables that do no harm by themselves may be handed others that do. */
static struct value call_global(struct vm *vm, struct value callee, struct value call,
                                unsigned depth)
{
    const struct policy_row *row = global_row(vm, callee);

    if (!row)
        return call;
    bool conditional = row->conditional;
    if (!conditional && row->severity == PICKLE_SEV_CRITICAL)
        accuse(vm, PICKLE_MALICIOUS, call, "a critical callable is called");
    else if (!conditional && row->severity == PICKLE_SEV_HIGH)
        accuse(vm, PICKLE_DANGEROUS, call, "a callable of high severity is called");
    else if (!conditional && row->severity == PICKLE_SEV_MEDIUM && row->special == SPECIAL_NONE)
        accuse(vm, PICKLE_SUSPICIOUS, call, "a callable of medium severity is called");
    return row->special == SPECIAL_NONE ? call : fold_call(vm, row->special, call, depth);
}

static struct value call_lost(struct vm *vm, struct value call)
{
    bool armed = vm->critical_import;

    vm_accuse(vm, armed ? PICKLE_MALICIOUS : PICKLE_SUSPICIOUS, call, PICKLE_FLAG(RESOURCE_LIMIT),
              armed ? "a call that cannot be followed, next to a critical import"
                    : "a call that cannot be followed");
    return call;
}

/* A method, bound or not. */
static struct value call_attr(struct vm *vm, struct value callee, struct value call)
{
    struct node *n = node_of(&vm->heap, callee);
    struct value base = n->v[0];
    struct bytes name = text_of(&vm->heap, n->v[1]);

    if (is_text(base))
        return fold_method(vm, base, name, call);
    if (base.kind == V_GLOBAL) {
        const struct policy_row *row = global_row(vm, base);
        bool grave = row && !row->conditional && row->severity >= PICKLE_SEV_HIGH;
        if (grave)
            accuse(vm, row->severity == PICKLE_SEV_CRITICAL ? PICKLE_MALICIOUS : PICKLE_DANGEROUS,
                   call, "a method of a dangerous object is called");
        else if (is_dunder(name))
            accuse(vm, PICKLE_DANGEROUS, call, "a dunder method is called");
        return call;
    }
    bool plain_data = !is_object(base);
    if (!plain_data)
        vm_accuse(vm, vm->critical_import ? PICKLE_MALICIOUS : PICKLE_DANGEROUS, call,
                  PICKLE_FLAG(CALL_OF_CALL), "a method of a call's result is called");
    return call;
}

static struct value call_result(struct vm *vm, struct value callee, struct value args,
                                struct value call, unsigned depth)
{
    struct value result;

    if (fold_result(vm, callee, args, depth, &result))
        return result;
    vm_accuse(vm, vm->critical_import ? PICKLE_MALICIOUS : PICKLE_DANGEROUS, call,
              PICKLE_FLAG(CALL_OF_CALL), "the result of a call is called");
    return call;
}

static struct value call_made(struct vm *vm, struct value callee, struct value args,
                              struct value call, unsigned depth)
{
    if (depth > FOLD_DEPTH) {
        accuse(vm, PICKLE_DANGEROUS, call, "calls within calls, deeper than is followed");
        return call;
    }
    if (callee.ref == 0 && (callee.kind == V_CALL || callee.kind == V_GLOBAL))
        return call_lost(vm, call);
    switch (callee.kind) {
    case V_GLOBAL: return call_global(vm, callee, call, depth);
    case V_ATTR: return call_attr(vm, callee, call);
    case V_CALL: return call_result(vm, callee, args, call, depth);
    case V_EXT:
        vm_accuse(vm, PICKLE_DANGEROUS, call, PICKLE_FLAG(EXT),
                  "an object of the extension registry is called");
        return call;
    case V_LOST:
        if (!(callee.flags & VF_DATA))
            return call_lost(vm, call);
        break;
    default: break;
    }
    vm->flags |= PICKLE_FLAG(TYPE_ODDITY);
    return call;
}

struct value call_deep(struct vm *vm, struct value callee, struct value args, unsigned depth)
{
    struct value call = call_node(vm, callee, args, NO_VALUE);
    return call_made(vm, callee, args, call, depth);
}

struct value vm_call(struct vm *vm, struct value callee, struct value args, struct value extra)
{
    struct value call = call_node(vm, callee, args, extra);

    vm->calls++;
    return call_made(vm, callee, args, call, 0);
}

static void mutate(struct vm *vm, struct value object, struct value with)
{
    struct value call = call_node(vm, object, with, NO_VALUE);

    vm_accuse(vm, PICKLE_DANGEROUS, call, PICKLE_FLAG(MUTATES_GLOBAL),
              "an imported object is changed");
}

void vm_build(struct vm *vm, struct value object, struct value state)
{
    if (object.kind == V_GLOBAL || object.kind == V_MODULE || object.kind == V_ATTR)
        mutate(vm, object, state);
    else if (object.kind == V_LOST && !(object.flags & VF_DATA) && vm->critical_import)
        vm_raise(vm, PICKLE_DANGEROUS, "an object that cannot be followed is changed");
    else if (!is_object(object) && object.kind != V_LOST)
        vm->flags |= PICKLE_FLAG(TYPE_ODDITY);
}

void vm_mutate(struct vm *vm, struct value receiver)
{
    if (receiver.kind == V_GLOBAL || receiver.kind == V_MODULE || receiver.kind == V_ATTR)
        mutate(vm, receiver, NO_VALUE);
    else if (receiver.kind == V_LOST && vm->critical_import)
        vm_raise(vm, PICKLE_DANGEROUS, "an object that cannot be followed is changed");
}
