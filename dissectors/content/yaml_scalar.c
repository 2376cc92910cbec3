/* content/yaml_scalar.c - see yaml_scalar.h. */
#include "dissectors/content/yaml_scalar.h"

#include "dissectors/content/reader_formats.h"

static bool one_of(struct bytes text, const char *const *words)
{
    for (; *words; words++)
        if (bytes_eq(text, *words))
            return true;
    return false;
}

static bool is_null(struct bytes text)
{
    static const char *const words[] = {"~", "null", "Null", "NULL", NULL};
    return text.len == 0 || one_of(text, words);
}

static bool is_bool(struct bytes text, bool *value)
{
    static const char *const yes[] = {"yes",  "Yes", "YES", "true", "True",
                                      "TRUE", "on",  "On",  "ON",   NULL};
    static const char *const no[] = {"no",    "No",  "NO",  "false", "False",
                                     "FALSE", "off", "Off", "OFF",   NULL};
    *value = one_of(text, yes);
    return *value || one_of(text, no);
}

/* The digits of a base, upper case apart; 16 and more: none. */
static unsigned digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - (unsigned)'0';
    uint8_t low = c | 0x20;
    return low >= 'a' && low <= 'f' ? low - (unsigned)'a' + 10 : 99;
}

/* Takes digits of `base` and underscores off the front, adds their value to *v (saturating);
 * how many characters they were. */
static size_t take_digits(struct bytes *text, unsigned base, uint64_t *v)
{
    size_t n = 0;
    for (; n < text->len; n++) {
        uint8_t c = text->at[n];
        if (c != '_' && digit(c) >= base)
            break;
        if (c != '_')
            *v = *v > (UINT64_MAX - digit(c)) / base ? UINT64_MAX : *v * base + digit(c);
    }
    bytes_cut(text, n);
    return n;
}

/* Sexagesimal groups, ":59" each, at least one. */
static bool take_sixties(struct bytes *text, uint64_t *v)
{
    size_t groups = 0;
    for (; text->len > 1 && text->at[0] == ':'; groups++) {
        struct bytes rest = bytes_of(text->at + 1, text->len - 1);
        unsigned group = digit(rest.at[0]);
        size_t n = 1;
        if (group > 9)
            return false;
        if (rest.len > 1 && digit(rest.at[1]) <= 9) {
            group = group * 10 + digit(rest.at[1]);
            n = 2;
        }
        if (group > 59)
            return false;
        *v = *v > (UINT64_MAX - group) / 60 ? UINT64_MAX : *v * 60 + group;
        bytes_cut(&rest, n);
        *text = rest;
    }
    return groups > 0;
}

static bool take_sign(struct bytes *text)
{
    bool minus = text->len > 0 && text->at[0] == '-';
    if (minus || (text->len > 0 && text->at[0] == '+'))
        bytes_cut(text, 1);
    return minus;
}

