/* out/encode_stats.c - see encode_stats.h. */
#include "out/encode_stats.h"

#include <stdio.h>

#include "out/encoder.h"
#include "out/tree.h"

enum { PATH = 160 };

static void put_event(struct tree *t, struct encoder *e, int64_t ns)
{
    const char *dataset = emit_dataset(EMIT_STATS);
    char id[33];

    encode_digest(e, dataset, "statistics", ns, "", "", 0, 0, id);
    tree_time(t, "@timestamp", &e->clock, ns);
    tree_str(t, "ecs.version", ECS_VERSION);
    tree_str(t, "event.kind", "metric");
    tree_words(t, "event.category", "network");
    tree_words(t, "event.type", "info");
    tree_str(t, "event.id", id);
    tree_str(t, "event.action", "statistics");
    tree_str(t, "event.dataset", dataset);
}

static void put_under(struct tree *t, const char *name, const char *leaf, uint64_t n)
{
    char path[PATH];
    int len = snprintf(path, sizeof path, "celeriac.stats.%s%s", name, leaf);

    if (len < 0 || (size_t)len >= sizeof path)
        t->bad = true;
    else
        tree_u64(t, path, n);
}

static void put_counters(struct tree *t, const struct encode_stats *in)
{
    for (unsigned i = 0; in->tally && i < TALLY_COUNT; i++)
        put_under(t, tally_name((enum tally_id)i), "", in->tally->n[i]);
    put_under(t, "flow.open", "", in->open_flows);
    if (in->kernel.known) {
        put_under(t, "capture.kernel.received", "", in->kernel.received);
        put_under(t, "capture.kernel.dropped", "", in->kernel.dropped);
        put_under(t, "capture.kernel.dropped_by_interface", "", in->kernel.if_dropped);
    }
}

static void put_rules(struct tree *t, const struct encode_stats_rule *counts)
{
    for (unsigned i = 0; counts && i < RULE_COUNT; i++) {
        char path[PATH];
        if (counts[i].found == 0)
            continue;
        snprintf(path, sizeof path, "rules.%s", rules[i].id);
        put_under(t, path, ".found", counts[i].found);
        put_under(t, path, ".emitted", counts[i].emitted);
        put_under(t, path, ".suppressed", counts[i].suppressed);
    }
}

static json_t *one_output(struct tree *t, struct outputs *o, size_t i)
{
    struct sink_stats s;
    const char *name = outputs_name(o, i);
    json_t *out = json_object();

    outputs_stats(o, i, &s);
    json_object_set_new(out, "name", tree_string(t, bytes_of(name, strlen(name))));
    json_object_set_new(out, "written", json_integer((json_int_t)s.written));
    json_object_set_new(out, "lost", json_integer((json_int_t)s.lost));
    json_object_set_new(out, "lost_bytes", json_integer((json_int_t)s.lost_bytes));
    json_object_set_new(out, "waiting_bytes", json_integer((json_int_t)s.waiting_bytes));
    return out;
}

static void put_outputs(struct tree *t, struct outputs *o)
{
    json_t *list = json_array();

    for (size_t i = 0; i < outputs_count(o); i++)
        if (json_array_append_new(list, one_output(t, o, i)) != 0)
            t->bad = true;
    tree_put(t, "celeriac.stats.outputs", list);
}

bool encode_stats(struct encoder *e, const struct encode_stats *in, struct record *out)
{
    struct tree t;

    tree_begin(&t, &e->scratch);
    put_event(&t, e, in->at_ns);
    tree_observer(&t, e->conf.observer_name);
    put_counters(&t, in);
    put_rules(&t, in->rules);
    if (in->outputs)
        put_outputs(&t, in->outputs);
    *out = (struct record){.kind = EMIT_STATS};
    if (!tree_end(&t, &e->out))
        return false;
    out->text = text_view(&e->out);
    return true;
}
