/* dissectors/amqp/emit.c - messages of methods and contents. */
#include "dissectors/amqp/emit.h"

#include <stdio.h>

#include "dissectors/amqp/login.h"
#include "dissectors/amqp/props.h"
#include "dissectors/amqp/table.h"

/* A client that speaks on, this far, after a late start, without a word from the server. */
#define ONE_WAY_BYTES (64u << 10)

static const char *const anomalies[] = {
    [ANOMALY_FRAME_END] = "frame end octet missing",
    [ANOMALY_FRAME_TYPE] = "unknown frame type",
    [ANOMALY_FRAME_HUGE] = "frame larger than any broker allows",
    [ANOMALY_FRAME_MAX] = "frame larger than negotiated",
    [ANOMALY_CHANNEL_MAX] = "channel number above the negotiated maximum",
    [ANOMALY_METHOD] = "unknown method",
    [ANOMALY_ARGUMENTS] = "method arguments do not fit the frame",
    [ANOMALY_INTERLEAVED] = "method on a channel that waits for content",
    [ANOMALY_NO_METHOD] = "content header without a method",
    [ANOMALY_NO_HEADER] = "content body without a header",
    [ANOMALY_HEADER] = "content header malformed",
    [ANOMALY_BODY_SIZE] = "content body exceeds its announced size",
    [ANOMALY_TABLE] = "field table malformed",
};

static uint8_t coverage(const struct amqp_feed *f, uint64_t offset)
{
    const struct amqp *a = f->a;
    bool one_way = !a->seen[dir_other(f->c->dir)] && (!a->midstream || offset >= ONE_WAY_BYTES);

    return (uint8_t)(f->cover | (a->midstream ? COVER_MIDSTREAM : 0) |
                     (one_way ? COVER_ONE_WAY : 0));
}

void amqp_msg_init(const struct amqp_feed *f, struct msg *m, enum msg_kind kind, const char *action,
                   uint64_t offset)
{
    msg_init(m, kind, action);
    m->dir = f->c->dir;
    m->offset = offset;
    m->at = f->c->at;
    m->coverage = coverage(f, offset);
}

void amqp_emit_anomaly(struct amqp_feed *f, enum amqp_anomaly what, uint64_t offset)
{
    struct msg m;

    if (f->cover & COVER_GAP) /* what does not fit is ours, not theirs */
        return;
    tally_add(f->out->tally, TALLY_dissect_malformed, 1);
    if (f->a->anomalies >> what & 1u)
        return;
    f->a->anomalies |= 1u << what;
    amqp_msg_init(f, &m, MSG_ANOMALY, "malformed", offset);
    fields_str(&m.fields, F_ANOMALY, anomalies[what]);
    fields_num(&m.fields, F_ANOMALY_OFFSET, offset > INT64_MAX ? INT64_MAX : (int64_t)offset);
    amqp_emit(f, &m);
}

/* Who, where. */
static void fill_place(const struct amqp_feed *f, struct msg *m, uint16_t channel)
{
    const struct amqp_login *l = &f->a->login;

    if (l->has_user)
        fields_text(&m->fields, F_USER, amqp_login_user(l));
    if (l->vhost_len > 0)
        fields_text(&m->fields, F_AMQP_VHOST, amqp_login_vhost(l));
    fields_num(&m->fields, F_AMQP_CHANNEL, channel);
}

static void fill_args(struct msg *m, const struct amqp_method *method)
{
    for (unsigned i = 0; i < method->n; i++) {
        const struct amqp_arg *arg = &method->def->args[i];
        const union amqp_value *v = &method->args[i];
        enum field_id id = (enum field_id)arg->field;

        if (arg->field == AMQP_NO_FIELD)
            continue;
        if (id == F_AMQP_REPLY_TEXT) {
            struct bytes word = amqp_reply_word(v->text);
            if (word.len > 0)
                fields_text(&m->fields, id, word);
        } else if (arg->type == ARG_SHORTSTR || arg->type == ARG_LONGSTR) {
            fields_text(&m->fields, id, v->text);
        } else {
            fields_num(&m->fields, id, v->num > INT64_MAX ? INT64_MAX : (int64_t)v->num);
        }
    }
}

static struct amqp_table_limits table_limits(const struct amqp_feed *f)
{
    const struct dissect_conf *conf = f->a->conf;

    return (struct amqp_table_limits){.max_depth = conf->max_depth,
                                      .max_elements = conf->max_elements};
}

