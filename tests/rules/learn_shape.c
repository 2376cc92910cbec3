/* Tests of signatures/learn_shape.c and learn_networks.c: what is generated in a name, and the
 * networks that hold addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "signatures/glob.h"
#include "signatures/learn_lists.h"
#include "signatures/learn_networks.h"
#include "signatures/learn_shape.h"

static void queues(void **state)
{
    static const char uuid[] = "123e4567-e89b-12d3-a456-426614174000";
    char name[256], glob[SHAPE_ROOM];

    (void)state;
    snprintf(name, sizeof name, "bcast.%s", uuid);
    learn_queue(bytes_of(name, strlen(name)), glob);
    assert_true(strncmp(glob, "bcast.[0-9a-f][0-9a-f]", 22) == 0);
    assert_true(glob_match(glob, bytes_of(name, strlen(name))));
    name[6] = '9';
    assert_true(glob_match(glob, bytes_of(name, strlen(name))));
    name[6] = 'x';
    assert_false(glob_match(glob, bytes_of(name, strlen(name))));
    learn_queue(bytes_of("a*b-12", 6), glob);
    assert_string_equal(glob, "a\\*b-12");
    name[0] = '\0';
    for (unsigned i = 0; i < 7; i++)
        strcat(name, uuid);
    learn_queue(bytes_of(name, strlen(name)), glob); /* no room: the name itself */
    assert_string_equal(glob, name);
}

#define HEX7  "[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]"
#define HEX14 HEX7 HEX7

static void shapes_are_known(void **state)
{
    static const struct {
        const char *name, *glob;
        enum shape is;
    } cases[] = {
        {"web1", "web[0-9]*", SHAPE_NAMED},
        {"web", "web", SHAPE_NONE},
        {"web-7d9f8b6c5d-x2x9z", "web-*", SHAPE_NAMED},
        {"web-qxx48j5wn9-whjw6", "web-*", SHAPE_NAMED},
        {"web-bcdfghjklm-bcdfg", "web-*", SHAPE_NAMED}, /* by chance without a digit */
        {"web-x2x9z", "web-*", SHAPE_NAMED},
        {"web-admin-7d9f8b6c5d-x2x9z", "web-admin-*", SHAPE_NAMED},
        {"worker-0", "worker-*", SHAPE_NAMED},
        {"worker-12", "worker-*", SHAPE_NAMED},
        {"my_worker_12", "my_worker_*", SHAPE_NAMED},
        {"celery@web-7d9f8b6c5d-x2x9z", "celery@web-*", SHAPE_NAMED},
        {"w1@host-abc", "w[0-9]*@host-abc", SHAPE_NAMED},
        {"celery@app1", "celery@app[0-9]*", SHAPE_NAMED},
        {"ip-10-0-0-12", "ip-*", SHAPE_GENERIC},
        {"ip-10-0-0-12.eu-west-1.compute.internal", "ip-*.eu-west-1.compute.internal",
         SHAPE_GENERIC},
        {"i-0abc123def4567890", "i-*", SHAPE_NAMED},
        {"gke-pool-1a2b3c4d-x7k2", "gke-pool-*", SHAPE_NAMED},
        {"web-123e4567-e89b-12d3-a456-426614174000", "web-*", SHAPE_NAMED},
        {"celery@12", "celery@12", SHAPE_BARE},
        {"12", "12", SHAPE_BARE},
        {"10.0.0.12", "10.0.0.12", SHAPE_BARE},
        {"-", "-", SHAPE_NONE},
        {"", "", SHAPE_NONE},
        {"a*b?[c\\", "a\\*b\\?\\[c\\\\", SHAPE_NONE},
        {"we*b-12", "we\\*b-*", SHAPE_NAMED},
        {"https-front", "https-front", SHAPE_NONE},
        {"db-primary", "db-primary", SHAPE_NONE},
        {"nginx", "nginx", SHAPE_NONE},
        {"web.17", "web.[0-9]*", SHAPE_NAMED},
        {"shop_web.3.x8a7wbnix4fhlyeytrsruxfnr", "shop_web.[0-9]*.*", SHAPE_NAMED},
        {"celery@shop_web.3", "celery@shop_web.[0-9]*", SHAPE_NAMED},
        {"web.3.example.com", "web.[0-9]*.example.com", SHAPE_NAMED},
        {"web.example.3", "web.example.3", SHAPE_NONE},
        {"web.", "web.", SHAPE_NONE},
        {"169.254.76.1", "169.254.*", SHAPE_GENERIC},
        {"celery@169-254-76-1", "celery@169-254-*", SHAPE_GENERIC},
        {"169.254.76", "169.254.76", SHAPE_BARE},
        {"169.254.76.example", "169.254.76.example", SHAPE_BARE},
        {"d891234f567890", HEX14, SHAPE_GENERIC},
        {"89123456789012", "89123456789012", SHAPE_BARE}, /* a time? */
        {"d891234f567890-1234567890", HEX14 "-[0-9]*", SHAPE_GENERIC},
    };
    char glob[SHAPE_ROOM];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes name = bytes_of(cases[i].name, strlen(cases[i].name));
        enum shape is = learn_shape(name, glob);

        if (is != cases[i].is || strcmp(glob, cases[i].glob) != 0)
            fail_msg("%s: %s, shape %d", cases[i].name, glob, is);
        assert_true(glob_match(glob, name));
    }
}

