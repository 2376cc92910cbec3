/* content/unwrap.c - content_unwrap(): first what the declarations name, then what the
 * bytes show, one layer after the other. */
#include "dissectors/content/auth.h"
#include "dissectors/content/base64.h"
#include "dissectors/content/codecs.h"
#include "dissectors/content/collect.h"
#include "dissectors/content/unwrap_stream.h"

#define SURE 1.25 /* how far beyond the total it has to be, to be beyond it */

enum { MAX_PARTS = sizeof((struct content){0}.parts) / sizeof(struct part) };

struct peeler {
    struct content *c;
    struct arena *arena;
    const struct content_limits *lim;
    struct tally *tally;
    size_t kept;    /* bytes of the parts made so far */
    uint64_t total; /* bytes that came out of the compressions so far */
    size_t packed;  /* length of the outermost compressed part: what ratios are measured by */
    uint64_t work;  /* what may still be spent on compressions */
    bool no_memory;
};

static bool is_head(const struct content *c)
{
    return c->clipped || c->limit;
}

static size_t may_keep(const struct peeler *p)
{
    return p->kept < p->lim->max_kept ? p->lim->max_kept - p->kept : 0;
}

static void add_part(struct peeler *p, struct bytes bytes, enum coding from)
{
    p->c->parts[p->c->n_parts++] = (struct part){.bytes = bytes, .from = from};
    p->kept += bytes.len;
}

/* false, and the limit noted: no further layer. */
static bool may_peel(struct peeler *p)
{
    if (p->c->n_parts < MAX_PARTS && p->c->n_parts - 1 < p->lim->max_depth && may_keep(p) > 0)
        return true;
    p->c->limit = true;
    return false;
}

static void peel_base64(struct peeler *p)
{
    if (!may_peel(p))
        return;
    struct bytes text = content_inner(p->c);
    struct base64 b = {0};
    size_t most = may_keep(p), made = 0;
    size_t room = BASE64_ROOM(text.len), enough = most + BASE64_ROOM(4);
    uint8_t *to = arena_raw(p->arena, room < enough ? room : enough);
    if (!to) {
        p->no_memory = p->c->limit = true;
        return;
    }
    while (text.len > 0 && !b.ended && made < most)
        made += base64_step(&b, bytes_cut(&text, (most - made) / 3 * 4 + 4), to + made);
    if (made > most || (text.len > 0 && !b.ended))
        p->c->limit = true;
    else if (!base64_whole(&b) && !p->c->clipped)
        tally_add(p->tally, TALLY_unwrap_failed, 1);
    p->c->out_len = made;
    add_part(p, bytes_of(to, made < most ? made : most), CODING_BASE64);
}

/* What a bomb is for this layer: see struct collect. */
static void set_bounds(const struct peeler *p, enum coding coding, struct collect *to)
{
    to->work = p->work;
    to->weight = unwrap_weight(coding);
    uint64_t packed = p->packed, ratio = p->lim->max_ratio, total = p->lim->max_total;
    to->most = may_keep(p);
    to->total = total > p->total ? total - p->total : 0;
    to->ratio = packed > 0 && ratio > UINT64_MAX / packed ? UINT64_MAX : ratio * packed;
}

/* What will have come at the end if it goes on as it did all along, or as in the second half: what
 * a bomb begins with may be noise. */
static double foreseen(const struct unwrap_stream *s, struct bytes in, const struct collect *to)
{
    double went = (double)unwrap_stream_in(s), seen = (double)to->seen, all = (double)in.len;
    double late_in = went - (double)to->half_in, late = seen - (double)to->half_seen;
    double on_average = went > 0 ? seen / went * all : seen;
    double as_late = late_in > 0 ? seen + late / late_in * (all - went) : seen;

    return on_average > as_late ? on_average : as_late;
}

/* What came was more than may be spent on it, and there is more. A bomb all the same: if it goes on
 * as it went, it will be beyond the ratio or the total; or the stream says itself that it will be
 * beyond the total. */
static void judge_rest(const struct peeler *p, const struct unwrap_stream *s, struct bytes in,
                       enum coding coding, struct collect *to)
{
    uint64_t declared = unwrap_declared(coding, in, !is_head(p->c));
    double will = foreseen(s, in, to);

    to->bomb =
        to->seen > COLLECT_FREE && (will > (double)to->ratio || will > (double)to->total * SURE);
    if (declared > to->total) {
        to->bomb = true;
        to->seen = declared;
    }
}

/* The result is good as far as it goes: the coding ended well, or our view of it is cut. */
static bool usable(const struct peeler *p, const struct unwrap_stream *s, const struct collect *to)
{
    enum unwrap_state state = unwrap_stream_end(s);
    if (state == UNWRAP_LIMIT)
        return to->len > 0;
    if (state == UNWRAP_WHOLE || unwrap_stream_whole_out(s) > 0 || to->bomb || to->spent)
        return true;
    return state == UNWRAP_GOING && is_head(p->c) && to->len > 0;
}

