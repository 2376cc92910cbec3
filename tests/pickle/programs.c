/* One program for each technique of hiding and each ordinary form: its verdict, its flags, the
 * decoded call; the same however the bytes are cut; and a prefix never says more than the whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/every_split.h"
#include "tests/pickle/support/programs.h"

static bool mentions(const struct pickle_result *r, const char *text)
{
    for (unsigned i = 0; i < r->n_calls; i++)
        if (r->calls[i].level == r->verdict &&
            memmem(r->calls[i].text.at, r->calls[i].text.len, text, strlen(text)))
            return true;
    return false;
}

static void explain(const struct program *p, const struct pickle_result *r)
{
    fprintf(stderr, "%s: %s (%s), wanted %s; flags", p->name, pickle_verdict_name(r->verdict),
            r->ground, pickle_verdict_name(p->want));
    for (unsigned i = 0; i < PICKLE_BIT_COUNT; i++)
        if (r->flags >> i & 1)
            fprintf(stderr, " %s", pickle_flag_name((enum pickle_flag_bit)i));
    for (unsigned i = 0; i < r->n_calls; i++)
        fprintf(stderr, "; %.*s", (int)r->calls[i].text.len, (const char *)r->calls[i].text.at);
    fputc('\n', stderr);
}

static void test_verdicts(void **state)
{
    struct pickle *m = pickle_new(NULL);
    unsigned wrong = 0;

    (void)state;
    for (unsigned i = 0; i < n_programs; i++) {
        const struct program *p = &programs[i];
        const struct pickle_result *r =
            pickle_judge(m, bytes_of(p->bytes, p->len), PICKLE_SEEN, PICKLE_WHOLE);
        bool bad = r->verdict != p->want || (r->flags & p->flags) != p->flags ||
                   (p->call && !mentions(r, p->call));

        wrong += bad;
        if (bad)
            explain(p, r);
    }
    pickle_free(m);
    assert_int_equal(wrong, 0);
}

static void *start(void)
{
    return pickle_new(NULL);
}

static void feed(void *parser, struct bytes piece)
{
    pickle_feed(parser, piece);
}

/* Everything that a result says. */
static char *finish(void *parser)
{
    const struct pickle_result *r = pickle_end(parser, PICKLE_WHOLE);
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);

    fprintf(f, "%d %llx %d %d %d %llu %llu %d %llu %s\n", (int)r->verdict,
            (unsigned long long)r->flags, r->is_pickle, (int)r->tier, r->protocol,
            (unsigned long long)r->opcodes, (unsigned long long)r->size, (int)r->end,
            (unsigned long long)r->end_at, r->ground);
    for (unsigned i = 0; i < r->n_imports; i++)
        fprintf(f, "%.*s %.*s %llu\n", (int)r->imports[i].module.len,
                (const char *)r->imports[i].module.at, (int)r->imports[i].name.len,
                (const char *)r->imports[i].name.at, (unsigned long long)r->imports[i].offset);
    for (unsigned i = 0; i < r->n_calls; i++)
        fprintf(f, "%.*s %llu\n", (int)r->calls[i].text.len, (const char *)r->calls[i].text.at,
                (unsigned long long)r->calls[i].offset);
    for (unsigned i = 0; i < r->n_top; i++)
        fprintf(f, "%.*s=%.*s\n", (int)r->top[i].key.len, (const char *)r->top[i].key.at,
                (int)r->top[i].value.len, (const char *)r->top[i].value.at);
    fclose(f);
    pickle_free(parser);
    return text;
}

static void test_every_cut(void **state)
{
    const struct split_subject subject = {start, feed, finish};

    (void)state;
    for (unsigned i = 0; i < n_programs; i++)
        if (every_split(&subject, bytes_of(programs[i].bytes, programs[i].len)) != 0)
            fail_msg("%s", programs[i].name);
}

