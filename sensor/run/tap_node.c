/* run/tap_node.c - see tap_node.h. Depth is bounded by the limit of codings: nodes that are
 * deeper than that are deaf. */
#include "run/tap_node.h"

#include <stdio.h>
#include <stdlib.h>

#include "dissectors/content/base64.h"
#include "dissectors/content/codecs.h"

#define TAP_DIGITS 8192u      /* of base64, at once */
#define RATIO_FROM (1u << 20) /* output that is never a bomb: see struct collect */

struct tap_node *tap_node_new(struct tap *t, enum tap_role role, bool base64, unsigned depth)
{
    struct tap_node *n = calloc(1, sizeof *n);

    if (!n)
        return NULL;
    n->tap = t;
    n->role = role;
    n->base64 = base64;
    n->depth = (uint8_t)depth;
    if (depth > t->pool->limits.max_depth + 1)
        n->kind = TAP_DEAF;
    return n;
}

void tap_node_free(struct tap_node *n)
{
    if (!n)
        return;
    tap_pair_free(n->next);
    unwrap_stream_free(n->codec);
    if (n->machine)
        tap_machine_back(n->tap->pool, n->machine);
    if (n->json)
        json_stream_free(n->json);
    free(n->json);
    free(n->text);
    free(n);
}

void tap_pair_feed(struct tap_node *const pair[2], struct bytes in)
{
    for (unsigned i = 0; i < 2; i++)
        if (pair[i])
            tap_node_feed(pair[i], in);
}

void tap_pair_end(struct tap_node *const pair[2])
{
    for (unsigned i = 0; i < 2; i++)
        if (pair[i])
            tap_node_end(pair[i]);
}

void tap_pair_free(struct tap_node *pair[2])
{
    for (unsigned i = 0; i < 2; i++) {
        tap_node_free(pair[i]);
        pair[i] = NULL;
    }
}

/* A pair for what comes out of `n`; of a document's strings only `base64` may be of use. */
static void open_next(struct tap_node *n, enum tap_role as_is, enum tap_role base64, bool both)
{
    unsigned depth = n->depth + 1u;

    n->next[0] = both ? tap_node_new(n->tap, as_is, false, depth) : NULL;
    n->next[1] = tap_node_new(n->tap, base64, true, depth);
    for (unsigned i = 0; i < 2; i++)
        if (n->next[i])
            snprintf(n->next[i]->path, sizeof n->next[i]->path, "%s", n->path);
}

static void add_path(struct tap_node *n, enum coding coding)
{
    size_t len = strlen(n->path);

    snprintf(n->path + len, sizeof n->path - len, "%s%s", len > 0 ? " -> " : "",
             coding_name(coding));
}

/* --- compressed --------------------------------------------------------- */

static bool on_out(void *ctx, struct bytes out)
{
    struct tap_node *n = ctx;
    struct tap *t = n->tap;

    t->unpacked += out.len;
    t->bomb |= t->unpacked > t->pool->limits.max_total;
    tap_pair_feed(n->next, out);
    return !t->bomb;
}

/* Texts may be in the URL-safe alphabet; bodies are what b64decode() takes. */
static void decode(struct tap_node *n, struct bytes in)
{
    uint8_t out[BASE64_ROOM(TAP_DIGITS)];

    n->digits.urlsafe = n->role == ROLE_NESTED;
    while (in.len > 0 && !n->digits.ended) {
        size_t made = base64_step(&n->digits, bytes_cut(&in, TAP_DIGITS), out);
        tap_pair_feed(n->next, bytes_of(out, made));
    }
}

static void begin_coded(struct tap_node *n, enum coding coding)
{
    n->codec = coding != CODING_BASE64 ? unwrap_stream_new(coding, NULL) : NULL;
    if (!n->codec && coding != CODING_BASE64) {
        n->kind = TAP_DEAF;
        return;
    }
    n->kind = TAP_CODED;
    n->coding = coding;
    add_path(n, coding);
    open_next(n, n->role, ROLE_NESTED, true);
}

/* --- pickle ------------------------------------------------------------- */

static void begin_pickle(struct tap_node *n)
{
    n->machine = tap_machine(n->tap->pool);
    n->kind = n->machine ? TAP_PICKLE : TAP_DEAF;
}

/* --- JSON --------------------------------------------------------------- */

static const struct bytes members[] = {
    {(const uint8_t *)"body", 4},          {(const uint8_t *)"content-encoding", 16},
    {(const uint8_t *)"content-type", 12}, {(const uint8_t *)"headers", 7},
    {(const uint8_t *)"properties", 10},
};

/* kombu's envelope, or its copy in `unacked`; {"__type__": .., "__value__": ..} stands for bytes
 * (kombu:utils/json.py:object_hook). */
