/* net/tunnel.c - what carries another packet inside IP. Each level counts in
 * out->depth, which decode.c compares with LIMIT_ENCAP_DEPTH. */
#include "net/peel.h"

enum { PROTOCOL_IPIP = 4, PROTOCOL_IPV6 = 41, PROTOCOL_GRE = 47, PROTOCOL_AH = 51 };
enum { GRE_CHECKSUM = 0x8000, GRE_ROUTING = 0x4000, GRE_KEY = 0x2000, GRE_SEQUENCE = 0x1000 };
enum { TYPE_ETHERNET = 0x6558, TYPE_ERSPAN = 0x88be, TYPE_ERSPAN_3 = 0x22eb };
enum {
    VXLAN_HEAD = 8,
    VXLAN_VNI_VALID = 0x08,
    GENEVE_HEAD = 8,
    ERSPAN_2_HEAD = 8,
    ERSPAN_3_HEAD = 12
};

static enum layer inner(struct peel *p, enum layer layer)
{
    p->out->depth++;
    return layer;
}

/* IPv4 allows AH too; IPv6 takes it off among its extension headers. */
static enum layer authentication(struct peel *p)
{
    if (p->left.len < 2)
        return LAYER_MALFORMED;
    p->out->ip_proto = p->left.at[0];
    return peel_skip(p, (p->left.at[1] + 2u) * 4u) ? LAYER_PROTOCOL : LAYER_MALFORMED;
}

enum layer peel_protocol_rest(struct peel *p)
{
    if (p->lying)
        return LAYER_MALFORMED;
    switch (p->out->ip_proto) {
    case PROTOCOL_IPIP: return inner(p, LAYER_IPV4);
    case PROTOCOL_IPV6: return inner(p, LAYER_IPV6);
    case PROTOCOL_GRE: return LAYER_GRE;
    case PROTOCOL_AH: return authentication(p);
    default: return LAYER_OTHER;
    }
}

/* Type I has no header of its own and no GRE sequence number, II and III have
 * both (draft-foschiano-erspan-03 4). Its session id tells mirrors apart, not networks. */
static enum layer erspan(struct peel *p, bool sequenced)
{
    if (sequenced && !peel_skip(p, ERSPAN_2_HEAD))
        return LAYER_MALFORMED;
    return inner(p, LAYER_ETHERNET);
}

static enum layer erspan_3(struct peel *p)
{
    struct bytes b = p->left;
    if (b.len < ERSPAN_3_HEAD)
        return LAYER_MALFORMED;
    size_t more = b.at[11] & 1 ? 8 : 0; /* the O bit: a platform subheader */
    return peel_skip(p, ERSPAN_3_HEAD + more) ? inner(p, LAYER_ETHERNET) : LAYER_MALFORMED;
}

static enum layer gre_payload(struct peel *p, uint16_t type, bool sequenced)
{
    switch (type) {
    case TYPE_ETHERNET: return inner(p, LAYER_ETHERNET);
    case TYPE_ERSPAN: return erspan(p, sequenced);
    case TYPE_ERSPAN_3: return erspan_3(p);
    default: break;
    }
    p->next = type;
    return inner(p, LAYER_ETHERTYPE);
}

/* RFC 2784, RFC 2890. Source routing (RFC 1701) and PPTP's version 1 are left alone. */
enum layer peel_gre(struct peel *p)
{
    if (p->left.len < 4)
        return LAYER_MALFORMED;
    uint16_t flags = be16_at(p->left, 0), type = be16_at(p->left, 2);
    if ((flags & 7) != 0 || (flags & GRE_ROUTING))
        return LAYER_OTHER;
    (void)peel_skip(p, 4);
    if ((flags & GRE_CHECKSUM) && !peel_skip(p, 4))
        return LAYER_MALFORMED;
    if (flags & GRE_KEY) {
        if (p->left.len < 4)
            return LAYER_MALFORMED;
        p->out->network = be32_at(p->left, 0);
        (void)peel_skip(p, 4);
    }
    if ((flags & GRE_SEQUENCE) && !peel_skip(p, 4))
        return LAYER_MALFORMED;
    return gre_payload(p, type, (flags & GRE_SEQUENCE) != 0);
}

/* RFC 7348 5. What does not look like it is plain UDP. */
enum layer peel_vxlan(struct peel *p)
{
    struct bytes b = p->left;
    if (b.len < VXLAN_HEAD || !(b.at[0] & VXLAN_VNI_VALID) || b.at[7] != 0)
        return LAYER_UDP;
    p->out->network = be32_at(b, 4) >> 8;
    (void)peel_skip(p, VXLAN_HEAD);
    return inner(p, LAYER_ETHERNET);
}

/* RFC 8926 3.4. */
enum layer peel_geneve(struct peel *p)
{
    struct bytes b = p->left;
    if (b.len < GENEVE_HEAD || b.at[0] >> 6 != 0)
        return LAYER_UDP;
    size_t options = (b.at[0] & 0x3fu) * 4u;
    p->next = be16_at(b, 2);
    if (b.at[1] & 0x80) /* O: control, not data */
        return LAYER_OTHER;
    if (!peel_skip(p, GENEVE_HEAD + options))
        return LAYER_MALFORMED;
    p->out->network = be32_at(b, 4) >> 8;
    return inner(p, p->next == TYPE_ETHERNET ? LAYER_ETHERNET : LAYER_ETHERTYPE);
}
