/* dissectors/amqp/assemble.c - puts messages together. */
#include "dissectors/amqp/assemble.h"

#include <stdlib.h>

#include "dissectors/amqp/emit.h"
#include "dissectors/amqp/props.h"

struct amqp_content *amqp_content_find(struct amqp_feed *f, uint16_t channel)
{
    if (f->busy && f->now.channel == channel)
        return &f->now;
    for (struct amqp_content *c = f->a->held; c; c = c->next)
        if (c->channel == channel && c->dir == f->c->dir)
            return c;
    return NULL;
}

static void free_buffers(const struct amqp *a, struct amqp_content *c)
{
    tap_end(a->conf->taps, &c->tap);
    if (c->own.data)
        keep_free(&c->own);
    if (c->body.data)
        keep_free(&c->body);
}

static void free_held(struct amqp *a, struct amqp_content *c)
{
    struct amqp_content **at = &a->held;

    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    a->n_held--;
    free_buffers(a, c);
    if (a->conf->budget)
        a->conf->budget->used -= sizeof *c;
    free(c);
}

/* The get that waits longest is answered, with or without a message. */
static void answer_get(struct amqp_feed *f, uint16_t channel)
{
    struct amqp_channel *ch = amqp_channel_find(&f->a->channels, channel);

    if (ch)
        amqp_name_drop(ch, NAME_GET, (struct bytes){0});
}

void amqp_content_drop(struct amqp_feed *f, struct amqp_content *c)
{
    if (c->is_get)
        answer_get(f, c->channel);
    if (c == &f->now) {
        free_buffers(f->a, c);
        f->busy = f->has_method = f->has_props = false;
    } else {
        free_held(f->a, c);
    }
}

/* Its frames will be seen, but not be known for what they are. */
static void give_up(struct amqp_feed *f, struct amqp_content *c, enum tally_id why)
{
    tally_add(f->out->tally, why, 1);
    f->a->unsure[f->c->dir] = true;
    amqp_content_drop(f, c);
}

/* Moves what is a view into memory of its own. false: there is not enough. */
static bool own_frames(struct amqp_content *c)
{
    if (c->own.data)
        return true;
    keep_add(&c->own, c->method);
    keep_add(&c->own, c->header);
    if (c->own.dropped > 0)
        return false;
    c->method = bytes_of(c->own.data, c->method.len);
    c->header = bytes_of(c->own.data ? c->own.data + c->method.len : NULL, c->header.len);
    return true;
}

/* The header's payload joins; `held`: it does not outlive the next frame. */
static bool add_header(struct amqp_content *c, struct bytes payload, bool held)
{
    if (!held && !c->own.data) {
        c->header = payload;
        return true;
    }
    if (!own_frames(c))
        return false;
    keep_add(&c->own, payload);
    c->method = bytes_of(c->own.data, c->method.len);
    c->header = bytes_of(c->own.data + c->method.len, payload.len);
    return c->own.dropped == 0;
}

static struct amqp_content *park(struct amqp_feed *f)
{
    struct amqp *a = f->a;
    struct amqp_content *c;
    struct budget *b = a->conf->budget;

    c = !b || b->used + sizeof *c <= b->limit ? malloc(sizeof *c) : NULL;
    if (!c || !own_frames(&f->now)) {
        free(c);
        give_up(f, &f->now, TALLY_budget_full);
        return NULL;
    }
    if (b)
        b->used += sizeof *c;
    *c = f->now;
    c->next = a->held;
    a->held = c;
    a->n_held++;
    f->busy = f->has_method = f->has_props = false;
    return c;
}

void amqp_content_park(struct amqp_feed *f)
{
    if (f->busy)
        park(f);
}

/* NULL: as many as are followed are unfinished. */
static struct amqp_content *begin(struct amqp_feed *f, const struct amqp_frame *frame)
{
    const struct dissect_conf *conf = f->a->conf;

    amqp_content_park(f);
    if (f->a->n_held >= conf->max_open || f->a->n_held == UINT16_MAX) {
        tally_add(f->out->tally, TALLY_channel_limit, 1);
        f->a->unsure[f->c->dir] = true;
        return NULL;
    }
    f->busy = true;
    f->now = (struct amqp_content){
        .offset = frame->start,
        .channel = frame->channel,
        .dir = (uint8_t)f->c->dir,
        .own = {.limit = 2 * conf->max_item, .budget = conf->budget},
        .body = {.limit = conf->max_body, .budget = conf->budget},
    };
    return &f->now;
}

void amqp_content_begin(struct amqp_feed *f, const struct amqp_frame *frame,
                        const struct amqp_method *method)
{
    struct amqp_content *c = begin(f, frame);
    bool is_get = method->def->id == M_BASIC_GET_OK;

    if (!c) {
        if (is_get)
            answer_get(f, frame->channel);
        return;
    }
    c->is_get = is_get;
    c->cover = f->cover;
    c->head_cut = frame->cut;
    c->method = frame->payload;
    f->has_method = method == &f->method && !frame->held;
    if (frame->held && !own_frames(c))
        give_up(f, c, TALLY_budget_full);
}