static bool is_body(const struct json_place *at)
{
    unsigned list = at->depth > 0 && !(at->maps & 1), level = list;
    bool typed = at->depth == level + 2 && at->maps >> (level + 1) & 1;

    if (at->depth != level + 1 && !typed)
        return false;
    return (at->maps >> level & 1) && json_key_is(&at->key[level], "body") &&
           (!typed || json_key_is(&at->key[level + 1], "__value__"));
}

static void on_begin(void *ctx, const struct json_place *at)
{
    struct tap_node *n = ctx;

    n->text->n_head = 0;
    n->keep_next = n->role == ROLE_OWN && is_body(at);
    if (n->keep_next)
        open_next(n, ROLE_BODY, ROLE_BODY, true);
}

/* Text that is found to hold one is evidence enough; the machine is kept with it. */
static void look_through(struct tap_node *n)
{
    struct tap *t = n->tap;
    struct bytes text = bytes_of(n->text->at, n->text->len);

    if (!t->nested && !t->scratch)
        t->scratch = tap_machine(t->pool);
    if (!t->nested && t->scratch && pickle_find_in_text(t->scratch, text, &t->found) &&
        t->found.result && t->found.result->all_imports > 0) {
        t->found.at = PICKLE_FOUND_SOMEWHERE;
        t->nested = t->scratch;
        t->scratch = NULL;
    }
    n->text->len = 0;
}

static void add_text(struct tap_node *n, struct bytes text)
{
    struct tap_text *w = n->text;

    if (n->tap->nested)
        return;
    while (text.len > 0) {
        struct bytes piece = bytes_cut(&text, sizeof w->at - w->len);

        memcpy(w->at + w->len, piece.at, piece.len);
        w->len += piece.len;
        if (w->len < sizeof w->at)
            return;
        look_through(n);
        memmove(w->at, w->at + sizeof w->at - TAP_LAP, TAP_LAP);
        w->len = TAP_LAP;
    }
}

/* A string that is longer than a head may be a pickle that is longer than a window. */
static void follow(struct tap_node *n, struct bytes text)
{
    struct tap_text *w = n->text;

    if (w->n_head < TAP_HEAD) {
        struct bytes more = bytes_cut(&text, TAP_HEAD - w->n_head);

        memcpy(w->head + w->n_head, more.at, more.len);
        w->n_head += more.len;
        if (w->n_head < TAP_HEAD)
            return;
        open_next(n, n->role, ROLE_NESTED, false);
        tap_pair_feed(n->next, bytes_of(w->head, TAP_HEAD));
    }
    tap_pair_feed(n->next, text);
}

static void on_piece(void *ctx, struct bytes text)
{
    struct tap_node *n = ctx;

    if (n->keep_next) {
        tap_pair_feed(n->next, text);
    } else if (!n->tap->nested) {
        add_text(n, text);
        follow(n, text);
    }
}

static void on_end(void *ctx)
{
    struct tap_node *n = ctx;
    struct tap *t = n->tap;

    if (!n->keep_next) {
        add_text(n, bytes_of("\"", 1)); /* texts do not run into each other */
        tap_pair_end(n->next);
        tap_pair_free(n->next);
        return;
    }
    tap_pair_free(t->body); /* of two, the last one counts */
    memcpy(t->body, n->next, sizeof t->body);
    memset(n->next, 0, sizeof n->next);
}

static void begin_json(struct tap_node *n)
{
    struct json_stream_sink sink = {on_begin, on_piece, on_end, n};

    n->json = malloc(sizeof *n->json);
    n->text = malloc(sizeof *n->text);
    n->kind = n->json && n->text ? TAP_JSON : TAP_DEAF;
    if (n->kind == TAP_DEAF)
        return;
    n->text->len = 0;
    json_stream_begin(n->json, &sink, n->role == ROLE_OWN ? members : NULL,
                      sizeof members / sizeof *members);
}

/* --- what it is --------------------------------------------------------- */

static struct bytes head_of(const struct tap_node *n)
{
    return bytes_of(n->head, n->n_head);
}

static bool begins_json(struct bytes head)
{
    while (head.len > 0 && (head.at[0] == ' ' || (head.at[0] >= '\t' && head.at[0] <= '\r')))
        bytes_cut(&head, 1);
    return head.len > 0 && (head.at[0] == '{' || head.at[0] == '[' || head.at[0] == '"');
}

/* What base64 hides has to begin like something. */
static bool smells(struct bytes head)
{
    uint8_t out[BASE64_ROOM(TAP_HEAD)];
    struct base64 b = {.urlsafe = true};
    struct bytes in = bytes_of(out, base64_step(&b, head, out));

    return pickle_maybe(in) || coding_by_magic(in) != CODING_NONE || begins_json(in);
}

/* What programs write in front of their pickles: cachelib one byte (cachelib:serializers.py), huey
 * a time of eight (huey:storage.py:PriorityRedisStorage). */
