/* signatures/flat.c - see flat.h. The block:
 *
 *   struct head | struct entry of each field | the fields' bytes | findings
 *   a finding: struct finding_head | reason | (struct evidence_head, bytes)*
 *
 * Heads and entries are 8-aligned, findings are not and are copied in and out.
 * Names, actions and protocols are literals of this process and stay pointers. */
#include "signatures/flat.h"

struct head {
    struct conn_info conn;
    struct stamp at;
    const char *action;
    uint64_t offset;
    uint64_t n_findings;
    uint64_t findings_at, findings_len; /* in the block */
    uint32_t n_fields;
    uint16_t kind, index;
    uint8_t op, dir, coverage, has_conn;
};

struct entry {
    uint32_t id;
    uint32_t len;   /* of a text */
    uint64_t value; /* the number, or the offset of the text in the block */
};

struct finding_head {
    uint64_t fold_class;
    uint32_t rule, severity, fold, fold_seconds;
    uint16_t index, n_evidence, reason_len;
    bool once_a_task;
};

struct evidence_head {
    const char *name;
    uint64_t value; /* number, or length of the text behind */
    uint32_t type;
};

static bool is_text(enum field_type type)
{
    return type == FIELD_TEXT || type == FIELD_LIST || type == FIELD_SECRET;
}

/* What a field takes in the block; a text longer than 4 GiB cannot come off a wire. */
static uint32_t text_len(struct bytes text)
{
    return text.len < UINT32_MAX ? (uint32_t)text.len : UINT32_MAX;
}

/* The fields of m and its causes, each once, the nearest first. The walk keeps
 * what it has seen as bits, so that a message is read once, however deep. */
struct walk {
    const struct msg *m;
    uint64_t seen[2], left[2];
};

static void walk_enter(struct walk *w, const struct msg *m)
{
    w->m = m;
    for (unsigned i = 0; m && i < 2; i++) {
        w->left[i] = m->fields.has[i] & ~w->seen[i];
        w->seen[i] |= m->fields.has[i];
    }
}

static const union field_value *walk_next(struct walk *w, enum field_id *id)
{
    while (w->m) {
        for (unsigned i = 0; i < 2; i++) {
            if (w->left[i] == 0)
                continue;
            *id = (enum field_id)(i * 64 + (unsigned)__builtin_ctzll(w->left[i]));
            w->left[i] &= w->left[i] - 1;
            return &w->m->fields.at[*id];
        }
        walk_enter(w, w->m->cause);
    }
    return NULL;
}

static size_t finding_size(const struct finding *f)
{
    size_t n = sizeof(struct finding_head) + strlen(f->reason);

    for (unsigned i = 0; i < f->n_evidence; i++) {
        n += sizeof(struct evidence_head);
        if (is_text(f->evidence[i].type))
            n += f->evidence[i].value.text.len;
    }
    return n;
}

static size_t fields_size(const struct msg *m, size_t *n_fields)
{
    struct walk w = {0};
    size_t bytes = 0, n = 0;
    const union field_value *v;
    enum field_id id;

    walk_enter(&w, m);
    while ((v = walk_next(&w, &id)) != NULL) {
        n++;
        if (is_text(field_defs[id].type))
            bytes += text_len(v->text);
    }
    *n_fields = n;
    return sizeof(struct entry) * n + bytes;
}

size_t flat_size(const struct msg *m, const struct finding *findings, size_t n)
{
    size_t n_fields;
    size_t size = sizeof(struct head) + fields_size(m, &n_fields);

    for (size_t i = 0; i < n; i++)
        size += finding_size(&findings[i]);
    return size;
}

static uint8_t *put(uint8_t *to, const void *from, size_t n)
{
    if (n > 0)
        memcpy(to, from, n);
    return to + n;
}

/* Returns where the bytes of the fields end. */
static uint8_t *write_fields(struct head *h, const struct msg *m)
{
    struct entry *e = (struct entry *)(h + 1);
    uint8_t *base = (uint8_t *)h, *to = (uint8_t *)(e + h->n_fields);
    struct walk w = {0};
    const union field_value *v;
    enum field_id id;

    walk_enter(&w, m);
    for (; (v = walk_next(&w, &id)) != NULL; e++) {
        e->id = id;
        e->len = 0;
        e->value = 0;
        if (is_text(field_defs[id].type)) {
            e->len = text_len(v->text);
            e->value = (uint64_t)(to - base);
            to = put(to, v->text.at, e->len);
        } else {
            e->value = (uint64_t)v->num;
        }
    }
    return to;
}

