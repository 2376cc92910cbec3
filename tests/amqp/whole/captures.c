/* tests/amqp/whole/captures.c - the public captures with AMQP in them: as many methods as
 * tshark counts; and the same captures with bytes lost and with late starts: nothing is said then
 * that the whole capture does not say, and never that the protocol was violated.
 *
 *     test_amqp_captures [FILE...]      counts of other captures */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

#include "dissectors/dissector.h"
#include "net/decode.h"
#include "net/tcp.h"

#define SHARED SOURCE_DIR "/../shared/pcaps/"

struct piece {
    struct chunk c;
    uint8_t *own;
};

struct conn {
    struct endpoint ends[2]; /* by direction */
    struct tcp tcp;
    struct piece *pieces;
    size_t n;
};

struct capture {
    struct conn *conns;
    size_t n;
    struct tally tally;
    struct tcp_pool *pool;
};

/* What was said, so that two runs can be compared: a key for each message. */
struct said {
    uint64_t *keys;
    size_t n;
    unsigned commands, envelopes, anomalies, logins;
};

static bool keep_chunk(void *ctx, const struct chunk *c)
{
    struct conn *conn = ctx;
    struct piece *p;

    conn->pieces = realloc(conn->pieces, (conn->n + 1) * sizeof *conn->pieces);
    p = &conn->pieces[conn->n++];
    p->c = *c;
    p->own = malloc(c->data.len ? c->data.len : 1);
    if (c->data.len)
        memcpy(p->own, c->data.at, c->data.len);
    p->c.data = bytes_of(p->own, c->data.len);
    return true;
}

