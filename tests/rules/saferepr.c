/* Tests of signatures/saferepr.c. What Python may have written for the JSON is no contradiction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "signatures/saferepr.h"

struct pair {
    const char *json, *text;
};

static bool contradicts(const char *json, const char *text)
{
    return saferepr_contradicts(bytes_of(json, strlen(json)), bytes_of(text, strlen(text)));
}

static void agrees(void **state)
{
    static const struct pair pairs[] = {
        {"[]", "()"},
        {"[]", "[]"},
        {"{}", "{}"},
        {"[2, 3]", "(2, 3)"},
        {"[2,3]", "[2, 3]"},
        {"[1]", "(1,)"},
        {"[[1], [2]]", "([1], (2,))"},
        {"[\"a\", 1, true, null, 1.5]", "('a', 1, True, None, 1.5)"},
        {"{\"user\": \"bob\", \"n\": -3}", "{'user': 'bob', 'n': -3}"},
        {"{\"1\": 2}", "{1: 2}"},
        {"[\"it's\"]", "('it\\'s',)"},
        {"[\"it's\"]", "('it's',)"}, /* 4.0 */
        {"[\"a\\nb\"]", "('a\nb',)"},
        {"[\"caf\\u00e9\"]", "('caf\xc3\xa9',)"},
        {"[\"aaaaaaaaaaaaaaaaaaaaaa\"]", "('aaaaaaa...',)"},
        {"[[[[[1, 2]]]]]", "([[[...]]],)"},
        {"[1, 2, 3, 4]", "(1, 2, ...)"},
        {"[\"5fd924625f6ab16a19cc9807c7c506ae\"]",
         "(UUID('5fd92462-5f6a-b16a-19cc-9807c7c506ae'),)"},
        {"[\"1.5\"]", "(Decimal('1.5'),)"},
        {"[\"1.5\"]", "(1.5,)"},
        {"[{\"task\": \"b\", \"args\": []}]", "(b(),)"},
        {"[1]", "(<Color.RED: 1>,)"},
        {"[\"a\"]", "(u'a',)"},
        {"[12]", "(12L,)"},
        {"[0.1]", "(0.10000000000000001,)"},
        {"[{\"__type__\": \"datetime\", \"__value__\": \"2026-01-01\"}]",
         "(datetime.datetime(2026, 1, 1),)"},
        {"[1, 2", "(1, 2"},
        {"", "()"},
        {"[]", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (contradicts(pairs[i].json, pairs[i].text))
            fail_msg("%s is %s", pairs[i].json, pairs[i].text);
}

static void differs(void **state)
{
    static const struct pair pairs[] = {
        {"[2, 3]", "(2, 4)"},
        {"[2, 3]", "()"},
        {"[2, 3]", "(2,)"},
        {"[2]", "(2, 3)"},
        {"[]", "(1, 2)"},
        {"[12]", "(1,)"},
        {"[\"rm -rf /\"]", "('hello',)"},
        {"[\"ab\"]", "('abc',)"},
        {"[\"abc\"]", "('ab',)"},
        {"[1]", "('1',)"},
        {"[true]", "(False,)"},
        {"[null]", "(1,)"},
        {"{\"a\": 1}", "{}"},
        {"{\"a\": 1}", "{'b': 1}"},
        {"{\"a\": [1, 2], \"b\": 2}", "{'a': [1, 2], 'b': 3}"},
        {"[[1], 2]", "(1, 2)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (!contradicts(pairs[i].json, pairs[i].text))
            fail_msg("%s is not %s", pairs[i].json, pairs[i].text);
}

/* Every prefix of both, in blocks of their own: nothing is read behind an end. */
static void cut_anywhere(void **state)
{
    static const char json[] = "{\"a\": [1, \"x'y\", true], \"b\": {\"c\": null}}";
    static const char text[] = "{'a': [1, 'x\\'y', True], 'b': {'c': None}}";

    (void)state;
    for (size_t i = 0; i <= sizeof json - 1; i++)
        for (size_t k = 0; k <= sizeof text - 1; k++) {
            char *a = malloc(i + 1), *b = malloc(k + 1);
            memcpy(a, json, i);
            memcpy(b, text, k);
            assert_false(saferepr_contradicts(bytes_of(a, i), bytes_of(b, k)) &&
                         k == sizeof text - 1 && i == sizeof json - 1);
            free(a);
            free(b);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees),
        cmocka_unit_test(differs),
        cmocka_unit_test(cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
