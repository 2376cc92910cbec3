/* dissectors/apps/members.c - see members.h. */
#include "dissectors/apps/members.h"

#include "dissectors/apps/members_quick.h"
#include "dissectors/apps/text.h"

void member_take(struct member *m, struct reader *r, const struct token *t, struct arena *arena)
{
    m->seen = true;
    m->kind = t->kind;
    m->num = t->num;
    m->cut = t->cut;
    if (t->kind == TOKEN_MAP || t->kind == TOKEN_LIST)
        m->text = document_raw(r, t, arena);
    else if (t->kind == TOKEN_INT && t->text.len == 0)
        m->text = text_of_number(t->num, arena); /* MessagePack */
    else
        m->text = t->escaped ? token_text(t, arena) : t->text;
}

/* The place of a key in the table, looked for behind the last hit first: writers keep an order. */
static unsigned find_name(const struct token *key, const struct bytes names[], unsigned n,
                          unsigned from, struct arena *arena)
{
    struct bytes name = key->escaped ? token_text(key, arena) : key->text;

    for (unsigned i = 0, at = from; i < n; i++, at++) {
        if (at >= n)
            at = 0;
        if (text_same(names[at], name))
            return at;
    }
    return n;
}

static uint64_t bits_of(const struct bytes names[], unsigned n)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < n; i++)
        bits |= members_bit(names[i]);
    return bits;
}

static bool may_be_one(const struct token *key, uint64_t bits)
{
    return key->escaped || bits & members_bit(key->text);
}

struct members members_of(struct reader *r, const struct bytes names[], unsigned n,
                          struct member out[], struct arena *arena)
{
    struct members got = {.mapping = true};
    uint64_t bits = bits_of(names, n);
    unsigned from = 0;

    if (members_quick(r, names, n, bits, out, &got.others, arena))
        return got;
    got.others = 0;
    for (unsigned i = 0; i < n; i++)
        out[i] = (struct member){0};
    for (struct token t; reader_next(r, &t) && t.kind == TOKEN_KEY;) {
        unsigned at = may_be_one(&t, bits) ? find_name(&t, names, n, from, arena) : n;

        if (at == n) {
            got.others++;
            reader_skip(r, &t);
        } else {
            if (!reader_next(r, &t))
                break;
            got.twice |= out[at].seen;
            member_take(&out[at], r, &t, arena);
            from = at + 1;
        }
    }
    return got;
}

/* The value as the machine tells it: in text. */
static struct member from_pair(struct bytes value)
{
    struct member m = {.seen = true, .kind = TOKEN_STRING, .text = value};
    bool digits = value.len > 0 && value.len < 19;

    for (size_t i = 0; i < value.len && digits; i++) {
        digits = value.at[i] >= '0' && value.at[i] <= '9';
        m.num = m.num * 10 + (value.at[i] - '0');
    }
    if (digits)
        m.kind = TOKEN_INT;
    else if (bytes_eq(value, "None"))
        m.kind = TOKEN_NULL;
    return m;
}

static struct members from_pickle(const struct document *doc, const struct bytes names[],
                                  unsigned n, struct member out[])
{
    struct members got = {.mapping = doc->n_top > 0};

    for (unsigned i = 0; i < n; i++)
        out[i] = (struct member){0};
    for (unsigned k = 0; k < doc->n_top; k++) {
        unsigned at = 0;

        while (at < n && !text_same(names[at], doc->top[k].key))
            at++;
        if (at < n)
            out[at] = from_pair(doc->top[k].value);
        else
            got.others++;
    }
    return got;
}

struct members members_read(const struct document *doc, const struct bytes names[], unsigned n,
                            struct member out[], struct arena *arena)
{
    struct members got = {0};
    struct reader r;
    struct token t;

    if (doc->format == WHAT_PICKLE)
        return from_pickle(doc, names, n, out);
    if (document_readable(doc)) {
        reader_begin(&r, doc->format, doc->bytes, doc->clipped, arena);
        if (reader_next(&r, &t) && t.kind == TOKEN_MAP)
            got = members_of(&r, names, n, out, arena);
        reader_end(&r);
    }
    for (unsigned i = 0; i < n && !got.mapping; i++)
        out[i] = (struct member){0};
    return got;
}

struct bytes member_text(const struct member *m)
{
    bool has = m->seen && !m->cut &&
               (m->kind == TOKEN_STRING || m->kind == TOKEN_BYTES || m->kind == TOKEN_INT ||
                m->kind == TOKEN_FLOAT);

    return has ? m->text : (struct bytes){0};
}

bool member_true(const struct member *m)
{
    if (!m->seen)
        return false;
    switch (m->kind) {
    case TOKEN_TRUE: return true;
    case TOKEN_INT: return m->num != 0;
    case TOKEN_STRING: return m->text.len > 0;
    case TOKEN_FLOAT: return true;
    case TOKEN_LIST:
    case TOKEN_MAP: return m->text.len > 2 || (m->text.len == 2 && !memchr("[{", m->text.at[0], 2));
    default: return false;
    }
}

struct document member_document(const struct member *m, const struct document *of)
{
    bool has = m->seen && !m->cut && (m->kind == TOKEN_MAP || m->kind == TOKEN_LIST);

    return (struct document){
        .format = has ? of->format : WHAT_EMPTY,
        .clipped = of->clipped,
        .bytes = has ? m->text : (struct bytes){0},
    };
}
