/* dissectors/apps/task.c - task messages of either protocol, and the hybrid, read as
 * a worker reads them (celery:worker/consumer/consumer.py:create_task_handler,
 * celery:worker/strategy.py:default). */
#include "base/hash.h"
#include "dissectors/apps/celery.h"
#include "dissectors/apps/embed.h"
#include "dissectors/apps/text.h"

static bool is(struct bytes name, const char *text)
{
    return memcmp(name.at, text, name.len) == 0;
}

/* The field of a header of protocol 2 that is told (celery:app/amqp.py:AMQP.as_task_v2); F_COUNT:
 * it is not. */
static enum field_id field_of(struct bytes name)
{
    switch (name.len) {
    case 2: return is(name, "id") ? F_TASK_ID : F_COUNT;
    case 3: return is(name, "eta") ? F_TASK_ETA : F_COUNT;
    case 4: return is(name, "lang") ? F_TASK_LANG : is(name, "task") ? F_TASK_NAME : F_COUNT;
    case 5: return is(name, "group") ? F_TASK_GROUP : F_COUNT;
    case 6:
        return is(name, "origin") ? F_TASK_ORIGIN : is(name, "shadow") ? F_TASK_SHADOW : F_COUNT;
    case 7:
        return is(name, "root_id")   ? F_TASK_ROOT_ID
               : is(name, "expires") ? F_TASK_EXPIRES
               : is(name, "retries") ? F_TASK_RETRIES
                                     : F_COUNT;
    case 9: return is(name, "parent_id") ? F_TASK_PARENT_ID : F_COUNT;
    case 11: return is(name, "compression") ? F_TASK_COMPRESSION : F_COUNT;
    default: return F_COUNT;
    }
}

/* One that comes later, or is null, takes the place of an earlier one, as in a dict. */
static void set_header(struct fields *f, enum field_id id, const struct header *h,
                       struct arena *arena)
{
    struct bytes text;

    fields_drop(f, id);
    if (id == F_TASK_RETRIES || id == F_TASK_PRIORITY) {
        if (h->kind == HEADER_INT)
            fields_num(f, id, h->num);
        return;
    }
    text = h->kind == HEADER_TEXT && !h->cut ? h->text : text_of_header(h, arena);
    if (text.at)
        fields_text(f, id, text);
}

static void from_headers(struct fields *f, const struct header *first, struct arena *arena)
{
    for (const struct header *h = first; h; h = h->next) {
        enum field_id id = field_of(h->name);

        if (id != F_COUNT)
            set_header(f, id, h, arena);
    }
}

/* What a mapping says of the task: all of protocol 1, the defaults of a hybrid. */
static void from_body(struct fields *f, const struct member m[BODY_MEMBERS])
{
    static const struct {
        enum body_member from;
        enum field_id to;
    } parts[] = {
        {BODY_TASK, F_TASK_NAME},       {BODY_ID, F_TASK_ID},
        {BODY_GROUP, F_TASK_GROUP},     {BODY_ETA, F_TASK_ETA},
        {BODY_EXPIRES, F_TASK_EXPIRES}, {BODY_LANG, F_TASK_LANG},
        {BODY_ROOT_ID, F_TASK_ROOT_ID}, {BODY_PARENT_ID, F_TASK_PARENT_ID},
        {BODY_SHADOW, F_TASK_SHADOW},   {BODY_ORIGIN, F_TASK_ORIGIN},
    };

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct bytes text = member_text(&m[parts[i].from]);
        if (text.at)
            fields_text(f, parts[i].to, text);
    }
    if (m[BODY_RETRIES].seen && m[BODY_RETRIES].kind == TOKEN_INT)
        fields_num(f, F_TASK_RETRIES, m[BODY_RETRIES].num);
}

/* `taskset` is the older name of `group`, and wins (celery:worker/strategy.py:proto1_to_proto2). */
static void from_taskset(struct fields *f, const struct member *taskset)
{
    struct bytes text = member_text(taskset);

    if (taskset->seen)
        fields_drop(f, F_TASK_GROUP);
    if (text.at)
        fields_text(f, F_TASK_GROUP, text);
}

static void set_text(struct fields *f, enum field_id id, const struct header *h,
                     struct arena *arena)
{
    struct bytes text = text_of_header(h, arena);

    if (text.at)
        fields_text(f, id, text);
}

