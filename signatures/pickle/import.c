/* Imports, judged at the moment that they happen. */
#include "signatures/pickle/machine.h"

const struct policy_row *global_row(const struct vm *vm, struct value global)
{
    return global.ref ? (const struct policy_row *)(uintptr_t)node_of(&vm->heap, global)->a : NULL;
}

static bool allowed(const struct pickle *m, struct bytes module)
{
    for (size_t i = 0; i < m->options.n_allow; i++) {
        struct bytes p = m->borrowed ? m->borrowed[i] : m->allow[i];
        if (module.len >= p.len && memcmp(module.at, p.at, p.len) == 0 &&
            (module.len == p.len || module.at[p.len] == '.'))
            return true;
    }
    return false;
}

/* That a class is harmless says nothing of what hangs on it: what is reached through it is judged
 * as the rest of its module, unless it has a row of its own (DataFrame.to_csv). Methods of built-in
 * types are no worse than the types. */
static const struct policy_row *through_class(struct bytes module, const struct policy_row *row)
{
    const struct policy_row *rest = policy_find(module, bytes_of("*", 1));

    if (bytes_eq(module, "builtins") || bytes_eq(module, "__builtin__"))
        return row;
    return rest && rest->severity >= PICKLE_SEV_HIGH ? rest : row;
}

/* Walks a.b.c: what a part of it reaches may be worse than the module it starts from. */
static const struct policy_row *traverse(struct vm *vm, struct bytes module, struct bytes name,
                                         const struct policy_row *row)
{
    bool exact = row && row->name_len == name.len;

    for (struct bytes rest = name, part; next_part(&rest, &part);) {
        if (is_dunder(part) && !(exact && row->kind == PICKLE_CLASS_BENIGN)) {
            vm->flags |= PICKLE_FLAG(DUNDER_IMPORT);
            vm_raise(vm, PICKLE_DANGEROUS, "a dunder name is imported");
        }
        if (names_module(part)) {
            vm->flags |= PICKLE_FLAG(DOTTED_TRAVERSAL);
            vm_raise(vm, PICKLE_DANGEROUS, "a module is reached through another");
        }
        const struct policy_row *tail = rest.len ? policy_find(no_underscore(part), rest) : NULL;
        if (tail && !exact && tail->severity >= PICKLE_SEV_HIGH && !tail->conditional) {
            vm->flags |= PICKLE_FLAG(DOTTED_TRAVERSAL);
            return tail;
        }
    }
    if (row && !exact && row->kind == PICKLE_CLASS_BENIGN && row->name_len > 0)
        return through_class(module, row);
    return row;
}

/* What a module has imported can be had from it as well: celery.apps.multi.Popen. Names that mean
 * the same wherever they are found stand under the module "*". */
static const struct policy_row *row_of_any_module(struct bytes name)
{
    return policy_exact(bytes_of("*", 1), last_part(name));
}

/* A module that is on a list is more than a word that an import takes for one. */
static bool names_listed(const struct policy_row *row)
{
    return row && row->module[0] != '*';
}

static void classify(struct vm *vm, struct bytes module, const struct policy_row *row,
                     struct pickle_import *in)
{
    in->kind = row                      ? row->kind
               : allowed(vm->m, module) ? PICKLE_CLASS_ALLOWED
                                        : PICKLE_CLASS_UNKNOWN;
    in->severity = row ? row->severity : PICKLE_SEV_NONE;
    in->source = row ? row->source : NULL;
    in->conditional = row && row->conditional;
    bool harmless = in->kind == PICKLE_CLASS_BENIGN || in->kind == PICKLE_CLASS_ALLOWED ||
                    (in->kind == PICKLE_CLASS_ML && vm->m->options.ml) || (row && row->conditional);
    bool grave = row && !row->conditional && in->severity >= PICKLE_SEV_HIGH;

