/* dissectors/apps/kombu.c - the JSON envelope in which kombu's virtual transports
 * put a message (kombu:transport/virtual/base.py:Channel.prepare_message,
 * _inplace_augment_message), out of a value on Redis.
 *
 * It is known by its shape, never by its key: keys, prefixes and separators can be
 * configured. The members may come in any order, twice (the last one counts), with
 * escapes, in compact form: whoever pushes by hand does not write as kombu does. */
#include "dissectors/apps/place.h"
#include "dissectors/apps/quick.h"
#include "dissectors/apps/text.h"
#include "dissectors/apps/tree.h"
#include "dissectors/content/base64.h"
#include "dissectors/interpreter.h"

enum name { BODY, ENCODING, TYPE, HEADERS, PROPERTIES, NAMES };

static const struct bytes names[NAMES] = {
    TEXT("body"),    TEXT("content-encoding"), TEXT("content-type"),
    TEXT("headers"), TEXT("properties"),
};

struct envelope {
    struct headers headers, properties;
    struct bytes type, encoding, body;
    bool has[NAMES]; /* there, and of the right kind */
    bool body_cut;
    bool raw_base64; /* the body is kombu's {"__type__": "base64"}, whatever body_encoding says */
    bool twice;      /* a member comes twice */
    bool broken;     /* no JSON object, or it ended too early */
    /* of the copy in `unacked`: [envelope, exchange, routing key] */
    bool kept;
    struct bytes exchange, routing_key;
};

static struct bytes view(const struct token *t, struct arena *arena)
{
    return t->escaped ? token_text(t, arena) : t->text;
}

/* {"__type__": "bytes" or "base64", "__value__": text} stands for bytes
 * (kombu:utils/json.py:object_hook, since 5.3). */
static void typed_body(struct reader *r, struct envelope *e, struct arena *arena)
{
    struct headers members;
    struct bytes type;
    const struct header *value;

    tree_read(r, &members, arena);
    type = header_text(header_find(members.first, "__type__"));
    value = header_find(members.first, "__value__");
    e->raw_base64 = bytes_eq(type, "base64");
    e->has[BODY] =
        value && value->kind == HEADER_TEXT && (e->raw_base64 || bytes_eq(type, "bytes"));
    e->body = header_text(value);
    e->body_cut = members.cut || (value && value->cut);
}

static void take_body(struct reader *r, const struct token *t, struct envelope *e,
                      struct arena *arena)
{
    e->raw_base64 = e->body_cut = false;
    e->has[BODY] = t->kind == TOKEN_STRING;
    if (t->kind == TOKEN_MAP) {
        typed_body(r, e, arena);
    } else if (t->kind == TOKEN_STRING) {
        e->body = view(t, arena);
        e->body_cut = t->cut;
    } else {
        reader_skip(r, t);
    }
}

static void take_text(struct reader *r, const struct token *t, struct bytes *to, bool *has,
                      struct arena *arena)
{
    *has = t->kind == TOKEN_STRING && !t->cut;
    *to = *has ? view(t, arena) : (struct bytes){0};
    reader_skip(r, t);
}

static void take_tree(struct reader *r, const struct token *t, struct headers *to, bool *has,
                      struct arena *arena)
{
    *has = t->kind == TOKEN_MAP;
    *to = (struct headers){0};
    if (*has)
        tree_read(r, to, arena);
    else
        reader_skip(r, t);
}

static void take(struct reader *r, enum name name, const struct token *t, struct envelope *e,
                 struct arena *arena)
{
    switch (name) {
    case BODY: take_body(r, t, e, arena); break;
    case ENCODING: take_text(r, t, &e->encoding, &e->has[ENCODING], arena); break;
    case TYPE: take_text(r, t, &e->type, &e->has[TYPE], arena); break;
    case HEADERS: take_tree(r, t, &e->headers, &e->has[HEADERS], arena); break;
    case PROPERTIES: take_tree(r, t, &e->properties, &e->has[PROPERTIES], arena); break;
    case NAMES: break;
    }
}

/* Looked for behind the last hit first: kombu keeps an order. */
static enum name name_of(struct bytes key, unsigned from)
{
    for (unsigned i = 0, at = from; i < NAMES; i++, at++) {
        if (at >= NAMES)
            at = 0;
        if (text_same(names[at], key))
            return (enum name)at;
    }
    return NAMES;
}

/* The members of the object whose TOKEN_MAP was just read. */
static void read_members(struct reader *r, struct envelope *e, struct arena *arena)
{
    unsigned from = 0, seen = 0;
    struct token t;

    while (reader_next(r, &t) && t.kind == TOKEN_KEY) {
        enum name name = name_of(view(&t, arena), from);

        if (name == NAMES) {
            reader_skip(r, &t);
            continue;
        }
        if (!reader_next(r, &t))
            break;
        e->twice |= seen >> name & 1u;
        seen |= 1u << name;
        take(r, name, &t, e, arena);
        from = name + 1;
    }
    e->broken = r->end == READER_BROKEN || r->end == READER_CLIPPED;
}

