/* Calls that hide calls: importers, getattr, partial and its kind, trampolines. Each is judged by
 * what it is given (reference 2.3 and 4.1: CPython, celery, kombu, django sources in special.tsv).
 */
#include "signatures/pickle/machine.h"

#include <string.h>

static struct node *call_of(const struct vm *vm, struct value call)
{
    return node_of(&vm->heap, call);
}

static struct value arg_at(const struct vm *vm, struct value args, unsigned i)
{
    return value_count(&vm->heap, args) > i ? value_at(&vm->heap, args, i) : NO_VALUE;
}

struct value args_from(struct vm *vm, struct value args, unsigned first)
{
    uint64_t n = value_count(&vm->heap, args);
    uint64_t kept = n > first ? n - first : 0;
    struct value v = value_node(vm, V_TUPLE, kept < TUPLE_CAP ? (unsigned)kept : TUPLE_CAP);

    for (unsigned i = first; i < n && i < first + TUPLE_CAP; i++)
        value_add(vm, v, value_at(&vm->heap, args, i));
    return v;
}

static struct value args_joined(struct vm *vm, struct value a, unsigned first, struct value b)
{
    uint64_t na = value_count(&vm->heap, a), nb = value_count(&vm->heap, b);
    uint64_t n = (na > first ? na - first : 0) + nb;
    struct value v = value_node(vm, V_TUPLE, n < TUPLE_CAP ? (unsigned)n : TUPLE_CAP);

    for (unsigned i = first; i < na && i < TUPLE_CAP; i++)
        value_add(vm, v, value_at(&vm->heap, a, i));
    for (unsigned i = 0; i < nb && i < TUPLE_CAP; i++)
        value_add(vm, v, value_at(&vm->heap, b, i));
    return v;
}

static struct value args_of(struct vm *vm, struct value one)
{
    struct value v = value_node(vm, V_TUPLE, 1);
    value_add(vm, v, one);
    return v;
}

static bool whole_text(const struct vm *vm, struct value v)
{
    return is_text(v) && text_whole(&vm->heap, v);
}

static void computed(struct vm *vm, struct value call, const char *why)
{
    vm_accuse(vm, PICKLE_DANGEROUS, call, PICKLE_FLAG(COMPUTED_IMPORT), why);
}

static struct value fold_import(struct vm *vm, struct value call, struct value args)
{
    struct value name = arg_at(vm, args, 0);

    if (!whole_text(vm, name)) {
        computed(vm, call, "the module to import is computed");
        return LOST_VALUE;
    }
    if (name.flags & VF_BUILT)
        computed(vm, call, "the module to import is computed");
    return vm_module(vm, text_of(&vm->heap, name));
}

/* "a.b:c.d" and "a.b.c". */
static struct value fold_locate(struct vm *vm, struct value call, struct value args)
{
    struct value name = arg_at(vm, args, 0);
    struct bytes text = text_of(&vm->heap, name), rest;

    if (!whole_text(vm, name) || (name.flags & VF_BUILT))
        computed(vm, call, "the object to import is computed");
    if (!whole_text(vm, name))
        return LOST_VALUE;
    const uint8_t *cut = memchr(text.at, ':', text.len);
    if (!cut)
        cut = memrchr(text.at, '.', text.len);
    if (!cut)
        return vm_module(vm, text);
    rest = text;
    struct bytes module = bytes_cut(&rest, (size_t)(cut - text.at));
    bytes_cut(&rest, 1);
    return vm_import_text(vm, module, rest);
}

static bool conditional(const struct vm *vm, struct value v)
{
    const struct policy_row *row = v.kind == V_GLOBAL ? global_row(vm, v) : NULL;
    return row && row->conditional;
}

/* A callable that is handed on, to be called with what cannot be seen. */
static void judge_handed(struct vm *vm, struct value callee, struct value call)
{
    if (conditional(vm, callee) && global_row(vm, callee)->severity >= PICKLE_SEV_HIGH)
        vm_accuse(vm, PICKLE_DANGEROUS, call, 0, "a gadget is wrapped in another");
    else if (callee.kind == V_LOST && !(callee.flags & VF_DATA))
        vm_raise(vm, PICKLE_SUSPICIOUS, "a callable that cannot be followed is wrapped");
}

static bool is_benign_class(const struct vm *vm, struct value v)
{
    const struct policy_row *row = v.kind == V_GLOBAL ? global_row(vm, v) : NULL;
    return row && (row->kind == PICKLE_CLASS_BENIGN || row->conditional);
}

