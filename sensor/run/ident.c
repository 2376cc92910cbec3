/* run/ident.c - the order of opinions.
 *
 * SURE of a probe decides alone. MAYBE needs a second one: the other direction's
 * MAYBE, nDPI, or, when nothing else can be had, the port. nDPI and ports alone
 * decide nothing.
 *
 * A client may begin with what its server passes over or turns down and goes on (an
 * empty line, a word that is no command, the hello of something else). So on a port of
 * ours a client's bytes alone neither rule its protocol out nor prove another one: the
 * server's word is awaited. */
#include "run/ident.h"

#include <stdlib.h>

#include "base/limits.h"
#include "run/second_opinion.h"
#include "run/unread.h"

struct held_chunk {
    struct held_chunk *next;
    struct chunk c; /* data points behind this struct */
};

struct head {
    uint8_t *bytes; /* the first in-order ones, contiguous */
    size_t len;
    size_t seen; /* held of this direction, heads and later pieces */
    bool start, asked_ndpi, ended;
};

struct ident_held {
    struct held_chunk *first, **last;
    struct head head[2];
    const char
        *unread;     /* the client's hello of a protocol that is not read; its answer is awaited */
    bool not_unread; /* the answer was none of that protocol's */
};

struct ident_engine {
    size_t max_held;
    size_t held; /* of all connections, at most LIMIT_IDENT_TOTAL */
    struct second_opinion *ndpi;
    struct tally *tally;
};

struct ident_engine *ident_engine_new(size_t max_held, bool ndpi_now, struct tally *tally)
{
    struct ident_engine *e = calloc(1, sizeof *e);

    if (!e)
        return NULL;
    e->max_held = max_held;
    e->tally = tally;
    e->ndpi = second_opinion_new(ndpi_now);
    return e;
}

void ident_engine_free(struct ident_engine *e)
{
    if (e)
        second_opinion_free(e->ndpi);
    free(e);
}

static struct ident_held *held_of(struct ident *id)
{
    if (!id->held) {
        id->held = calloc(1, sizeof *id->held);
        if (id->held)
            id->held->last = &id->held->first;
    }
    return id->held;
}

/* Keeps a copy of the chunk; false: too much is held already, or no memory. */
static bool hold(struct ident_engine *e, struct ident_held *h, const struct chunk *c)
{
    struct head *head = &h->head[c->dir];
    struct held_chunk *n;

    if (head->seen + c->data.len > e->max_held || e->held + c->data.len > LIMIT_IDENT_TOTAL)
        return false;
    n = malloc(sizeof *n + c->data.len);
    if (!n)
        return false;
    if (c->data.len > 0)
        memcpy(n + 1, c->data.at, c->data.len);
    n->next = NULL;
    n->c = *c;
    n->c.data.at = (const uint8_t *)(n + 1);
    *h->last = n;
    h->last = &n->next;
    head->seen += c->data.len;
    e->held += c->data.len;
    return true;
}

/* Adds to the contiguous first bytes of a direction; a gap ends them. */
static void lengthen(struct head *head, const struct chunk *c)
{
    uint8_t *more;

    if (c->kind != CHUNK_DATA) {
        head->ended = head->ended || head->len > 0;
        head->start = false;
        return;
    }
    if (head->ended)
        return;
    if (head->len == 0)
        head->start = !c->midstream && c->offset == 0;
    more = realloc(head->bytes, head->len + c->data.len);
    if (!more)
        return;
    memcpy(more + head->len, c->data.at, c->data.len);
    head->bytes = more;
    head->len += c->data.len;
}

static enum probe ask(const struct dissector *d, const struct ident_held *h, enum dir dir,
                      bool reversed)
{
    const struct head *head = &h->head[dir];

    if (head->len == 0)
        return PROBE_MORE;
    return d->probe(bytes_of(head->bytes, head->len), reversed ? dir_other(dir) : dir, head->start);
}

static bool port_fits(const struct dissector *d, const struct flow_id *flow, bool reversed)
{
    uint16_t port = reversed ? flow->client.port : flow->server.port;

    for (const uint16_t *p = d->ports; *p; p++)
        if (*p == port)
            return true;
    return false;
}

static bool port_of_another(const struct dissector *d, const struct flow_id *flow, bool reversed)
{
    for (const struct dissector *const *other = dissectors; *other; other++)
        if (*other != d && port_fits(*other, flow, reversed))
            return true;
    return false;
}

