/* tests/apps/same_tree.h - the quick way and the reader must make the same tree of an
 * object, where the quick way makes one at all. */
#ifndef TESTS_APPS_SAME_TREE_H
#define TESTS_APPS_SAME_TREE_H

#include "dissectors/apps/quick.h"
#include "dissectors/apps/text.h"
#include "dissectors/apps/tree.h"

static inline bool same_header(const struct header *a, const struct header *b)
{
    if (!text_same(a->name, b->name) || a->kind != b->kind || a->cut != b->cut)
        return false;
    switch (a->kind) {
    case HEADER_TEXT: return text_same(a->text, b->text);
    case HEADER_BOOL:
    case HEADER_INT: return a->num == b->num;
    default: return true;
    }
}

/* Chains of members, level by level: at most QUICK_DEPTH of them, since one is the quick way's. */
static inline bool same_chain(const struct header *a, const struct header *b)
{
    for (; a && b; a = a->next, b = b->next)
        if (!same_header(a, b) || !same_chain(header_child(a), header_child(b)))
            return false;
    return !a && !b;
}

/* `text` is behind the opening brace of an object. *accepted: the quick way read it. false: the two
 * differ. What is behind the object is not looked at by either. */
static inline bool same_tree(struct bytes text, struct arena *arena, bool *accepted)
{
    struct quick q;
    struct headers quick, slow;
    struct reader r;
    struct token t;
    uint8_t *copy = arena_raw(arena, text.len + 1);
    quick_at to = quick_begin(&q, text, arena) ? quick_tree(&q, text.at, &quick) : NULL;

    *accepted = to != NULL;
    if (!to || !copy)
        return true;
    copy[0] = '{';
    memcpy(copy + 1, text.at, text.len);
    reader_begin(&r, WHAT_JSON, bytes_of(copy, text.len + 1), false, arena);
    if (!reader_next(&r, &t) || t.kind != TOKEN_MAP)
        return false;
    tree_read(&r, &slow, arena);
    return r.end != READER_BROKEN && r.depth == 0 && !slow.cut &&
           r.rest.len == (size_t)(q.end - to) && same_chain(quick.first, slow.first);
}

#endif
