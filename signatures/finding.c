/* signatures/finding.c - how a detector fills a finding in. */
#include "signatures/finding.h"

#include <stdarg.h>
#include <stdio.h>

#include "signatures/signing/signature.h"

void finding_init(struct finding *f, enum rule_id rule, enum severity severity)
{
    f->rule = rule;
    f->severity = severity;
    f->index = 0;
    f->fold = f->fold_seconds = 0;
    f->fold_class = 0;
    f->once_a_task = false;
    f->reason[0] = '\0';
    f->n_evidence = 0;
}

/* A sentence that was cut must not end in half a character. */
static void cut_at_character(char *text, size_t len)
{
    size_t lead = len;

    while (lead > 0 && len - lead < 4 && ((unsigned char)text[lead - 1] & 0xc0) == 0x80)
        lead--;
    if (lead == 0 || (unsigned char)text[lead - 1] < 0xc0)
        return; /* ASCII, or no UTF-8 at all */
    unsigned char c = (unsigned char)text[lead - 1];
    size_t whole = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (len - lead + 1 < whole)
        text[lead - 1] = '\0';
}

void finding_reason(struct finding *f, const char *format, ...)
{
    va_list args;
    size_t plain = strcspn(format, "%");

    if (!format[plain] && plain < sizeof f->reason) {
        memcpy(f->reason, format, plain + 1);
        return;
    }
    va_start(args, format);
    int n = vsnprintf(f->reason, sizeof f->reason, format, args);
    va_end(args);
    if (n < 0)
        f->reason[0] = '\0';
    else if ((size_t)n >= sizeof f->reason)
        cut_at_character(f->reason, sizeof f->reason - 1);
}

/* Room for one more; beyond EVIDENCE_MAX it is left out: a detector knows how many it has. */
static union field_value *add(struct finding *f, const char *name, enum field_type type)
{
    if (f->n_evidence == EVIDENCE_MAX)
        return NULL;
    struct evidence *e = &f->evidence[f->n_evidence++];
    e->name = name;
    e->type = type;
    return &e->value;
}

static void add_text(struct finding *f, const char *name, enum field_type type, struct bytes text)
{
    union field_value *v = add(f, name, type);

    if (v)
        v->text = text;
}

static void add_num(struct finding *f, const char *name, enum field_type type, int64_t num)
{
    union field_value *v = add(f, name, type);

    if (v)
        v->num = num;
}

void finding_text(struct finding *f, const char *name, struct bytes value)
{
    add_text(f, name, FIELD_TEXT, value);
}

void finding_str(struct finding *f, const char *name, const char *value)
{
    add_text(f, name, FIELD_TEXT, bytes_of(value, strlen(value)));
}

void finding_num(struct finding *f, const char *name, int64_t value)
{
    add_num(f, name, FIELD_INT, value);
}

void finding_bool(struct finding *f, const char *name, bool value)
{
    add_num(f, name, FIELD_BOOL, value);
}

void finding_list(struct finding *f, const char *name, struct bytes packed)
{
    add_text(f, name, FIELD_LIST, packed);
}

void finding_secret(struct finding *f, const char *name, struct bytes value)
{
    add_text(f, name, FIELD_SECRET, value);
}

void finding_signature(struct finding *f, const struct msg *m)
{
    int64_t state = msg_num(m, F_SIGNATURE_STATE, SIGNATURE_NONE);

    if (state == SIGNATURE_NONE || rules[f->rule].client_is_source)
        return;
    finding_str(f, "signature", signature_state_name((enum signature_state)state));
    if (msg_has(m, F_TASK_SIGNATURE_SCHEME))
        finding_text(f, "scheme", msg_text(m, F_TASK_SIGNATURE_SCHEME));
}