/* nDPI's word on this direction's data, asked at most once a direction. */
static bool ndpi_agrees(struct ident_engine *e, struct ident_held *h, enum dir dir,
                        const struct packet *pkt, const struct dissector *d)
{
    if (!pkt || h->head[dir].asked_ndpi || pkt->payload.len == 0)
        return false;
    h->head[dir].asked_ndpi = true;
    if (!second_opinion_says(e->ndpi, pkt, d->ndpi))
        return false;
    tally_add(e->tally, TALLY_ident_ndpi_yes, 1);
    return true;
}

struct opinion {
    enum probe way[2];
};

static bool says_sure(const struct opinion *o)
{
    return (o->way[0] == PROBE_SURE && o->way[1] != PROBE_NO) ||
           (o->way[1] == PROBE_SURE && o->way[0] != PROBE_NO);
}

static bool says_maybe(const struct opinion *o)
{
    return o->way[0] != PROBE_NO && o->way[1] != PROBE_NO &&
           (o->way[0] == PROBE_MAYBE || o->way[1] == PROBE_MAYBE);
}

static bool both_maybe(const struct opinion *o)
{
    return o->way[0] >= PROBE_MAYBE && o->way[1] >= PROBE_MAYBE;
}

static bool still_open(const struct opinion *o)
{
    return o->way[0] != PROBE_NO && o->way[1] != PROBE_NO;
}

/* One dissector, one assumption of who is the client. */
static enum ident_verdict weigh(struct ident_engine *e, struct ident_held *h,
                                const struct flow_id *flow, const struct dissector *d,
                                bool reversed, const struct chunk *c, const struct packet *pkt)
{
    struct opinion o = {{ask(d, h, TO_SERVER, reversed), ask(d, h, TO_CLIENT, reversed)}};
    enum dir client = reversed ? TO_CLIENT : TO_SERVER, server = dir_other(client);
    bool port = port_fits(d, flow, reversed);

    if (port && o.way[client] == PROBE_NO)
        o.way[client] = PROBE_MORE;
    if (says_sure(&o) && o.way[client] == PROBE_SURE && h->head[server].len == 0 &&
        port_of_another(d, flow, reversed))
        return IDENT_WAIT;
    if (says_sure(&o) || both_maybe(&o))
        return IDENT_FOUND;
    if (says_maybe(&o)) {
        if (ndpi_agrees(e, h, c->dir, pkt, d))
            return IDENT_FOUND;
        if (port) {
            tally_add(e->tally, TALLY_ident_port, 1);
            return IDENT_FOUND;
        }
    }
    return still_open(&o) ? IDENT_WAIT : IDENT_NONE;
}

/* Could the flow's first packet have told the client wrongly? Not when its start was seen. */
static bool may_be_reversed(const struct ident_held *h)
{
    return !h->head[TO_SERVER].start && !h->head[TO_CLIENT].start;
}

static enum ident_verdict ask_dissectors(struct ident_engine *e, struct ident_held *h,
                                         const struct flow_id *flow, const struct chunk *c,
                                         const struct packet *pkt, struct ident_answer *answer)
{
    enum ident_verdict all = IDENT_NONE;

    for (int reversed = 0; reversed <= (may_be_reversed(h) ? 1 : 0); reversed++) {
        for (const struct dissector *const *d = dissectors; *d; d++) {
            enum ident_verdict v = weigh(e, h, flow, *d, reversed != 0, c, pkt);

            if (v == IDENT_FOUND) {
                answer->found = *d;
                answer->reversed = reversed != 0;
                return v;
            }
            if (v == IDENT_WAIT && reversed == 0)
                all = IDENT_WAIT;
        }
    }
    return all;
}

/* The server's first bytes behind the hello of a protocol that is not read. */
static enum ident_verdict answer_unread(struct ident_held *h, struct bytes bytes,
                                        struct ident_answer *answer)
{
    enum { ENOUGH = 9 }; /* the longest answer that is known */

    if (unread_answer(h->unread, bytes)) {
        answer->unread = h->unread;
        return IDENT_UNREAD;
    }
    if (bytes.len < ENOUGH)
        return IDENT_WAIT;
    h->unread = NULL;
    h->not_unread = true;
    return IDENT_NONE;
}

/* Protocols that are named and not read: the client says hello, the server answers in kind. */
static enum ident_verdict ask_unread(struct ident_held *h, const struct chunk *c,
                                     struct ident_answer *answer)
{
    const struct head *head = &h->head[c->dir];
    struct bytes bytes = bytes_of(head->bytes, head->len);

