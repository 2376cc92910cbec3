/* dissectors/resp/pending.c - what is kept of a request until its reply: a code, and for few
 * a record with what the reply is about. */
#include "dissectors/resp/pending.h"

#include <stdio.h>

#include "dissectors/resp/foothold.h"
#include "dissectors/resp/reply.h"
#include "dissectors/resp/tell.h"

#define LIST_ARGS   (8u << 10) /* bytes of REDIS_ARGS */
#define SHOWN       256u       /* bytes of one key in REDIS_ARGS */
#define LONG_DIGITS 9u         /* a stored number longer than that may be a card's */

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

/* A detector judges each of its keys. */
static bool is_judged(const struct command *c)
{
    return c->keys != KEYS_NONE && ((c->flags & COMMAND_WATCH) || command_writes_many(c));
}

/* Arguments of a command, before its reply is known, if ever. */
static void tell_piece(const struct feed *f, const struct request *r, const struct keep *args)
{
    const struct resp_conn *conn = f->conn;
    char scratch[COMMAND_NAME_MAX];
    struct msg m;

    if (args->len == 0)
        return;
    tell_init(f, &m, MSG_REPLY, "command", TO_SERVER);
    fields_text(&m.fields, F_REDIS_COMMAND, tell_name(r->command, r->at, r->n, scratch));
    tell_session(f, &m, conn->multi && conn->db_multi >= 0 ? conn->db_multi : conn->db);
    if (request_key(r).at)
        fields_text(&m.fields, F_REDIS_KEY, request_key(r));
    fields_num(&m.fields, F_START, f->chunk->at.ns);
    fields_text(&m.fields, F_REDIS_ARGS, keep_view(args));
    fields_str(&m.fields, F_OUTCOME, "unknown");
    fields_num(&m.fields, F_ARGS_MORE, 1);
    tell(f, &m);
}

/* Those in slots `from` to `end` - 1, in pieces. */
static void tell_pieces(const struct feed *f, const struct request *r, uint32_t from, uint32_t end)
{
    struct keep args;

    keep_init(&args, 2 * LIST_ARGS, NULL);
    for (uint32_t slot = from; slot < end; slot++) {
        list_arg(&args, r, slot);
        if (args.len < LIST_ARGS)
            continue;
        tell_piece(f, r, &args);
        args.len = 0;
    }
    tell_piece(f, r, &args);
    keep_free(&args);
}

/* REDIS_ARGS; of very many, the first, and the others in pieces if each is judged. */
static void list_args(const struct feed *f, struct keep *list, const struct request *r)
{
    uint32_t slot = 1;

    for (; slot < r->n && list->len < LIST_ARGS; slot++)
        list_arg(list, r, slot);
    if (slot < r->n && is_judged(r->command))
        tell_pieces(f, r, slot, r->n);
}

static bool by_owner(uint8_t reply)
{
    return reply == REPLY_BY_KEY || reply == REPLY_BY_FIELD || reply == REPLY_FIELD;
}

/* The argument in that slot, if a value of the reply belongs to it. */
static void list_owner(struct keep *list, const struct request *r, uint32_t slot)
{
    const struct command_layout *l = &r->layout;
    uint8_t reply = r->command->reply;
    uint32_t i = request_number(r, slot);
    bool owns = reply == REPLY_BY_KEY  ? i >= l->keys_from && i < l->keys_end
                : reply == REPLY_FIELD ? i == 2
                                       : i >= 2;

    if (owns && list->len + r->at[slot].len < LIST_KEYS - sizeof(uint32_t))
        list_item(list, r->at[slot]);
}

/* The keys or fields that the values of the reply belong to, one by one. */
static void list_owners(struct keep *list, const struct request *r)
{
    struct bytes gone = keep_view(&r->owners), item;
    uint32_t slot = 1;

    for (; slot < r->n && slot < ARGS_FIRST; slot++)
        list_owner(list, r, slot);
    while (list_next(&gone, &item) && list->len + item.len < LIST_KEYS - sizeof(uint32_t))
        list_item(list, item);
    for (; slot < r->n; slot++)
        list_owner(list, r, slot);
}

void pending_dropped(struct feed *f, struct request *r, uint32_t from, uint32_t end)
{
    if (is_judged(r->command))
        tell_pieces(f, r, from, end);
    for (uint32_t slot = from; slot < end && by_owner(r->command->reply); slot++)
        list_owner(&r->owners, r, slot);
}

bool pending_needs_key(uint8_t reply)
{
    return (reply >= REPLY_VALUES && reply <= REPLY_ANY && reply != REPLY_KEYED &&
            reply != REPLY_STREAMS && reply != REPLY_STREAMS_TAKEN);
}

