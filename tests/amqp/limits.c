/* tests/amqp/limits.c - what a connection may cost, and what happens at the bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissectors/amqp/amqp.h"
#include "dissectors/amqp/channel.h"
#include "dissectors/amqp/table.h"

struct side {
    void *state;
    struct arena *arena;
    struct tally tally;
    struct budget budget;
    struct dissect_conf conf;
    uint64_t offset[2];
    unsigned messages[16];
};

static void on_msg(void *ctx, const struct msg *m)
{
    struct side *s = ctx;
    unsigned n = 0;

    while (1u << n != m->kind)
        n++;
    s->messages[n]++;
    if (m->kind == MSG_ANOMALY) {
        struct bytes what = msg_text(m, F_ANOMALY);
        print_message("%.*s\n", (int)what.len, (const char *)what.at);
    }
}

static void side_open(struct side *s)
{
    memset(s, 0, sizeof *s);
    s->budget.limit = 1u << 20;
    s->conf = (struct dissect_conf){.max_body = 1u << 16,
                                    .max_item = 1u << 14,
                                    .max_depth = 32,
                                    .max_open = 256,
                                    .max_elements = 1000,
                                    .commands = true,
                                    .budget = &s->budget};
    s->state = calloc(1, amqp_dissector.state_size);
    s->arena = arena_new(1u << 20);
    amqp_dissector.init(s->state, &s->conf);
}

static void side_close(struct side *s)
{
    amqp_dissector.fini(s->state);
    assert_int_equal(s->budget.used, 0);
    free(s->state);
    arena_free(s->arena);
}

static void say(struct side *s, enum dir dir, const void *bytes, size_t len)
{
    struct chunk c = {.kind = CHUNK_DATA, .dir = dir, .offset = s->offset[dir]};
    struct dissect_out out = {.arena = s->arena, .tally = &s->tally, .emit = on_msg, .ctx = s};

    c.data = bytes_of(bytes, len);
    amqp_dissector.feed(s->state, &c, &out);
    arena_reset(s->arena);
    s->offset[dir] += len;
}

/* A frame of a method with a string of text for its arguments. */
static void say_frame(struct side *s, enum dir dir, unsigned type, unsigned channel,
                      const void *payload, size_t len)
{
    uint8_t *f = malloc(len + 8);

    f[0] = (uint8_t)type;
    f[1] = (uint8_t)(channel >> 8), f[2] = (uint8_t)channel;
    f[3] = (uint8_t)(len >> 24), f[4] = (uint8_t)(len >> 16);
    f[5] = (uint8_t)(len >> 8), f[6] = (uint8_t)len;
    memcpy(f + 7, payload, len);
    f[7 + len] = 0xce;
    say(s, dir, f, len + 8);
    free(f);
}

#define SAY(s, dir, type, channel, text) say_frame(s, dir, type, channel, text, sizeof text - 1)
#define CONSUME                    \
    "\0\x3c\0\x14\0\0\6celery\x0b" \
    "None1234567\2\0\0\0\0"

static void log_in(struct side *s)
{
    say(s, TO_SERVER, "AMQP\0\0\x09\1", 8);
    SAY(s, TO_CLIENT, 1, 0, "\0\x0a\0\x0a\0\x09\0\0\0\0\0\0\0\5PLAIN\0\0\0\5en_US");
    SAY(s, TO_SERVER, 1, 0, "\0\x0a\0\x0b\0\0\0\0\5PLAIN\0\0\0\x0d\0alice\0s3cret\5en_US");
    SAY(s, TO_CLIENT, 1, 0, "\0\x0a\0\x1e\7\xff\0\2\0\0\0\x3c");
    SAY(s, TO_SERVER, 1, 0, "\0\x0a\0\x1f\7\xff\0\2\0\0\0\x3c");
    SAY(s, TO_SERVER, 1, 0, "\0\x0a\0\x28\5/shop\0\0");
    SAY(s, TO_CLIENT, 1, 0, "\0\x0a\0\x29\0");
}