    if (h->unread && c->dir == TO_CLIENT)
        return answer_unread(h, bytes, answer);
    if (!h->unread && !h->not_unread && c->dir == TO_SERVER && h->head[TO_CLIENT].len == 0)
        h->unread = unread_hello(bytes);
    if (!h->unread && !h->not_unread && unread_is_tls(bytes)) {
        answer->unread = "tls";
        return IDENT_UNREAD;
    }
    return h->unread ? IDENT_WAIT : IDENT_NONE;
}

/* On the port of a dissector whose server hangs up on what this client began with, the server hung
 * up, and said nothing before: there is no better sign to be had. */
static enum ident_verdict hung_up(const struct ident_held *h, const struct flow_id *flow,
                                  const struct chunk *c, struct ident_answer *answer)
{
    const struct head *head = &h->head[TO_SERVER];

    if (c->dir != TO_CLIENT || h->head[TO_CLIENT].len > 0 || !head->start || head->len == 0)
        return IDENT_NONE;
    for (const struct dissector *const *d = dissectors; *d; d++)
        if (port_fits(*d, flow, false) && (*d)->hangs_up &&
            (*d)->hangs_up(bytes_of(head->bytes, head->len))) {
            answer->found = *d;
            return IDENT_FOUND;
        }
    return IDENT_NONE;
}

/* No answer was seen, and none is waited for any longer: TLS is known by its hello, and on its
 * own port a client that filled what is held is taken for what it should be. */
static enum ident_verdict without_answer(const struct ident_held *h, const struct flow_id *flow,
                                         const struct chunk *c, struct ident_answer *answer)
{
    if (h->unread && strcmp(h->unread, "tls") == 0) {
        answer->unread = h->unread;
        return IDENT_UNREAD;
    }
    if (c->kind != CHUNK_DATA || !h->head[TO_SERVER].start || h->head[TO_CLIENT].len > 0)
        return IDENT_NONE;
    for (const struct dissector *const *d = dissectors; *d; d++)
        if (port_fits(*d, flow, false)) {
            answer->found = *d;
            return IDENT_FOUND;
        }
    return IDENT_NONE;
}

static enum ident_verdict judge(struct ident_engine *e, struct ident_held *h,
                                const struct flow_id *flow, const struct chunk *c,
                                const struct packet *pkt, struct ident_answer *answer)
{
    enum ident_verdict v;

    if (c->kind == CHUNK_CLOSE && h->unread)
        return without_answer(h, flow, c, answer);
    if (c->kind == CHUNK_CLOSE && hung_up(h, flow, c, answer) == IDENT_FOUND)
        return IDENT_FOUND;
    if (c->kind == CHUNK_DATA && (v = ask_unread(h, c, answer)) != IDENT_NONE)
        return v;
    return ask_dissectors(e, h, flow, c, pkt, answer);
}

enum ident_verdict ident_chunk(struct ident_engine *e, struct ident *id, const struct flow_id *flow,
                               const struct chunk *c, const struct packet *pkt,
                               struct ident_answer *answer)
{
    struct ident_held *h = held_of(id);
    enum ident_verdict v;

    *answer = (struct ident_answer){0};
    if (!h)
        return IDENT_NONE;
    lengthen(&h->head[c->dir], c);
    v = judge(e, h, flow, c, pkt, answer);
    if (v == IDENT_WAIT && !hold(e, h, c))
        v = without_answer(h, flow, c, answer);
    if (v == IDENT_NONE)
        tally_add(e->tally, TALLY_ident_gave_up, 1);
    return v;
}

static bool replay(struct ident_held *h, const struct chunk *last, chunk_fn *fn, void *ctx)
{
    bool go = true;

    for (struct held_chunk *n = h->first, *next; n; n = next) {
        next = n->next;
        go = go && fn && fn(ctx, &n->c);
        free(n);
    }
    return go && (!last || (fn && fn(ctx, last)));
}

bool ident_release(struct ident_engine *e, struct ident *id, const struct chunk *last, chunk_fn *fn,
                   void *ctx)
{
    struct ident_held *h = id->held;

    id->held = NULL;
    if (!h)
        return last && fn ? fn(ctx, last) : true;
    e->held -= h->head[0].seen + h->head[1].seen;
    bool go = replay(h, last, fn, ctx);
    free(h->head[0].bytes);
    free(h->head[1].bytes);
    free(h);
    return go;
}
