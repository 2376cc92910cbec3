/* dissectors/resp/asked.c - a complete request: what is told of it at once, and what it does
 * to the connection. */
#include <stdlib.h>

#include "dissectors/resp/credential.h"
#include "dissectors/resp/foothold.h"
#include "dissectors/resp/pending.h"
#include "dissectors/resp/tell.h"
#include "dissectors/resp/watched.h"

void request_lay_out(struct request *r)
{
    if (r->skipped > 0 || r->n == 0)
        return;
    if (!r->command)
        r->command = command_of(r->at, r->n);
    command_lay_out(r->command, r->at, r->n, r->total, &r->layout);
}

static void name_command(struct msg *m, const struct request *r, char scratch[COMMAND_NAME_MAX])
{
    fields_text(&m->fields, F_REDIS_COMMAND, tell_name(r->command, r->at, r->n, scratch));
}

static void put_key(struct msg *m, struct bytes key)
{
    if (key.at)
        fields_text(&m->fields, F_REDIS_KEY, key);
}

/* One value: the argument in that slot. */
static void tell_value(const struct feed *f, const struct request *r, uint32_t slot)
{
    const struct command *c = r->command;
    const struct arg_more *more = &r->more[slot];
    struct body body = {r->at[slot], more->wire_len, more->gap, more->tap};
    bool publish = c->op == OP_PUBLISH;
    char scratch[COMMAND_NAME_MAX];
    uint32_t i = request_number(r, slot);
    struct msg m;

    body.bytes = bytes_head(body.bytes, f->conn->conf->max_body);
    tell_init(f, &m, MSG_ENVELOPE, publish ? "published" : "stored", TO_SERVER);
    name_command(&m, r, scratch);
    tell_session(f, &m, f->conn->db_multi >= 0 ? f->conn->db_multi : f->conn->db);
    if (c->values == VALUES_MSET || c->values == VALUES_MSETEX)
        put_key(&m, request_arg_number(r, i - 1));
    else
        put_key(&m, request_key(r));
    if (c->channels == CHANNELS_FIRST)
        fields_text(&m.fields, F_REDIS_CHANNEL, request_arg(r, 1));
    if (c->values == VALUES_FIELDS || c->values == VALUES_XADD || c->values == VALUES_HSETEX)
        fields_text(&m.fields, F_REDIS_FIELD, request_arg_number(r, i - 1));
    if (c->name[0] == 'S' && memcmp(c->name, "SADD", 5) == 0)
        fields_text(&m.fields, F_MEMBER, body.bytes);
    tell_envelope(f, &m, (enum op)c->op, body);
}

void request_values(struct feed *f, struct request *r)
{
    const struct command_layout *l = &r->layout;
    uint32_t i;

    for (uint32_t slot = 1; slot < r->n; slot++) {
        i = request_number(r, slot);
        if (i < r->told || i < l->values_from || i >= l->values_end)
            continue;
        if ((i - l->values_from) % l->values_step == l->values_step - 1u)
            tell_value(f, r, slot);
    }
    if (r->n > 0)
        r->told = request_number(r, r->n - 1) + 1;
}

/* The lines of an HTTP request are commands to Redis; that it is one was said. */
static bool http_header(const struct resp_conn *conn, const struct request *r)
{
    struct bytes name = r->at[0];

    if (r->http || (conn->http && bytes_eq(command_name(r->command), "HOST:")))
        return true;
    return conn->http && r->command == &command_table[COMMAND_UNKNOWN] && name.len > 0 &&
           name.at[name.len - 1] == ':';
}

/* Whether the command is told now, and its reply later. */
static void interest(const struct resp_conn *conn, const struct request *r, bool *now, bool *later)
{
    unsigned flags = r->command->flags;

    *later = *now = true;
    if (conn->conf->commands)
        return;
    *later = (flags & COMMAND_WATCH) && !http_header(conn, r);
    if (conn->replica && r->command->act == ACT_REPLCONF)
        *later = false; /* REPLCONF ACK, once a second */
    *now = *later || (flags & COMMAND_TOLD);
    if (*now || !watched_key(r))
        return;
    *now = true;
    *later = command_writes_many(r->command);
}

