/* dissectors/resp/request.c - see request.h. */
#include "dissectors/resp/request.h"

#include <stdlib.h>

#include "dissectors/resp/pending.h"
#include "dissectors/resp/tell.h"

static void fresh(struct feed *f, struct request_room *room)
{
    struct request *r = &room->request;

    r->at = room->at;
    r->more = room->more;
    r->cap = ARGS_MAX;
    r->n = r->total = r->skipped = r->told = r->saved = 0;
    r->bytes = 0;
    r->command = NULL;
    r->open = r->heap = r->gap = r->inlined = r->http = false;
    keep_init(&r->buf, UINT32_MAX, f->conn->conf->budget);
    keep_init(&r->owners, LIST_KEYS, f->conn->conf->budget);
    f->request = r;
}

void request_enter(struct feed *f, struct request_room *room)
{
    fresh(f, room);
    if (f->conn->request)
        f->request = f->conn->request;
    f->conn->request = NULL;
}

static void wipe(struct keep *k)
{
    if (k->data)
        explicit_bzero(k->data, k->len);
    keep_free(k);
}

static void end_taps(const struct resp_conn *conn, struct request *r)
{
    for (uint32_t i = 0; i < r->n; i++)
        tap_end(conn->conf->taps, &r->more[i].tap);
}

static void discard(const struct resp_conn *conn, struct request *r)
{
    end_taps(conn, r);
    wipe(&r->buf);
    keep_free(&r->owners);
    if (r->heap)
        free(r);
}

void request_free(struct resp_conn *conn)
{
    if (conn->request)
        discard(conn, conn->request);
    conn->request = NULL;
}

static void copy_arg(struct request *r, uint32_t i)
{
    size_t from = r->buf.len;

    keep_add(&r->buf, r->at[i]);
    r->more[i].stored = (uint32_t)from;
    r->at[i].len = r->buf.len - from;
}

/* Views of all arguments, for as long as nothing is added. */
static void resolve(struct request *r)
{
    struct bytes kept = keep_view(&r->buf);

    if (kept.len == 0)
        return;
    for (uint32_t i = 0; i < r->n; i++) {
        struct bytes from = kept;
        if (r->more[i].stored == ARG_VIEW)
            continue;
        bytes_cut(&from, r->more[i].stored);
        r->at[i] = bytes_head(from, r->at[i].len);
    }
}

/* Arrays of `cap` arguments behind a request of its own; NULL: no memory. */
static struct request *on_heap(const struct request *r, uint32_t cap)
{
    struct request *h = malloc(sizeof *h + cap * (sizeof *h->at + sizeof *h->more));

    if (!h)
        return NULL;
    *h = *r;
    h->at = (struct bytes *)(h + 1);
    h->more = (struct arg_more *)(h->at + cap);
    h->cap = cap;
    h->heap = true;
    if (r->n > 0) {
        memcpy(h->at, r->at, r->n * sizeof *h->at);
        memcpy(h->more, r->more, r->n * sizeof *h->more);
    }
    return h;
}

void request_leave(struct feed *f, struct request_room *room)
{
    struct request *r = f->request;

    if (!r->open)
        return;
    for (; r->saved < r->n; r->saved++)
        if (r->more[r->saved].stored == ARG_VIEW)
            copy_arg(r, r->saved);
    if (!r->heap) {
        uint32_t cap = r->n < 8 ? 8 : r->n;
        struct request *h = on_heap(r, cap);
        if (!h) {
            end_taps(f->conn, r);
            wipe(&r->buf);
            keep_free(&r->owners);
            fresh(f, room);
            return;
        }
        r = h;
    }
    f->conn->request = r;
}

/* The next request starts from nothing. */
static void over(struct feed *f, struct request_room *room)
{
    discard(f->conn, f->request);
    fresh(f, room);
}

static bool make_room(struct feed *f)
{
    struct request *r = f->request, *more;

    if (r->n < r->cap)
        return true;
    more = on_heap(r, r->cap < ARGS_MAX / 2 ? r->cap * 2 : ARGS_MAX);
    if (!more)
        return false;
    free(r);
    f->request = more;
    return true;
}

static void trim(struct request *r, uint32_t i)
{
    r->at[i] = bytes_head(r->at[i], ARGS_TRIM);
    r->more[i].stored = ARG_VIEW;
}

