/* dissectors/resp/asked.c - a complete request: what is told of it at once, what it does
 * to the connection, and what is kept until its reply. */
#include <stdio.h>
#include <stdlib.h>

#include "dissectors/resp/credential.h"
#include "dissectors/resp/foothold.h"
#include "dissectors/resp/reply.h"
#include "dissectors/resp/tell.h"

#define LIST_ARGS   (8u << 10)   /* bytes of REDIS_ARGS */
#define LIST_KEYS   (256u << 10) /* bytes of keys or fields that a reply belongs to */
#define SHOWN       256u         /* bytes of one key in REDIS_ARGS */
#define LONG_DIGITS 9u           /* a stored number longer than that may be a card's */

static struct bytes arg(const struct request *r, uint32_t i)
{
    return i < r->n && i < ARGS_FIRST ? r->at[i] : bytes_of(NULL, 0);
}

/* The argument with that number; empty: it went. */
static struct bytes arg_number(const struct request *r, uint32_t i)
{
    if (i < ARGS_FIRST || r->skipped == 0)
        return i < r->n ? r->at[i] : bytes_of(NULL, 0);
    return i >= ARGS_FIRST + r->skipped && i - r->skipped < r->n ? r->at[i - r->skipped]
                                                                 : bytes_of(NULL, 0);
}

void request_lay_out(struct request *r)
{
    if (r->skipped > 0 || r->n == 0)
        return;
    r->command = command_of(r->at, r->n);
    command_lay_out(r->command, r->at, r->n, r->total, &r->layout);
}

static void name_command(struct msg *m, const struct request *r, char scratch[COMMAND_NAME_MAX])
{
    fields_text(&m->fields, F_REDIS_COMMAND, tell_name(r->command, r->at, r->n, scratch));
}

static struct bytes first_key(const struct request *r)
{
    uint32_t i = r->layout.keys_from > 0 ? r->layout.keys_from : r->layout.key_extra;

    return i > 0 ? arg_number(r, i) : bytes_of(NULL, 0);
}

/* A destination is the first key of ZUNIONSTORE, not of SORT. */
static struct bytes main_key(const struct request *r)
{
    return r->command->keys == KEYS_DEST_COUNTED ? arg(r, 1) : first_key(r);
}

static struct bytes first_channel(const struct request *r)
{
    return r->command->channels != CHANNELS_NONE ? arg(r, 1) : bytes_of(NULL, 0);
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
    struct body body = {r->at[slot], r->more[slot].wire_len, r->more[slot].gap};
    bool publish = c->op == OP_PUBLISH;
    char scratch[COMMAND_NAME_MAX];
    uint32_t i = request_number(r, slot);
    struct msg m;

