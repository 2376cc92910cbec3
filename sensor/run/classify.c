/* run/classify.c - first the wrappers, then the bytes, then the declaration. */
#include "run/classify.h"

#include <stdlib.h>

#include "dissectors/apps/embed.h"
#include "dissectors/content/auth.h"
#include "dissectors/content/reader.h"
#include "run/signed.h"
#include "run/tap.h"
#include "signatures/pickle/pickle.h"

struct classifier {
    struct content_limits limits;
    struct pickle *machine;
    struct tap_pool *taps;
    struct signed_bodies *signatures;
    struct pickle_found found;
};

static bool make_machines(struct classifier *c, const struct conf *conf, unsigned share,
                          struct tally *tally)
{
    const struct text_list *allow = &conf->policy.pickle_allow_imports;
    unsigned taps = (unsigned)conf->limits.taps / share;
    struct bytes *list = calloc(allow->n + 1, sizeof *list);
    struct pickle_options options = {.allow = list, .n_allow = allow->n};

    if (!list)
        return false;
    for (size_t i = 0; i < allow->n; i++)
        list[i] = bytes_of(allow->at[i], strlen(allow->at[i]));
    c->machine = pickle_new(&options);
    c->taps = tap_pool_new(taps > 0 ? taps : 1, &c->limits, &options, tally);
    free(list);
    return c->machine && c->taps;
}

struct classifier *classifier_new(const struct conf *conf, unsigned share, struct tally *tally)
{
    struct classifier *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->limits = (struct content_limits){
        .max_kept = conf->limits.unwrap_kept,
        .max_total = conf->policy.decompression.max_total,
        .max_ratio = conf->policy.decompression.max_ratio,
        .max_depth = (unsigned)conf->limits.unwrap_depth,
    };
    c->signatures = signed_new(&conf->policy, conf->trust);
    if (make_machines(c, conf, share, tally) && c->signatures)
        return c;
    classifier_free(c);
    return NULL;
}

void classifier_free(struct classifier *c)
{
    if (c && c->machine)
        pickle_free(c->machine);
    if (c)
        tap_pool_free(c->taps);
    if (c)
        signed_free(c->signatures);
    free(c);
}

/* What is signed has a type of its own. */
static bool declared_pickle(const struct content *c)
{
    return bytes_eq(c->auth ? c->auth->type : c->type, "application/x-python-serialize");
}

/* The pairs outlive the machine's next message: they are copied into the arena. */
static void keep_top(struct content *c, const struct pickle_result *r, struct arena *arena)
{
    c->top = r->n_top > 0 ? arena_raw(arena, r->n_top * sizeof *c->top) : NULL;
    c->n_top = c->top ? r->n_top : 0;
    c->document = arena_copy(arena, r->document);
    for (unsigned i = 0; i < c->n_top; i++) {
        c->top[i].key = arena_copy(arena, r->top[i].key);
        c->top[i].value = arena_copy(arena, r->top[i].value);
    }
}

static void ask_machine(struct classifier *cl, struct msg *m, struct bytes inner,
                        struct arena *arena)
{
    struct content *c = m->content;
    bool cut = c->clipped || c->limit;

    const struct pickle_result *r;

    pickle_reset(cl->machine, declared_pickle(c) ? PICKLE_DECLARED : PICKLE_SEEN);
    if (embed_is_builtin(header_text(headers_find(m->headers, "task"))))
        pickle_expect_tasks(cl->machine); /* map and its like take them by name */
    pickle_feed(cl->machine, inner);
    r = pickle_end(cl->machine, cut ? PICKLE_CLIPPED : PICKLE_WHOLE);
    if (!r->is_pickle)
        return;
    c->what = WHAT_PICKLE;
    m->pickle = r;
    keep_top(c, r, arena);
}

const struct taps *classifier_taps(const struct classifier *c)
{
    return tap_door(c->taps);
}

