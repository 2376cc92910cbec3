/* dissectors/apps/control.c - remote control: commands and replies of kombu's pidbox
 * (kombu:pidbox.py:Mailbox._publish, Node.handle_message). */
#include "dissectors/apps/celery.h"
#include "dissectors/apps/members.h"
#include "dissectors/apps/text.h"

enum command { METHOD, ARGUMENTS, DESTINATION, PATTERN, MATCHER, TICKET, REPLY_TO, COMMANDS };

static const struct bytes command_names[COMMANDS] = {
    TEXT("method"),  TEXT("arguments"), TEXT("destination"), TEXT("pattern"),
    TEXT("matcher"), TEXT("ticket"),    TEXT("reply_to"),
};

/* Arguments that say what a command is about (celery:worker/control.py). */
enum argument {
    FROM_NODE,
    REVOKED,
    TASK_ID,
    TERMINATE,
    SIGNAL,
    TASK_NAME,
    QUEUE,
    TOPIC,
    ACTION,
    ARGUMENT_NAMES,
};

static const struct bytes argument_names[ARGUMENT_NAMES] = {
    TEXT("from_node"), TEXT("revoked"), TEXT("task_id"), TEXT("terminate"), TEXT("signal"),
    TEXT("task_name"), TEXT("queue"),   TEXT("topic"),   TEXT("action"),
};

static void set_text(struct fields *f, enum field_id id, const struct member *m)
{
    struct bytes text = member_text(m);

    if (text.at)
        fields_text(f, id, text);
}

/* The texts of a list, the keys of a mapping, or the one text. */
static struct bytes texts_of(const struct member *m, const struct document *doc,
                             struct arena *arena)
{
    struct document part = member_document(m, doc);
    struct bytes list = {0};
    struct reader r;
    struct token t;

    if (member_is_text(m))
        list_add(arena, &list, m->text);
    if (!document_readable(&part))
        return list;
    reader_begin(&r, part.format, part.bytes, true, arena);
    if (reader_next(&r, &t) && (t.kind == TOKEN_LIST || t.kind == TOKEN_MAP)) {
        enum token_kind want = t.kind == TOKEN_LIST ? TOKEN_STRING : TOKEN_KEY;

        while (reader_next(&r, &t) && r.depth > 0) {
            if (t.cut)
                break;
            if (t.kind == want &&
                !list_add(arena, &list, t.escaped ? token_text(&t, arena) : t.text))
                break;
            if (t.kind != TOKEN_STRING)
                reader_skip(&r, &t);
        }
    }
    reader_end(&r);
    return list;
}

static void set_list(struct fields *f, enum field_id id, struct bytes list)
{
    if (list.len > 0)
        fields_text(f, id, list);
}

/* The tasks that a revoke, a terminate or a hello is about; the first one by name. */
static void about_tasks(struct fields *f, const struct member *m, const struct document *doc,
                        bool one, struct arena *arena)
{
    struct bytes list = texts_of(m, doc, arena), left = list, first;

    set_list(f, F_CONTROL_TASKS, list);
    if (one && list_next(&left, &first))
        fields_text(f, F_TASK_ID, first);
}

/* election: the winner runs app.signature(action).apply_async() if the topic is "task"
 * (celery:worker/consumer/gossip.py:Gossip.on_elect_ack). */
static void about_election(struct fields *f, const struct member m[ARGUMENT_NAMES],
                           const struct document *doc, struct arena *arena)
{
    static const struct bytes task[] = {TEXT("task")};
    struct document action = member_document(&m[ACTION], doc);
    struct member name;

    set_text(f, F_CONTROL_TOPIC, &m[TOPIC]);
    members_read(&action, task, 1, &name, arena);
    set_text(f, F_TASK_NAME, &name);
}

static void about(struct fields *f, struct bytes method, const struct document *arguments,
                  struct arena *arena)
{
    struct member m[ARGUMENT_NAMES];
    bool terminate = bytes_eq(method, "terminate");

    members_read(arguments, argument_names, ARGUMENT_NAMES, m, arena);
    if (bytes_eq(method, "hello")) {
        set_text(f, F_CONTROL_FROM_NODE, &m[FROM_NODE]);
        about_tasks(f, &m[REVOKED], arguments, false, arena);
    } else if (terminate || text_starts(method, "revoke")) {
        about_tasks(f, &m[TASK_ID], arguments, true, arena);
        terminate = terminate || member_true(&m[TERMINATE]);
        /* The head of a value that is true may read as false: Celery writes `signal` behind it. */
        if (terminate || m[SIGNAL].seen || !arguments->clipped)
            fields_num(f, F_CONTROL_TERMINATE, terminate);
    } else if (bytes_eq(method, "election")) {
        about_election(f, m, arguments, arena);
    } else if (text_ends(method, "_limit")) {
        set_text(f, F_TASK_NAME, &m[TASK_NAME]);
    } else if (text_ends(method, "_consumer")) {
        set_text(f, F_TASK_QUEUE, &m[QUEUE]);
    }
}

/* A list names nodes. A text, which no client of kombu's sends, is searched for each node's name
 * (kombu:pidbox.py:Node.handle_message: `hostname in destination`). */
static void set_destination(struct fields *f, const struct member *m, const struct document *doc,
                            struct arena *arena)
{
    set_list(f, F_CONTROL_DESTINATION, texts_of(m, doc, arena));
    if (member_is_text(m) && m->text.len > 0)
        fields_num(f, F_CONTROL_BY_PART, 1);
}

static void set_reply_to(struct fields *f, const struct member *m, const struct document *doc,
                         struct arena *arena)
{
    static const struct bytes names[] = {TEXT("routing_key")};
    struct document part = member_document(m, doc);
    struct member key;

