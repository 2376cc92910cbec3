/* net/ipv6.c - IPv6 (RFC 8200) with its extension headers. */
#include "net/peel.h"

enum { IPV6_HEAD = 40, EXTENSION_HEAD = 8, EXTENSIONS_MAX = 16 };
enum { NEXT_ROUTING = 43, NEXT_FRAGMENT = 44, NEXT_AH = 51, NEXT_DESTINATION = 60 };
enum { NEXT_MOBILITY = 135, NEXT_HIP = 139, NEXT_SHIM6 = 140 };

static void set_ipv6(struct endpoint *e, const uint8_t *at)
{
    memcpy(e->ip, at, 16);
    e->port = 0;
    e->family = 6;
}

/* The fragment header takes itself off. An atomic fragment (RFC 6946) is whole. */
static enum layer fragment(struct peel *p, bool *whole)
{
    struct bytes b = p->left;
    uint16_t bits = be16_at(b, 2);
    p->out->ip_proto = b.at[0];
    (void)peel_skip(p, EXTENSION_HEAD);
    *whole = (bits & 0xfff9) == 0;
    if (*whole)
        return LAYER_PROTOCOL;
    p->out->frag.id = be32_at(b, 4);
    p->out->frag.offset = bits & 0xfff8;
    p->out->frag.more = (bits & 1) != 0;
    p->out->payload = p->left;
    p->out->wire_payload = (uint32_t)(p->left.len + p->lost);
    p->out->cut = p->lost > 0 || p->lying;
    return LAYER_FRAGMENT;
}

/* Length of the extension header at the front, 0: it is none. */
static size_t extension_length(uint8_t protocol, struct bytes b)
{
    switch (protocol) {
    case IPPROTO_IS_HOP:
    case NEXT_ROUTING:
    case NEXT_DESTINATION:
    case NEXT_MOBILITY:
    case NEXT_HIP:
    case NEXT_SHIM6: return (b.at[1] + 1u) * 8u;
    case NEXT_AH: return (b.at[1] + 2u) * 4u; /* RFC 4302 2.2 */
    case NEXT_FRAGMENT: return EXTENSION_HEAD;
    default: return 0;
    }
}

static bool is_extension(uint8_t protocol)
{
    static const uint8_t any[EXTENSION_HEAD];
    return extension_length(protocol, bytes_of(any, sizeof any)) > 0;
}

static enum layer extensions(struct peel *p)
{
    for (unsigned i = 0; is_extension(p->out->ip_proto); i++) {
        uint8_t protocol = p->out->ip_proto;
        if (i == EXTENSIONS_MAX)
            return LAYER_TOO_DEEP;
        if (p->left.len < EXTENSION_HEAD)
            return LAYER_MALFORMED;
        if (protocol == NEXT_FRAGMENT) {
            bool whole;
            enum layer layer = fragment(p, &whole);
            if (!whole)
                return layer;
            continue;
        }
        p->out->ip_proto = p->left.at[0];
        if (!peel_skip(p, extension_length(protocol, p->left)))
            return LAYER_MALFORMED;
    }
    return LAYER_PROTOCOL;
}

enum layer peel_ipv6(struct peel *p)
{
    struct bytes b = p->left;
    if (b.len < IPV6_HEAD || b.at[0] >> 4 != 6)
        return LAYER_MALFORMED;
    size_t length = be16_at(b, 4);
    if (length == 0) /* a jumbogram (RFC 2675) or segmentation offload */
        length = b.len - IPV6_HEAD + p->lost;
    peel_trim_ip(p, IPV6_HEAD + length);
    p->out->l3 = p->left;
    p->out->ip_proto = b.at[6];
    set_ipv6(&p->out->src, b.at + 8);
    set_ipv6(&p->out->dst, b.at + 24);
    (void)peel_skip(p, IPV6_HEAD);
    return extensions(p);
}
