/* signatures/saferepr.c - see saferepr.h. The two are read side by side, value by value, and given
 * up at the first thing that Python may have written in another way: objects with a repr of
 * their own (UUID('..'), Decimal('..'), a signature), depth and length that were cut ("..."). */
#include "signatures/saferepr.h"

enum verdict { SAME, DOUBT, CONTRADICTED };

struct pair {
    const uint8_t *j, *j_end; /* JSON */
    const uint8_t *t, *t_end; /* the text */
    unsigned depth;
};

static uint8_t json_at(const struct pair *p)
{
    return p->j < p->j_end ? *p->j : 0;
}

static uint8_t text_at(const struct pair *p)
{
    return p->t < p->t_end ? *p->t : 0;
}

static void pass_spaces(struct pair *p)
{
    while (json_at(p) == ' ' || json_at(p) == '\n' || json_at(p) == '\t' || json_at(p) == '\r')
        p->j++;
    while (text_at(p) == ' ')
        p->t++;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_cut_here(const struct pair *p)
{
    return p->t_end - p->t >= 3 && memcmp(p->t, "...", 3) == 0;
}

/* An apostrophe stands as it is, or behind a backslash (celery:utils/saferepr.py:_format_chars). */
static bool same_apostrophe(struct pair *p)
{
    if (text_at(p) == '\\' && p->t_end - p->t > 1 && p->t[1] == '\'')
        p->t++;
    return text_at(p) == '\'';
}

/* Behind the opening quotes of both. Only plain characters are certain. */
static enum verdict strings(struct pair *p)
{
    for (;; p->j++, p->t++) {
        uint8_t a = json_at(p), b = text_at(p);

        if (a == 0 || a == '\\' || a >= 0x80 || b == 0 || b >= 0x80 || is_cut_here(p))
            break;
        if (a == '"')
            break;
        if (a == '\'' ? !same_apostrophe(p) : a != b)
            return b == '\\' ? DOUBT : CONTRADICTED;
    }
    if (json_at(p) != '"' || text_at(p) == 0)
        return DOUBT;
    if (text_at(p) != '\'')
        return text_at(p) >= 0x80 || text_at(p) == '\\' || is_cut_here(p) ? DOUBT : CONTRADICTED;
    p->j++;
    p->t++;
    return SAME;
}

/* The length of a run of digits with a sign before it; of anything that goes on like a number
 * (fractions, exponents, Python 2's L): 0, certain of nothing. */
static size_t integer(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *to = at;

    to += to < end && *to == '-';
    while (to < end && is_digit(*to))
        to++;
    if (to == end || *to == '.' || (*to | 0x20) == 'e' || (*to | 0x20) == 'l')
        return 0;
    return (size_t)(to - at);
}

static enum verdict numbers(struct pair *p)
{
    size_t a = integer(p->j, p->j_end), b;

    if (text_at(p) == '\'')
        return CONTRADICTED;
    if (!is_digit(text_at(p)) && text_at(p) != '-')
        return DOUBT;
    b = integer(p->t, p->t_end);
    if (a == 0 || b == 0)
        return DOUBT;
    if (a != b || memcmp(p->j, p->t, a) != 0)
        return CONTRADICTED;
    p->j += a;
    p->t += b;
    return SAME;
}

static bool take(const uint8_t **at, const uint8_t *end, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(end - *at) < n || memcmp(*at, word, n) != 0)
        return false;
    *at += n;
    return true;
}

static enum verdict words(struct pair *p)
{
    static const char *const both[][2] = {{"true", "True"}, {"false", "False"}, {"null", "None"}};
    unsigned of = json_at(p) == 't' ? 0 : json_at(p) == 'f' ? 1 : 2;

    if (!take(&p->j, p->j_end, both[of][0]))
        return DOUBT;
    if (take(&p->t, p->t_end, both[of][1]))
        return SAME;
    for (unsigned i = 0; i < 3; i++)
        if (take(&p->t, p->t_end, both[i][1]))
            return CONTRADICTED;
    return text_at(p) == '\'' || is_digit(text_at(p)) ? CONTRADICTED : DOUBT;
}

static enum verdict scalar(struct pair *p)
{
    uint8_t a = json_at(p);

