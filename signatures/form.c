/* signatures/form.c - see form.h. Every task goes through here, most of them in form: one pass over
 * the headers, in the order in which Celery writes them. */
#include "signatures/form.h"

#include "dissectors/content/reader.h"
#include "signatures/saferepr.h"

#define NAMES_MAX 64u /* keys that are compared with each other */

struct key_name {
    const char *name;
    uint8_t len;
};

#define PART(text)             \
    {                          \
        text, sizeof(text) - 1 \
    }

enum header_name {
    H_LANG,
    H_TASK,
    H_ID,
    H_SHADOW,
    H_ETA,
    H_EXPIRES,
    H_GROUP,
    H_GROUP_INDEX,
    H_RETRIES,
    H_TIMELIMIT,
    H_ROOT_ID,
    H_PARENT_ID,
    H_ARGSREPR,
    H_KWARGSREPR,
    H_ORIGIN,
    H_IGNORE_RESULT,
    H_REPLACED,
    H_STAMPED,
    H_STAMPS,
    HEADER_NAMES,
};

/* In the order of the wire. */
static const struct key_name header_names[HEADER_NAMES] = {
    PART("lang"),
    PART("task"),
    PART("id"),
    PART("shadow"),
    PART("eta"),
    PART("expires"),
    PART("group"),
    PART("group_index"),
    PART("retries"),
    PART("timelimit"),
    PART("root_id"),
    PART("parent_id"),
    PART("argsrepr"),
    PART("kwargsrepr"),
    PART("origin"),
    PART("ignore_result"),
    PART("replaced_task_nesting"),
    PART("stamped_headers"),
    PART("stamps"),
};

#define BIT(name) (1u << (name))
#define SINCE_4_0                                                                              \
    (BIT(H_LANG) | BIT(H_TASK) | BIT(H_ID) | BIT(H_ETA) | BIT(H_EXPIRES) | BIT(H_GROUP) |      \
     BIT(H_RETRIES) | BIT(H_TIMELIMIT) | BIT(H_ROOT_ID) | BIT(H_PARENT_ID) | BIT(H_ARGSREPR) | \
     BIT(H_KWARGSREPR) | BIT(H_ORIGIN))
#define SINCE_4_2   (SINCE_4_0 | BIT(H_SHADOW))
#define SINCE_4_4_7 (SINCE_4_2 | BIT(H_GROUP_INDEX))
#define SINCE_5_1   (SINCE_4_4_7 | BIT(H_IGNORE_RESULT))
#define SINCE_5_3   (SINCE_5_1 | BIT(H_STAMPED) | BIT(H_STAMPS))

/* What a release that writes the header `name` writes besides (checked in the tags of Celery from
 * 4.0.0 to 5.6.3). */
static const struct {
    uint32_t has, writes;
} releases[] = {
    {BIT(H_REPLACED) | BIT(H_STAMPED) | BIT(H_STAMPS), SINCE_5_3},
    {BIT(H_IGNORE_RESULT), SINCE_5_1},
    {BIT(H_GROUP_INDEX), SINCE_4_4_7},
    {~0u, SINCE_4_0},
};

static bool same(struct bytes name, const struct key_name *part)
{
    return name.len == part->len && memcmp(name.at, part->name, part->len) == 0;
}

/* Behind the last hit first. */
static unsigned find(struct bytes name, const struct key_name *parts, unsigned n, unsigned from)
{
    for (unsigned i = 0, at = from; i < n; i++, at++) {
        if (at >= n)
            at = 0;
        if (same(name, &parts[at]))
            return at;
    }
    return n;
}

/* Whether a name of the chain up to h, h's own, was there before: of what is not Celery's own. */
static bool came_before(const struct header *first, const struct header *h)
{
    unsigned n = 0;

    for (const struct header *o = first; o && o != h && n < NAMES_MAX; o = o->next, n++)
        if (o->name.len == h->name.len && memcmp(o->name.at, h->name.at, h->name.len) == 0)
            return true;
    return false;
}

