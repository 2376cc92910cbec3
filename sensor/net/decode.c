/* net/decode.c - the driver, and the three headers that nearly all traffic
 * consists of: Ethernet, IPv4, TCP. The others are in link.c, ipv6.c, tunnel.c. */
#include "net/decode.h"

#include "base/limits.h"
#include "net/peel.h"

enum { ETHERNET_HEAD = 14, IPV4_HEAD = 20, TCP_HEAD = 20, UDP_HEAD = 8 };
enum { TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd };
enum { PORT_VXLAN = 4789, PORT_VXLAN_LINUX = 8472, PORT_GENEVE = 6081 };

/* RFC 1071: right if all 16-bit words sum to 0xffff. Sums of 32-bit words fold
 * to the same, in either byte order. */
static bool ipv4_checksum_bad(struct bytes head)
{
    uint32_t word[5];
    memcpy(word, head.at, sizeof word);
    uint64_t sum = (uint64_t)word[0] + word[1] + word[2] + word[3] + word[4];
    for (size_t i = sizeof word; i + 4 <= head.len; i += 4) {
        memcpy(word, head.at + i, sizeof *word);
        sum += *word;
    }
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16) != 0xffff;
}

static void set_ipv4(struct endpoint *e, const uint8_t *at)
{
    memset(e, 0, sizeof *e);
    memcpy(e->ip, at, 4);
    e->family = 4;
}

static void set_payload(struct peel *p)
{
    p->out->payload = p->left;
    p->out->wire_payload = (uint32_t)(p->left.len + p->lost);
    p->out->cut = p->lost > 0 || p->lying;
}

static enum layer ipv4_fragment(struct peel *p, uint16_t id, uint16_t bits)
{
    p->out->frag.id = id;
    p->out->frag.offset = (uint16_t)((bits & 0x1fff) * 8);
    p->out->frag.more = (bits & 0x2000) != 0;
    set_payload(p);
    return LAYER_FRAGMENT;
}

static enum layer tcp(struct peel *p)
{
    struct bytes b = p->left;
    if (b.len < TCP_HEAD)
        return LAYER_MALFORMED;
    size_t head = (b.at[12] >> 4) * 4u;
    if (head < TCP_HEAD || head > b.len + p->lost)
        return LAYER_MALFORMED;
    p->out->src.port = be16_at(b, 0);
    p->out->dst.port = be16_at(b, 2);
    p->out->tcp.seq = be32_at(b, 4);
    p->out->tcp.ack = be32_at(b, 8);
    p->out->tcp.flags = b.at[13];
    p->out->tcp.window = be16_at(b, 14);
    if (head > b.len) { /* options cut by the snaplen */
        p->lost -= head - b.len;
        head = b.len;
    }
    (void)peel_skip(p, head);
    if (p->lying) { /* no receiver takes its bytes: neither do we, nor know how many they were */
        p->left.len = 0;
        p->lost = 0;
        p->out->tcp.flags &= (uint8_t) ~(TCP_FIN | TCP_RST); /* which lie behind those bytes */
    }
    set_payload(p);
    return LAYER_TCP;
}

static enum layer udp(struct peel *p)
{
    struct bytes b = p->left;
    if (b.len < UDP_HEAD)
        return LAYER_MALFORMED;
    size_t length = be16_at(b, 4); /* 0: longer than it can say (RFC 2675) */
    if (p->lying || (length > 0 && (length < UDP_HEAD || !peel_trim(p, length))))
        return LAYER_MALFORMED;
    p->out->src.port = be16_at(b, 0);
    p->out->dst.port = be16_at(b, 2);
    (void)peel_skip(p, UDP_HEAD);
    set_payload(p);
    if (p->out->dst.port == PORT_VXLAN || p->out->dst.port == PORT_VXLAN_LINUX)
        return LAYER_VXLAN;
    return p->out->dst.port == PORT_GENEVE ? LAYER_GENEVE : LAYER_UDP;
}

static enum layer protocol(struct peel *p)
{
    if (p->out->ip_proto == IPPROTO_IS_TCP)
        return tcp(p);
    if (p->out->ip_proto == IPPROTO_IS_UDP)
        return udp(p);
    return peel_protocol_rest(p);
}

