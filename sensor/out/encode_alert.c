/* out/encode_alert.c - a finding as an ECS alert. The order of the calls is the
 * order of the keys, that of the message log (encode_log.c) with what an alert
 * has besides. */
#include "out/encoder.h"
#include "out/tree.h"

struct alert {
    struct tree tree;
    struct encoder *e;
    const struct msg *m;
    const struct finding *f;
    const struct rule *rule;
    json_t *clipped; /* paths of what was cut; NULL: nothing was */
};

static void note_clipped(struct alert *a, const char *path)
{
    if (!a->clipped)
        a->clipped = json_array();
    json_array_append_new(a->clipped, json_string_nocheck(path));
}

static json_t *clean_string(struct alert *a, struct bytes value, bool redact, bool *cut)
{
    if (redact)
        value = redact_text(&a->e->redact, value);
    return tree_string(&a->tree, text_clip(value, a->e->conf.max_text, cut));
}

static json_t *clean_list(struct alert *a, struct bytes list, bool redact, bool *cut)
{
    json_t *out = json_array();
    struct bytes item;

    while (list_next(&list, &item)) {
        if (json_array_size(out) == ENCODE_LIST_MAX) {
            *cut = true;
            break;
        }
        if (json_array_append_new(out, clean_string(a, item, redact, cut)) != 0)
            a->tree.bad = true;
    }
    return out;
}

static json_t *masked(struct alert *a, struct bytes secret)
{
    char mask[REDACT_MASK], hmac[REDACT_HMAC + 1];
    json_t *out = json_object();

    redact_mask(secret, mask);
    json_object_set_new(out, "length", json_integer((json_int_t)secret.len));
    json_object_set_new(out, "masked", json_string(mask));
    if (redact_hmac(&a->e->redact, secret, hmac))
        json_object_set_new(out, "hmac_sha256", json_string(hmac));
    return out;
}

static void put_value(struct alert *a, const char *path, enum field_type type,
                      const union field_value *v, bool redact)
{
    struct tree *t = &a->tree;
    bool cut = false;

    switch (type) {
    case FIELD_TEXT: tree_put(t, path, clean_string(a, v->text, redact, &cut)); break;
    case FIELD_INT: tree_num(t, path, v->num); break;
    case FIELD_BOOL: tree_bool(t, path, v->num != 0); break;
    case FIELD_TIME: tree_time(t, path, &a->e->clock, v->num); break;
    case FIELD_LIST: tree_put(t, path, clean_list(a, v->text, redact, &cut)); break;
    case FIELD_SECRET: tree_put(t, path, masked(a, v->text)); break;
    }
    if (cut)
        note_clipped(a, path);
}

static void put_fields(struct alert *a, enum path_part part)
{
    for (unsigned i = 0; i < F_COUNT; i++) {
        enum field_id id = (enum field_id)i;
        const union field_value *v =
            a->e->paths.part[part][i >> 6] >> (i & 63) & 1 ? msg_find(a->m, id) : NULL;
        if (v)
            put_value(a, field_defs[i].path, field_defs[i].type, v, !encode_is_vocabulary(id));
    }
}

static void put_event(struct alert *a)
{
    static const int RISK[] = {0, 5, 25, 50, 75, 95};
    struct tree *t = &a->tree;
    const char *dataset = emit_dataset(EMIT_ALERTS);
    const char *reason = a->f->reason[0] ? a->f->reason : a->rule->name;
    unsigned severity = a->f->severity;
    bool cut = false;
    char id[33];

    encode_id(a->e, dataset, a->rule->id, a->m, a->f->index, id);
    tree_time(t, "@timestamp", &a->e->clock, a->m->at.ns);
    tree_str(t, "ecs.version", ECS_VERSION);
    tree_str(t, "event.kind", "alert");
    tree_words(t, "event.category", a->rule->event_category);
    tree_words(t, "event.type", a->rule->event_type);
    tree_str(t, "event.id", id);
    if (a->m->action)
        tree_str(t, "event.action", a->m->action);
    tree_num(t, "event.severity", severity);
    tree_num(t, "event.risk_score", RISK[severity <= SEV_CRITICAL ? severity : SEV_CRITICAL]);
    tree_put(t, "event.reason", clean_string(a, bytes_of(reason, strlen(reason)), true, &cut));
    tree_str(t, "event.dataset", dataset);
    put_fields(a, PART_EVENT);
}

/* T1059.006 is the sub-technique of T1059; a technique is named once. */
static void put_threat(struct alert *a)
{
    const char *at = a->rule->attack;
    json_t *techniques, *subs;

    if (!*at)
        return;
    techniques = json_array();
    subs = json_array();
    while (*at) {
        size_t n = strcspn(at, " "), main = strcspn(at, " .");
        json_t *last = json_array_get(techniques, json_array_size(techniques) - 1);
        if (!last || json_string_length(last) != main ||
            memcmp(json_string_value(last), at, main) != 0)
            json_array_append_new(techniques, json_stringn(at, main));
        if (main < n)
            json_array_append_new(subs, json_stringn(at, n));
        at += n + (at[n] == ' ');
    }
    tree_str(&a->tree, "threat.framework", "MITRE ATT&CK");
    tree_put(&a->tree, "threat.technique.id", techniques);
    if (json_array_size(subs) > 0)
        tree_put(&a->tree, "threat.technique.subtechnique.id", json_incref(subs));
    json_decref(subs);
}