    if (!harmless && !grave && allowed(vm->m, module))
        harmless = true;
    if (grave)
        vm_raise(vm, PICKLE_DANGEROUS,
                 in->severity == PICKLE_SEV_CRITICAL ? "a critical import" : "a high import");
    else
        vm_raise(vm, harmless ? PICKLE_OBJECTS_KNOWN : PICKLE_OBJECTS_UNKNOWN,
                 harmless ? "harmless imports" : "an import that is on no list");
    vm->unknown_import |= !harmless && in->kind != PICKLE_CLASS_ML;
    vm->critical_import |= grave;
    vm->listed_import |= names_listed(row) && (grave || row->conditional);
}

static void first_import(struct vm *vm, bool odd)
{
    vm->imports++;
    if (vm->first_import_seen)
        return;
    vm->first_import_seen = true;
    vm->first_import_plain = !odd;
}

/* The node that stands for this pair already. */
static struct value known_global(struct vm *vm, struct value module, struct value name, bool mapped)
{
    struct bytes m = text_of(&vm->heap, module), n = text_of(&vm->heap, name);

    for (uint32_t i = 0; i < vm->n_globals; i++) {
        struct node *g = node_of(&vm->heap, vm->globals[i]);
        struct bytes gm = text_of(&vm->heap, g->v[2]), gn = text_of(&vm->heap, g->v[3]);
        if (gm.len == m.len && gn.len == n.len && (g->b == 1) == mapped &&
            memcmp(gm.at, m.at, m.len) == 0 && memcmp(gn.at, n.at, n.len) == 0)
            return vm->globals[i];
    }
    return NO_VALUE;
}

static struct value make_global(struct vm *vm, struct bytes m, struct bytes n, struct value module,
                                struct value name, const struct policy_row *row, bool mapped)
{
    bool alias = m.at != text_of(&vm->heap, module).at || n.at != text_of(&vm->heap, name).at;
    struct value to_module = alias ? value_text(vm, V_STR, m, m.len) : module;
    struct value to_name = alias ? value_text(vm, V_STR, n, n.len) : name;
    struct value g = value_node(vm, V_GLOBAL, 4);

    g.flags = VF_GLOBAL;
    if (g.ref == 0)
        return g;
    struct node *node = node_of(&vm->heap, g);
    node->a = (uintptr_t)row;
    node->b = mapped;
    node->used = 4;
    node->v[0] = to_module;
    node->v[1] = to_name;
    node->v[2] = module;
    node->v[3] = name;
    if (vm->n_globals < GLOBALS_MAX)
        vm->globals[vm->n_globals++] = g;
    return g;
}

static void pin(struct vm *vm, struct value v)
{
    if (v.ref)
        node_of(&vm->heap, v)->flags |= VF_PINNED;
}

/* Names that are not whole text: made by a call, or given up under pressure. */
static struct value import_unnamed(struct vm *vm, struct value module, struct value name)
{
    bool made = is_object(module) || is_object(name);
    bool lost = module.kind == V_LOST || name.kind == V_LOST;

    first_import(vm, true);
    if (lost)
        vm->flags |= PICKLE_FLAG(RESOURCE_LIMIT);
    if (made) {
        vm->flags |= PICKLE_FLAG(COMPUTED_IMPORT);
        vm_raise(vm, PICKLE_DANGEROUS, "the name of an import is computed");
    } else {
        vm_raise(vm, PICKLE_OBJECTS_UNKNOWN, "an import that is on no list");
    }
    note_import(vm, &(struct pickle_import){.module = text_of(&vm->heap, module),
                                            .name = text_of(&vm->heap, name),
                                            .orig_module = text_of(&vm->heap, module),
                                            .orig_name = text_of(&vm->heap, name)});
    vm->unknown_import = true;
    return LOST_VALUE;
}

/* Rows that were found lately, so that ordinary classes cost no search: harmless ones, whose names
 * are undotted and no aliases of others. */
static const struct policy_row **recent(struct pickle *m, struct bytes module, struct bytes name)
{
    size_t mix =
        module.len * 31 + name.len * 7 + module.at[module.len / 2] + name.at[name.len - 1] * 3u;
    return &m->recent[mix % RECENT_ROWS];
}

