/* dissectors/resp/tell.c - see tell.h. */
#include "dissectors/resp/tell.h"

#include <stdio.h>

void tell_init(const struct feed *f, struct msg *m, enum msg_kind kind, const char *action,
               enum dir dir)
{
    const struct resp_conn *conn = f->conn;

    msg_init(m, kind, action);
    m->dir = dir;
    m->offset = conn->way[dir].unit;
    m->at = f->chunk->at;
    m->coverage = conn->coverage;
}

void tell(const struct feed *f, const struct msg *m)
{
    f->out->emit(f->out->ctx, m);
}

void tell_session(const struct feed *f, struct msg *m, int32_t db)
{
    if (f->conn->user)
        fields_str(&m->fields, F_USER, f->conn->user);
    fields_num(&m->fields, F_REDIS_DB, db);
}

/* Nothing is in an empty value; but who takes it off a list of messages fails on it. */
static bool tells_empty(const struct msg *m, enum op op)
{
    struct bytes command = msg_text(m, F_REDIS_COMMAND);

    return op == OP_PUBLISH && m->dir == TO_SERVER && command.len > 1 &&
           (bytes_eq(bytes_of(command.at + 1, command.len - 1), "PUSH") ||
            bytes_eq(bytes_of(command.at + 1, command.len - 1), "PUSHX"));
}

void tell_envelope(const struct feed *f, struct msg *m, enum op op, struct body body)
{
    struct content c;

    if (body.wire_len == 0 && !tells_empty(m, op))
        return;
    /* Not one initializer: parts[] stays as it is. */
    c.body = body.bytes;
    c.wire_len = body.wire_len;
    c.clipped = body.bytes.len < body.wire_len || body.gap;
    c.type = c.encoding = c.compression = bytes_of(NULL, 0);
    c.base64 = c.unwrapped = c.limit = c.bomb = c.in_tap = false;
    c.tap = body.tap;
    c.tap_at = 0;
    c.abridged = c.document = bytes_of(NULL, 0);
    c.n_parts = c.n_top = 0;
    c.out_len = 0;
    c.what = WHAT_UNKNOWN;
    c.top = NULL;
    m->op = op;
    m->content = &c;
    if (body.gap)
        tap_cut(f->conn->conf->taps, body.tap);
    if (body.gap)
        m->coverage |= COVER_GAP;
    else if (c.clipped)
        m->coverage |= COVER_CLIPPED;
    if (c.clipped)
        tally_add(f->out->tally, TALLY_body_clipped, 1);
    tell(f, m);
}

void tell_broken(const struct feed *f, enum dir dir, enum resp_broken what, uint64_t offset)
{
    static const char *const names[RESP_BROKEN_COUNT] = {
        [RESP_BAD_TYPE] = "unknown type of value",
        [RESP_BAD_LENGTH] = "bad length",
        [RESP_NEGATIVE] = "negative length",
        [RESP_NO_CRLF] = "missing CRLF",
        [RESP_TOO_DEEP] = "nested too deep",
        [RESP_TOO_MANY] = "too many elements",
        [RESP_LINE_TOO_LONG] = "inline command too long",
        [RESP_HTTP] = "http on a redis port",
    };
    struct msg m;

    if (what == RESP_TOO_DEEP || what == RESP_TOO_MANY)
        tally_add(f->out->tally, TALLY_nesting_limit, 1);
    else
        tally_add(f->out->tally, TALLY_dissect_malformed, 1);
    if ((unsigned)f->conn->broken >> what & 1u)
        return;
    f->conn->broken = (uint16_t)(f->conn->broken | 1u << what);
    tell_init(f, &m, MSG_ANOMALY, "malformed", dir);
    fields_str(&m.fields, F_ANOMALY, names[what]);
    fields_num(&m.fields, F_ANOMALY_OFFSET, (int64_t)offset);
    tell(f, &m);
}

void tell_peer(const struct feed *f, enum dir dir, struct bytes name, struct bytes version)
{
    struct msg m;

    tell_init(f, &m, MSG_PEER, "identified", dir);
    if (name.len > 0)
        fields_text(&m.fields, F_PACKAGE_NAME, name);
    if (version.len > 0)
        fields_text(&m.fields, F_PACKAGE_VERSION, version);
    tell(f, &m);
}

void tell_unread(const struct feed *f, const char *protocol)
{
    struct msg m;

    tell_init(f, &m, MSG_UNREAD, "unread", TO_CLIENT);
    fields_str(&m.fields, F_PROTOCOL_UNREAD, protocol);
    tell(f, &m);
}

static size_t add_upper(char *to, size_t at, struct bytes text)
{
    for (size_t i = 0; i < text.len && at < COMMAND_NAME_MAX; i++) {
        uint8_t c = text.at[i];
        to[at++] = (char)(c >= 'a' && c <= 'z' ? c - 0x20 : c);
    }
    return at;
}

static size_t add_word(char *to, size_t at, struct bytes word, bool is_public)
{
    char hidden[32];
    int n;

    if (is_public)
        return add_upper(to, at, word);
    n = snprintf(hidden, sizeof hidden, "<%zu bytes>", word.len);
    for (int i = 0; i < n && at < COMMAND_NAME_MAX; i++)
        to[at++] = hidden[i];
    return at;
}

static bool is_container(const struct command *c, uint32_t n)
{
    return (c->flags & COMMAND_CONTAINER) && n > 1;
}

struct bytes tell_name(const struct command *c, const struct bytes *args, uint32_t n,
                       char scratch[COMMAND_NAME_MAX])
{
    size_t len;

    if (c->name[0] && !is_container(c, n))
        return command_name(c);
    if (n == 0)
        return bytes_of(NULL, 0);
    len = add_word(scratch, 0, args[0], c != &command_table[COMMAND_UNKNOWN]);
    if (is_container(c, n)) {
        len = add_upper(scratch, len, bytes_of(" ", 1));
        len = add_word(scratch, len, args[1], command_has_word(c, args[1]));
    }
    return bytes_of(scratch, len);
}

struct bytes tell_hidden_name(const struct command *c, const struct bytes *args, uint32_t n)
{
    if (n > 0 && c == &command_table[COMMAND_UNKNOWN])
        return args[0];
    if (is_container(c, n) && !command_has_word(c, args[1]))
        return args[1];
    return bytes_of(NULL, 0);
}
