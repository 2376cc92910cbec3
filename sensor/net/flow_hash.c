/* net/flow_hash.c - SipHash-1-3 (Aumasson, Bernstein: SipHash, 2012) over a
 * connection, its two ends in order of size so that both directions agree. An IPv4
 * connection is two words and a half. */
#include "net/flow.h"

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 = rotate(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t m)
{
    s->v3 ^= m;
    sip_round(s);
    s->v0 ^= m;
}

static inline uint64_t sip_end(struct sip *s)
{
    s->v2 ^= 0xff;
    sip_round(s);
    sip_round(s);
    sip_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static inline struct sip sip_start(const uint8_t key[16])
{
    uint64_t k[2];
    memcpy(k, key, sizeof k);
    return (struct sip){k[0] ^ 0x736f6d6570736575u, k[1] ^ 0x646f72616e646f6du,
                        k[0] ^ 0x6c7967656e657261u, k[1] ^ 0x7465646279746573u};
}

static inline uint64_t end_v4(const struct endpoint *e)
{
    uint32_t ip;
    memcpy(&ip, e->ip, sizeof ip);
    return (uint64_t)ip << 16 | e->port;
}

static inline void words_v4(struct sip *s, const struct packet *p)
{
    uint64_t a = end_v4(&p->src), b = end_v4(&p->dst);
    uint64_t low = a < b ? a : b, high = a < b ? b : a;
    sip_word(s, low | (uint64_t)(p->network & 0xffff) << 48);
    sip_word(s, high | (uint64_t)(p->network >> 16) << 48);
}

static void words_v6(struct sip *s, const struct packet *p)
{
    const struct endpoint *low = &p->src, *high = &p->dst;
    int order = memcmp(low->ip, high->ip, sizeof low->ip);
    if (order > 0 || (order == 0 && low->port > high->port)) {
        low = &p->dst;
        high = &p->src;
    }
    uint64_t word[4];
    memcpy(word, low->ip, 16);
    memcpy(word + 2, high->ip, 16);
    for (unsigned i = 0; i < 4; i++)
        sip_word(s, word[i]);
    sip_word(s, (uint64_t)p->network << 32 | (uint64_t)low->port << 16 | high->port);
}

uint64_t flow_hash(const struct packet *p, const uint8_t key[16])
{
    struct sip s = sip_start(key);
    if (p->src.family == 4)
        words_v4(&s, p);
    else
        words_v6(&s, p);
    sip_word(&s, (uint64_t)p->src.family << 8 | p->ip_proto);
    return sip_end(&s);
}
