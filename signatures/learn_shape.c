/* signatures/learn_shape.c - see learn_shape.h. */
#include "signatures/learn_shape.h"

#define PARTS_MAX 32u /* of one label; a name with more is its own shape */

enum part_is {
    PART_KEPT,
    PART_MADE,     /* generated as a whole */
    PART_NUMBERED, /* a number stands behind it */
};

struct part {
    struct bytes text;
    enum part_is is;
};

struct label {
    struct part parts[PARTS_MAX];
    unsigned n;
};

struct writer {
    char *at, *end;
    bool full;
};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

/* kubernetes:apimachinery/pkg/util/rand/rand.go: no vowels, nothing that looks like another. */
static bool is_of_pod(uint8_t c)
{
    return c != 0 && strchr("bcdfghjklmnpqrstvwxz2456789", c) != NULL;
}

static bool is_separator(uint8_t c)
{
    return c == '-' || c == '_';
}

static size_t count(struct bytes text, bool (*is)(uint8_t c))
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += is(text.at[i]);
    return n;
}

static bool all(struct bytes text, bool (*is)(uint8_t c))
{
    return text.len > 0 && count(text, is) == text.len;
}

static void put(struct writer *w, struct bytes text, bool escaped)
{
    for (size_t i = 0; i < text.len; i++) {
        bool special = escaped && text.at[i] != 0 && strchr("*?[\\", text.at[i]);

        if (w->end - w->at < 3) {
            w->full = true;
            return;
        }
        if (special)
            *w->at++ = '\\';
        *w->at++ = (char)text.at[i];
    }
    *w->at = '\0';
}

static void put_str(struct writer *w, const char *text)
{
    put(w, bytes_of(text, strlen(text)), false);
}

void learn_escape(struct bytes name, char to[SHAPE_ROOM])
{
    struct writer w = {to, to + SHAPE_ROOM, false};

    to[0] = '\0';
    put(&w, name, true);
}

bool learn_unescape(char *glob)
{
    char *to = glob;

    for (const char *p = glob; *p; p++) {
        if (*p == '\\' && p[1])
            p++;
        else if (strchr("*?[\\", *p))
            return false;
        *to++ = *p;
    }
    *to = '\0';
    return true;
}

/* --- what is generated -------------------------------------------------------- */

static bool split(struct bytes label, struct label *out)
{
    out->n = 0;
    while (label.len > 0 || out->n == 0) {
        size_t n = 0;

        while (n < label.len && !is_separator(label.at[n]))
            n++;
        if (out->n == PARTS_MAX)
            return false;
        out->parts[out->n++] = (struct part){bytes_cut(&label, n), PART_KEPT};
        if (label.len == 1) /* ends in a separator */
            return false;
        bytes_cut(&label, 1);
    }
    return true;
}

static void mark_uuid(struct label *l)
{
    static const size_t lengths[] = {8, 4, 4, 4, 12};

    for (unsigned i = 0; i + 5 <= l->n; i++) {
        unsigned k = 0;

        while (k < 5 && l->parts[i + k].text.len == lengths[k] && all(l->parts[i + k].text, is_hex))
            k++;
        for (unsigned j = 0; k == 5 && j < 5; j++)
            l->parts[i + j].is = PART_MADE;
    }
}

/* <name>-<hash of the template>-<five random>, <name>-<five random>. */
static void mark_pod(struct label *l)
{
    struct part *last = &l->parts[l->n - 1];

    if (l->n < 2 || last->text.len != 5 || !all(last->text, is_of_pod))
        return;
    last->is = PART_MADE;
    if (l->n > 2 && last[-1].text.len >= 8 && last[-1].text.len <= 10 &&
        all(last[-1].text, is_of_pod))
        last[-1].is = PART_MADE;
}

static unsigned turns(struct bytes text)
{
    unsigned n = 0;

    for (size_t i = 1; i < text.len; i++)
        n += is_digit(text.at[i]) != is_digit(text.at[i - 1]);
    return n;
}

static enum part_is judge(struct bytes text)
{
    size_t digits = count(text, is_digit), letters = count(text, is_letter);

    if (text.len == 0 || digits + letters != text.len)
        return PART_KEPT;
    if (letters == 0 || (text.len >= 8 && digits > 0 && all(text, is_hex)) ||
        (text.len >= 4 && turns(text) >= 2))
        return PART_MADE;
    if (digits > 0 && turns(text) == 1 && is_digit(text.at[text.len - 1]))
        return PART_NUMBERED;
    return PART_KEPT;
}