    members_read(&part, names, 1, &key, arena);
    set_text(f, F_CONTROL_REPLY_TO, &key);
}

/* The commands that do something (celery:worker/control.py). */
static bool is_known(struct bytes method)
{
    static const struct bytes known[] = {
        TEXT("shutdown"),        TEXT("pool_restart"),
        TEXT("election"),        TEXT("add_consumer"),
        TEXT("rate_limit"),      TEXT("time_limit"),
        TEXT("revoke"),          TEXT("terminate"),
        TEXT("pool_grow"),       TEXT("pool_shrink"),
        TEXT("hello"),           TEXT("autoscale"),
        TEXT("enable_events"),   TEXT("disable_events"),
        TEXT("cancel_consumer"), TEXT("revoke_by_stamped_headers"),
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (text_same(known[i], method))
            return true;
    return false;
}

/* Somebody else's call may have a `method` too, and `arguments`: nothing but what kombu's have, and
 * one of the commands that matter. */
static bool is_like_command(const struct member m[COMMANDS], unsigned others)
{
    bool more =
        m[ARGUMENTS].seen && (m[ARGUMENTS].kind == TOKEN_MAP || m[ARGUMENTS].kind == TOKEN_NULL);

    for (unsigned i = DESTINATION; i < COMMANDS; i++)
        more |= m[i].seen;
    return more && others == 0 && is_known(m[METHOD].text);
}

/* A mailbox takes whatever has a method. Elsewhere it must be the whole of what kombu sends, or
 * what the workers do for less than that (kombu:pidbox.py:Node.handle_message asks for `method`).
 */
static bool is_command(const struct member m[COMMANDS], unsigned others, bool certain, bool clipped)
{
    if (!member_is_text(&m[METHOD]) || m[METHOD].text.len == 0)
        return false;
    return certain ||
           (m[ARGUMENTS].seen && m[ARGUMENTS].kind == TOKEN_MAP && m[DESTINATION].seen) ||
           (!clipped && is_like_command(m, others));
}

/* `method` alone may be anybody's word; that the broker takes it to a mailbox is for the collector
 * to know. */
static void maybe_command(const struct letter *l, const struct member *method, unsigned others)
{
    struct msg out;

    if (others > 0 || l->doc.clipped || l->doc.format == WHAT_PICKLE || l->in->op != OP_PUBLISH ||
        !place_is_amqp(l->in) || !member_is_text(method) || !is_known(method->text))
        return;
    msg_from(&out, l->in, MSG_STORED, "command");
    fields_str(&out.fields, F_APP, "other");
    fields_text(&out.fields, F_CONTROL_METHOD, method->text);
    l->out->emit(l->out->ctx, &out);
}

bool control_command(const struct letter *l, bool certain)
{
    struct arena *arena = l->out->arena;
    struct member m[COMMANDS];
    struct document arguments;
    struct members got;
    struct msg out;
    bool strayed;

    got = members_read(&l->doc, command_names, COMMANDS, m, arena);
    if (!is_command(m, got.others, certain, l->doc.clipped)) {
        maybe_command(l, &m[METHOD], got.others);
        return false;
    }
    strayed = place_is_astray(l->in);
    msg_from(&out, l->in, MSG_CONTROL, strayed ? "delivered" : "command");
    fields_str(&out.fields, F_APP, "celery");
    set_text(&out.fields, F_CONTROL_METHOD, &m[METHOD]);
    set_destination(&out.fields, &m[DESTINATION], &l->doc, arena);
    set_text(&out.fields, F_CONTROL_PATTERN, &m[PATTERN]);
    set_text(&out.fields, F_CONTROL_MATCHER, &m[MATCHER]);
    set_text(&out.fields, F_CONTROL_TICKET, &m[TICKET]);
    set_reply_to(&out.fields, &m[REPLY_TO], &l->doc, arena);
    if (strayed)
        fields_num(&out.fields, F_CONTROL_ASTRAY, 1);
    arguments = member_document(&m[ARGUMENTS], &l->doc);
    about(&out.fields, m[METHOD].text, &arguments, arena);
    tally_add(l->out->tally, TALLY_controls, 1);
    l->out->emit(l->out->ctx, &out);
    return true;
}

/* The name of the first member: {nodename: what the node has to say}. */
static struct bytes first_key(const struct document *doc, struct arena *arena)
{
    struct bytes name = {0};
    struct reader r;
    struct token t;

    if (doc->format == WHAT_PICKLE)
        return doc->n_top > 0 ? doc->top[0].key : name;
    if (!document_readable(doc))
        return name;
    reader_begin(&r, doc->format, doc->bytes, doc->clipped, arena);
    if (reader_next(&r, &t) && t.kind == TOKEN_MAP && reader_next(&r, &t) && t.kind == TOKEN_KEY &&
        !t.cut)
        name = t.escaped ? token_text(&t, arena) : arena_copy(arena, t.text); /* may lie in r */
    reader_end(&r);
    return name;
}

bool control_reply(const struct letter *l)
{
    struct arena *arena = l->out->arena;
    struct bytes node = first_key(&l->doc, arena);
    struct bytes ticket = text_of_header(headers_find(l->in->headers, "ticket"), arena);
    struct msg out;

    if (node.len == 0 && ticket.len == 0)
        return false;
    msg_from(&out, l->in, MSG_CONTROL, "reply");
    fields_str(&out.fields, F_APP, "celery");
    if (node.len > 0)
        fields_text(&out.fields, F_WORKER_HOSTNAME, node);
    if (ticket.len > 0)
        fields_text(&out.fields, F_CONTROL_TICKET, ticket);
    tally_add(l->out->tally, TALLY_controls, 1);
    l->out->emit(l->out->ctx, &out);
    return true;
}