/* Where messages go that an exchange has no binding for, or that die in a queue. */
static void fill_onward(struct amqp_feed *f, struct msg *m, const struct amqp_method *method)
{
    static const struct {
        const char *name;
        enum field_id field;
    } args[] = {{"alternate-exchange", F_AMQP_ONWARD},
                {"x-dead-letter-exchange", F_AMQP_ONWARD},
                {"x-dead-letter-routing-key", F_AMQP_ONWARD_KEY}};
    struct amqp_table_limits limits = table_limits(f);
    unsigned last = method->n - 1; /* the arguments of either */
    struct headers headers;

    if (method->n == 0 || method->def->args[last].type != ARG_TABLE ||
        method->args[last].text.len < sizeof "alternate-exchange")
        return;
    amqp_table_headers(method->args[last].text, false, &limits, f->out->arena, f->out->tally,
                       &headers);
    for (size_t i = 0; i < sizeof args / sizeof *args; i++) {
        struct bytes text = header_text(headers_find(&headers, args[i].name));
        if (text.at)
            fields_text(&m->fields, args[i].field, text);
    }
}

static bool declares(const struct amqp_method *method)
{
    enum amqp_method_id id = (enum amqp_method_id)method->def->id;

    return id == M_EXCHANGE_DECLARE || id == M_QUEUE_DECLARE;
}

/* "60.200": a method that has no name. */
static void fill_unknown(const struct amqp_feed *f, struct msg *m, const struct amqp_method *method)
{
    enum { ROOM = 16 };
    char *text = arena_raw(f->out->arena, ROOM);
    int n = text ? snprintf(text, ROOM, "%u.%u", method->class_id, method->method_id) : 0;

    if (n > 0)
        fields_text(&m->fields, F_AMQP_METHOD, bytes_of(text, (size_t)n));
}

/* Acknowledgements are as frequent as tasks: that there are any is said once in a while. */
static bool settles(struct amqp_feed *f, const struct amqp_method *method)
{
    if (!method->def || (enum amqp_method_id)method->def->id != M_BASIC_ACK ||
        f->c->dir != TO_SERVER || (f->a->acked && f->c->at.ns - f->a->acked < SETTLES_NS))
        return false;
    f->a->acked = f->c->at.ns;
    return true;
}

void amqp_emit_command(struct amqp_feed *f, const struct amqp_method *method, uint16_t channel,
                       uint64_t offset, struct bytes queue)
{
    struct msg m;
    bool wanted = method->def && (method->def->flags & METHOD_ALWAYS), acks = settles(f, method);

    if (!wanted && !acks && !f->a->conf->commands)
        return;
    amqp_msg_init(f, &m, MSG_COMMAND, method->def ? method->def->name : "unknown", offset);
    fill_place(f, &m, channel);
    if (method->def) {
        fields_str(&m.fields, F_AMQP_METHOD, method->def->name);
        fill_args(&m, method);
        if (declares(method))
            fill_onward(f, &m, method);
    } else {
        fill_unknown(f, &m, method);
    }
    if (acks)
        fields_num(&m.fields, F_SETTLES, 1);
    if (queue.at)
        fields_text(&m.fields, F_AMQP_QUEUE, queue);
    amqp_emit(f, &m);
}

/* What happens to the message; without its method, as far as the direction tells. */
static void fill_op(struct msg *m, const struct amqp_method *method)
{
    enum amqp_method_id id = method->def ? (enum amqp_method_id)method->def->id : M_UNKNOWN;

    if (id == M_BASIC_RETURN) {
        m->op = OP_RETURN;
        m->action = "returned";
    } else if (m->dir == TO_SERVER) {
        m->op = OP_PUBLISH;
        m->action = "published";
    } else {
        m->op = OP_DELIVER;
        m->action = msg_num(m, F_AMQP_REDELIVERED, 0) ? "redelivered" : "delivered";
    }
}

static void fill_queue(struct amqp_feed *f, struct msg *m, const struct amqp_content *c)
{
    struct amqp_channel *ch = amqp_channel_find(&f->a->channels, c->channel);
    struct bytes queue = {0};

    if (c->is_get)
        queue = amqp_name_find(ch, NAME_GET, queue);
    else if (msg_has(m, F_AMQP_CONSUMER_TAG))
        queue = amqp_name_find(ch, NAME_CONSUMER, msg_text(m, F_AMQP_CONSUMER_TAG));
    if (queue.at)
        fields_text(&m->fields, F_AMQP_QUEUE, queue);
}