static uint32_t missing(uint32_t seen)
{
    for (size_t i = 0; i < sizeof releases / sizeof *releases; i++)
        if (seen & releases[i].has)
            return releases[i].writes & ~seen ? BIT(SIGN_MISSING) : 0;
    return BIT(SIGN_MISSING);
}

struct envelope {
    const struct header *header[HEADER_NAMES];
    uint32_t seen;
};

static uint32_t read_headers(const struct headers *headers, struct envelope *e)
{
    uint32_t signs = 0;
    unsigned from = 0;

    e->seen = 0;
    for (const struct header *h = headers ? headers->first : NULL; h; h = h->next) {
        unsigned i = find(h->name, header_names, HEADER_NAMES, from);
        bool twice = i < HEADER_NAMES ? e->seen >> i & 1u : came_before(headers->first, h);

        if (twice)
            signs |= BIT(SIGN_TWICE);
        if (i == HEADER_NAMES)
            continue;
        e->header[i] = h;
        e->seen |= BIT(i);
        from = i + 1;
    }
    return signs;
}

static bool equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* An UUID as text, of one of two versions (digits). */
static bool is_uuid(struct bytes b, uint8_t version, uint8_t or)
{
    if (b.len != 36 || (b.at[14] != version && b.at[14] != or))
        return false;
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? b.at[i] != '-' : !is_hex(b.at[i]))
            return false;
    }
    return true;
}

static uint32_t twice_in(const struct headers *properties)
{
    for (const struct header *h = properties ? properties->first : NULL; h; h = h->next)
        if (came_before(properties->first, h))
            return BIT(SIGN_TWICE);
    return 0;
}

/* The top of a JSON object: names that come twice; and, for `embed`, those that are not known. */
static uint32_t json_keys(struct bytes json, bool embed)
{
    static const struct key_name known[] = {PART("callbacks"), PART("errbacks"), PART("chain"),
                                            PART("chord")};
    struct bytes names[NAMES_MAX];
    unsigned n = 0;
    uint32_t signs = 0;
    struct reader r;
    struct token t;

    if (json.len < 3)
        return 0;
    reader_begin(&r, WHAT_JSON, json, false, NULL);
    if (!reader_next(&r, &t) || t.kind != TOKEN_MAP)
        return 0;
    while (reader_next(&r, &t) && t.kind == TOKEN_KEY && n < NAMES_MAX) {
        if (embed && (t.escaped || find(t.text, known, 4, n) == 4))
            signs |= BIT(SIGN_EMBED);
        for (unsigned i = 0; i < n; i++)
            if (equal(names[i], t.text))
                signs |= BIT(SIGN_TWICE);
        names[n++] = t.text;
        reader_skip(&r, &t);
    }
    return signs;
}

/* first: on its way to the broker; what is delivered was looked through then. */
static uint32_t body_of_2(const struct task_body *b, bool first)
{
    static const char nothing[] =
        "{\"callbacks\": null, \"errbacks\": null, \"chain\": null, \"chord\": null}";
    uint32_t signs = 0;

    if (b->mapping)
        return BIT(SIGN_HYBRID) | (b->twice ? BIT(SIGN_TWICE) : 0);
    if (b->format != WHAT_JSON)
        return 0;
    if (!bytes_eq(b->embed, nothing))
        signs |= json_keys(b->embed, true);
    return first ? signs | json_keys(b->kwargs, false) : signs;
}

static uint32_t body(const struct msg *m, int64_t protocol)
{
    const struct task_body *b = m->task;

    if (!b)
        return 0;
    if (protocol == 2)
        return body_of_2(b, m->op == OP_PUBLISH);
    return (b->lacks > 0 ? BIT(SIGN_MISSING) : 0) | (b->twice ? BIT(SIGN_TWICE) : 0);
}

