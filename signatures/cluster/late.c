/* signatures/cluster/late.c - what is said of a client that takes tasks waits: that bytes to it
 * were lost, and among them perhaps the delivery that excuses it, is known only when it
 * acknowledges them (RFC 1122, 4.2.3.2: within half a second). */
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/waiting.h"

#define WAITING_MAX 1024u
#define JUDGE_NS    (1 * INT64_C(1000000000))

struct waiting *late_new(void)
{
    return waiting_new(WAITING_MAX);
}

bool late_excuses(struct deployment *d, const struct msg *m, uint64_t host)
{
    int64_t lost = crew_lost(&d->crew, host);

    return lost != 0 && lost + JUDGE_NS >= m->at.ns;
}

void late_say(struct deployment *d, const struct msg *m, struct finding *f,
              const struct detect_out *out)
{
    if (!crew_takes(&d->crew, crew_host_id(m)) || !waiting_add(d->late, m, f))
        out->emit(out->ctx, m, f);
}

static void judge_until(struct deployment *d, int64_t until, const struct detect_out *out)
{
    struct flat_view v;
    struct finding f;
    uint64_t host;

    while (waiting_next(d->late, until, &v, &host))
        if (!late_excuses(d, &v.m, host) && flat_finding(&v, &f))
            out->emit(out->ctx, &v.m, &f);
}

void late_tick(struct deployment *d, struct stamp now, const struct detect_out *out)
{
    judge_until(d, now.ns - JUDGE_NS, out);
}

void late_finish(struct deployment *d, const struct detect_out *out)
{
    judge_until(d, INT64_MAX, out);
}