static int64_t with_sign(uint64_t v, bool minus)
{
    if (minus)
        return v > INT64_MAX ? INT64_MIN : -(int64_t)v;
    return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

/* Behind the sign, all of it. */
static bool magnitude(struct bytes text, uint64_t *v)
{
    *v = 0;
    if (text.len == 0 || digit(text.at[0]) > 9)
        return false;
    if (text.at[0] == '0' && text.len > 1) {
        unsigned base = text.at[1] == 'b' ? 2 : text.at[1] == 'x' ? 16 : 8;
        bytes_cut(&text, base == 8 ? 1 : 2);
        return take_digits(&text, base, v) > 0 && text.len == 0;
    }
    take_digits(&text, 10, v);
    return text.len == 0 || (take_sixties(&text, v) && text.len == 0);
}

static bool is_int(struct bytes text, int64_t *num)
{
    uint64_t v;
    bool minus = take_sign(&text);
    if (!magnitude(text, &v))
        return false;
    *num = with_sign(v, minus);
    return true;
}

/* What number_real() reads of a text: no underscores, no plus in front. */
static double plain_real(struct bytes text)
{
    char copy[64];
    size_t n = 0;
    for (size_t i = 0; i < text.len && n < sizeof copy; i++)
        if (text.at[i] != '_')
            copy[n++] = (char)text.at[i];
    return number_real(bytes_of(copy, n));
}

static bool special_real(struct bytes text, bool had_sign, double *real)
{
    static const char *const inf[] = {".inf", ".Inf", ".INF", NULL};
    static const char *const nan[] = {".nan", ".NaN", ".NAN", NULL};
    if (one_of(text, inf))
        *real = __builtin_inf();
    else if (!had_sign && one_of(text, nan))
        *real = __builtin_nan("");
    else
        return false;
    return true;
}

/* An exponent, whose sign YAML 1.1 demands, or nothing; to the end of the text. */
static bool only_exponent(struct bytes text)
{
    uint64_t v = 0;
    if (text.len == 0)
        return true;
    if (text.len < 3 || (text.at[0] | 0x20) != 'e' || (text.at[1] != '+' && text.at[1] != '-'))
        return false;
    bytes_cut(&text, 2);
    for (size_t i = 0; i < text.len; i++)
        if (digit(text.at[i]) > 9)
            return false;
    return take_digits(&text, 10, &v) > 0;
}

static bool is_sixties_real(struct bytes text, double *real)
{
    uint64_t v = 0;
    take_digits(&text, 10, &v);
    if (!take_sixties(&text, &v) || text.len == 0 || text.at[0] != '.')
        return false;
    struct bytes fraction = text;
    uint64_t unused = 0;
    bytes_cut(&text, 1);
    take_digits(&text, 10, &unused);
    *real = (double)v + (fraction.len > 1 ? plain_real(fraction) : 0);
    return text.len == 0;
}

static bool is_decimal(struct bytes text, bool had_sign, double *real)
{
    struct bytes all = text;
    uint64_t unused = 0;
    size_t before = text.at[0] == '_' ? 0 : take_digits(&text, 10, &unused);
    if (text.len == 0 || text.at[0] != '.')
        return false;
    bytes_cut(&text, 1);
    /* ".5" has no sign and no underscore first. */
    if (before == 0 && (had_sign || text.len == 0 || text.at[0] == '_'))
        return false;
    size_t after = take_digits(&text, 10, &unused);
    if ((before == 0 && after == 0) || !only_exponent(text))
        return false;
    *real = plain_real(all);
    return true;
}

static bool is_real(struct bytes text, double *real)
{
    size_t len = text.len;
    bool minus = take_sign(&text), had_sign = text.len < len;
    if (text.len == 0 || (digit(text.at[0]) > 9 && text.at[0] != '.'))
        return false;
    if (!special_real(text, had_sign, real) && !is_decimal(text, had_sign, real) &&
        !is_sixties_real(text, real))
        return false;
    if (minus)
        *real = -*real;
    return true;
}

static void resolve(struct token *t)
{
    bool yes;
    if (is_null(t->text))
        t->kind = TOKEN_NULL;
    else if (is_bool(t->text, &yes))
        t->kind = yes ? TOKEN_TRUE : TOKEN_FALSE;
    else if (is_int(t->text, &t->num))
        t->kind = TOKEN_INT;
    else if (is_real(t->text, &t->real))
        t->kind = TOKEN_FLOAT;
}

void yaml_scalar(struct token *t, bool plain)
{
    bool yes;
    t->kind = TOKEN_STRING;
    if (t->tag.len == 0) {
        if (plain)
            resolve(t);
    } else if (bytes_eq(t->tag, YAML_TAG_PREFIX "binary")) {
        t->kind = TOKEN_BYTES;
    } else if (bytes_eq(t->tag, YAML_TAG_PREFIX "null")) {
        t->kind = TOKEN_NULL;
    } else if (bytes_eq(t->tag, YAML_TAG_PREFIX "bool") && is_bool(t->text, &yes)) {
        t->kind = yes ? TOKEN_TRUE : TOKEN_FALSE;
    } else if (bytes_eq(t->tag, YAML_TAG_PREFIX "int") && is_int(t->text, &t->num)) {
        t->kind = TOKEN_INT;
    } else if (bytes_eq(t->tag, YAML_TAG_PREFIX "float")) {
        if (is_real(t->text, &t->real))
            t->kind = TOKEN_FLOAT;
        else if (is_int(t->text, &t->num))
            t->kind = TOKEN_FLOAT, t->real = (double)t->num;
    }
}