/* Numbers that the connection depends on; true: there is one. */
bool pending_num(const struct resp_conn *conn, const struct request *r, struct pair_record *record)
{
    int64_t n = 0;

    switch (r->command->act) {
    case ACT_SUBSCRIBE:
    case ACT_UNSUBSCRIBE: record->num = r->total > 1 ? (int32_t)(r->total - 1) : -1; return true;
    case ACT_SELECT: record->num = conn->multi ? -1 : conn->db; return !conn->multi;
    case ACT_EXEC: record->num = conn->db_multi >= 0 ? conn->db : -1; return conn->db_multi >= 0;
    case ACT_HELLO: n = resp_number(request_arg(r, 1), &n) ? n : 0; break;
    default: return false;
    }
    record->num = n >= 0 && n <= INT16_MAX ? (int32_t)n : -1;
    return true;
}

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

bool pending_is_easy(const struct resp_conn *conn)
{
    return conn->quiet == QUIET_NO && !conn->replica && conn->ahead == 0 && !too_many(conn);
}

/* Or it is told at once, when no reply of its own will be told apart. */
static void wait_for(struct feed *f, struct pair_entry *e, bool keep)
{
    struct resp_conn *conn = f->conn;

    if (conn->quiet != QUIET_NO || conn->replica) {
        reply_unknown(f, e, 0);
        return;
    }
    if (conn->ahead > 0) {
        conn->ahead--;
        reply_unknown(f, e, 0);
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
    reply_unknown(f, e, 0);
}

/* Nothing of it is needed when it is answered. */
static bool add_code(struct resp_conn *conn, const struct command *c)
{
    return pair_add_code(&conn->pair, (uint16_t)command_code(c), conn->multi ? PAIR_IN_MULTI : 0,
                         pending_max(conn), conn->conf->budget);
}

static bool only_waits(const struct feed *f, const struct request *r,
                       const struct pending_plan *plan)
{
    struct resp_conn *conn = f->conn;
    const struct command *c = r->command;

    return !plan->later && !plan->record && !pending_needs_key(c->reply) && c->name[0] != 0 &&
           !(c->flags & COMMAND_CONTAINER) && pending_is_easy(conn) && add_code(conn, c);
}

/* When and where it was asked, and of what. */
static void note_request(const struct feed *f, const struct request *r, int32_t db,
                         struct pair_record *record)
{
    const struct resp_conn *conn = f->conn;

    record->start = f->chunk->at.ns;
    record->offset = conn->way[TO_SERVER].unit;
    record->db = db;
    record->coverage = r->gap ? COVER_GAP : 0;
    record->never_logged_in =
        (r->command->flags & COMMAND_DATA) && !conn->logged_in && !conn->never_whole;
}

/* What waits for the reply, and whether that needs more than its code. */
static void remember(struct feed *f, const struct request *r, const struct pending_plan *plan,
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
        list_args(f, &args, r);
    if (by_owner(reply))
        list_owners(&owners, r);
    if (plan->later || pending_needs_key(reply))
        record->text[PAIR_KEY] = request_key(r);
    if (plan->later)
        record->text[PAIR_CHANNEL] = request_channel(r);
    if (args.len > 0)
        record->text[PAIR_ARGS] = keep_view(&args);
    if (owners.len > 0)
        record->text[PAIR_LIST] = keep_view(&owners);
    if (r->command->name[0] == 0 || (r->command->flags & COMMAND_CONTAINER))
        record->text[PAIR_NAME] = tell_name(r->command, r->at, r->n, scratch);
    note_request(f, r, plan->db, record);
    e.flags = (uint8_t)((plan->later ? PAIR_TOLD : 0) | (conn->multi ? PAIR_IN_MULTI : 0));
    e.record = record;
    keep = keep || pending_needs_key(reply) || record->text[PAIR_NAME].at;
    wait_for(f, &e, keep);
    keep_free(&args);
    keep_free(&owners);
}

void pending_wait_easy(struct feed *f, const struct request *r, bool key, int32_t db)
{
    struct resp_conn *conn = f->conn;
    struct pair_record record;
    struct pending_plan plan = {.db = db};

    if (!key && add_code(conn, r->command))
        return;
    memset(&record, 0, sizeof record);
    if (!key || by_owner(r->command->reply)) {
        pending_wait(f, r, &plan, &record);
        return;
    }
    note_request(f, r, db, &record);
    record.text[PAIR_KEY] = request_key(r);
    if (!pair_add(&conn->pair, (uint16_t)command_code(r->command), conn->multi ? PAIR_IN_MULTI : 0,
                  &record, pending_max(conn), conn->conf->budget))
        pending_wait(f, r, &plan, &record);
}

void pending_wait(struct feed *f, const struct request *r, const struct pending_plan *plan,
                  struct pair_record *record)
{
    if (!only_waits(f, r, plan))
        remember(f, r, plan, record);
}
