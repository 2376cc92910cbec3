/* value.c - tokens of RESP, under every cut. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dissectors/resp/foothold.h"
#include "dissectors/resp/value.h"
#include "tests/every_split.h"

static struct budget budget = {.limit = 1u << 30};
static const struct dissect_conf conf = {
    .max_body = 64, .max_item = 100, .max_depth = 6, .max_elements = 40, .budget = &budget};

struct parser {
    struct resp_value v;
    struct resp_sink sink;
    FILE *log;
    char *text;
    size_t size;
};

static void on_token(void *ctx, const struct resp_token *t)
{
    struct parser *p = ctx;

    fprintf(p->log, "%*s%c", t->depth * 2, "",
            t->kind == RESP_END      ? '/'
            : t->kind == RESP_INLINE ? 'i'
                                     : t->kind);
    if (t->kind == RESP_END)
        fprintf(p->log, "%c", t->of);
    if (t->depth > 0)
        fprintf(p->log, " [%" PRIu32 " of %c]", t->index, t->parent);
    if (resp_is_aggregate(t->kind) || t->kind == RESP_INTEGER)
        fprintf(p->log, " %" PRId64, t->num);
    if (t->wire_len > 0)
        fprintf(p->log, " %" PRIu64 ":%.*s", t->wire_len, (int)t->text.len,
                (const char *)t->text.at);
    fprintf(p->log, "%s%s%s\n", t->null ? " null" : "", t->gap ? " gap" : "",
            t->attr ? " attr" : "");
    if (resp_ends_unit(t))
        fprintf(p->log, "-- @%" PRIu64 "\n", p->v.unit);
}

static void on_broken(void *ctx, enum resp_broken what, uint64_t offset)
{
    struct parser *p = ctx;

    fprintf(p->log, "broken %d @%" PRIu64 "\n", what, offset);
}

static void on_lost(void *ctx)
{
    fprintf(((struct parser *)ctx)->log, "lost\n");
}

static struct parser *start(bool client)
{
    struct parser *p = calloc(1, sizeof *p);

    resp_value_init(&p->v, &conf, client);
    p->sink = (struct resp_sink){on_token, on_broken, on_lost, NULL, p};
    p->log = open_memstream(&p->text, &p->size);
    return p;
}

static void *start_client(void)
{
    return start(true);
}

static void *start_server(void)
{
    return start(false);
}

static void feed(void *parser, struct bytes piece)
{
    struct parser *p = parser;

    resp_value_feed(&p->v, piece, &p->sink);
}

static char *finish(void *parser)
{
    struct parser *p = parser;
    char *text;

    fprintf(p->log, "@%" PRIu64 "%s\n", p->v.pos, resp_value_lost(&p->v) ? " lost" : "");
    fclose(p->log);
    resp_value_free(&p->v);
    text = p->text;
    free(p);
    assert_int_equal(budget.used, 0);
    return text;
}

static const struct split_subject client = {start_client, feed, finish};
static const struct split_subject server = {start_server, feed, finish};

/* What it says of `text` whole is `expected`, and the same under every cut. */
static void says(const struct split_subject *s, const char *text, const char *expected)
{
    struct bytes all = bytes_of(text, strlen(text));
    char *said = split_run(s, all, all.len, all.len);

    assert_string_equal(said, expected);
    free(said);
    assert_int_equal(every_split(s, all), 0);
}

static void scalars(void **state)
{
    (void)state;
    says(&server,
         "+OK\r\n-ERR x\r\n:-7\r\n$3\r\nabc\r\n$0\r\n\r\n$-1\r\n*-1\r\n_\r\n#t\r\n,1.5\r\n(123\r\n",
         "+ 2:OK\n-- @0\n- 5:ERR x\n-- @5\n: -7 2:-7\n-- @13\n$ 3:abc\n-- @18\n$\n-- @27\n"
         "$ null\n-- @33\n_ null\n-- @38\n_ null\n-- @43\n# 1:t\n-- @46\n, 3:1.5\n-- @50\n"
         "( 3:123\n-- @56\n@62\n");
}

static void aggregates_open_and_end_with_their_last_element(void **state)
{
    (void)state;
    says(&server, "*2\r\n*0\r\n%1\r\n+k\r\n~1\r\n:1\r\n:2\r\n",
         "* 2\n  * [0 of *] 0\n  /* [0 of *]\n  % [1 of *] 2\n    + [0 of %] 1:k\n"
         "    ~ [1 of %] 1\n      : [0 of ~] 1 1:1\n    /~ [1 of %]\n  /% [1 of *]\n/*\n-- @0\n"
         ": 2 1:2\n-- @24\n@28\n");
}

