/* dissectors/amqp/channel.c - the names of channels. */
#include "dissectors/amqp/channel.h"

#include <stdlib.h>

enum { ENTRY = 3, STEP = 64 };

/* Room for `want` elements of `size` bytes in a block that the budget pays for. */
static bool grow(void **block, size_t have, size_t want, size_t size, struct budget *budget)
{
    size_t more = (want - have) * size;

    if (budget && (budget->used > budget->limit || more > budget->limit - budget->used))
        return false;
    void *bigger = realloc(*block, want * size);
    if (!bigger)
        return false;
    *block = bigger;
    if (budget)
        budget->used += more;
    return true;
}

static void give_back(void *block, size_t bytes, struct budget *budget)
{
    free(block);
    if (budget)
        budget->used -= bytes;
}

struct amqp_channel *amqp_channel_find(struct amqp_channels *all, uint16_t number)
{
    if (all->last < all->n && all->at[all->last].number == number)
        return &all->at[all->last];
    for (uint16_t i = 0; i < all->n; i++)
        if (all->at[i].number == number) {
            all->last = i;
            return &all->at[i];
        }
    return NULL;
}

struct amqp_channel *amqp_channel_get(struct amqp_channels *all, uint16_t number, unsigned max_open,
                                      struct budget *budget)
{
    struct amqp_channel *c = amqp_channel_find(all, number);
    void *block = all->at;
    uint16_t more = (uint16_t)(all->cap < 2 ? 2 : all->cap * 2);

    if (c || all->n >= max_open || all->n > UINT16_MAX / 4)
        return c;
    if (all->n == all->cap) {
        if (!grow(&block, all->cap, more, sizeof *all->at, budget))
            return NULL;
        all->at = block;
        all->cap = more;
    }
    c = &all->at[all->n++];
    *c = (struct amqp_channel){.number = number};
    return c;
}

void amqp_channel_reset(struct amqp_channels *all, uint16_t number, struct budget *budget)
{
    struct amqp_channel *c = amqp_channel_find(all, number);

    if (!c)
        return;
    give_back(c->at, c->cap, budget);
    *c = all->at[--all->n];
}

void amqp_channels_free(struct amqp_channels *all, struct budget *budget)
{
    for (uint16_t i = 0; i < all->n; i++)
        give_back(all->at[i].at, all->at[i].cap, budget);
    give_back(all->at, all->cap * sizeof *all->at, budget);
    *all = (struct amqp_channels){0};
}

static size_t entry_len(const uint8_t *e)
{
    return (size_t)ENTRY + e[1] + e[2];
}

static bool matches(const uint8_t *e, enum amqp_name kind, struct bytes first)
{
    return e[0] == kind &&
           (!first.at ||
            (e[1] == first.len && (first.len == 0 || memcmp(e + ENTRY, first.at, first.len) == 0)));
}

/* Offset of the entry, or c->used. */
static size_t locate(const struct amqp_channel *c, enum amqp_name kind, struct bytes first)
{
    size_t i = 0;

    while (i < c->used && !matches(c->at + i, kind, first))
        i += entry_len(c->at + i);
    return i;
}

struct bytes amqp_name_find(const struct amqp_channel *c, enum amqp_name kind, struct bytes first)
{
    size_t i = c ? locate(c, kind, first) : 0;

    if (!c || i == c->used)
        return (struct bytes){0};
    return bytes_of(c->at + i + ENTRY + c->at[i + 1], c->at[i + 2]);
}

static void cut_out(struct amqp_channel *c, size_t i)
{
    size_t n = entry_len(c->at + i);

    memmove(c->at + i, c->at + i + n, c->used - i - n);
    c->used = (uint16_t)(c->used - n);
}

void amqp_name_drop(struct amqp_channel *c, enum amqp_name kind, struct bytes first)
{
    size_t i = locate(c, kind, first);

    if (i < c->used)
        cut_out(c, i);
    else if (kind == NAME_GET && c->gets_untold > 0)
        c->gets_untold--;
}

/* Not remembered: then neither are the gets behind it, until all are answered. */
static void untold(struct amqp_channel *c, enum amqp_name kind)
{
    if (kind == NAME_GET && c->gets_untold < UINT16_MAX)
        c->gets_untold++;
}

static bool make_room(struct amqp_channel *c, size_t n, struct budget *budget)
{
    size_t want = (c->used + n + STEP - 1) / STEP * STEP;
    void *block = c->at;

    if (c->used + n > AMQP_NAMES_MAX)
        return false;
    if (c->used + n <= c->cap)
        return true;
    if (!grow(&block, c->cap, want, 1, budget))
        return false;
    c->at = block;
    c->cap = (uint16_t)want;
    return true;
}

void amqp_name_add(struct amqp_channel *c, enum amqp_name kind, struct bytes first,
                   struct bytes second, struct budget *budget)
{
    size_t n = ENTRY + first.len + second.len;

    c->pending |= kind == NAME_UNTAGGED || kind == NAME_GET;
    if (kind == NAME_QUEUE || kind == NAME_CONSUMER)
        amqp_name_drop(c, kind, first.at ? first : bytes_of("", 0));
    if (first.len > UINT8_MAX || second.len > UINT8_MAX || (kind == NAME_GET && c->gets_untold) ||
        !make_room(c, n, budget)) {
        untold(c, kind);
        return;
    }
    uint8_t *e = c->at + c->used;
    e[0] = (uint8_t)kind;
    e[1] = (uint8_t)first.len;
    e[2] = (uint8_t)second.len;
    if (first.len > 0)
        memcpy(e + ENTRY, first.at, first.len);
    if (second.len > 0)
        memcpy(e + ENTRY + first.len, second.at, second.len);
    c->used = (uint16_t)(c->used + n);
}

void amqp_name_tag(struct amqp_channel *c, struct bytes tag, struct budget *budget)
{
    uint8_t copy[UINT8_MAX];
    struct bytes queue = amqp_name_find(c, NAME_UNTAGGED, (struct bytes){0});

    if (!queue.at)
        return;
    memcpy(copy, queue.at, queue.len);
    amqp_name_drop(c, NAME_UNTAGGED, (struct bytes){0});
    amqp_name_add(c, NAME_CONSUMER, tag, bytes_of(copy, queue.len), budget);
}

/* Drops what waits for an answer, in one pass. */
static void drop_pending(struct amqp_channel *c)
{
    size_t to = 0, n;

    for (size_t i = 0; i < c->used; i += n) {
        n = entry_len(c->at + i);
        if (c->at[i] == NAME_UNTAGGED || c->at[i] == NAME_GET)
            continue;
        memmove(c->at + to, c->at + i, n);
        to += n;
    }
    c->used = (uint16_t)to;
    c->gets_untold = 0;
    c->pending = false;
}

void amqp_channels_lost(struct amqp_channels *all)
{
    for (uint16_t i = 0; i < all->n; i++)
        if (all->at[i].pending)
            drop_pending(&all->at[i]);
}