/* As bytes come in, the verdict of a clipped message only goes up. */
static void test_prefixes(void **state)
{
    struct pickle *m = pickle_new(NULL);

    (void)state;
    for (unsigned i = 0; i < n_programs; i++) {
        enum pickle_verdict before = PICKLE_NOT;
        for (size_t n = 0; n <= programs[i].len; n++) {
            const struct pickle_result *r =
                pickle_judge(m, bytes_of(programs[i].bytes, n), PICKLE_DECLARED, PICKLE_CLIPPED);
            if (r->verdict < before && before > PICKLE_DATA)
                fail_msg("%s at %zu: %s after %s", programs[i].name, n,
                         pickle_verdict_name(r->verdict), pickle_verdict_name(before));
            before = r->verdict;
        }
    }
    pickle_free(m);
}

static void test_allow(void **state)
{
    const char pickle[] = "\x80\x04\x8c\x0bshop.models\x8c\x05Order\x93.";
    const struct bytes names[] = {{(const uint8_t *)"shop.*", 6}, {(const uint8_t *)"other", 5}};
    const struct bytes near[] = {{(const uint8_t *)"sho", 3}, {(const uint8_t *)"shop.model", 10}};
    struct pickle *yes = pickle_new(&(struct pickle_options){.allow = names, .n_allow = 2});
    struct pickle *no = pickle_new(&(struct pickle_options){.allow = near, .n_allow = 2});
    const struct bytes all = bytes_of(pickle, sizeof pickle - 1);

    (void)state;
    assert_int_equal(pickle_judge(yes, all, PICKLE_SEEN, PICKLE_WHOLE)->verdict,
                     PICKLE_OBJECTS_KNOWN);
    assert_int_equal(pickle_judge(no, all, PICKLE_SEEN, PICKLE_WHOLE)->verdict,
                     PICKLE_OBJECTS_UNKNOWN);
    pickle_free(yes);
    pickle_free(no);
}

static void test_secrets_are_masked(void **state)
{
    const char pickle[] = "cos\nsystem\n(S'curl -u x https://bob:hunter2secret@h/ "
                          "--password=correcthorse\\x1b[31m'\ntR.";
    struct pickle *m = pickle_new(NULL);
    const struct pickle_result *r =
        pickle_judge(m, bytes_of(pickle, sizeof pickle - 1), PICKLE_SEEN, PICKLE_WHOLE);
    struct bytes text = r->calls[0].text;

    (void)state;
    assert_int_equal(r->verdict, PICKLE_MALICIOUS);
    assert_null(memmem(text.at, text.len, "hunter2", 7));
    assert_null(memmem(text.at, text.len, "correct", 7));
    assert_non_null(memmem(text.at, text.len, "co***", 5));
    for (size_t i = 0; i < text.len; i++)
        assert_true(text.at[i] >= 0x20 && text.at[i] < 0x7f);
    pickle_free(m);
}

/* What commands are given passwords by. */
static void test_passwords_of_commands_are_masked(void **state)
{
    static const char *const commands[] = {
        "curl -u admin:correcthorse http://x",
        "mysql -uroot -pcorrecthorse",
        "sshpass -p correcthorse ssh x",
        "redis-cli -a correcthorse keys",
        "ldapsearch -w correcthorse",
        "x --pass=correcthorse",
        "curl http://h/?pw=correcthorse",
        "curl http://h/?key=correcthorse",
        "curl -H 'Cookie: sid=correcthorse'",
        "password correcthorse",
        "passwd => correcthorse",
        "PGPASSWORD=correcthorse psql",
    };
    struct pickle *m = pickle_new(NULL);
    char in[128];

    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        int n = snprintf(in, sizeof in, "cos\nsystem\n(X%c%c%c%c%stR.", (int)strlen(commands[i]), 0,
                         0, 0, commands[i]);
        const struct pickle_result *r =
            pickle_judge(m, bytes_of(in, (size_t)n), PICKLE_SEEN, PICKLE_WHOLE);

        assert_int_equal(r->verdict, PICKLE_MALICIOUS);
        assert_int_equal(r->n_calls, 1);
        if (!mentions(r, "***") || mentions(r, "correct"))
            fail_msg("%.*s", (int)r->calls[0].text.len, (const char *)r->calls[0].text.at);
    }
    pickle_free(m);
}

