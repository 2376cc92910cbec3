/* dissectors/apps/result.c - results: the meta document (celery:backends/base.py:
 * Backend._get_result_meta) of the rpc and Redis backends, and the parts of chords
 * (celery:backends/redis.py:RedisBackend.on_chord_part_return). */
#include "dissectors/apps/celery.h"
#include "dissectors/apps/members.h"
#include "dissectors/apps/text.h"

enum name {
    STATUS,
    RESULT,
    TRACEBACK,
    CHILDREN,
    DATE_DONE,
    GROUP_ID,
    PARENT_ID,
    NAME,
    WORKER,
    TASK_ID,
    TASK, /* in no worker's result: a mapping with it may be a task of protocol 1 */
    NAMES,
};

static const struct bytes names[NAMES] = {
    TEXT("status"),    TEXT("result"),   TEXT("traceback"), TEXT("children"),
    TEXT("date_done"), TEXT("group_id"), TEXT("parent_id"), TEXT("name"),
    TEXT("worker"),    TEXT("task_id"),  TEXT("task"),
};

static void set_text(struct fields *f, enum field_id id, const struct member *m)
{
    struct bytes text = member_text(m);

    if (text.at)
        fields_text(f, id, text);
}

static const char *action_of(const struct msg *in)
{
    if (in->cause)
        return in->action; /* kombu's word for it */
    switch (in->op) {
    case OP_STORE: return "stored";
    case OP_READ: return "retrieved";
    case OP_RETURN: return "returned";
    case OP_DELIVER: return "delivered";
    default: return "published";
    }
}

/* {"exc_type", "exc_message", "exc_module"}, where the state says that it is an exception
 * (celery:backends/base.py:Backend.prepare_exception, exception_to_python). */
static void set_exception(struct fields *f, struct bytes state, const struct member *result,
                          const struct document *doc, struct arena *arena)
{
    static const struct bytes exc[] = {TEXT("exc_type"), TEXT("exc_message"), TEXT("exc_module")};
    struct document part = member_document(result, doc);
    struct member m[3];

    if (!bytes_eq(state, "FAILURE") && !bytes_eq(state, "RETRY") && !bytes_eq(state, "REVOKED"))
        return;
    members_read(&part, exc, 3, m, arena);
    set_text(f, F_RESULT_EXC_TYPE, &m[0]);
    set_text(f, F_RESULT_EXC_MODULE, &m[2]);
}

static void begin(struct msg *m, const struct msg *in, const struct document *doc,
                  const char *backend)
{
    msg_from(m, in, MSG_RESULT, action_of(in));
    fields_str(&m->fields, F_APP, "celery");
    fields_str(&m->fields, F_RESULT_BACKEND, backend);
    fields_text(&m->fields, F_RESULT_SERIALIZER, serializer_of(in, doc));
    fields_num(&m->fields, F_CONTENT_WHAT, in->content->what);
}

static void finish(struct msg *m, const struct interpret_out *out)
{
    tally_add(out->tally, TALLY_results, 1);
    out->emit(out->ctx, m);
}

static void from_meta(struct fields *f, const struct member m[NAMES], const struct document *doc,
                      struct arena *arena)
{
    set_text(f, F_RESULT_STATUS, &m[STATUS]);
    set_text(f, F_RESULT_GROUP, &m[GROUP_ID]);
    set_text(f, F_TASK_PARENT_ID, &m[PARENT_ID]);
    set_text(f, F_TASK_NAME, &m[NAME]);
    set_text(f, F_WORKER_HOSTNAME, &m[WORKER]);
    set_text(f, F_TASK_ID, &m[TASK_ID]);
    set_exception(f, member_text(&m[STATUS]), &m[RESULT], doc, arena);
}

/* A client takes it for a result that it waits for, whatever is missing or comes besides
 * (celery:backends/asynchronous.py:BaseResultConsumer.on_state_change,
 * celery:backends/base.py:Backend.meta_from_decoded). */
static bool is_taken(const struct letter *l, const struct member m[NAMES], struct bytes correlation)
{
    static const struct bytes states[] = {
        TEXT("SUCCESS"), TEXT("FAILURE"), TEXT("REVOKED"), TEXT("RETRY"), TEXT("STARTED"),
    };
    bool known = false;

    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        known |= text_same(states[i], m[STATUS].text);
    return known && m[RESULT].seen && member_is_text(&m[TASK_ID]) &&
           ((correlation.len > 0 && text_same(correlation, m[TASK_ID].text)) ||
            place_has_results(l->in));
}

/* The whole of what a worker writes; the end may be cut off, and a pickle shows its plain members
 * only. The correlation id is the task's (celery:backends/rpc.py:RPCBackend.store_result). */
static bool is_meta(const struct letter *l, const struct member m[NAMES], struct bytes correlation)
{
    if (m[TASK].seen)
        return false;
    if (l->doc.format == WHAT_PICKLE)
        return member_is_text(&m[TASK_ID]);
    if (!m[RESULT].seen)
        return false;
    if (l->doc.clipped && !m[TASK_ID].seen)
        return correlation.len > 0;
    return m[TRACEBACK].seen && m[TASK_ID].seen &&
           (m[CHILDREN].seen || m[DATE_DONE].seen ||
            (correlation.len > 0 && text_same(correlation, m[TASK_ID].text)));
}

