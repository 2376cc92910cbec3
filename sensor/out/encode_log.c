/* out/encode_log.c - the message log: records written straight from templates.
 *
 * Runs once for each message that is logged, so nothing is allocated and a
 * connection's part of the text is copied whole. Alerts have the same order of
 * keys (encode_alert.c); tests/out/encode.c compares the two. */
#include "out/encoder.h"

struct log_line {
    struct encoder *e;
    const struct msg *m;
    uint64_t has[2];     /* the fields of the message and its causes */
    uint64_t clipped[2]; /* those that were cut */
    bool redacts;        /* some of them */
};

static void write_text(struct log_line *l, enum field_id id, struct bytes value, bool *cut)
{
    struct redact *r = &l->e->redact;

    if (l->redacts && !encode_is_vocabulary(id))
        value = redact_text(r, value);
    text_json(&l->e->out, text_clip(value, l->e->conf.max_text, cut));
}

static void write_list(struct log_line *l, enum field_id id, struct bytes list, bool *cut)
{
    struct text *t = &l->e->out;
    struct bytes item;
    unsigned n = 0;

    TEXT_LITERAL(t, "[");
    while (list_next(&list, &item)) {
        if (n++ == ENCODE_LIST_MAX) {
            *cut = true;
            break;
        }
        text_comma(t);
        write_text(l, id, item, cut);
    }
    TEXT_LITERAL(t, "]");
}

static void write_secret(struct log_line *l, struct bytes secret)
{
    struct text *t = &l->e->out;
    char mask[REDACT_MASK], hmac[REDACT_HMAC + 1];

    redact_mask(secret, mask);
    TEXT_LITERAL(t, "{\"length\":");
    text_u64(t, secret.len);
    TEXT_LITERAL(t, ",\"masked\":");
    text_json(t, bytes_of(mask, strlen(mask)));
    if (redact_hmac(&l->e->redact, secret, hmac)) {
        TEXT_LITERAL(t, ",\"hmac_sha256\":\"");
        text_put(t, hmac, REDACT_HMAC);
        TEXT_LITERAL(t, "\"");
    }
    TEXT_LITERAL(t, "}");
}

static void write_value(struct log_line *l, enum field_id id, const union field_value *v)
{
    struct text *t = &l->e->out;
    bool cut = false;

    switch (field_defs[id].type) {
    case FIELD_TEXT: write_text(l, id, v->text, &cut); break;
    case FIELD_INT: text_i64(t, v->num); break;
    case FIELD_BOOL: text_str(t, v->num ? "true" : "false"); break;
    case FIELD_TIME:
        TEXT_LITERAL(t, "\"");
        text_time(t, &l->e->clock, v->num);
        TEXT_LITERAL(t, "\"");
        break;
    case FIELD_LIST: write_list(l, id, v->text, &cut); break;
    case FIELD_SECRET: write_secret(l, v->text); break;
    }
    if (cut)
        l->clipped[id >> 6] |= (uint64_t)1 << (id & 63);
}

static const union field_value *find(const struct msg *m, enum field_id id)
{
    while (!fields_have(&m->fields, id))
        m = m->cause; /* one of them has it */
    return &m->fields.at[id];
}

/* The fields of one part of the record. `object` is open, and open again at the end. */
static void write_fields(struct log_line *l, enum path_part part, uint8_t object)
{
    const struct paths *p = &l->e->paths;
    struct text *t = &l->e->out;
    uint8_t in = object;

    for (unsigned w = 0; w < 2; w++) {
        for (uint64_t left = l->has[w] & p->part[part][w]; left != 0; left &= left - 1) {
            enum field_id id = (enum field_id)(w * 64 + (unsigned)__builtin_ctzll(left));
            const struct path_field *f = &p->field[id];
            if (f->object != in)
                in = paths_move(p, t, in, f->object);
            text_comma(t);
            text_key(t, f->key, f->key_len);
            write_value(l, id, find(l->m, id));
        }
    }
    paths_move(p, t, in, object);
}

static void write_event(struct log_line *l, enum emit_kind kind)
{
    struct encoder *e = l->e;
    struct text *t = &e->out;
    const char *action = l->m->action ? l->m->action : "";
    char id[33];

    encode_id(e, emit_dataset(kind), action, l->m, l->m->index, id);
    TEXT_LITERAL(t, "{\"@timestamp\":\"");
    text_time(t, &e->clock, l->m->at.ns);
    TEXT_LITERAL(t, "\",\"ecs\":{\"version\":\"" ECS_VERSION "\"},\"event\":{\"kind\":\"event\","
                    "\"category\":[\"network\"],\"type\":[\"");
    text_str(t, kind == EMIT_COMMANDS ? "protocol" : "info");
    TEXT_LITERAL(t, "\"],\"id\":\"");
    text_put(t, id, 32);
    TEXT_LITERAL(t, "\",\"action\":");
    text_json(t, bytes_of(action, strlen(action)));
    TEXT_LITERAL(t, ",\"dataset\":\"");
    text_str(t, emit_dataset(kind));
    TEXT_LITERAL(t, "\"");
    write_fields(l, PART_EVENT, 1);
    TEXT_LITERAL(t, "}");
}

