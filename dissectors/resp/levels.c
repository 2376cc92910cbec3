/* dissectors/resp/levels.c - tokens and the stack of aggregates that are open. */
#include <stdlib.h>

#include "dissectors/resp/value_parts.h"

void value_unit_over(struct resp_value *v)
{
    v->open = v->muted = v->split = v->chunks = v->gap = false;
    v->depth = v->attrs = 0;
    v->elements = 0;
    v->wire_len = v->left = 0;
    v->state = RESP_HEAD;
    free(v->deep);
    v->deep = NULL;
}

void value_broken(const struct resp_value *v, enum resp_broken what, uint64_t offset,
                  const struct resp_sink *sink)
{
    if (v->trust >= RESP_TRUST)
        sink->broken(sink->ctx, what, offset);
}

static void give(struct resp_value *v, struct resp_token *t, const struct resp_sink *sink)
{
    if (v->muted && v->depth > 0)
        return;
    t->depth = v->depth;
    t->attr = v->attrs > 0 || t->kind == RESP_ATTRIBUTE || t->of == RESP_ATTRIBUTE;
    if (v->depth > 0) {
        const struct resp_level *l = resp_level_at(v, v->depth - 1u);
        t->parent = l->kind;
        t->index = l->index;
    }
    sink->token(sink->ctx, t);
}

/* The innermost level is complete. */
static void close_level(struct resp_value *v, const struct resp_sink *sink)
{
    struct resp_token t = {.kind = RESP_END, .of = resp_level_at(v, v->depth - 1u)->kind};

    v->depth--;
    v->attrs = (uint8_t)(v->attrs - (t.of == RESP_ATTRIBUTE));
    give(v, &t, sink);
}

/* An element is complete: the levels that end with it. An attribute is no element of
 * what is around it. */
static void advance(struct resp_value *v, const struct resp_sink *sink)
{
    while (v->depth > 0) {
        struct resp_level *l = resp_level_at(v, v->depth - 1u);
        bool attribute = l->kind == RESP_ATTRIBUTE;

        l->index++;
        if (l->left == UINT32_MAX || --l->left > 0)
            return;
        close_level(v, sink);
        if (attribute)
            return;
    }
    value_unit_over(v);
    v->trust = (uint8_t)(v->trust + (v->trust < RESP_TRUST));
}

void value_scalar(struct resp_value *v, struct resp_token *t, const struct resp_sink *sink)
{
    t->held = v->held || v->replay;
    give(v, t, sink);
    if (v->state == RESP_IGNORE) /* the callback said so */
        return;
    v->wire_len = 0;
    v->split = v->chunks = v->gap = false;
    v->state = RESP_HEAD;
    advance(v, sink);
    if (v->held)
        value_release(v);
}

void resp_value_count(struct resp_value *v, uint64_t offset, const struct resp_sink *sink)
{
    if (v->client) /* one level, and nothing is put together of it */
        return;
    v->elements += v->elements < UINT32_MAX;
    if (v->elements > v->conf->max_elements && !v->muted) {
        v->muted = true;
        value_broken(v, RESP_TOO_MANY, offset, sink);
    }
}

static bool room_for_level(struct resp_value *v)
{
    if (v->depth < RESP_NEAR || v->deep)
        return true;
    v->deep = malloc((v->conf->max_depth - RESP_NEAR) * sizeof *v->deep);
    return v->deep != NULL;
}

/* Too deep to keep a level for: its elements are added to those of the level around
 * it, which keeps the stream in step. */
static bool fold_level(struct resp_value *v, const struct resp_token *t, uint64_t offset,
                       const struct resp_sink *sink)
{
    struct resp_level *around = resp_level_at(v, v->depth - 1u);

    if (!v->muted) {
        v->muted = true;
        value_broken(v, RESP_TOO_DEEP, offset, sink);
    }
    if (t->num < 0 || around->left == UINT32_MAX ||
        (uint64_t)t->num > UINT32_MAX - 1u - around->left)
        return false;
    around->left += (uint32_t)t->num;
    if (t->kind != RESP_ATTRIBUTE)
        advance(v, sink);
    return true;
}

bool value_open(struct resp_value *v, struct resp_token *t, uint64_t offset,
                const struct resp_sink *sink)
{
    bool attribute = t->kind == RESP_ATTRIBUTE;
    unsigned max = v->conf->max_depth < UINT8_MAX ? v->conf->max_depth : UINT8_MAX;

    if (v->depth >= max || !room_for_level(v))
        return v->depth > 0 && fold_level(v, t, offset, sink);
    v->more = 0;
    give(v, t, sink);
    *resp_level_at(v, v->depth) = (struct resp_level){
        .left = t->num < 0 ? UINT32_MAX : (uint32_t)t->num + v->more, .kind = t->kind};
    v->more = 0;
    v->depth++;
    v->attrs = (uint8_t)(v->attrs + attribute);
    if (t->num == 0) {
        close_level(v, sink);
        if (!attribute)
            advance(v, sink);
    }
    return true;
}

void resp_value_more(struct resp_value *v, uint32_t n)
{
    if (n > RESP_COUNT_MAX)
        return;
    if (v->depth == 0)
        v->more = n;
    else if (v->near[0].left <= RESP_COUNT_MAX)
        v->near[0].left += n;
}

bool value_stream_end(struct resp_value *v, const struct resp_sink *sink)
{
    if (v->depth == 0 || resp_level_at(v, v->depth - 1u)->left != UINT32_MAX)
        return false;
    close_level(v, sink);
    advance(v, sink);
    return true;
}
