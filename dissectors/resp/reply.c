/* dissectors/resp/reply.c - see reply.h. */
#include "dissectors/resp/reply.h"

#include <stdlib.h>

#include "dissectors/resp/foothold.h"
#include "dissectors/resp/tell.h"

void reply_free(struct resp_conn *conn)
{
    free(conn->reply.saved);
    conn->reply.saved = NULL;
}

static const struct command *row(const struct pair_entry *e)
{
    return &command_table[e->code];
}

/* The entry that the reply in progress answers, found again: the queue may have moved. */
static void find_entry(struct feed *f)
{
    const struct reply *a = &f->conn->reply;

    f->has_entry = false;
    if (!a->open)
        return;
    if (a->mode == MODE_PAIRED)
        f->has_entry = pair_first_waiting(&f->conn->pair, &f->entry);
    else if (a->mode == MODE_EXEC)
        f->has_entry = pair_first_queued(&f->conn->pair, &f->entry);
}

void reply_enter(struct feed *f)
{
    find_entry(f);
}

/* Keeps the texts that a value to come belongs to. */
void reply_leave(struct feed *f)
{
    struct reply *a = &f->conn->reply;
    size_t n = a->first.len + a->second.len;
    bool done = (a->first_saved || a->first.len == 0) && (a->second_saved || a->second.len == 0);
    uint8_t *saved;

    if (!a->open || done)
        return;
    saved = malloc(n);
    if (!saved) {
        a->first = a->second = bytes_of(NULL, 0);
        return;
    }
    if (a->first.len > 0)
        memcpy(saved, a->first.at, a->first.len);
    if (a->second.len > 0)
        memcpy(saved + a->first.len, a->second.at, a->second.len);
    free(a->saved);
    a->saved = saved;
    if (a->first.at)
        a->first.at = saved;
    if (a->second.at)
        a->second.at = saved + a->first.len;
    a->first_saved = a->second_saved = true;
}

static void summarize(struct reply *a, const struct resp_token *t)
{
    a->kind = t->kind;
    a->null = t->null;
    a->gap = t->gap;
    a->map = t->kind == RESP_MAP;
    a->word_len = 0;
    a->no_password = a->bad_password = false;
    a->size = resp_is_aggregate(t->kind) ? (uint64_t)(t->num < 0 ? 0 : t->num) : t->wire_len;
    if (a->map)
        a->size /= 2;
    a->list_at = 0;
    a->first = a->second = bytes_of(NULL, 0);
    a->first_saved = a->second_saved = false;
    if (t->kind != RESP_ERROR && t->kind != RESP_BULK_ERROR)
        return;
    for (size_t i = 0; i < t->text.len && a->word_len < REPLY_WORD; i++) {
        uint8_t c = t->text.at[i];
        if (c == ' ' || c == '\r' || c == '\n')
            break;
        /* Error codes are in capitals; anything else may be a value that a script sent. */
        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) {
            a->word_len = 0;
            break;
        }
        a->word[a->word_len++] = (char)c;
    }
    if (a->word_len == 0)
        a->word[a->word_len++] = '?';
    /* redis:src/acl.c:authCommand, also as it was before 6. */
    a->no_password =
        bytes_find(t->text, "without any password") || bytes_find(t->text, "no password is set");
    a->bad_password = bytes_find(t->text, "invalid password");
}

/* Could it be the reply to this command? Asked only where pairing is not sure. */
static bool plausible(const struct command *c, const struct resp_token *t)
{
    unsigned kind = EXPECT_BULK;

    if (c->expect == 0 || t->kind == RESP_ERROR || t->kind == RESP_BULK_ERROR)
        return true;
    if (t->null)
        return c->expect & (EXPECT_BULK | EXPECT_LIST);
    if (t->kind == RESP_SIMPLE)
        kind = EXPECT_STATUS;
    else if (t->kind == RESP_INTEGER)
        kind = EXPECT_INT;
    else if (resp_is_aggregate(t->kind))
        kind = EXPECT_LIST;
    return c->expect & kind;
}

static bool is_queued(const struct feed *f, const struct resp_token *t)
{
    return t->kind == RESP_SIMPLE && bytes_eq(t->text, "QUEUED") &&
           ((f->entry.flags & PAIR_IN_MULTI) || f->conn->unsure);
}

/* A reply that no command waits for: it overtook its request, or belongs to one that is not known.
 */
static void unpaired(struct feed *f)
{
    struct resp_conn *conn = f->conn;

    conn->reply.mode = MODE_UNPAIRED;
    if (conn->pair.waiting > 0)
        return;
    if (conn->pair.lost > 0) {
        if (--conn->pair.lost == 0)
            reply_forget_all(f, 0);
    } else if (!conn->never_whole && conn->quiet == QUIET_NO && !conn->replica) {
        conn->ahead++;
    }
}

