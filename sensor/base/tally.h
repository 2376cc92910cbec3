/* base/tally.h - per-thread counters. One list makes the enum, the names and
 * the statistics record: whatever the sensor drops or gives up on has a line
 * here. A line is X(name, "dotted.name.in.the.record"). */
#ifndef BASE_TALLY_H
#define BASE_TALLY_H

#include <stdint.h>

#define TALLY_LIST(X)                                    \
    X(packets, "capture.packets")                        \
    X(packet_bytes, "capture.bytes")                     \
    X(packet_cut, "capture.cut_by_snaplen")              \
    X(decode_malformed, "decode.malformed")              \
    X(decode_other, "decode.not_tcp_or_udp")             \
    X(decode_linktype, "decode.unknown_linktype")        \
    X(decode_checksum, "decode.bad_checksum")            \
    X(decode_vlan, "decode.vlan")                        \
    X(decode_tunnel, "decode.tunnel")                    \
    X(encap_too_deep, "decode.encapsulation_too_deep")   \
    X(time_backwards, "decode.time_backwards")           \
    X(frag_seen, "defrag.fragments")                     \
    X(frag_whole, "defrag.datagrams")                    \
    X(frag_expired, "defrag.expired")                    \
    X(frag_dropped, "defrag.dropped")                    \
    X(frag_overlap, "defrag.overlap_differs")            \
    X(flow_new, "flow.created")                          \
    X(flow_closed, "flow.closed")                        \
    X(flow_idle, "flow.idle")                            \
    X(flow_evicted, "flow.evicted")                      \
    X(flow_one_way, "flow.one_way")                      \
    X(flow_encrypted, "flow.encrypted_broker")           \
    X(flow_unread, "flow.unread_protocol")               \
    X(udp_packets, "flow.udp_packets")                   \
    X(tcp_segments, "tcp.segments")                      \
    X(tcp_retransmit, "tcp.retransmitted")               \
    X(tcp_out_of_order, "tcp.out_of_order")              \
    X(tcp_overlap, "tcp.overlap_differs")                \
    X(tcp_gaps, "tcp.gaps")                              \
    X(tcp_gap_bytes, "tcp.gap_bytes")                    \
    X(tcp_late, "tcp.came_after_its_gap")                \
    X(tcp_midstream, "tcp.midstream")                    \
    X(tcp_park_full, "tcp.parked_limit")                 \
    X(tcp_outside, "tcp.outside_window")                 \
    X(ident_amqp, "ident.amqp")                          \
    X(ident_redis, "ident.redis")                        \
    X(ident_ndpi_yes, "ident.by_ndpi")                   \
    X(ident_port, "ident.by_port")                       \
    X(ident_gave_up, "ident.gave_up")                    \
    X(amqp_frames, "amqp.frames")                        \
    X(amqp_heartbeats, "amqp.heartbeats")                \
    X(amqp_unknown_method, "amqp.unknown_method")        \
    X(redis_values, "redis.values")                      \
    X(redis_pending_full, "redis.pending_limit")         \
    X(dissect_malformed, "dissect.malformed")            \
    X(dissect_resync, "dissect.resync")                  \
    X(item_clipped, "dissect.item_clipped")              \
    X(body_clipped, "dissect.body_clipped")              \
    X(channel_limit, "dissect.channel_limit")            \
    X(nesting_limit, "dissect.nesting_limit")            \
    X(taps, "content.taps")                              \
    X(tap_limit, "content.tap_limit")                    \
    X(unwrap_limit, "content.unwrap_limit")              \
    X(unwrap_failed, "content.unwrap_failed")            \
    X(arena_full, "message.arena_full")                  \
    X(budget_full, "message.budget_full")                \
    X(tasks, "celery.tasks")                             \
    X(results, "celery.results")                         \
    X(worker_events, "celery.worker_events")             \
    X(controls, "celery.controls")                       \
    X(signatures_verified, "celery.signatures_verified") \
    X(signatures_known, "celery.signatures_known")       \
    X(inventory_evicted, "inventory.evicted")            \
    X(inventory_lost, "inventory.lost")                  \
    X(ring_full_drop, "pipeline.ring_full")              \
    X(findings, "alerts.findings")                       \
    X(alerts, "alerts.emitted")                          \
    X(folded, "alerts.folded")                           \
    X(suppressed, "alerts.suppressed")

#define TALLY_ENUM(name, text) TALLY_##name,
enum tally_id { TALLY_LIST(TALLY_ENUM) TALLY_COUNT };
#undef TALLY_ENUM

struct tally {
    uint64_t n[TALLY_COUNT];
};

/* The dotted name of a counter. */
const char *tally_name(enum tally_id id);

static inline void tally_add(struct tally *t, enum tally_id id, uint64_t n)
{
    t->n[id] += n;
}

/* into += from, counter by counter. */
void tally_merge(struct tally *into, const struct tally *from);

#endif