static bool same_end(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && a->family == b->family && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

/* The server is who listens on the lower port. */
static struct conn *conn_of(struct capture *cap, const struct packet *p, enum dir *dir)
{
    *dir = p->dst.port < p->src.port ? TO_SERVER : TO_CLIENT;
    for (size_t i = cap->n; i-- > 0;)
        if (same_end(&cap->conns[i].ends[*dir], &p->src) &&
            same_end(&cap->conns[i].ends[dir_other(*dir)], &p->dst))
            return &cap->conns[i];
    cap->conns = realloc(cap->conns, (cap->n + 1) * sizeof *cap->conns);
    struct conn *c = &cap->conns[cap->n++];
    memset(c, 0, sizeof *c);
    c->ends[*dir] = p->src;
    c->ends[dir_other(*dir)] = p->dst;
    tcp_init(&c->tcp, 0);
    return c;
}

static bool capture_read(struct capture *cap, const char *path)
{
    char err[PCAP_ERRBUF_SIZE];
    struct tcp_conf conf = {.no_conflicts = true};
    struct pcap_pkthdr *head;
    const u_char *data;
    pcap_t *pcap = pcap_open_offline(path, err);
    uint64_t number = 0;

    memset(cap, 0, sizeof *cap);
    if (!pcap)
        return false;
    cap->pool = tcp_pool_new(&conf, &cap->tally);
    while (pcap_next_ex(pcap, &head, &data) == 1) {
        struct raw_packet raw = {.at = {.ordinal = ++number},
                                 .data = bytes_of(data, head->caplen),
                                 .wire_len = head->len,
                                 .linktype = pcap_datalink(pcap)};
        struct packet p;
        enum dir dir;
        if (decode_frame(&raw, &p) != DECODE_TCP)
            continue;
        struct conn *c = conn_of(cap, &p, &dir);
        tcp_input(&c->tcp, cap->pool, dir, &p, keep_chunk, c);
    }
    pcap_close(pcap);
    for (size_t i = 0; i < cap->n; i++)
        tcp_finish(&cap->conns[i].tcp, cap->pool, (struct stamp){0}, keep_chunk, &cap->conns[i]);
    return true;
}

static void capture_free(struct capture *cap)
{
    for (size_t i = 0; i < cap->n; i++) {
        for (size_t k = 0; k < cap->conns[i].n; k++)
            free(cap->conns[i].pieces[k].own);
        free(cap->conns[i].pieces);
    }
    free(cap->conns);
    tcp_pool_free(cap->pool);
}

/* What must not be made up: kind, side, place, content; of an envelope its body when it is whole.
 */
static uint64_t key_of(const struct msg *m)
{
    uint64_t h = m->kind * 31u + m->dir;

    h = h * 1099511628211u + m->offset;
    if (m->kind == MSG_ENVELOPE && !(m->coverage & COVER_GAP) && !m->content->clipped)
        for (size_t i = 0; i < m->content->body.len; i++)
            h = (h ^ m->content->body.at[i]) * 1099511628211u;
    for (const char *a = m->kind == MSG_COMMAND ? m->action : ""; *a; a++)
        h = (h ^ (uint8_t)*a) * 1099511628211u;
    return h;
}

static void on_msg(void *ctx, const struct msg *m)
{
    struct said *s = ctx;

    s->commands += m->kind == MSG_COMMAND;
    s->envelopes += m->kind == MSG_ENVELOPE;
    s->anomalies += m->kind == MSG_ANOMALY;
    s->logins += m->kind == MSG_LOGIN;
    if (m->kind == MSG_COMMAND ||
        (m->kind == MSG_ENVELOPE && !(m->coverage & (COVER_GAP | COVER_CLIPPED)))) {
        s->keys = realloc(s->keys, (s->n + 1) * sizeof *s->keys);
        s->keys[s->n++] = key_of(m);
    }
}

static uint32_t dice(uint32_t *state)
{
    return *state = *state * 1664525u + 1013904223u, *state >> 8;
}

struct harm {
    uint32_t dice; /* 0: none; else bytes are lost by it */
    size_t skip;   /* pieces before a late start */
};

/* Loses the tail, the head or all of a piece now and then. */
static void lose(struct harm *h, struct bytes *data, uint64_t *gap)
{
    uint32_t d = h->dice ? dice(&h->dice) : 1;

    if (!h->dice || d % 7 != 0 || data->len == 0)
        return;
    *gap = d / 7 % 3 == 0 ? data->len : 1 + dice(&h->dice) % data->len;
    if (d / 7 % 3 == 1)
        bytes_cut(data, (size_t)*gap);
    else
        *data = bytes_head(*data, data->len - (size_t)*gap);
}

struct play {
    void *state;
    struct dissect_out out;
    bool left;
};

static void feed(struct play *p, const struct chunk *c)
{
    if (!p->left)
        p->left = amqp_dissector.feed(p->state, c, &p->out) == DISSECT_LEAVE;
    arena_reset(p->out.arena);
}

static void feed_gap(struct play *p, struct chunk c, uint64_t offset, uint64_t missing)
{
    c.kind = CHUNK_GAP;
    c.data = (struct bytes){0};
    c.offset = offset;
    c.missing = missing;
    if (missing > 0)
        feed(p, &c);
}

static void play_piece(struct play *p, const struct chunk *whole, struct harm *harm)
{
    struct chunk c = *whole;
    uint64_t gap = 0;

    if (harm->skip > 0)
        c.midstream = true;
    if (c.kind != CHUNK_DATA) {
        feed(p, &c);
        return;
    }
    lose(harm, &c.data, &gap);
    bool first = c.data.at != whole->data.at;
    if (first)
        feed_gap(p, c, c.offset, gap);
    c.offset += first ? gap : 0;
    if (c.data.len > 0)
        feed(p, &c);
    if (!first)
        feed_gap(p, c, c.offset + c.data.len, gap);
}

static void play(const struct conn *conn, struct harm harm, struct said *said)
{
    struct tally tally = {{0}};
    struct budget budget = {.limit = 1u << 28};
    struct dissect_conf conf = {.max_body = 16u << 20,
                                .max_item = 1u << 16,
                                .max_depth = 32,
                                .max_open = 256,
                                .max_elements = 1u << 20,
                                .commands = true,
                                .budget = &budget};
    struct play p = {.state = calloc(1, amqp_dissector.state_size)};

    p.out = (struct dissect_out){
        .arena = arena_new(16u << 20), .tally = &tally, .emit = on_msg, .ctx = said};
    amqp_dissector.init(p.state, &conf);
    for (size_t i = harm.skip; i < conn->n; i++)
        play_piece(&p, &conn->pieces[i].c, &harm);
    amqp_dissector.fini(p.state);
    if (budget.used > 0)
        abort();
    free(p.state);
    arena_free(p.out.arena);
}

/* One of the first bytes says so, either way. */
static bool is_amqp(const struct conn *conn)
{
    for (size_t i = 0; i < conn->n && i < 8; i++) {
        const struct chunk *c = &conn->pieces[i].c;
        if (c->kind == CHUNK_DATA &&
            amqp_dissector.probe(c->data, c->dir, !c->midstream && c->offset == 0) == PROBE_SURE)
            return true;
    }
    return false;
}

static bool among(const struct said *all, uint64_t key)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->keys[i] == key)
            return true;
    return false;
}