static void test_passwords_in_lists_are_masked(void **state)
{
    static const char *const pickles[] = {
        "csubprocess\ncall\n((S'sshpass'\nS'-p'\nS'correcthorse'\nltR.",
        "csubprocess\ncall\n((S'x'\nS'--password'\nS'correcthorse'\nltR.",
    };
    static const char plain[] = "csubprocess\ncall\n((S'mkdir'\nS'-p'\nS'correcthorse'\nltR.";
    struct pickle *m = pickle_new(NULL);

    (void)state;
    for (size_t i = 0; i < 2; i++)
        assert_false(mentions(
            pickle_judge(m, bytes_of(pickles[i], strlen(pickles[i])), PICKLE_SEEN, PICKLE_WHOLE),
            "correct"));
    assert_true(mentions(
        pickle_judge(m, bytes_of(plain, sizeof plain - 1), PICKLE_SEEN, PICKLE_WHOLE), "correct"));
    pickle_free(m);
}

/* Exceptions and values that tasks return; what hangs on their classes is no value. */
static void test_values_of_grave_modules(void **state)
{
    static const struct {
        const char *pickle;
        enum pickle_verdict want;
    } rows[] = {
        {"csubprocess\nCalledProcessError\n(I1\nS'id'\ntR.", PICKLE_OBJECTS_KNOWN},
        {"csubprocess\nTimeoutExpired\n(S'id'\nI1\ntR.", PICKLE_OBJECTS_KNOWN},
        {"csocket\ngaierror\n(I-2\nS'x'\ntR.", PICKLE_OBJECTS_KNOWN},
        {"crequests.exceptions\nConnectionError\n(S'x'\ntR.", PICKLE_OBJECTS_KNOWN},
        {"curllib.parse\nParseResult\n(S'http'\nS'h'\nS''\nS''\nS''\nS''\ntR.",
         PICKLE_OBJECTS_KNOWN},
        {"clogging\ngetLogger\n(S'shop'\ntR.", PICKLE_OBJECTS_KNOWN},
        {"csubprocess\nPopen\n(S'id'\ntR.", PICKLE_MALICIOUS},
        {"\x80\x04\x8c\x11requests.sessions\x8c\x0bSession.get\x93(\x8c\x01xtR.", PICKLE_MALICIOUS},
        {"\x80\x04\x8c\x07tarfile\x8c\x13TarInfo.fromtarfile\x93(\x8c\x01xtR.", PICKLE_DANGEROUS},
    };
    struct pickle *m = pickle_new(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct pickle_result *r = pickle_judge(
            m, bytes_of(rows[i].pickle, strlen(rows[i].pickle)), PICKLE_SEEN, PICKLE_WHOLE);
        if (r->verdict != rows[i].want)
            fail_msg("%s: %s", rows[i].pickle, pickle_verdict_name(r->verdict));
    }
    pickle_free(m);
}

static void test_top(void **state)
{
    const char pickle[] = "\x80\x04}(\x8c\x04task\x8c\x03"
                          "add\x8c\x04"
                          "args)\x8c\x07retriesK\x03\x8c\x03"
                          "etaNu.";
    struct pickle *m = pickle_new(NULL);
    const struct pickle_result *r =
        pickle_judge(m, bytes_of(pickle, sizeof pickle - 1), PICKLE_SEEN, PICKLE_WHOLE);

    (void)state;
    assert_int_equal(r->n_top, 3);
    assert_true(bytes_eq(r->top[0].key, "task") && bytes_eq(r->top[0].value, "add"));
    assert_true(bytes_eq(r->top[1].key, "retries") && bytes_eq(r->top[1].value, "3"));
    assert_true(bytes_eq(r->top[2].key, "eta") && bytes_eq(r->top[2].value, "None"));
    pickle_free(m);
}

static void test_maybe(void **state)
{
    struct pickle *m = pickle_new(NULL);

    (void)state;
    for (unsigned i = 0; i < n_programs; i++)
        assert_true(pickle_maybe(bytes_of(programs[i].bytes, programs[i].len)));
    assert_false(pickle_maybe(bytes_of("{\"task\"", 7)));
    assert_false(pickle_maybe(bytes_of("[[1], {}]", 9)));
    assert_false(pickle_maybe(bytes_of("\x80\x06", 2)));
    assert_false(pickle_maybe(bytes_of("\x93\x90\x80", 3)));
    pickle_free(m);
}

