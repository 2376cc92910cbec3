/* base/keep.c - see keep.h. The block doubles, so that a body fed in small
 * pieces costs a copy or two a byte, and never grows ahead of what came in. */
#include "base/keep.h"

#include <stdlib.h>

enum { KEEP_FIRST = 256 };

void keep_init(struct keep *k, size_t limit, struct budget *budget)
{
    *k = (struct keep){.limit = limit, .budget = budget};
}

static size_t budget_left(const struct budget *b)
{
    if (!b)
        return SIZE_MAX;
    return b->used < b->limit ? b->limit - b->used : 0;
}

static size_t next_cap(const struct keep *k, size_t need)
{
    size_t cap = k->cap > 0 ? k->cap : KEEP_FIRST;
    while (cap < need && cap <= SIZE_MAX / 2)
        cap *= 2;
    return cap < k->limit ? cap : k->limit;
}

/* Makes room for `need` bytes in all, or for as many as the budget allows. `all`: there will be no
 * more than that. */
static void grow(struct keep *k, size_t need, bool all)
{
    size_t most = budget_left(k->budget);
    most = most < SIZE_MAX - k->cap ? k->cap + most : SIZE_MAX;
    size_t cap = all && need > KEEP_FIRST && need < k->limit ? need : next_cap(k, need);
    if (cap > most)
        cap = most;
    if (cap <= k->cap)
        return;
    uint8_t *data = realloc(k->data, cap);
    if (!data)
        return;
    if (k->budget)
        k->budget->used += cap - k->cap;
    k->data = data;
    k->cap = cap;
}

void keep_add(struct keep *k, struct bytes in)
{
    size_t n = 0;
    /* What follows a dropped byte is dropped too: the head has no holes. */
    if (k->dropped == 0) {
        size_t room = k->limit - k->len;
        n = in.len < room ? in.len : room;
        if (n > k->cap - k->len)
            grow(k, k->len + n, false);
        if (n > k->cap - k->len)
            n = k->cap - k->len;
    }
    if (n > 0)
        memcpy(k->data + k->len, in.at, n);
    k->len += n;
    k->dropped += in.len - n;
}

void keep_add_of(struct keep *k, struct bytes in, uint64_t total)
{
    size_t need = k->len + in.len, ahead = need <= SIZE_MAX / 4 ? need * 4 : need;

    if (k->dropped == 0 && need > k->cap && total > need)
        grow(k, total < ahead ? (size_t)total : ahead, total < ahead);
    keep_add(k, in);
}

struct bytes keep_view(const struct keep *k)
{
    return bytes_of(k->data, k->len);
}

void keep_clear(struct keep *k)
{
    if (k->cap > KEEP_FIRST)
        keep_free(k);
    k->len = 0;
    k->dropped = 0;
}

void keep_free(struct keep *k)
{
    free(k->data);
    if (k->budget)
        k->budget->used -= k->cap;
    k->data = NULL;
    k->len = k->cap = 0;
    k->dropped = 0;
}
