/* signatures/learn_lists.c - see learn_lists.h. */
#include "signatures/learn_lists.h"

#include <stdlib.h>

#include "signatures/glob.h"
#include "signatures/learn_shape.h"

/* The bytes that a lead byte asks for; 0: it is none. */
static size_t utf8_len(uint8_t c)
{
    return c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
}

/* Neither overlong nor a surrogate, nor what cannot be seen: controls, zero width, bidirectional.
 */
static bool is_shown(struct bytes s, size_t n)
{
    uint8_t a = s.at[0], b = n > 1 ? s.at[1] : 0, c = n > 2 ? s.at[2] : 0;

    if (n == 2)
        return a != 0xc2 || b >= 0xa0;
    if (n == 4)
        return !(a == 0xf0 && b < 0x90) && !(a == 0xf4 && b > 0x8f);
    if (n == 3 && a == 0xe2 && b == 0x80)
        return !(c >= 0x8b && c <= 0x8f) && !(c >= 0xa8 && c <= 0xae);
    if (n == 3 && a == 0xef)
        return !(b == 0xbb && c == 0xbf) && !(b == 0xbf && c >= 0xbe);
    return n < 3 || !((a == 0xe0 && b < 0xa0) || (a == 0xed && b >= 0xa0) ||
                      (a == 0xe2 && b == 0x81 && c >= 0xa0));
}

bool text_is_printable(struct bytes s)
{
    if (s.len > LEARN_TEXT_MAX)
        return false;
    while (s.len > 0) {
        size_t n = utf8_len(s.at[0]);

        if (n == 0 || n > s.len || s.at[0] < 0x20 || s.at[0] == 0x7f)
            return false;
        for (size_t i = 1; i < n; i++)
            if ((s.at[i] & 0xc0) != 0x80)
                return false;
        if (!is_shown(s, n))
            return false;
        bytes_cut(&s, n);
    }
    return true;
}

bool texts_add(struct text_list *l, const char *text)
{
    char **more = realloc(l->at, (l->n + 1) * sizeof *more);

    if (!more)
        return false;
    l->at = more;
    more[l->n] = strdup(text);
    return more[l->n] && ++l->n > 0;
}

bool texts_have(const struct text_list *l, const char *text)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->at[i], text) == 0)
            return true;
    return false;
}

bool texts_copy(struct text_list *to, const struct text_list *from)
{
    for (size_t i = 0; i < from->n; i++)
        if (!texts_add(to, from->at[i]))
            return false;
    return true;
}

void texts_free(struct text_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->at[i]);
    free(l->at);
    *l = (struct text_list){0};
}

static int order(const void *x, const void *y)
{
    return strcmp(*(char *const *)x, *(char *const *)y);
}

static bool is_glob(const char *text)
{
    char copy[SHAPE_ROOM];

    if (strlen(text) >= sizeof copy)
        return !glob_is_literal(text);
    memcpy(copy, text, strlen(text) + 1);
    return !learn_unescape(copy);
}

/* By another entry of the list that is a glob. */
static bool is_covered(const struct text_list *l, const size_t *globs, size_t n, size_t i)
{
    char name[SHAPE_ROOM];

    if (strlen(l->at[i]) >= sizeof name)
        return false;
    memcpy(name, l->at[i], strlen(l->at[i]) + 1);
    if (!learn_unescape(name))
        return false;
    for (size_t k = 0; k < n; k++)
        if (glob_match(l->at[globs[k]], bytes_of(name, strlen(name))))
            return true;
    return false;
}

static void drop_covered(struct text_list *l)
{
    size_t *globs = malloc(l->n * sizeof *globs + 1), n = 0, kept = 0;
    bool *gone = calloc(l->n + 1, 1);

    for (size_t i = 0; globs && i < l->n; i++)
        if (is_glob(l->at[i]))
            globs[n++] = i;
    for (size_t i = 0; globs && gone && i < l->n; i++)
        gone[i] = is_covered(l, globs, n, i);
    for (size_t i = 0; gone && i < l->n; i++) {
        if (gone[i])
            free(l->at[i]);
        else
            l->at[kept++] = l->at[i];
    }
    if (gone)
        l->n = kept;
    free(globs);
    free(gone);
}

static void drop_twins(struct text_list *l)
{
    size_t kept = 0;

    for (size_t i = 0; i < l->n; i++) {
        if (kept > 0 && strcmp(l->at[kept - 1], l->at[i]) == 0)
            free(l->at[i]);
        else
            l->at[kept++] = l->at[i];
    }
    l->n = kept;
}

void texts_tidy(struct text_list *l)
{
    if (l->n == 0)
        return;
    qsort(l->at, l->n, sizeof *l->at, order);
    drop_twins(l);
    drop_covered(l);
}

/* Turns all names for which `of` gives a glob into that glob, where more than `after` have it. */
typedef bool glob_of_fn(const char *name, unsigned depth, char to[SHAPE_ROOM]);

static bool replace_by(struct text_list *l, glob_of_fn *of, unsigned depth, unsigned after)
{
    struct text_list globs = {0};
    bool any = false;

    for (size_t i = 0; i < l->n; i++) {
        char glob[SHAPE_ROOM];

        if (!is_glob(l->at[i]) && of(l->at[i], depth, glob) && !texts_add(&globs, glob))
            break;
    }
    if (globs.n > 0)
        qsort(globs.at, globs.n, sizeof *globs.at, order);
    for (size_t i = 0, n = 1; i < globs.n; i++, n++) {
        bool last = i + 1 == globs.n || strcmp(globs.at[i], globs.at[i + 1]) != 0;

        if (last && n > after)
            any |= texts_add(l, globs.at[i]);
        if (last)
            n = 0;
    }
    texts_free(&globs);
    texts_tidy(l);
    return any;
}

static unsigned dots(const char *name)
{
    unsigned n = 0;

    for (; *name; name++)
        n += *name == '.';
    return n;
}

/* "shop.tasks.mail.send" at depth 3: "shop.tasks.mail.*". */
static bool module_of(const char *name, unsigned depth, char to[SHAPE_ROOM])
{
    size_t n = 0;

    if (dots(name) < depth || strncmp(name, "celery.", 7) == 0 || strlen(name) + 2 > SHAPE_ROOM)
        return false;
    for (unsigned seen = 0; seen < depth; n++)
        seen += name[n] == '.';
    memcpy(to, name, n);
    memcpy(to + n, "*", 2);
    return true;
}

static bool shape_of(const char *name, unsigned depth, char to[SHAPE_ROOM])
{
    char raw[SHAPE_ROOM];
    enum shape is;

    (void)depth;
    if (strlen(name) >= sizeof raw)
        return false;
    memcpy(raw, name, strlen(name) + 1);
    if (!learn_unescape(raw) || strlen(raw) > 255)
        return false;
    is = learn_shape(bytes_of(raw, strlen(raw)), to);
    return is == SHAPE_NAMED || is == SHAPE_GENERIC;
}

void texts_by_module(struct text_list *l, unsigned glob_after)
{
    unsigned depth = 0;

    texts_tidy(l);
    for (size_t i = 0; i < l->n; i++)
        depth = dots(l->at[i]) > depth ? dots(l->at[i]) : depth;
    for (; depth > 0 && l->n > LEARN_TASKS_LISTED; depth--)
        replace_by(l, module_of, depth, glob_after);
}

void texts_by_shape(struct text_list *l, unsigned glob_after)
{
    texts_tidy(l);
    replace_by(l, shape_of, 0, glob_after);
}
