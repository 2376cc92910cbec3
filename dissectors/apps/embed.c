/* dissectors/apps/embed.c - see embed.h. One pass over the body, with a stack of what
 * the open containers are; what can hold no signature is skipped.
 *
 * A signature is {"task", "args", "kwargs", "options", ...}, its members in any order.
 * Its arguments hold signatures only if its task is a built-in one, which may be known
 * only later (YAML sorts the keys): until then names out of arguments are held as
 * doubtful, a bit for each signature they depend on. */
#include "dissectors/apps/embed.h"

#include "dissectors/apps/text.h"
#include "dissectors/field.h"

enum what {
    NOTHING,    /* skipped */
    BODY_LIST,  /* [args, kwargs, embed] */
    BODY_MAP,   /* a body of protocol 1 */
    EMBED,      /* {"callbacks": ...} */
    SIGNATURES, /* a list of them, or lists of lists */
    CALLED,     /* the same, and a text is a task's name: celery:canvas.py:signature() takes both */
    SIGNATURE,
    NAME, /* of the task of a signature */
    ARGS,
    KWARGS,
    OPTIONS,
    HEADERS, /* of the message that a signature becomes: they win over its own */
};

struct level {
    enum what what;
    enum what next;    /* what the value is whose key was just read */
    unsigned index;    /* of a list: values so far */
    unsigned number;   /* of a signature: signatures open around it */
    unsigned first;    /* of a signature: names before it */
    struct bytes task; /* of a signature, and of arguments: whose they are, if it is known yet */
};

struct found {
    struct bytes name;
    uint64_t doubt; /* bit n: only if signature number n is a built-in */
};

struct walk {
    struct reader *r;
    struct arena *arena;
    struct bytes task; /* of the message */
    bool builtin;      /* it is a built-in one */
    unsigned depth, open;
    uint64_t doubt;
    unsigned n, signatures;
    struct level level[READER_DEPTH + 1];
    struct found found[EMBED_NAMES];
};

bool embed_is_builtin(struct bytes name)
{
    static const struct bytes builtins[] = {
        TEXT("celery.map"),          TEXT("celery.starmap"), TEXT("celery.chunks"),
        TEXT("celery.group"),        TEXT("celery.chain"),   TEXT("celery.chord"),
        TEXT("celery.chord_unlock"),
    };

    if (!text_starts(name, "celery."))
        return false;
    for (size_t i = 0; i < sizeof builtins / sizeof builtins[0]; i++)
        if (text_same(builtins[i], name))
            return true;
    return false;
}

/* Of map, starmap and chunks the first argument is what is called, the second one data; the second
 * one of chord_unlock is called (celery:app/builtins.py). */
static enum what argument(struct bytes task, unsigned index)
{
    bool one = text_ends(task, "map") || text_ends(task, "chunks");

    if (index > (one ? 0u : 1u))
        return NOTHING;
    return one || (index == 1 && text_ends(task, "chord_unlock")) ? CALLED : SIGNATURES;
}

/* What the member of that name is, in a mapping of that kind. */
static enum what member(const struct walk *w, enum what of, struct bytes key)
{
    static const struct {
        enum what of;
        struct bytes key;
        enum what is;
    } members[] = {
        {EMBED, TEXT("callbacks"), CALLED},   {EMBED, TEXT("errbacks"), CALLED},
        {EMBED, TEXT("chain"), CALLED},       {EMBED, TEXT("chord"), SIGNATURES},
        {SIGNATURE, TEXT("task"), NAME},      {SIGNATURE, TEXT("args"), ARGS},
        {SIGNATURE, TEXT("kwargs"), KWARGS},  {SIGNATURE, TEXT("options"), OPTIONS},
        {OPTIONS, TEXT("link"), CALLED},      {OPTIONS, TEXT("link_error"), CALLED},
        {OPTIONS, TEXT("chain"), CALLED},     {OPTIONS, TEXT("chord"), SIGNATURES},
        {OPTIONS, TEXT("headers"), HEADERS},  {HEADERS, TEXT("task"), NAME},
        {KWARGS, TEXT("task"), CALLED},       {KWARGS, TEXT("tasks"), SIGNATURES},
        {KWARGS, TEXT("header"), SIGNATURES}, {KWARGS, TEXT("body"), SIGNATURES},
        {KWARGS, TEXT("callback"), CALLED},   {BODY_MAP, TEXT("callbacks"), CALLED},
        {BODY_MAP, TEXT("errbacks"), CALLED}, {BODY_MAP, TEXT("chord"), SIGNATURES},
        {BODY_MAP, TEXT("args"), ARGS},       {BODY_MAP, TEXT("kwargs"), KWARGS},
    };

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (members[i].of != of || !text_same(members[i].key, key))
            continue;
        bool argument = members[i].is == ARGS || members[i].is == KWARGS;
        return of == BODY_MAP && argument && !w->builtin ? NOTHING : members[i].is;
    }
    return NOTHING;
}

/* What the next value of a list is. */
static enum what element(const struct walk *w, const struct level *in)
{
    switch (in->what) {
    case BODY_LIST:
        if (in->index < 2 && !w->builtin)
            return NOTHING;
        return in->index == 0 ? ARGS : in->index == 1 ? KWARGS : in->index == 2 ? EMBED : NOTHING;
    case SIGNATURES:
    case CALLED: return in->what;
    case ARGS: return argument(in->task, in->index);
    default: return NOTHING;
    }
}

