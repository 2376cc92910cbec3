/* dissectors/apps/text.c - see text.h. */
#include "dissectors/apps/text.h"

#include <inttypes.h>
#include <stdio.h>

size_t text_find(struct bytes b, const char *what)
{
    const uint8_t *at = text_starts(b, what) ? b.at : bytes_find(b, what);

    return at ? (size_t)(at - b.at) : b.len;
}

struct bytes text_of_number(int64_t n, struct arena *arena)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRId64, n);

    return arena_copy(arena, bytes_of(digits, (size_t)len));
}

struct bytes text_of_uuid(struct bytes b, struct arena *arena)
{
    static const uint8_t dash_before[] = {8, 12, 16, 20};
    uint8_t *to = b.len == 32 ? arena_raw(arena, 36) : NULL;
    size_t n = 0, dashes = 0;

    if (!to)
        return b;
    for (size_t i = 0; i < 32; i++) {
        if (dashes < sizeof dash_before && i == dash_before[dashes]) {
            to[n++] = '-';
            dashes++;
        }
        to[n++] = b.at[i];
    }
    return bytes_of(to, n);
}

static struct bytes whole_text(const struct header *h)
{
    return h && !h->cut ? header_text(h) : (struct bytes){0};
}

static struct bytes typed(const struct header *members, struct arena *arena)
{
    const struct header *value = header_find(members, "__value__");

    if (!bytes_eq(header_text(header_find(members, "__type__")), "uuid"))
        return (struct bytes){0};
    return text_of_uuid(whole_text(header_find(header_child(value), "hex")), arena);
}

struct bytes text_of_header(const struct header *h, struct arena *arena)
{
    if (!h)
        return (struct bytes){0};
    switch (h->kind) {
    case HEADER_TEXT:
    case HEADER_BYTES: return whole_text(h);
    case HEADER_INT: return text_of_number(h->num, arena);
    case HEADER_MAP: return typed(h->child, arena);
    default: return (struct bytes){0};
    }
}