static void read_kept(struct reader *r, struct envelope *e, struct arena *arena)
{
    struct token t;
    bool has;

    if (!reader_next(r, &t) || t.kind != TOKEN_MAP)
        return;
    e->kept = true;
    read_members(r, e, arena);
    if (!reader_next(r, &t) || t.kind == TOKEN_LIST_END)
        return;
    take_text(r, &t, &e->exchange, &has, arena);
    if (!reader_next(r, &t) || t.kind == TOKEN_LIST_END)
        return;
    take_text(r, &t, &e->routing_key, &has, arena);
}

static void read_envelope(struct reader *r, struct envelope *e, struct arena *arena)
{
    struct token t;

    if (!reader_next(r, &t))
        return;
    if (t.kind == TOKEN_MAP)
        read_members(r, e, arena);
    else if (t.kind == TOKEN_LIST)
        read_kept(r, e, arena);
}

static quick_at quick_value(struct quick *q, quick_at at, enum name name, struct envelope *e)
{
    struct bytes *text = name == BODY ? &e->body : name == TYPE ? &e->type : &e->encoding;

    if (name != HEADERS && name != PROPERTIES)
        return quick_text(q, at, text);
    at = quick_take(at, '{');
    return at ? quick_tree(q, at, name == HEADERS ? &e->headers : &e->properties) : NULL;
}

/* The object behind its brace as kombu writes it, each member once; NULL: not so. */
static quick_at quick_members(struct quick *q, quick_at at, struct envelope *e)
{
    unsigned from = 0;
    struct bytes key;
    quick_at next = at;

    do {
        enum name name;

        at = quick_name(q, next, &key);
        name = at ? name_of(key, from) : NAMES;
        if (name == NAMES || e->has[name])
            return NULL;
        at = quick_value(q, at, name, e);
        if (!at || at == q->end)
            return NULL;
        e->has[name] = true;
        from = name + 1;
        next = quick_take(at, ',');
    } while (next);
    return quick_take(at, '}');
}

/* The two texts behind the copy in `unacked`, and the end of its list. */
static bool quick_kept(struct quick *q, quick_at at, struct envelope *e)
{
    at = quick_take(at, ',');
    at = at ? quick_text(q, at, &e->exchange) : NULL;
    at = at ? quick_take(at, ',') : NULL;
    at = at ? quick_text(q, at, &e->routing_key) : NULL;
    return at && quick_take(at, ']') != NULL;
}

/* The envelope, or its copy in `unacked`; false: read it with the reader. */
static bool quick_envelope(struct bytes text, struct envelope *e, struct arena *arena)
{
    struct quick q;
    quick_at at = text.at;

    if (!quick_begin(&q, text, arena))
        return false;
    e->kept = *at == '[';
    at = quick_take(at + e->kept, '{');
    at = at ? quick_members(&q, at, e) : NULL;
    if (!at || !e->kept)
        return at != NULL;
    return at < q.end && quick_kept(&q, at, e);
}

/* kombu's receiver insists on properties.delivery_tag (kombu:transport/virtual/base.py:Message);
 * what lacks it and yet names a task was made by hand, and is one for us. JSON of others has
 * "headers" and "body", too (HTTP), or "properties" (JSON Schema), not all of this. */
static bool is_envelope(const struct envelope *e, bool clipped)
{
    const struct header *props = e->properties.first;

    if (e->has[PROPERTIES] && (e->has[BODY] || e->has[HEADERS]) &&
        (header_find(props, "delivery_tag") || header_find(props, "body_encoding") ||
         header_find(props, "delivery_info")))
        return true;
    if (e->has[HEADERS] && (e->has[BODY] || e->has[PROPERTIES]) &&
        header_text(header_find(e->headers.first, "task")).len > 0)
        return true;
    /* The tail was not captured: `body` comes first, then type and headers. */
    return clipped && e->broken && e->has[BODY] &&
           (e->body_cut || e->has[ENCODING] || e->has[TYPE]) && !e->has[PROPERTIES];
}

static bool restored(const struct envelope *e)
{
    const struct header *info = header_find(e->properties.first, "delivery_info");

    return header_num(header_find(e->headers.first, "redelivered"), 0) != 0 ||
           header_num(header_find(header_child(info), "redelivered"), 0) != 0;
}

static const char *action_of(const struct msg *in, const struct envelope *e)
{
    switch (in->op) {
    case OP_PUBLISH: return restored(e) ? "restored" : "published";
    case OP_STORE: return e->kept ? "delivered" : "published";
    case OP_READ: return "retrieved";
    default: return "delivered";
    }
}

