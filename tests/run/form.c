/* Tests of signatures/form.c: envelopes as Celery writes them since 3.1, and what is wrong with
 * others, each through the interpreters, as on the wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dissectors/interpreter.h"
#include "signatures/form.h"

#define ID       "1db90e87-6f0e-4d0c-9c3a-0123456789ab"
#define REPLY_TO "7a321e24-de4e-370d-8f11-0123456789ab"
#define NOTHING \
    "{\\\"callbacks\\\": null, \\\"errbacks\\\": null, \\\"chain\\\": null, \\\"chord\\\": null}"
#define TAIL                                                                              \
    "\"properties\": {\"correlation_id\": \"" ID "\", \"reply_to\": \"" REPLY_TO          \
    "\", \"delivery_mode\": 2, \"delivery_info\": {\"exchange\": \"\", \"routing_key\": " \
    "\"celery\"}, \"priority\": 0, \"body_encoding\": \"utf-8\", \"delivery_tag\": "      \
    "\"68dca04e-0000-4000-8000-0123456789ab\"}}"
#define HEAD(body)                                                                 \
    "{\"body\": \"" body "\", \"content-encoding\": \"utf-8\", \"content-type\": " \
    "\"application/json\", "

static const char celery_56[] =
    HEAD("[[2, 3], {}, " NOTHING
         "]") "\"headers\": {\"lang\": \"py\", \"task\": \"lab.add\", \"id\": \"" ID
              "\", \"shadow\": null, "
              "\"eta\": null, \"expires\": null, \"group\": null, \"group_index\": null, "
              "\"retries\": 0, "
              "\"timelimit\": [null, null], \"root_id\": \"" ID
              "\", \"parent_id\": null, \"argsrepr\": "
              "\"(2, 3)\", \"kwargsrepr\": \"{}\", \"origin\": \"gen24786@vm\", \"ignore_result\": "
              "false, "
              "\"replaced_task_nesting\": 0, \"stamped_headers\": null, \"stamps\": {}}, " TAIL;

static const char protocol_1[] = HEAD(
    "{\\\"task\\\": \\\"lab.add\\\", \\\"id\\\": \\\"" ID
    "\\\", \\\"args\\\": [2, 3], \\\"kwargs\\\": {}, \\\"retries\\\": 0, \\\"eta\\\": null, "
    "\\\"expires\\\": null, \\\"utc\\\": true, \\\"callbacks\\\": null, \\\"errbacks\\\": null, "
    "\\\"timelimit\\\": [null, null], \\\"taskset\\\": null, \\\"chord\\\": null}") "\"headers\": "
                                                                                    "{}, " TAIL;

static char wrong[8192]; /* as celery_56, without a header */

static struct arena *arena;
static struct tally tally;
static uint32_t signs;
static unsigned tasks;
static bool disputed; /* AMQP's tag 's' among the headers */

static void emitted(void *ctx, const struct msg *m)
{
    struct interpret_out out = {.arena = arena, .tally = &tally, .emit = emitted};

    (void)ctx;
    if (m->kind == MSG_TASK) {
        struct headers headers = m->headers ? *m->headers : (struct headers){0};
        struct msg copy = *m;

        headers.disputed = disputed;
        copy.headers = &headers;
        signs = task_form(&copy);
        tasks++;
        return;
    }
    static const struct content_limits limits = {
        .max_kept = 1u << 20, .max_total = 4u << 20, .max_ratio = 200, .max_depth = 4};
    if (!m->content->unwrapped)
        content_unwrap(m->content, arena, &limits, &tally);
    for (size_t i = 0; interpreters[i]; i++)
        if ((interpreters[i]->reads & m->kind) && interpreters[i]->read(m, &out))
            break;
}

static uint32_t form(const char *text, uint8_t coverage)
{
    struct content c = {.body = bytes_of(text, strlen(text)), .wire_len = strlen(text)};
    struct msg m;

    msg_init(&m, MSG_ENVELOPE, "published");
    m.op = OP_PUBLISH;
    m.coverage = coverage;
    m.content = &c;
    fields_str(&m.fields, F_REDIS_COMMAND, "LPUSH");
    fields_str(&m.fields, F_REDIS_KEY, "celery");
    tasks = 0;
    signs = ~0u;
    emitted(NULL, &m);
    arena_reset(arena);
    assert_int_equal(tasks, 1);
    return signs;
}

