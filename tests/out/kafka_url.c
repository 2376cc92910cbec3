/* Tests of out/kafka_url.h. */
#include "out/kafka_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void good(const char *url, const char *brokers, const char *prefix, const char *properties)
{
    struct kafka_url u;
    char err[256] = "", all[512] = "";

    if (kafka_url_parse(&u, url, err, sizeof err) != SINK_OK)
        fail_msg("%s: %s", url, err);
    assert_string_equal(u.brokers, brokers);
    assert_string_equal(u.prefix, prefix);
    for (size_t i = 0; i < u.n; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s=%s%s;", u.properties[i].name,
                 u.properties[i].value, u.properties[i].secret ? "!" : "");
    assert_string_equal(all, properties);
    kafka_url_free(&u);
}

static void bad(const char *url, const char *word)
{
    struct kafka_url u;
    char err[256] = "";

    assert_int_equal(kafka_url_parse(&u, url, err, sizeof err), SINK_USAGE);
    if (!strstr(err, word) || strstr(err, "hidden"))
        fail_msg("%s: %s", url, err);
    assert_null(u.brokers);
    assert_int_equal(u.n, 0);
}

static void urls(void **state)
{
    (void)state;
    good("h", "h:9092", "", "");
    good("h:1", "h:1", "", "");
    good("//h:1/", "h:1", "", "");
    good("a,b:2,10.0.0.1:65535", "a:9092,b:2,10.0.0.1:65535", "", "");
    good("[::1],[fe80::1%eth0]:7", "[::1]:9092,[fe80::1%eth0]:7", "", "");
    good("h/site-1.", "h:9092", "site-1.", "");
    good("h?acks=all", "h:9092", "", "acks=all;");
    good("h/p?a=1&b=&c=x%3D%26y/z?", "h:9092", "p", "a=1;b=;c=x=&y/z?;");
    good("h?sasl.password=hid%40den&ssl.key.password=x", "h:9092", "",
         "sasl.password=hid@den!;ssl.key.password=x!;");
    good("h?x=%40y", "h:9092", "", "x=@y;");
}

static void mistakes(void **state)
{
    (void)state;
    bad("", "HOST");
    bad("/p", "HOST");
    bad("?a=b", "HOST");
    bad(",h", "HOST");
    bad("h,", "HOST");
    bad("h:0", "HOST");
    bad("h:65536", "HOST");
    bad("h:x", "HOST");
    bad("h:", "HOST");
    bad("h:1:2", "HOST");
    bad("[::1", "HOST");
    bad("[]", "HOST");
    bad("[::1]x", "HOST");
    bad("a b", "HOST");
    bad("u:hidden@h", "HOST");
    bad("h/a/b", "prefix");
    bad("h/a b", "prefix");
    bad("h?a", "property=value");
    bad("h?=hidden", "property=value");
    bad("h?a=1&", "property=value");
    bad("h?a=1&&b=2", "property=value");
    bad("h?sasl.password=hidden%4", "hexadecimal");
    bad("h?sasl.password=hidden%zz", "hexadecimal");
    bad("h?sasl.password=hidden%00", "hexadecimal");
    bad("h?sasl.password=@/no/such/file", "No such file");
}

static void prefix_has_a_bound(void **state)
{
    char url[300] = "h/";

    (void)state;
    memset(url + 2, 'p', 217);
    char copy[300];
    snprintf(copy, sizeof copy, "%s", url + 2);
    good(url, "h:9092", copy, "");
    url[2 + 217] = 'p';
    bad(url, "prefix");
}

static void value_from_a_file(void **state)
{
    char path[256], url[512];

    (void)state;
    snprintf(path, sizeof path, "%s/kafka-url-%d", BINARY_DIR, (int)getpid());
    FILE *f = fopen(path, "w");
    fputs("s3cret of the file\r\n", f);
    fclose(f);
    snprintf(url, sizeof url, "h?sasl.username=me&sasl.mechanism=@%s", path);
    good(url, "h:9092", "", "sasl.username=me;sasl.mechanism=s3cret of the file!;");
    f = fopen(path, "w");
    fwrite("a\0b", 1, 3, f);
    fclose(f);
    bad(url, "no text");
    unlink(path);
}

static void leaks(void **state)
{
    struct kafka_url u;
    char err[256];

    (void)state;
    assert_int_equal(
        kafka_url_parse(&u, "h?sasl.password=s3cret&sasl.username=shop&ssl.key.password=ab", err,
                        sizeof err),
        SINK_OK);
    assert_true(kafka_url_leaks(&u, "invalid value s3cret for sasl.password"));
    assert_false(kafka_url_leaks(&u, "shop: about s3cre"));
    kafka_url_free(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(prefix_has_a_bound),
        cmocka_unit_test(value_from_a_file),
        cmocka_unit_test(leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
