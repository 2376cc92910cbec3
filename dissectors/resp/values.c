/* dissectors/resp/values.c - the values in a reply: whose they are, by the place that
 * they have in it. Nothing is put together: each is told as it comes. */
#include "dissectors/resp/credential.h"
#include "dissectors/resp/reply.h"
#include "dissectors/resp/tell.h"

#define KEY_MAX 512u /* the first of two unknown texts may be the key of the second */

static bool has_text(const struct resp_token *t)
{
    return (t->kind == RESP_BULK || t->kind == RESP_VERBATIM || t->kind == RESP_SIMPLE) && !t->null;
}

/* Verbatim strings begin with three letters and a colon. */
static struct body body_of(const struct resp_token *t)
{
    struct body b = {t->text, t->wire_len, t->gap, t->tap ? *t->tap : NULL};

    if (t->kind == RESP_VERBATIM && b.bytes.len >= 4) {
        bytes_cut(&b.bytes, 4);
        b.wire_len -= 4;
    }
    return b;
}

struct owner {
    struct bytes key, field;
};

static void value(struct feed *f, const struct pair_entry *e, const struct resp_token *t,
                  enum op op, struct owner of)
{
    struct bytes name;
    struct msg m;

    if (!has_text(t))
        return;
    tell_init(f, &m, MSG_ENVELOPE, op == OP_DELIVER ? "delivered" : "read", TO_CLIENT);
    if (e) {
        const struct command *c = &command_table[e->code];
        name = e->record->text[PAIR_NAME];
        fields_text(&m.fields, F_REDIS_COMMAND, name.at ? name : command_name(c));
        m.coverage |= e->record->coverage;
    }
    tell_session(f, &m, e && e->has_record ? e->record->db : f->conn->db);
    if (of.key.at)
        fields_text(&m.fields, F_REDIS_KEY, of.key);
    if (of.field.at)
        fields_text(&m.fields, F_REDIS_FIELD, of.field);
    tell_envelope(f, &m, op, body_of(t));
}

/* A text that says whose the next value is. */
static void set_first(struct feed *f, const struct resp_token *t)
{
    struct reply *a = &f->conn->reply;

    a->first = bytes_head(t->text, f->conn->conf->max_item);
    a->first_held = t->held;
    a->first_saved = a->second_saved = false;
    a->second = bytes_of(NULL, 0);
}

/* Texts are saved together: a new second one takes the first along. */
static void set_second(struct feed *f, const struct resp_token *t)
{
    struct reply *a = &f->conn->reply;

    a->second = bytes_head(t->text, f->conn->conf->max_item);
    a->second_held = t->held;
    a->second_saved = false;
}

static void pairs(struct feed *f, const struct pair_entry *e, const struct resp_token *t)
{
    struct reply *a = &f->conn->reply;

    if (t->index % 2 == 0) {
        set_second(f, t);
        return;
    }
    value(f, e, t, OP_READ, (struct owner){e->record->text[PAIR_KEY], a->second});
}

/* The n-th value belongs to the n-th of the list; the list is walked along. */
static void owned(struct feed *f, const struct pair_entry *e, const struct resp_token *t,
                  bool by_key)
{
    struct reply *a = &f->conn->reply;
    struct bytes list = e->record->text[PAIR_LIST], item = {0};
    struct owner of = {.key = by_key ? item : e->record->text[PAIR_KEY]};

    bytes_cut(&list, a->list_at);
    size_t before = list.len;
    if (list_next(&list, &item)) {
        a->list_at += (uint32_t)(before - list.len);
        if (by_key)
            of.key = item;
        else
            of.field = item;
    }
    value(f, e, t, OP_READ, of);
}

/* [id, [field, value, ...]] with the id at depth `id`, a stream's name before it at depth `key`. */
static void entries(struct feed *f, const struct pair_entry *e, const struct resp_token *t,
                    unsigned depth, unsigned id, enum op op)
{
    struct reply *a = &f->conn->reply;
    bool named = command_table[e->code].reply != REPLY_ENTRIES &&
                 command_table[e->code].reply != REPLY_CLAIMED;

    if (named && depth == (a->map ? 1 : 2) && t->index % 2 == 0 && has_text(t))
        set_first(f, t);
    if (depth != id + 1 || !has_text(t))
        return;
    if (t->index % 2 == 0)
        set_second(f, t);
    else
        value(f, e, t, op, (struct owner){named ? a->first : e->record->text[PAIR_KEY], a->second});
}

static void keyed(struct feed *f, const struct pair_entry *e, const struct resp_token *t,
                  unsigned depth)
{
    struct reply *a = &f->conn->reply;

    if (depth == 1 && t->index == 0 && has_text(t))
        set_first(f, t);
    else if (depth > 0)
        value(f, e, t, OP_DELIVER, (struct owner){.key = a->first});
}

static void setting(struct feed *f, const struct resp_token *t, unsigned depth)
{
    struct reply *a = &f->conn->reply;

    if (depth != 1 || !has_text(t))
        return;
    if (t->index % 2 == 0)
        set_first(f, t);
    else
        credential_setting_read(f, a->first, t->text);
}

