/* Fuzz target: any values in any fields, secrets among them, must become one JSON object that a
 * library reads, the same by both encoders, without a control character and without the secret. */
#include <jansson.h>
#include <stdlib.h>

#include "out/encode.h"
#include "out/fold.h"

static struct bytes take_text(struct bytes *in)
{
    struct bytes len = bytes_cut(in, 1);

    return bytes_cut(in, len.len ? (size_t)len.at[0] * (len.at[0] > 250 ? 8 : 1) : 0);
}

static int64_t take_num(struct bytes *in)
{
    int64_t n = 0;
    struct bytes b = bytes_cut(in, sizeof n);

    if (b.len > 0)
        memcpy(&n, b.at, b.len);
    return n;
}

static void take_field(struct bytes *in, struct msg *m)
{
    struct bytes which = bytes_cut(in, 1);
    enum field_id id = (enum field_id)((which.len ? which.at[0] : 0) % F_COUNT);

    switch (field_defs[id].type) {
    case FIELD_TEXT:
    case FIELD_LIST: /* a list of another's making may be cut anywhere */
    case FIELD_SECRET: fields_text(&m->fields, id, take_text(in)); break;
    case FIELD_INT:
    case FIELD_BOOL:
    case FIELD_TIME: fields_num(&m->fields, id, take_num(in)); break;
    }
}

static void take_evidence(struct bytes *in, struct finding *f)
{
    static const char *const NAMES[EVIDENCE_MAX] = {
        "a",   "b.c", "b.d", "e.f.g", "h", "i", "j.k", "l", "m", "n.o", "p.q", "r",  "s",
        "t.a", "t.b", "t.c", "u",     "v", "w", "x",   "y", "z", "aa",  "ab",  "ac", "ad"};
    struct bytes what = bytes_cut(in, 1);
    const char *name = NAMES[f->n_evidence];

    switch (what.len ? what.at[0] % 4 : 0) {
    case 0: finding_text(f, name, take_text(in)); break;
    case 1: finding_secret(f, name, take_text(in)); break;
    case 2: finding_num(f, name, take_num(in)); break;
    default: finding_bool(f, name, true); break;
    }
}

static json_t *parse(const struct record *r)
{
    json_t *j = json_loadb((const char *)r->text.at, r->text.len,
                           JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

    if (!j)
        abort();
    for (size_t i = 0; i < r->text.len; i++)
        if (r->text.at[i] < 0x20 || r->text.at[i] == 0x7f)
            abort();
    return j;
}

/* What the log says, the alert says, but for the event object. */
static void compare(json_t *log, json_t *alert)
{
    static const char *const PARTS[] = {"celery",  "amqp",   "redis",  "user",
                                        "package", "source", "network"};

    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        json_t *a = json_object_get(log, PARTS[i]), *b = json_object_get(alert, PARTS[i]);
        if ((a || b) && !json_equal(a, b))
            abort();
    }
}

static void no_secret(const struct record *r, const struct msg *m)
{
    struct bytes s = msg_text(m, F_AUTH_SECRET), user = msg_text(m, F_USER);
    bool plain = s.len >= 24; /* so long that no other part of a record has it by chance */

    for (size_t i = 0; i < s.len; i++)
        plain = plain && s.at[i] > 0x20 && s.at[i] < 0x7f && s.at[i] != '"' && s.at[i] != '\\';
    if (plain && !(s.len == user.len && memcmp(s.at, user.at, s.len) == 0) &&
        memmem(r->text.at, r->text.len, s.at, s.len))
        abort();
}

static void ignore(void *ctx, const struct msg *m, const struct finding *f,
                   const struct fold_state *fold)
{
    struct record r;

    if (!encode_alert(ctx, m, f, fold, &r))
        abort();
    json_decref(parse(&r));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct encode_conf conf = {.hmac_key = "key", .n_hmac_key = 3};
    struct conn_info conn = {.id = {.client = {.family = 4}, .server = {.family = 6}},
                             .proto = "redis"};
    struct bytes in = bytes_of(data, size), head = bytes_cut(&in, 4);
    static struct encoder *e; /* large, and without memory of records */
    struct finding f;
    struct msg m;
    struct record r;

    if (!e)
        e = encoder_new(&conf);
    struct fold *fold = fold_new(2, false, ignore, e);
    if (!e || !fold)
        abort();
    msg_init(&m, MSG_TASK, "published");
    m.conn = &conn;
    m.coverage = head.len > 0 ? head.at[0] & 15 : 0;
    m.at.ns = take_num(&in);
    finding_init(&f, (enum rule_id)((head.len > 1 ? head.at[1] : 0) % RULE_COUNT), SEV_HIGH);
    for (unsigned n = head.len > 2 ? head.at[2] % EVIDENCE_MAX : 0; n > 0; n--)
        take_evidence(&in, &f);
    struct bytes reason = take_text(&in);
    finding_reason(&f, "%.*s", (int)reason.len, (const char *)reason.at);
    while (in.len > 0)
        take_field(&in, &m);
    if (!encode_log(e, EMIT_TASKS, &m, &r))
        abort();
    json_t *log = parse(&r);
    no_secret(&r, &m);
    if (!encode_alert(e, &m, &f, NULL, &r))
        abort();
    json_t *alert = parse(&r);
    no_secret(&r, &m);
    bool secret = false; /* the alert knows of more of them, and hides more */
    for (unsigned i = 0; i < f.n_evidence; i++)
        secret = secret || f.evidence[i].type == FIELD_SECRET;
    if (!secret)
        compare(log, alert);
    fold_add(fold, &m, &f);
    fold_add(fold, &m, &f);
    fold_finish(fold);
    json_decref(log);
    json_decref(alert);
    fold_free(fold);
    return 0;
}