static void an_idle_connection_is_small(void **state)
{
    struct side s;

    (void)state;
    side_open(&s);
    log_in(&s);
    for (unsigned channel = 1; channel <= 3; channel++)
        SAY(&s, TO_SERVER, 1, channel, CONSUME);
    SAY(&s, TO_CLIENT, 1, 1,
        "\0\x3c\0\x3c\x0b"
        "None1234567\0\0\0\0\0\0\0\1\0\0\6celery");
    SAY(&s, TO_CLIENT, 2, 1, "\0\x3c\0\0\0\0\0\0\0\0\0\3\0\0");
    SAY(&s, TO_CLIENT, 3, 1, "abc");
    assert_int_equal(s.messages[5], 1);
    assert_int_equal(s.messages[6], 0);
    printf("idle: %zu + %zu bytes\n", amqp_dissector.state_size, s.budget.used);
    assert_true(amqp_dissector.state_size + s.budget.used < 700);
    side_close(&s);
}

static void a_split_frame_leaves_nothing_behind(void **state)
{
    struct side s;

    (void)state;
    side_open(&s);
    log_in(&s);
    size_t before = s.budget.used;
    say(&s, TO_SERVER, "\1\0\1\0\0\0\x0d\0\x3c\0\x50\0\0", 13);
    assert_true(s.budget.used > before);
    say(&s, TO_SERVER, "\0\0\0\0\0\7\0\xce", 8);
    say(&s, TO_SERVER, "\x08\0\0\0\0\0\0\xce", 8);
    assert_int_equal(s.budget.used, before);
    side_close(&s);
}

/* Unfinished messages on every channel that there is: bounded, counted, and nothing is made up. */
static void unfinished_messages_are_bounded(void **state)
{
    struct side s;

    (void)state;
    side_open(&s);
    s.conf.max_open = 8;
    log_in(&s);
    for (unsigned channel = 1; channel < 100; channel++) {
        SAY(&s, TO_SERVER, 1, channel, "\0\x3c\0\x28\0\0\2ex\2rk\0");
        SAY(&s, TO_SERVER, 2, channel, "\0\x3c\0\0\0\0\0\0\0\0\0\3\0\0");
    }
    assert_true(s.budget.used < 8 * 2048);
    assert_true(s.tally.n[TALLY_channel_limit] >= 91);
    for (unsigned channel = 1; channel < 100; channel++)
        SAY(&s, TO_SERVER, 3, channel, "abc");
    assert_int_equal(s.messages[5], 8);
    assert_int_equal(s.messages[6], 0);
    side_close(&s);
}

static void bodies_are_bounded_by_the_budget(void **state)
{
    struct side s;
    static char half[30000];

    (void)state;
    side_open(&s);
    s.budget.limit = 200000;
    log_in(&s);
    for (unsigned channel = 1; channel < 100; channel++) {
        SAY(&s, TO_SERVER, 1, channel, "\0\x3c\0\x28\0\0\2ex\2rk\0");
        SAY(&s, TO_SERVER, 2, channel, "\0\x3c\0\0\0\0\0\0\0\0\xff\xff\0\0");
        say_frame(&s, TO_SERVER, 3, channel, half, sizeof half);
    }
    assert_true(s.budget.used <= s.budget.limit);
    assert_int_equal(s.messages[6], 0);
    side_close(&s);
}

/* A flood of consumers and gets is remembered up to a bound, and what is beyond it is not
 * mistaken for something else. */
static void names_are_bounded_and_never_wrong(void **state)
{
    struct amqp_channels all = {0};
    struct budget budget = {.limit = 1u << 20};
    struct amqp_channel *c = amqp_channel_get(&all, 7, 4, &budget);
    char name[32];

    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        size_t n = (size_t)snprintf(name, sizeof name, "queue-%u", i);
        amqp_name_add(c, NAME_GET, bytes_of("", 0), bytes_of(name, n), &budget);
    }
    assert_true(budget.used <= AMQP_NAMES_MAX + 1024);
    unsigned known = 0;
    for (unsigned i = 0; i < 5000; i++) {
        struct bytes queue = amqp_name_find(c, NAME_GET, (struct bytes){0});
        snprintf(name, sizeof name, "queue-%u", i);
        if (queue.at)
            assert_true(bytes_eq(queue, name)), known++;
        amqp_name_drop(c, NAME_GET, (struct bytes){0});
    }
    assert_in_range(known, 500, 2000);
    amqp_name_add(c, NAME_GET, bytes_of("", 0), bytes_of("again", 5), &budget);
    assert_true(bytes_eq(amqp_name_find(c, NAME_GET, (struct bytes){0}), "again"));
    for (unsigned i = 0; i < 10; i++)
        amqp_channel_get(&all, (uint16_t)i, 4, &budget);
    assert_int_equal(all.n, 4);
    amqp_channels_free(&all, &budget);
    assert_int_equal(budget.used, 0);
}