    body.bytes = bytes_head(body.bytes, f->conn->conf->max_body);
    tell_init(f, &m, MSG_ENVELOPE, publish ? "published" : "stored", TO_SERVER);
    name_command(&m, r, scratch);
    tell_session(f, &m, f->conn->db_multi >= 0 ? f->conn->db_multi : f->conn->db);
    if (c->values == VALUES_MSET || c->values == VALUES_MSETEX)
        put_key(&m, arg_number(r, i - 1));
    else
        put_key(&m, main_key(r));
    if (c->channels == CHANNELS_FIRST)
        fields_text(&m.fields, F_REDIS_CHANNEL, arg(r, 1));
    if (c->values == VALUES_FIELDS || c->values == VALUES_XADD || c->values == VALUES_HSETEX)
        fields_text(&m.fields, F_REDIS_FIELD, arg_number(r, i - 1));
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

/* Keys that kombu keeps its own state under (kombu:transport/redis.py), whatever prefix they have.
 */
static bool key_is_kombus(struct bytes key)
{
    return key.len > 0 &&
           (memmem(key.at, key.len, "unacked", 7) || memmem(key.at, key.len, "_kombu.binding", 14));
}

/* The lines of an HTTP request are commands to Redis; one is enough. */
static bool http_header(const struct resp_conn *conn, const struct request *r)
{
    struct bytes name = r->at[0];

    return conn->http && r->command == &command_table[COMMAND_UNKNOWN] && name.len > 0 &&
           name.at[name.len - 1] == ':';
}

/* Whether the command is told now, and its reply later. */
static void interest(const struct resp_conn *conn, const struct request *r, bool *now, bool *later)
{
    uint8_t flags = r->command->flags;

    *later = *now = true;
    if (conn->conf->commands)
        return;
    *later = (flags & COMMAND_WATCH) && !http_header(conn, r);
    if (conn->replica && r->command->act == ACT_REPLCONF)
        *later = false; /* REPLCONF ACK, once a second */
    *now = *later || (flags & COMMAND_TOLD);
    if (!*now && (flags & COMMAND_KEY_WATCH))
        *now = key_is_kombus(main_key(r));
}

static void tell_command(const struct feed *f, const struct request *r)
{
    struct args args = {r->at, r->skipped > 0 && r->n > ARGS_FIRST ? ARGS_FIRST : r->n};
    struct bytes channel = first_channel(r);
    char scratch[COMMAND_NAME_MAX];
    struct msg m;

    tell_init(f, &m, MSG_COMMAND, "command", TO_SERVER);
    if (r->gap)
        m.coverage |= COVER_GAP;
    name_command(&m, r, scratch);
    tell_session(f, &m, f->conn->db_multi >= 0 ? f->conn->db_multi : f->conn->db);
    put_key(&m, main_key(r));
    if (channel.at)
        fields_text(&m.fields, F_REDIS_CHANNEL, channel);
    m.args = &args;
    tell(f, &m);
}

static bool is_number(struct bytes b)
{
    size_t i = b.len > 0 && b.at[0] == '-', digits = 0, dots = 0;

    for (; i < b.len && b.len <= 24; i++) {
        digits += b.at[i] >= '0' && b.at[i] <= '9';
        dots += b.at[i] == '.';
    }
    return digits > 0 && dots <= 1 && digits + dots + (b.at[0] == '-') == b.len;
}

static void list_item(struct keep *list, struct bytes item)
{
    uint32_t len = (uint32_t)item.len;

    keep_add(list, bytes_of(&len, sizeof len));
    keep_add(list, item);
}

static void list_arg(struct keep *list, const struct request *r, uint32_t slot)
{
    struct bytes a = r->at[slot];
    enum command_role role =
        command_role(r->command, &r->layout, r->at, r->n, request_number(r, slot));
    bool shown = role == ROLE_KEY || role == ROLE_NAME;
    char text[32];

    if (role == ROLE_OTHER || role == ROLE_VALUE)
        shown = is_number(a) && (role == ROLE_OTHER || a.len <= LONG_DIGITS);
    if (shown && a.len == r->more[slot].wire_len && a.len <= SHOWN) {
        list_item(list, a);
        return;
    }
    int n = snprintf(text, sizeof text, "<%llu bytes>", (unsigned long long)r->more[slot].wire_len);
    list_item(list, bytes_of(text, (size_t)n));
}

/* REDIS_ARGS; of very many, the first. */
static void list_args(struct keep *list, const struct request *r)
{
    for (uint32_t slot = 1; slot < r->n && list->len < LIST_ARGS; slot++)
        list_arg(list, r, slot);
}

/* The keys or fields that the values of the reply belong to, one by one. */
static void list_owners(struct keep *list, const struct request *r)
{
    const struct command_layout *l = &r->layout;
    bool keys = r->command->reply == REPLY_BY_KEY;
    uint32_t from = keys ? l->keys_from : 2, end = keys ? l->keys_end : r->n;

    if (r->command->reply == REPLY_FIELD)
        end = end < 3 ? end : 3;
    if (r->skipped > 0)
        end = end < ARGS_FIRST ? end : ARGS_FIRST;
    for (uint32_t i = from; i < end && i < r->n && list->len + r->at[i].len < LIST_KEYS; i++)
        list_item(list, r->at[i]);
}

static bool by_owner(uint8_t reply)
{
    return reply == REPLY_BY_KEY || reply == REPLY_BY_FIELD || reply == REPLY_FIELD;
}

static bool needs_key(uint8_t reply)
{
    return (reply >= REPLY_VALUES && reply <= REPLY_ANY && reply != REPLY_KEYED &&
            reply != REPLY_STREAMS && reply != REPLY_STREAMS_TAKEN);
}

/* Numbers that the connection depends on; true: there is one. */
static bool note_num(const struct resp_conn *conn, const struct request *r,
                     struct pair_record *record)
{
    int64_t n = 0;

