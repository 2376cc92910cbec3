/* run/statistics.c - counters from every stage, as a record and as words. */
#include "run/statistics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "out/encode_stats.h"
#include "run/signals.h"

struct statistics {
    const struct conf *conf;
    struct encoder *encoder;
    struct outputs *outputs;
    const struct collector *collector;
    struct capture *capture;
    int64_t next_ns;
    bool started;
};

struct statistics *statistics_new(const struct conf *conf, struct encoder *encoder,
                                  struct outputs *outputs, const struct collector *collector,
                                  struct capture *capture)
{
    struct statistics *s = calloc(1, sizeof *s);

    if (s)
        *s = (struct statistics){conf, encoder, outputs, collector, capture, 0, false};
    return s;
}

void statistics_free(struct statistics *s)
{
    free(s);
}

static bool is_due(struct statistics *s, int64_t now)
{
    if (!s->started) {
        s->started = true;
        s->next_ns = now + s->conf->stats_ns;
    }
    if (now < s->next_ns)
        return false;
    s->next_ns = now + s->conf->stats_ns;
    return true;
}

static void write_record(struct statistics *s, struct pipeline *p, struct stamp now)
{
    struct tally tally;
    size_t flows;
    struct record r;
    struct encode_stats_rule rule_counts[RULE_COUNT];
    const struct rule_counts *counts = collector_rules(s->collector);
    struct encode_stats in = {
        .at_ns = now.ns, .tally = &tally, .outputs = s->outputs, .rules = rule_counts};

    pipeline_tally(p, &tally, &flows);
    in.open_flows = flows;
    for (unsigned i = 0; i < RULE_COUNT; i++)
        rule_counts[i] =
            (struct encode_stats_rule){counts[i].found, counts[i].emitted, counts[i].suppressed};
    if (s->capture) {
        struct capture_stats c = capture_stats(s->capture);

        in.kernel = (struct encode_stats_kernel){true, c.received, c.dropped, c.if_dropped};
    }
    if (encode_stats(s->encoder, &in, &r))
        outputs_write(s->outputs, &r);
}

/* SIGUSR1: what is not zero, on standard error. */
static void print(struct pipeline *p)
{
    struct tally tally;
    size_t flows;

    pipeline_tally(p, &tally, &flows);
    fprintf(stderr, "celeriac: statistics\n  flow.open %zu\n", flows);
    for (unsigned i = 0; i < TALLY_COUNT; i++)
        if (tally.n[i] > 0)
            fprintf(stderr, "  %s %" PRIu64 "\n", tally_name((enum tally_id)i), tally.n[i]);
}

void statistics_tick(struct statistics *s, struct pipeline *p, struct stamp now, bool last)
{
    if ((is_due(s, now.ns) || last) && outputs_wants(s->outputs, EMIT_STATS))
        write_record(s, p, now);
    statistics_asked(p);
}

void statistics_asked(struct pipeline *p)
{
    if (signals_take_stats())
        print(p);
}

static void summary_rules(const struct rule_counts *counts)
{
    static const char *const severities[] = {"", "info", "low", "medium", "high", "critical"};

    for (unsigned severity = SEV_CRITICAL; severity >= SEV_INFO; severity--)
        for (unsigned i = 0; i < RULE_COUNT; i++)
            if (counts[i].found > 0 && rules[i].severity == severity)
                fprintf(stderr, "  %-9s %-28s %6" PRIu64 " found, %" PRIu64 " records\n",
                        severities[severity], rules[i].id, counts[i].found, counts[i].emitted);
}

/* What the operator has to know to trust the silence. */
static void summary_losses(const struct tally *t)
{
    static const struct {
        enum tally_id id;
        const char *words;
    } losses[] = {
        {TALLY_tcp_gaps, "gaps in TCP streams"},
        {TALLY_flow_one_way, "connections seen one way only"},
        {TALLY_flow_encrypted, "encrypted connections: blind"},
        {TALLY_packet_cut, "packets cut by the snaplen"},
        {TALLY_decode_malformed, "malformed packets"},
        {TALLY_decode_linktype, "packets of an unknown link type"},
        {TALLY_body_clipped, "bodies larger than is kept"},
    };

    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        if (t->n[losses[i].id] > 0)
            fprintf(stderr, "  %" PRIu64 " %s\n", t->n[losses[i].id], losses[i].words);
}

void statistics_summary(struct statistics *s, struct pipeline *p)
{
    struct tally t;
    size_t flows;

    if (s->conf->verbosity < 0 || !isatty(STDERR_FILENO))
        return;
    pipeline_tally(p, &t, &flows);
    fprintf(stderr,
            "%" PRIu64 " packets, %" PRIu64 " connections (%" PRIu64 " AMQP, %" PRIu64
            " Redis); %" PRIu64 " task messages, %" PRIu64 " results, %" PRIu64
            " worker events, %" PRIu64 " control messages\n",
            t.n[TALLY_packets], t.n[TALLY_flow_new], t.n[TALLY_ident_amqp], t.n[TALLY_ident_redis],
            t.n[TALLY_tasks], t.n[TALLY_results], t.n[TALLY_worker_events], t.n[TALLY_controls]);
    summary_rules(collector_rules(s->collector));
    summary_losses(&t);
}
