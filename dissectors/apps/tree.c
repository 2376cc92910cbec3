/* dissectors/apps/tree.c - see tree.h. */
#include "dissectors/apps/tree.h"

#include "dissectors/apps/text.h"

static const struct bytes known[] = {
    TEXT("task"),          TEXT("id"),
    TEXT("lang"),          TEXT("origin"),
    TEXT("root_id"),       TEXT("parent_id"),
    TEXT("group"),         TEXT("shadow"),
    TEXT("eta"),           TEXT("expires"),
    TEXT("retries"),       TEXT("compression"),
    TEXT("redelivered"),   TEXT("ticket"),
    TEXT("hostname"),      TEXT("delivery_tag"),
    TEXT("delivery_info"), TEXT("body_encoding"),
    TEXT("reply_to"),      TEXT("correlation_id"),
    TEXT("priority"),
};

enum { KNOWN = sizeof known / sizeof known[0] };

struct tree {
    struct reader *r;
    struct headers *out;
    struct arena *arena;
    struct header_tail tail[TREE_DEPTH];
    unsigned level;
    unsigned members;
    struct bytes name;           /* of the member that comes */
    struct header *known[KNOWN]; /* at the top; filled when the limit is met */
};

static unsigned known_place(struct bytes name)
{
    unsigned i = 0;

    while (i < KNOWN && !text_same(known[i], name))
        i++;
    return i;
}

static void set(struct header *h, const struct token *t, struct arena *arena)
{
    h->cut = t->cut;
    switch (t->kind) {
    case TOKEN_STRING:
        h->kind = HEADER_TEXT;
        h->text = t->escaped ? token_text(t, arena) : t->text;
        break;
    case TOKEN_INT:
        h->kind = HEADER_INT;
        h->num = t->num;
        break;
    case TOKEN_TRUE:
    case TOKEN_FALSE:
        h->kind = HEADER_BOOL;
        h->num = t->kind == TOKEN_TRUE;
        break;
    case TOKEN_FLOAT:
        h->kind = HEADER_FLOAT;
        h->real = t->real;
        break;
    default: break; /* null, or too deep to be read */
    }
}

/* Once, at the limit: which of the known names are there. */
static void index_known(struct tree *t)
{
    for (const struct header *h = t->out->first; h; h = h->next) {
        unsigned i = known_place(h->name);
        if (i < KNOWN)
            t->known[i] = (struct header *)(uintptr_t)h;
    }
}

/* Over the limit: the member of that name at the top is written over, as a dict does it. */
static struct header *add_known(struct tree *t)
{
    unsigned i = t->level == 0 ? known_place(t->name) : KNOWN;

    if (i == KNOWN)
        return NULL;
    if (!t->known[i])
        return t->known[i] = header_add(&t->tail[0], t->name, t->arena);
    t->known[i]->kind = HEADER_NULL;
    t->known[i]->cut = false;
    t->known[i]->text = (struct bytes){0};
    return t->known[i];
}

static struct header *add(struct tree *t)
{
    if (t->members < TREE_MEMBERS) {
        t->members++;
        return header_add(&t->tail[t->level], t->name, t->arena);
    }
    if (t->members == TREE_MEMBERS) {
        t->members++;
        index_known(t);
    }
    return add_known(t);
}

static void value(struct tree *t, const struct token *token)
{
    bool holds = token->kind == TOKEN_MAP || token->kind == TOKEN_LIST;
    bool deep = holds && t->level + 1 == TREE_DEPTH;
    struct header *h = deep ? NULL : add(t);

    if (!h) {
        t->out->cut = true;
        reader_skip(t->r, token);
    } else if (holds) {
        h->kind = token->kind == TOKEN_MAP ? HEADER_MAP : HEADER_LIST;
        t->out->copies |= t->level == 0 && header_has_copies(h);
        t->tail[++t->level] = header_tail_of(&h->child);
    } else {
        set(h, token, t->arena);
    }
    t->name = (struct bytes){0};
}

void tree_read(struct reader *r, struct headers *out, struct arena *arena)
{
    struct tree t;
    struct token token;

    t.r = r, t.out = out, t.arena = arena;
    t.level = t.members = 0;
    t.name = (struct bytes){0};
    memset(t.known, 0, sizeof t.known);
    t.tail[0] = header_tail_of(&out->first);
    out->cut = out->disputed = out->copies = false;
    out->other = NULL;
    while (reader_next(r, &token)) {
        if (token.kind == TOKEN_KEY) {
            t.name = token.escaped ? token_text(&token, arena) : token.text;
        } else if (token.kind == TOKEN_MAP_END || token.kind == TOKEN_LIST_END) {
            if (t.level-- == 0)
                return;
        } else {
            value(&t, &token);
        }
    }
    out->cut = true;
}
