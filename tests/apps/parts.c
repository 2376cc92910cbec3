/* tests/apps/parts.c - what the parts promise beside the cases: bounds, and names of
 * places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "dissectors/apps/embed.h"
#include "dissectors/apps/text.h"
#include "dissectors/apps/tree.h"
#include "tests/apps/door.h"

static struct bytes own(const char *text)
{
    return bytes_of(text, strlen(text));
}

struct builder {
    char *at;
    size_t n;
    FILE *f;
};

static void build(struct builder *b)
{
    b->f = open_memstream(&b->at, &b->n);
    assert_non_null(b->f);
}

static struct headers tree_of(struct bytes json, struct arena *arena)
{
    struct headers out;
    struct reader r;
    struct token t;

    reader_begin(&r, WHAT_JSON, json, false, arena);
    assert_true(reader_next(&r, &t) && t.kind == TOKEN_MAP);
    tree_read(&r, &out, arena);
    return out;
}

/* A flood of members neither fills the arena nor hides the name of the task behind it. */
static void test_flood(void **state)
{
    struct arena *arena = arena_new(4u << 20);
    struct builder b = {0};
    struct headers h;
    unsigned n = 0;

    (void)state;
    build(&b);
    fprintf(b.f, "{\"id\": \"first\"");
    for (unsigned i = 0; i < 500000; i++)
        fprintf(b.f, ",\"x%u\":1", i);
    fprintf(b.f, ",\"task\":\"shown\",\"task\":\"lab.evil\",\"id\":\"second\"}");
    fclose(b.f);
    h = tree_of(bytes_of(b.at, b.n), arena);
    assert_true(h.cut);
    assert_true(bytes_eq(header_text(headers_find(&h, "task")), "lab.evil"));
    assert_true(bytes_eq(header_text(headers_find(&h, "id")), "second"));
    for (const struct header *at = h.first; at; at = at->next)
        n++;
    assert_in_range(n, TREE_MEMBERS, TREE_MEMBERS + 1);
    free(b.at);
    arena_free(arena);
}

static void test_deep(void **state)
{
    struct arena *arena = arena_new(1u << 20);
    struct builder b = {0};
    struct headers h;

    (void)state;
    build(&b);
    fprintf(b.f, "{\"a\":");
    for (unsigned i = 0; i < 50; i++)
        fputc('[', b.f);
    for (unsigned i = 0; i < 50; i++)
        fputc(']', b.f);
    fprintf(b.f, ",\"task\":\"lab.add\"}");
    fclose(b.f);
    h = tree_of(bytes_of(b.at, b.n), arena);
    assert_true(h.cut);
    assert_true(bytes_eq(header_text(headers_find(&h, "task")), "lab.add"));
    free(b.at);
    arena_free(arena);
}

static unsigned count(struct bytes list)
{
    struct bytes item;
    unsigned n = 0;

    while (list_next(&list, &item))
        n++;
    return n;
}

static struct bytes names_in(const char *body, size_t n, const char *task, struct arena *arena)
{
    struct document doc = {.format = WHAT_JSON, .bytes = bytes_of(body, n)};
    struct body b;

    body_read(&doc, &b, arena);
    return embed_names(&doc, &b, own(task), arena);
}

static void test_many_names(void **state)
{
    struct arena *arena = arena_new(4u << 20);
    struct builder b = {0};

    (void)state;
    build(&b);
    fprintf(b.f, "[[],{},{\"chain\":[{\"task\":\"t0\"}");
    for (unsigned i = 1; i < 20000; i++)
        fprintf(b.f, ",{\"task\":\"t%u\"}", i % 200);
    fprintf(b.f, "]}]");
    fclose(b.f);
    assert_int_equal(count(names_in(b.at, b.n, "lab.add", arena)), EMBED_NAMES);
    free(b.at);
    arena_free(arena);
}

/* Signatures in signatures in signatures, deeper than the reader goes. */
static void test_deep_names(void **state)
{
    struct arena *arena = arena_new(4u << 20);
    struct builder b = {0};
    struct bytes names, name;

    (void)state;
    build(&b);
    fprintf(b.f, "[[],{},{\"chain\":[");
    for (unsigned i = 0; i < 200; i++)
        fprintf(b.f, "{\"task\":\"t%u\",\"options\":{\"link\":[", i);
    for (unsigned i = 0; i < 200; i++)
        fprintf(b.f, "]}}");
    fprintf(b.f, "]}]");
    fclose(b.f);
    names = names_in(b.at, b.n, "lab.add", arena);
    assert_in_range(count(names), 15, 25);
    assert_true(list_next(&names, &name) && bytes_eq(name, "t0"));
    free(b.at);
    arena_free(arena);
}

