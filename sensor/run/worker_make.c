/* run/worker_make.c - see worker_parts.h. */
#include <stdlib.h>

#include "run/worker_parts.h"

/* Once for all messages: most are of interest to few. */
static void arrange(struct worker *w)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct asked *to = &w->asked[kind];
        size_t n = 0, k = 0;

        for (size_t i = 0; message_detectors[i] && n < ASKED_MAX; i++)
            if (message_detectors[i]->wants >> kind & 1u)
                to->detectors[n++] = message_detectors[i];
        for (size_t i = 0; interpreters[i] && k < ASKED_MAX; i++)
            if (interpreters[i]->reads >> kind & 1u)
                to->interpreters[k++] = interpreters[i];
    }
}

/* Hints for connections that began before the capture: every dissector's ports. */
static const uint16_t server_ports[] = {5672, 6379, 5671, 6380, 26379, 5673, 6378};

static void configure(struct worker *w, const struct conf *conf, unsigned share)
{
    const struct conf_limits *l = &conf->limits;

    w->budget = (struct budget){.limit = l->budget / share};
    w->dissect = (struct dissect_conf){
        .max_body = l->body,
        .max_item = l->item,
        .max_depth = (unsigned)l->nesting,
        .max_open = (unsigned)l->channels,
        .max_pending = (unsigned)l->pending,
        .max_elements = l->elements,
        .commands = (w->out.wants & WORKER_EVERY_COMMAND) != 0,
        .budget = &w->budget,
    };
}

static bool make(struct worker *w, const struct conf *conf, unsigned share, bool ndpi_now)
{
    const struct conf_limits *l = &conf->limits;
    struct flow_conf flows = {
        .max_flows = l->flows,
        .idle_ns = l->flow_idle_ns,
        .embryonic_ns = l->flow_embryonic_ns,
        .server_ports = server_ports,
        .server_port_n = sizeof server_ports / sizeof *server_ports,
    };
    struct tcp_conf tcp = {.max_parked = l->parked_total,
                           .max_per_dir = l->parked_per_dir,
                           .no_conflicts = true /* until stream-overlap-conflict is built */};

    configure(w, conf, share);
    w->flows = flow_table_new(&flows, sizeof(struct conn), worker_flow_gone, w, &w->tally);
    w->tcp_pool = tcp_pool_new(&tcp, &w->tally);
    w->ident = ident_engine_new(l->ident_held, ndpi_now, &w->tally);
    w->classifier = classifier_new(conf, share, &w->tally);
    if (w->classifier)
        w->dissect.taps = classifier_taps(w->classifier);
    w->arena = arena_new(l->arena);
    return w->flows && w->tcp_pool && w->ident && w->classifier && w->arena;
}

struct worker *worker_new(const struct conf *conf, unsigned share, bool ndpi_now,
                          const struct worker_out *out)
{
    struct worker *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    w->out = *out;
    w->policy = conf->policy;
    w->policy.baseline = NULL;
    w->baselines = conf->baselines;
    baselines_take(w->baselines, &w->policy.baseline);
    arrange(w);
    if (make(w, conf, share > 0 ? share : 1, ndpi_now))
        return w;
    worker_free(w);
    return NULL;
}

void worker_free(struct worker *w)
{
    if (!w)
        return;
    baselines_drop(w->baselines, &w->policy.baseline);
    if (w->flows)
        flow_table_free(w->flows);
    if (w->tcp_pool)
        tcp_pool_free(w->tcp_pool);
    free(w->waiting);
    ident_engine_free(w->ident);
    classifier_free(w->classifier);
    if (w->arena)
        arena_free(w->arena);
    free(w);
}