    switch (r->command->act) {
    case ACT_SUBSCRIBE:
    case ACT_UNSUBSCRIBE: record->num = r->total > 1 ? (int32_t)(r->total - 1) : -1; return true;
    case ACT_SELECT: record->num = conn->multi ? -1 : conn->db; return !conn->multi;
    case ACT_EXEC: record->num = conn->db_multi >= 0 ? conn->db : -1; return conn->db_multi >= 0;
    case ACT_HELLO: n = resp_number(arg(r, 1), &n) ? n : 0; break;
    default: return false;
    }
    record->num = n >= 0 && n <= INT16_MAX ? (int32_t)n : -1;
    return true;
}

struct plan {
    bool later;  /* MSG_REPLY is wanted */
    bool first;  /* only because nothing is known yet of what the server lets in */
    bool record; /* something has to be kept */
    int32_t db;
};

static size_t pending_max(const struct resp_conn *conn)
{
    return conn->replied ? PENDING_BYTES_MAX : PENDING_BYTES_MAX / 16;
}

static bool too_many(const struct resp_conn *conn)
{
    uint32_t max = conn->conf->max_pending;

    if (!conn->replied && max > PENDING_BLIND)
        max = PENDING_BLIND;
    return conn->pair.lost > 0 || conn->pair.waiting + conn->pair.queued >= max;
}

/* No reply of its own will be told apart. */
static void never_answered(struct feed *f, const struct pair_entry *e)
{
    if (e->flags & PAIR_TOLD)
        reply_unknown(f, e, 0);
}

static void wait_for(struct feed *f, struct pair_entry *e, bool keep)
{
    struct resp_conn *conn = f->conn;

    if (conn->quiet != QUIET_NO || conn->replica) {
        never_answered(f, e);
        return;
    }
    if (conn->ahead > 0) {
        conn->ahead--;
        never_answered(f, e);
        return;
    }
    if (!too_many(conn)) {
        if (pair_add(&conn->pair, e->code, e->flags, keep ? e->record : NULL, pending_max(conn),
                     conn->conf->budget))
            return;
        tally_add(f->out->tally, TALLY_redis_pending_full, 1);
        if (keep &&
            pair_add(&conn->pair, e->code, e->flags, NULL, pending_max(conn), conn->conf->budget))
            return;
    } else {
        tally_add(f->out->tally, TALLY_redis_pending_full, 1);
    }
    conn->pair.lost++;
    never_answered(f, e);
}

/* Most commands: nothing of them is needed when they are answered. */
static bool only_waits(const struct feed *f, const struct request *r, const struct plan *plan)
{
    struct resp_conn *conn = f->conn;
    const struct command *c = r->command;

    return !plan->later && !plan->record && !needs_key(c->reply) && c->name[0] != 0 &&
           !(c->flags & COMMAND_CONTAINER) && conn->quiet == QUIET_NO && !conn->replica &&
           conn->ahead == 0 && !too_many(conn) &&
           pair_add(&conn->pair, (uint16_t)command_code(c), conn->multi ? PAIR_IN_MULTI : 0, NULL,
                    pending_max(conn), conn->conf->budget);
}

/* What waits for the reply, and whether that needs more than its code. */
static void remember(struct feed *f, const struct request *r, const struct plan *plan,
                     struct pair_record *record)
{
    struct resp_conn *conn = f->conn;
    struct keep args, owners;
    struct pair_entry e;
    char scratch[COMMAND_NAME_MAX];
    bool keep = plan->record || plan->later;
    uint8_t reply = r->command->reply;

