/* dissectors/field.c - the table of fields, and packed lists of texts. */
#include "dissectors/field.h"

#include <stdint.h>

const struct field_def field_defs[F_COUNT] = {
#define FIELD_ROW(id, path, type) [F_##id] = {path, FIELD_##type},
    FIELD_LIST_OF(FIELD_ROW)
#undef FIELD_ROW
};

/* Room is taken in powers of two of the used length, so that a list that grows
 * to n bytes copies at most n. */
static size_t room(size_t used)
{
    size_t n = 64;

    while (n < used)
        n *= 2;
    return used == 0 ? 0 : n;
}

bool list_add(struct arena *arena, struct bytes *list, struct bytes item)
{
    uint32_t len = (uint32_t)item.len;
    size_t need = list->len + sizeof len + item.len;
    uint8_t *to;

    if (item.len > UINT32_MAX)
        return false;
    if (need > room(list->len)) {
        to = arena_raw(arena, room(need));
        if (!to)
            return false;
        if (list->len > 0)
            memcpy(to, list->at, list->len);
        list->at = to;
    }
    to = (uint8_t *)(uintptr_t)list->at + list->len;
    memcpy(to, &len, sizeof len);
    if (item.len > 0)
        memcpy(to + sizeof len, item.at, item.len);
    list->len = need;
    return true;
}

bool list_next(struct bytes *list, struct bytes *item)
{
    uint32_t len;

    if (list->len < sizeof len)
        return false;
    memcpy(&len, list->at, sizeof len);
    bytes_cut(list, sizeof len);
    *item = bytes_cut(list, len);
    return true;
}
