/* dissectors/resp/answered.c - a reply is complete: its record, and what follows from it. */
#include <stdio.h>
#include <stdlib.h>

#include "dissectors/resp/credential.h"
#include "dissectors/resp/reply.h"
#include "dissectors/resp/tell.h"

/* Type and length, or the error word; never content. */
static struct bytes describe(const struct reply *a, char text[64])
{
    static const struct {
        uint8_t kind;
        bool sized;
        const char *name;
    } kinds[] = {
        {RESP_SIMPLE, true, "simple"},     {RESP_BULK, true, "bulk"},
        {RESP_ARRAY, true, "array"},       {RESP_MAP, true, "map"},
        {RESP_SET, true, "set"},           {RESP_PUSH, true, "push"},
        {RESP_VERBATIM, true, "verbatim"}, {RESP_INTEGER, false, "integer"},
        {RESP_BOOL, false, "boolean"},     {RESP_DOUBLE, false, "double"},
        {RESP_BIGNUM, true, "bignum"},     {RESP_STREAM_END, false, "stream"}, /* of SYNC */
    };
    int n = 0;

    if (a->word_len > 0) {
        n = snprintf(text, 64, "error %.*s", (int)a->word_len, a->word);
        return bytes_of(text, (size_t)n);
    }
    if (a->null)
        return bytes_of("null", 4);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].kind != a->kind)
            continue;
        n = kinds[i].sized
                ? snprintf(text, 64, "%s %llu", kinds[i].name, (unsigned long long)a->size)
                : snprintf(text, 64, "%s", kinds[i].name);
        break;
    }
    return bytes_of(text, (size_t)n);
}

static void put_text(struct msg *m, enum field_id id, struct bytes text)
{
    if (text.at)
        fields_text(&m->fields, id, text);
}

static void put_command(const struct feed *f, struct msg *m, const struct pair_entry *e)
{
    const struct command *c = &command_table[e->code];
    const struct pair_record *r = e->record;
    struct bytes name = r->text[PAIR_NAME];

    fields_text(&m->fields, F_REDIS_COMMAND, name.at ? name : command_name(c));
    tell_session(f, m, e->has_record ? r->db : f->conn->db);
    put_text(m, F_REDIS_KEY, r->text[PAIR_KEY]);
    put_text(m, F_REDIS_CHANNEL, r->text[PAIR_CHANNEL]);
    if (e->has_record)
        fields_num(&m->fields, F_START, r->start);
    if (e->has_record)
        fields_text(&m->fields, F_REDIS_ARGS, r->text[PAIR_ARGS]);
    if (r->never_logged_in && !f->conn->logged_in)
        fields_num(&m->fields, F_NEVER_LOGGED_IN, 1);
    m->coverage |= r->coverage;
}

static void tell_reply(const struct feed *f, const struct pair_entry *e)
{
    const struct reply *a = &f->conn->reply;
    char text[64];
    struct msg m;

    tell_init(f, &m, MSG_REPLY, "command", TO_CLIENT);
    put_command(f, &m, e);
    if (a->gap)
        m.coverage |= COVER_GAP;
    fields_str(&m.fields, F_OUTCOME, a->word_len > 0 ? "failure" : "success");
    fields_text(&m.fields, F_REDIS_REPLY, describe(a, text));
    if (a->word_len > 0)
        fields_text(&m.fields, F_REDIS_ERROR, bytes_of(a->word, a->word_len));
    tell(f, &m);
}

static void reset(struct resp_conn *conn)
{
    free(conn->user);
    conn->user = NULL;
    conn->logged_in = conn->resp3 = conn->subscribed = conn->monitor = false;
    conn->db = 0;
    conn->quiet = QUIET_NO;
}

/* redis:src/replication.c: what follows +FULLRESYNC or +CONTINUE is the server's own log. */
static void replicates(struct feed *f)
{
    struct resp_conn *conn = f->conn;

    conn->replica = true;
    tell_unread(f, "redis-replication");
    resp_value_ignore(&conn->way[TO_CLIENT]);
}

static void succeeded(struct feed *f, const struct command *c, const struct pair_entry *e)
{
    struct resp_conn *conn = f->conn;

    if (c->flags & COMMAND_DATA)
        conn->data_done = true;
    switch (c->act) {
    case ACT_HELLO:
        if (e->record->num >= 2)
            conn->resp3 = e->record->num >= 3;
        break;
    case ACT_RESET: reset(conn); break;
    case ACT_MONITOR: conn->monitor = true; break;
    case ACT_PSYNC: replicates(f); break;
    default: break;
    }
}

static void failed(struct resp_conn *conn, const struct command *c, const struct pair_entry *e)
{
    if ((c->act == ACT_SELECT || c->act == ACT_EXEC) && e->has_record && e->record->num >= 0)
        conn->db = e->record->num;
    if (c->act == ACT_MULTI)
        conn->multi = false;
}

/* The server's access rules refused it: told whatever the command. */
static bool no_permission(const struct resp_conn *conn)
{
    return conn->reply.word_len == 6 && memcmp(conn->reply.word, "NOPERM", 6) == 0;
}

void reply_answered(struct feed *f, const struct pair_entry *e)
{
    const struct command *c = &command_table[e->code];

    if (e->record->login || f->conn->reply.word_len > 0)
        credential_answered(f, c, e);
    if ((e->flags & PAIR_TOLD) || no_permission(f->conn))
        tell_reply(f, e);
    if (f->conn->reply.word_len > 0)
        failed(f->conn, c, e);
    else
        succeeded(f, c, e);
}

void reply_unknown(struct feed *f, const struct pair_entry *e, uint8_t coverage)
{
    struct msg m;

    if (e->record->login)
        credential_unanswered(f, &command_table[e->code], e, coverage);
    if (!(e->flags & PAIR_TOLD))
        return;
    tell_init(f, &m, MSG_REPLY, "command", TO_SERVER);
    if (e->has_record)
        m.offset = e->record->offset;
    put_command(f, &m, e);
    m.coverage |= coverage;
    fields_str(&m.fields, F_OUTCOME, "unknown");
    tell(f, &m);
}

void reply_forget_all(struct feed *f, uint8_t coverage)
{
    struct pair *p = &f->conn->pair;
    struct budget *budget = f->conn->conf->budget;
    struct pair_entry e;

    for (; pair_first_queued(p, &e); pair_pop_queued(p, budget))
        reply_unknown(f, &e, coverage);
    for (; pair_first_waiting(p, &e); pair_pop_waiting(p, budget))
        reply_unknown(f, &e, coverage);
}

/* They were not executed: that is the reply's word, its null or its error. */
void reply_discard_queued(struct feed *f)
{
    struct pair *p = &f->conn->pair;
    struct pair_entry e;
    char text[64];
    struct msg m;

    for (; pair_first_queued(p, &e); pair_pop_queued(p, f->conn->conf->budget)) {
        if (!(e.flags & PAIR_TOLD))
            continue;
        tell_init(f, &m, MSG_REPLY, "command", TO_CLIENT);
        put_command(f, &m, &e);
        fields_str(&m.fields, F_OUTCOME, "failure");
        fields_text(&m.fields, F_REDIS_REPLY, describe(&f->conn->reply, text));
        tell(f, &m);
    }
}