static void fill_props(struct msg *m, const struct amqp_props *p)
{
    static const struct {
        enum amqp_prop prop;
        enum field_id field;
    } texts[] = {
        {PROP_CONTENT_TYPE, F_CONTENT_TYPE},
        {PROP_CONTENT_ENCODING, F_CONTENT_ENCODING},
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (amqp_props_have(p, texts[i].prop))
            fields_text(&m->fields, texts[i].field, p->at[texts[i].prop].text);
}

/* The header tree; false: there is none. */
static bool read_headers(struct amqp_feed *f, const struct amqp_content *c,
                         const struct amqp_props *p, struct headers *out)
{
    struct amqp_table_limits limits = table_limits(f);

    if (!amqp_props_have(p, PROP_HEADERS))
        return false;
    if (!amqp_table_headers(p->at[PROP_HEADERS].text, !p->exact, &limits, f->out->arena,
                            f->out->tally, out))
        amqp_emit_anomaly(f, ANOMALY_TABLE, c->offset);
    return true;
}

static uint8_t content_coverage(const struct amqp_content *c, const struct content *content,
                                const struct headers *headers)
{
    bool clipped = content->clipped || c->head_cut || (headers && headers->cut);

    return (uint8_t)(c->cover | (clipped ? COVER_CLIPPED : 0));
}

/* What was read of it already, or what is read now. */
static const struct amqp_method *method_of(struct amqp_feed *f, const struct amqp_content *c,
                                           struct amqp_method *room)
{
    if (c == &f->now && f->has_method)
        return &f->method;
    amqp_method_read(room, c->method, f->a->v0_8);
    return room;
}

static const struct amqp_props *props_of(struct amqp_feed *f, const struct amqp_content *c,
                                         struct amqp_props *room)
{
    if (c == &f->now && f->has_props)
        return &f->props;
    amqp_props_read(room, c->header);
    return room;
}

static void fill_method(struct amqp_feed *f, struct msg *m, const struct amqp_content *c)
{
    struct amqp_method room;
    const struct amqp_method *method = method_of(f, c, &room);

    if (method->def) {
        fields_str(&m->fields, F_AMQP_METHOD, method->def->name);
        fill_args(m, method);
    }
    fill_op(m, method);
    fill_queue(f, m, c);
}

struct bytes amqp_content_compression(struct amqp_feed *f, const struct amqp_content *c)
{
    struct amqp_props room;
    const struct amqp_props *p = props_of(f, c, &room);
    struct headers headers;

    if (!read_headers(f, c, p, &headers))
        return bytes_of(NULL, 0);
    return header_text(headers_find(&headers, "compression"));
}

void amqp_emit_envelope(struct amqp_feed *f, const struct amqp_content *c, struct bytes body)
{
    struct amqp_props room;
    const struct amqp_props *p = props_of(f, c, &room);
    struct headers headers, properties;
    uint64_t len = c->got > c->size ? c->got : c->size;
    struct content content = {
        .body = body, .wire_len = len, .clipped = body.len < len, .tap = c->tap};
    struct msg m;

    if (c->hole || c->got < c->size)
        tap_cut(f->a->conf->taps, c->tap);

    amqp_msg_init(f, &m, MSG_ENVELOPE, NULL, c->offset);
    fill_place(f, &m, c->channel);
    fill_method(f, &m, c);
    fill_props(&m, p);
    fields_num(&m.fields, F_AMQP_BODY_BYTES, len > INT64_MAX ? INT64_MAX : (int64_t)len);
    content.type = amqp_props_text(p, PROP_CONTENT_TYPE);
    content.encoding = amqp_props_text(p, PROP_CONTENT_ENCODING);
    if (read_headers(f, c, p, &headers)) {
        content.compression = header_text(headers_find(&headers, "compression"));
        m.headers = &headers;
    }
    amqp_props_list(p, f->out->arena, &properties);
    m.properties = &properties;
    m.content = &content;
    m.coverage |= content_coverage(c, &content, m.headers);
    tally_add(f->out->tally, TALLY_body_clipped, content.clipped);
    amqp_emit(f, &m);
}

void amqp_emit_peer(struct amqp_feed *f, struct bytes table, uint64_t offset)
{
    static const struct {
        const char *name;
        enum field_id field;
    } facts[] = {{"product", F_PACKAGE_NAME},
                 {"product_version", F_PACKAGE_VERSION}, /* py-amqp */
                 {"version", F_PACKAGE_VERSION},
                 {"platform", F_PACKAGE_PLATFORM}};
    struct amqp_table_limits limits = table_limits(f);
    struct headers headers;
    struct msg m;

    if (!amqp_table_headers(table, false, &limits, f->out->arena, f->out->tally, &headers))
        amqp_emit_anomaly(f, ANOMALY_TABLE, offset);
    amqp_msg_init(f, &m, MSG_PEER, "identified", offset);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        const struct header *h = headers_find(&headers, facts[i].name);
        if (header_text(h).at)
            fields_text(&m.fields, facts[i].field, header_text(h));
    }
    amqp_emit(f, &m);
}