static void tell_command(const struct feed *f, const struct request *r, enum watched_turn turn)
{
    struct args args = {r->at, r->skipped > 0 && r->n > ARGS_FIRST ? ARGS_FIRST : r->n};
    struct bytes channel = request_channel(r);
    struct bytes hidden = tell_hidden_name(r->command, r->at, r->n);
    char scratch[COMMAND_NAME_MAX];
    struct msg m;

    tell_init(f, &m, MSG_COMMAND, "command", TO_SERVER);
    if (r->gap)
        m.coverage |= COVER_GAP;
    name_command(&m, r, scratch);
    tell_session(f, &m, f->conn->db_multi >= 0 ? f->conn->db_multi : f->conn->db);
    put_key(&m, request_key(r));
    if (channel.at)
        fields_text(&m.fields, F_REDIS_CHANNEL, channel);
    if (hidden.at)
        fields_text(&m.fields, F_REDIS_NAME, hidden);
    if (turn != TURN_NONE)
        fields_num(&m.fields, turn == TURN_SETTLES ? F_SETTLES : F_INDEXES, 1);
    m.args = &args;
    tell(f, &m);
}

static void select_db(struct resp_conn *conn, const struct request *r)
{
    int64_t n;

    if (!resp_number(request_arg(r, 1), &n) || n < 0 || n > INT32_MAX)
        return;
    if (conn->multi) {
        conn->db_multi = (int32_t)n;
        return;
    }
    conn->db = (int32_t)n;
}

static void client_reply(struct resp_conn *conn, const struct request *r)
{
    if (bytes_eq_case(request_arg(r, 2), "OFF"))
        conn->quiet = QUIET_OFF;
    else if (bytes_eq_case(request_arg(r, 2), "SKIP") && conn->quiet == QUIET_NO)
        conn->quiet = QUIET_ONCE;
    else if (bytes_eq_case(request_arg(r, 2), "ON"))
        conn->quiet = QUIET_NO;
}

/* CLIENT SETINFO LIB-NAME x, LIB-VER y: one after the other, from the same library. */
static void client_setinfo(struct feed *f, const struct request *r)
{
    struct resp_conn *conn = f->conn;
    struct bytes v = bytes_head(request_arg(r, 3), 256);

    if (v.len == 0)
        return;
    if (bytes_eq_case(request_arg(r, 2), "LIB-NAME")) {
        free(conn->lib);
        conn->lib = strndup((const char *)v.at, v.len);
        tell_peer(f, TO_SERVER, v, bytes_of(NULL, 0));
    } else if (bytes_eq_case(request_arg(r, 2), "LIB-VER")) {
        tell_peer(f, TO_SERVER, bytes_of(conn->lib, conn->lib ? strlen(conn->lib) : 0), v);
        free(conn->lib);
        conn->lib = NULL;
    }
}

/* With any other number of arguments it is an error, and does nothing. */
static bool arity_fits(const struct request *r)
{
    int64_t arity = r->command->arity, n = r->total;

    return arity < 0 ? n >= -arity : n == arity;
}

/* What holds from this request on, before it waits for its reply. */
static void effects_before(struct feed *f, const struct request *r)
{
    struct resp_conn *conn = f->conn;

    switch (r->command->act) {
    case ACT_CLIENT_REPLY:
        if (!conn->multi)
            client_reply(conn, r);
        break;
    case ACT_CLIENT_SETINFO: client_setinfo(f, r); break;
    case ACT_EXEC:
    case ACT_DISCARD:
    case ACT_RESET: conn->multi = false; break;
    default: break;
    }
}

