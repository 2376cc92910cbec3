/* tests/net/support/packets.c - see packets.h. */
#include "tests/net/support/packets.h"

#include <arpa/inet.h>
#include <stdlib.h>

void frame_start(struct frame *f, const void *payload, size_t n)
{
    f->at = FRAME_ROOM - n;
    if (n > 0)
        memcpy(f->room + f->at, payload, n);
}

struct bytes frame_bytes(const struct frame *f)
{
    return bytes_of(f->room + f->at, FRAME_ROOM - f->at);
}

uint8_t *frame_front(struct frame *f)
{
    return f->room + f->at;
}

uint8_t *frame_put(struct frame *f, const void *header, size_t n)
{
    f->at -= n;
    memcpy(f->room + f->at, header, n);
    return f->room + f->at;
}

void frame_pad(struct frame *f, size_t n)
{
    size_t len = FRAME_ROOM - f->at;
    memmove(f->room + f->at - n, f->room + f->at, len);
    f->at -= n;
    memset(f->room + FRAME_ROOM - n, 0xee, n);
}

struct endpoint end_of(const char *address, uint16_t port)
{
    struct endpoint e = {.port = port, .family = strchr(address, ':') ? 6 : 4};
    if (inet_pton(e.family == 4 ? AF_INET : AF_INET6, address, e.ip) != 1)
        abort();
    return e;
}

static void put16(uint8_t *at, size_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static void put32(uint8_t *at, uint32_t v)
{
    put16(at, v >> 16);
    put16(at + 2, v & 0xffff);
}

static uint32_t sum16(struct bytes b)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < b.len; i++)
        sum += i % 2 ? b.at[i] : (uint32_t)b.at[i] << 8;
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static uint16_t transport_sum(const struct frame *f, const struct endpoint *src,
                              const struct endpoint *dst, uint8_t proto)
{
    size_t n = src->family == 4 ? 4 : 16;
    struct bytes all = frame_bytes(f);
    return fold(sum16(bytes_of(src->ip, n)) + sum16(bytes_of(dst->ip, n)) + proto +
                (uint32_t)all.len + sum16(all));
}

void frame_tcp(struct frame *f, const struct endpoint *src, const struct endpoint *dst,
               struct tcp_head head)
{
    uint8_t h[60];
    size_t n = 20 + head.options * 4u;
    memset(h, 1, sizeof h); /* no-operation */
    put16(h, src->port);
    put16(h + 2, dst->port);
    put32(h + 4, head.seq);
    put32(h + 8, head.ack);
    h[12] = (uint8_t)(n / 4 << 4);
    h[13] = head.flags;
    put16(h + 14, 64000);
    put32(h + 16, 0);
    uint8_t *at = frame_put(f, h, n);
    put16(at + 16, transport_sum(f, src, dst, 6));
}

void frame_udp(struct frame *f, const struct endpoint *src, const struct endpoint *dst)
{
    uint8_t h[8] = {0};
    put16(h, src->port);
    put16(h + 2, dst->port);
    put16(h + 4, 8 + frame_bytes(f).len);
    uint8_t *at = frame_put(f, h, sizeof h);
    put16(at + 6, transport_sum(f, src, dst, 17));
}

static void put_ipv4(struct frame *f, const struct endpoint *src, const struct endpoint *dst,
                     struct ip_head head)
{
    uint8_t h[60];
    size_t n = 20 + head.options * 4u;
    memset(h, 1, sizeof h);
    h[0] = (uint8_t)(0x40 | n / 4);
    h[1] = 0;
    put16(h + 2, n + frame_bytes(f).len);
    put16(h + 4, head.id);
    put16(h + 6, head.bits);
    h[8] = 64;
    h[9] = head.proto;
    put16(h + 10, 0);
    memcpy(h + 12, src->ip, 4);
    memcpy(h + 16, dst->ip, 4);
    put16(h + 10, fold(sum16(bytes_of(h, n))));
    frame_put(f, h, n);
}

void frame_ip(struct frame *f, const struct endpoint *src, const struct endpoint *dst,
              struct ip_head head)
{
    if (src->family == 4) {
        put_ipv4(f, src, dst, head);
        return;
    }
    uint8_t h[40] = {0x60};
    put16(h + 4, frame_bytes(f).len);
    h[6] = head.proto;
    h[7] = 64;
    memcpy(h + 8, src->ip, 16);
    memcpy(h + 24, dst->ip, 16);
    frame_put(f, h, sizeof h);
}

void frame_ethernet(struct frame *f, uint16_t type)
{
    uint8_t h[14] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
    put16(h + 12, type);
    frame_put(f, h, sizeof h);
}

void frame_vlan(struct frame *f, uint16_t id, uint16_t type)
{
    uint8_t h[4];
    put16(h, id);
    put16(h + 2, type);
    frame_put(f, h, sizeof h);
}

void frame_simple(struct frame *f, const struct endpoint *src, const struct endpoint *dst,
                  struct tcp_head head, const void *payload, size_t n)
{
    frame_start(f, payload, n);
    frame_tcp(f, src, dst, head);
    frame_ip(f, src, dst, (struct ip_head){.proto = 6});
    frame_ethernet(f, src->family == 4 ? 0x0800 : 0x86dd);
}

struct raw_packet frame_raw(const struct frame *f, int linktype)
{
    struct bytes b = frame_bytes(f);
    return (struct raw_packet){.at = {.ns = 1, .ordinal = 1, .number = 1},
                               .data = b,
                               .wire_len = (uint32_t)b.len,
                               .linktype = linktype};
}

FILE *pcap_write_start(const char *path, uint32_t linktype)
{
    uint32_t head[6] = {0xa1b23c4d, 0x00040002, 0, 0, 262144, linktype};
    FILE *out = fopen(path, "wb");
    if (!out || fwrite(head, 1, sizeof head, out) != sizeof head)
        abort();
    return out;
}

void pcap_write(FILE *out, int64_t ns, struct bytes data, size_t wire_len)
{
    uint32_t head[4] = {(uint32_t)(ns / 1000000000), (uint32_t)(ns % 1000000000),
                        (uint32_t)data.len, (uint32_t)wire_len};
    if (fwrite(head, 1, sizeof head, out) != sizeof head ||
        fwrite(data.at, 1, data.len, out) != data.len)
        abort();
}

/* Marsaglia's xorshift64*, 2003. */
uint32_t test_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)(*state * 0x2545f4914f6cdd1du >> 32);
}
