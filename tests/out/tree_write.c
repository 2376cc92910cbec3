/* What is written is what json_dumps() would write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "out/tree_write.h"

static void check_same(json_t *value)
{
    char *want = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    struct text got = {0};

    assert_non_null(want);
    assert_true(tree_write(&got, value));
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.at, want, got.len);
    text_free(&got);
    free(want);
    json_decref(value);
}

static void test_documents(void **state)
{
    static const char *const documents[] = {
        "{}",
        "[]",
        "{\"a\":{},\"b\":[],\"c\":[[],{},[[]]]}",
        "[1,-1,0,9223372036854775807,-9223372036854775808,true,false,null]",
        "[0.5,1e300,-2.0,1.0]",
        "{\"a\":\"b\",\"c\":[\"d\",\"e\"],\"f\":{\"g\":\"h\"}}",
        "{\"quote\":\"\\\"\",\"\\\\\":\"\\\\\",\"n\":\"\\n\\t\\u0001\\u007f\",\"z\\u00eb\":"
        "\"\\ud83d"
        "\\ude00\"}",
        "\"alone\"",
        "3",
        "{\"\":\"\"}",
        "[[[[[[[[[[[[[[[[[[[[[\"deep\",{\"x\":1}]]]]]]]]]]]]]]]]]]]],2]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        json_t *value = json_loads(documents[i], JSON_DECODE_ANY, NULL);

        assert_non_null(value);
        check_same(value);
    }
}

static json_t *scalar(uint32_t r)
{
    char text[4] = {(char)(r >> 8 & 0x7f), (char)(r >> 16 & 0x7f), 'x', '\0'};

    switch (r % 5) {
    case 0: return json_integer((json_int_t)r - 0x40000000);
    case 1: return json_boolean(r >> 4 & 1);
    case 2: return json_null();
    default: return json_stringn_nocheck(text, 3);
    }
}

static void test_random(void **state)
{
    uint32_t seed = 7;

    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        json_t *at[8] = {json_object()};
        unsigned depth = 0;

        for (unsigned i = 0; i < 40; i++) {
            uint32_t r = seed = seed * 1664525 + 1013904223;
            bool open = r >> 28 < 4 && depth < 7, list = r >> 27 & 1;
            json_t *value = !open ? scalar(r >> 3) : list ? json_array() : json_object();
            char key[] = {(char)('a' + (r >> 9) % 30), (char)(r >> 20 & 0x7f), 'k', '\0'};

            if (r >> 28 > 13 && depth > 0)
                depth--;
            if (json_is_array(at[depth]))
                json_array_append_new(at[depth], value);
            else
                json_object_setn_new_nocheck(at[depth], key, 3, value);
            if (open && depth < 7)
                at[++depth] = value;
        }
        check_same(at[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