static bool module_starts(const struct vm *vm, struct value v, const char *prefix)
{
    size_t n = strlen(prefix);
    if (v.kind != V_GLOBAL || v.ref == 0)
        return false;
    struct bytes m = text_of(&vm->heap, node_of(&vm->heap, v)->v[0]);
    return m.len >= n && memcmp(m.at, prefix, n) == 0 && (m.len == n || m.at[n] == '.');
}

static bool is_grave(const struct vm *vm, struct value v)
{
    const struct policy_row *row = v.kind == V_GLOBAL ? global_row(vm, v) : NULL;
    return row && !row->conditional && row->severity >= PICKLE_SEV_HIGH;
}

/* copyreg._reconstructor(cls, base, state): base.__init__ runs unless base is object. */
static struct value fold_reconstructor(struct vm *vm, struct value call, struct value args)
{
    struct value base = arg_at(vm, args, 1);

    if (is_grave(vm, base) || is_grave(vm, arg_at(vm, args, 0)))
        vm_accuse(vm, PICKLE_MALICIOUS, call, 0, "a dangerous class is made and initialised");
    else if (base.kind == V_LOST)
        vm_raise(vm, PICKLE_SUSPICIOUS, "a base class that cannot be followed");
    else if (!is_benign_class(vm, base))
        vm_accuse(vm, PICKLE_DANGEROUS, call, 0,
                  "the initialiser of a chosen base class is called");
    return call;
}

/* "module:name", as symbol_by_name() takes it, of something dangerous. */
static bool names_danger(struct bytes text)
{
    enum pickle_class kind;
    const char *source;
    const uint8_t *colon = memchr(text.at, ':', text.len);
    size_t n = colon ? (size_t)(colon - text.at) : 0;

    return colon && is_identifier(bytes_head(text, n)) &&
           is_identifier(bytes_of(colon + 1, text.len - n - 1)) &&
           pickle_name_severity(text, &kind, &source) >= PICKLE_SEV_HIGH;
}

#define APP_DEPTH 3u /* _unpickle_app_v2(Celery, {"fixups": ["module:name"]}) */

/* As deep as APP_DEPTH: the recursion is bounded. */
static bool holds_danger(const struct vm *vm, struct value v, unsigned depth)
{
    uint64_t n = is_container(v) && depth < APP_DEPTH ? value_count(&vm->heap, v) : 0;

    if (whole_text(vm, v) && text_of(&vm->heap, v).len > 0)
        return names_danger(text_of(&vm->heap, v));
    for (unsigned i = 0; i < n && i < TUPLE_CAP; i++)
        if (holds_danger(vm, value_at(&vm->heap, v, i), depth + 1))
            return true;
    return false;
}

/* The fixups of an app are imported and called when it is made, its loader and others later
 * (celery:app/base.py:Celery.__init__). */
static struct value fold_app(struct vm *vm, struct value call, struct value args)
{
    if (holds_danger(vm, args, 0))
        vm_accuse(vm, PICKLE_DANGEROUS, call, 0, "an app is made to import what is dangerous");
    return call;
}

/* Trampolines of celery and kombu that call the class they are given. */
static struct value fold_call_class(struct vm *vm, struct value call, struct value args,
                                    unsigned depth)
{
    struct value cls = arg_at(vm, args, 0);
    bool own = module_starts(vm, cls, "celery") || module_starts(vm, cls, "kombu");

    fold_app(vm, call, args);
    if (is_benign_class(vm, cls) || (own && !is_grave(vm, cls)))
        return call;
    if (cls.kind == V_GLOBAL && !is_grave(vm, cls)) {
        vm_accuse(vm, PICKLE_SUSPICIOUS, call, 0,
                  "a class that is not celery's is called by celery");
        return call;
    }
    if (cls.kind != V_GLOBAL)
        vm_accuse(vm, PICKLE_DANGEROUS, call, 0, "celery is made to call what it is given");
    return call_deep(vm, cls, args_from(vm, args, 1), depth + 1);
}

static struct value fold_appattr(struct vm *vm, struct value call, struct value args)
{
    static const char *const usual[] = {
        "AsyncResult",    "GroupResult", "ResultSet", "EagerResult", "Task",   "Worker",
        "WorkController", "Beat",        "amqp",      "backend",     "control"};
    struct value name = arg_at(vm, args, 0);
    struct bytes text = text_of(&vm->heap, name);

    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (whole_text(vm, name) && bytes_eq(text, usual[i]))
            return call;
    bool dotted = text.len > 0 && memchr(text.at, '.', text.len);
    vm_accuse(vm, dotted ? PICKLE_MALICIOUS : PICKLE_DANGEROUS, call, PICKLE_FLAG(DOTTED_TRAVERSAL),
              "a chosen attribute of the running app is called");
    return call;
}

