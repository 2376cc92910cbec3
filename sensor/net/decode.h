/* net/decode.h - link, VLAN, MPLS, IP, tunnels, TCP, UDP: a frame to its
 * innermost packet.
 *
 * Pure: no state, no allocation, no callback. What tunnels and tags may nest is
 * bounded by LIMIT_ENCAP_DEPTH and DECODE_MAX_STEPS. Ethernet padding never becomes
 * payload: the IP length rules, except that a length of 0, as segmentation
 * offload leaves it, takes what is there. More than the snaplen kept is `cut`. More
 * than was on the wire: a TCP header still counts, its payload, which no receiver
 * takes, is given as empty with `cut` (so look captures cut by tools that forget
 * the length, too); all else is malformed.
 *
 * Known: DLT_EN10MB, NULL, LOOP, RAW, IPV4, IPV6, LINUX_SLL, LINUX_SLL2; VLAN
 * tags in any number; MPLS; IPv4 options; IPv6 hop-by-hop, routing,
 * destination, fragment and AH headers; IP in IP; GRE with checksum, key and sequence, carrying IP,
 * Ethernet, MPLS or ERSPAN (types I, II, III); VXLAN (UDP 4789, 8472); Geneve (UDP 6081). */
#ifndef NET_DECODE_H
#define NET_DECODE_H

#include "net/packet.h"

#define DECODE_MAX_STEPS 32u /* headers of all kinds in one frame */

enum decode_result {
    DECODE_TCP,
    DECODE_UDP,
    DECODE_FRAGMENT,  /* hand it to defrag, then decode_ip() the whole */
    DECODE_OTHER,     /* valid, and nothing this sensor looks at */
    DECODE_MALFORMED, /* or too little of it was captured */
    DECODE_LINKTYPE,  /* a link type unknown here */
    DECODE_TOO_DEEP,
};

/* *out is filled as far as was valid; its views point into raw->data.
 * out->hash is 0: the caller fills it. */
enum decode_result decode_frame(const struct raw_packet *raw, struct packet *out);

/* An IP datagram as defrag_add() gives it. *out is the packet of its last
 * fragment and keeps stamp, network, vlan, depth and frag.conflict. */
enum decode_result decode_ip(struct bytes datagram, struct packet *out);

/* Does the TCP or UDP checksum not match? Reads the whole payload, so decode
 * does not do it: for callers that count, on a sample (a sender's own capture
 * shows every outgoing checksum unfinished). false for what cannot be checked: cut, no UDP
 * checksum. */
bool decode_checksum_bad(const struct packet *p);

#endif