static void put_rule(struct alert *a)
{
    struct tree *t = &a->tree;
    char version[8];
    struct text number = {.at = version, .cap = sizeof version};

    text_u64(&number, a->rule->version);
    tree_str(t, "rule.id", a->rule->id);
    tree_str(t, "rule.name", a->rule->name);
    tree_str(t, "rule.category", a->rule->category);
    if (a->rule->references[0])
        tree_words(t, "rule.reference", a->rule->references);
    tree_put(t, "rule.version", json_stringn(version, number.len));
}

static void put_flow(struct alert *a, const struct flow_text *flow)
{
    struct tree *t = &a->tree;
    enum dir from = a->rule->client_is_source ? TO_SERVER : encode_sender(a->m);
    const struct endpoint *end[2] = {&flow->id.client, &flow->id.server};
    enum dir to = dir_other(from);
    char vlan[8];
    struct text number = {.at = vlan, .cap = sizeof vlan};

    tree_str(t, "source.ip", flow->ip[from]);
    tree_num(t, "source.port", end[from]->port);
    tree_str(t, "destination.ip", flow->ip[to]);
    tree_num(t, "destination.port", end[to]->port);
    tree_str(t, "network.transport", "tcp");
    tree_str(t, "network.type", flow->type);
    tree_str(t, "network.protocol", flow->proto);
    tree_str(t, "network.community_id", flow->community);
    text_u64(&number, flow->id.vlan);
    if (flow->id.vlan != 0)
        tree_put(t, "network.vlan.id", json_stringn(vlan, number.len));
    tree_str(t, "network.direction", flow->direction[from]);
}

static void put_observer(struct alert *a, const char *input)
{
    tree_observer(&a->tree, a->e->conf.observer_name);
    if (a->e->conf.live && input)
        tree_text(&a->tree, "observer.ingress.interface.name", bytes_of(input, strlen(input)));
}

static void put_evidence(struct alert *a)
{
    static const char PREFIX[] = "celeriac.evidence.";
    char path[128];

    for (unsigned i = 0; i < a->f->n_evidence; i++) {
        const struct evidence *e = &a->f->evidence[i];
        size_t n = strlen(e->name);
        if (n >= sizeof path - sizeof PREFIX) {
            a->tree.bad = true; /* a detector's mistake, found by its test */
            return;
        }
        memcpy(path, PREFIX, sizeof PREFIX);
        memcpy(path + sizeof PREFIX - 1, e->name, n + 1);
        put_value(a, path, e->type, &e->value, true);
    }
}

static void put_coverage(struct alert *a)
{
    json_t *list = json_array();

    if (a->m->coverage == COVER_COMPLETE)
        json_array_append_new(list, json_string("complete"));
    for (unsigned bit = COVER_CLIPPED; bit <= COVER_ONE_WAY; bit <<= 1)
        if (a->m->coverage & bit)
            json_array_append_new(list, json_string(encode_coverage_name(bit)));
    tree_put(&a->tree, "celeriac.coverage", list);
}

static void put_fold(struct alert *a, const struct fold_state *fold)
{
    struct tree *t = &a->tree;
    bool cut = false;

    tree_u64(t, "celeriac.fold.count", fold->count);
    tree_time(t, "celeriac.fold.first", &a->e->clock, fold->first_ns);
    tree_time(t, "celeriac.fold.last", &a->e->clock, fold->last_ns);
    tree_bool(t, "celeriac.fold.final", fold->final);
    if (fold->sources.len > 0)
        tree_put(t, "celeriac.fold.sources", clean_list(a, fold->sources, false, &cut));
}

static void put_celeriac(struct alert *a, const char *input, const struct fold_state *fold)
{
    put_fields(a, PART_CELERIAC);
    put_evidence(a);
    tree_u64(&a->tree, "celeriac.packet", a->m->at.number);
    if (!a->e->conf.live && input)
        tree_text(&a->tree, "celeriac.capture", bytes_of(input, strlen(input)));
    put_coverage(a);
    if (a->clipped)
        tree_put(&a->tree, "celeriac.clipped", a->clipped);
    if (fold)
        put_fold(a, fold);
}

bool encode_alert(struct encoder *e, const struct msg *m, const struct finding *f,
                  const struct fold_state *fold, struct record *out)
{
    struct alert a = {.e = e, .m = m, .f = f, .rule = &rules[f->rule]};
    const struct flow_text *flow = m->conn ? flow_text_of(e->flows, m->conn) : NULL;
    const char *input = encode_input(e, m->at.input);

    redact_begin(&e->redact, m, f);
    tree_begin(&a.tree, &e->scratch);
    put_event(&a);
    put_rule(&a);
    put_threat(&a);
    if (flow)
        put_flow(&a, flow);
    put_fields(&a, PART_BODY);
    put_observer(&a, input);
    put_celeriac(&a, input, fold);
    *out = (struct record){.kind = EMIT_ALERTS, .severity = (uint8_t)f->severity};
    if (!tree_end(&a.tree, &e->out))
        return false;
    out->text = text_view(&e->out);
    if (flow)
        out->key = bytes_of(flow->community, strlen(flow->community));
    return true;
}
