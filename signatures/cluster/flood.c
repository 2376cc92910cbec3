/* signatures/cluster/flood.c - producers that publish far more than they ever did: task-flood. An
 * address is compared with its own highest window so far: what it did once, at whatever hour, it
 * may do again. What a worker sends on account of a task that it took is that task's affair. */
#include "base/hash.h"
#include "signatures/baseline.h"
#include "signatures/cluster/deployment.h"
#include "signatures/cluster/topology.h"

#define PRODUCERS_MAX 65536u
#define SECOND        INT64_C(1000000000)

enum { ALL, FAR, COUNTS };

/* Halves of a window: what is counted now, and what came before. A window is two halves that follow
 * each other, so that a flood is not cut in two by where windows happen to begin. */
enum { NOW, LAST, OLDER, HALVES };

struct producer {
    int64_t first, half; /* begin of the half that is open */
    uint64_t n[COUNTS][HALVES];
    uint64_t most[COUNTS]; /* of windows that had ended when LAST began */
    uint8_t told[COUNTS];  /* for so many halves yet */
};

struct lru *flood_new(void)
{
    return lru_new(PRODUCERS_MAX, sizeof(struct producer), NULL, NULL);
}

static bool digits(struct bytes text, size_t at, size_t n, int64_t *out)
{
    *out = 0;
    if (text.len < at + n)
        return false;
    for (size_t i = at; i < at + n; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        *out = *out * 10 + (text.at[i] - '0');
    }
    return true;
}

/* Days from 1970-01-01 of a date of the Gregorian calendar. */
static int64_t days(int64_t year, int64_t month, int64_t day)
{
    int64_t y = year - (month <= 2), era = y / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Seconds since the epoch of "2026-11-25T03:00:00.5+01:00"; without an offset it is UTC, Celery's
 * own choice (celery:app/amqp.py:AMQP.as_task_v2). INT64_MIN: no such text. */
static int64_t when(struct bytes text)
{
    int64_t year, month, day, hour, minute, second, h = 0, min = 0, at;
    size_t i = 19;

    if (!digits(text, 0, 4, &year) || !digits(text, 5, 2, &month) || !digits(text, 8, 2, &day) ||
        !digits(text, 11, 2, &hour) || !digits(text, 14, 2, &minute) ||
        !digits(text, 17, 2, &second))
        return INT64_MIN;
    at = days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    while (i < text.len && text.at[i] != '+' && text.at[i] != '-')
        i++;
    if (digits(text, i + 1, 2, &h) && digits(text, i + 4, 2, &min))
        at += (text.at[i] == '-' ? 1 : -1) * (h * 3600 + min * 60);
    return at;
}

/* Python reads other forms too ("20991231T000000"), which no Celery writes: they count. */
static bool is_far(const struct msg *m, const struct policy *policy)
{
    struct bytes eta = msg_text(m, F_TASK_ETA);
    int64_t at = eta.len > 0 ? when(eta) : 0;

    return at == INT64_MIN || at - m->at.ns / SECOND > policy->flood.far_ns / SECOND;
}

/* A retry, or what a task that this address took sends on. */
static bool is_of_a_task(struct deployment *d, const struct msg *m)
{
    struct bytes of[] = {msg_text(m, F_TASK_PARENT_ID), msg_text(m, F_TASK_ROOT_ID),
                         msg_text(m, F_TASK_ID)};
    uint64_t host = crew_host_id(m), scope = topology_scope(m);
    const struct host *h = crew_find(&d->crew, m, host);
    const struct ledger_task *t;

    for (size_t i = 0; h && h->took && i < 3; i++) {
        t = of[i].len > 0 ? ledger_find(d->ledger, tasks_id(of[i]), scope, m->at.ns) : NULL;
        if (t && ledger_took(t, host))
            return true;
    }
    return false;
}

static bool counts(struct deployment *d, const struct msg *m, const struct policy *policy)
{
    if (policy->flood.window_ns <= 0 || !tasks_is_published(d, m))
        return false;
    return !baseline_lists(policy->baseline, BASELINE_SCHEDULERS, &m->conn->id.client) &&
           !baseline_lists(policy->baseline, BASELINE_RELAYS, &m->conn->id.client) &&
           !is_of_a_task(d, m);
}

static void next_half(struct producer *p)
{
    for (int i = 0; i < COUNTS; i++) {
        uint64_t window = p->n[i][OLDER] + p->n[i][LAST];

        if (window > p->most[i])
            p->most[i] = window;
        p->n[i][OLDER] = p->n[i][LAST];
        p->n[i][LAST] = p->n[i][NOW];
        p->n[i][NOW] = 0;
        if (p->told[i] > 0)
            p->told[i]--;
    }
}

static void follow(struct producer *p, int64_t now, int64_t half)
{
    int64_t ended = (now - p->half) / half;

    for (int64_t i = 0; i < ended && i <= HALVES; i++)
        next_half(p);
    if (ended > 0)
        p->half += ended * half;
}

static void judge(struct producer *p, int which, const struct msg *m, const struct detect_out *out)
{
    const struct policy *policy = out->policy;
    uint64_t floor = which == FAR ? policy->flood.far_floor : policy->flood.floor;
    uint64_t most = p->most[which] > 0 ? p->most[which] : 1;
    uint64_t n = p->n[which][NOW] + p->n[which][LAST];
    struct finding f;

    if (floor == 0 || n < floor || n / policy->flood.factor < most || p->told[which] ||
        m->at.ns - p->first < policy->flood.settle_ns)
        return;
    p->told[which] = 2;
    finding_init(&f, RULE_TASK_FLOOD, SEV_MEDIUM);
    finding_reason(&f, which == FAR
                           ? "a producer sends far more tasks for a distant time than before"
                           : "a producer sends far more tasks than it ever did");
    finding_num(&f, "tasks", (int64_t)n);
    finding_num(&f, "most_before", (int64_t)p->most[which]);
    finding_num(&f, "window_seconds", policy->flood.window_ns / SECOND);
    f.fold_class = (uint64_t)which;
    out->emit(out->ctx, m, &f);
}

void flood_note(struct deployment *d, const struct msg *m, const struct detect_out *out)
{
    int64_t half = out->policy->flood.window_ns / 2;
    struct producer *p;
    bool fresh;

    if (!counts(d, m, out->policy))
        return;
    p = lru_put(d->producers, hash_mix(topology_scope(m), crew_host_id(m)), &fresh);
    if (!p)
        return;
    if (fresh)
        p->first = p->half = m->at.ns;
    follow(p, m->at.ns, half);
    p->n[ALL][NOW]++;
    judge(p, ALL, m, out);
    if (is_far(m, out->policy)) {
        p->n[FAR][NOW]++;
        judge(p, FAR, m, out);
    }
}
