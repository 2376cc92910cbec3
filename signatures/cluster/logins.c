/* signatures/cluster/logins.c - a source whose credentials are refused again and again:
 * broker-login-bruteforce. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/lru.h"
#include "signatures/cluster/cluster.h"

#define SOURCES_MAX 65536u
#define TIMES       64u /* of every n-th refusal, where more are allowed than that */
#define DIFFERENT   3u  /* users or secrets from which on somebody is guessing */

struct source {
    int64_t times[TIMES]; /* a ring */
    int64_t last;
    uint64_t credentials[DIFFERENT];
    uint32_t n;    /* refusals since the window was last empty */
    uint16_t step; /* refusals since the last one noted in times[] */
    uint8_t next, different;
    bool told;
};

struct logins {
    struct lru *by_source;
    unsigned failures, every;
    int64_t window;
};

static void *open_logins(const struct policy *policy)
{
    struct logins *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    l->failures = policy->bruteforce.failures > 1 ? policy->bruteforce.failures : 2;
    l->every = (l->failures + TIMES - 1) / TIMES;
    l->window = policy->bruteforce.window_ns;
    l->by_source = lru_new(SOURCES_MAX, sizeof(struct source), NULL, NULL);
    if (l->by_source)
        return l;
    free(l);
    return NULL;
}

static void close_logins(void *self)
{
    struct logins *l = self;

    lru_free(l->by_source);
    free(l);
}

static uint64_t key_of(const struct msg *m)
{
    const struct endpoint *e = &m->conn->id.client;

    return hash_mix(hash_bytes(bytes_of(e->ip, sizeof e->ip), e->family), m->conn->id.network);
}

static void note_credential(struct source *s, const struct msg *m)
{
    uint64_t c =
        hash_mix(hash_bytes(msg_text(m, F_USER), 1), hash_bytes(msg_text(m, F_AUTH_SECRET), 2));

    for (unsigned i = 0; i < s->different; i++)
        if (s->credentials[i] == c)
            return;
    if (s->different < DIFFERENT)
        s->credentials[s->different++] = c;
}

/* Whether `failures` refusals lie within the window that ends now. */
static bool note_time(const struct logins *l, struct source *s, int64_t now)
{
    unsigned need = l->failures / l->every, back;

    if (s->n > 0 && now - s->last > l->window)
        *s = (struct source){0};
    s->n++;
    s->last = now;
    if (++s->step < l->every && s->n > 1)
        return s->told;
    s->step = 0;
    s->times[s->next] = now;
    back = (s->next + TIMES - (need - 1)) % TIMES;
    s->next = (uint8_t)((s->next + 1) % TIMES);
    return s->n >= l->failures && now - s->times[back] <= l->window;
}

static void say(const struct msg *m, const struct source *s, enum severity severity,
                const char *why, const struct detect_out *out)
{
    struct finding f;

    finding_init(&f, RULE_BROKER_LOGIN_BRUTEFORCE, severity);
    finding_reason(&f, "%s", why);
    finding_num(&f, "refused", s->n);
    finding_num(&f, "different", s->different);
    if (msg_has(m, F_AUTH_MECHANISM))
        finding_text(&f, "mechanism", msg_text(m, F_AUTH_MECHANISM));
    out->emit(out->ctx, m, &f);
}

static void refused(const struct logins *l, struct source *s, const struct msg *m,
                    const struct detect_out *out)
{
    bool many = note_time(l, s, m->at.ns);

    note_credential(s, m);
    if (!many)
        return;
    s->told = true;
    if (s->different >= DIFFERENT)
        say(m, s, SEV_HIGH, "many refused logins of one source: somebody guesses credentials", out);
    else
        say(m, s, SEV_LOW, "a client is misconfigured: its credential is refused over and over",
            out);
}

static void accepted(struct logins *l, const struct msg *m, const struct detect_out *out)
{
    struct source *s = lru_get(l->by_source, key_of(m));

    if (!s || !s->told || m->at.ns - s->last > l->window)
        return;
    if (s->different >= DIFFERENT)
        say(m, s, SEV_CRITICAL, "a login succeeded after many that were refused to this source",
            out);
    *s = (struct source){0};
}

/* Refused after an accepted login (vhost), without a credential (-NOAUTH), by a server that has no
 * password or did not understand: none of these is a guess. */
static bool is_guess(const struct msg *m)
{
    return msg_is(m, F_OUTCOME, "failure") && msg_has(m, F_AUTH_SECRET) && !msg_has(m, F_AUTH_NAME);
}

static void note(void *self, const struct msg *m, const struct detect_out *out)
{
    struct logins *l = self;
    struct source *s;
    bool fresh;

    if (msg_is(m, F_OUTCOME, "success")) {
        accepted(l, m, out);
        return;
    }
    if (!is_guess(m))
        return;
    s = lru_put(l->by_source, key_of(m), &fresh);
    if (s)
        refused(l, s, m, out);
}

const struct cluster_detector logins_detector = {
    .name = "logins",
    .wants = MSG_LOGIN,
    .open = open_logins,
    .note = note,
    .close = close_logins,
};
