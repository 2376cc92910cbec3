/* base/community_id.c - see community_id.h. */
#include "base/community_id.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_SCTP = 132 };

/* Seed, two addresses, protocol, padding, two ports. */
struct text {
    uint8_t at[2 + 16 + 16 + 2 + 4];
    size_t len;
};

static void put(struct text *t, const void *data, size_t n)
{
    memcpy(t->at + t->len, data, n);
    t->len += n;
}

static void put16(struct text *t, uint16_t v)
{
    uint8_t be[2] = {(uint8_t)(v >> 8), (uint8_t)v};
    put(t, be, sizeof be);
}

void community_id(const struct endpoint *a, const struct endpoint *b, uint8_t ip_proto,
                  uint16_t seed, char out[COMMUNITY_ID_SIZE])
{
    size_t n = a->family == 4 ? 4 : 16;
    int order = memcmp(a->ip, b->ip, n);
    if (order > 0 || (order == 0 && a->port > b->port)) {
        const struct endpoint *swap = a;
        a = b;
        b = swap;
    }
    struct text t = {.len = 0};
    put16(&t, seed);
    put(&t, a->ip, n);
    put(&t, b->ip, n);
    put16(&t, (uint16_t)(ip_proto << 8));
    if (ip_proto == PROTOCOL_TCP || ip_proto == PROTOCOL_UDP || ip_proto == PROTOCOL_SCTP) {
        put16(&t, a->port);
        put16(&t, b->port);
    }
    uint8_t digest[SHA_DIGEST_LENGTH];
    SHA1(t.at, t.len, digest);
    memcpy(out, "1:", 2);
    EVP_EncodeBlock((unsigned char *)out + 2, digest, sizeof digest);
}
