/* dissectors/apps/arq.c - arq: pickled dictionaries under arq:job:<id> and
 * arq:result:<id> (python-arq/arq:arq/constants.py, arq/jobs.py:serialize_job). */
#include "dissectors/apps/members.h"
#include "dissectors/apps/stored.h"
#include "dissectors/apps/text.h"

static void name_job(struct msg *m, const struct msg *in, struct arena *arena)
{
    static const struct bytes function[] = {TEXT("f")};
    struct document doc = document_of(in->content);
    struct member name;

    members_read(&doc, function, 1, &name, arena);
    if (member_is_text(&name))
        fields_text(&m->fields, F_TASK_NAME, name.text);
}

static bool read(const struct msg *in, const struct interpret_out *out)
{
    static const char job[] = "arq:job:", result[] = "arq:result:";
    struct bytes key;
    struct msg m;

    if (!stored_is_raw(in))
        return false;
    key = stored_key(in);
    if (!text_starts(key, "arq:"))
        return false;
    stored_begin(&m, in, "arq");
    if (text_starts(key, job) || text_starts(key, result)) {
        size_t prefix = text_starts(key, job) ? sizeof job - 1 : sizeof result - 1;

        fields_text(&m.fields, F_TASK_ID, text_after(key, prefix));
        name_job(&m, in, out->arena);
    } else if (in->content->what != WHAT_PICKLE) {
        return true; /* ids, counters, marks */
    }
    out->emit(out->ctx, &m);
    return true;
}

const struct interpreter arq_interpreter = {
    .name = "arq",
    .reads = MSG_ENVELOPE,
    .read = read,
};