static uint8_t *write_finding(uint8_t *to, const struct finding *f)
{
    struct finding_head h = {
        .fold_class = f->fold_class,
        .rule = f->rule,
        .severity = f->severity,
        .fold = f->fold,
        .fold_seconds = f->fold_seconds,
        .index = f->index,
        .n_evidence = (uint16_t)f->n_evidence,
        .reason_len = (uint16_t)strlen(f->reason),
        .once_a_task = f->once_a_task,
    };

    to = put(to, &h, sizeof h);
    to = put(to, f->reason, h.reason_len);
    for (unsigned i = 0; i < f->n_evidence; i++) {
        const struct evidence *e = &f->evidence[i];
        bool text = is_text(e->type);
        struct evidence_head eh = {.name = e->name, .type = e->type};
        eh.value = text ? e->value.text.len : (uint64_t)e->value.num;
        to = put(to, &eh, sizeof eh);
        if (text)
            to = put(to, e->value.text.at, e->value.text.len);
    }
    return to;
}

static void write_head(struct head *h, const struct msg *m)
{
    size_t n_fields;

    (void)fields_size(m, &n_fields);
    h->has_conn = m->conn != NULL;
    h->conn = m->conn ? *m->conn : (struct conn_info){0};
    h->at = m->at;
    h->action = m->action;
    h->offset = m->offset;
    h->n_fields = (uint32_t)n_fields;
    h->kind = (uint16_t)m->kind;
    h->index = m->index;
    h->op = (uint8_t)m->op;
    h->dir = (uint8_t)m->dir;
    h->coverage = m->coverage;
}

void flat_write(void *to, const struct msg *m, const struct finding *findings, size_t n)
{
    struct head *h = to;

    write_head(h, m);
    uint8_t *start = write_fields(h, m), *end = start;
    for (size_t i = 0; i < n; i++)
        end = write_finding(end, &findings[i]);
    h->n_findings = n;
    h->findings_at = (uint64_t)(start - (uint8_t *)to);
    h->findings_len = (uint64_t)(end - start);
}

static void read_head(const struct head *h, struct flat_view *v)
{
    msg_init(&v->m, (enum msg_kind)h->kind, h->action);
    v->m.op = (enum op)h->op;
    v->m.dir = (enum dir)h->dir;
    v->m.offset = h->offset;
    v->m.at = h->at;
    v->m.coverage = h->coverage;
    v->m.index = h->index;
    v->conn = h->conn;
    v->m.conn = h->has_conn ? &v->conn : NULL;
    v->n_findings = h->n_findings;
}

void flat_read(const void *block, struct flat_view *v)
{
    const struct head *h = block;
    const uint8_t *base = block;
    const struct entry *e = (const struct entry *)(h + 1), *end = e + h->n_fields;

    read_head(h, v);
    for (; e < end; e++) {
        if (is_text(field_defs[e->id].type))
            fields_text(&v->m.fields, e->id, bytes_of(base + e->value, e->len));
        else
            fields_num(&v->m.fields, e->id, (int64_t)e->value);
    }
    v->findings = bytes_of(base + h->findings_at, h->findings_len);
}

/* The block is our own: what does not fit is a mistake of ours, and ends the list. */
static bool get(struct bytes *from, void *to, size_t n)
{
    struct bytes b = bytes_cut(from, n);

    if (b.len != n)
        return false;
    if (n > 0)
        memcpy(to, b.at, n);
    return true;
}

static bool read_evidence(struct bytes *from, struct evidence *e)
{
    struct evidence_head h;

    if (!get(from, &h, sizeof h))
        return false;
    e->name = h.name;
    e->type = (enum field_type)h.type;
    if (is_text(e->type)) {
        e->value.text = bytes_cut(from, h.value);
        return e->value.text.len == h.value;
    }
    e->value.num = (int64_t)h.value;
    return true;
}

bool flat_finding(struct flat_view *v, struct finding *f)
{
    struct finding_head h;

    if (!get(&v->findings, &h, sizeof h) || h.reason_len >= sizeof f->reason ||
        h.n_evidence > EVIDENCE_MAX || !get(&v->findings, f->reason, h.reason_len))
        return false;
    f->reason[h.reason_len] = '\0';
    f->rule = (enum rule_id)h.rule;
    f->severity = (enum severity)h.severity;
    f->index = h.index;
    f->fold = h.fold;
    f->fold_seconds = h.fold_seconds;
    f->fold_class = h.fold_class;
    f->once_a_task = h.once_a_task;
    f->n_evidence = h.n_evidence;
    for (unsigned i = 0; i < f->n_evidence; i++)
        if (!read_evidence(&v->findings, &f->evidence[i]))
            return false;
    return true;
}