static void forms_of_their_own(void **state)
{
    char glob[SHAPE_ROOM];

    (void)state;
    assert_int_equal(learn_shape(bytes_of("3f2a9c1b7d4e", 12), glob), SHAPE_GENERIC);
    assert_true(glob_match(glob, bytes_of("0123456789ab", 12)));
    assert_false(glob_match(glob, bytes_of("0123456789ax", 12)));
    assert_false(glob_match(glob, bytes_of("0123456789a", 11)));
    assert_false(glob_match(glob, bytes_of("attacker", 8)));
    assert_int_equal(learn_shape(bytes_of("celery@123e4567-e89b-12d3-a456-426614174000", 43), glob),
                     SHAPE_GENERIC);
    assert_true(glob_match(glob, bytes_of("celery@003e4567-e89b-12d3-a456-42661417400f", 43)));
    assert_false(glob_match(glob, bytes_of("celery@003e4567xe89b-12d3-a456-42661417400f", 43)));
}

static void any_name_matches_its_glob(void **state)
{
    static const char letters[] = "a0-_.@*?[\\]x9fz\x80";
    char glob[SHAPE_ROOM], again[SHAPE_ROOM];
    unsigned seed = 1;

    (void)state;
    for (unsigned n = 0; n < 200000; n++) {
        uint8_t name[255];
        size_t len = n % 1000 == 0 ? 255 : n % 40;

        for (size_t i = 0; i < len; i++) {
            seed = seed * 1103515245u + 12345u;
            name[i] = (uint8_t)letters[(seed >> 16) % (sizeof letters - 1)];
        }
        learn_shape(bytes_of(name, len), glob);
        if (!glob_match(glob, bytes_of(name, len)))
            fail_msg("%.*s: %s", (int)len, (const char *)name, glob);
        assert_string_not_equal(glob, "*");
        learn_escape(bytes_of(name, len), glob);
        memcpy(again, glob, sizeof again);
        assert_true(glob_match(glob, bytes_of(name, len)));
        assert_true(learn_unescape(again));
        assert_int_equal(strlen(again), len);
        assert_memory_equal(again, name, len);
    }
}

static void globs_are_no_literals(void **state)
{
    char a[] = "web-*", b[] = "we\\*b", c[] = "x[0-9]";

    (void)state;
    assert_false(learn_unescape(a));
    assert_true(learn_unescape(b));
    assert_string_equal(b, "we*b");
    assert_false(learn_unescape(c));
}

/* --- networks ------------------------------------------------------------------- */

static void add(struct network_list *l, const char *text)
{
    struct network n = {.family = strchr(text, ':') ? 6 : 4};
    const char *slash = strchr(text, '/');
    char ip[64];

    snprintf(ip, sizeof ip, "%.*s", slash ? (int)(slash - text) : (int)strlen(text), text);
    assert_int_equal(inet_pton(n.family == 4 ? AF_INET : AF_INET6, ip, n.ip), 1);
    n.prefix = slash ? (unsigned)atoi(slash + 1) : n.family == 4 ? 32 : 128;
    assert_true(networks_copy(l, &(struct network_list){&n, 1}));
}

/* The list of `texts`, widened, is `want`, in whatever order they come and whether or not it is
 * widened in between. */
static void widens(const char *const *texts, const char *want)
{
    const struct learn_conf conf = {24, 64, 3};
    size_t n = 0;

    while (texts[n])
        n++;
    for (size_t turn = 0; turn < 2 * n; turn++) {
        struct network_list l = {0};
        char out[1024] = "";

        for (size_t i = 0; i < n; i++) {
            add(&l, texts[(i + turn) % n]);
            if (turn >= n)
                networks_widen(&l, &conf);
        }
        networks_widen(&l, &conf);
        for (size_t i = 0; i < l.n; i++) {
            char ip[64];

            inet_ntop(l.at[i].family == 4 ? AF_INET : AF_INET6, l.at[i].ip, ip, sizeof ip);
            snprintf(out + strlen(out), sizeof out - strlen(out), "%s/%u ", ip, l.at[i].prefix);
        }
        assert_string_equal(out, want);
        free(l.at);
    }
}

