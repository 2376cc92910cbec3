/* dissectors/apps/rq.c - RQ: jobs are hashes rq:job:<id>, queues lists of ids
 * (rq/rq:rq/job.py:Job.to_dict, rq/queue.py, rq/command.py:send_command). */
#include "dissectors/apps/document.h"
#include "dissectors/apps/stored.h"
#include "dissectors/apps/text.h"

/* With RQ's JSON serializer `data` is [name of the function, instance, args, kwargs]. */
static void name_job(struct msg *m, const struct msg *in, struct arena *arena)
{
    struct document doc = document_of(in->content);
    struct reader r;
    struct token t;

    if (doc.format != WHAT_JSON)
        return;
    reader_begin(&r, doc.format, doc.bytes, doc.clipped, arena);
    if (reader_next(&r, &t) && t.kind == TOKEN_LIST && reader_next(&r, &t) &&
        t.kind == TOKEN_STRING && !t.cut)
        fields_text(&m->fields, F_TASK_NAME, token_text(&t, arena));
    reader_end(&r);
}

/* The fields that hold what a serializer made; the others are plain words and times. */
static bool read_job(const struct msg *in, struct bytes id, const struct interpret_out *out)
{
    struct bytes field = msg_text(in, F_REDIS_FIELD);
    bool data = bytes_eq(field, "data");
    struct msg m;

    if (!data && in->content->what != WHAT_PICKLE && !bytes_eq(field, "meta") &&
        !bytes_eq(field, "result"))
        return true;
    stored_begin(&m, in, "rq");
    fields_text(&m.fields, F_TASK_ID, id);
    if (data)
        name_job(&m, in, out->arena);
    out->emit(out->ctx, &m);
    return true;
}

static void read_queue(const struct msg *in, struct bytes name, const struct interpret_out *out)
{
    struct msg m;

    stored_begin(&m, in, "rq");
    fields_text(&m.fields, F_TASK_QUEUE, name);
    if (!in->content->clipped)
        fields_text(&m.fields, F_TASK_ID, in->content->body);
    out->emit(out->ctx, &m);
}

static bool read(const struct msg *in, const struct interpret_out *out)
{
    static const char job[] = "rq:job:", queue[] = "rq:queue:";
    struct bytes key;
    struct msg m;

    if (!stored_is_raw(in))
        return false;
    key = stored_key(in);
    if (!text_starts(key, "rq:"))
        return false;
    if (text_starts(key, job))
        return read_job(in, text_after(key, sizeof job - 1), out);
    if (text_starts(key, queue)) {
        read_queue(in, text_after(key, sizeof queue - 1), out);
        return true;
    }
    if (!text_starts(key, "rq:pubsub:") && in->content->what != WHAT_PICKLE)
        return true;
    stored_begin(&m, in, "rq");
    out->emit(out->ctx, &m);
    return true;
}

const struct interpreter rq_interpreter = {
    .name = "rq",
    .reads = MSG_ENVELOPE,
    .read = read,
};
