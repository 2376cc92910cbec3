/* support/pcap_walk.h - the TCP payloads of a small capture, for tests of this dissector
 * alone: Ethernet, NULL and raw IPv4 and IPv6, pcap and pcapng in either byte order. Segments in
 * the order of the file: what is old is passed over, what is missing is a gap. */
#ifndef TESTS_RESP_PCAP_WALK_H
#define TESTS_RESP_PCAP_WALK_H

#include "base/wire.h"

#define WALK_FLOWS 4096

struct walk_flow {
    uint8_t ends[36]; /* addresses and ports, client first */
    void *user;
    uint64_t offset[2];
    uint32_t next[2];
    bool seen[2], syn[2];
};

struct walk {
    struct walk_flow flows[WALK_FLOWS];
    size_t n_flows;
    /* The chunk is of flow->user's connection. CHUNK_CLOSE comes for both directions at the end. */
    void (*chunk)(void *ctx, struct walk_flow *flow, const struct chunk *c);
    void *ctx;
    uint64_t packets;
};

/* Ports of servers, 0-terminated: who they belong to is the server where no SYN says it.
 * false: the file cannot be read. */
bool walk_file(struct walk *w, const char *path, const uint16_t *ports);

#endif
