/* dissectors/apps/event.c - events of workers and of tasks
 * (celery:events/dispatcher.py:EventDispatcher.publish, flush; celery:events/receiver.py). */
#include "dissectors/apps/celery.h"
#include "dissectors/apps/members.h"
#include "dissectors/apps/text.h"

enum name {
    HOSTNAME,
    UTCOFFSET,
    PID,
    CLOCK,
    UUID,
    TASK,
    ACTIVE,
    PROCESSED,
    SW_IDENT,
    SW_VER,
    SW_SYS,
    TOPIC,
    ACTION,
    TIMESTAMP,
    TYPE,
    NAMES,
};

/* In the order of the wire (celery:events/dispatcher.py:EventDispatcher.publish,
 * celery:events/event.py:Event): what comes first in every event, what each of them has, and the
 * last two. */
static const struct bytes names[NAMES] = {
    TEXT("hostname"), TEXT("utcoffset"), TEXT("pid"),       TEXT("clock"),     TEXT("uuid"),
    TEXT("name"),     TEXT("active"),    TEXT("processed"), TEXT("sw_ident"),  TEXT("sw_ver"),
    TEXT("sw_sys"),   TEXT("topic"),     TEXT("action"),    TEXT("timestamp"), TEXT("type"),
};

static const char *action_of(struct bytes type)
{
    static const char *const actions[] = {
        "worker-heartbeat", "task-received",  "task-started", "task-succeeded",   "task-sent",
        "task-failed",      "task-retried",   "task-revoked", "task-rejected",    "task-cancelled",
        "worker-online",    "worker-offline", "worker-elect", "worker-elect-ack",
    };

    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (bytes_eq(type, actions[i]))
            return actions[i];
    return "event";
}

static void set_text(struct fields *f, enum field_id id, const struct member *m)
{
    struct bytes text = member_text(m);

    if (text.at)
        fields_text(f, id, text);
}

static void set_number(struct fields *f, enum field_id id, const struct member *m)
{
    if (m->seen && m->kind == TOKEN_INT)
        fields_num(f, id, m->num);
}

/* What the winner will run (celery:worker/consumer/gossip.py:Gossip.on_elect_ack). */
static void about_election(struct fields *f, const struct member m[NAMES],
                           const struct document *doc, struct arena *arena)
{
    static const struct bytes task[] = {TEXT("task")};
    struct document action = member_document(&m[ACTION], doc);
    struct member name;

    set_text(f, F_CONTROL_TOPIC, &m[TOPIC]);
    members_read(&action, task, 1, &name, arena);
    set_text(f, F_TASK_NAME, &name);
}

/* Workers go by the routing key (celery:worker/consumer/gossip.py:Gossip.on_message), which a
 * binding may change on the way, and by nothing in the event; what on_elect() wants to be there is
 * in no other one, and in no list. */
static bool is_election(const struct letter *l, const struct member m[NAMES])
{
    static const struct bytes rest[] = {TEXT("id"), TEXT("cver")};
    struct member more[2];

    if (!m[TOPIC].seen || !m[ACTION].seen || !member_is_text(&m[HOSTNAME]) || !m[PID].seen ||
        !m[CLOCK].seen)
        return false;
    members_read(&l->doc, rest, 2, more, l->out->arena);
    return more[0].seen && more[1].seen;
}

static void emit(const struct letter *l, const struct member m[NAMES])
{
    static const struct bytes elect = TEXT("worker-elect");
    struct bytes type = is_election(l, m) ? elect : m[TYPE].text;
    struct msg out;
    struct fields *f = &out.fields;

    msg_from(&out, l->in, MSG_WORKER, action_of(type));
    fields_str(f, F_APP, "celery");
    fields_text(f, F_WORKER_EVENT, type);
    set_text(f, F_WORKER_HOSTNAME, &m[HOSTNAME]);
    set_text(f, F_WORKER_SW_IDENT, &m[SW_IDENT]);
    set_text(f, F_WORKER_SW_VER, &m[SW_VER]);
    set_text(f, F_WORKER_SW_SYS, &m[SW_SYS]);
    set_number(f, F_WORKER_PID, &m[PID]);
    set_number(f, F_WORKER_ACTIVE, &m[ACTIVE]);
    set_number(f, F_WORKER_PROCESSED, &m[PROCESSED]);
    set_text(f, F_TASK_ID, &m[UUID]);
    set_text(f, F_TASK_NAME, &m[TASK]);
    if (text_starts(type, "worker-elect"))
        about_election(f, m, &l->doc, l->out->arena);
    tally_add(l->out->tally, TALLY_worker_events, 1);
    l->out->emit(l->out->ctx, &out);
}

/* Where events are expected, whatever has a type is one; elsewhere it must be signed like one. */
static bool is_event(const struct letter *l, const struct member m[NAMES], bool certain)
{
    bool named = text_starts(m[TYPE].text, "worker-") || text_starts(m[TYPE].text, "task-");
    bool typed = member_is_text(&m[TYPE]) && m[TYPE].text.len > 0;

    if (typed && (certain || (named && member_is_text(&m[HOSTNAME]) && m[TIMESTAMP].seen &&
                              (m[CLOCK].seen || m[UTCOFFSET].seen))))
        return true;
    return is_election(l, m);
}

/* Celery sends at most a few dozen at once (celery:events/dispatcher.py:buffer_limit). */
enum { EVENTS_MOST = 4096 };

static bool read_list(const struct letter *l, struct reader *r, bool certain)
{
    struct member m[NAMES];
    struct token t;
    unsigned n = 0;
    bool any = false;

    while (reader_next(r, &t) && t.kind != TOKEN_LIST_END) {
        if (n++ == EVENTS_MOST) {
            tally_add(l->out->tally, TALLY_nesting_limit, 1);
            break;
        }
        if (t.kind != TOKEN_MAP) {
            reader_skip(r, &t);
            continue;
        }
        members_of(r, names, NAMES, m, l->out->arena);
        if (!is_event(l, m, certain)) {
            if (!any && !certain)
                return false;
            continue;
        }
        any = true;
        emit(l, m);
    }
    return any;
}

bool event_read(const struct letter *l, bool certain)
{
    struct member m[NAMES];
    struct reader r;
    struct token t;
    bool any = false;

    if (l->doc.format == WHAT_PICKLE) {
        members_read(&l->doc, names, NAMES, m, l->out->arena);
        if (!is_event(l, m, certain))
            return false;
        emit(l, m);
        return true;
    }
    if (!document_readable(&l->doc))
        return false;
    reader_begin(&r, l->doc.format, l->doc.bytes, l->doc.clipped, l->out->arena);
    if (!reader_next(&r, &t)) {
        any = false;
    } else if (t.kind == TOKEN_LIST) {
        any = read_list(l, &r, certain);
    } else if (t.kind == TOKEN_MAP) {
        members_of(&r, names, NAMES, m, l->out->arena);
        any = is_event(l, m, certain);
        if (any)
            emit(l, m);
    }
    reader_end(&r);
    return any;
}