static bool have(const struct walk *w, struct bytes name)
{
    for (unsigned i = 0; i < w->n; i++)
        if ((w->found[i].doubt == 0 || w->found[i].doubt == w->doubt) &&
            text_same(w->found[i].name, name))
            return true;
    return false;
}

/* Empty: it is none. */
static struct bytes name_of(struct walk *w, const struct token *t)
{
    if (t->kind != TOKEN_STRING || t->cut)
        return (struct bytes){0};
    return t->escaped ? token_text(t, w->arena) : t->text;
}

static void add_name(struct walk *w, struct bytes name)
{
    if (name.len > 0 && w->n < EMBED_NAMES && w->signatures++ < EMBED_SIGNATURES && !have(w, name))
        w->found[w->n++] = (struct found){.name = name, .doubt = w->doubt};
}

/* Its end: the names in its arguments count, or never did. */
static void close_signature(struct walk *w, const struct level *of)
{
    uint64_t bit = (uint64_t)1 << of->number;
    bool builtin = embed_is_builtin(of->task);
    unsigned to = of->first;

    for (unsigned i = of->first; i < w->n; i++) {
        if ((w->found[i].doubt & bit) && !builtin)
            continue;
        w->found[to] = w->found[i];
        w->found[to++].doubt &= ~bit;
    }
    w->n = to;
    w->open--;
}

static void push(struct walk *w, enum what what, bool list)
{
    struct level *to = &w->level[w->depth + 1], *in = &w->level[w->depth];

    to->what = (what == SIGNATURES || what == CALLED) && !list ? SIGNATURE : what;
    to->next = NOTHING;
    to->index = 0;
    to->task = in->what == SIGNATURE ? in->task : w->task;
    if (to->what == SIGNATURE) {
        to->number = w->open++;
        to->first = w->n;
        to->task = (struct bytes){0};
    } else if (in->what == SIGNATURE && (what == ARGS || what == KWARGS)) {
        w->doubt |= (uint64_t)1 << in->number;
    }
    w->depth++;
}

static void pop(struct walk *w)
{
    struct level *of = &w->level[w->depth--], *in = &w->level[w->depth];

    if (of->what == SIGNATURE)
        close_signature(w, of);
    else if (in->what == SIGNATURE)
        w->doubt &= ~((uint64_t)1 << in->number);
}

/* A list where a mapping belongs, or the other way round, holds nothing. */
static bool fits(enum what what, bool list)
{
    if (what == SIGNATURES || what == CALLED)
        return true;
    return what != NOTHING && what != NAME && list == (what == BODY_LIST || what == ARGS);
}

static void value(struct walk *w, const struct token *t)
{
    struct level *in = &w->level[w->depth];
    bool list = t->kind == TOKEN_LIST, holds = list || t->kind == TOKEN_MAP;
    enum what what = in->next != NOTHING ? in->next : element(w, in);

    in->next = NOTHING;
    in->index++;
    if (what == NAME)
        in->task = name_of(w, t);
    if (what == NAME || what == CALLED)
        add_name(w, name_of(w, t));
    if (holds && fits(what, list) && w->depth < READER_DEPTH)
        push(w, what, list);
    else
        reader_skip(w->r, t);
}

static void key(struct walk *w, const struct token *t)
{
    struct level *in = &w->level[w->depth];
    struct bytes name = t->escaped ? token_text(t, w->arena) : t->text;

    in->next = member(w, in->what, name);
    if (in->next == NOTHING)
        reader_skip(w->r, t);
}

static struct bytes pack(struct walk *w)
{
    struct bytes list = {0};

    for (unsigned i = 0; i < w->n; i++)
        if (w->found[i].doubt == 0)
            list_add(w->arena, &list, w->found[i].name);
    return list;
}

static void walk_from(struct walk *w, enum what root)
{
    struct token t;

    w->level[0] = (struct level){.next = root};
    while (reader_next(w->r, &t)) {
        if (t.kind == TOKEN_KEY)
            key(w, &t);
        else if (t.kind == TOKEN_MAP_END || t.kind == TOKEN_LIST_END)
            pop(w);
        else
            value(w, &t);
    }
}

static void walk_document(struct walk *w, enum content_what format, struct bytes bytes,
                          bool clipped, enum what root)
{
    struct reader r;

    w->r = &r;
    w->depth = w->open = w->n = w->signatures = 0;
    w->doubt = 0;
    reader_begin(&r, format, bytes, clipped, w->arena);
    walk_from(w, root);
    reader_end(&r);
}

struct bytes embed_names(const struct document *doc, const struct body *b, struct bytes name,
                         struct arena *arena)
{
    static const struct bytes nothing = TEXT(BODY_NOTHING);
    struct walk w;

    w.arena = arena;
    w.task = name;
    w.builtin = embed_is_builtin(name);
    if (doc->format == WHAT_PICKLE && doc->sketch.len > 0) {
        walk_document(&w, WHAT_JSON, doc->sketch, true,
                      doc->sketch.at[0] == '[' ? BODY_LIST : BODY_MAP);
        return pack(&w);
    }
    if (b->shape == BODY_UNREAD || !document_readable(doc) ||
        (!w.builtin && b->shape == BODY_TRIPLE && text_same(b->views.embed, nothing)))
        return (struct bytes){0};
    walk_document(&w, doc->format, doc->bytes, doc->clipped,
                  b->shape == BODY_TRIPLE ? BODY_LIST : BODY_MAP);
    return pack(&w);
}
