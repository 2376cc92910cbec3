/* tests/apps/members.c - members and bodies read the quick way are what the reader makes of them: a
 * line break behind the first bracket, which json.dumps never writes, leaves all to the reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "dissectors/apps/body.h"
#include "dissectors/apps/text.h"

static const struct bytes names[] = {TEXT("type"), TEXT("timestamp"), TEXT("hostname"),
                                     TEXT("uuid"), TEXT("pid"),       TEXT("x")};
enum { NAMES = sizeof names / sizeof names[0] };

static const char *const objects[] = {
    "{}",
    "{\"type\": \"task-sent\", \"timestamp\": 1795566940.113, \"pid\": -17, \"hostname\": null}",
    "{\"hostname\": \"celery@app1\", \"other\": [1, {\"type\": 2}], \"type\": \"worker-online\"}",
    "{\"pid\": 1, \"pid\": \"2\", \"pid\": [1, [2], \"]\"], \"uuid\": {\"hex\": \"a\"}}",
    "{\"pid\": 1, \"pid\": null, \"x\": true, \"uuid\": false}",
    "{\"t\\u0079pe\": \"Zo\\u00eb\", \"x\": \"\\\"quoted\\\" and longer than sixteen\"}",
    "{\"type\":\"a\",\"pid\":0,\"x\":0.5,\"uuid\":{}}",
    "{\"pid\": 123456789012345678901234567890, \"x\": 1e5, \"uuid\": 1.5E-3}",
    "{\"pid\": 01, \"x\": 1}",
    "{\"pid\": 1., \"x\": 1}",
    "{\"pid\": -, \"x\": 1}",
    "{\"pid\": NaN, \"x\": -Infinity}",
    "{\"type\": \"a\", \"x\": tru}",
    "{\"type\": \"a\" \"x\": 1}",
    "{\"type\": \"a\", }",
    "{\"type\": \"a\", \"x\": [1, 2}",
    "{\"type\": \"a\", \"x\": [1, 2]",
    "{\"type\": \"a\", \"x\": \"\\q\"}",
    "{\"type\": \"a\", \"x\": \"\t\"}",
    "{\"type\": \"a\",  \"x\" : 1 , \"pid\": 2 } and more",
    "{\"a name longer than sixteen\": 1, \"typf\": 2, \"type\": 3, \"x\": \"\"}",
};

static const char *const bodies[] = {
    "[[], {}, " BODY_NOTHING "]",
    "[[2, 2], {}, " BODY_NOTHING "]",
    "[[\"a\", [1, {\"b\": \"]\"}], null], {\"k\": {\"m\": []}, \"n\": -1.5}, " BODY_NOTHING "]",
    "[[1], {\"a\": 1}, {\"callbacks\": [{\"task\": \"x\"}], \"chain\": null}]",
    "[[1], {\"a\": NaN}, " BODY_NOTHING "]",
    "[[\"\\u00e9\\\\\"], {\"\\\"\": \"\\\"\"}, " BODY_NOTHING "]",
    "[[1], {}]",
    "[1, {}, " BODY_NOTHING "]",
    "[[1], {}, " BODY_NOTHING ", 4]",
    "[[1], {}, " BODY_NOTHING "] and more",
    "[[1}, {}, " BODY_NOTHING "]",
    "[[1], {\"a\" 1}, " BODY_NOTHING "]",
    "[[1], {}, " BODY_NOTHING,
    "[[1, {}, " BODY_NOTHING "]",
    "[[\"x\", {}, " BODY_NOTHING "]",
};

/* The same with a line break behind its first byte; both in blocks of their exact size. */
static struct document document(const char *text, bool broken_line, bool clipped)
{
    size_t n = strlen(text);
    char *copy = malloc(n + broken_line);

    copy[0] = text[0];
    if (broken_line)
        copy[1] = '\n';
    memcpy(copy + 1 + broken_line, text + 1, n - 1);
    return (struct document){
        .format = WHAT_JSON, .clipped = clipped, .bytes = bytes_of(copy, n + broken_line)};
}

static void same(struct bytes a, struct bytes b)
{
    assert_int_equal(a.len, b.len);
    assert_true(a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static void same_members(const char *text, bool clipped, struct arena *arena)
{
    struct document quick = document(text, false, clipped), slow = document(text, true, clipped);
    struct member a[NAMES], b[NAMES];
    struct members x = members_read(&quick, names, NAMES, a, arena);
    struct members y = members_read(&slow, names, NAMES, b, arena);

    assert_int_equal(x.mapping, y.mapping);
    assert_int_equal(x.others, y.others);
    for (unsigned i = 0; i < NAMES; i++) {
        assert_int_equal(a[i].seen, b[i].seen);
        assert_int_equal(a[i].cut, b[i].cut);
        assert_int_equal(a[i].kind, b[i].kind);
        assert_int_equal(a[i].num, b[i].num);
        same(a[i].text, b[i].text);
    }
    free((void *)(uintptr_t)quick.bytes.at);
    free((void *)(uintptr_t)slow.bytes.at);
}

static void same_body(const char *text, bool clipped, struct arena *arena)
{
    struct document quick = document(text, false, clipped), slow = document(text, true, clipped);
    struct body a, b;

    body_read(&quick, &a, arena);
    body_read(&slow, &b, arena);
    assert_int_equal(a.shape, b.shape);
    same(a.views.args, b.views.args);
    same(a.views.kwargs, b.views.kwargs);
    same(a.views.embed, b.views.embed);
    free((void *)(uintptr_t)quick.bytes.at);
    free((void *)(uintptr_t)slow.bytes.at);
}

/* Each, and each of its heads. */
static void all(const char *const texts[], size_t n,
                void (*check)(const char *text, bool clipped, struct arena *arena))
{
    struct arena *arena = arena_new(1u << 20);

    for (size_t i = 0; i < n; i++)
        for (size_t len = strlen(texts[i]); len > 0; len--) {
            char head[256];

            assert_true(len < sizeof head);
            memcpy(head, texts[i], len);
            head[len] = '\0';
            check(head, false, arena);
            check(head, true, arena);
            arena_reset(arena);
        }
    arena_free(arena);
}

static void members_are_the_readers(void **state)
{
    (void)state;
    all(objects, sizeof objects / sizeof *objects, same_members);
}

static void bodies_are_the_readers(void **state)
{
    (void)state;
    all(bodies, sizeof bodies / sizeof *bodies, same_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_the_readers),
        cmocka_unit_test(bodies_are_the_readers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
