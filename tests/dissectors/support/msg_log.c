/* support/msg_log.c - messages as lines of text. */
#include "tests/dissectors/support/msg_log.h"

#include <ctype.h>
#include <inttypes.h>

#define MAX_SHOWN 200

static const char *const field_names[F_COUNT] = {
#define FIELD_NAME(id, path, type) [F_##id] = #id,
    FIELD_LIST_OF(FIELD_NAME)
#undef FIELD_NAME
};

static const char *kind_name(enum msg_kind kind)
{
    static const char *const names[] = {"peer",     "credential", "login",  "command", "reply",
                                        "envelope", "anomaly",    "unread", "task",    "result",
                                        "worker",   "control",    "stored"};
    unsigned n = 0;

    while (n < sizeof names / sizeof *names && (unsigned)kind != 1u << n)
        n++;
    return n < sizeof names / sizeof *names ? names[n] : "?";
}

static bool plain(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!isalnum(text.at[i]) && (text.at[i] == 0 || !strchr("._-:/@+", text.at[i])))
            return false;
    return text.len > 0 && text.len <= MAX_SHOWN;
}

/* A hash of all of it, so that a long text is compared whole without being shown. */
static uint32_t check(struct bytes text)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < text.len; i++)
        h = (h ^ text.at[i]) * 16777619u;
    return h;
}

void msg_log_text(FILE *to, struct bytes text)
{
    struct bytes shown = bytes_head(text, MAX_SHOWN);

    if (plain(text)) {
        fwrite(text.at, 1, text.len, to);
        return;
    }
    fputc('"', to);
    for (size_t i = 0; i < shown.len; i++) {
        int c = shown.at[i];
        if (c == '"' || c == '\\')
            fprintf(to, "\\%c", c);
        else if (c >= 0x20 && c < 0x7f)
            fputc(c, to);
        else
            fprintf(to, "\\x%02x", (unsigned)c);
    }
    fputc('"', to);
    if (shown.len < text.len)
        fprintf(to, "..%zu~%08x", text.len, (unsigned)check(text));
}

static void log_list(FILE *to, struct bytes list)
{
    struct bytes item;
    const char *before = "";

    fputc('[', to);
    for (; list_next(&list, &item); before = ",") {
        fputs(before, to);
        msg_log_text(to, item);
    }
    fputc(']', to);
}

static void log_field(FILE *to, enum field_id id, const union field_value *v)
{
    fprintf(to, " %s=", field_names[id]);
    switch (field_defs[id].type) {
    case FIELD_TEXT:
    case FIELD_SECRET: msg_log_text(to, v->text); break;
    case FIELD_INT:
    case FIELD_TIME: fprintf(to, "%" PRId64, v->num); break;
    case FIELD_BOOL: fputs(v->num ? "true" : "false", to); break;
    case FIELD_LIST: log_list(to, v->text); break;
    }
}

static void log_coverage(FILE *to, unsigned cover)
{
    static const char *const names[] = {"clipped", "gap", "midstream", "one-way"};
    const char *before = " ";

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (cover >> i & 1u) {
            fprintf(to, "%s%s", before, names[i]);
            before = ",";
        }
}

static void log_scalar(FILE *to, const struct header *h)
{
    switch (h->kind) {
    case HEADER_NULL: fputs("null", to); break;
    case HEADER_BOOL: fputs(h->num ? "true" : "false", to); break;
    case HEADER_INT: fprintf(to, "%" PRId64, h->num); break;
    case HEADER_FLOAT: fprintf(to, "%gf", h->real); break;
    case HEADER_TIME: fprintf(to, "%" PRId64 "ns", h->num); break;
    case HEADER_BYTES:
        fputc('b', to);
        msg_log_text(to, h->text);
        break;
    default: msg_log_text(to, h->text); break;
    }
}

/* Depth first with a stack of its own, as deep as a test may need. */
static void log_members(FILE *to, const struct header *first)
{
    const struct header *up[64] = {NULL}, *h = first;
    unsigned depth = 0;

    for (bool begins = true; h || depth > 0;) {
        if (!h) {
            h = up[--depth];
            fputs(h->kind == HEADER_MAP ? "}" : "]", to);
            fputs(h->cut ? "..." : "", to);
            h = h->next;
            begins = false;
            continue;
        }
        fputs(begins ? "" : ",", to);
        begins = false;
        if (h->name.at) {
            msg_log_text(to, h->name);
            fputc(':', to);
        }
        if (depth < 63 && (h->kind == HEADER_LIST || h->kind == HEADER_MAP)) {
            fputs(h->kind == HEADER_MAP ? "{" : "[", to);
            up[depth++] = h;
            h = h->child;
            begins = true;
            continue;
        }
        log_scalar(to, h);
        fputs(h->cut ? "..." : "", to);
        h = h->next;
    }
}

static void log_headers(FILE *to, const char *what, const struct headers *h)
{
    if (!h)
        return;
    fprintf(to, " %s={", what);
    log_members(to, h->first);
    fputs(h->cut ? "}..." : "}", to);
}

static void log_content(FILE *to, const struct content *c)
{
    fputs(" body=", to);
    msg_log_text(to, c->body);
    if (c->wire_len != c->body.len)
        fprintf(to, "/%" PRIu64, c->wire_len);
    if (c->clipped)
        fputs(" clipped", to);
    if (c->type.at)
        fputs(" type=", to), msg_log_text(to, c->type);
    if (c->encoding.at)
        fputs(" encoding=", to), msg_log_text(to, c->encoding);
    if (c->compression.len > 0)
        fputs(" compression=", to), msg_log_text(to, c->compression);
    if (c->base64)
        fputs(" base64", to);
}

void msg_log(FILE *to, const struct msg *m)
{
    fprintf(to, "%s %s %c @%" PRIu64 " #%" PRIu64, kind_name(m->kind), m->action,
            m->dir == TO_SERVER ? '>' : '<', m->offset, m->at.ordinal);
    log_coverage(to, m->coverage);
    for (unsigned id = 0; id < F_COUNT; id++)
        if (fields_have(&m->fields, (enum field_id)id))
            log_field(to, (enum field_id)id, &m->fields.at[id]);
    if (m->content && m->kind == MSG_ENVELOPE) {
        static const char *const ops[] = {"none", "publish", "deliver", "return", "store", "read"};
        fprintf(to, " op=%s", ops[m->op]);
        log_content(to, m->content);
        log_headers(to, "headers", m->headers);
        log_headers(to, "properties", m->properties);
    }
    fputc('\n', to);
}
