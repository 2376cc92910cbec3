/* net/tcp_pool.c - see tcp_pool.h. Blocks are powers of two; a freed one is the
 * first to be used again, while it is still in the cache. */
#include "net/tcp_pool.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/limits.h"

enum { SPARE_MAX = 1 << 20 };

struct tcp_pool *tcp_pool_new(const struct tcp_conf *conf, struct tally *tally)
{
    struct tcp_pool *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->per_shard = (conf->max_parked ? conf->max_parked : LIMIT_PARKED_TOTAL) / POOL_SHARDS;
    p->per_dir = conf->max_per_dir ? conf->max_per_dir : LIMIT_PARKED_PER_DIR;
    p->compares = !conf->no_conflicts;
    p->tally = tally;
    if (getrandom(p->secret, sizeof p->secret, GRND_NONBLOCK) != (ssize_t)sizeof p->secret)
        for (size_t i = 0; i < sizeof p->secret;
             i++) /* moves no result, only what an attacker knows */
            p->secret[i] = (uint8_t)(i * 167 + 29);
    return p;
}

void tcp_pool_free(struct tcp_pool *p)
{
    if (!p)
        return;
    for (unsigned i = 0; i < POOL_CLASSES; i++) {
        for (struct spare *s = p->spare[i], *next; s; s = next) {
            next = s->next;
            free(s);
        }
    }
    free(p);
}

/* POOL_CLASSES: larger than any class. */
static unsigned class_of(size_t size)
{
    if (size <= POOL_CLASS_MIN)
        return 0;
    unsigned bits = 64u - (unsigned)__builtin_clzll((unsigned long long)size - 1);
    return bits < POOL_CLASSES + 6 ? bits - 6 : POOL_CLASSES;
}
_Static_assert(POOL_CLASS_MIN == 1 << 6, "class_of() counts bits above 6");

void *pool_take(struct tcp_pool *p, unsigned shard, size_t *size)
{
    unsigned class = class_of(*size);
    if (class < POOL_CLASSES)
        *size = (size_t)POOL_CLASS_MIN << class;
    if (*size > p->per_shard || p->used[shard] > p->per_shard - *size)
        return NULL;
    struct spare *s = class < POOL_CLASSES ? p->spare[class] : NULL;
    if (s) {
        p->spare[class] = s->next;
        p->spare_bytes -= *size;
    } else {
        s = malloc(*size);
        if (!s)
            return NULL;
    }
    p->used[shard] += *size;
    return s;
}

void pool_give(struct tcp_pool *p, unsigned shard, void *at, size_t size)
{
    unsigned class = class_of(size);
    struct spare *s = at;
    p->used[shard] -= size;
    if (class == POOL_CLASSES || p->spare_bytes + size > SPARE_MAX) {
        free(s);
        return;
    }
    p->spare_bytes += size;
    s->next = p->spare[class];
    p->spare[class] = s;
}

struct tcp_segment *segment_new(struct tcp_pool *p, unsigned shard, uint32_t seq, struct bytes data,
                                uint32_t missing)
{
    size_t size = sizeof(struct tcp_segment) + data.len;
    struct tcp_segment *s = pool_take(p, shard, &size);
    if (!s)
        return NULL;
    *s = (struct tcp_segment){.seq = seq, .missing = missing};
    s->len = (uint32_t)data.len;
    s->size = (uint32_t)size;
    if (data.len > 0)
        memcpy(s->data, data.at, data.len);
    return s;
}

void segment_free(struct tcp_pool *p, unsigned shard, struct tcp_segment *s)
{
    pool_give(p, shard, s, s->size);
}

void segment_free_all(struct tcp_pool *p, unsigned shard, struct tcp_segment **list)
{
    while (*list) {
        struct tcp_segment *s = *list;
        *list = s->next;
        segment_free(p, shard, s);
    }
}

bool segment_differs(const struct tcp_segment *s, uint32_t seq, struct bytes data, uint32_t *at,
                     uint32_t *n)
{
    struct bytes mine = bytes_of(s->data, s->len);
    int32_t ahead = seq_diff(seq, s->seq);
    if (ahead >= 0)
        (void)bytes_cut(&mine, (size_t)ahead);
    else
        (void)bytes_cut(&data, (size_t) - (int64_t)ahead);
    size_t both = mine.len < data.len ? mine.len : data.len;
    if (both == 0 || memcmp(mine.at, data.at, both) == 0)
        return false;
    size_t i = 0;
    while (mine.at[i] == data.at[i])
        i++;
    *at = (ahead >= 0 ? seq : s->seq) + (uint32_t)i;
    *n = (uint32_t)(both - i);
    return true;
}

bool tcp_conflict(const struct tcp_pool *p, struct tcp_conflict *out)
{
    if (p->has_conflict)
        *out = p->conflict;
    return p->has_conflict;
}