static unsigned check_harmed(const struct conn *conn, const struct said *all, struct harm harm,
                             const char *path)
{
    struct said some = {0};
    unsigned bad = 0;

    play(conn, harm, &some);
    for (size_t i = 0; i < some.n; i++)
        bad += !among(all, some.keys[i]);
    if (bad > 0 || some.anomalies > 0)
        printf("%s: dice %u skip %zu: %u made up, %u anomalies\n", path, harm.dice, harm.skip, bad,
               some.anomalies);
    free(some.keys);
    return bad + some.anomalies;
}

static unsigned check_conn(const struct conn *conn, struct said *total, const char *path)
{
    struct said all = {0};
    unsigned bad = 0;

    if (!is_amqp(conn))
        return 0;
    play(conn, (struct harm){0}, &all);
    for (uint32_t dice = 1; dice < 40; dice++)
        bad += check_harmed(conn, &all, (struct harm){.dice = dice * 2654435761u}, path);
    for (size_t skip = 1; skip < conn->n && skip < 200; skip++)
        bad += check_harmed(conn, &all, (struct harm){.skip = skip}, path);
    total->commands += all.commands;
    total->envelopes += all.envelopes;
    total->anomalies += all.anomalies;
    total->logins += all.logins;
    free(all.keys);
    return bad;
}

/* methods, messages (content headers): what tshark 4.0 counts. Logins: a tune each, and
 * two refusals by 530 in the first. */
static const struct expect {
    const char *path;
    unsigned methods, messages, logins;
} expected[] = {
    {SHARED "deepflowio+deepflow/amqp-error.pcap", 43, 2, 6},
    {SHARED "deepflowio+deepflow/amqp1.pcap", 34, 2, 2},
    {SHARED "deepflowio+deepflow/amqp2.pcap", 12, 2, 1},
    {SHARED "deepflowio+deepflow/amqp3.pcap", 11, 1, 1},
    {SHARED "elastic+beats_via_andrewkroh/amqp_channel_error.pcap", 14, 0, 1},
    {SHARED "elastic+beats_via_andrewkroh/amqp_emit_receive.pcap", 32, 2, 2},
    {SHARED "elastic+beats_via_andrewkroh/amqp_publish.pcap", 15, 1, 1},
    {SHARED "kpvdr+amqpAnalyze/amqp_type_test.boolean.pcapng", 0, 0, 0},
};

/* 0 fine, 1 wrong, 77 not there. */
static int check_capture(const struct expect *e, bool report)
{
    struct capture cap;
    struct said total = {0};
    unsigned bad = 0;

    if (!capture_read(&cap, e->path))
        return 77;
    for (size_t i = 0; i < cap.n; i++)
        bad += check_conn(&cap.conns[i], &total, e->path);
    capture_free(&cap);
    bool wrong = total.commands != e->methods || total.envelopes != e->messages ||
                 total.logins != e->logins || total.anomalies > 0;
    if (report || wrong)
        printf("%s: %u methods, %u messages, %u logins, %u anomalies\n", e->path, total.commands,
               total.envelopes, total.logins, total.anomalies);
    return bad > 0 || (wrong && !report);
}

int main(int argc, char **argv)
{
    int bad = 0, absent = 0;

    for (int i = 1; i < argc; i++)
        bad += check_capture(&(struct expect){.path = argv[i]}, true);
    for (size_t i = 0; argc < 2 && i < sizeof expected / sizeof *expected; i++) {
        int r = check_capture(&expected[i], false);
        absent += r == 77;
        bad += r == 1;
    }
    if (absent > 0 && bad == 0) {
        printf("SKIP: %d public captures are not there\n", absent);
        return 77;
    }
    return bad > 0;
}
