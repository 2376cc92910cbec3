/* Tests of the table of rules: every rule of the catalogue is there, and each row can be used as
 * it is. What makes a row malformed is tested in bad_rows.cmake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "signatures/rules.h"

static const char *const BUILT[] = {
    "cred-amqp-cleartext",
    "cred-redis-cleartext",
    "cred-redis-admin",
    "cred-default",
    "broker-login-failed",
    "broker-no-auth",
    "broker-cleartext",
    "broker-unread-protocol",
    "task-unsigned",
    "task-protocol-1",
    "task-origin-missing",
    "pickle-serializer",
    "serializer-forbidden",
    "protocol-malformed",
    "control-dangerous",
    "control-change",
    "task-signature-invalid",
    "task-signer-unknown",
    "task-signer-expired",
    "task-signature-replayed",
    "control-recon",
    "task-replayed",
    "task-handcrafted",
    "task-hidden-name",
    "task-flood",
    "task-swallowed",
    "redis-schedule-tamper",
    "worker-silent",
    "worker-impersonation",
    "result-forged",
    "broker-login-bruteforce",
    "broker-access-refused",
    "amqp-destructive",
    "redis-config-write",
    "redis-replicaof",
    "redis-module-load",
    "redis-lua-escape",
    "redis-admin",
    "redis-destructive",
    "redis-recon",
    "redis-queue-tamper",
    "amqp-tap",
    "task-origin-unknown",
    "task-origin-spoofed",
    "task-name-unknown",
    "worker-unknown",
};

static const struct rule *find(const char *id)
{
    for (unsigned i = 0; i < RULE_COUNT; i++)
        if (strcmp(rules[i].id, id) == 0)
            return &rules[i];
    return NULL;
}

static void rows_are_whole(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RULE_COUNT; i++) {
        const struct rule *r = &rules[i];
        assert_true(r->id && r->id[0] && r->name[0] && r->category[0]);
        assert_true(r->event_category[0] && r->event_type[0]);
        assert_in_range(r->severity, SEV_INFO, SEV_CRITICAL);
        assert_true(r->fold != 0 && r->fold_seconds >= 60 && r->fold_seconds <= 86400);
        assert_int_equal(r->version, 1);
        assert_true(strncmp(r->references, "https://", 8) == 0);
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(r->id, rules[j].id);
    }
}

static void enum_names_the_row(void **state)
{
    (void)state;
    assert_string_equal(rules[RULE_PICKLE_MALICIOUS].id, "pickle-malicious");
    assert_string_equal(rules[RULE_TASK_PROTOCOL_1].id, "task-protocol-1");
    assert_string_equal(rules[RULE_PROTOCOL_MALFORMED].id, "protocol-malformed");
    assert_int_equal(RULE_COUNT - 1, RULE_PROTOCOL_MALFORMED);
}

static void built_are_those_of_now(void **state)
{
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < sizeof BUILT / sizeof BUILT[0]; i++) {
        assert_non_null(find(BUILT[i]));
        assert_int_equal(find(BUILT[i])->built, 1);
    }
    for (unsigned i = 0; i < RULE_COUNT; i++)
        n += rules[i].built;
    assert_true(n >= sizeof BUILT / sizeof BUILT[0]);
}

static void folds_of_the_catalogue(void **state)
{
    static const unsigned PROBE = FOLD_BROKER | FOLD_USER | FOLD_SOURCE_NET;

    (void)state;
    assert_int_equal(rules[RULE_CRED_AMQP_CLEARTEXT].fold, PROBE);
    assert_int_equal(rules[RULE_CRED_AMQP_CLEARTEXT].fold_seconds, 86400);
    assert_int_equal(rules[RULE_CRED_REDIS_CLEARTEXT].fold, PROBE);
    assert_int_equal(rules[RULE_TASK_UNSIGNED].fold, FOLD_BROKER | FOLD_QUEUE);
    assert_int_equal(rules[RULE_PICKLE_SERIALIZER].fold, FOLD_SOURCE | FOLD_QUEUE);
    assert_int_equal(rules[RULE_PICKLE_SERIALIZER].fold_seconds, 60);
    assert_int_equal(rules[RULE_BROKER_LOGIN_BRUTEFORCE].fold_seconds, 3600);
    assert_int_equal(rules[RULE_CRED_DEFAULT].fold, FOLD_DEFAULT);
    assert_int_equal(rules[RULE_CRED_DEFAULT].fold_seconds, 60);
}

static void acts_of_clients_have_the_client_as_source(void **state)
{
    static const char *const OF_CLIENTS[] = {"worker-",  "task-flood",    "task-swallowed",
                                             "amqp-tap", "result-forged", "cred-",
                                             "broker-",  "redis-"};
    (void)state;
    for (unsigned i = 0; i < RULE_COUNT; i++) {
        bool client = false;
        for (size_t j = 0; j < sizeof OF_CLIENTS / sizeof OF_CLIENTS[0]; j++)
            client |= strncmp(rules[i].id, OF_CLIENTS[j], strlen(OF_CLIENTS[j])) == 0;
        assert_int_equal(rules[i].client_is_source, client);
    }
}

/* The rule ids at the start of the rows of section 2: | `a`, `b` | severity | ... */
static unsigned check_row(const char *line, const char *end)
{
    unsigned n = 0;

    while (line < end) {
        const char *open = memchr(line, '`', (size_t)(end - line));
        const char *close = open ? memchr(open + 1, '`', (size_t)(end - open - 1)) : NULL;
        char id[64] = "";
        if (!close)
            break;
        memcpy(id, open + 1, (size_t)(close - open - 1));
        if (!find(id))
            fail_msg("%s is in the catalogue, not in rules.tsv", id);
        n++;
        line = close + 1;
    }
    return n;
}

static void catalogue_is_complete(void **state)
{
    FILE *in = fopen(SOURCE_DIR "/../shared/detections.md", "r");
    char line[8192];
    bool inside = false;
    unsigned n = 0;

    (void)state;
    if (!in) {
        printf("SKIP: no catalogue beside the source tree\n");
        skip();
    }
    while (fgets(line, sizeof line, in)) {
        if (strncmp(line, "## ", 3) == 0)
            inside = strncmp(line, "## 2.", 5) == 0;
        if (inside && strncmp(line, "| `", 3) == 0)
            n += check_row(line + 1, strchr(line + 1, '|'));
    }
    fclose(in);
    assert_int_equal(n, RULE_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_whole),
        cmocka_unit_test(enum_names_the_row),
        cmocka_unit_test(built_are_those_of_now),
        cmocka_unit_test(folds_of_the_catalogue),
        cmocka_unit_test(acts_of_clients_have_the_client_as_source),
        cmocka_unit_test(catalogue_is_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