static void mark(struct label *l)
{
    mark_uuid(l);
    mark_pod(l);
    for (unsigned i = 0; i < l->n; i++)
        if (l->parts[i].is == PART_KEPT)
            l->parts[i].is = judge(l->parts[i].text);
}

/* --- the glob ----------------------------------------------------------------- */

static void put_part(struct writer *w, const struct part *p)
{
    size_t n = p->text.len;

    if (p->is == PART_MADE) {
        put_str(w, "*");
        return;
    }
    while (p->is == PART_NUMBERED && n > 0 && is_digit(p->text.at[n - 1]))
        n--;
    put(w, bytes_head(p->text, n), true);
    if (p->is == PART_NUMBERED)
        put_str(w, "[0-9]*");
}

static void put_label(struct writer *w, const struct label *l)
{
    for (unsigned i = 0; i < l->n; i++) {
        const struct part *p = &l->parts[i];

        if (i > 0 && p->is == PART_MADE && p[-1].is == PART_MADE)
            continue; /* one star stands for both */
        if (i > 0)
            put(w, bytes_of(p->text.at - 1, 1), true);
        put_part(w, p);
    }
}

static bool holds_name(const struct label *l)
{
    for (unsigned i = 0; i < l->n; i++)
        if (l->parts[i].is != PART_MADE && count(l->parts[i].text, is_letter) > 0)
            return true;
    return false;
}

static bool holds_made(const struct label *l)
{
    for (unsigned i = 0; i < l->n; i++)
        if (l->parts[i].is != PART_KEPT)
            return true;
    return false;
}

static bool is_uuid(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23 ? text.at[i] != '-' : !is_hex(text.at[i]))
            return false;
    return text.len == 36;
}

/* What is generated as a whole, and has a form of its own. */
static bool put_form(struct writer *w, struct bytes label)
{
    if (label.len == 12 && all(label, is_hex)) {
        for (unsigned i = 0; i < 12; i++)
            put_str(w, "[0-9a-f]");
        return true;
    }
    if (label.len != 36)
        return false;
    for (size_t i = 0; i < label.len; i++)
        put_str(w, label.at[i] == '-' ? "-" : "[0-9a-f]");
    return true;
}

void learn_queue(struct bytes name, char to[SHAPE_ROOM])
{
    struct writer w = {to, to + SHAPE_ROOM, false};
    struct bytes rest = name;

    to[0] = '\0';
    while (rest.len > 0) {
        bool made = is_uuid(bytes_head(rest, 36));
        struct bytes part = bytes_cut(&rest, made ? 36 : 1);

        if (made)
            put_form(&w, part);
        else
            put(&w, part, true);
    }
    if (w.full)
        learn_escape(name, to);
}

static bool is_generic(const struct label *l)
{
    return l->n > 1 && bytes_eq(l->parts[0].text, "ip") && l->parts[1].is == PART_MADE;
}

static enum shape shape_label(struct writer *w, struct bytes label)
{
    struct label l;

    if (!split(label, &l)) {
        put(w, label, true);
        return SHAPE_NONE;
    }
    mark(&l);
    if (!holds_made(&l)) {
        put(w, label, true);
        return SHAPE_NONE;
    }
    if (!holds_name(&l))
        return put_form(w, label) ? SHAPE_GENERIC : SHAPE_BARE;
    put_label(w, &l);
    return is_generic(&l) ? SHAPE_GENERIC : SHAPE_NAMED;
}

static size_t find(struct bytes text, uint8_t c)
{
    const uint8_t *at = text.len > 0 ? memchr(text.at, c, text.len) : NULL;

    return at ? (size_t)(at - text.at) : text.len;
}

/* "worker-3@": its own part cannot be bare, for a host follows. */
static enum shape shape_before(struct writer *w, struct bytes label)
{
    enum shape is = shape_label(w, label);

    if (is == SHAPE_BARE)
        put(w, label, true);
    put_str(w, "@");
    return is == SHAPE_BARE ? SHAPE_NONE : is;
}

enum shape learn_shape(struct bytes name, char to[SHAPE_ROOM])
{
    struct writer w = {to, to + SHAPE_ROOM, false};
    struct bytes rest = name;
    size_t at = find(name, '@');
    enum shape before = SHAPE_NONE, host;

    to[0] = '\0';
    if (at < name.len) {
        before = shape_before(&w, bytes_cut(&rest, at));
        bytes_cut(&rest, 1);
    }
    host = shape_label(&w, bytes_cut(&rest, find(rest, '.')));
    put(&w, rest, true);
    if (host == SHAPE_BARE || w.full) {
        learn_escape(name, to);
        return w.full ? SHAPE_NONE : SHAPE_BARE;
    }
    return host != SHAPE_NONE ? host : before;
}
