/* run/ingest.c - decode, put fragments together, decode again, hash; and time. */
#include "run/ingest.h"

#include <stdlib.h>

#include "base/limits.h"
#include "net/decode.h"
#include "net/defrag.h"
#include "net/flow.h"
#include "run/clock.h"

struct ingest {
    struct ingest_out out;
    struct defrag *defrag;
    struct clock clock;
    struct stamp last;
    int64_t next_pulse;
    uint8_t hash_key[16];
    bool checksums;
    struct tally tally;
};

struct ingest *ingest_new(const struct conf *conf, const uint8_t hash_key[16],
                          const struct ingest_out *out)
{
    struct ingest *i = calloc(1, sizeof *i);
    struct defrag_conf defrag = {.max_bytes = conf->limits.frag_bytes,
                                 .max_age_ns = conf->limits.frag_age_ns};

    if (!i)
        return NULL;
    i->out = *out;
    memcpy(i->hash_key, hash_key, sizeof i->hash_key);
    i->checksums = conf->checksums;
    i->defrag = defrag_new(&defrag, &i->tally);
    if (i->defrag)
        return i;
    free(i);
    return NULL;
}

static void tick(struct ingest *i, struct stamp at)
{
    at.ns = i->clock.now;
    defrag_tick(i->defrag, at);
    i->out.tick(i->out.ctx, at);
}

static void pulse(struct ingest *i, struct stamp at)
{
    at.ns = i->clock.now;
    i->next_pulse = at.ns + PULSE_NS;
    i->out.pulse(i->out.ctx, at);
}

static void deliver(struct ingest *i, struct packet *p)
{
    if (p->vlan)
        tally_add(&i->tally, TALLY_decode_vlan, 1);
    if (p->network || p->depth > 1)
        tally_add(&i->tally, TALLY_decode_tunnel, 1);
    if (p->cut)
        tally_add(&i->tally, TALLY_packet_cut, 1);
    if (p->bad_checksum || (i->checksums && decode_checksum_bad(p)))
        tally_add(&i->tally, TALLY_decode_checksum, 1);
    p->hash = flow_hash(p, i->hash_key);
    i->out.packet(i->out.ctx, p);
}

/* A fragment may complete a datagram, and that one may be a fragment inside a tunnel. */
static enum decode_result defragment(struct ingest *i, struct packet *p)
{
    enum decode_result r = DECODE_FRAGMENT;
    struct bytes whole;

    for (unsigned n = 0; r == DECODE_FRAGMENT && n < LIMIT_ENCAP_DEPTH; n++) {
        tally_add(&i->tally, TALLY_frag_seen, 1);
        if (!defrag_add(i->defrag, p, &whole))
            return DECODE_FRAGMENT;
        r = decode_ip(whole, p);
    }
    return r;
}

static void count_other(struct ingest *i, enum decode_result r)
{
    switch (r) {
    case DECODE_UDP: tally_add(&i->tally, TALLY_udp_packets, 1); break;
    case DECODE_OTHER: tally_add(&i->tally, TALLY_decode_other, 1); break;
    case DECODE_MALFORMED: tally_add(&i->tally, TALLY_decode_malformed, 1); break;
    case DECODE_LINKTYPE: tally_add(&i->tally, TALLY_decode_linktype, 1); break;
    case DECODE_TOO_DEEP: tally_add(&i->tally, TALLY_encap_too_deep, 1); break;
    default: break;
    }
}

void ingest_frame(struct ingest *i, const struct raw_packet *raw)
{
    struct packet p;
    enum decode_result r;

    i->last = raw->at;
    tally_add(&i->tally, TALLY_packets, 1);
    tally_add(&i->tally, TALLY_packet_bytes, raw->wire_len);
    if (clock_see(&i->clock, raw->at.ns))
        tick(i, raw->at);
    if (i->clock.now >= i->next_pulse)
        pulse(i, raw->at);
    if (i->clock.backwards)
        tally_add(&i->tally, TALLY_time_backwards, 1);
    r = decode_frame(raw, &p);
    if (r == DECODE_FRAGMENT)
        r = defragment(i, &p);
    if (r == DECODE_TCP)
        deliver(i, &p);
    else
        count_other(i, r);
}

void ingest_idle(struct ingest *i, int64_t now_ns)
{
    struct stamp at = i->last;

    if (i->clock.started && now_ns - i->clock.now <= CLOCK_SECOND)
        return;
    if (clock_see(&i->clock, now_ns))
        tick(i, at);
    if (i->clock.now >= i->next_pulse)
        pulse(i, at);
}

struct stamp ingest_now(const struct ingest *i)
{
    struct stamp at = i->last;

    at.ns = i->clock.now;
    return at;
}

const struct tally *ingest_tally(const struct ingest *i)
{
    return &i->tally;
}

void ingest_free(struct ingest *i)
{
    if (i)
        defrag_free(i->defrag);
    free(i);
}