/* Who the answer goes to: of protocol 1 only what is there is judged, 3.1 has its own ways. */
static uint32_t identity(const struct msg *m, int64_t protocol)
{
    struct bytes id = msg_text(m, F_TASK_ID);
    struct bytes correlation = msg_text(m, F_TASK_CORRELATION_ID);
    uint32_t signs = 0;

    if ((correlation.len > 0 || protocol == 2) && id.len > 0 && !equal(correlation, id))
        signs |= BIT(SIGN_CORRELATION);
    if (protocol == 2 && msg_text(m, F_TASK_REPLY_TO).len == 0)
        signs |= BIT(SIGN_NO_REPLY_TO);
    return signs;
}

/* What no worker could read, or no dict could give, whatever language wrote it. */
static uint32_t in_any_language(const struct msg *m)
{
    uint32_t signs = twice_in(m->properties);

    if (msg_num(m, F_KEY_TWICE, 0))
        signs |= BIT(SIGN_TWICE);
    if (msg_has(m, F_REDIS_COMMAND) && !headers_find(m->properties, "delivery_tag"))
        signs |= BIT(SIGN_DELIVERY_TAG);
    return signs;
}

static bool contradicted(const struct envelope *e, enum header_name name, struct bytes json)
{
    return (e->seen & BIT(name)) && saferepr_contradicts(json, header_text(e->header[name]));
}

/* What says something only beside another sign. */
static uint32_t of_callers(const struct msg *m, const struct envelope *e)
{
    struct bytes id = msg_text(m, F_TASK_ID), reply_to = msg_text(m, F_TASK_REPLY_TO);
    const struct task_body *b = m->task;
    uint32_t signs = 0;

    if (id.len > 0 && !is_uuid(id, '4', '4'))
        signs |= BIT(SIGN_ID);
    if (reply_to.len > 0 && !is_uuid(reply_to, '3', '5'))
        signs |= BIT(SIGN_REPLY_TO);
    if (!b || b->format != WHAT_JSON)
        return signs;
    if (contradicted(e, H_ARGSREPR, b->args))
        signs |= BIT(SIGN_ARGSREPR);
    if (contradicted(e, H_KWARGSREPR, b->kwargs))
        signs |= BIT(SIGN_KWARGSREPR);
    return signs;
}

uint32_t task_form(const struct msg *m)
{
    int64_t protocol = msg_num(m, F_TASK_PROTOCOL, 0);
    struct bytes lang = msg_text(m, F_TASK_LANG);
    bool python = lang.len == 0 || bytes_eq(lang, "py");
    struct envelope e;
    uint32_t signs;

    /* A raw value on Redis is no message of kombu's. */
    if (!m->properties || (m->coverage & (COVER_CLIPPED | COVER_GAP)) ||
        (m->headers && m->headers->cut) || m->properties->cut)
        return 0;
    signs = read_headers(m->headers, &e) | in_any_language(m);
    if (python && m->headers && m->headers->disputed)
        signs |= BIT(SIGN_DISPUTED);
    if (python)
        signs |= identity(m, protocol) | body(m, protocol);
    if (python && protocol == 2)
        signs |= missing(e.seen);
    return signs && python ? signs | of_callers(m, &e) : signs;
}

const char *task_sign_name(enum task_sign sign)
{
    static const char *const names[SIGNS] = {
        [SIGN_MISSING] = "headers missing",
        [SIGN_HYBRID] = "body of protocol 1 under headers of protocol 2",
        [SIGN_EMBED] = "unknown key in embed",
        [SIGN_TWICE] = "key twice",
        [SIGN_DELIVERY_TAG] = "no delivery_tag",
        [SIGN_CORRELATION] = "correlation_id is not the id",
        [SIGN_NO_REPLY_TO] = "no reply_to",
        [SIGN_ID] = "id is no UUIDv4",
        [SIGN_REPLY_TO] = "reply_to is no UUIDv3",
        [SIGN_ARGSREPR] = "argsrepr contradicts the arguments",
        [SIGN_KWARGSREPR] = "kwargsrepr contradicts the arguments",
        [SIGN_DISPUTED] = "a header that clients read in different ways",
        [SIGN_REPLY_FOREIGN] = "reply_to of another client",
    };

    return sign < SIGNS ? names[sign] : "";
}
