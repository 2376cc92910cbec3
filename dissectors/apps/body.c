/* dissectors/apps/body.c - see body.h. */
#include "dissectors/apps/body.h"

#include "dissectors/apps/quick.h"
#include "dissectors/apps/text.h"

const struct bytes body_names[BODY_MEMBERS] = {
    TEXT("task"),        TEXT("id"),         TEXT("args"),      TEXT("kwargs"),  TEXT("group"),
    TEXT("group_index"), TEXT("retries"),    TEXT("eta"),       TEXT("expires"), TEXT("utc"),
    TEXT("callbacks"),   TEXT("errbacks"),   TEXT("timelimit"), TEXT("taskset"), TEXT("chord"),
    TEXT("lang"),        TEXT("root_id"),    TEXT("parent_id"), TEXT("shadow"),  TEXT("origin"),
    TEXT("argsrepr"),    TEXT("kwargsrepr"), TEXT("meth"),
};

static void read_triple(struct reader *r, struct task_body *to, struct arena *arena)
{
    struct bytes *part[] = {&to->args, &to->kwargs, &to->embed};
    struct token t;

    for (unsigned i = 0; i < 3 && reader_next(r, &t) && t.kind != TOKEN_LIST_END; i++)
        *part[i] = document_raw(r, &t, arena);
}

/* Of those that Celery writes since 3.1 (celery:app/amqp.py:AMQP.as_task_v1; 3.1: TaskProducer.
 * publish_task): `group` came with 4.0. */
static uint8_t lacks(const struct member m[BODY_MEMBERS])
{
    static const enum body_member always[] = {
        BODY_TASK,    BODY_ID,      BODY_ARGS,      BODY_KWARGS,    BODY_RETRIES,
        BODY_ETA,     BODY_EXPIRES, BODY_UTC,       BODY_CALLBACKS, BODY_ERRBACKS,
        BODY_TASKSET, BODY_CHORD,   BODY_TIMELIMIT,
    };
    uint8_t n = 0;

    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        n = (uint8_t)(n + !m[always[i]].seen);
    return n;
}

static void read_mapping(struct reader *r, struct body *out, struct arena *arena)
{
    out->members = members_of(r, body_names, BODY_MEMBERS, out->member, arena);
    out->views.args = out->member[BODY_ARGS].text;
    out->views.kwargs = out->member[BODY_KWARGS].text;
    out->views.mapping = true;
    out->views.twice = out->members.twice;
    if (r->end == READER_GOING || r->end == READER_WHOLE)
        out->views.lacks = lacks(out->member);
}

/* Over the next part, and over what is behind it. */
static quick_at quick_part(struct quick *q, quick_at at, uint8_t then, struct bytes *part)
{
    at = quick_container(q, at, part);
    return at ? quick_take(at, then) : NULL;
}

/* [args, kwargs, embed] as json.dumps writes it; false: left to the reader. */
static bool quick_triple(const struct document *doc, struct task_body *to)
{
    static const struct bytes nothing = TEXT(" " BODY_NOTHING "]");
    struct task_body b = {.format = doc->format};
    struct quick q;
    quick_at at;

    if (doc->clipped || !quick_begin(&q, doc->bytes, NULL))
        return false;
    at = quick_take(q.begin, '[');
    at = at ? quick_part(&q, at, ',', &b.args) : NULL;
    at = at ? quick_part(&q, at, ',', &b.kwargs) : NULL;
    if (!at)
        return false;
    if (text_same(bytes_of(at, (size_t)(q.end - at)), nothing))
        b.embed = bytes_of(at + 1, nothing.len - 2);
    else if (!quick_part(&q, at, ']', &b.embed))
        return false;
    *to = b;
    return true;
}

void body_read(const struct document *doc, struct body *out, struct arena *arena)
{
    struct reader r;
    struct token t;

    out->shape = BODY_UNREAD;
    out->member[BODY_ARGS].seen = false;
    out->views = (struct task_body){.format = doc->format};
    if (doc->format == WHAT_PICKLE && doc->n_top > 0) {
        out->shape = BODY_MAPPING;
        out->members = members_read(doc, body_names, BODY_MEMBERS, out->member, arena);
    }
    if (!document_readable(doc))
        return;
    if (doc->format == WHAT_JSON && quick_triple(doc, &out->views)) {
        out->shape = BODY_TRIPLE;
        return;
    }
    reader_begin(&r, doc->format, doc->bytes, doc->clipped, arena);
    if (!reader_next(&r, &t)) {
        out->shape = BODY_UNREAD;
    } else if (t.kind == TOKEN_LIST) {
        out->shape = BODY_TRIPLE;
        read_triple(&r, &out->views, arena);
    } else if (t.kind == TOKEN_MAP) {
        out->shape = BODY_MAPPING;
        read_mapping(&r, out, arena);
    }
    reader_end(&r);
}
