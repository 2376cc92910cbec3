/* signatures/learn_label.c - see learn_label.h. */
#include "signatures/learn_label.h"

bool label_is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A small one. */
static bool is_hex(uint8_t c)
{
    return label_is_digit(c) || (c >= 'a' && c <= 'f');
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

size_t label_count(struct bytes text, bool (*is)(uint8_t c))
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += is(text.at[i]);
    return n;
}

bool label_all(struct bytes text, bool (*is)(uint8_t c))
{
    return text.len > 0 && label_count(text, is) == text.len;
}

bool label_is_uuid(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23 ? text.at[i] != '-' : !is_hex(text.at[i]))
            return false;
    return text.len == 36;
}

/* The id of a container or a machine: 12 digits, or more with a letter among them. */
bool label_is_id(struct bytes text)
{
    return text.len >= 12 && text.len <= 64 && label_all(text, is_hex) &&
           (text.len == 12 || label_count(text, label_is_digit) < text.len);
}

static bool split(struct bytes label, struct label *out)
{
    out->n = 0;
    while (label.len > 0 || out->n == 0) {
        size_t n = 0;

        while (n < label.len && !is_separator(label.at[n]))
            n++;
        if (out->n == LABEL_PARTS_MAX)
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

        while (k < 5 && l->parts[i + k].text.len == lengths[k] &&
               label_all(l->parts[i + k].text, is_hex))
            k++;
        for (unsigned j = 0; k == 5 && j < 5; j++)
            l->parts[i + j].is = PART_MADE;
    }
}

/* <name>-<hash of the template>-<five random>, <name>-<five random>. */
static void mark_pod(struct label *l)
{
    struct part *last = &l->parts[l->n - 1];

    if (l->n < 2 || last->text.len != 5 || !label_all(last->text, is_of_pod))
        return;
    last->is = PART_MADE;
    if (l->n > 2 && last[-1].text.len >= 8 && last[-1].text.len <= 10 &&
        label_all(last[-1].text, is_of_pod))
        last[-1].is = PART_MADE;
}

static unsigned turns(struct bytes text)
{
    unsigned n = 0;

    for (size_t i = 1; i < text.len; i++)
        n += label_is_digit(text.at[i]) != label_is_digit(text.at[i - 1]);
    return n;
}

static enum part_is judge(struct bytes text)
{
    size_t digits = label_count(text, label_is_digit), letters = label_count(text, is_letter);

    if (text.len == 0 || digits + letters != text.len)
        return PART_KEPT;
    if (letters == 0 || (text.len >= 8 && digits > 0 && label_all(text, is_hex)) ||
        (text.len >= 4 && turns(text) >= 2))
        return PART_MADE;
    if (digits > 0 && turns(text) == 1 && label_is_digit(text.at[text.len - 1]))
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

bool label_read(struct bytes label, struct label *out)
{
    if (!split(label, out))
        return false;
    mark(out);
    return true;
}

bool label_holds_name(const struct label *l)
{
    for (unsigned i = 0; i < l->n; i++)
        if (l->parts[i].is != PART_MADE && label_count(l->parts[i].text, is_letter) > 0)
            return true;
    return false;
}

bool label_holds_made(const struct label *l)
{
    for (unsigned i = 0; i < l->n; i++)
        if (l->parts[i].is != PART_KEPT)
            return true;
    return false;
}