static void from_properties(struct fields *f, const struct headers *properties, struct arena *arena)
{
    for (const struct header *h = properties ? properties->first : NULL; h; h = h->next) {
        if (bytes_eq(h->name, "correlation_id"))
            set_header(f, F_TASK_CORRELATION_ID, h, arena);
        else if (bytes_eq(h->name, "reply_to"))
            set_header(f, F_TASK_REPLY_TO, h, arena);
        else if (bytes_eq(h->name, "delivery_tag"))
            set_header(f, F_TASK_DELIVERY_TAG, h, arena);
        else if (bytes_eq(h->name, "priority"))
            set_header(f, F_TASK_PRIORITY, h, arena);
    }
}

static void route_of_amqp(struct msg *m)
{
    struct bytes exchange = msg_text(m, F_AMQP_EXCHANGE), key = msg_text(m, F_AMQP_ROUTING_KEY);

    if (!msg_has(m, F_AMQP_EXCHANGE))
        return; /* the method was lost */
    fields_text(&m->fields, F_TASK_EXCHANGE, exchange);
    fields_text(&m->fields, F_TASK_ROUTING_KEY, key);
    if (m->op == OP_DELIVER && msg_has(m, F_AMQP_QUEUE))
        fields_text(&m->fields, F_TASK_QUEUE, msg_text(m, F_AMQP_QUEUE));
    else if (exchange.len == 0 && m->op != OP_DELIVER)
        fields_text(&m->fields, F_TASK_QUEUE, key);
}

/* On Redis the queue is the list; the copy in `unacked` and a broadcast have none of their own. */
static void queue_of_redis(struct msg *m)
{
    struct bytes key = msg_text(m, F_REDIS_KEY);
    struct bytes exchange = msg_text(m, F_TASK_EXCHANGE);

    if (place_is_numbered(key))
        key = place_queue_of(key, msg_text(m, F_TASK_ROUTING_KEY), msg_num(m, F_TASK_PRIORITY, 0));
    if (msg_has(m, F_KEPT) || msg_has(m, F_REDIS_CHANNEL))
        key = exchange.len == 0 && msg_has(m, F_KEPT) ? msg_text(m, F_TASK_ROUTING_KEY)
                                                      : (struct bytes){0};
    if (key.len > 0)
        fields_text(&m->fields, F_TASK_QUEUE, key);
}

static void route_of_redis(struct msg *m, struct arena *arena)
{
    const struct header *info = headers_find(m->properties, "delivery_info");

    if (!msg_has(m, F_KEPT)) {
        set_text(&m->fields, F_TASK_EXCHANGE, header_find(header_child(info), "exchange"), arena);
        set_text(&m->fields, F_TASK_ROUTING_KEY, header_find(header_child(info), "routing_key"),
                 arena);
    } else if (!msg_has(m, F_TASK_DELIVERY_TAG) && msg_has(m, F_REDIS_FIELD)) {
        fields_text(&m->fields, F_TASK_DELIVERY_TAG, msg_text(m, F_REDIS_FIELD));
    }
    queue_of_redis(m);
}

/* Bytes of the body as the worker gets it, before decompression. */
static uint64_t body_bytes(const struct content *c)
{
    if (!c->base64)
        return c->wire_len;
    if (!c->clipped && c->n_parts > 1 && c->parts[1].from == CODING_BASE64)
        return c->n_parts == 2 && c->limit ? c->wire_len / 4 * 3 : c->parts[1].bytes.len;
    return c->wire_len / 4 * 3;
}

static void from_content(struct msg *m, const struct letter *l)
{
    struct fields *f = &m->fields;

    fields_text(f, F_TASK_SERIALIZER, serializer_of(l->in, &l->doc));
    fields_num(f, F_TASK_SIGNED, l->doc.is_signed);
    if (l->doc.signer.len > 0)
        fields_text(f, F_TASK_SIGNER, l->doc.signer);
    if (l->doc.signature.len > 0)
        fields_text(f, F_SIGNATURE, l->doc.signature);
    fields_num(f, F_TASK_BODY_BYTES, (int64_t)body_bytes(m->content));
    fields_num(f, F_BODY_DIGEST, (int64_t)hash_bytes(content_inner(m->content), 0));
    fields_num(f, F_CONTENT_WHAT, m->content->what);
}

/* The copy of a delivery that cannot be told to be that: its head was captured, not its id. */
static bool is_nameless_copy(const struct msg *m)
{
    return msg_has(m, F_KEPT) && !msg_has(m, F_TASK_ID) &&
           (m->coverage & (COVER_CLIPPED | COVER_GAP));
}