static bool is_row(const struct policy_row *row, struct bytes module, struct bytes name)
{
    return row && row->module_len == module.len && row->name_len == name.len &&
           memcmp(row->module, module.at, module.len) == 0 &&
           memcmp(row->name, name.at, name.len) == 0;
}

static bool worth_keeping(const struct policy_row *row, struct bytes module, struct bytes name)
{
    return is_row(row, module, name) && row->kind == PICKLE_CLASS_BENIGN &&
           row->severity < PICKLE_SEV_HIGH && !is_dunder(name) && !memchr(name.at, '.', name.len);
}

/* Looks the names up, *m and *n becoming those that count, and notes what is odd about them. */
static const struct policy_row *look_up(struct vm *vm, struct bytes *m, struct bytes *n, bool maps)
{
    struct bytes om = *m, on = *n;
    bool alias = maps && policy_alias(m, n), odd = !is_identifier(om) || !is_identifier(on);
    const struct policy_row *row = policy_find(*m, *n);

    if (!row && alias)
        row = policy_find(om, on);
    row = traverse(vm, *m, *n, row);
    if (!row && !allowed(vm->m, *m))
        row = row_of_any_module(*n);
    first_import(vm, odd);
    if (alias)
        vm->flags |= PICKLE_FLAG(PY2_ALIAS);
    if (odd) {
        vm->flags |= PICKLE_FLAG(ODD_NAME);
        vm_raise(vm, PICKLE_SUSPICIOUS, "a name that no identifier has");
    }
    if (!alias && worth_keeping(row, om, on))
        *recent(vm->m, om, on) = row;
    return row;
}

/* One that is worth_keeping(): what look_up(), classify() and note_import() come to. */
static void import_row(struct vm *vm, const struct policy_row *row)
{
    first_import(vm, false);
    vm_raise(vm, PICKLE_OBJECTS_KNOWN, "harmless imports");
    vm->listed_import |= row->conditional;
    note_row(vm, row);
}

struct value vm_import(struct vm *vm, struct value module, struct value name, bool folded)
{
    if (!is_name(vm, module) || !is_name(vm, name) || text_len(&vm->heap, module) == 0 ||
        text_len(&vm->heap, name) == 0)
        return import_unnamed(vm, module, name);
    bool maps = !folded && vm->proto < 3;
    struct bytes om = text_of(&vm->heap, module), on = text_of(&vm->heap, name), m = om, n = on;
    struct value known = known_global(vm, module, name, maps);

    if ((module.flags | name.flags) & VF_BUILT) {
        vm->flags |= PICKLE_FLAG(COMPUTED_IMPORT);
        vm_raise(vm, PICKLE_DANGEROUS, "the name of an import is computed");
    }
    if (known.ref) {
        vm->imports++;
        count_imports(vm->m, 1);
        return known;
    }
    const struct policy_row *row = maps ? NULL : *recent(vm->m, om, on);
    if (is_row(row, om, on)) {
        import_row(vm, row);
    } else {
        row = look_up(vm, &m, &n, maps);
        struct pickle_import in = {.module = m, .name = n, .orig_module = om, .orig_name = on};
        classify(vm, m, row, &in);
        note_import(vm, &in);
    }
    pin(vm, module);
    pin(vm, name);
    return make_global(vm, m, n, module, name, row, maps);
}

struct value vm_import_text(struct vm *vm, struct bytes module, struct bytes name)
{
    struct value m, n;
    struct bytes own[2] = {module, name};
    uint8_t copy[TEXT_KEPT * 2];

    /* The texts may lie in the heap, which moves. */
    if (module.len > TEXT_KEPT || name.len > TEXT_KEPT)
        return LOST_VALUE;
    memcpy(copy, module.at, module.len);
    memcpy(copy + TEXT_KEPT, name.at, name.len);
    own[0].at = copy;
    own[1].at = copy + TEXT_KEPT;
    m = value_text(vm, V_STR, own[0], own[0].len);
    n = value_text(vm, V_STR, own[1], own[1].len);
    return vm_import(vm, m, n, true);
}
