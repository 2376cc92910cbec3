/* net/defrag.c - see defrag.h. A datagram in the making is a sorted list of
 * pieces that do not overlap; it is whole when their lengths add up to the end
 * that its last fragment told. All datagrams hang in a hash table and in a list by
 * age, from whose old end memory is taken back. */
#include "net/defrag.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/hash.h"
#include "base/limits.h"

enum { BUCKETS = 1024, PIECES_MAX = 1024, DATAGRAM_MAX = 65535 };
enum { IPV4_HEAD = 20, IPV4_HEAD_MAX = 60, IPV6_HEAD = 40 };

struct key {
    uint8_t src[16], dst[16];
    uint32_t network, id;
    uint8_t family, ip_proto; /* the protocol is part of IPv4's identity only */
    uint8_t unused[6];
};

struct piece {
    struct piece *next;
    uint32_t offset, len;
    uint8_t data[];
};

struct datagram {
    struct datagram *chain, *older, *newer;
    struct key key;
    int64_t first_ns;
    struct piece *pieces, *last;
    size_t charged;
    uint32_t piece_n, have, total; /* total 0: the last fragment is still to come */
    uint8_t head[IPV4_HEAD_MAX], head_len, ip_proto;
    bool conflict;
};

struct defrag {
    struct datagram *bucket[BUCKETS], *oldest, *newest;
    size_t used, max_bytes;
    int64_t max_age_ns, now;
    bool ticked;
    uint64_t seed; /* moves nothing but places in the table */
    struct tally *tally;
    uint8_t whole[IPV4_HEAD_MAX + DATAGRAM_MAX];
};

struct defrag *defrag_new(const struct defrag_conf *conf, struct tally *tally)
{
    struct defrag *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->max_bytes = conf->max_bytes ? conf->max_bytes : LIMIT_FRAG_BYTES;
    d->max_age_ns = conf->max_age_ns ? conf->max_age_ns : LIMIT_FRAG_AGE_S * INT64_C(1000000000);
    d->tally = tally;
    if (getrandom(&d->seed, sizeof d->seed, GRND_NONBLOCK) < 0)
        d->seed = 0;
    return d;
}

static struct datagram **bucket_of(struct defrag *d, const struct key *key)
{
    return &d->bucket[hash_bytes(bytes_of(key, sizeof *key), d->seed) % BUCKETS];
}

static void unlink_age(struct defrag *d, struct datagram *g)
{
    *(g->older ? &g->older->newer : &d->oldest) = g->newer;
    *(g->newer ? &g->newer->older : &d->newest) = g->older;
}

