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

/* By its shape alone; a task of protocol 1 is looked for by itself. */
static bool by_shape(const struct letter *l)
{
    bool command = control_command(l, false);

    return result_in_envelope(l, false) || command || event_read(l, false);
}

static bool task_in_body(const struct letter *l)
{
    bool more;

    if (!task_by_body(l, &more))
        return false;
    if (more)
        by_shape(l);
    return true;
}

static bool anywhere(const struct letter *l)
{
    if (begins_as_result(&l->doc) && result_in_envelope(l, true))
        return true;
    return task_in_body(l) || by_shape(l);
}

static bool is_list(const struct document *d)
{
    return d->format == WHAT_JSON && d->bytes.len > 0 && d->bytes.at[0] == '[';
}

/* Headers may call anything a task. */
static bool named_task(const struct letter *l)
{
    bool task = task_by_headers(l);

    return (!is_list(&l->doc) && by_shape(l)) || task;
}

/* What those who take from these places see in it. */
static bool at_its_places(const struct letter *l)
{
    bool any = (l->places & PLACE_CONTROL) && control_command(l, true);

    return ((l->places & PLACE_EVENTS) && event_read(l, true)) || any;
}

/* There may be more ways out of a place than its name tells: whatever else the message is, it is
 * that too. A mapping in a mailbox of replies is one if it is nothing else. */
static bool read_at_places(const struct letter *l, bool named)
{
    bool read = at_its_places(l), more;

    if (read && (l->places & PLACE_USUAL))
        return true;
    if (read)
        return named ? task_by_headers(l) || read : task_by_body(l, &more) || read;
    return (named ? named_task(l) : anywhere(l)) || ((l->places & PLACE_REPLY) && control_reply(l));
}

static bool read_letter(const struct letter *l)
{
    bool named = names_task(l->in);

    if (l->places != PLACE_ANY)
        return read_at_places(l, named);
    return named ? named_task(l) : anywhere(l);
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

    if (l->in->content->what != WHAT_PICKLE || (l->places == PLACE_ANY && !cut))
        return false;
    emit_pickle(l, letter_action(l->in));
    return true;
}

/* Workers with an older py-amqp see other headers than the broker, and than newer ones: what either
 * finds there is judged. */
__attribute__((noinline)) static void read_other_headers(const struct msg *in, struct letter l)
{
    struct msg as_others = *in;

    as_others.headers = in->headers->other;
    l.in = &as_others;
    read_letter(&l);
}

static bool read_envelope(const struct msg *in, const struct interpret_out *out)
{
    struct letter l = {
        .in = in, .out = out, .doc = document_of(in->content), .places = places_of(in)};
    bool any;

    if (in->op == OP_READ)
        return looked_at(&l);
    any = read_letter(&l) || unnamed(&l);
    if (in->headers && in->headers->other)
        read_other_headers(in, l);
    return any;
}

static bool read(const struct msg *in, const struct interpret_out *out)
{
    if (!in->content)
        return false;
    if (!in->headers && !in->properties && !place_is_amqp(in))
        return result_in_redis(in, out);
    return read_envelope(in, out);
}

const struct interpreter celery_interpreter = {
    .name = "celery",
    .reads = MSG_ENVELOPE,
    .read = read,
};