/* What is data to RabbitMQ is a member to who takes 's' for a short text; both add up. */
static void disputed_tables_have_two_readings(void **state)
{
    static const uint8_t table[] = "\4taskS\0\0\0\3add\1as\x08z\1xS\0\0\0\x0e\4taskS\0\0\0\4evil";
    struct bytes both = bytes_of(table, sizeof table - 1);
    struct amqp_table_limits limits = {.max_depth = 32, .max_elements = 100};
    struct arena *arena = arena_new(1u << 20);
    struct tally tally = {{0}};
    struct headers h;

    (void)state;
    assert_true(amqp_table_headers(both, false, &limits, arena, &tally, &h));
    assert_true(bytes_eq(header_text(headers_find(&h, "task")), "add"));
    assert_non_null(h.other);
    assert_true(h.other->disputed);
    assert_null(h.other->other);
    assert_true(bytes_eq(header_text(headers_find(h.other, "task")), "evil"));
    assert_null(headers_find(h.other, "x"));
    assert_true(amqp_table_headers(both, true, &limits, arena, &tally, &h));
    assert_null(h.other); /* only the head of a table */
    both.len--;
    assert_false(amqp_table_headers(both, false, &limits, arena, &tally, &h));
    both = bytes_of("\1as\0\1", 5); /* to the others a byte is left over */
    assert_true(amqp_table_headers(both, false, &limits, arena, &tally, &h));
    assert_true(h.disputed);
    assert_null(h.other);
    arena_free(arena);
}

static void copies_are_told_of(void **state)
{
    static const uint8_t top[] = "\2CCA\0\0\0\6S\0\0\0\1x",
                         inner[] = "\1mF\0\0\0\x08\2CCA\0\0\0\0\3CCCA\0\0\0\0";
    struct amqp_table_limits limits = {.max_depth = 32, .max_elements = 100};
    struct arena *arena = arena_new(1u << 20);
    struct tally tally = {{0}};
    struct headers h;

    (void)state;
    assert_true(
        amqp_table_headers(bytes_of(top, sizeof top - 1), false, &limits, arena, &tally, &h));
    assert_true(h.copies);
    assert_true(
        amqp_table_headers(bytes_of(inner, sizeof inner - 1), false, &limits, arena, &tally, &h));
    assert_false(h.copies);
    arena_free(arena);
}

/* Every prefix of a table, and every byte of it changed, is read without a step aside; ASan
 * watches. */
static void damaged_tables_are_read(void **state)
{
    static const uint8_t table[] =
        "\1aI\0\0\0\1\1bS\0\0\0\5hello\1cF\0\0\0\x0d\1dA\0\0\0\6t\1s\0\5V\1es\0\1";
    struct amqp_table_limits limits = {.max_depth = 32, .max_elements = 100};
    struct arena *arena = arena_new(1u << 20);
    struct tally tally = {{0}};
    struct headers h;

    (void)state;
    assert_true(amqp_table_headers(bytes_of("\1aI\0\0\0\1", 7), false, &limits, arena, &tally, &h));
    assert_false(h.disputed);
    assert_true(
        amqp_table_headers(bytes_of(table, sizeof table - 1), false, &limits, arena, &tally, &h));
    assert_true(h.disputed); /* by 's' */
    for (size_t n = 0; n < sizeof table; n++)
        for (unsigned change = 0; change < 256; change++) {
            uint8_t *own = malloc(n ? n : 1);
            memcpy(own, table, n);
            if (n > 0)
                own[(n * 7 + change) % n] ^= (uint8_t)change;
            amqp_table_headers(bytes_of(own, n), change & 1, &limits, arena, &tally, &h);
            arena_reset(arena);
            free(own);
        }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_connection_is_small),
        cmocka_unit_test(a_split_frame_leaves_nothing_behind),
        cmocka_unit_test(unfinished_messages_are_bounded),
        cmocka_unit_test(bodies_are_bounded_by_the_budget),
        cmocka_unit_test(names_are_bounded_and_never_wrong),
        cmocka_unit_test(disputed_tables_have_two_readings),
        cmocka_unit_test(copies_are_told_of),
        cmocka_unit_test(damaged_tables_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