static void write_coverage(struct text *t, unsigned coverage)
{
    TEXT_LITERAL(t, ",\"coverage\":[");
    if (coverage == COVER_COMPLETE)
        TEXT_LITERAL(t, "\"complete\"");
    for (unsigned bit = COVER_CLIPPED; bit <= COVER_ONE_WAY; bit <<= 1) {
        if (!(coverage & bit))
            continue;
        text_comma(t);
        TEXT_LITERAL(t, "\"");
        text_str(t, encode_coverage_name(bit));
        TEXT_LITERAL(t, "\"");
    }
    TEXT_LITERAL(t, "]");
}

static void write_clipped(struct log_line *l)
{
    struct text *t = &l->e->out;

    if ((l->clipped[0] | l->clipped[1]) == 0)
        return;
    TEXT_LITERAL(t, ",\"clipped\":[");
    for (unsigned id = 0; id < F_COUNT; id++) {
        if (!(l->clipped[id >> 6] >> (id & 63) & 1))
            continue;
        text_comma(t);
        text_json(t, bytes_of(field_defs[id].path, strlen(field_defs[id].path)));
    }
    TEXT_LITERAL(t, "]");
}

static void write_observer(struct encoder *e, const char *input)
{
    struct text *t = &e->out;

    TEXT_LITERAL(t, ",");
    text_put(t, e->observer.at, e->observer.len);
    if (e->conf.live && input) {
        TEXT_LITERAL(t, ",\"ingress\":{\"interface\":{\"name\":");
        text_json(t, bytes_of(input, strlen(input)));
        TEXT_LITERAL(t, "}}");
    }
    TEXT_LITERAL(t, "}");
}

static void write_celeriac(struct log_line *l, const char *input)
{
    struct encoder *e = l->e;
    struct text *t = &e->out;

    TEXT_LITERAL(t, ",\"celeriac\":{");
    write_fields(l, PART_CELERIAC, 2);
    text_comma(t);
    TEXT_LITERAL(t, "\"packet\":");
    text_u64(t, l->m->at.number);
    if (!e->conf.live && input) {
        TEXT_LITERAL(t, ",\"capture\":");
        text_json(t, bytes_of(input, strlen(input)));
    }
    write_coverage(t, l->m->coverage);
    write_clipped(l);
    TEXT_LITERAL(t, "}}");
}

static void find_fields(struct log_line *l)
{
    for (const struct msg *m = l->m; m; m = m->cause) {
        l->has[0] |= m->fields.has[0];
        l->has[1] |= m->fields.has[1];
    }
}

/* Whether a name that somebody gave holds what may be a URL, with its password: of all others,
 * their text is none. */
static bool names_may_be_urls(const struct log_line *l)
{
#define BIT(w, id) (F_##id >> 6 == (w) ? (uint64_t)1 << (F_##id & 63) : 0)
#define NAMES(w)                                                                   \
    (BIT(w, TASK_QUEUE) | BIT(w, TASK_EXCHANGE) | BIT(w, TASK_ROUTING_KEY) |       \
     BIT(w, AMQP_EXCHANGE) | BIT(w, AMQP_DESTINATION) | BIT(w, AMQP_ROUTING_KEY) | \
     BIT(w, AMQP_QUEUE) | BIT(w, REDIS_KEY) | BIT(w, REDIS_CHANNEL) | BIT(w, REDIS_ARGS))
    static const uint64_t names[2] = {NAMES(0), NAMES(1)};
#undef NAMES
#undef BIT

    for (unsigned w = 0; w < 2; w++)
        for (uint64_t left = l->has[w] & names[w]; left != 0; left &= left - 1)
            if (redact_may_be_url(find(l->m, w * 64 + (unsigned)__builtin_ctzll(left))->text))
                return true;
    return false;
}

bool encode_log(struct encoder *e, enum emit_kind kind, const struct msg *m, struct record *out)
{
    struct log_line l = {.e = e, .m = m};
    const struct flow_text *flow = m->conn ? flow_text_of(e->flows, m->conn) : NULL;
    const char *input = encode_input(e, m->at.input);
    enum dir from = encode_sender(m);

    find_fields(&l);
    redact_begin(&e->redact, m, NULL);
    l.redacts = e->redact.n > 0 || names_may_be_urls(&l);
    text_clear(&e->out);
    write_event(&l, kind);
    if (flow) {
        TEXT_LITERAL(&e->out, ",");
        text_put(&e->out, flow->json[from], flow->json_len[from]);
    }
    write_fields(&l, PART_BODY, 0);
    write_observer(e, input);
    write_celeriac(&l, input);
    *out = (struct record){.kind = kind, .text = text_view(&e->out)};
    if (flow)
        out->key = bytes_of(flow->community, strlen(flow->community));
    return !e->out.bad;
}