/* One for each channel, of which EXEC counts the first only (redis:src/pubsub.c, multi.c). */
static bool has_many_replies(uint16_t code)
{
    return command_table[code].reply == REPLY_SUBSCRIBED;
}

static void pair_up(struct feed *f, const struct resp_token *t)
{
    struct resp_conn *conn = f->conn;
    struct reply *a = &conn->reply;

    conn->replied = true;
    f->has_entry = pair_first_waiting(&conn->pair, &f->entry);
    if (f->has_entry && conn->unsure && !plausible(row(&f->entry), t) && !is_queued(f, t))
        f->has_entry = false;
    if (!f->has_entry) {
        unpaired(f);
        return;
    }
    conn->matched = conn->matched || !is_queued(f, t);
    a->mode = MODE_PAIRED;
    if (is_queued(f, t)) {
        conn->multi = conn->multi || conn->unsure; /* it began before we came */
        pair_queue(&conn->pair);
        a->mode = MODE_PASS;
        f->has_entry = false;
    } else if (row(&f->entry)->act == ACT_EXEC && t->kind == RESP_ARRAY) {
        a->mode = MODE_EXEC;
        a->commands = (uint32_t)a->size;
        f->has_entry = false;
        resp_value_more(&conn->way[TO_CLIENT], pair_queued_more(&conn->pair, has_many_replies));
    }
}

/* RESP2 has one form for replies and for messages. */
static bool may_be_message(const struct resp_conn *conn, const struct resp_token *t)
{
    return t->kind == RESP_ARRAY && (t->num == 3 || t->num == 4) && !conn->resp3 &&
           (conn->subscribed || conn->unsure || (conn->pair.waiting == 0 && conn->pair.lost == 0));
}

/* Of MONITOR, which may have begun before we came: somebody's command, with whatever it holds. It
 * is a push, which answers nothing; it is counted, and not told. */
static bool monitor_line(const struct resp_conn *conn, const struct resp_token *t)
{
    if (t->kind != RESP_SIMPLE || t->text.len == 0 || t->text.at[0] < '0' || t->text.at[0] > '9')
        return false;
    return conn->monitor || (conn->unsure && foothold_monitor(t->text) == FOOTHOLD_YES);
}

static void begin(struct feed *f, const struct resp_token *t)
{
    struct resp_conn *conn = f->conn;
    struct reply *a = &conn->reply;

    a->open = true;
    f->has_entry = false;
    summarize(a, t);
    if (t->kind == RESP_MAP || t->kind == RESP_SET || t->kind == RESP_PUSH)
        conn->resp3 = true;
    if (t->kind == RESP_PUSH || may_be_message(conn, t))
        a->mode = MODE_UNDECIDED;
    else if (monitor_line(conn, t))
        a->mode = MODE_PASS;
    else
        pair_up(f, t);
}

/* What the first element of a three or four part array, or of a push, makes of it. */
static void decide(struct feed *f, const struct resp_token *t)
{
    struct reply *a = &f->conn->reply;
    struct resp_token top = {.kind = a->kind, .num = (int64_t)a->size};
    const struct command *c;

    if (t->kind == RESP_BULK && (bytes_eq(t->text, "message") || bytes_eq(t->text, "smessage")))
        a->mode = MODE_MESSAGE;
    else if (t->kind == RESP_BULK && bytes_eq(t->text, "pmessage"))
        a->mode = MODE_PMESSAGE;
    else if (t->kind == RESP_BULK && (c = command_find(t->text)) && c->reply == REPLY_SUBSCRIBED &&
             t->text.len > 0 && t->text.at[0] >= 'a')
        a->mode = MODE_CONFIRM;
    else if (a->kind == RESP_PUSH)
        a->mode = MODE_PASS;
    else
        pair_up(f, &top);
    if (a->mode == MODE_CONFIRM)
        a->list_at = (uint32_t)command_code(command_find(t->text));
}

/* A subscription is confirmed, one channel at a time: its command is answered by the last one. */
static void confirmed(struct feed *f)
{
    struct resp_conn *conn = f->conn;
    struct pair_entry e;

    if (!pair_first_waiting(&conn->pair, &e) || e.code != conn->reply.list_at)
        return;
    conn->replied = true;
    if (e.record->num > 1) {
        pair_set_num(&conn->pair, e.record->num - 1);
        return;
    }
    reply_answered(f, &e);
    pair_pop_waiting(&conn->pair, conn->conf->budget);
}