static void finish(struct amqp_feed *f, struct amqp_content *c, struct bytes body)
{
    amqp_emit_envelope(f, c, body);
    amqp_content_drop(f, c);
}

/* A content header that nobody announced: after lost bytes it is half a message, else an
 * error. */
static struct amqp_content *without_method(struct amqp_feed *f, const struct amqp_frame *frame)
{
    struct amqp_content *c;

    if (!f->a->unsure[f->c->dir]) {
        amqp_emit_anomaly(f, ANOMALY_NO_METHOD, frame->start);
        return NULL;
    }
    c = begin(f, frame);
    if (c)
        c->cover = COVER_GAP;
    return c;
}

void amqp_content_header(struct amqp_feed *f, const struct amqp_frame *frame)
{
    struct amqp_content *c = amqp_content_find(f, frame->channel);
    struct amqp_props other, *p;

    if (c && c->in_body) { /* the body never came to its end */
        amqp_emit_anomaly(f, ANOMALY_NO_METHOD, frame->start);
        amqp_content_drop(f, c);
        return;
    }
    if (!c && !(c = without_method(f, frame)))
        return;
    p = c == &f->now ? &f->props : &other;
    if (!amqp_props_read(p, frame->payload) || p->class_id != 60) {
        amqp_emit_anomaly(f, ANOMALY_HEADER, frame->start);
        amqp_content_drop(f, c);
        return;
    }
    if (!p->exact && !frame->cut)
        amqp_emit_anomaly(f, ANOMALY_HEADER, frame->start);
    f->has_props = p == &f->props && !frame->held;
    c->size = p->body_size;
    c->in_body = true;
    c->cover |= f->cover;
    c->head_cut |= frame->cut;
    if (!add_header(c, frame->payload, frame->held))
        give_up(f, c, TALLY_budget_full);
    else if (c->size == 0)
        finish(f, c, (struct bytes){0});
}

/* What does not fit what is kept goes through a tap, the kept part first. */
static void tap_rest(struct amqp_feed *f, struct amqp_content *c, struct bytes kept,
                     struct bytes rest)
{
    const struct taps *taps = f->a->conf->taps;
    struct bytes compression = {0};

    if (rest.len == 0 || !taps)
        return;
    if (!c->tap)
        compression = amqp_content_compression(f, c);
    tap_add(taps, &c->tap, compression, kept, rest);
}

static void keep_body(struct amqp_feed *f, struct amqp_content *c, struct bytes piece)
{
    size_t before = c->body.len;

    keep_add_of(&c->body, piece, c->size);
    bytes_cut(&piece, c->body.len - before);
    tap_rest(f, c, keep_view(&c->body), piece);
}

void amqp_content_body(struct amqp_feed *f, const struct amqp_frame *frame, bool end)
{
    struct amqp_content *c = amqp_content_find(f, frame->channel);
    struct bytes piece = frame->payload;

    if (!c || !c->in_body) {
        if (end && !f->a->unsure[f->c->dir])
            amqp_emit_anomaly(f, ANOMALY_NO_HEADER, frame->start);
        return;
    }
    bool all = end && c->got == 0 && piece.len >= c->size;
    c->got += piece.len;
    if (!all && !c->hole)
        keep_body(f, c, piece);
    if (!end || c->got < c->size)
        return;
    if (c->got > c->size)
        amqp_emit_anomaly(f, ANOMALY_BODY_SIZE, frame->start);
    if (all) {
        struct bytes rest = piece;
        struct bytes kept = bytes_cut(&rest, f->a->conf->max_body);
        tap_rest(f, c, kept, rest);
    }
    finish(f, c, all ? bytes_head(piece, f->a->conf->max_body) : keep_view(&c->body));
}

void amqp_content_hole(struct amqp_feed *f, uint16_t channel, uint64_t lost)
{
    struct amqp_content *c = amqp_content_find(f, channel);

    if (!c || !c->in_body)
        return;
    c->got += lost;
    c->hole = true;
    c->cover |= COVER_GAP;
}

void amqp_contents_flush(struct amqp_feed *f, uint8_t cover)
{
    struct amqp_content *c = f->busy ? &f->now : NULL;

    for (;;) {
        struct amqp_content *h = c ? NULL : f->a->held;
        while (h && h->dir != f->c->dir)
            h = h->next;
        c = c ? c : h;
        if (!c)
            return;
        c->cover |= cover;
        if (c->in_body)
            finish(f, c, keep_view(&c->body));
        else
            amqp_content_drop(f, c);
        c = NULL;
    }
}

void amqp_contents_reset(struct amqp_feed *f, uint16_t channel)
{
    if (f->busy && f->now.channel == channel)
        amqp_content_drop(f, &f->now);
    for (struct amqp_content *c = f->a->held, *next; c; c = next) {
        next = c->next;
        if (c->channel == channel)
            free_held(f->a, c);
    }
}

void amqp_contents_free(struct amqp *a)
{
    while (a->held)
        free_held(a, a->held);
}