static void test_views(void **state)
{
    static const struct {
        const char *body, *args, *kwargs, *embed;
    } rows[] = {
        {"[[2, 3], {}, " BODY_NOTHING "]", "[2, 3]", "{}", BODY_NOTHING},
        {"[[\"a]b\"], {}, " BODY_NOTHING "]", "[\"a]b\"]", "{}", BODY_NOTHING},
        {"[[[1], {}], {}, " BODY_NOTHING "]", "[[1], {}]", "{}", BODY_NOTHING},
        {"[[1], {\"a\": {}}, " BODY_NOTHING "]", "[1]", "{\"a\": {}}", BODY_NOTHING},
        /* four parts: no worker takes them, and they are not three */
        {"[[1], [2], {}, " BODY_NOTHING "]", "[1]", "[2]", "{}"},
        {"[[\"x\\\"], {}, \"], {}, " BODY_NOTHING "]", "[\"x\\\"], {}, \"]", "{}", BODY_NOTHING},
        {"[\"abc\", {}, {}]", "\"abc\"", "{}", "{}"},
    };
    struct arena *arena = arena_new(1u << 20);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct document doc = {.format = WHAT_JSON, .bytes = own(rows[i].body)};
        struct body b;

        body_read(&doc, &b, arena);
        assert_int_equal(b.shape, BODY_TRIPLE);
        if (!bytes_eq(b.views.args, rows[i].args) || !bytes_eq(b.views.kwargs, rows[i].kwargs) ||
            !bytes_eq(b.views.embed, rows[i].embed))
            fail_msg("%s", rows[i].body);
    }
    arena_free(arena);
}

static void test_places(void **state)
{
    static const struct {
        enum field_id field;
        const char *name;
        enum place place;
    } rows[] = {
        {F_REDIS_CHANNEL, "/0.celery.pidbox", PLACE_CONTROL},
        {F_REDIS_CHANNEL, "shop:/12.own.pidbox", PLACE_CONTROL},
        {F_REDIS_CHANNEL, "celery.pidbox", PLACE_CONTROL},
        {F_REDIS_CHANNEL, "/0.celeryev/worker.heartbeat", PLACE_EVENTS},
        {F_REDIS_CHANNEL, "celeryev/task.multi", PLACE_EVENTS},
        {F_REDIS_CHANNEL, "/x.celery", PLACE_ANY},
        {F_REDIS_CHANNEL, "", PLACE_ANY},
        {F_REDIS_KEY, "oid.reply.celery.pidbox", PLACE_REPLY},
        {F_REDIS_KEY,
         "oid.reply.celery.pidbox\x06\x16"
         "9",
         PLACE_REPLY},
        {F_REDIS_KEY, "celeryevents", PLACE_ANY},
        {F_REDIS_KEY, "celery", PLACE_ANY},
        {F_AMQP_EXCHANGE, "reply.shop.pidbox", PLACE_REPLY},
        {F_AMQP_EXCHANGE, "celeryev", PLACE_EVENTS},
        {F_AMQP_EXCHANGE, "celery", PLACE_ANY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct msg m;

        msg_init(&m, MSG_ENVELOPE, "");
        fields_str(&m.fields, rows[i].field, rows[i].name);
        if ((places_of(&m) & ~(unsigned)PLACE_USUAL) != (unsigned)rows[i].place)
            fail_msg("%s", rows[i].name);
    }
    assert_true(bytes_eq(place_queue(own("celery\x06\x16"
                                         "3")),
                         "celery"));
    assert_true(bytes_eq(place_queue(own("celery3")), "celery3"));
    assert_true(bytes_eq(place_queue(own("celery\x05\x16"
                                         "3")),
                         "celery\x05\x16"
                         "3"));
    assert_true(bytes_eq(place_queue(own("3")), "3"));
    assert_true(bytes_eq(place_queue(own("\x06\x16"
                                         "3")),
                         ""));
    assert_true(bytes_eq(place_queue(own("celery\x06\x16")), "celery\x06\x16"));
}

static void test_event_bound(void **state)
{
    struct door d = {.arena = arena_new(16u << 20)};
    struct builder b = {0};
    struct content content = {0};
    struct headers none = {0};
    struct msg m;

    (void)state;
    build(&b);
    for (unsigned i = 0; i < 10000; i++)
        fprintf(b.f, "%s{\"type\":\"a\"}", i ? "," : "[");
    fprintf(b.f, "]");
    fclose(b.f);
    msg_init(&m, MSG_ENVELOPE, "published");
    m.op = OP_PUBLISH;
    fields_num(&m.fields, F_AMQP_CHANNEL, 1);
    fields_str(&m.fields, F_AMQP_EXCHANGE, "celeryev");
    m.headers = m.properties = &none;
    content.body = bytes_of(b.at, b.n);
    content.wire_len = b.n;
    m.content = &content;
    door_enter(&d, &m);
    assert_int_equal(d.messages, 4096);
    assert_int_equal(d.tally.n[TALLY_nesting_limit], 1);
    free(b.at);
    arena_free(d.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flood),       cmocka_unit_test(test_deep),
        cmocka_unit_test(test_many_names),  cmocka_unit_test(test_deep_names),
        cmocka_unit_test(test_views),       cmocka_unit_test(test_places),
        cmocka_unit_test(test_event_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