/* What is left queued had no element: too many, or nested too deep to be told. */
static void exec_ends(struct feed *f)
{
    struct resp_conn *conn = f->conn;
    struct reply *a = &conn->reply;
    struct pair_entry e;

    for (; pair_first_queued(&conn->pair, &e); pair_pop_queued(&conn->pair, conn->conf->budget))
        reply_unknown(f, &e, 0);
    a->kind = RESP_ARRAY;
    a->null = false;
    a->word_len = 0;
    a->size = a->commands;
    if (pair_first_waiting(&conn->pair, &e))
        reply_answered(f, &e);
    pair_pop_waiting(&conn->pair, conn->conf->budget);
}

/* SYNC's answer is next. */
static void await_sync(struct resp_conn *conn)
{
    struct pair_entry e;

    if (!pair_first_waiting(&conn->pair, &e))
        return;
    if (row(&e)->act == ACT_SYNC || row(&e)->act == ACT_PSYNC)
        resp_value_sync(&conn->way[TO_CLIENT]);
}

/* The reply is complete. */
static void end(struct feed *f)
{
    struct resp_conn *conn = f->conn;
    struct reply *a = &conn->reply;

    tally_add(f->out->tally, TALLY_redis_values, 1);
    if (a->mode == MODE_CONFIRM) {
        confirmed(f);
    } else if (a->mode == MODE_EXEC) {
        exec_ends(f);
    } else if (a->mode == MODE_PAIRED && f->has_entry) {
        if (row(&f->entry)->act == ACT_EXEC || row(&f->entry)->act == ACT_DISCARD)
            reply_discard_queued(f);
        reply_answered(f, &f->entry);
        pair_pop_waiting(&conn->pair, conn->conf->budget);
    }
    f->has_entry = false;
    a->open = false;
    a->first = a->second = bytes_of(NULL, 0);
    free(a->saved);
    a->saved = NULL;
    if (conn->sync)
        await_sync(conn);
}

/* Elements of EXEC's reply: each is the reply to the next queued command. */
static void exec_token(struct feed *f, const struct resp_token *t)
{
    struct resp_conn *conn = f->conn;
    bool begins = t->depth == 1 && t->kind != RESP_END;
    bool ends = t->depth == 1 && !resp_is_aggregate(t->kind);

    if (t->depth == 0)
        return;
    if (begins) {
        summarize(&conn->reply, t);
        f->has_entry = pair_first_queued(&conn->pair, &f->entry);
    }
    reply_value(f, f->has_entry ? &f->entry : NULL, t, t->depth - 1u);
    if (!ends || !f->has_entry)
        return;
    if (has_many_replies(f->entry.code) && f->entry.record->num > 1) {
        pair_set_queued_num(&conn->pair, f->entry.record->num - 1);
        f->has_entry = false;
        return;
    }
    reply_answered(f, &f->entry);
    pair_pop_queued(&conn->pair, conn->conf->budget);
    f->has_entry = false;
}

static void inner(struct feed *f, const struct resp_token *t)
{
    switch (f->conn->reply.mode) {
    case MODE_EXEC: exec_token(f, t); break;
    case MODE_MESSAGE:
    case MODE_PMESSAGE: reply_message(f, t); break;
    case MODE_PAIRED: reply_value(f, f->has_entry ? &f->entry : NULL, t, t->depth); break;
    case MODE_UNPAIRED: reply_value(f, NULL, t, t->depth); break;
    default: break;
    }
}

/* A number in answer to a command of which nothing was kept: the common end of what is written. */
static bool plain_answer(struct feed *f, const struct resp_token *t)
{
    struct resp_conn *conn = f->conn;
    uint16_t code;

    if (t->kind != RESP_INTEGER || t->depth > 0 || conn->unsure || conn->sync ||
        !pair_pop_plain(&conn->pair, &code))
        return false;
    conn->replied = true;
    if (command_table[code].flags & COMMAND_DATA)
        conn->data_done = true;
    tally_add(f->out->tally, TALLY_redis_values, 1);
    return true;
}

void reply_token(struct feed *f, const struct resp_token *t)
{
    struct reply *a = &f->conn->reply;

    if (t->attr || (!a->open && plain_answer(f, t)))
        return;
    a->gap = a->gap || t->gap;
    if (!a->open)
        begin(f, t);
    else if (a->mode == MODE_UNDECIDED && t->depth == 1)
        decide(f, t);
    inner(f, t);
    if (resp_ends_unit(t))
        end(f);
    else if (t->held && (a->first_held || a->second_held))
        reply_leave(f);
    a->first_held = a->second_held = false;
}

void reply_abort(struct feed *f)
{
    struct reply *a = &f->conn->reply;

    a->open = false;
    f->has_entry = false;
    a->first = a->second = bytes_of(NULL, 0);
    free(a->saved);
    a->saved = NULL;
}