/* What was read to its end knows better than the head that is kept. */
static void ask_tap(struct msg *m, struct arena *arena)
{
    struct content *c = m->content;
    const struct pickle_result *r = c->in_tap
                                        ? tap_envelope_pickle(c->tap, c->base64, declared_pickle(c))
                                        : tap_pickle(c->tap, c->tap_at, declared_pickle(c));

    c->bomb = c->bomb || tap_is_bomb(c->tap);
    c->abridged = c->in_tap ? bytes_of(NULL, 0) : tap_abridged(c->tap);
    if (!r)
        return;
    c->what = WHAT_PICKLE;
    m->pickle = r;
    keep_top(c, r, arena);
}

void classify(struct classifier *cl, struct msg *m, struct arena *arena, struct tally *tally)
{
    struct content *c = m->content;
    struct bytes inner;

    if (!c->unwrapped)
        content_unwrap(c, arena, &cl->limits, tally);
    signed_open(cl->signatures, c, arena);
    if (c->clipped || c->limit)
        m->coverage |= COVER_CLIPPED;
    inner = content_inner(c);
    if (c->what != WHAT_JSON && (declared_pickle(c) || pickle_maybe(inner)))
        ask_machine(cl, m, inner, arena);
    if (c->tap)
        ask_tap(m, arena);
}

static bool is_import(const struct pickle_found *f)
{
    return f->result && f->result->all_imports > 0;
}

#define BEFORE_ESCAPE 12u /* an encoded run is longer than this in front of its first escape */

static bool encodes(uint8_t c)
{
    static const uint32_t set[8] = {0, 0x03ffa800, 0x87fffffe, 0x07fffffe,
                                    0, 0,          0,          0}; /* + - / _ letters digits */

    return set[c >> 5] >> (c & 31) & 1;
}

/* May an escape stand inside an encoded run, so that it is not seen in the document as it is? */
static bool hides_run(struct bytes text)
{
    const uint8_t *at = text.at, *end = text.at + text.len;

    while (at < end && (at = memchr(at, '\\', (size_t)(end - at)))) {
        size_t n = 0, before = (size_t)(at - text.at), after = (size_t)(end - at);

        if (after > 4 && at[1] == 'u' && at[2] == '0' && at[3] == '0' && at[4] >= '2' &&
            at[4] <= '7')
            return true;
        while (n < BEFORE_ESCAPE && n < before && encodes(at[-1 - (ptrdiff_t)n]))
            n++;
        if (n == BEFORE_ESCAPE)
            return true;
        at += after > 1 ? 2 : 1;
    }
    return false;
}

/* Texts with escapes in them hide an encoded run from whoever reads the document as it is. */
static bool in_escaped_texts(struct classifier *cl, struct msg *m, struct arena *arena)
{
    struct bytes inner = content_inner(m->content);
    struct reader r;
    bool found = false;

    reader_begin(&r, WHAT_JSON, inner, true, arena);
    for (struct token t; !found && reader_next(&r, &t);)
        if (t.kind == TOKEN_STRING && t.escaped)
            found = pickle_find_in_text(cl->machine, token_text(&t, arena), &cl->found) &&
                    is_import(&cl->found);
    reader_end(&r);
    return found;
}

void classify_texts(struct classifier *cl, struct msg *m, struct arena *arena)
{
    struct content *c = m->content;
    struct bytes inner;

    if (!c || c->what == WHAT_PICKLE)
        return;
    inner = content_inner(c);
    if (pickle_find_in_text(cl->machine, inner, &cl->found) && is_import(&cl->found))
        m->nested = &cl->found;
    else if (c->what == WHAT_JSON && inner.len > 0 && hides_run(inner) &&
             in_escaped_texts(cl, m, arena))
        m->nested = &cl->found;
    if (!m->nested && c->tap)
        m->nested = tap_nested(c->tap);
}

void classify_signature(struct classifier *cl, struct msg *m, struct tally *tally)
{
    signed_judge(cl->signatures, m, tally);
}

void classifier_tick(struct classifier *cl)
{
    signed_tick(cl->signatures);
}
