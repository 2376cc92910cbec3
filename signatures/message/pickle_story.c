/* signatures/message/pickle_story.c - see pickle_story.h. */
#include "signatures/message/pickle_story.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "dissectors/content/codecs.h"

#define LIST_MAX 512u

static void put(char *to, size_t *at, const char *text, size_t n)
{
    if (*at + n < LIST_MAX)
        memcpy(to + *at, text, n), *at += n;
}

/* Off the wire: whatever is not printable ASCII is left as a question mark here; the names as they
 * are can be had from `celeriac pickle`. */
static void put_name(char *to, size_t *at, struct bytes name)
{
    for (size_t i = 0; i < name.len && *at + 1 < LIST_MAX; i++)
        to[(*at)++] = name.at[i] >= 0x20 && name.at[i] < 0x7f ? (char)name.at[i] : '?';
}

static struct bytes list_imports(const struct pickle_result *r, struct arena *arena)
{
    char *text = arena_raw(arena, LIST_MAX);
    size_t n = 0;

    if (!text)
        return (struct bytes){0};
    for (unsigned i = 0; i < r->n_imports; i++) {
        put(text, &n, ", ", i > 0 ? 2 : 0);
        put_name(text, &n, r->imports[i].module);
        put(text, &n, ".", 1);
        put_name(text, &n, r->imports[i].name);
    }
    return bytes_of(text, n);
}

static struct bytes list_flags(uint64_t flags, struct arena *arena)
{
    char *text = arena_raw(arena, LIST_MAX);
    size_t n = 0;

    for (unsigned bit = 0; text && bit < PICKLE_BIT_COUNT; bit++)
        if (flags >> bit & 1) {
            const char *name = pickle_flag_name((enum pickle_flag_bit)bit);

            put(text, &n, ", ", n > 0 ? 2 : 0);
            put(text, &n, name, strlen(name));
        }
    return bytes_of(text, text ? n : 0);
}

/* "redis value -> json.body -> base64 -> zlib -> pickle[4]": how the pickle was come by. */
static struct bytes list_path(const struct msg *m, const struct pickle_result *r,
                              struct arena *arena)
{
    const struct content *c = m->content;
    char *text = arena_raw(arena, LIST_MAX), last[32];
    bool amqp = strcmp(m->conn->proto, "amqp") == 0;
    const char *first = amqp ? "amqp body" : "redis value";
    size_t n = 0;
    int len;

    if (!text)
        return (struct bytes){0};
    put(text, &n, first, strlen(first));
    if (!amqp && m->headers)
        put(text, &n, " -> json.body", 13);
    for (unsigned i = 1; i < c->n_parts; i++) {
        const char *coding = coding_name(c->parts[i].from);

        put(text, &n, " -> ", 4);
        put(text, &n, coding, strlen(coding));
    }
    len = r->protocol >= 0 ? snprintf(last, sizeof last, " -> pickle[%d]", r->protocol)
                           : snprintf(last, sizeof last, " -> pickle");
    put(text, &n, last, (size_t)len);
    return bytes_of(text, n);
}

/* Of all that was carried; of a head there is none. */
static struct bytes digest_of(const struct content *c, struct arena *arena)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t raw[32];
    char *text = c->clipped ? NULL : arena_raw(arena, 64);

    if (!text || !EVP_Digest(c->body.at, c->body.len, raw, NULL, EVP_sha256(), NULL))
        return (struct bytes){0};
    for (unsigned i = 0; i < sizeof raw; i++) {
        text[2 * i] = hex[raw[i] >> 4];
        text[2 * i + 1] = hex[raw[i] & 15];
    }
    return bytes_of(text, 64);
}

/* The import that weighs most, the first of several. */
static const struct pickle_import *worst_import(const struct pickle_result *r)
{
    const struct pickle_import *worst = r->n_imports > 0 ? r->imports : NULL;

    for (unsigned i = 1; i < r->n_imports; i++) {
        bool plain = !r->imports[i].conditional || worst->conditional;
        bool named =
            r->imports[i].severity > worst->severity ||
            (r->imports[i].severity == worst->severity &&
             r->imports[i].kind == PICKLE_CLASS_UNKNOWN && worst->kind == PICKLE_CLASS_BENIGN);
        if (named && plain)
            worst = &r->imports[i];
    }
    return worst;
}

static struct bytes name_of(struct bytes module, struct bytes name, struct arena *arena)
{
    char *text = arena_raw(arena, LIST_MAX);
    size_t n = 0;

    if (!text)
        return (struct bytes){0};
    put_name(text, &n, module);
    put(text, &n, ".", 1);
    put_name(text, &n, name);
    return bytes_of(text, n);
}

static bool same(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

struct story story_of(const struct msg *m, const struct pickle_result *r, bool own,
                      struct arena *arena)
{
    struct story s = {
        .r = r, .imports = list_imports(r, arena), .flags = list_flags(r->flags, arena)};
    const struct pickle_import *i = s.worst = worst_import(r);

    if (r->n_calls > 0)
        s.calls = r->calls[0].text;
    if (own) {
        s.path = list_path(m, r, arena);
        s.digest = digest_of(m->content, arena);
    }
    if (i && (!same(i->module, i->orig_module) || !same(i->name, i->orig_name)))
        s.original = name_of(i->orig_module, i->orig_name, arena);
    return s;
}

static void add_import(struct finding *f, const struct story *s)
{
    const struct pickle_import *i = s->worst;

    if (s->imports.len > 0)
        finding_text(f, "imports", s->imports);
    if (!i)
        return;
    finding_num(f, "import.offset", (int64_t)i->offset);
    if (pickle_opcode_name(i->opcode))
        finding_str(f, "import.opcode", pickle_opcode_name(i->opcode));
    finding_str(f, "import.class", pickle_class_name(i->kind));
    if (i->source)
        finding_str(f, "import.source", i->source);
    if (s->original.len > 0)
        finding_text(f, "import.original", s->original);
}

static const char *confidence_of(enum pickle_tier tier)
{
    return tier == PICKLE_TIER_MAGIC        ? "magic"
           : tier == PICKLE_TIER_STRUCTURAL ? "structure"
                                            : "declaration";
}

void story_add(struct finding *f, const struct story *s)
{
    const struct pickle_result *r = s->r;

    finding_str(f, "verdict", pickle_verdict_name(r->verdict));
    if (s->calls.len > 0)
        finding_text(f, "call", s->calls);
    if (r->n_calls > 0) {
        finding_num(f, "offset", (int64_t)r->calls[0].offset);
        finding_str(f, "opcode", pickle_opcode_name(r->calls[0].opcode));
    } else if (r->n_imports > 0) {
        finding_num(f, "offset", (int64_t)r->imports[0].offset);
        finding_str(f, "opcode", pickle_opcode_name(r->imports[0].opcode));
    }
    if (s->flags.len > 0)
        finding_text(f, "flags", s->flags);
    if (r->ground)
        finding_str(f, "ground", r->ground);
    add_import(f, s);
    finding_num(f, "protocol", r->protocol);
    finding_str(f, "end", pickle_end_name(r->end));
    finding_num(f, "calls", (int64_t)r->all_calls);
    finding_num(f, "bytes", (int64_t)r->size);
    finding_num(f, "opcodes", (int64_t)r->opcodes);
    finding_str(f, "confidence", confidence_of(r->tier));
    if (r->file_reader_only)
        finding_str(f, "reader", "load(file) of Python up to 3.13.14 and 3.14.6 only");
    if (s->path.len > 0)
        finding_text(f, "decoded", s->path);
    if (s->digest.len > 0)
        finding_text(f, "sha256", s->digest);
}