/* The text with its first `from` made `to`. */
static uint32_t changed(const char *text, const char *from, const char *to)
{
    static char room[8192];
    const char *at = strstr(text, from);

    assert_non_null(at);
    snprintf(room, sizeof room, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return form(room, 0);
}

#define ONLY(sign) (1u << (sign))

static void releases_of_celery(void **state)
{
    static const char *const dropped[] = {
        ", \"replaced_task_nesting\": 0",              /* 5.3.0 */
        ", \"stamped_headers\": null, \"stamps\": {}", /* 5.1 */
        ", \"ignore_result\": false",                  /* 4.4.7 */
        ", \"group_index\": null",                     /* 4.2 */
        ", \"shadow\": null",                          /* 4.0 */
    };
    static char text[8192];

    (void)state;
    snprintf(text, sizeof text, "%s", celery_56);
    assert_int_equal(form(text, 0), 0);
    for (unsigned i = 0; i < sizeof dropped / sizeof *dropped; i++) {
        char *at = strstr(text, dropped[i]);
        assert_non_null(at);
        memmove(at, at + strlen(dropped[i]), strlen(at + strlen(dropped[i])) + 1);
        assert_int_equal(form(text, 0), 0);
    }
    assert_int_equal(form(protocol_1, 0), 0);
    /* 4.x with protocol 1 */
    assert_int_equal(changed(protocol_1, "\\\"retries", "\\\"group\\\": null, \\\"retries"), 0);
}

static void headers_of_others_do_not_count(void **state)
{
    (void)state;
    disputed = true;
    assert_int_equal(changed(celery_56, "\"lang\": \"py\"", "\"lang\": \"py\""),
                     1u << SIGN_DISPUTED);
    disputed = false;
    assert_int_equal(changed(celery_56, "\"stamps\": {}",
                             "\"stamps\": {}, \"sentry-trace\": \"a-b-1\", \"baggage\": \"x=1\", "
                             "\"traceparent\": \"00-1\", \"headers\": {\"x\": 1}, \"redelivered\": "
                             "true, \"x-death\": [{\"count\": 1}], \"compression\": \"zlib\""),
                     0);
}

static void links_chords_and_retries(void **state)
{
    (void)state;
    assert_int_equal(changed(celery_56, "\\\"chain\\\": null",
                             "\\\"chain\\\": [{\\\"task\\\": \\\"b\\\", \\\"odd\\\": 1}]"),
                     0);
    assert_int_equal(changed(celery_56, "\"retries\": 0", "\"retries\": 3"), 0);
    assert_int_equal(changed(celery_56, REPLY_TO, "7a321e24-de4e-570d-8f11-0123456789ab"), 0);
}

static void headers_are_missing(void **state)
{
    static const char *const one[] = {"\"lang\": \"py\", ",
                                      "\"eta\": null, ",
                                      "\"timelimit\": [null, null], ",
                                      "\"argsrepr\": \"(2, 3)\", ",
                                      "\"origin\": \"gen24786@vm\", ",
                                      "\"shadow\": null, ",
                                      "\"ignore_result\": false, ",
                                      ", \"stamps\": {}"};

    (void)state;
    for (unsigned i = 0; i < sizeof one / sizeof *one; i++)
        assert_int_equal(changed(celery_56, one[i], ""), ONLY(SIGN_MISSING));
    assert_int_equal(changed(protocol_1, "\\\"utc\\\": true, ", ""), ONLY(SIGN_MISSING));
}

static void identities(void **state)
{
    (void)state;
    assert_int_equal(changed(celery_56, "\"id\": \"" ID, "\"id\": \"task-1"),
                     ONLY(SIGN_ID) | ONLY(SIGN_CORRELATION));
    assert_int_equal(changed(celery_56, REPLY_TO, "me"), 0);
    assert_int_equal(changed(wrong, REPLY_TO, "me"), ONLY(SIGN_MISSING) | ONLY(SIGN_REPLY_TO));
    assert_int_equal(changed(wrong, REPLY_TO, "7a321e24-de4e-470d-8f11-0123456789ab"),
                     ONLY(SIGN_MISSING) | ONLY(SIGN_REPLY_TO));
    assert_int_equal(changed(celery_56, "\"reply_to\": \"" REPLY_TO "\", ", ""),
                     ONLY(SIGN_NO_REPLY_TO));
    assert_int_equal(changed(celery_56, "\"correlation_id\": \"" ID "\", ", ""),
                     ONLY(SIGN_CORRELATION));
    assert_int_equal(changed(protocol_1, "\"correlation_id\": \"" ID "\", ", ""), 0);
    assert_int_equal(changed(protocol_1, "\"reply_to\": \"" REPLY_TO "\", ", ""), 0);
    assert_int_equal(
        changed(celery_56, ", \"delivery_tag\": \"68dca04e-0000-4000-8000-0123456789ab\"", ""),
        ONLY(SIGN_DELIVERY_TAG));
}

static void the_body(void **state)
{
    (void)state;
    assert_int_equal(
        changed(celery_56, "\\\"chord\\\": null}", "\\\"chord\\\": null, \\\"id\\\": 1}"),
        ONLY(SIGN_EMBED));
    assert_int_equal(changed(celery_56, "{}, {", "{\\\"a\\\": 1, \\\"a\\\": 2}, {") &
                         ~ONLY(SIGN_KWARGSREPR),
                     ONLY(SIGN_TWICE));
    assert_int_equal(changed(celery_56, "\"(2, 3)\"", "\"(2, 4)\""), 0);
    assert_int_equal(changed(wrong, "\"(2, 3)\"", "\"(2, 4)\""),
                     ONLY(SIGN_MISSING) | ONLY(SIGN_ARGSREPR));
    assert_int_equal(changed(wrong, "\"{}\"", "\"{'a': 1}\""),
                     ONLY(SIGN_MISSING) | ONLY(SIGN_KWARGSREPR));
    assert_int_equal(changed(celery_56, "[[2, 3], {}, " NOTHING "]",
                             "{\\\"args\\\": [2, 3], \\\"kwargs\\\": {}}"),
                     ONLY(SIGN_HYBRID));
}

static void a_key_comes_twice(void **state)
{
    (void)state;
    assert_int_equal(changed(celery_56, "\"retries\": 0", "\"retries\": 0, \"retries\": 0"),
                     ONLY(SIGN_TWICE));
    assert_int_equal(changed(celery_56, "\"stamps\": {}", "\"stamps\": {}, \"x\": 1, \"x\": 2"),
                     ONLY(SIGN_TWICE));
    assert_int_equal(changed(celery_56, "\"priority\": 0", "\"priority\": 0, \"priority\": 9"),
                     ONLY(SIGN_TWICE));
    assert_int_equal(changed(celery_56, "\"content-type\"",
                             "\"body\": \"[[2, 3], {}, " NOTHING "]\", \"content-type\""),
                     ONLY(SIGN_TWICE));
    assert_int_equal(changed(protocol_1, "\\\"utc", "\\\"retries\\\": 0, \\\"utc"),
                     ONLY(SIGN_TWICE));
}

static void other_languages(void **state)
{
    (void)state;
    assert_int_equal(changed(celery_56,
                             "\"lang\": \"py\", \"task\": \"lab.add\", \"id\": \"" ID
                             "\", \"shadow\": null, \"eta\": null, ",
                             "\"lang\": \"js\", \"task\": \"lab.add\", \"id\": \"7\", "),
                     0);
    assert_int_equal(changed(celery_56, "\"lang\": \"py\"", "\"lang\": \"js\", \"lang\": \"js\""),
                     ONLY(SIGN_TWICE));
}

static void what_was_seen_in_part_says_nothing(void **state)
{
    (void)state;
    assert_int_equal(
        form("{\"body\": \"e30=\", \"headers\": {\"task\": \"a\", \"id\": \"1\", \"lang\": "
             "\"py\"}, \"properties\": {}}",
             COVER_CLIPPED),
        0);
    assert_int_equal(
        form("{\"body\": \"e30=\", \"headers\": {\"task\": \"a\", \"id\": \"1\", \"lang\": "
             "\"py\"}, \"properties\": {}}",
             COVER_GAP),
        0);
}

static int open_arena(void **state)
{
    (void)state;
    char *at;

    arena = arena_new(4u << 20);
    memcpy(wrong, celery_56, sizeof celery_56);
    at = strstr(wrong, "\"eta\": null, ");
    memmove(at, at + 13, strlen(at + 13) + 1);
    return arena ? 0 : 1;
}

static int close_arena(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(releases_of_celery),
        cmocka_unit_test(headers_of_others_do_not_count),
        cmocka_unit_test(links_chords_and_retries),
        cmocka_unit_test(headers_are_missing),
        cmocka_unit_test(identities),
        cmocka_unit_test(the_body),
        cmocka_unit_test(a_key_comes_twice),
        cmocka_unit_test(other_languages),
        cmocka_unit_test(what_was_seen_in_part_says_nothing),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
