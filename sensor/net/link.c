/* net/link.c - link types other than Ethernet, VLAN tags, MPLS. */
#include <pcap/dlt.h>

#include "net/peel.h"

enum { TYPE_VLAN = 0x8100, TYPE_QINQ = 0x88a8, TYPE_QINQ_OLD = 0x9100, TYPE_QINQ_OLDER = 0x9200 };
enum {
    TYPE_IPV4 = 0x0800,
    TYPE_MPLS = 0x8847,
    TYPE_MPLS_MULTICAST = 0x8848,
    TYPE_LENGTH_MAX = 1500
};
enum { VLAN_TAG = 4, MPLS_LABEL = 4, SLL_HEAD = 16, SLL2_HEAD = 20, NULL_HEAD = 4, SNAP_HEAD = 8 };

/* The address family of DLT_NULL is the capturing system's, in its byte order
 * (https://www.tcpdump.org/linktypes.html: 24, 28 and 30 are IPv6 on the BSDs
 * and macOS, 10 on Linux). */
static enum layer loopback(struct peel *p)
{
    if (p->left.len < NULL_HEAD)
        return LAYER_MALFORMED;
    uint32_t family = be32_at(p->left, 0);
    if (family > 0xffff)
        family = __builtin_bswap32(family);
    (void)peel_skip(p, NULL_HEAD);
    switch (family) {
    case 2: return LAYER_IPV4;
    case 10:
    case 24:
    case 28:
    case 30: return LAYER_IPV6;
    default: return LAYER_OTHER;
    }
}

static enum layer cooked(struct peel *p, size_t head, size_t type_at)
{
    if (p->left.len < head)
        return LAYER_MALFORMED;
    p->next = be16_at(p->left, type_at);
    (void)peel_skip(p, head);
    return LAYER_ETHERTYPE;
}

enum layer peel_link(struct peel *p, int linktype)
{
    switch (linktype) {
    case DLT_EN10MB: return LAYER_ETHERNET;
    case DLT_NULL:
    case DLT_LOOP: return loopback(p);
    case DLT_RAW:
    case 14: /* DLT_RAW on OpenBSD */
    case 101: /* LINKTYPE_RAW, before libpcap translates it */ return LAYER_IP;
    case DLT_IPV4: return LAYER_IPV4;
    case DLT_IPV6: return LAYER_IPV6;
    case DLT_LINUX_SLL: return cooked(p, SLL_HEAD, 14);
    case DLT_LINUX_SLL2: return cooked(p, SLL2_HEAD, 0);
    default: return LAYER_LINKTYPE;
    }
}

static enum layer vlan(struct peel *p)
{
    if (p->left.len < VLAN_TAG)
        return LAYER_MALFORMED;
    if (p->out->vlan == 0)
        p->out->vlan = be16_at(p->left, 0) & 0xfff;
    p->next = be16_at(p->left, 2);
    (void)peel_skip(p, VLAN_TAG);
    return LAYER_ETHERTYPE;
}

/* An 802.3 length instead of a type: only LLC/SNAP (RFC 1042) can carry IP. */
static enum layer snap(struct peel *p)
{
    static const uint8_t rfc1042[] = {0xaa, 0xaa, 0x03, 0, 0, 0};
    if (p->left.len < SNAP_HEAD || memcmp(p->left.at, rfc1042, sizeof rfc1042) != 0)
        return LAYER_OTHER;
    p->next = be16_at(p->left, 6);
    (void)peel_skip(p, SNAP_HEAD);
    return p->next > TYPE_LENGTH_MAX ? LAYER_ETHERTYPE : LAYER_OTHER;
}

enum layer peel_ethertype_rest(struct peel *p)
{
    switch (p->next) {
    case TYPE_VLAN:
    case TYPE_QINQ:
    case TYPE_QINQ_OLD:
    case TYPE_QINQ_OLDER: return vlan(p);
    case TYPE_MPLS:
    case TYPE_MPLS_MULTICAST: return LAYER_MPLS;
    default: return p->next <= TYPE_LENGTH_MAX ? snap(p) : LAYER_OTHER;
    }
}

/* Nothing says what is under the last label: by custom the first nibble does
 * (RFC 4928 3); 0 is the control word of an Ethernet pseudowire (RFC 4448 4.6). */
enum layer peel_mpls(struct peel *p)
{
    if (p->left.len < MPLS_LABEL)
        return LAYER_MALFORMED;
    bool last = (p->left.at[2] & 1) != 0;
    (void)peel_skip(p, MPLS_LABEL);
    if (!last)
        return LAYER_MPLS;
    unsigned nibble = p->left.len > 0 ? p->left.at[0] >> 4 : 0;
    if (nibble == 4 || nibble == 6)
        return LAYER_IP;
    if (nibble != 0 || !peel_skip(p, MPLS_LABEL))
        return LAYER_OTHER;
    p->out->depth++;
    return LAYER_ETHERNET;
}
