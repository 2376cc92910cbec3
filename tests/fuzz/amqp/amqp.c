/* tests/fuzz/amqp/amqp.c - the whole dissector: both directions, cuts, gaps and closes
 * taken from the input. The same traffic goes through it twice, cut in different ways, and
 * must be understood alike.
 *
 * Input: a byte of options (1: joined in the middle, 2: small limits), then operations: a byte
 * (bit 0: direction; bits 1-2: 0, 1 data, 2 gap, 3 close; bits 3-: times 16), a byte of length,
 * data. */
#include <stdio.h>
#include <stdlib.h>

#include "dissectors/amqp/amqp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    const struct dissector *d;
    void *state;
    struct arena *arena;
    struct tally tally;
    uint64_t offset[2];
    uint64_t said; /* a hash of all that was said */
    unsigned messages;
    bool left;
};

static void mix(struct run *r, const void *at, size_t n)
{
    const uint8_t *b = at;

    for (size_t i = 0; i < n; i++)
        r->said = (r->said ^ b[i]) * 1099511628211u;
}

static void mix_num(struct run *r, uint64_t v)
{
    mix(r, &v, sizeof v);
}

/* Reads every byte of every header: their bounds are ASan's to judge. */
static void mix_headers(struct run *r, const struct headers *headers)
{
    const struct header *up[64], *h = headers ? headers->first : NULL;
    unsigned depth = 0;

    for (; h || depth > 0; h = h->next) {
        while (!h && depth > 0)
            h = up[--depth]->next;
        if (!h)
            return;
        mix(r, h->name.at, h->name.len);
        mix_num(r, h->kind);
        mix_num(r, h->cut);
        if (h->kind == HEADER_TEXT || h->kind == HEADER_BYTES)
            mix(r, h->text.at, h->text.len);
        else if (h->kind == HEADER_INT || h->kind == HEADER_TIME)
            mix_num(r, (uint64_t)h->num);
        while (header_child(h) && depth < 64) {
            up[depth++] = h;
            h = header_child(h);
            mix(r, h->name.at, h->name.len);
            mix_num(r, h->kind);
        }
    }
}

static void on_msg(void *ctx, const struct msg *m)
{
    struct run *r = ctx;

    r->messages++;
    mix_num(r, m->kind);
    mix_num(r, m->offset);
    mix_num(r, m->coverage);
    mix(r, m->action, strlen(m->action));
    for (unsigned id = 0; id < F_COUNT; id++) {
        if (!fields_have(&m->fields, (enum field_id)id))
            continue;
        mix_num(r, id);
        if (field_defs[id].type == FIELD_TEXT || field_defs[id].type == FIELD_SECRET)
            mix(r, m->fields.at[id].text.at, m->fields.at[id].text.len);
        else
            mix_num(r, (uint64_t)m->fields.at[id].num);
    }
    mix_headers(r, m->headers);
    mix_headers(r, m->properties);
    if (m->content) {
        mix(r, m->content->body.at, m->content->body.len);
        mix_num(r, m->content->wire_len);
        mix_num(r, m->content->clipped);
    }
}

static void feed(struct run *r, const struct chunk *c)
{
    struct dissect_out out = {.arena = r->arena, .tally = &r->tally, .emit = on_msg, .ctx = r};

    if (!r->left)
        r->left = r->d->feed(r->state, c, &out) == DISSECT_LEAVE;
    arena_reset(r->arena);
}

static void feed_data(struct run *r, struct chunk *c, struct bytes all, size_t step)
{
    while (all.len > 0) {
        struct bytes piece = bytes_cut(&all, step);
        uint8_t *own = malloc(piece.len);

        if (!own)
            return;
        memcpy(own, piece.at, piece.len);
        c->offset = r->offset[c->dir];
        c->data = bytes_of(own, piece.len);
        feed(r, c);
        free(own);
        r->offset[c->dir] += piece.len;
    }
}

static void operation(struct run *r, struct cursor *in, bool midstream, size_t step)
{
    uint8_t op = cur_u8(in);
    size_t n = (size_t)cur_u8(in) * ((op & 8) ? 16 : 1);
    struct chunk c = {.dir = (enum dir)(op & 1), .midstream = midstream};

    switch (op >> 1 & 3) {
    case 2:
        c.kind = CHUNK_GAP;
        c.missing = n;
        c.offset = r->offset[c.dir];
        feed(r, &c);
        r->offset[c.dir] += n;
        break;
    case 3:
        c.kind = CHUNK_CLOSE;
        c.offset = r->offset[c.dir];
        feed(r, &c);
        break;
    default:
        c.kind = CHUNK_DATA;
        feed_data(r, &c, cur_take(in, n < cur_left(in) ? n : cur_left(in)), step ? step : SIZE_MAX);
    }
}

static uint64_t run(struct bytes input, size_t step)
{
    struct cursor in = cur_over(input);
    uint8_t options = cur_u8(&in);
    struct budget budget = {.limit = 1u << 24};
    bool small = (options & 2) != 0;
    struct dissect_conf conf = {.max_body = small ? 100 : 1u << 16,
                                .max_item = small ? 128 : 1u << 14,
                                .max_depth = small ? 2 : 32,
                                .max_open = small ? 2 : 64,
                                .max_elements = small ? 20 : 1000,
                                .commands = true,
                                .budget = &budget};
    struct run r = {.d = &amqp_dissector, .said = 14695981039346656037u};

    r.state = calloc(1, r.d->state_size);
    r.arena = arena_new(1u << 22);
    if (!r.state || !r.arena)
        abort();
    r.d->init(r.state, &conf);
    while (cur_left(&in) > 1)
        operation(&r, &in, options & 1, step);
    r.d->fini(r.state);
    if (budget.used != 0)
        abort();
    free(r.state);
    arena_free(r.arena);
    return r.said;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);

    if (size < 3)
        return 0;
    size_t step = 1 + data[size / 2] % 13;
    if (run(input, 0) != run(input, step))
        abort();
    return 0;
}
