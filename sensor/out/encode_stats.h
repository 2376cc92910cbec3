/* out/encode_stats.h - what every stage counted, as one record (event.kind metric). */
#ifndef OUT_ENCODE_STATS_H
#define OUT_ENCODE_STATS_H

#include "base/tally.h"
#include "out/encode.h"
#include "out/outputs.h"

struct encode_stats_rule {
    uint64_t found, emitted, suppressed;
};

/* As libpcap counts them (pcap_stats): what came, what found no room, what the device dropped. */
struct encode_stats_kernel {
    bool known;
    uint64_t received, dropped, if_dropped;
};

struct encode_stats {
    int64_t at_ns;             /* packet time */
    const struct tally *tally; /* of all stages together */
    size_t open_flows;
    struct outputs *outputs;               /* NULL: none is named */
    const struct encode_stats_rule *rules; /* RULE_COUNT of them, or NULL */
    struct encode_stats_kernel kernel;
};

/* Every counter under celeriac.stats by its dotted name, zero or not; rules that found something;
 * outputs with what they lost. The record's views are good until the next call. */
bool encode_stats(struct encoder *e, const struct encode_stats *in, struct record *out);

#endif
