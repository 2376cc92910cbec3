/* net/packet.h - one decoded packet: views into a frame that lives until the
 * callback returns. */
#ifndef NET_PACKET_H
#define NET_PACKET_H

#include "base/wire.h"

struct raw_packet {
    struct stamp at;
    struct bytes data;
    uint32_t wire_len; /* > data.len when the snaplen cut it */
    int linktype;      /* DLT_* */
};

enum tcp_flag { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_PSH = 0x08, TCP_ACK = 0x10 };

struct packet {
    struct stamp at;
    struct endpoint src, dst;
    uint64_t hash;    /* flow_hash(), filled by ingest, once */
    uint32_t network; /* innermost VNI or GRE key: part of the flow's key; tunnel ends and
                         VLAN ids are not, so that both copies of a mirrored packet meet */
    uint16_t vlan;    /* outermost VLAN id, 0: none */
    uint8_t ip_proto;
    uint8_t depth;         /* encapsulations peeled so far */
    bool cut;              /* snaplen: payload is shorter than `wire_payload` says */
    bool bad_checksum;     /* of an IPv4 header on the way in; never a reason to drop */
    uint32_t wire_payload; /* length of the payload on the wire */
    struct {
        uint32_t seq, ack;
        uint16_t window;
        uint8_t flags;
    } tcp;
    struct {
        uint32_t id;
        uint16_t offset; /* bytes */
        bool more;
        bool conflict; /* put together from fragments that disagreed on a byte */
    } frag;
    struct bytes l3;      /* from the innermost IP header (nDPI wants this) */
    struct bytes payload; /* TCP or UDP payload, or the fragment's data */
};

#endif
