/* tests/fuzz/resp/resp.c - the Redis dissector, fed with both directions, losses and
 * ends. The same traffic goes through it twice, cut in different ways, and must be
 * understood alike.
 *
 * Input: a byte of limits (1 max_body, 2 max_item, 4 max_depth, 8 max_pending, 16 max_elements; 32
 * all commands; 64 joined in the middle), a byte: how the second run is cut; then pieces: a byte
 * (bit 0: the direction; bits 1 to 3: 0 lost bytes, 1 the end of the direction, else data), a byte
 * of length, data. */
#include <stdio.h>
#include <stdlib.h>

#include "dissectors/resp/resp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct tally tally;
    struct arena *arena;
    void *state;
    uint64_t offset[2], packet, messages;
    uint64_t said; /* a hash of all that was said */
    size_t step;   /* 0: pieces as they are */
    bool midstream, left;
};

static void mix(struct run *r, struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        r->said = (r->said ^ b.at[i]) * 1099511628211u;
    r->said = (r->said ^ b.len) * 1099511628211u;
}

static void mix_num(struct run *r, uint64_t v)
{
    mix(r, bytes_of(&v, sizeof v));
}

static void on_msg(void *ctx, const struct msg *m)
{
    struct run *r = ctx;

    r->messages++;
    mix_num(r, m->kind);
    mix_num(r, m->op);
    mix_num(r, m->dir);
    mix_num(r, m->offset);
    mix_num(r, m->at.number);
    mix_num(r, m->coverage);
    for (unsigned id = 0; id < F_COUNT; id++) {
        enum field_type type = field_defs[id].type;
        if (!fields_have(&m->fields, (enum field_id)id))
            continue;
        mix_num(r, id);
        if (type == FIELD_TEXT || type == FIELD_LIST || type == FIELD_SECRET)
            mix(r, m->fields.at[id].text);
        else
            mix_num(r, (uint64_t)m->fields.at[id].num);
    }
    if (m->content) {
        mix(r, m->content->body);
        mix_num(r, m->content->wire_len);
        if (m->content->body.len > m->content->wire_len)
            abort();
    }
    for (size_t i = 0; m->args && i < m->args->n; i++)
        mix(r, m->args->at[i]);
}

/* In a block of its own exact size, so that a read past the end is seen. */
static void feed(struct run *r, struct chunk *c, struct bytes data)
{
    struct dissect_out out = {r->arena, &r->tally, on_msg, r};
    uint8_t *own = malloc(data.len > 0 ? data.len : 1);

    if (!own)
        abort();
    if (data.len > 0)
        memcpy(own, data.at, data.len);
    c->data = bytes_of(own, data.len);
    c->offset = r->offset[c->dir];
    r->offset[c->dir] += c->missing + data.len;
    r->left = resp_dissector.feed(r->state, c, &out) == DISSECT_LEAVE;
    free(own);
    arena_reset(r->arena);
}

static void piece(struct run *r, struct cursor *c)
{
    uint8_t what = cur_u8(c), len = cur_u8(c), kind = what >> 1 & 7;
    struct chunk chunk = {.dir = what & 1 ? TO_CLIENT : TO_SERVER, .midstream = r->midstream};
    struct bytes data;

    chunk.at.number = chunk.at.ordinal = ++r->packet;
    chunk.kind = kind == 0 ? CHUNK_GAP : kind == 1 ? CHUNK_CLOSE : CHUNK_DATA;
    if (chunk.kind == CHUNK_GAP)
        chunk.missing = len;
    if (chunk.kind != CHUNK_DATA) {
        feed(r, &chunk, bytes_of(NULL, 0));
        return;
    }
    data = cur_take(c, len < cur_left(c) ? len : cur_left(c));
    while (data.len > 0 && !r->left)
        feed(r, &chunk, bytes_cut(&data, r->step > 0 ? r->step : data.len));
}

static uint64_t run(struct bytes in, size_t step, uint64_t *messages)
{
    struct budget budget = {.limit = 1u << 26};
    struct cursor c = cur_over(in);
    uint8_t flags = cur_u8(&c);
    struct dissect_conf conf = {.max_body = flags & 1 ? 16 : 1 << 20,
                                .max_item = flags & 2 ? 16 : 1 << 16,
                                .max_depth = flags & 4 ? 4 : 32,
                                .max_open = 256,
                                .max_pending = flags & 8 ? 4 : 65536,
                                .max_elements = flags & 16 ? 8 : 1 << 20,
                                .commands = flags & 32,
                                .budget = &budget};
    struct run r = {.midstream = flags & 64, .step = step};

    (void)cur_u8(&c);
    r.arena = arena_new(1u << 20);
    r.state = calloc(1, resp_dissector.state_size);
    if (!r.arena || !r.state)
        abort();
    resp_dissector.init(r.state, &conf);
    while (!r.left && cur_left(&c) > 0)
        piece(&r, &c);
    resp_dissector.fini(r.state);
    if (budget.used != 0)
        abort();
    free(r.state);
    arena_free(r.arena);
    *messages = r.messages;
    return r.said;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_of(data, size);
    uint64_t a = 0, b = 0;

    if (size < 2)
        return 0;
    (void)resp_probe(bytes_of(data + 2, size - 2), TO_SERVER, data[0] & 1);
    (void)resp_probe(bytes_of(data + 2, size - 2), TO_CLIENT, data[0] & 1);
    if (run(in, 0, &a) != run(in, 1u + data[1] % 64u, &b)) {
        fprintf(stderr, "cut by %u: %llu messages, not %llu\n", 1u + data[1] % 64u,
                (unsigned long long)b, (unsigned long long)a);
        abort();
    }
    return 0;
}
