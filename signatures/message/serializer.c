/* signatures/message/serializer.c - bodies in a format that can run code, or that
 * the operator does not allow: pickle-serializer, serializer-forbidden. */
#include "base/hash.h"
#include "signatures/message/message.h"

static const char *kind_name(enum msg_kind kind)
{
    switch (kind) {
    case MSG_TASK: return "task";
    case MSG_RESULT: return "result";
    case MSG_WORKER: return "event";
    case MSG_CONTROL: return "control message";
    default: return "stored value";
    }
}

static void pickled(const struct msg *m, const struct detect_out *out)
{
    struct finding f;
    struct bytes app = msg_text(m, F_APP);
    bool celery = app.len == 0 || bytes_eq(app, "celery");

    finding_init(&f, RULE_PICKLE_SERIALIZER, celery ? SEV_MEDIUM : SEV_INFO);
    if (celery)
        finding_reason(&f, "a %s is pickled: whoever can write here can run code in its reader",
                       kind_name(m->kind));
    else
        finding_reason(&f, "a value of another program on this broker is pickled");
    finding_str(&f, "format", "pickle");
    finding_str(&f, "what", kind_name(m->kind));
    finding_num(&f, "size", (int64_t)m->content->wire_len);
    f.fold_class = hash_mix(hash_bytes(app, 1), m->kind);
    f.once_a_task = true;
    out->emit(out->ctx, m, &f);
}

/* A list of allowed serializers names them as kombu does, or by content type. */
static bool allowed(const struct text_list *list, struct bytes name, struct bytes type)
{
    for (size_t i = 0; i < list->n; i++)
        if (bytes_eq(name, list->at[i]) || (type.len > 0 && bytes_eq(type, list->at[i])))
            return true;
    return false;
}

static struct bytes serializer_of(const struct msg *m)
{
    return msg_text(m, m->kind == MSG_RESULT ? F_RESULT_SERIALIZER : F_TASK_SERIALIZER);
}

static void forbidden(const struct msg *m, const struct detect_out *out)
{
    struct finding f;
    struct bytes name = serializer_of(m), type = m->content->type;

    if ((name.len == 0 && type.len == 0) || allowed(&out->policy->serializers.allowed, name, type))
        return;
    finding_init(&f, RULE_SERIALIZER_FORBIDDEN, SEV_MEDIUM);
    finding_reason(&f, "a %s uses a serializer that the policy does not allow", kind_name(m->kind));
    if (name.len > 0)
        finding_text(&f, "serializer", name);
    if (type.len > 0)
        finding_text(&f, "content_type", type);
    f.fold_class = hash_mix(hash_bytes(name, 1), hash_bytes(type, 2));
    f.once_a_task = true;
    out->emit(out->ctx, m, &f);
}

static void check(const struct msg *m, const struct detect_out *out)
{
    if (!m->content)
        return;
    if (m->content->what == WHAT_PICKLE)
        pickled(m, out);
    if (out->policy->serializers.set && m->kind != MSG_STORED)
        forbidden(m, out);
}

const struct message_detector serializer_detector = {
    .name = "serializer",
    .wants = MSG_TASK | MSG_RESULT | MSG_WORKER | MSG_CONTROL | MSG_STORED,
    .check = check,
};
