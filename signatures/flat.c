/* signatures/flat.c - see flat.h. The block:
 *
 *   struct head | struct entry of each field | the fields' bytes | findings
 *   a finding: struct finding_head | reason | (struct evidence_head, bytes)*
 *
 * Heads and entries are 8-aligned, findings are not and are copied in and out.
 * Names, actions and protocols are literals of this process and stay pointers. */
#include "signatures/flat.h"

#include <stdlib.h>

#define KEEP_MAX 4096u /* of a text */

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
    uint16_t index, n_evidence, reason_len, once_a_task;
};

struct evidence_head {
    const char *name;
    uint64_t value; /* number, or length of the text behind */
    uint32_t type, none;
};

#define IS_TEXT(type) ((type) == FIELD_TEXT || (type) == FIELD_LIST || (type) == FIELD_SECRET)

static bool is_text(enum field_type type)
{
    return IS_TEXT(type);
}

/* The fields that are bytes, as bits like fields.has. */
#define TEXT_BIT(id, path, type) \
    | (F_##id / 64 == TEXT_WORD && IS_TEXT(FIELD_##type) ? (uint64_t)1 << (F_##id % 64) : 0)
#define TEXT_WORD 0
static const uint64_t TEXTS_LOW = 0 FIELD_LIST_OF(TEXT_BIT);
#undef TEXT_WORD
#define TEXT_WORD 1
static const uint64_t TEXTS_HIGH = 0 FIELD_LIST_OF(TEXT_BIT);
#undef TEXT_WORD

/* What a field takes in the block; a text longer than 4 GiB cannot come off a wire. */
static uint32_t text_len(struct bytes text)
{
    return text.len < UINT32_MAX ? (uint32_t)text.len : UINT32_MAX;
}

/* Takes the lowest bit out of *left, which is not 0. */
static unsigned take_bit(uint64_t *left)
{
    unsigned bit = (unsigned)__builtin_ctzll(*left);

    *left &= *left - 1;
    return bit;
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

static size_t texts_size(const struct msg *m, unsigned word, uint64_t texts)
{
    const union field_value *at = m->fields.at + (size_t)word * 64;
    size_t bytes = 0;

    while (texts)
        bytes += text_len(at[take_bit(&texts)].text);
    return bytes;
}

/* Each field of m and its causes once, the nearest first. */
static size_t fields_size(const struct msg *m)
{
    uint64_t low = 0, high = 0;
    size_t bytes = 0;

    for (; m; m = m->cause) {
        bytes += texts_size(m, 0, m->fields.has[0] & ~low & TEXTS_LOW);
        bytes += texts_size(m, 1, m->fields.has[1] & ~high & TEXTS_HIGH);
        low |= m->fields.has[0];
        high |= m->fields.has[1];
    }
    return bytes +
           sizeof(struct entry) * (size_t)(__builtin_popcountll(low) + __builtin_popcountll(high));
}

size_t flat_size(const struct msg *m, const struct finding *findings, size_t n)
{
    size_t size = sizeof(struct head) + fields_size(m);

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

static uint32_t count_fields(const struct msg *m)
{
    uint64_t low = 0, high = 0;

    for (; m; m = m->cause) {
        low |= m->fields.has[0];
        high |= m->fields.has[1];
    }
    return (uint32_t)(__builtin_popcountll(low) + __builtin_popcountll(high));
}

struct place {
    struct entry *entry; /* of the next field */
    uint8_t *base, *to;  /* the block; where the next bytes go */
};

static void write_word(struct place *p, const struct msg *m, unsigned word, uint64_t left,
                       uint64_t texts)
{
    while (left) {
        unsigned bit = take_bit(&left), id = word * 64 + bit;
        const union field_value *v = &m->fields.at[id];
        struct entry *e = p->entry++;
        bool text = texts >> bit & 1;
        e->id = id;
        e->len = text ? text_len(v->text) : 0;
        e->value = text ? (uint64_t)(p->to - p->base) : (uint64_t)v->num;
        if (text)
            p->to = put(p->to, v->text.at, e->len);
    }
}

/* Returns where the bytes of the fields end. */
static uint8_t *write_fields(struct head *h, const struct msg *m)
{
    struct entry *e = (struct entry *)(h + 1);
    struct place p = {e, (uint8_t *)h, (uint8_t *)(e + h->n_fields)};
    uint64_t low = 0, high = 0;

    for (; m; m = m->cause) {
        write_word(&p, m, 0, m->fields.has[0] & ~low, TEXTS_LOW);
        write_word(&p, m, 1, m->fields.has[1] & ~high, TEXTS_HIGH);
        low |= m->fields.has[0];
        high |= m->fields.has[1];
    }
    return p.to;
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
    h->has_conn = m->conn != NULL;
    h->conn = m->conn ? *m->conn : (struct conn_info){0};
    h->at = m->at;
    h->action = m->action;
    h->offset = m->offset;
    h->n_fields = count_fields(m);
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

/* The whole items of a list that fit. */
static struct bytes list_head(struct bytes list)
{
    struct bytes left = list, item;
    size_t fit = 0;

    while (list_next(&left, &item) && list.len - left.len <= KEEP_MAX)
        fit = list.len - left.len;
    return bytes_head(list, fit);
}

static void cut_text(struct msg *m, unsigned id)
{
    struct bytes *text = &m->fields.at[id].text;

    if (text->len <= KEEP_MAX)
        return;
    *text = field_defs[id].type == FIELD_LIST ? list_head(*text) : bytes_head(*text, KEEP_MAX);
}

/* Those of the causes too, the nearest first, as flat_write() takes them. */
static void cut_fields(struct msg *to, const struct msg *m)
{
    const uint64_t texts[] = {TEXTS_LOW, TEXTS_HIGH};

    for (; m; m = m->cause)
        for (unsigned word = 0; word < 2; word++) {
            uint64_t left = m->fields.has[word] & ~to->fields.has[word];

            to->fields.has[word] |= left;
            while (left) {
                unsigned bit = take_bit(&left), id = word * 64 + bit;

                to->fields.at[id] = m->fields.at[id];
                if (texts[word] >> bit & 1)
                    cut_text(to, id);
            }
        }
}

void *flat_keep(const struct msg *m)
{
    struct msg short_one = *m;
    void *block;

    fields_init(&short_one.fields);
    short_one.cause = NULL;
    cut_fields(&short_one, m);
    block = aligned_alloc(16, (flat_size(&short_one, NULL, 0) + 15) & ~(size_t)15);
    if (block)
        flat_write(block, &short_one, NULL, 0);
    return block;
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