static void accept(struct peeler *p, const struct unwrap_stream *s, struct collect *to,
                   enum coding coding)
{
    uint64_t seen = to->seen;
    bool ended = unwrap_stream_end(s) == UNWRAP_WHOLE || unwrap_stream_whole_out(s) > 0;
    /* Junk behind a whole stream is not part of it. */
    if (!to->bomb && !to->spent && !is_head(p->c) && ended)
        seen = unwrap_stream_whole_out(s);
    struct bytes kept = collect_take(to, seen);
    p->total += to->seen;
    p->c->out_len = seen;
    p->c->bomb |= to->bomb;
    p->c->limit |= to->bomb || to->spent || to->no_memory || kept.len < seen;
    p->no_memory |= to->no_memory;
    add_part(p, kept, coding);
}

static bool peel(struct peeler *p, enum coding coding, bool declared)
{
    struct bytes in = content_inner(p->c);
    struct collect to;
    if (!may_peel(p))
        return false;
    if (p->packed == 0)
        p->packed = in.len;
    set_bounds(p, coding, &to);
    struct unwrap_stream *s = unwrap_stream_new(coding, p->arena);
    if (!s) {
        p->no_memory = p->c->limit = true;
        return false;
    }
    collect_begin(&to, p->arena, s, in.len < SIZE_MAX / 4 ? in.len * 4 : in.len);
    unwrap_stream_feed(s, in, collect_add, &to);
    p->work = to.work;
    if (to.spent && !to.bomb)
        judge_rest(p, s, in, coding, &to);
    enum unwrap_state end = unwrap_stream_end(s);
    bool good = usable(p, s, &to), cut = end == UNWRAP_GOING && is_head(p->c);
    p->c->limit |= end == UNWRAP_LIMIT;
    if (good)
        accept(p, s, &to, coding);
    else
        collect_drop(&to);
    if (!good && declared && !cut && end != UNWRAP_LIMIT)
        tally_add(p->tally, TALLY_unwrap_failed, 1);
    unwrap_stream_free(s);
    return good;
}

static void peel_declared(struct peeler *p)
{
    enum coding coding = coding_by_name(p->c->compression);
    if (coding == CODING_NONE)
        tally_add(p->tally, TALLY_unwrap_failed, 1);
    else
        peel(p, coding, true);
}

static void peel_shown(struct peeler *p)
{
    for (;;) {
        enum coding coding = coding_by_magic(content_inner(p->c));
        if (coding == CODING_NONE || !peel(p, coding, false))
            return;
    }
}

/* What is inside a signed body, by its own type, which nobody has to accept: it is loaded whatever
 * it is (celery:security/serialization.py:SecureSerializer.deserialize). */
static void take_signed(struct content *c, const struct auth_parts *parts, size_t most)
{
    c->auth = parts;
    c->limit |= parts->body.len > most;
    c->parts[c->n_parts++] = (struct part){bytes_head(parts->body, most), CODING_AUTH};
    c->what = content_guess(content_inner(c), parts->type);
}

static void peel_signed(struct peeler *p)
{
    struct content *c = p->c;
    if (!may_peel(p))
        return;
    struct auth_parts *parts = arena_get(p->arena, sizeof *parts);
    enum auth_result result =
        parts ? auth_split(content_inner(c), 0, is_head(c), p->arena, parts) : AUTH_NO_MEMORY;
    if (result == AUTH_OK)
        take_signed(c, parts, may_keep(p));
    else if (result == AUTH_NO_MEMORY)
        p->no_memory = c->limit = true;
}

void content_reopen(struct content *c, size_t signature_len, struct arena *arena)
{
    if (!c->auth || c->auth->layout != AUTH_OLD || c->auth->signature.len == signature_len)
        return;
    struct auth_parts *parts = arena_get(arena, sizeof *parts);
    struct bytes text = c->parts[c->n_parts - 2].bytes;
    if (!parts || auth_split(text, signature_len, is_head(c), arena, parts) != AUTH_OK)
        return;
    c->n_parts--;
    take_signed(c, parts, text.len); /* which is within the bounds */
}

/* A mark of UTF-8 before JSON, which simplejson passes over (simplejson:decoder.py:JSONDecoder.
 * raw_decode), and kombu before 5.3 with it where it is installed (kombu:utils/json.py). */
static void drop_mark(struct content *c)
{
    struct bytes inner = content_inner(c), mark = bytes_cut(&inner, 3);

    if (!bytes_eq(mark, "\xef\xbb\xbf") || content_guess(inner, c->type) != WHAT_JSON)
        return;
    c->what = WHAT_JSON;
    c->parts[c->n_parts - 1].bytes = inner;
}

void content_unwrap(struct content *c, struct arena *arena, const struct content_limits *lim,
                    struct tally *tally)
{
    if (c->unwrapped)
        return;
    struct peeler p = {.c = c, .arena = arena, .lim = lim, .tally = tally, .work = COLLECT_WORK};
    c->unwrapped = true;
    c->limit = c->bomb = false;
    c->n_parts = 0;
    c->out_len = 0;
    c->auth = NULL;
    add_part(&p, c->body, CODING_NONE);
    p.kept = 0; /* the body is its owner's memory */
    if (c->base64)
        peel_base64(&p);
    if (c->compression.len > 0)
        peel_declared(&p);
    peel_shown(&p);
    c->what = content_guess(content_inner(c), c->type);
    if (c->what == WHAT_AUTH)
        peel_signed(&p);
    else if (c->what == WHAT_TEXT)
        drop_mark(c);
    if (c->limit)
        tally_add(tally, TALLY_unwrap_limit, 1);
    if (p.no_memory)
        tally_add(tally, TALLY_arena_full, 1);
}