/* server, name, version, number, ... */
static void greeting(struct feed *f, const struct resp_token *t, unsigned depth)
{
    struct reply *a = &f->conn->reply;

    if (depth != 1 || !has_text(t))
        return;
    if (t->index % 2 == 0) {
        a->first = bytes_head(t->text, f->conn->conf->max_item);
        a->first_held = t->held;
        a->first_saved = false;
    } else if (bytes_eq(a->first, "server")) {
        set_second(f, t);
    } else if (bytes_eq(a->first, "version")) {
        tell_peer(f, TO_CLIENT, a->second.at ? a->second : bytes_of("redis", 5), t->text);
    }
}

/* The rest of the line that begins with `name`; empty: there is none. */
static struct bytes info_line(struct bytes info, const char *name)
{
    struct bytes rest = bytes_after(info, name);
    const uint8_t *end = rest.len > 0 ? memchr(rest.at, '\r', rest.len) : NULL;

    return bytes_head(rest, end ? (size_t)(end - rest.at) : 0);
}

static void info(struct feed *f, const struct resp_token *t)
{
    struct bytes valkey = info_line(t->text, "\nvalkey_version:");
    struct bytes redis = info_line(t->text, "\nredis_version:");

    if (!has_text(t))
        return;
    if (valkey.len > 0)
        tell_peer(f, TO_CLIENT, bytes_of("valkey", 6), valkey);
    else if (redis.len > 0)
        tell_peer(f, TO_CLIENT, bytes_of("redis", 5), redis);
}

/* Whatever it is: every string is a value. The second of two may be what the first names. */
static void unknown(struct feed *f, const struct resp_token *t, unsigned depth)
{
    struct reply *a = &f->conn->reply;
    bool two = a->size == 2 && a->kind == RESP_ARRAY && depth == 1;
    struct owner of = {0};

    if (two && t->index == 1)
        of.key = a->first;
    if (t->kind != RESP_SIMPLE)
        value(f, NULL, t, of.key.at ? OP_DELIVER : OP_READ, of);
    if (two && t->index == 0 && has_text(t) && t->text.len > 0 && t->wire_len <= KEY_MAX)
        set_first(f, t);
}

void reply_value(struct feed *f, const struct pair_entry *e, const struct resp_token *t,
                 unsigned depth)
{
    const struct pair_record *r = e ? e->record : NULL;
    bool map = f->conn->reply.map;

    if (!e) {
        unknown(f, t, depth);
        return;
    }
    struct owner of = {.key = r->text[PAIR_KEY]};
    switch (command_table[e->code].reply) {
    case REPLY_VALUES:
        if (t->kind != RESP_SIMPLE)
            value(f, e, t, OP_READ, of);
        break;
    case REPLY_TAKEN: value(f, e, t, OP_DELIVER, of); break;
    case REPLY_ANY: value(f, e, t, OP_READ, of); break;
    case REPLY_KEYED: keyed(f, e, t, depth); break;
    case REPLY_FIELD: owned(f, e, t, false); break;
    case REPLY_BY_KEY:
    case REPLY_BY_FIELD:
        if (depth == 1)
            owned(f, e, t, command_table[e->code].reply == REPLY_BY_KEY);
        break;
    case REPLY_HASH:
        if (depth == 1)
            pairs(f, e, t);
        break;
    case REPLY_SCAN:
        if (depth == 2)
            value(f, e, t, OP_READ, of);
        break;
    case REPLY_HSCAN:
        if (depth == 2)
            pairs(f, e, t);
        break;
    case REPLY_ENTRIES: entries(f, e, t, depth, 2, OP_READ); break;
    case REPLY_CLAIMED: entries(f, e, t, depth, 3, OP_READ); break;
    case REPLY_STREAMS: entries(f, e, t, depth, map ? 3 : 4, OP_READ); break;
    case REPLY_STREAMS_TAKEN: entries(f, e, t, depth, map ? 3 : 4, OP_DELIVER); break;
    case REPLY_CONFIG: setting(f, t, depth); break;
    case REPLY_HELLO: greeting(f, t, depth); break;
    case REPLY_INFO: info(f, t); break;
    default: break;
    }
}

void reply_message(struct feed *f, const struct resp_token *t)
{
    struct reply *a = &f->conn->reply;
    bool pattern = a->mode == MODE_PMESSAGE;
    uint32_t i = t->index;
    struct msg m;

    if (t->depth != 1 || i == 0 || !has_text(t))
        return;
    if (pattern && i == 1) {
        set_first(f, t);
        return;
    }
    if (i == (pattern ? 2u : 1u)) {
        set_second(f, t);
        return;
    }
    tell_init(f, &m, MSG_ENVELOPE, "delivered", TO_CLIENT);
    fields_str(&m.fields, F_REDIS_COMMAND, pattern ? "PMESSAGE" : "MESSAGE");
    tell_session(f, &m, f->conn->db);
    fields_text(&m.fields, F_REDIS_CHANNEL, a->second);
    if (pattern)
        fields_text(&m.fields, F_REDIS_PATTERN, a->first);
    tell_envelope(f, &m, OP_DELIVER, body_of(t));
}