/* A body whose encoding was cut off with the tail of the envelope: base64, if it can be. */
static bool says_base64(const struct envelope *e)
{
    if (e->has[PROPERTIES])
        return bytes_eq(header_text(header_find(e->properties.first, "body_encoding")), "base64");
    return e->broken && e->body.len > 0 && base64_is_text(e->body);
}

static void content_from(struct content *c, const struct envelope *e)
{
    memset(c, 0, sizeof *c);
    c->body = e->body;
    c->wire_len = e->body.len;
    c->clipped = e->body_cut;
    c->base64 = e->raw_base64 || says_base64(e);
    c->type = e->type;
    c->encoding = e->encoding;
    c->compression = header_text(header_find(e->headers.first, "compression"));
}

static void emit(const struct msg *in, const struct envelope *e, const struct interpret_out *out)
{
    struct content content;
    struct msg m;

    content_from(&content, e);
    content.tap = in->content->tap;
    content.in_tap = content.tap != NULL;
    msg_from(&m, in, MSG_ENVELOPE, action_of(in, e));
    m.pickle = NULL;
    m.content = &content;
    m.headers = &e->headers;
    m.properties = &e->properties;
    if (e->has[TYPE])
        fields_text(&m.fields, F_CONTENT_TYPE, e->type);
    if (e->has[ENCODING])
        fields_text(&m.fields, F_CONTENT_ENCODING, e->encoding);
    if (e->twice)
        fields_num(&m.fields, F_KEY_TWICE, 1);
    if (e->kept) {
        fields_num(&m.fields, F_KEPT, 1);
        fields_text(&m.fields, F_TASK_EXCHANGE, e->exchange);
        fields_text(&m.fields, F_TASK_ROUTING_KEY, e->routing_key);
    }
    out->emit(out->ctx, &m);
}

/* What kombu never takes for a message is not read through: plain strings of SET and GET, and the
 * results that Celery announces. */
static bool may_hold(const struct msg *in)
{
    struct bytes command = msg_text(in, F_REDIS_COMMAND), channel = msg_text(in, F_REDIS_CHANNEL);

    if (in->cause || !in->content || place_is_amqp(in) ||
        text_find(channel, "celery-task-meta-") < channel.len)
        return false;
    if (in->op == OP_STORE)
        return !text_starts(command, "SET") && !text_starts(command, "PSETEX") &&
               !text_starts(command, "MSET") && !text_starts(command, "GETSET");
    if (in->op == OP_READ)
        return !text_starts(command, "GET") && !text_starts(command, "MGET");
    return true;
}

/* Where the envelope begins: behind blanks, and behind a mark of UTF-8 as in content/unwrap.c. */
static struct bytes trimmed(struct bytes b)
{
    if (b.len > 3 && memcmp(b.at, "\xef\xbb\xbf", 3) == 0)
        bytes_cut(&b, 3);
    while (b.len > 0 && (b.at[0] == ' ' || b.at[0] == '\t' || b.at[0] == '\n' || b.at[0] == '\r'))
        bytes_cut(&b, 1);
    return b;
}

static void read_text(struct bytes text, bool clipped, struct envelope *e, struct arena *arena)
{
    struct arena_mark mark = arena_mark(arena);
    struct reader r;

    memset(e, 0, sizeof *e);
    if (!clipped && quick_envelope(text, e, arena))
        return;
    arena_rewind(arena, mark);
    memset(e, 0, sizeof *e);
    reader_begin(&r, WHAT_JSON, text, clipped, arena);
    read_envelope(&r, e, arena);
    reader_end(&r);
}

/* The whole document, but for its bulk, knows better than the head; of the body the head has more.
 */
static void read_abridged(struct bytes text, struct envelope *head, struct arena *arena)
{
    struct envelope whole;

    read_text(text, true, &whole, arena);
    if (whole.broken && head->has[BODY])
        return;
    if (head->has[BODY] && head->body.len >= whole.body.len &&
        (whole.body.len == 0 || memcmp(head->body.at, whole.body.at, whole.body.len) == 0))
        whole.body = head->body;
    whole.body_cut = true;
    *head = whole;
}

static bool read(const struct msg *in, const struct interpret_out *out)
{
    struct envelope e;
    struct bytes text;

    if (!may_hold(in))
        return false;
    text = trimmed(in->content->body);
    if (text.len < 2 || (text.at[0] != '{' && text.at[0] != '['))
        return false;
    read_text(text, in->content->clipped, &e, out->arena);
    if (in->content->abridged.len > 0)
        read_abridged(in->content->abridged, &e, out->arena);
    if (!is_envelope(&e, in->content->clipped))
        return false;
    emit(in, &e, out);
    return true;
}

const struct interpreter kombu_interpreter = {
    .name = "kombu",
    .reads = MSG_ENVELOPE,
    .read = read,
};
