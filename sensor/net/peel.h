/* net/peel.h - inside decode only: one header after the other comes off the
 * front. Each function takes one header and says which layer comes next. */
#ifndef NET_PEEL_H
#define NET_PEEL_H

#include "net/packet.h"

enum layer {
    LAYER_ETHERNET,
    LAYER_ETHERTYPE, /* peel.next: what follows an EtherType */
    LAYER_IP,        /* version by the first nibble */
    LAYER_IPV4,
    LAYER_IPV6,
    LAYER_PROTOCOL, /* out->ip_proto: what follows an IP header */
    LAYER_MPLS,
    LAYER_GRE,
    LAYER_VXLAN,
    LAYER_GENEVE,
    LAYER_END, /* the rest are results */
    LAYER_TCP = LAYER_END,
    LAYER_UDP,
    LAYER_FRAGMENT,
    LAYER_OTHER,
    LAYER_MALFORMED,
    LAYER_LINKTYPE,
    LAYER_TOO_DEEP,
};

enum { IPPROTO_IS_HOP = 0, IPPROTO_IS_IPIP = 4, IPPROTO_IS_TCP = 6, IPPROTO_IS_UDP = 17 };

struct peel {
    struct bytes left; /* captured, from here to the end of the innermost length */
    size_t lost;       /* behind that on the wire, not captured */
    uint16_t next;     /* EtherType */
    bool lying;        /* the IP length promised more than was on the wire */
    struct packet *out;
};

/* Takes n bytes off; false: they are not there. */
static inline bool peel_skip(struct peel *p, size_t n)
{
    if (n > p->left.len)
        return false;
    (void)bytes_cut(&p->left, n);
    return true;
}

/* From here on there are only n bytes on the wire; false: not as many. */
static inline bool peel_trim(struct peel *p, size_t n)
{
    if (n <= p->left.len) {
        p->left.len = n;
        p->lost = 0;
        return true;
    }
    if (n - p->left.len > p->lost)
        return false;
    p->lost = n - p->left.len;
    return true;
}

/* As peel_trim() for an IP length. One that lies leaves the headers readable: some
 * tools cut captures and set both lengths of a record to what they left. */
static inline void peel_trim_ip(struct peel *p, size_t n)
{
    if (!peel_trim(p, n))
        p->lying = true;
}

enum layer peel_link(struct peel *p, int linktype);
enum layer peel_ethertype_rest(struct peel *p); /* neither IP */
enum layer peel_mpls(struct peel *p);
enum layer peel_ipv6(struct peel *p);
enum layer peel_gre(struct peel *p);
enum layer peel_vxlan(struct peel *p);
enum layer peel_geneve(struct peel *p);
enum layer peel_protocol_rest(struct peel *p); /* neither TCP nor UDP */

#endif
