/* net/defrag.h - IPv4 and IPv6 reassembly (RFC 791, RFC 8200 4.5). The first
 * fragment wins where two overlap; if they disagree that is counted and said
 * in frag.conflict. Memory and age are bounded; the oldest goes first. */
#ifndef NET_DEFRAG_H
#define NET_DEFRAG_H

#include "base/tally.h"
#include "net/packet.h"

struct defrag;

struct defrag_conf {
    size_t max_bytes;   /* 0: LIMIT_FRAG_BYTES; everything counts, headers of ours too */
    int64_t max_age_ns; /* 0: LIMIT_FRAG_AGE_S; from the first fragment on */
};

/* `tally` is the caller's and outlives the table. NULL: no memory. */
struct defrag *defrag_new(const struct defrag_conf *conf, struct tally *tally);

/* Takes a packet for which decode said DECODE_FRAGMENT and copies what it
 * keeps. true: *whole is the datagram from its IP header on, without fragment
 * fields, good until the next call; then decode_ip(*whole, frag). A fragment
 * cut by the snaplen, or impossible, is dropped and counted. */
bool defrag_add(struct defrag *d, struct packet *frag, struct bytes *whole);

/* Gives up what is older than max_age_ns at packet time `now`. Optional:
 * defrag_add() does it too. */
void defrag_tick(struct defrag *d, struct stamp now);
void defrag_free(struct defrag *d);

#endif
