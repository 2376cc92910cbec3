/* dissectors/apps/stored.c - see stored.h. */
#include "dissectors/apps/stored.h"

#include "dissectors/apps/text.h"

static const char *action_of(enum op op)
{
    switch (op) {
    case OP_PUBLISH: return "published";
    case OP_DELIVER: return "delivered";
    case OP_RETURN: return "returned";
    case OP_READ: return "retrieved";
    default: return "stored";
    }
}

void stored_begin(struct msg *m, const struct msg *in, const char *app)
{
    msg_from(m, in, MSG_STORED, action_of(in->op));
    fields_str(&m->fields, F_APP, app);
    fields_num(&m->fields, F_CONTENT_WHAT, in->content->what);
}

void stored_behind(const struct msg *in, size_t n, const struct interpret_out *out)
{
    struct content content = {
        .body = text_after(in->content->body, n),
        .wire_len = in->content->wire_len - n,
        .clipped = in->content->clipped,
        .tap = in->content->tap,
        .tap_at = in->content->tap_at + n,
    };
    struct msg m;

    msg_from(&m, in, MSG_ENVELOPE, in->action);
    m.pickle = NULL;
    m.content = &content;
    out->emit(out->ctx, &m);
}