static void emit(const struct letter *l, struct msg *m, struct body *b)
{
    struct arena *arena = l->out->arena;
    struct bytes names;

    fields_str(&m->fields, F_APP, "celery");
    from_properties(&m->fields, m->properties, arena);
    if (place_is_amqp(m))
        route_of_amqp(m);
    else
        route_of_redis(m, arena);
    from_content(m, l);
    names = embed_names(&l->doc, b, msg_text(m, F_TASK_NAME), arena);
    if (names.len > 0)
        fields_text(&m->fields, F_TASK_SUBTASKS, names);
    m->task = &b->views;
    if (is_nameless_copy(m))
        return;
    tally_add(l->out->tally, TALLY_tasks, 1);
    l->out->emit(l->out->ctx, m);
}

/* A message that was only looked at (HGET unacked, LRANGE) is not on its way anywhere. */
static bool begin(const struct letter *l, struct msg *m, int protocol)
{
    if (l->in->op == OP_READ)
        return false;
    msg_from(m, l->in, MSG_TASK, letter_action(l->in));
    fields_num(&m->fields, F_TASK_PROTOCOL, protocol);
    return true;
}

bool task_by_headers(const struct letter *l)
{
    const struct header *first = l->in->headers ? l->in->headers->first : NULL;
    struct body b;
    struct msg m;

    body_read(&l->doc, &b, l->out->arena);
    /* A name alone is no task: headers of others may be called so. */
    if (!l->in->cause && b.shape == BODY_UNREAD && !header_find(first, "id") &&
        !header_find(first, "lang"))
        return false;
    if (l->places != PLACE_ANY && b.shape != BODY_TRIPLE && !b.member[BODY_ARGS].seen)
        return false;
    if (!begin(l, &m, 2))
        return true;
    if (b.shape == BODY_MAPPING && (b.member[BODY_ARGS].seen || l->doc.format == WHAT_PICKLE))
        from_body(&m.fields, b.member);
    from_headers(&m.fields, first, l->out->arena);
    emit(l, &m, &b);
    return true;
}

static bool of_kind(const struct member *m, enum token_kind kind)
{
    return !m->seen || m->kind == kind;
}

/* Only what Celery has names for, or two of its names at least. */
static bool is_like_celery(const struct letter *l, const struct body *b)
{
    unsigned signs = 0;

    for (unsigned i = BODY_ARGS; i < BODY_MEMBERS; i++)
        signs += b->member[i].seen;
    return signs >= 2 || b->member[BODY_KWARGS].seen || (b->members.others == 0 && !l->doc.clipped);
}

/* What the worker spreads into arguments all the same: fun(*args). */
static bool is_iterable(const struct member *m)
{
    return m->kind == TOKEN_STRING || m->kind == TOKEN_MAP;
}

/* A worker runs whatever has a name and an id; args and kwargs may be absent (celery:worker/
 * strategy.py:proto1_to_proto2 has `body.get('args', ())`), but not of another kind. Somebody
 * else's JSON may have a `task` and an `id` too: without `args`, or with odd ones, and outside
 * kombu's envelope and Celery's own queue, it must have more in common. Of a pickle only plain
 * members are known. */
static bool is_protocol_1(const struct letter *l, const struct body *b)
{
    const struct member *m = b->member;
    bool certain = l->in->cause || place_has_tasks(l->in);

    if (b->shape != BODY_MAPPING || !member_is_text(&m[BODY_TASK]) || m[BODY_TASK].text.len == 0)
        return false;
    if (!m[BODY_ID].seen || !of_kind(&m[BODY_KWARGS], TOKEN_MAP))
        return false;
    if (!of_kind(&m[BODY_ARGS], TOKEN_LIST) &&
        !(is_iterable(&m[BODY_ARGS]) && (certain || m[BODY_KWARGS].seen)))
        return false;
    if (m[BODY_ARGS].seen || certain || b->views.format == WHAT_PICKLE)
        return true;
    return member_is_text(&m[BODY_ID]) && is_like_celery(l, b);
}

bool task_by_body(const struct letter *l, bool *more)
{
    struct body b;
    struct msg m;

    body_read(&l->doc, &b, l->out->arena);
    if (!is_protocol_1(l, &b))
        return false;
    *more = b.members.others > 0;
    if (!begin(l, &m, 1))
        return true;
    from_body(&m.fields, b.member);
    from_taskset(&m.fields, &b.member[BODY_TASKSET]);
    if (l->in->content->compression.len > 0)
        fields_text(&m.fields, F_TASK_COMPRESSION, l->in->content->compression);
    emit(l, &m, &b);
    return true;
}
