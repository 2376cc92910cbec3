/* signatures/learn_shape.c - see learn_shape.h. */
#include "signatures/learn_shape.h"

#include "signatures/learn_label.h"

struct writer {
    char *at, *end;
    bool full;
};

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

static void put_part(struct writer *w, const struct part *p)
{
    size_t n = p->text.len;

    if (p->is == PART_MADE) {
        put_str(w, "*");
        return;
    }
    while (p->is == PART_NUMBERED && n > 0 && label_is_digit(p->text.at[n - 1]))
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

static void put_hex(struct writer *w, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        put_str(w, text.at[i] == '-' ? "-" : "[0-9a-f]");
}

static bool is_form(struct bytes label, const struct label *l)
{
    bool good = label_is_id(l->parts[0].text);

    for (unsigned i = 1; i < l->n; i++)
        good &= label_all(l->parts[i].text, label_is_digit);
    return good || label_is_uuid(label);
}

/* What is generated as a whole, and has a form of its own: a UUID, or an id with numbers behind. */
static bool put_form(struct writer *w, struct bytes label, const struct label *l)
{
    if (!is_form(label, l))
        return false;
    if (label_is_uuid(label)) {
        put_hex(w, label);
        return true;
    }
    put_hex(w, l->parts[0].text);
    for (unsigned i = 1; i < l->n; i++) {
        put(w, bytes_of(l->parts[i].text.at - 1, 1), true);
        put_str(w, "[0-9]*");
    }
    return true;
}

/* The address that a function has to itself, as a name: 169.254.76.1, 169-254-76-1. */
static bool is_link_local(struct bytes host)
{
    size_t n = 8;

    if (host.len < 11 ||
        (memcmp(host.at, "169.254.", n) != 0 && memcmp(host.at, "169-254-", n) != 0))
        return false;
    while (n < host.len && label_is_digit(host.at[n]))
        n++;
    return n > 8 && n < host.len && host.at[n] == host.at[3] &&
           label_all(bytes_of(host.at + n + 1, host.len - n - 1), label_is_digit);
}

void learn_queue(struct bytes name, char to[SHAPE_ROOM])
{
    struct writer w = {to, to + SHAPE_ROOM, false};
    struct bytes rest = name;

    to[0] = '\0';
    while (rest.len > 0) {
        bool made = label_is_uuid(bytes_head(rest, 36));
        struct bytes part = bytes_cut(&rest, made ? 36 : 1);

        if (made)
            put_hex(&w, part);
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

    if (!label_read(label, &l)) {
        put(w, label, true);
        return SHAPE_NONE;
    }
    if (!label_holds_made(&l)) {
        put(w, label, true);
        return SHAPE_NONE;
    }
    if (!label_holds_name(&l))
        return put_form(w, label, &l) ? SHAPE_GENERIC : SHAPE_BARE;
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

static bool is_of_task(uint8_t c)
{
    return label_is_digit(c) || (c >= 'a' && c <= 'z');
}

/* Behind the first label: the number of a dyno or of a slot, the id of a Swarm's task. */
static bool put_made(struct writer *w, struct bytes label)
{
    bool number = label_all(label, label_is_digit);
    bool task =
        label.len == 25 && label_all(label, is_of_task) && label_count(label, label_is_digit) > 0;

    if (number || task)
        put_str(w, number ? ".[0-9]*" : ".*");
    return number || task;
}

/* The rest of a host's name, from its first dot on. true: some of it is generated. */
static bool put_rest(struct writer *w, struct bytes rest)
{
    bool any = false;

    while (rest.len > 0) {
        struct bytes label = bytes_of(rest.at + 1, rest.len - 1);

        label = bytes_head(label, find(label, '.'));
        if (!put_made(w, label))
            break;
        any = true;
        bytes_cut(&rest, label.len + 1);
    }
    put(w, rest, true);
    return any;
}

static enum shape shape_host(struct writer *w, struct bytes host)
{
    enum shape is;

    if (is_link_local(host)) {
        put(w, bytes_head(host, 8), false);
        put_str(w, "*");
        return SHAPE_GENERIC;
    }
    is = shape_label(w, bytes_cut(&host, find(host, '.')));
    if (is == SHAPE_BARE)
        return is;
    return put_rest(w, host) && is == SHAPE_NONE ? SHAPE_NAMED : is;
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
    host = shape_host(&w, rest);
    if (host == SHAPE_BARE || w.full) {
        learn_escape(name, to);
        return w.full ? SHAPE_NONE : SHAPE_BARE;
    }
    return host != SHAPE_NONE ? host : before;
}