static void release(struct datagram *g)
{
    for (struct piece *p = g->pieces, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    free(g);
}

static void forget(struct defrag *d, struct datagram *g)
{
    struct datagram **at = bucket_of(d, &g->key);
    while (*at != g)
        at = &(*at)->chain;
    *at = g->chain;
    unlink_age(d, g);
    d->used -= g->charged;
    release(g);
}

static void expire(struct defrag *d, int64_t now)
{
    while (d->oldest && now - d->oldest->first_ns > d->max_age_ns) {
        tally_add(d->tally, TALLY_frag_expired, 1);
        forget(d, d->oldest);
    }
}

/* Room for n more bytes; false: only at the cost of `keep` itself, which is
 * then gone, or not at all. */
static bool make_room(struct defrag *d, size_t n, const struct datagram *keep)
{
    if (n > d->max_bytes)
        return false;
    while (d->oldest && d->used > d->max_bytes - n) {
        bool mine = d->oldest == keep;
        tally_add(d->tally, TALLY_frag_dropped, d->oldest->piece_n);
        forget(d, d->oldest);
        if (mine)
            return false;
    }
    return true;
}

static struct key key_of(const struct packet *p)
{
    struct key key = {.network = p->network, .id = p->frag.id, .family = p->src.family};
    memcpy(key.src, p->src.ip, sizeof key.src);
    memcpy(key.dst, p->dst.ip, sizeof key.dst);
    if (key.family == 4)
        key.ip_proto = p->ip_proto;
    return key;
}

static struct datagram *datagram_new(struct defrag *d, const struct key *key, int64_t now)
{
    struct datagram *g = make_room(d, sizeof *g, NULL) ? calloc(1, sizeof *g) : NULL;
    if (!g)
        return NULL;
    struct datagram **at = bucket_of(d, key);
    *g = (struct datagram){.chain = *at, .older = d->newest, .key = *key, .first_ns = now};
    g->charged = sizeof *g;
    d->used += g->charged;
    *at = g;
    *(d->newest ? &d->newest->newer : &d->oldest) = g;
    d->newest = g;
    return g;
}

static struct datagram *find(struct defrag *d, const struct packet *p, int64_t now)
{
    struct key key = key_of(p);
    struct datagram *g = *bucket_of(d, &key);
    while (g && memcmp(&g->key, &key, sizeof key) != 0)
        g = g->chain;
    return g ? g : datagram_new(d, &key, now);
}

/* A piece behind `after` (NULL: first). false: the datagram is gone. */
static bool insert(struct defrag *d, struct datagram *g, struct piece **after, uint32_t offset,
                   struct bytes data)
{
    size_t size = sizeof(struct piece) + data.len;
    if (!make_room(d, size, g))
        return false;
    struct piece *p = g->piece_n < PIECES_MAX ? malloc(size) : NULL;
    if (!p) {
        tally_add(d->tally, TALLY_frag_dropped, g->piece_n + 1);
        forget(d, g);
        return false;
    }
    struct piece **link = *after ? &(*after)->next : &g->pieces;
    *p = (struct piece){.next = *link, .offset = offset, .len = (uint32_t)data.len};
    memcpy(p->data, data.at, data.len);
    *link = p;
    *after = p;
    if (!p->next)
        g->last = p;
    g->piece_n++;
    g->have += p->len;
    g->charged += size;
    d->used += size;
    return true;
}

static void differs(struct defrag *d, struct datagram *g)
{
    g->conflict = true;
    tally_add(d->tally, TALLY_frag_overlap, 1);
}

/* The front of `data`, at `at`, that lies on `p`: compared and taken off. */
static void compare(struct defrag *d, struct datagram *g, const struct piece *p, uint32_t *at,
                    struct bytes *data)
{
    uint32_t from = *at - p->offset;
    struct bytes mine = bytes_of(p->data, p->len), over = bytes_cut(data, p->len - from);
    (void)bytes_cut(&mine, from);
    if (memcmp(mine.at, over.at, over.len) != 0)
        differs(d, g);
    *at += (uint32_t)over.len;
}

/* Puts in what is not there yet. false: the datagram is gone. */
static bool merge(struct defrag *d, struct datagram *g, uint32_t at, struct bytes data)
{
    bool behind_all = g->last && at >= g->last->offset + g->last->len;
    struct piece *before = behind_all ? g->last : NULL;
    while (data.len > 0) {
        struct piece *next = before ? before->next : g->pieces;
        if (next && next->offset <= at) {
            if (at < next->offset + next->len)
                compare(d, g, next, &at, &data);
            before = next;
            continue;
        }
        size_t room = next ? next->offset - at : data.len;
        struct bytes hole = bytes_cut(&data, room);
        if (!insert(d, g, &before, at, hole))
            return false;
        at += (uint32_t)hole.len;
    }
    return true;
}

/* Does the end that this fragment tells agree with all that is known? */
static bool end_fits(const struct datagram *g, const struct packet *f)
{
    uint32_t end = f->frag.offset + (uint32_t)f->payload.len;
    if (g->total > 0)
        return f->frag.more ? end <= g->total : end == g->total;
    return f->frag.more || !g->last || g->last->offset + g->last->len <= end;
}

static void keep_head(struct datagram *g, const struct packet *f)
{
    size_t n = f->src.family == 4 ? (size_t)(f->l3.len - f->payload.len) : IPV6_HEAD;
    if (g->head_len > 0 || n > sizeof g->head || n > f->l3.len)
        return;
    memcpy(g->head, f->l3.at, n);
    g->head_len = (uint8_t)n;
    g->ip_proto = f->ip_proto;
}

static void put16(uint8_t *at, size_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

/* The header of a datagram that never was in fragments. */
static void mend_ipv4(uint8_t *head, size_t head_len, size_t total)
{
    uint32_t sum = 0;
    put16(head + 2, head_len + total);
    put16(head + 6, 0);
    put16(head + 10, 0);
    for (size_t i = 0; i < head_len; i += 2)
        sum += be16_at(bytes_of(head, head_len), i);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    put16(head + 10, ~sum & 0xffff);
}

static void mend_ipv6(uint8_t *head, uint8_t ip_proto, size_t total)
{
    put16(head + 4, total);
    head[6] = ip_proto; /* the extension headers before the fragment header are left out */
}

static struct bytes put_together(struct defrag *d, const struct datagram *g)
{
    memcpy(d->whole, g->head, g->head_len);
    size_t at = g->head_len;
    for (const struct piece *p = g->pieces; p; p = p->next) {
        memcpy(d->whole + at, p->data, p->len);
        at += p->len;
    }
    if (g->key.family == 4)
        mend_ipv4(d->whole, g->head_len, g->total);
    else
        mend_ipv6(d->whole, g->ip_proto, g->total);
    return bytes_of(d->whole, at);
}

/* Can it be a fragment at all? All but the last are multiples of 8 long. */
static bool acceptable(const struct packet *f)
{
    size_t n = f->payload.len;
    if (f->cut || n == 0 || (f->frag.more && n % 8 != 0))
        return false;
    size_t head = f->src.family == 4 ? f->l3.len - n : 0;
    return head + f->frag.offset + n <= DATAGRAM_MAX;
}

bool defrag_add(struct defrag *d, struct packet *frag, struct bytes *whole)
{
    int64_t now = d->ticked ? d->now : frag->at.ns;
    tally_add(d->tally, TALLY_frag_seen, 1);
    expire(d, now);
    struct datagram *g = acceptable(frag) ? find(d, frag, now) : NULL;
    if (!g) {
        tally_add(d->tally, TALLY_frag_dropped, 1);
        return false;
    }
    if (!end_fits(g, frag)) {
        differs(d, g);
        tally_add(d->tally, TALLY_frag_dropped, 1);
        return false;
    }
    if (!frag->frag.more)
        g->total = frag->frag.offset + (uint32_t)frag->payload.len;
    if (frag->frag.offset == 0)
        keep_head(g, frag);
    if (!merge(d, g, frag->frag.offset, frag->payload))
        return false;
    if (g->total == 0 || g->have != g->total)
        return false;
    /* The first fragment may have had a longer header than the others. */
    bool fits = g->key.family == 6 || g->head_len + g->total <= DATAGRAM_MAX;
    if (fits)
        *whole = put_together(d, g);
    frag->frag.conflict = g->conflict;
    tally_add(d->tally, fits ? TALLY_frag_whole : TALLY_frag_dropped, 1);
    forget(d, g);
    return fits;
}

void defrag_tick(struct defrag *d, struct stamp now)
{
    d->ticked = true;
    d->now = now.ns;
    expire(d, now.ns);
}

void defrag_free(struct defrag *d)
{
    if (!d)
        return;
    for (struct datagram *g = d->oldest, *next; g; g = next) {
        next = g->newer;
        release(g);
    }
    free(d);
}