static enum layer ipv4(struct peel *p)
{
    struct bytes b = p->left;
    if (b.len < IPV4_HEAD || b.at[0] >> 4 != 4)
        return LAYER_MALFORMED;
    size_t head = (b.at[0] & 15u) * 4u;
    size_t total = be16_at(b, 2);
    if (total == 0) /* segmentation offload, seen on the sending host */
        total = b.len + p->lost;
    if (head < IPV4_HEAD || total < head || head > b.len)
        return LAYER_MALFORMED;
    peel_trim_ip(p, total);
    p->out->l3 = p->left;
    p->out->ip_proto = b.at[9];
    set_ipv4(&p->out->src, b.at + 12);
    set_ipv4(&p->out->dst, b.at + 16);
    if (ipv4_checksum_bad(bytes_head(b, head)))
        p->out->bad_checksum = true;
    (void)peel_skip(p, head);
    uint16_t bits = be16_at(b, 6);
    if (bits & 0x3fff) /* more fragments, or not the first */
        return ipv4_fragment(p, be16_at(b, 4), bits);
    return protocol(p);
}

static enum layer ethertype(struct peel *p)
{
    if (p->next == TYPE_IPV4)
        return ipv4(p); /* no turn of the loop for what nearly all frames are */
    if (p->next == TYPE_IPV6)
        return LAYER_IPV6;
    return peel_ethertype_rest(p);
}

static enum layer ethernet(struct peel *p)
{
    if (p->left.len < ETHERNET_HEAD)
        return LAYER_MALFORMED;
    p->next = be16_at(p->left, 12);
    (void)peel_skip(p, ETHERNET_HEAD);
    return ethertype(p);
}

static enum layer ip_by_version(struct peel *p)
{
    unsigned version = p->left.len > 0 ? p->left.at[0] >> 4 : 0;
    if (version == 4)
        return LAYER_IPV4;
    return version == 6 ? LAYER_IPV6 : LAYER_MALFORMED;
}

static enum layer step(struct peel *p, enum layer layer)
{
    switch (layer) {
    case LAYER_ETHERNET: return ethernet(p);
    case LAYER_ETHERTYPE: return ethertype(p);
    case LAYER_IP: return ip_by_version(p);
    case LAYER_IPV4: return ipv4(p);
    case LAYER_IPV6: return peel_ipv6(p);
    case LAYER_PROTOCOL: return protocol(p);
    case LAYER_MPLS: return peel_mpls(p);
    case LAYER_GRE: return peel_gre(p);
    case LAYER_VXLAN: return peel_vxlan(p);
    case LAYER_GENEVE: return peel_geneve(p);
    default: return LAYER_MALFORMED;
    }
}

static enum decode_result result_of(enum layer layer)
{
    switch (layer) {
    case LAYER_TCP: return DECODE_TCP;
    case LAYER_UDP: return DECODE_UDP;
    case LAYER_FRAGMENT: return DECODE_FRAGMENT;
    case LAYER_OTHER: return DECODE_OTHER;
    case LAYER_LINKTYPE: return DECODE_LINKTYPE;
    case LAYER_TOO_DEEP: return DECODE_TOO_DEEP;
    default: return DECODE_MALFORMED;
    }
}

static enum decode_result run(struct peel *p, enum layer layer)
{
    for (unsigned steps = 0; layer < LAYER_END; steps++) {
        if (steps == DECODE_MAX_STEPS || p->out->depth > LIMIT_ENCAP_DEPTH)
            return DECODE_TOO_DEEP;
        layer = step(p, layer);
    }
    return result_of(layer);
}

/* In parts of a size that compilers turn into a few stores; for the whole they
 * take an instruction that is slow to start. */
static void blank(struct packet *out)
{
    _Static_assert(sizeof *out > 128 && sizeof *out <= 192, "three parts");
    uint8_t *at = (uint8_t *)out;
    memset(at, 0, 64);
    memset(at + 64, 0, 64);
    memset(at + 128, 0, sizeof *out - 128);
}

enum decode_result decode_frame(const struct raw_packet *raw, struct packet *out)
{
    struct peel p = {.left = raw->data, .out = out};
    if (raw->wire_len > raw->data.len)
        p.lost = raw->wire_len - raw->data.len;
    blank(out);
    out->at = raw->at;
    out->cut = p.lost > 0;
    return run(&p, raw->linktype == 1 ? LAYER_ETHERNET : peel_link(&p, raw->linktype));
}

enum decode_result decode_ip(struct bytes datagram, struct packet *out)
{
    struct peel p = {.left = datagram, .out = out};
    out->frag.id = 0;
    out->frag.offset = 0;
    out->frag.more = false;
    out->cut = false;
    return run(&p, LAYER_IP);
}
