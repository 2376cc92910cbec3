/* tests/run/batch.c - packets by batches make of a worker what single ones make of it, though the
 * frames that they came in are gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/flow.h"
#include "run/batch.h"
#include "run/options.h"

enum { FLOWS = 9000, FRAME = 64 };

struct side {
    struct conf conf;
    struct worker *worker;
    struct batch *batch; /* NULL: one by one */
    uint64_t ordinal;
    size_t items;
};

static void item(void *ctx, const struct msg *m, const struct finding *findings, size_t n)
{
    struct side *s = ctx;

    (void)m, (void)findings, (void)n;
    s->items++;
}

static void begin(struct side *s, bool batched)
{
    struct worker_out out = {.item = item, .ctx = s, .wants = ~0u};

    *s = (struct side){.conf.fold = true, .batch = batched ? calloc(1, sizeof *s->batch) : NULL};
    option_defaults(&s->conf);
    s->worker = worker_new(&s->conf, 1, false, &out);
    assert_non_null(s->worker);
}

/* A frame that is overwritten when the call returns. */
static void send(struct side *s, unsigned flow, bool client, uint8_t flags, uint32_t seq,
                 uint32_t ack, const char *text)
{
    static const uint8_t key[16];
    uint8_t frame[FRAME] = {0x45};
    struct endpoint a = {.ip = {10, 0, (uint8_t)(flow >> 8), (uint8_t)flow}, .port = 40000};
    struct endpoint b = {.ip = {10, 1, 0, 1}, .port = 6379};
    size_t n = strlen(text);

    a.family = b.family = 4;
    memcpy(frame + 40, text, n);
    struct packet p = {.at = {.ns = 1, .ordinal = ++s->ordinal},
                       .src = client ? a : b,
                       .dst = client ? b : a,
                       .ip_proto = 6,
                       .tcp = {.seq = seq, .ack = ack, .flags = flags},
                       .l3 = bytes_of(frame, 40 + n),
                       .payload = bytes_of(frame + 40, n),
                       .wire_payload = (uint32_t)n};
    p.hash = flow_hash(&p, key);
    if (s->batch)
        batch_packet(s->batch, s->worker, &p);
    else
        worker_packet(s->worker, &p);
    memset(frame, 0xff, sizeof frame);
}

static void talk(struct side *s)
{
    for (unsigned i = 0; i < FLOWS; i++) {
        send(s, i, true, TCP_SYN, 99, 0, "");
        send(s, i, false, TCP_SYN | TCP_ACK, 199, 100, "");
    }
    for (unsigned i = 0; i < FLOWS; i++) {
        send(s, i, true, TCP_ACK, 100, 200, "*1\r\n$4\r\nPING\r\n");
        send(s, i, false, TCP_ACK, 200, 114, "+PONG\r\n");
    }
    if (s->batch)
        batch_flush(s->batch, s->worker);
}

static void same_as_single(void **state)
{
    (void)state;
    struct side one, many;

    begin(&one, false);
    begin(&many, true);
    talk(&one);
    talk(&many);
    assert_true(worker_prefetch_pays(many.worker));
    assert_int_equal(worker_tally(one.worker)->n[TALLY_redis_values], 2 * FLOWS);
    assert_memory_equal(worker_tally(one.worker), worker_tally(many.worker), sizeof(struct tally));
    assert_int_equal(one.items, many.items);
    worker_free(one.worker);
    worker_free(many.worker);
    option_free(&one.conf);
    option_free(&many.conf);
    free(many.batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_as_single)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