static unsigned own_mark(const struct tap_node *n, struct bytes head)
{
    if (n->role != ROLE_OWN || n->depth > 0 || head.len < 10)
        return 0;
    if (head.at[0] == '!' && pickle_maybe(bytes_of(head.at + 1, head.len - 1)))
        return 1;
    return !pickle_maybe(head) && head.at[8] == 0x80 && head.at[9] <= 5 ? 8 : 0;
}

static void decide_as_is(struct tap_node *n, struct bytes head)
{
    enum coding coding = n->depth == 0 ? n->tap->declared : CODING_NONE;

    if (coding == CODING_NONE)
        coding = coding_by_magic(head);
    n->skip = (uint8_t)own_mark(n, head);
    if (coding != CODING_NONE)
        begin_coded(n, coding);
    else if (n->skip > 0 || pickle_maybe(head))
        begin_pickle(n);
    else if (begins_json(head))
        begin_json(n);
    else
        n->kind = TAP_DEAF;
}

static void decide(struct tap_node *n)
{
    struct bytes head = head_of(n);

    if (!n->base64)
        decide_as_is(n, head);
    else if (smells(head))
        begin_coded(n, CODING_BASE64);
    else
        n->kind = TAP_DEAF;
}

static void take(struct tap_node *n, struct bytes in)
{
    n->len += in.len;
    switch (n->kind) {
    case TAP_CODED:
        if (n->codec)
            unwrap_stream_feed(n->codec, in, on_out, n);
        else
            decode(n, in);
        break;
    case TAP_PICKLE: n->settled = n->settled || !pickle_feed(n->machine, in); break;
    case TAP_JSON: json_stream_feed(n->json, in); break;
    default: break;
    }
}

static void decide_and_take(struct tap_node *n)
{
    struct bytes head = head_of(n);

    decide(n);
    bytes_cut(&head, n->skip);
    take(n, head);
}

void tap_node_feed(struct tap_node *n, struct bytes in)
{
    if (n->kind == TAP_UNDECIDED) {
        struct bytes more = bytes_cut(&in, TAP_HEAD - n->n_head);

        if (more.len > 0)
            memcpy(n->head + n->n_head, more.at, more.len);
        n->n_head = (uint8_t)(n->n_head + more.len);
        if (n->n_head < TAP_HEAD)
            return;
        decide_and_take(n);
    }
    take(n, in);
}

static bool is_ratio_bomb(const struct tap *t)
{
    uint64_t ratio = t->pool->limits.max_ratio;

    return t->unpacked > RATIO_FROM && t->unpacked / ratio > t->packed;
}

void tap_node_keep_nested(struct tap_node *n)
{
    struct tap *t = n->tap;
    const struct pickle_result *r = t->nested ? NULL : tap_node_pickle(n, false);

    if (!r || r->all_imports == 0)
        return;
    t->found =
        (struct pickle_found){.result = r, .at = PICKLE_FOUND_SOMEWHERE, .len = (size_t)n->len};
    while (n->kind == TAP_CODED)
        n = n->next[0];
    memcpy(t->found.path, n->path, sizeof n->path);
    t->nested = n->machine;
    n->machine = NULL;
    n->kind = TAP_DEAF;
}

void tap_node_end(struct tap_node *n)
{
    if (n->kind == TAP_UNDECIDED)
        decide_and_take(n);
    if (n->kind == TAP_CODED) {
        n->tap->bomb |= is_ratio_bomb(n->tap);
        tap_pair_end(n->next);
    }
    if (n->kind == TAP_JSON) {
        if (n->tap->cut && (n->next[0] || n->next[1]))
            on_end(n); /* the string in progress, as far as it goes */
        look_through(n);
    }
    if (n->role == ROLE_NESTED && n->base64)
        tap_node_keep_nested(n);
}

/* Did the coding end where a reader is content, or do we have its head only? *cut: the latter. */
static bool usable(const struct tap_node *n, bool *cut)
{
    if (!n->codec)
        return true;
    if (unwrap_stream_end(n->codec) == UNWRAP_WHOLE || unwrap_stream_whole_out(n->codec) > 0)
        return true;
    *cut |= n->tap->bomb || unwrap_stream_end(n->codec) == UNWRAP_LIMIT;
    return *cut && unwrap_stream_end(n->codec) != UNWRAP_BROKEN;
}

const struct pickle_result *tap_node_pickle(struct tap_node *n, bool declared)
{
    const struct pickle_result *r;
    bool cut = n->tap->cut;

    for (; n && n->kind == TAP_CODED; n = n->next[0])
        if (!usable(n, &cut))
            return NULL;
    if (!n || n->kind != TAP_PICKLE)
        return NULL;
    pickle_declare(n->machine, declared ? PICKLE_DECLARED : PICKLE_SEEN);
    r = pickle_end(n->machine, cut ? PICKLE_CLIPPED : PICKLE_WHOLE);
    return r->is_pickle ? r : NULL;
}
