/* dissectors/apps/dramatiq.c - Dramatiq's messages, the same on RabbitMQ and, by its
 * scripts, on Redis (bogdanp/dramatiq:dramatiq/message.py:Message, brokers/redis.py). */
#include "dissectors/apps/members.h"
#include "dissectors/apps/stored.h"
#include "dissectors/apps/text.h"

enum name { QUEUE, ACTOR, ID, NAMES };

static const struct bytes names[NAMES] = {
    TEXT("queue_name"),
    TEXT("actor_name"),
    TEXT("message_id"),
};

static bool may_be(const struct msg *in)
{
    struct bytes body;

    if (!in->content || in->cause)
        return false;
    if (!place_is_amqp(in) && !text_starts(msg_text(in, F_REDIS_COMMAND), "EVAL") &&
        text_find(stored_key(in), "dramatiq") == stored_key(in).len)
        return false;
    body = content_inner(in->content);
    return in->content->what == WHAT_PICKLE || (body.len > 2 && body.at[0] == '{');
}

static bool read(const struct msg *in, const struct interpret_out *out)
{
    struct document doc;
    struct member m[NAMES];
    struct msg stored;

    if (!may_be(in))
        return false;
    doc = document_of(in->content);
    members_read(&doc, names, NAMES, m, out->arena);
    if (!member_is_text(&m[QUEUE]) || !member_is_text(&m[ACTOR]) ||
        (!member_is_text(&m[ID]) && !doc.clipped))
        return false;
    stored_begin(&stored, in, "dramatiq");
    fields_text(&stored.fields, F_TASK_NAME, m[ACTOR].text);
    fields_text(&stored.fields, F_TASK_QUEUE, m[QUEUE].text);
    if (member_is_text(&m[ID]))
        fields_text(&stored.fields, F_TASK_ID, m[ID].text);
    out->emit(out->ctx, &stored);
    return true;
}

const struct interpreter dramatiq_interpreter = {
    .name = "dramatiq",
    .reads = MSG_ENVELOPE,
    .read = read,
};