/* The values so far are told; the first arguments and the last one stay. */
static void condense(struct feed *f)
{
    struct request *r = f->request;
    struct keep was = r->buf;
    uint32_t last = r->n - 1;

    resolve(r);
    request_lay_out(r);
    request_values(f, r);
    if (last > ARGS_FIRST)
        pending_dropped(f, r, ARGS_FIRST, last);
    end_taps(f->conn, r);
    for (uint32_t i = 0; i < ARGS_FIRST && i < r->n; i++)
        trim(r, i);
    if (last >= ARGS_FIRST) {
        r->skipped += last - ARGS_FIRST;
        r->at[ARGS_FIRST] = r->at[last];
        r->more[ARGS_FIRST] = r->more[last];
        trim(r, ARGS_FIRST);
        r->n = ARGS_FIRST + 1;
    }
    keep_init(&r->buf, was.limit, was.budget);
    r->bytes = 0;
    r->saved = was.data ? r->n : 0;
    for (uint32_t i = 0; i < r->n; i++) {
        r->bytes += r->more[i].wire_len < ARGS_TRIM ? r->more[i].wire_len : ARGS_TRIM;
        if (was.data)
            copy_arg(r, i);
    }
    wipe(&was);
}

static struct tap *take_tap(const struct resp_token *t)
{
    struct tap *tap = t->tap ? *t->tap : NULL;

    if (tap)
        *t->tap = NULL;
    return tap;
}

static void add(struct feed *f, const struct resp_token *t)
{
    size_t max = f->conn->conf->max_body;
    struct request *r;

    if (!make_room(f))
        return;
    r = f->request;
    r->at[r->n] = t->text;
    r->more[r->n] = (struct arg_more){
        .wire_len = t->wire_len, .tap = take_tap(t), .stored = ARG_VIEW, .gap = t->gap};
    r->gap = r->gap || t->gap;
    if (t->held && t->index + 1 < r->total)
        copy_arg(r, r->n);
    r->n++;
    r->bytes += t->wire_len < max ? t->wire_len : max;
    if ((r->n == ARGS_MAX || r->bytes > max) && t->index + 1 < r->total)
        condense(f);
}

/* How many arguments the line has; 0: none, or its quotes are not balanced. */
static uint32_t count_words(struct bytes line, struct keep *quoted)
{
    enum inline_next next;
    struct bytes arg;
    uint32_t n = 0;

    while ((next = inline_next(&line, &arg, quoted)) == INLINE_ARG)
        n++;
    return next == INLINE_END ? n : 0;
}

static void inline_line(struct feed *f, struct request_room *room, const struct resp_token *line)
{
    static const char http[] = " HTTP/1.";
    struct resp_token t = {.kind = RESP_BULK, .held = true};
    struct bytes left = line->text;
    struct keep quoted;

    keep_init(&quoted, RESP_INLINE_MAX, f->conn->conf->budget);
    f->request->total = count_words(left, &quoted);
    for (; t.index < f->request->total; t.index++) {
        inline_next(&left, &t.text, &quoted);
        t.wire_len = t.text.len;
        add(f, &t);
    }
    f->request->inlined = true;
    f->request->http =
        line->text.len > sizeof http &&
        memcmp(line->text.at + line->text.len - sizeof http, http, sizeof http - 1) == 0;
    resolve(f->request);
    if (f->request->total > 0)
        request_asked(f, f->request);
    over(f, room);
    wipe(&quoted);
}

void request_token(struct feed *f, struct request_room *room, const struct resp_token *t)
{
    struct request *r = f->request;

    if (t->kind == RESP_INLINE) {
        inline_line(f, room, t);
    } else if (t->kind == RESP_END) {
        resolve(r);
        request_asked(f, r);
        over(f, room);
    } else if (t->depth == 0) {
        r->open = true;
        r->total = t->num < UINT32_MAX ? (uint32_t)t->num : UINT32_MAX;
    } else {
        add(f, t);
    }
}

void request_cut(struct feed *f, struct request_room *room)
{
    struct request *r = f->request;

    if (!r->open)
        return;
    r->gap = true;
    resolve(r);
    if (r->n > 0)
        request_asked(f, r);
    over(f, room);
}

void request_drop(struct feed *f, struct request_room *room)
{
    if (f->request->open)
        over(f, room);
}
