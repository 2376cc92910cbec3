/* tests/net/support/packets.h - frames for tests, built from the inside out: the
 * payload first, then each header is put in front, with lengths and checksums that
 * are right for what is behind it. Also writes captures. */
#ifndef TESTS_PACKETS_H
#define TESTS_PACKETS_H

#include <stdio.h>

#include "net/packet.h"

enum { FRAME_ROOM = 1 << 17 };

struct frame {
    uint8_t room[FRAME_ROOM];
    size_t at; /* of the first byte */
};

void frame_start(struct frame *f, const void *payload, size_t n);
struct bytes frame_bytes(const struct frame *f);
uint8_t *frame_front(struct frame *f);
/* Any header; returns where it lies. */
uint8_t *frame_put(struct frame *f, const void *header, size_t n);
/* Behind everything: Ethernet padding. Moves what is there. */
void frame_pad(struct frame *f, size_t n);

/* "10.0.0.1" or "2001:db8::1". */
struct endpoint end_of(const char *address, uint16_t port);

struct tcp_head {
    uint32_t seq, ack;
    uint8_t flags;
    uint8_t options; /* in words of 4 bytes, all no-operation */
};
/* Ports of the two ends; the checksum covers their addresses. */
void frame_tcp(struct frame *f, const struct endpoint *src, const struct endpoint *dst,
               struct tcp_head head);
void frame_udp(struct frame *f, const struct endpoint *src, const struct endpoint *dst);

struct ip_head {
    uint8_t proto;
    uint8_t options;   /* words */
    uint16_t id, bits; /* IPv4: flags and fragment offset as on the wire */
};
/* IPv4 or IPv6, by the family of src. */
void frame_ip(struct frame *f, const struct endpoint *src, const struct endpoint *dst,
              struct ip_head head);
void frame_ethernet(struct frame *f, uint16_t type);
void frame_vlan(struct frame *f, uint16_t id, uint16_t type); /* type: what is behind the tag */

/* The usual: Ethernet, IP, TCP. */
void frame_simple(struct frame *f, const struct endpoint *src, const struct endpoint *dst,
                  struct tcp_head head, const void *payload, size_t n);

struct raw_packet frame_raw(const struct frame *f, int linktype);

/* A capture of nanoseconds in the machine's byte order. */
FILE *pcap_write_start(const char *path, uint32_t linktype);
void pcap_write(FILE *out, int64_t ns, struct bytes data, size_t wire_len);

/* A sequence of random numbers, the same everywhere. */
uint32_t test_random(uint64_t *state);

#endif