/* The module that defines the task is imported. */
static struct value fold_task(struct vm *vm, struct value call, struct value args)
{
    struct value name = arg_at(vm, args, 0), module = arg_at(vm, args, 1);
    struct bytes m = text_of(&vm->heap, module), n = text_of(&vm->heap, name);

    if (module.kind == V_ABSENT || module.kind == V_NONE || bytes_eq(m, "__main__"))
        return call;
    const struct policy_row *row = policy_module(m);
    if (!whole_text(vm, module)) {
        computed(vm, call, "the module of a task is computed");
    } else if (row && row->severity >= PICKLE_SEV_HIGH) {
        vm_accuse(vm, PICKLE_DANGEROUS, call, 0, "a dangerous module is imported as a task's");
    } else if (!(n.len > m.len && memcmp(n.at, m.at, m.len) == 0 && n.at[m.len] == '.')) {
        vm->unknown_import = true;
        vm_raise(vm, PICKLE_OBJECTS_UNKNOWN, "an import that is on no list");
        note_import(vm, &(struct pickle_import){.module = m,
                                                .name = bytes_of("*", 1),
                                                .orig_module = m,
                                                .orig_name = bytes_of("*", 1)});
    }
    return call;
}

static struct value fold_lazy(struct vm *vm, struct value call, struct value args, unsigned depth)
{
    struct value func = arg_at(vm, args, 0);

    if (module_starts(vm, func, "django.utils.translation"))
        return call;
    vm_accuse(vm, PICKLE_DANGEROUS, call, 0, "django is made to call what it is given");
    struct value inner = arg_at(vm, args, 1);
    return call_deep(vm, func, inner.kind == V_TUPLE ? inner : args_from(vm, args, 1), depth + 1);
}

static struct value fold_type(struct vm *vm, struct value call, struct value args)
{
    if (value_count(&vm->heap, args) >= 2)
        vm_accuse(vm, PICKLE_DANGEROUS, call, 0, "a class is built");
    return call;
}

static struct value fold_path_key(struct vm *vm, struct value call, struct value args)
{
    struct bytes key = text_of(&vm->heap, arg_at(vm, args, 0));

    if (key.len > 0 && (key.at[0] == '/' || bytes_find(key, "..")))
        vm_accuse(vm, PICKLE_SUSPICIOUS, call, 0, "a time zone that is a path");
    return call;
}

/* map, filter, starmap, reduce: the callable with the first elements stands for all. */
static struct value fold_map(struct vm *vm, enum special s, struct value args, unsigned depth)
{
    unsigned at = s == SPECIAL_MAP2 ? 1 : 0;
    struct value f = arg_at(vm, args, at), seq = arg_at(vm, args, 1 - at);
    struct value first = arg_at(vm, seq, 0);

    if (s == SPECIAL_STARMAP)
        return call_deep(vm, f, first, depth + 1);
    if (s == SPECIAL_REDUCE)
        return call_deep(vm, f, seq, depth + 1);
    call_deep(vm, f, args_of(vm, first.kind == V_ABSENT ? LOST_VALUE : first), depth + 1);
    return LOST_VALUE;
}

static struct value fold_loads(struct vm *vm, struct value call, struct value args)
{
    struct value data = arg_at(vm, args, 0);

    if (whole_text(vm, data))
        nested_loads(vm, text_of(&vm->heap, data));
    return call;
}

static struct value fold_getattr(struct vm *vm, struct value call, struct value args)
{
    enum pickle_verdict before = vm->verdict;
    struct value base = arg_at(vm, args, 0), v = vm_attr(vm, base, arg_at(vm, args, 1));

    /* Evidence for what the attribute alone has raised. */
    if (vm->verdict >= PICKLE_SUSPICIOUS && (before < vm->verdict || base.kind == V_MODULE))
        vm_accuse(vm, vm->verdict < PICKLE_DANGEROUS ? vm->verdict : PICKLE_DANGEROUS, call, 0,
                  "getattr reaches where it should not");
    return v;
}