static void attributes_are_not_counted(void **state)
{
    (void)state;
    says(&server, "|1\r\n+a\r\n*1\r\n:1\r\n*1\r\n|1\r\n:2\r\n:3\r\n:4\r\n:5\r\n",
         "| 2 attr\n  + [0 of |] 1:a attr\n  * [1 of |] 1 attr\n    : [0 of *] 1 1:1 attr\n"
         "  /* [1 of |] attr\n/| attr\n* 1\n  | [0 of *] 2 attr\n    : [0 of |] 2 1:2 attr\n"
         "    : [1 of |] 3 1:3 attr\n  /| [0 of *] attr\n  : [0 of *] 4 1:4\n/*\n-- @0\n: 5 1:5\n"
         "-- @36\n@40\n");
}

static void streamed_values(void **state)
{
    (void)state;
    says(&server, "$?\r\n;4\r\nabcd\r\n;2\r\nef\r\n;0\r\n*?\r\n:1\r\n~?\r\n.\r\n.\r\n",
         "$ 6:abcdef\n-- @0\n* -1\n  : [0 of *] 1 1:1\n  ~ [1 of *] -1\n  /~ [1 of *]\n/*\n-- "
         "@26\n@44\n");
}

static void requests_and_inline_commands(void **state)
{
    (void)state;
    says(&client,
         "*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING\r\n\r\n*0\r\n*-1\r\nset a b\n*1\r\n$4\r\nQUIT\r\n",
         "* 2\n  $ [0 of *] 3:GET\n  $ [1 of *] 1:k\n/*\n-- @0\ni 4:PING\n-- @20\ni 7:set a b\n-- "
         "@37\n"
         "* 1\n  $ [0 of *] 4:QUIT\n/*\n-- @45\n@59\n");
}

static void a_client_sends_nothing_but_strings(void **state)
{
    (void)state;
    says(&client, "*1\r\n:1\r\n*1\r\n$1\r\na\r\n",
         "* 1\nbroken 0 @4\nlost\n* 1\n  $ [0 of *] 1:a\n/*\n-- @8\n@19\n");
    says(&client, "*2\r\n$1\r\na\r\n*1\r\n$1\r\nb\r\n",
         "* 2\n  $ [0 of *] 1:a\nbroken 0 @11\nlost\n* 1\n  $ [0 of *] 1:b\n/*\n-- @11\n@22\n");
}

static void counts_are_written_as_redis_writes_them(void **state)
{
    (void)state;
    says(&server, "*01\r\n:1\r\n", "broken 1 @0\nlost\n: 1 1:1\n-- @5\n@9\n");
    says(&server, "$03\r\nabc\r\n:1\r\n", "broken 1 @0\nlost\n: 1 1:1\n-- @10\n@14\n");
    says(&client, "*1\r\n$01\r\na\r\n*1\r\n$1\r\nb\r\n",
         "* 1\nbroken 1 @4\nlost\n* 1\n  $ [0 of *] 1:b\n/*\n-- @12\n@23\n");
    says(&client, "*x\r\n*0\r\n$1\r\na\r\n*1\r\n$1\r\nb\r\n",
         "broken 1 @0\nlost\n* 1\n  $ [0 of *] 1:b\n/*\n-- @15\n@26\n");
}

static void long_texts_are_kept_in_part(void **state)
{
    char in[256], expected[256];

    (void)state;
    snprintf(in, sizeof in, "$70\r\n%070d\r\n+%0120d\r\n:1\r\n", 0, 0);
    snprintf(expected, sizeof expected,
             "$ 70:%064d\n-- @0\n+ 120:%099d\n-- @77\n: 1 1:1\n-- @200\n@204\n", 0, 0);
    says(&server, in, expected);
}

