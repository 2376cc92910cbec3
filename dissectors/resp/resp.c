/* dissectors/resp/resp.c - see resp.h. One connection: chunks of both directions in, into
 * the two value machines, whose tokens go to request.c and reply.c. */
#include "dissectors/resp/resp.h"

#include <stdlib.h>

#include "dissectors/resp/quick.h"
#include "dissectors/resp/reply.h"
#include "dissectors/resp/request.h"
#include "dissectors/resp/tell.h"

struct client_feed {
    struct feed *f;
    struct request_room *room;
};

static void client_token(void *ctx, const struct resp_token *t)
{
    const struct client_feed *c = ctx;

    request_token(c->f, c->room, t);
}

static size_t client_quick(void *ctx, struct bytes in, uint32_t *args, uint32_t *total)
{
    const struct client_feed *c = ctx;

    return quick_request(c->f, c->room, in, args, total);
}

static void client_broken(void *ctx, enum resp_broken what, uint64_t offset)
{
    const struct client_feed *c = ctx;

    tell_broken(c->f, TO_SERVER, what, offset);
}

static void server_token(void *ctx, const struct resp_token *t)
{
    reply_token(ctx, t);
}

static size_t server_quick(void *ctx, struct bytes in, uint32_t *args, uint32_t *total)
{
    *args = *total = 0;
    return quick_reply(ctx, in);
}

static void server_broken(void *ctx, enum resp_broken what, uint64_t offset)
{
    tell_broken(ctx, TO_CLIENT, what, offset);
}

/* Bytes were missed: what is paired from here on may be off by what was in them. */
static void unsure(struct feed *f, uint8_t coverage)
{
    struct resp_conn *conn = f->conn;

    reply_forget_all(f, coverage);
    conn->coverage |= coverage;
    conn->unsure = conn->never_whole = true;
    conn->matched = conn->multi = false;
    conn->db_multi = -1;
    conn->ahead = 0;
    conn->pair.lost = 0;
    conn->quiet = QUIET_NO;
}

static void client_lost(void *ctx)
{
    const struct client_feed *c = ctx;

    request_drop(c->f, c->room);
    unsure(c->f, 0);
}

static void server_lost(void *ctx)
{
    reply_abort(ctx);
    unsure(ctx, 0);
}

/* The first chunk of a direction. */
static void begin(struct feed *f)
{
    struct resp_conn *conn = f->conn;
    const struct chunk *c = f->chunk;

    if (conn->begun[c->dir] || c->kind == CHUNK_CLOSE)
        return;
    conn->begun[c->dir] = true;
    conn->way[c->dir].pos = c->offset;
    if (c->midstream) {
        conn->coverage |= COVER_MIDSTREAM;
        conn->unsure = conn->never_whole = true;
        resp_value_lose(&conn->way[c->dir]);
    }
}

static void found_again(struct feed *f, enum dir dir, bool was_lost)
{
    if (was_lost && !resp_value_lost(&f->conn->way[dir]))
        tally_add(f->out->tally, TALLY_dissect_resync, 1);
}

static void from_client(struct feed *f)
{
    struct resp_value *v = &f->conn->way[TO_SERVER];
    struct request_room room;
    struct client_feed to = {f, &room};
    struct resp_sink sink = {client_token, client_broken, client_lost, client_quick, &to};
    bool was_lost = resp_value_lost(v);

    request_enter(f, &room);
    switch (f->chunk->kind) {
    case CHUNK_DATA: resp_value_feed(v, f->chunk->data, &sink); break;
    case CHUNK_GAP:
        if (resp_value_gap(v, f->chunk->missing, &sink)) {
            resp_value_feed(v, bytes_of(NULL, 0), &sink);
        } else {
            request_cut(f, &room);
            unsure(f, COVER_GAP);
        }
        break;
    case CHUNK_CLOSE:
        resp_value_close(v, &sink);
        request_cut(f, &room);
        break;
    }
    request_leave(f, &room);
    found_again(f, TO_SERVER, was_lost);
}

/* SYNC was answered: its reply has no end. */
static void replication(struct feed *f)
{
    struct resp_conn *conn = f->conn;
    struct pair_entry e;

    if (conn->way[TO_CLIENT].state != RESP_IGNORE || conn->replica || conn->server_closed)
        return;
    conn->replica = true;
    if (pair_first_waiting(&conn->pair, &e)) {
        conn->reply.kind = RESP_STREAM_END;
        conn->reply.null = false;
        conn->reply.word_len = 0;
        reply_answered(f, &e);
        pair_pop_waiting(&conn->pair, conn->conf->budget);
    }
    reply_forget_all(f, 0);
    tell_unread(f, "redis-replication");
}

static void from_server(struct feed *f)
{
    struct resp_value *v = &f->conn->way[TO_CLIENT];
    struct resp_sink sink = {server_token, server_broken, server_lost, server_quick, f};
    bool was_lost = resp_value_lost(v);

    reply_enter(f);
    switch (f->chunk->kind) {
    case CHUNK_DATA: resp_value_feed(v, f->chunk->data, &sink); break;
    case CHUNK_GAP:
        if (resp_value_gap(v, f->chunk->missing, &sink)) {
            resp_value_feed(v, bytes_of(NULL, 0), &sink);
        } else {
            reply_abort(f);
            unsure(f, COVER_GAP);
        }
        break;
    case CHUNK_CLOSE:
        f->conn->server_closed = true;
        resp_value_close(v, &sink);
        reply_abort(f);
        reply_forget_all(f, 0);
        break;
    }
    if (f->chunk->kind == CHUNK_DATA)
        replication(f);
    reply_leave(f);
    found_again(f, TO_CLIENT, was_lost);
}

static enum dissect resp_feed(void *state, const struct chunk *c, const struct dissect_out *out)
{
    struct resp_conn *conn = state;
    struct feed f;

    f.conn = conn;
    f.out = out;
    f.chunk = c;
    f.request = NULL;
    f.has_entry = false;
    begin(&f);
    if (c->dir == TO_SERVER)
        from_client(&f);
    else
        from_server(&f);
    /* Nobody will answer any more. */
    if (c->kind == CHUNK_CLOSE && c->dir == TO_SERVER &&
        (!conn->begun[TO_CLIENT] || conn->server_closed))
        reply_forget_all(&f, 0);
    return resp_value_lost(&conn->way[c->dir]) ? DISSECT_LOST : DISSECT_GO;
}

static void resp_init(void *state, const struct dissect_conf *conf)
{
    struct resp_conn *conn = state;

    memset(conn, 0, sizeof *conn);
    conn->conf = conf;
    conn->db_multi = -1;
    resp_value_init(&conn->way[TO_SERVER], conf, true);
    resp_value_init(&conn->way[TO_CLIENT], conf, false);
    pair_init(&conn->pair);
}

static void resp_fini(void *state)
{
    struct resp_conn *conn = state;

    resp_value_free(&conn->way[TO_SERVER]);
    resp_value_free(&conn->way[TO_CLIENT]);
    request_free(conn);
    reply_free(conn);
    pair_free(&conn->pair, conn->conf->budget);
    free(conn->user);
    free(conn->lib);
}

static const uint16_t ports[] = {6379, 6380, 26379, 0};

const struct dissector resp_dissector = {
    .name = "redis",
    .ports = ports,
    .ndpi = "Redis",
    .state_size = sizeof(struct resp_conn),
    .probe = resp_probe,
    .hangs_up = resp_hangs_up,
    .init = resp_init,
    .feed = resp_feed,
    .fini = resp_fini,
};