static void test_find(void **state)
{
    /* base64 of cos\nsystem\n(S'id'\ntR. */
    const char text[] =
        "see data:application/octet-stream;base64,Y29zCnN5c3RlbQooUydpZCcKdFIu and more";
    const char none[] =
        "an ordinary sentence with aVeryLongIdentifierThatIsNoBase64AtAllButLooksLikeIt in it";
    struct pickle *m = pickle_new(NULL);
    struct pickle_found found;

    (void)state;
    assert_true(pickle_find_in_text(m, bytes_of(text, sizeof text - 1), &found));
    assert_int_equal(found.result->verdict, PICKLE_MALICIOUS);
    assert_string_equal(found.path, "base64");
    assert_false(pickle_find_in_text(m, bytes_of(none, sizeof none - 1), &found));
    pickle_free(m);
}

/* The same pickle, encoded again. */
static void test_find_in_layers(void **state)
{
    static const struct {
        const char *text, *path;
    } rows[] = {
        {"WTI5ekNuTjVjM1JsYlFvb1V5ZHBaQ2NLZEZJdQ==", "base64 -> base64"},
        {"5932397a436e4e356333526c62516f6f557964705a43634b64464975", "hex -> base64"},
        {"NjM2ZjczMGE3Mzc5NzM3NDY1NmQwYTI4NTMyNzY5NjQyNzBhNzQ1MjJl", "base64 -> hex"},
        {"363336663733306137333739373337343635366430613238353332373639363432373061373435323265",
         "hex -> hex"},
        {"ZUp4THppL21LcTRzTGtuTjVkSUlWczlNVWVjcUNkSURBRThUQnBNPQ==", "base64 -> base64 -> zlib"},
        {"eJxL9arwqcrUz/UuNCn2yc7zM03x9AwrtvQNTU0udE7xdHF0tQhxKvC1BQAcJQ1T",
         "base64 -> zlib -> base64 -> zlib"},
    };
    /* base64 of base64 of text, hex of hex of it */
    static const char *const none[] = {
        "YW4gb3JkaW5hcnkgc2VudGVuY2U=",
        "WVc0Z2IzSmthVzVoY25rZ2MyVnVkR1Z1WTJVPQ==",
        "363136653230366637323634363936653631",
        "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "38300000000000000000000000000000000000000000000000000000000000",
    };
    struct pickle *m = pickle_new(NULL);
    struct pickle_found found;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        int n = snprintf(text, sizeof text, "[[\"%s\"], {}]", rows[i].text);
        assert_true(pickle_find_in_text(m, bytes_of(text, (size_t)n), &found));
        assert_int_equal(found.result->verdict, PICKLE_MALICIOUS);
        assert_string_equal(found.path, rows[i].path);
        assert_int_equal(found.len, strlen(rows[i].text));
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(pickle_find_in_text(m, bytes_of(none[i], strlen(none[i])), &found));
    pickle_free(m);
}

static void test_names(void **state)
{
    enum pickle_class kind;
    const char *source;

    (void)state;
    assert_int_equal(pickle_name_severity(bytes_of("os.system", 9), &kind, &source),
                     PICKLE_SEV_CRITICAL);
    assert_int_equal(kind, PICKLE_CLASS_PROCESS);
    assert_int_equal(pickle_name_severity(bytes_of("shop.jobs.os.system", 19), &kind, &source),
                     PICKLE_SEV_CRITICAL);
    assert_int_equal(pickle_name_severity(bytes_of("eval", 4), &kind, &source),
                     PICKLE_SEV_CRITICAL);
    assert_int_equal(pickle_name_severity(bytes_of("shop.profile.run", 16), &kind, &source),
                     PICKLE_SEV_NONE);
    assert_int_equal(pickle_name_severity(bytes_of("shop.tasks.add", 14), &kind, &source),
                     PICKLE_SEV_NONE);
    assert_int_equal(kind, PICKLE_CLASS_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_allow),
        cmocka_unit_test(test_secrets_are_masked),
        cmocka_unit_test(test_passwords_of_commands_are_masked),
        cmocka_unit_test(test_passwords_in_lists_are_masked),
        cmocka_unit_test(test_values_of_grave_modules),
        cmocka_unit_test(test_top),
        cmocka_unit_test(test_maybe),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_find_in_layers),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