static void what_is_too_deep_or_too_many_is_walked_over(void **state)
{
    (void)state;
    says(&server, "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*2\r\n*2\r\n:1\r\n*1\r\n+x\r\n:2\r\n+OK\r\n",
         "* 1\n  * [0 of *] 1\n    * [0 of *] 1\n      * [0 of *] 1\n        * [0 of *] 1\n"
         "          * [0 of *] 2\nbroken 4 @24\n/*\n-- @0\n+ 2:OK\n-- @44\n@49\n");
    struct bytes many = bytes_of("*50\r\n", 5);
    char in[300] = "*50\r\n";
    for (unsigned i = 0; i < 50; i++)
        strcat(in, ":1\r\n");
    strcat(in, "+OK\r\n");
    (void)many;
    char *said = split_run(&server, bytes_of(in, strlen(in)), strlen(in), strlen(in));
    assert_non_null(strstr(said, "[38 of *]"));
    assert_null(strstr(said, "[39 of *]"));
    assert_non_null(strstr(said, "broken 5 @161\n/*\n-- @0\n+ 2:OK\n-- @205\n"));
    free(said);
    assert_int_equal(every_split(&server, bytes_of(in, strlen(in))), 0);
}

/* However the lost line was cut: it is looked at again. */
static void a_count_too_deep_in_a_streamed_one_is_the_way_back(void **state)
{
    (void)state;
    says(&server, "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*?\r\n*1\r\n:1\r\n+OK\r\n",
         "* 1\n  * [0 of *] 1\n    * [0 of *] 1\n      * [0 of *] 1\n        * [0 of *] 1\n"
         "          * [0 of *] -1\nbroken 4 @24\nlost\n* 1\n  : [0 of *] 1 1:1\n/*\n-- @24\n"
         "+ 2:OK\n-- @32\n@37\n");
}

static void numbers_are_those_of_redis(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t num;
    } rows[] = {{"0", true, 0},   {"7", true, 7},
                {"-1", true, -1}, {"123456789012345678", true, 123456789012345678},
                {"", false, 0},   {"-", false, 0},
                {"01", false, 0}, {"-0", false, 0},
                {"+1", false, 0}, {" 1", false, 0},
                {"1x", false, 0}, {"1234567890123456789", false, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t n = 0;
        assert_int_equal(resp_number(bytes_of(rows[i].text, strlen(rows[i].text)), &n), rows[i].ok);
        assert_int_equal(n, rows[i].num);
    }
}

static void lost_streams_find_their_way_back(void **state)
{
    static const char *const servers[] = {"garbage", "gar\r\nba*ge", "12345678\r\n$",
                                          "ab\r\n*2\r\nxx\r\n", "\r\n:\r\n:x\r\n"};
    char in[200];

    (void)state;
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        struct parser *p = start(false);
        snprintf(in, sizeof in, "%s\r\n$5\r\nvalue\r\n:1\r\n", servers[i]);
        resp_value_lose(&p->v);
        feed(p, bytes_of(in, strlen(in)));
        char *said = finish(p);
        if (!strstr(said, "$ 5:value\n") || !strstr(said, ": 1 1:1\n") || strstr(said, "broken"))
            fail_msg("%s: %s", servers[i], said);
        free(said);
    }
}

static void gaps_in_a_body_keep_the_place(void **state)
{
    (void)state;
    for (unsigned missing = 1; missing <= 12; missing++) {
        static const char rest[] = "3456789\r\n+OK\r\n";
        struct parser *p = start(false);
        feed(p, bytes_of("*2\r\n$10\r\n012", 12));
        assert_true(missing <= 9 ? resp_value_gap(&p->v, missing, &p->sink) : true);
        if (missing > 9) {
            free(finish(p));
            continue;
        }
        feed(p, bytes_of(rest + missing, strlen(rest) - missing));
        char *said = finish(p);
        assert_non_null(strstr(said, "$ [0 of *] 10:012 gap\n  + [1 of *] 2:OK\n/*\n"));
        free(said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars),
        cmocka_unit_test(aggregates_open_and_end_with_their_last_element),
        cmocka_unit_test(attributes_are_not_counted),
        cmocka_unit_test(streamed_values),
        cmocka_unit_test(requests_and_inline_commands),
        cmocka_unit_test(a_client_sends_nothing_but_strings),
        cmocka_unit_test(counts_are_written_as_redis_writes_them),
        cmocka_unit_test(long_texts_are_kept_in_part),
        cmocka_unit_test(what_is_too_deep_or_too_many_is_walked_over),
        cmocka_unit_test(a_count_too_deep_in_a_streamed_one_is_the_way_back),
        cmocka_unit_test(numbers_are_those_of_redis),
        cmocka_unit_test(lost_streams_find_their_way_back),
        cmocka_unit_test(gaps_in_a_body_keep_the_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
