/* dissectors/apps/celery.c - says which of Celery's messages an envelope is. The parts
 * are in task.c, event.c, control.c and result.c. */
#include "dissectors/apps/celery.h"

#include "base/hash.h"
#include "dissectors/apps/text.h"

const char *letter_action(const struct msg *in)
{
    if (in->cause)
        return in->action; /* kombu's: it knows what was restored */
    switch (in->op) {
    case OP_DELIVER: return msg_num(in, F_AMQP_REDELIVERED, 0) ? "redelivered" : "delivered";
    case OP_RETURN: return "returned";
    default: return "published";
    }
}

static bool names_task(const struct msg *in)
{
    return header_text(headers_find(in->headers, "task")).len > 0;
}

/* Of JSON: is "status" the first member's name, as results begin? */
static bool begins_as_result(const struct document *d)
{
    return d->format == WHAT_JSON && text_starts(d->bytes, "{\"status\"");
}

static bool at_a_place(const struct letter *l)
{
    switch (l->place) {
    case PLACE_EVENTS: return event_read(l, true);
    case PLACE_CONTROL: return control_command(l, true);
    case PLACE_REPLY: return control_reply(l);
    case PLACE_ANY: return false;
    }
    return false;
}

static bool anywhere(const struct letter *l)
{
    if (begins_as_result(&l->doc) && result_in_envelope(l))
        return true;
    return task_by_body(l) || result_in_envelope(l) || control_command(l, false) ||
           event_read(l, false);
}

/* A task that is sent by the exchange of events or of control is still one; what is there to
 * be read as an event or a command is that, whatever its headers say. */
static bool read_letter(const struct letter *l)
{
    bool named = names_task(l->in);

    if (l->place != PLACE_ANY) {
        if ((!named || l->place != PLACE_REPLY) && at_a_place(l))
            return true;
        return named && task_by_headers(l);
    }
    if (named)
        return task_by_headers(l);
    return anywhere(l);
}

/* A pickle of which no more is known than that it is in an envelope of kombu's. */
static void emit_pickle(const struct letter *l, const char *action)
{
    struct bytes id = text_of_header(headers_find(l->in->headers, "id"), l->out->arena);
    struct bytes name = text_of_header(headers_find(l->in->headers, "task"), l->out->arena);
    struct msg m;

    msg_from(&m, l->in, MSG_STORED, action);
    fields_str(&m.fields, F_APP, "celery");
    if (id.len > 0)
        fields_text(&m.fields, F_TASK_ID, id);
    if (name.len > 0)
        fields_text(&m.fields, F_TASK_NAME, name);
    fields_num(&m.fields, F_BODY_DIGEST, (int64_t)hash_bytes(content_inner(l->in->content), 0));
    fields_num(&m.fields, F_CONTENT_WHAT, l->in->content->what);
    l->out->emit(l->out->ctx, &m);
}

/* Only looked at, on its way nowhere: no record. But what is pickled is to be judged. */
static bool looked_at(const struct letter *l)
{
    if (l->in->content->what == WHAT_PICKLE)
        emit_pickle(l, "retrieved");
    return true;
}

/* Nothing that can be named, but Celery's by the place, or as far as can be seen: the tail of the
 * envelope was not captured, and with it the headers. */
static bool unnamed(const struct letter *l)
{
    const struct msg *outer = l->in->cause;
    bool cut = outer && outer->content && outer->content->clipped;

    if (l->in->content->what != WHAT_PICKLE || (l->place == PLACE_ANY && !cut))
        return false;
    emit_pickle(l, letter_action(l->in));
    return true;
}

static bool read(const struct msg *in, const struct interpret_out *out)
{
    struct letter l = {.in = in, .out = out};

    if (!in->content)
        return false;
    if (!in->headers && !in->properties && !place_is_amqp(in))
        return result_in_redis(in, out);
    l.doc = document_of(in->content);
    if (in->op == OP_READ)
        return looked_at(&l);
    l.place = place_of(in);
    return read_letter(&l) || unnamed(&l);
}

const struct interpreter celery_interpreter = {
    .name = "celery",
    .reads = MSG_ENVELOPE,
    .read = read,
};
