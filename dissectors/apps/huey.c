/* dissectors/apps/huey.c - Huey on Redis (coleifer/huey:huey/storage.py:RedisStorage,
 * PriorityRedisStorage, RedisExpireStorage). */
#include "dissectors/apps/stored.h"
#include "dissectors/apps/text.h"

/* The priority queue puts eight bytes of time before the pickle, so that members differ. */
enum { STAMP = 8 };

static bool stamped(const struct msg *in)
{
    struct bytes body = in->content->body;

    return in->content->what != WHAT_PICKLE && body.len > STAMP + 2 && body.at[STAMP] == 0x80 &&
           body.at[STAMP + 1] <= 5;
}

static bool read(const struct msg *in, const struct interpret_out *out)
{
    static const char queue[] = "huey.redis.", results[] = "huey.results.";
    const struct msg *raw = in->cause && !in->cause->cause ? in->cause : in;
    struct bytes key;
    struct msg m;

    if (!stored_is_raw(raw))
        return false;
    key = stored_key(raw);
    if (!text_starts(key, "huey."))
        return false;
    if (raw == in && text_starts(key, queue) && stamped(in)) {
        stored_behind(in, STAMP, out);
        return true;
    }
    stored_begin(&m, in, "huey");
    if (text_starts(key, queue))
        fields_text(&m.fields, F_TASK_QUEUE, text_after(key, sizeof queue - 1));
    else if (text_starts(key, results) && msg_has(in, F_REDIS_FIELD))
        fields_text(&m.fields, F_TASK_ID, msg_text(in, F_REDIS_FIELD));
    out->emit(out->ctx, &m);
    return true;
}

const struct interpreter huey_interpreter = {
    .name = "huey",
    .reads = MSG_ENVELOPE,
    .read = read,
};
