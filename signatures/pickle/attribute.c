/* Attributes of what was imported, and modules as objects. */
#include "signatures/pickle/machine.h"

#include <stdio.h>

struct value vm_module(struct vm *vm, struct bytes name)
{
    struct value text = value_text(vm, V_STR, name, name.len), v = value_node(vm, V_MODULE, 1);

    if (v.ref == 0)
        return LOST_VALUE;
    struct node *n = node_of(&vm->heap, v);
    n->used = 1;
    n->v[0] = text;
    v.flags = VF_GLOBAL;
    return v;
}

static struct value attr_node(struct vm *vm, struct value base, struct bytes name)
{
    struct value text = value_text(vm, V_STR, name, name.len), v = value_node(vm, V_ATTR, 2);

    if (v.ref == 0)
        return LOST_VALUE;
    struct node *n = node_of(&vm->heap, v);
    n->used = 2;
    n->v[0] = base;
    n->v[1] = text;
    v.flags = base.flags & (VF_CALL | VF_GLOBAL);
    return v;
}

/* An attribute of an imported object: through the tables where they know it. */
static struct value attr_of_global(struct vm *vm, struct value base, struct bytes name)
{
    struct node *n = node_of(&vm->heap, base);
    struct bytes module = text_of(&vm->heap, n->v[0]), own = text_of(&vm->heap, n->v[1]);
    uint8_t dotted[TEXT_KEPT];
    int len = snprintf((char *)dotted, sizeof dotted, "%.*s.%.*s", (int)own.len,
                       (const char *)own.at, (int)name.len, (const char *)name.at);

    if (len > 0 && (size_t)len < sizeof dotted &&
        policy_exact(module, bytes_of(dotted, (size_t)len)))
        return vm_import_text(vm, module, bytes_of(dotted, (size_t)len));
    struct bytes last = no_underscore(last_part(own));
    const struct policy_row *row = policy_find(last, name);
    if (row && row->severity >= PICKLE_SEV_HIGH && !row->conditional) {
        vm->flags |= PICKLE_FLAG(DOTTED_TRAVERSAL);
        return vm_import_text(vm, last, name);
    }
    row = global_row(vm, base);
    if (row && row->severity >= PICKLE_SEV_HIGH && !row->conditional)
        vm_raise(vm, PICKLE_DANGEROUS, "an attribute of a dangerous object");
    return attr_node(vm, base, name);
}

static struct value attr_once(struct vm *vm, struct value base, struct bytes name)
{
    if (is_dunder(name)) {
        vm->flags |= PICKLE_FLAG(DUNDER_IMPORT);
        vm_raise(vm, PICKLE_DANGEROUS, "a dunder attribute is taken");
    }
    if (base.kind == V_MODULE && base.ref) {
        vm_raise(vm, PICKLE_DANGEROUS, "an attribute of a module is taken");
        return vm_import_text(vm, text_of(&vm->heap, node_of(&vm->heap, base)->v[0]), name);
    }
    if (base.kind == V_GLOBAL && base.ref)
        return attr_of_global(vm, base, name);
    if (base.kind == V_LOST && !(base.flags & VF_DATA))
        vm_raise(vm, PICKLE_SUSPICIOUS, "an attribute of what cannot be followed");
    return attr_node(vm, base, name);
}

struct value vm_attr(struct vm *vm, struct value base, struct value name)
{
    uint8_t own[TEXT_KEPT];
    struct bytes text = text_of(&vm->heap, name), part;

    if (!is_name(vm, name) || text.len > sizeof own || (name.flags & VF_BUILT)) {
        vm->flags |= PICKLE_FLAG(COMPUTED_IMPORT);
        vm_raise(vm, PICKLE_DANGEROUS, "the name of an attribute is computed");
        if (!is_name(vm, name) || text.len > sizeof own)
            return LOST_VALUE;
    }
    memcpy(own, text.at, text.len);
    for (struct bytes rest = bytes_of(own, text.len); next_part(&rest, &part);)
        base = attr_once(vm, base, part);
    return base;
}
