/* support/pcap_walk.c - see pcap_walk.h. */
#include "tests/resp/support/pcap_walk.h"

#include <stdio.h>
#include <stdlib.h>

struct file {
    struct bytes all;
    bool swapped;
};

static uint32_t u32(const struct file *f, size_t at)
{
    uint32_t v = 0;

    if (at + 4 <= f->all.len)
        memcpy(&v, f->all.at + at, 4);
    return f->swapped ? __builtin_bswap32(v) : v;
}

struct segment {
    uint8_t ends[36];
    uint32_t seq;
    uint8_t flags;
    struct bytes data;
};

/* IP header at the front of c; false: no TCP. */
static bool cut_ip(struct cursor *c, struct segment *s)
{
    uint8_t first = cur_u8(c);

    memset(s->ends, 0, sizeof s->ends);
    if (first >> 4 == 4) {
        cur_take(c, 1);
        size_t total = cur_u16(c), header = (first & 15u) * 4u;
        cur_take(c, 5);
        bool tcp = cur_u8(c) == 6;
        cur_take(c, 2);
        struct bytes ends = cur_take(c, 8);
        if (!cur_ok(c) || !tcp || total < header || header < 20)
            return false;
        memcpy(s->ends, ends.at, 4);
        memcpy(s->ends + 18, ends.at + 4, 4);
        cur_take(c, header - 20);
        *c = cur_over(bytes_head(bytes_of(c->at, cur_left(c)), total - header));
        return cur_left(c) > 0;
    }
    cur_take(c, 3);
    size_t length = cur_u16(c);
    bool tcp = cur_u8(c) == 6;
    cur_take(c, 1);
    struct bytes ends = cur_take(c, 32);
    if (first >> 4 != 6 || !cur_ok(c) || !tcp)
        return false;
    memcpy(s->ends, ends.at, 16);
    memcpy(s->ends + 18, ends.at + 16, 16);
    *c = cur_over(bytes_head(bytes_of(c->at, cur_left(c)), length));
    return true;
}

static bool cut_segment(struct bytes frame, uint32_t link, struct segment *s)
{
    struct cursor c = cur_over(frame);

    if (link == 1) {
        cur_take(&c, 12);
        uint16_t type = cur_u16(&c);
        if (type == 0x8100)
            cur_take(&c, 2), type = cur_u16(&c);
        if (type != 0x0800 && type != 0x86dd)
            return false;
    } else if (link == 0) {
        cur_take(&c, 4);
    } else if (link == 113) {
        cur_take(&c, 16);
    }
    if (!cut_ip(&c, s))
        return false;
    struct bytes ports = cur_take(&c, 4);
    s->seq = cur_u32(&c);
    cur_take(&c, 4);
    size_t header = (size_t)(cur_u8(&c) >> 4) * 4;
    s->flags = cur_u8(&c);
    cur_take(&c, header < 20 ? 6 : header - 14);
    if (!cur_ok(&c))
        return false;
    memcpy(s->ends + 16, ports.at, 2);
    memcpy(s->ends + 34, ports.at + 2, 2);
    s->data = bytes_of(c.at, cur_left(&c));
    return true;
}

static uint16_t port_of(const uint8_t *end)
{
    return (uint16_t)(end[16] << 8 | end[17]);
}

static bool listed(const uint16_t *ports, uint16_t port)
{
    for (; *ports; ports++)
        if (*ports == port)
            return true;
    return false;
}

static void turn(uint8_t *to, const uint8_t *from)
{
    memcpy(to, from + 18, 18);
    memcpy(to + 18, from, 18);
}

static struct walk_flow *flow_of(struct walk *w, const struct segment *s, const uint16_t *ports,
                                 enum dir *dir)
{
    uint8_t turned[36];
    bool from_server = (s->flags & 2) ? (s->flags & 16) != 0 : listed(ports, port_of(s->ends));

    turn(turned, s->ends);
    for (size_t i = w->n_flows; i-- > 0;) {
        bool same = memcmp(w->flows[i].ends, s->ends, 36) == 0;
        if (!same && memcmp(w->flows[i].ends, turned, 36) != 0)
            continue;
        *dir = same ? TO_SERVER : TO_CLIENT;
        return &w->flows[i];
    }
    if (w->n_flows == WALK_FLOWS)
        return NULL;
    struct walk_flow *f = &w->flows[w->n_flows++];
    memcpy(f->ends, from_server ? turned : s->ends, 36);
    *dir = from_server ? TO_CLIENT : TO_SERVER;
    return f;
}