static struct value fold_trampoline(struct vm *vm, enum special s, struct value call,
                                    struct value args, unsigned depth)
{
    switch (s) {
    case SPECIAL_CALL:
    case SPECIAL_NEWOBJ:
        return call_deep(vm, arg_at(vm, args, 0), args_from(vm, args, 1), depth + 1);
    case SPECIAL_APPLY: return call_deep(vm, arg_at(vm, args, 0), arg_at(vm, args, 1), depth + 1);
    case SPECIAL_DEFER:
        return call_deep(vm, arg_at(vm, args, 1), args_from(vm, args, 2), depth + 1);
    case SPECIAL_LOCATE_CALL:
        return call_deep(vm, fold_locate(vm, call, args), args_from(vm, args, 1), depth + 1);
    case SPECIAL_REDUCE:
    case SPECIAL_MAP:
    case SPECIAL_MAP2:
    case SPECIAL_STARMAP: return fold_map(vm, s, args, depth);
    case SPECIAL_CALL_CLASS: return fold_call_class(vm, call, args, depth);
    case SPECIAL_LAZY_PROXY: return fold_lazy(vm, call, args, depth);
    default: return fold_text(vm, s, call);
    }
}

struct value fold_call(struct vm *vm, enum special s, struct value call, unsigned depth)
{
    if (call.ref == 0)
        return call;
    struct value args = call_of(vm, call)->v[1];
    switch (s) {
    case SPECIAL_NONE: return call;
    case SPECIAL_IMPORT: return fold_import(vm, call, args);
    case SPECIAL_LOCATE: return fold_locate(vm, call, args);
    case SPECIAL_GETATTR: return fold_getattr(vm, call, args);
    case SPECIAL_PARTIAL:
    case SPECIAL_DEFAULTDICT: judge_handed(vm, arg_at(vm, args, 0), call); return call;
    case SPECIAL_ATTRGETTER:
    case SPECIAL_ITEMGETTER:
    case SPECIAL_METHODCALLER:
        if (arg_at(vm, args, 0).kind == V_LOST)
            vm_raise(vm, PICKLE_SUSPICIOUS, "the name of an attribute cannot be followed");
        return call;
    case SPECIAL_TYPE: return fold_type(vm, call, args);
    case SPECIAL_RECONSTRUCTOR: return fold_reconstructor(vm, call, args);
    case SPECIAL_APP: return fold_app(vm, call, args);
    case SPECIAL_APPATTR: return fold_appattr(vm, call, args);
    case SPECIAL_TASK_V2: return fold_task(vm, call, args);
    case SPECIAL_PATH_KEY: return fold_path_key(vm, call, args);
    case SPECIAL_LOADS: return fold_loads(vm, call, args);
    default: return fold_trampoline(vm, s, call, args, depth);
    }
}

static struct value apply_attrgetter(struct vm *vm, struct value made_args, struct value args)
{
    struct value v = vm_attr(vm, arg_at(vm, args, 0), arg_at(vm, made_args, 0));
    return v;
}

/* The call of attrgetter(..)(x), methodcaller(..)(x), partial(..)(..). */
bool fold_result(struct vm *vm, struct value made, struct value args, unsigned depth,
                 struct value *result)
{
    if (made.ref == 0)
        return false;
    struct node *n = call_of(vm, made);
    struct value inner = n->used > 1 ? n->v[1] : NO_VALUE;
    const struct policy_row *row = n->v[0].kind == V_GLOBAL ? global_row(vm, n->v[0]) : NULL;

    switch (row ? row->special : SPECIAL_NONE) {
    case SPECIAL_PARTIAL:
        *result = call_deep(vm, arg_at(vm, inner, 0), args_joined(vm, inner, 1, args), depth + 1);
        return true;
    case SPECIAL_ATTRGETTER:
        vm_accuse(vm, PICKLE_DANGEROUS, call_node(vm, made, args, NO_VALUE), 0,
                  "attrgetter is applied");
        *result = apply_attrgetter(vm, inner, args);
        return true;
    case SPECIAL_METHODCALLER: {
        struct value method = vm_attr(vm, arg_at(vm, args, 0), arg_at(vm, inner, 0));
        vm_accuse(vm, PICKLE_DANGEROUS, call_node(vm, made, args, NO_VALUE), 0,
                  "methodcaller is applied");
        *result = call_deep(vm, method, args_from(vm, inner, 1), depth + 1);
        return true;
    }
    case SPECIAL_ITEMGETTER:
        vm_accuse(vm, PICKLE_SUSPICIOUS, call_node(vm, made, args, NO_VALUE),
                  PICKLE_FLAG(STRING_BUILDING), "itemgetter is applied");
        *result = fold_item(vm, arg_at(vm, args, 0), arg_at(vm, inner, 0));
        return true;
    default: return false;
    }
}