/* What holds for the requests behind it. */
static void effects_after(struct resp_conn *conn, const struct request *r)
{
    switch (r->command->act) {
    case ACT_SELECT: select_db(conn, r); break;
    case ACT_MULTI: conn->multi = true; break;
    case ACT_SUBSCRIBE: conn->subscribed = true; break;
    case ACT_SYNC:
    case ACT_PSYNC:
        conn->sync = true;
        if (conn->pair.waiting == 1)
            resp_value_sync(&conn->way[TO_CLIENT]);
        break;
    case ACT_EXEC:
        if (conn->db_multi >= 0)
            conn->db = conn->db_multi;
        conn->db_multi = -1;
        break;
    case ACT_DISCARD: conn->db_multi = -1; break;
    default: break;
    }
}

/* The first data command that goes through says whether the server asks for a password. */
static bool is_first_data(struct resp_conn *conn, const struct command *c)
{
    if (!(c->flags & COMMAND_DATA) || conn->data_done || conn->data_asked >= 8)
        return false;
    conn->data_asked++;
    return true;
}

/* Pairing is sure again where a client that waits for its replies has none outstanding. */
static void settle(struct resp_conn *conn)
{
    if (!conn->unsure || !conn->matched || conn->pair.waiting > 0 || conn->pair.lost > 0)
        return;
    conn->unsure = false;
    conn->coverage &= (uint8_t)~COVER_GAP;
}

/* Most of what queues and caches send: nothing of it is told but its values. false: there is more
 * to it, and nothing was done but to find its command. */
static bool ordinary(struct feed *f, struct request *r)
{
    struct resp_conn *conn = f->conn;
    const struct command *c;
    bool key;

    if (r->skipped > 0 || r->n == 0 || conn->conf->commands || !conn->data_done ||
        !pending_is_easy(conn))
        return false;
    c = r->command = command_of(r->at, r->n);
    if (!command_is_ordinary(c) || watched_turn(f, r) != TURN_NONE ||
        ((c->flags & COMMAND_WATCHED_KEYS) && watched_key(r)))
        return false;
    key = pending_needs_key(c->reply);
    if (key || c->values != VALUES_NONE)
        command_lay_out(c, r->at, r->n, r->total, &r->layout);
    if (c->values != VALUES_NONE)
        request_values(f, r);
    pending_wait_easy(f, r, key, conn->multi && conn->db_multi >= 0 ? conn->db_multi : conn->db);
    return true;
}

void request_asked(struct feed *f, struct request *r)
{
    struct resp_conn *conn = f->conn;
    struct pair_record record;
    struct pending_plan plan = {0};
    bool now, once = conn->quiet == QUIET_ONCE;
    enum watched_turn turn;

    tally_add(f->out->tally, TALLY_redis_values, 1);
    settle(conn);
    if (ordinary(f, r))
        return;
    memset(&record, 0, sizeof record);
    request_lay_out(r);
    if (r->http) {
        conn->http = true;
        tell_broken(f, TO_SERVER, RESP_HTTP, conn->way[TO_SERVER].unit);
    }
    if (r->inlined && r->command == command_find(bytes_of("POST", 4)))
        conn->http = true;
    interest(conn, r, &now, &plan.later);
    plan.later = plan.later || is_first_data(conn, r->command);
    plan.db = conn->multi && conn->db_multi >= 0 ? conn->db_multi : conn->db;
    if (r->command->act != ACT_NONE)
        credential_asked(f, r, r->command, &record);
    plan.record = pending_num(conn, r, &record) || record.login;
    turn = watched_turn(f, r);
    watched_told(f, turn);
    if (now || turn != TURN_NONE)
        tell_command(f, r, turn);
    if (r->command->values != VALUES_NONE && !http_header(conn, r))
        request_values(f, r);
    bool acts = r->command->act != ACT_NONE && arity_fits(r);
    if (acts)
        effects_before(f, r);
    pending_wait(f, r, &plan, &record);
    if (once && r->command->act != ACT_CLIENT_REPLY)
        conn->quiet = QUIET_NO;
    if (acts)
        effects_after(conn, r);
}