    if (a == '"') {
        if (text_at(p) != '\'')
            return DOUBT;
        p->j++;
        p->t++;
        return strings(p);
    }
    if (a == '-' || is_digit(a))
        return numbers(p);
    return a == 't' || a == 'f' || a == 'n' ? words(p) : DOUBT;
}

static bool scalar_begins(uint8_t c)
{
    return c == '\'' || c == '-' || is_digit(c);
}

/* Behind the brackets of both. */
static enum verdict open_both(struct pair *p)
{
    bool map = json_at(p) == '{', fits;
    uint8_t b = text_at(p);

    fits = map ? b == '{' : b == '[' || b == '(';
    if (!fits)
        return scalar_begins(b) ? CONTRADICTED : DOUBT;
    p->j++;
    p->t++;
    p->depth++;
    pass_spaces(p);
    return is_cut_here(p) ? DOUBT : SAME;
}

static bool json_closes(const struct pair *p)
{
    return json_at(p) == ']' || json_at(p) == '}';
}

static bool text_closes(const struct pair *p)
{
    return text_at(p) == ']' || text_at(p) == '}' || text_at(p) == ')';
}

/* The text goes on with a further value, and not with ", ...". */
static bool text_goes_on(const struct pair *p)
{
    struct pair next = *p;

    if (text_at(&next) != ',')
        return false;
    next.t++;
    pass_spaces(&next);
    return scalar_begins(text_at(&next));
}

/* A name and its colon; names that were no text have no quotes. */
static enum verdict name(struct pair *p)
{
    enum verdict v;

    if (json_at(p) != '"')
        return SAME; /* a list */
    if (text_at(p) != '\'')
        return DOUBT;
    p->j++;
    p->t++;
    v = strings(p);
    if (v != SAME)
        return v;
    pass_spaces(p);
    if (json_at(p) != ':' || text_at(p) != ':')
        return DOUBT;
    p->j++;
    p->t++;
    return SAME;
}

/* Behind a value: what ends here on one side has to end on the other; (1,) is a tuple of one. */
static enum verdict close_both(struct pair *p)
{
    pass_spaces(p);
    while (p->depth > 0 && json_closes(p)) {
        if (text_at(p) == ',' && p->t_end - p->t > 1 && p->t[1] == ')')
            p->t++;
        if (!text_closes(p))
            return text_goes_on(p) ? CONTRADICTED : DOUBT;
        p->j++;
        p->t++;
        p->depth--;
        pass_spaces(p);
    }
    if (p->depth == 0)
        return SAME;
    if (json_at(p) != ',')
        return DOUBT;
    if (text_at(p) != ',')
        return text_closes(p) ? CONTRADICTED : DOUBT;
    p->j++;
    p->t++;
    pass_spaces(p);
    if (text_closes(p))
        return CONTRADICTED;
    return is_cut_here(p) ? DOUBT : SAME;
}

static enum verdict container(struct pair *p)
{
    enum verdict v = open_both(p);

    if (v != SAME)
        return v;
    if (!json_closes(p))
        return text_closes(p) ? CONTRADICTED : SAME;
    return scalar_begins(text_at(p)) ? CONTRADICTED : close_both(p);
}

/* One value, its name before it, and all that ends behind it; a bit of *maps says of its depth
 * whether names come. */
static enum verdict step(struct pair *p, uint64_t *maps)
{
    enum verdict v = SAME;

    if (*maps >> p->depth & 1u)
        v = name(p);
    if (v != SAME)
        return v;
    pass_spaces(p);
    if (json_at(p) == '[' || json_at(p) == '{') {
        uint64_t bit = (uint64_t)2 << p->depth;
        *maps = json_at(p) == '{' ? *maps | bit : *maps & ~bit;
        return container(p);
    }
    v = scalar(p);
    return v == SAME ? close_both(p) : v;
}

bool saferepr_contradicts(struct bytes json, struct bytes text)
{
    struct pair p = {json.at, json.at + json.len, text.at, text.at + text.len, 0};
    enum verdict v = SAME;
    uint64_t maps = 0;

    if (json.len == 0 || text.len == 0)
        return false;
    pass_spaces(&p);
    if (json_at(&p) != '[' && json_at(&p) != '{')
        return false;
    do {
        v = step(&p, &maps);
    } while (v == SAME && p.depth > 0 && p.depth < 32);
    return v == CONTRADICTED;
}
