/* dissectors/apps/document.c - see document.h. */
#include "dissectors/apps/document.h"

#include "dissectors/content/auth.h"

/* What is signed may be anything, by its own content type, which nobody has to accept
 * (celery:security/serialization.py:SecureSerializer.deserialize). */
static void tell_signed(struct document *d, const struct auth_parts *auth)
{
    d->is_signed = true;
    d->signer = auth->signer;
    d->signature = auth->signature;
    if (bytes_eq(auth->type, "application/x-python-serialize"))
        d->format = WHAT_PICKLE;
}

struct document document_of(const struct content *content)
{
    struct document d = {
        .format = content->what,
        .clipped = content->clipped || content->limit,
        .bytes = content_inner(content),
        .top = content->top,
        .n_top = content->n_top,
        .sketch = content->document,
    };

    if (content->auth)
        tell_signed(&d, content->auth);
    else if (content->what == WHAT_AUTH) /* signed, it says, and cannot be opened */
        d.is_signed = true, d.format = WHAT_BINARY;
    return d;
}

enum { INDENT_MOST = 256 };

static struct bytes indented(struct bytes whole, struct bytes part, struct arena *arena)
{
    size_t from = (size_t)(part.at - whole.at), column = 0;
    uint8_t *to;

    while (column < from && column <= INDENT_MOST && whole.at[from - column - 1] != '\n')
        column++;
    if (column == 0 || column > INDENT_MOST)
        return part;
    to = arena_raw(arena, column + part.len);
    if (!to)
        return part;
    memset(to, ' ', column);
    memcpy(to + column, part.at, part.len);
    return bytes_of(to, column + part.len);
}

struct bytes document_raw(struct reader *r, const struct token *t, struct arena *arena)
{
    bool holds = t->kind == TOKEN_MAP || t->kind == TOKEN_LIST;
    struct bytes part = reader_raw(r, t);

    return r->format == WHAT_YAML && holds && part.len > 0 ? indented(r->all, part, arena) : part;
}