static void give(struct walk *w, struct walk_flow *f, struct chunk *c)
{
    c->at.number = c->at.ordinal = w->packets;
    c->midstream = !f->syn[c->dir];
    c->offset = f->offset[c->dir];
    f->offset[c->dir] += c->missing + c->data.len;
    w->chunk(w->ctx, f, c);
}

static void segment(struct walk *w, const struct segment *s, const uint16_t *ports)
{
    enum dir d;
    struct walk_flow *f = flow_of(w, s, ports, &d);
    struct bytes data = s->data;

    if (!f)
        return;
    if (s->flags & 2) {
        f->syn[d] = f->seen[d] = true;
        f->next[d] = s->seq + 1;
        return;
    }
    if (!f->seen[d])
        f->next[d] = s->seq;
    f->seen[d] = true;
    int32_t ahead = (int32_t)(s->seq - f->next[d]);
    if (data.len == 0)
        return;
    if (ahead > 0) {
        struct chunk gap = {.kind = CHUNK_GAP, .dir = d, .missing = (uint64_t)ahead};
        give(w, f, &gap);
    } else if (ahead < 0) {
        bytes_cut(&data, (size_t) - (int64_t)ahead);
        if ((size_t) - (int64_t)ahead >= s->data.len)
            return;
    }
    struct chunk c = {.kind = CHUNK_DATA, .dir = d, .data = data};
    f->next[d] = s->seq + (uint32_t)s->data.len;
    give(w, f, &c);
}

static void packet(struct walk *w, struct bytes frame, uint32_t link, const uint16_t *ports)
{
    struct segment s;

    w->packets++;
    if (cut_segment(frame, link, &s))
        segment(w, &s, ports);
}

static struct bytes part(const struct file *f, size_t at, size_t n)
{
    struct bytes b = f->all;

    bytes_cut(&b, at);
    return bytes_head(b, n);
}

static void walk_pcap(struct walk *w, const struct file *f, const uint16_t *ports)
{
    uint32_t link = u32(f, 20);

    for (size_t at = 24; at + 16 <= f->all.len; at += 16 + u32(f, at + 8))
        packet(w, part(f, at + 16, u32(f, at + 8)), link, ports);
}

static void walk_pcapng(struct walk *w, const struct file *f, const uint16_t *ports)
{
    uint32_t link = 1, size;

    for (size_t at = 0; at + 12 <= f->all.len; at += size) {
        size = u32(f, at + 4);
        if (size < 12)
            return;
        if (u32(f, at) == 1)
            link = u32(f, at + 8) & 0xffffu;
        else if (u32(f, at) == 6)
            packet(w, part(f, at + 28, u32(f, at + 20)), link, ports);
    }
}

static bool slurp(const char *path, struct bytes *all)
{
    FILE *in = fopen(path, "rb");
    long n = -1;
    void *data = NULL;

    if (in && fseek(in, 0, SEEK_END) == 0 && (n = ftell(in)) > 0 && fseek(in, 0, SEEK_SET) == 0)
        data = malloc((size_t)n);
    if (data && fread(data, 1, (size_t)n, in) == (size_t)n)
        *all = bytes_of(data, (size_t)n);
    if (in)
        fclose(in);
    return data != NULL;
}

bool walk_file(struct walk *w, const char *path, const uint16_t *ports)
{
    struct file f = {0};

    if (!slurp(path, &f.all))
        return false;
    uint32_t magic = u32(&f, 0);
    if (magic == 0x0a0d0d0a) {
        f.swapped = u32(&f, 8) != 0x1a2b3c4d;
        walk_pcapng(w, &f, ports);
    } else {
        f.swapped = magic != 0xa1b2c3d4 && magic != 0xa1b23c4d;
        walk_pcap(w, &f, ports);
    }
    for (size_t i = 0; i < w->n_flows; i++)
        for (int d = 0; d < 2; d++) {
            struct chunk c = {.kind = CHUNK_CLOSE, .dir = (enum dir)d};
            give(w, &w->flows[i], &c);
        }
    free((void *)(uintptr_t)f.all.at);
    return true;
}
