/* dissectors/apps/members_quick.c - see members_quick.h. */
#include "dissectors/apps/members_quick.h"

#include "dissectors/apps/quick.h"
#include "dissectors/apps/text.h"
#include "dissectors/content/json_walk.h"

enum { DIGITS = 18 };

struct want {
    const struct bytes *names;
    unsigned n, from; /* from: behind the last hit: writers keep an order */
    uint64_t bits;
};

static inline unsigned find(struct want *w, struct bytes name)
{
    unsigned at = w->from < w->n ? w->from : 0;

    if (!(w->bits & members_bit(name)))
        return w->n;
    for (unsigned i = 0; i < w->n; i++) {
        if (text_same(w->names[at], name)) {
            w->from = at + 1;
            return at;
        }
        at = at + 1 < w->n ? at + 1 : 0;
    }
    return w->n;
}

static inline quick_at digits(quick_at at, quick_at end)
{
    for (; end - at >= 16; at += 16) {
        unsigned mask = scan_no_digit_mask(at);
        if (mask)
            return at + __builtin_ctz(mask);
    }
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

static inline int64_t number(quick_at from, quick_at to)
{
    int64_t num = 0;

    for (; from < to; from++)
        num = num * 10 + (*from - '0');
    return num;
}

/* An integer, or one with a fraction; exponents are for the reader. What is behind it is seen by
 * whoever looks for the next comma. */
static inline quick_at take_number(const struct quick *q, quick_at at, struct member *m)
{
    quick_at from = at + (*at == '-'), to = digits(from, q->end), end = to;

    if (to == from || to - from > DIGITS || (*from == '0' && to > from + 1))
        return NULL;
    if (*to != '.') {
        m->kind = TOKEN_INT;
        m->num = q->pass ? 0 : number(from, to);
        if (from > at)
            m->num = -m->num;
    } else {
        m->kind = TOKEN_FLOAT;
        end = digits(to + 1, q->end);
        if (end == to + 1)
            return NULL;
    }
    m->text = bytes_of(at, (size_t)(end - at));
    return end;
}

static inline quick_at take_word(const struct quick *q, quick_at at, struct member *m,
                                 const char *word, size_t n, enum token_kind kind)
{
    if ((size_t)(q->end - at) <= n || memcmp(at, word, n) != 0)
        return NULL;
    m->kind = kind;
    m->text = bytes_of(at, n);
    return at + n;
}

static inline quick_at take_container(const struct quick *q, quick_at at, struct member *m)
{
    size_t n = json_walk(bytes_of(at + 1, (size_t)(q->end - at) - 1));

    if (n == SIZE_MAX || at + n + 1 == q->end)
        return NULL;
    m->kind = *at == '{' ? TOKEN_MAP : TOKEN_LIST;
    m->text = bytes_of(at, n + 1);
    return at + n + 1;
}

static inline quick_at take(struct quick *q, quick_at at, struct member *m)
{
    m->seen = true;
    m->cut = false;
    m->num = 0;
    switch (*at) {
    case '"': m->kind = TOKEN_STRING; return quick_string(q, at + 1, &m->text);
    case '{':
    case '[': return take_container(q, at, m);
    case 'n': return take_word(q, at, m, "null", 4, TOKEN_NULL);
    case 't': return take_word(q, at, m, "true", 4, TOKEN_TRUE);
    case 'f': return take_word(q, at, m, "false", 5, TOKEN_FALSE);
    default: return take_number(q, at, m);
    }
}

/* Behind the object, `at` behind its brace; NULL: not plain. */
static quick_at take_all(struct quick *q, quick_at at, struct want *w, struct member out[],
                         unsigned *others)
{
    struct member other;

    for (;; at++) {
        struct bytes name;
        unsigned i;

        q->pass = false;
        at = quick_name(q, at, &name);
        if (!at)
            return NULL;
        i = find(w, name);
        if (i < w->n && out[i].seen)
            return NULL; /* twice: the reader says so */
        q->pass = i == w->n;
        *others += q->pass;
        at = take(q, at, q->pass ? &other : &out[i]);
        if (!at)
            return NULL;
        at += *at == ' ';
        if (*at != ',')
            return *at == '}' ? at + 1 : NULL;
    }
}

quick_at quick_container(struct quick *q, quick_at at, struct bytes *text)
{
    struct member m;

    at += *at == ' ';
    if (*at != '{' && *at != '[')
        return NULL;
    at = take_container(q, at, &m);
    if (at)
        *text = m.text;
    return at;
}

bool members_quick(struct reader *r, const struct bytes names[], unsigned n, uint64_t bits,
                   struct member out[], unsigned *others, struct arena *arena)
{
    struct want w = {.names = names, .n = n, .bits = bits};
    struct quick q;
    quick_at end;

    if (r->format != WHAT_JSON || r->clipped || r->depth >= READER_DEPTH || r->rest.len == 0 ||
        !quick_begin(&q, r->rest, arena))
        return false;
    memset(out, 0, n * sizeof *out);
    end = take_all(&q, r->rest.at, &w, out, others);
    if (!end)
        return false;
    reader_passed(r, (size_t)(end - r->rest.at));
    return true;
}