    e.code = (uint16_t)command_code(r->command);
    e.has_record = true;
    keep_init(&args, 2 * LIST_ARGS, NULL);
    keep_init(&owners, LIST_KEYS, NULL);
    if (plan->later)
        list_args(&args, r);
    if (by_owner(reply))
        list_owners(&owners, r);
    if (plan->later || needs_key(reply))
        record->text[PAIR_KEY] = main_key(r);
    if (plan->later)
        record->text[PAIR_CHANNEL] = first_channel(r);
    if (args.len > 0)
        record->text[PAIR_ARGS] = keep_view(&args);
    if (owners.len > 0)
        record->text[PAIR_LIST] = keep_view(&owners);
    if (r->command->name[0] == 0 || (r->command->flags & COMMAND_CONTAINER))
        record->text[PAIR_NAME] = tell_name(r->command, r->at, r->n, scratch);
    record->start = f->chunk->at.ns;
    record->offset = conn->way[TO_SERVER].unit;
    record->db = plan->db;
    record->coverage = r->gap ? COVER_GAP : 0;
    record->never_logged_in =
        (r->command->flags & COMMAND_DATA) && !conn->logged_in && !conn->never_whole;
    e.flags = (uint8_t)((plan->later ? PAIR_TOLD : 0) | (conn->multi ? PAIR_IN_MULTI : 0));
    e.record = record;
    keep = keep || needs_key(reply) || record->text[PAIR_NAME].at;
    wait_for(f, &e, keep);
    keep_free(&args);
    keep_free(&owners);
}

static void select_db(struct resp_conn *conn, const struct request *r)
{
    int64_t n;

    if (!resp_number(arg(r, 1), &n) || n < 0 || n > INT32_MAX)
        return;
    if (conn->multi) {
        conn->db_multi = (int32_t)n;
        return;
    }
    conn->db = (int32_t)n;
}

static void client_reply(struct resp_conn *conn, const struct request *r)
{
    if (bytes_eq_case(arg(r, 2), "OFF"))
        conn->quiet = QUIET_OFF;
    else if (bytes_eq_case(arg(r, 2), "SKIP") && conn->quiet == QUIET_NO)
        conn->quiet = QUIET_ONCE;
    else if (bytes_eq_case(arg(r, 2), "ON"))
        conn->quiet = QUIET_NO;
}

/* CLIENT SETINFO LIB-NAME x, LIB-VER y: one after the other, from the same library. */
static void client_setinfo(struct feed *f, const struct request *r)
{
    struct resp_conn *conn = f->conn;
    struct bytes v = bytes_head(arg(r, 3), 256);

    if (v.len == 0)
        return;
    if (bytes_eq_case(arg(r, 2), "LIB-NAME")) {
        free(conn->lib);
        conn->lib = strndup((const char *)v.at, v.len);
        tell_peer(f, TO_SERVER, v, bytes_of(NULL, 0));
    } else if (bytes_eq_case(arg(r, 2), "LIB-VER")) {
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

void request_asked(struct feed *f, struct request *r)
{
    struct resp_conn *conn = f->conn;
    struct pair_record record = {0};
    struct plan plan = {0};
    bool now, once = conn->quiet == QUIET_ONCE;

    tally_add(f->out->tally, TALLY_redis_values, 1);
    settle(conn);
    request_lay_out(r);
    if (r->http) {
        conn->http = true;
        tell_broken(f, TO_SERVER, RESP_HTTP, conn->way[TO_SERVER].unit);
    }
    if (r->inlined && r->command == command_find(bytes_of("POST", 4)))
        conn->http = true;
    interest(conn, r, &now, &plan.later);
    plan.first = !plan.later && is_first_data(conn, r->command);
    plan.later = plan.later || plan.first;
    plan.db = conn->multi && conn->db_multi >= 0 ? conn->db_multi : conn->db;
    if (r->command->act != ACT_NONE)
        credential_asked(f, r, r->command, &record);
    plan.record = note_num(conn, r, &record) || record.login;
    if (now)
        tell_command(f, r);
    if (r->command->values != VALUES_NONE && !http_header(conn, r))
        request_values(f, r);
    bool acts = r->command->act != ACT_NONE && arity_fits(r);
    if (acts)
        effects_before(f, r);
    if (!only_waits(f, r, &plan))
        remember(f, r, &plan, &record);
    if (once && r->command->act != ACT_CLIENT_REPLY)
        conn->quiet = QUIET_NO;
    if (acts)
        effects_after(conn, r);
}