static void networks_hold_addresses(void **state)
{
    (void)state;
    widens((const char *[]){"10.0.0.1", "10.0.0.2", "10.0.0.3", NULL},
           "10.0.0.1/32 10.0.0.2/32 10.0.0.3/32 ");
    widens((const char *[]){"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", NULL}, "10.0.0.0/29 ");
    widens((const char *[]){"10.0.0.5", "10.0.0.5", "10.0.0.5", "10.0.0.5", NULL}, "10.0.0.5/32 ");
    widens((const char *[]){"10.0.0.1", "10.0.0.200", "10.0.1.1", "10.0.1.2", NULL},
           "10.0.0.0/24 10.0.1.0/30 ");
    widens((const char *[]){"10.0.0.1", "10.0.1.1", "10.0.2.1", "10.0.3.1", NULL},
           "10.0.0.1/32 10.0.1.1/32 10.0.2.1/32 10.0.3.1/32 ");
    widens((const char *[]){"10.0.0.0/16", "10.0.3.1", "10.1.0.1", NULL},
           "10.0.0.0/16 10.1.0.1/32 ");
    widens((const char *[]){"10.0.0.0/28", "10.0.0.20", NULL}, "10.0.0.0/27 ");
    widens((const char *[]){"2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::ff",
                            "2001:db8:0:1::1", "10.0.0.1", NULL},
           "10.0.0.1/32 2001:db8::/120 2001:db8:0:1::1/128 ");
}

/* --- lists ------------------------------------------------------------------------ */

static void expect(const struct text_list *l, const char *want)
{
    char out[4096] = "";

    for (size_t i = 0; i < l->n; i++)
        snprintf(out + strlen(out), sizeof out - strlen(out), "%s ", l->at[i]);
    assert_string_equal(out, want);
}

static void many_tasks_are_told_by_modules(void **state)
{
    struct text_list l = {0};
    char name[64];

    (void)state;
    for (unsigned i = 0; i < 62; i++) {
        snprintf(name, sizeof name, "shop.tasks.t%u", i);
        assert_true(texts_add(&l, name));
    }
    assert_true(texts_add(&l, "other.one"));
    assert_true(texts_add(&l, "bare"));
    texts_by_module(&l, 3);
    assert_int_equal(l.n, 64);
    assert_true(texts_add(&l, "celery.ping"));
    texts_by_module(&l, 3);
    expect(&l, "bare celery.ping other.one shop.tasks.* ");
    assert_true(texts_add(&l, "shop.tasks.later"));
    texts_by_module(&l, 3);
    expect(&l, "bare celery.ping other.one shop.tasks.* ");
    texts_free(&l);
}

static void never_all_of_celery(void **state)
{
    struct text_list l = {0};
    char name[64];

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof name, i % 2 ? "celery.t%u" : "t%u", i);
        assert_true(texts_add(&l, name));
    }
    texts_by_module(&l, 3);
    assert_int_equal(l.n, 100);
    texts_free(&l);
}

static void queues_of_one_shape(void **state)
{
    struct text_list l = {0};

    (void)state;
    assert_true(texts_add(&l, "celery"));
    assert_true(texts_add(&l, "host-1"));
    assert_true(texts_add(&l, "host-2"));
    assert_true(texts_add(&l, "host-2"));
    assert_true(texts_add(&l, "host-3"));
    texts_by_shape(&l, 3);
    expect(&l, "celery host-1 host-2 host-3 ");
    assert_true(texts_add(&l, "host-4"));
    texts_by_shape(&l, 3);
    expect(&l, "celery host-* ");
    texts_free(&l);
}

static void what_can_be_seen(void **state)
{
    static const char *const good[] = {"web", "Büro", "\xe2\x80\x94", "\xf0\x9f\x98\x80", "a b"};
    static const char *const bad[] = {
        "a\nb",         "\x7f",     "\xff",         "\xc3",     "\xe2\x80\xae",     "\xe2\x80\x8b",
        "\xed\xa0\x80", "\xc0\xaf", "\xef\xbb\xbf", "\xc2\x85", "\xf4\x90\x80\x80", "\xe2\x81\xa6"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(text_is_printable(bytes_of(good[i], strlen(good[i]))));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (text_is_printable(bytes_of(bad[i], strlen(bad[i]))))
            fail_msg("%zu", i);
    assert_false(text_is_printable(bytes_of("a\0b", 3)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queues),
        cmocka_unit_test(shapes_are_known),
        cmocka_unit_test(forms_of_their_own),
        cmocka_unit_test(any_name_matches_its_glob),
        cmocka_unit_test(globs_are_no_literals),
        cmocka_unit_test(networks_hold_addresses),
        cmocka_unit_test(many_tasks_are_told_by_modules),
        cmocka_unit_test(never_all_of_celery),
        cmocka_unit_test(queues_of_one_shape),
        cmocka_unit_test(what_can_be_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
