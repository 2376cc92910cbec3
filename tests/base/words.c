/* Tests of base/tally.h, base/log.h and base/hash.h. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/tally.h"

static void names_differ(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TALLY_COUNT; i++)
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(tally_name((enum tally_id)i), tally_name((enum tally_id)j));
    assert_string_equal(tally_name(TALLY_packets), "capture.packets");
}

static void merges(void **state)
{
    (void)state;
    struct tally a = {0}, b = {0};
    tally_add(&a, TALLY_packets, 2);
    tally_add(&b, TALLY_packets, 3);
    tally_add(&b, TALLY_suppressed, 1);
    tally_merge(&a, &b);
    assert_int_equal(a.n[TALLY_packets], 5);
    assert_int_equal(a.n[TALLY_suppressed], 1);
}

/* What `say` wrote on standard error. */
static void captured(void (*say)(void), char *text, size_t size)
{
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    say();
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void say_some(void)
{
    log_error("file %s", "a\nb\x1b[2J");
    log_debug("not seen");
    log_info("%d", 7);
}

static void say_much(void)
{
    char large[5000];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    log_warn("%s", large);
}

static void one_line_each(void **state)
{
    (void)state;
    char text[8000];
    captured(say_some, text, sizeof text);
    assert_string_equal(text, "celeriac: error: file a?b?[2J\nceleriac: 7\n");
    captured(say_much, text, sizeof text);
    assert_true(strlen(text) < 2100);
    assert_int_equal(text[strlen(text) - 1], '\n');
}

static void hashes(void **state)
{
    (void)state;
    assert_true(hash_bytes(bytes_of("a", 1), 1) != hash_bytes(bytes_of("a", 1), 2));
    assert_true(hash_bytes(bytes_of("a", 1), 1) != hash_bytes(bytes_of("b", 1), 1));
    assert_true(hash_bytes((struct bytes){0}, 1) == hash_bytes((struct bytes){0}, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_differ),
        cmocka_unit_test(merges),
        cmocka_unit_test(one_line_each),
        cmocka_unit_test(hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