bool result_in_envelope(const struct letter *l, bool alone)
{
    struct arena *arena = l->out->arena;
    struct bytes correlation =
        text_of_header(headers_find(l->in->properties, "correlation_id"), arena);
    struct member m[NAMES];
    struct msg out;

    members_read(&l->doc, names, NAMES, m, arena);
    if (!member_is_text(&m[STATUS]) || (alone && m[TASK].seen) ||
        !(is_meta(l, m, correlation) || is_taken(l, m, correlation)))
        return false;
    begin(&out, l->in, &l->doc, "rpc");
    from_meta(&out.fields, m, &l->doc, arena);
    if (!msg_has(&out, F_TASK_ID))
        fields_text(&out.fields, F_TASK_ID, correlation);
    finish(&out, l->out);
    return true;
}

static void emit_meta(const struct msg *in, const struct interpret_out *out,
                      const struct document *doc, struct bytes id)
{
    struct member m[NAMES];
    struct msg result;

    members_read(doc, names, NAMES, m, out->arena);
    begin(&result, in, doc, "redis");
    from_meta(&result.fields, m, doc, out->arena);
    if (!msg_has(&result, F_TASK_ID) && id.len > 0)
        fields_text(&result.fields, F_TASK_ID, id);
    finish(&result, out);
}

/* [1, task id, state, result or exception] */
static bool read_part(const struct document *doc, struct fields *f, struct arena *arena)
{
    struct member m[4] = {0};
    struct reader r;
    struct token t;
    unsigned n = 0;

    if (!document_readable(doc))
        return false;
    reader_begin(&r, doc->format, doc->bytes, doc->clipped, arena);
    if (reader_next(&r, &t) && t.kind == TOKEN_LIST)
        for (; n < 4 && reader_next(&r, &t) && t.kind != TOKEN_LIST_END; n++)
            member_take(&m[n], &r, &t, arena);
    reader_end(&r);
    if (n < 3 || !member_is_text(&m[1]) || !member_is_text(&m[2]))
        return false;
    set_text(f, F_TASK_ID, &m[1]);
    set_text(f, F_RESULT_STATUS, &m[2]);
    set_exception(f, m[2].text, &m[3], doc, arena);
    return true;
}

static void emit_stored(const struct msg *in, const struct interpret_out *out, struct bytes group)
{
    struct msg m;

    msg_from(&m, in, MSG_STORED, action_of(in));
    fields_str(&m.fields, F_APP, "celery");
    fields_text(&m.fields, F_RESULT_GROUP, group);
    out->emit(out->ctx, &m);
}

/* A group's key: ".j" the parts, ".s" and ".t" counters, alone the ids of its members. */
static bool read_group(const struct msg *in, const struct interpret_out *out,
                       const struct document *doc, struct bytes key)
{
    struct bytes group = key;
    struct msg m;

    if (text_ends(key, ".s") || text_ends(key, ".t"))
        return true;
    if (!text_ends(key, ".j")) {
        emit_stored(in, out, group);
        return true;
    }
    group = bytes_head(key, key.len - 2);
    begin(&m, in, doc, "redis");
    fields_text(&m.fields, F_RESULT_GROUP, group);
    if (read_part(doc, &m.fields, out->arena) || doc->format == WHAT_PICKLE)
        finish(&m, out);
    return true;
}

/* What no key vouches for. */
static bool read_unkeyed(const struct msg *in, const struct interpret_out *out,
                         const struct document *doc)
{
    struct member m[NAMES];

    if (!document_readable(doc))
        return false;
    members_read(doc, names, NAMES, m, out->arena);
    if (!member_is_text(&m[STATUS]) || !m[RESULT].seen || !m[TRACEBACK].seen || !m[CHILDREN].seen ||
        !member_is_text(&m[TASK_ID]) || m[TASK].seen)
        return false;
    emit_meta(in, out, doc, (struct bytes){0});
    return true;
}

bool result_in_redis(const struct msg *in, const struct interpret_out *out)
{
    static const char meta[] = "celery-task-meta-", group[] = "celery-taskset-meta-";
    struct bytes key = msg_text(in, msg_has(in, F_REDIS_CHANNEL) ? F_REDIS_CHANNEL : F_REDIS_KEY);
    size_t at = text_find(key, meta), of_group = text_find(key, group);
    struct document doc;

    if (at == key.len && of_group == key.len && (key.len > 0 || in->content->what != WHAT_JSON))
        return false;
    doc = document_of(in->content);
    if (at < key.len) {
        if (doc.format == WHAT_TEXT)
            doc.format = WHAT_YAML; /* nothing declares a type here */
        if (doc.bytes.len > 0)
            emit_meta(in, out, &doc, text_after(key, at + sizeof meta - 1));
        return true;
    }
    if (of_group < key.len)
        return read_group(in, out, &doc, text_after(key, of_group + sizeof group - 1));
    return read_unkeyed(in, out, &doc);
}
