/* Tests of base/community_id.h: known values, and the list of the specification's own
 * project for its captures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "base/community_id.h"

static struct endpoint end_of(const char *address, uint16_t port)
{
    struct endpoint e = {.port = port, .family = strchr(address, ':') ? 6 : 4};
    assert_int_equal(inet_pton(e.family == 4 ? AF_INET : AF_INET6, address, e.ip), 1);
    return e;
}

static void check(const char *src, const char *dst, unsigned sport, unsigned dport, unsigned proto,
                  uint16_t seed, const char *want)
{
    struct endpoint a = end_of(src, (uint16_t)sport), b = end_of(dst, (uint16_t)dport);
    char out[COMMUNITY_ID_SIZE];
    community_id(&a, &b, (uint8_t)proto, seed, out);
    assert_string_equal(out, want);
    community_id(&b, &a, (uint8_t)proto, seed, out);
    assert_string_equal(out, want);
}

static void known_values(void **state)
{
    (void)state;
    static const struct {
        const char *src, *dst;
        unsigned sport, dport, proto;
        const char *seed0, *seed1;
    } row[] = {
        {"128.232.110.120", "66.35.250.204", 34855, 80, 6,
         "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", "1:3V71V58M3Ksw/yuFALMcW0LAHvc="},
        {"192.168.1.52", "8.8.8.8", 54585, 53, 17,
         "1:d/FP5EW3wiY1vCndhwleRRKHowQ=", "1:Q9We8WO3piVF8yEQBNJF4uiSVrI="},
        {"1.2.3.4", "5.6.7.8", 1122, 3344, 6, "1:wCb3OG7yAFWelaUydu0D+125CLM=", NULL},
        {"2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25, 6,
         "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=", NULL},
        {"192.168.170.8", "192.168.170.56", 7, 7, 132, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=", NULL},
        {"10.1.12.1", "10.1.12.2", 0, 0, 46, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw=", NULL},
        {"10.0.0.1", "10.0.0.2", 40000, 5672, 6,
         "1:cp7jn4FwO7DtKCJa/X46qN/S3NE=", "1:Lvn1rq/5Ln9J7XwE0I/W49+hkNY="},
        {"10.0.0.1", "10.0.0.2", 40000, 6379, 6,
         "1:7cW9ofTBsItCG7RaaMzBwu9z4p0=", "1:7ZOn/wawn0SxvfHXvEoK03nnUJk="},
        {"::1", "::1", 60761, 6379, 6,
         "1:JjY/qv41mC8/OqMYqq7W3gWBWeA=", "1:hSljFI3xeRj73ZiBLKSxDmbhCSI="},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        check(row[i].src, row[i].dst, row[i].sport, row[i].dport, row[i].proto, 0, row[i].seed0);
        if (row[i].seed1)
            check(row[i].src, row[i].dst, row[i].sport, row[i].dport, row[i].proto, 1,
                  row[i].seed1);
    }
}

/* Its lines for protocols with ports, ICMP (which it maps to ports) left out. */
static unsigned check_list(const char *name, uint16_t seed)
{
    char path[512];
    snprintf(path, sizeof path, "%s/../shared/pcaps/corelight+community-id-spec/%s", SOURCE_DIR,
             name);
    FILE *f = fopen(path, "rb");
    if (!f)
        return 0;
    static char text[1 << 22];
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    unsigned n = 0;
    for (char *at = text; (at = strstr(at, "{\"proto\"")); at++) {
        unsigned proto, sport, dport;
        char src[64], dst[64], want[64];
        if (sscanf(at,
                   "{\"proto\": %u, \"saddr\": \"%63[^\"]\", \"daddr\": \"%63[^\"]\", \"sport\": "
                   "%u, \"dport\": %u, \"communityid\": \"%63[^\"]\"",
                   &proto, src, dst, &sport, &dport, want) != 6)
            continue;
        if (proto != 6 && proto != 17 && proto != 132)
            continue;
        check(src, dst, sport, dport, proto, seed, want);
        n++;
    }
    return n;
}

static void their_captures(void **state)
{
    (void)state;
    unsigned n = check_list("baseline_deflt.json", 0);
    if (n == 0) {
        print_message("SKIP: ../shared/pcaps/corelight+community-id-spec is not there\n");
        skip();
    }
    assert_true(n >= 8);
    assert_int_equal(check_list("baseline_seed1.json", 1), n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(their_captures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
