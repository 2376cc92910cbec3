/* Tests of standard output, files and the fan-out, the ways in which they fail included. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "out/lines.h"
#include "out/outputs.h"
#include "out/sinks.h"

static const struct sink_options OFFLINE = {0};
static const struct sink_options LIVE = {.live = true, .queue_bytes = 64 << 10};

static char *scratch(const char *name)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/out-sinks-%d-%s", BINARY_DIR, (int)getpid(), name);
    return path;
}

static char *url_of(const char *scheme, const char *path)
{
    static char url[512];

    snprintf(url, sizeof url, "%s:%s", scheme, path);
    return url;
}

static char *content(const char *path)
{
    static char text[1 << 20];
    FILE *in = fopen(path, "r");

    assert_non_null(in);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    return text;
}

static struct record record(enum emit_kind kind, unsigned severity, const char *text)
{
    return (struct record){
        .kind = kind, .severity = (uint8_t)severity, .text = bytes_of(text, strlen(text))};
}

static struct outputs *one(const char *url, unsigned mask, const struct sink_options *opt)
{
    struct outputs *o = outputs_new();
    enum sink_error error;
    char err[256] = "";

    if (!outputs_add(o, url, mask, opt, &error, err, sizeof err))
        fail_msg("%s: %s", url, err);
    assert_int_equal(error, SINK_OK);
    return o;
}

static void file_appends(void **state)
{
    char *path = scratch("append");
    struct record r = record(EMIT_ALERTS, 3, "{\"a\":1}");
    struct stat st;

    (void)state;
    unlink(path);
    mode_t old = umask(0);
    for (unsigned i = 0; i < 2; i++) {
        struct outputs *o = one(url_of("file", path), ~0u, &OFFLINE);
        assert_true(outputs_write(o, &r));
        assert_true(outputs_close(o));
    }
    umask(old);
    assert_string_equal(content(path), "{\"a\":1}\n{\"a\":1}\n");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    unlink(path);
}

static void file_reopens(void **state)
{
    char *path = scratch("rotate"), rotated[300];
    struct record r = record(EMIT_ALERTS, 3, "{\"a\":1}"), s = record(EMIT_ALERTS, 3, "{\"b\":2}");

    (void)state;
    snprintf(rotated, sizeof rotated, "%s.1", path);
    unlink(path);
    struct outputs *o = one(url_of("file", path), ~0u, &OFFLINE);
    assert_true(outputs_write(o, &r));
    assert_int_equal(rename(path, rotated), 0);
    outputs_reopen(o);
    assert_true(outputs_write(o, &s));
    assert_true(outputs_close(o));
    assert_string_equal(content(rotated), "{\"a\":1}\n");
    assert_string_equal(content(path), "{\"b\":2}\n");
    unlink(path);
    unlink(rotated);
}

static void refused(const char *url, enum sink_error want, const char *word)
{
    struct outputs *o = outputs_new();
    enum sink_error error = SINK_OK;
    char err[256] = "";

    assert_false(outputs_add(o, url, ~0u, &OFFLINE, &error, err, sizeof err));
    assert_int_equal(error, want);
    if (!strstr(err, word) || strchr(err, '\n'))
        fail_msg("%s: %s", url, err);
    assert_int_equal(outputs_count(o), 0);
    assert_true(outputs_close(o));
}

static void what_cannot_be_opened(void **state)
{
    char *path = scratch("denied");

    (void)state;
    refused("file:/no/such/directory/x", SINK_CANNOT_WRITE, "No such file");
    refused("file:/", SINK_CANNOT_WRITE, "Is a directory");
    refused("file:", SINK_USAGE, "path");
    refused("stdout:x", SINK_USAGE, "no path");
    refused("syslog:", SINK_USAGE, "unknown output");
    refused("file", SINK_USAGE, "unknown output");
    refused("", SINK_USAGE, "unknown output");
    close(open(path, O_CREAT | O_WRONLY, 0400));
    bool root = geteuid() == 0;
    assert_true(!root || seteuid(65534) == 0); /* root may write everywhere */
    refused(url_of("file", path), SINK_DENIED, "Permission denied");
    assert_true(!root || seteuid(0) == 0);
    unlink(path);
}

/* /dev/full: every write fails, and nothing is lost unsaid. */
static void full_disk(void **state)
{
    struct record r = record(EMIT_ALERTS, 5, "{\"a\":1}");
    struct sink_stats s;

    (void)state;
    struct outputs *o = one("file:/dev/full", ~0u, &OFFLINE);
    assert_false(outputs_broken(o));
    assert_true(outputs_write(o, &r));
    outputs_poll(o);
    assert_true(outputs_broken(o));
    for (unsigned i = 0; i < 300000; i++)
        outputs_write(o, &r);
    outputs_stats(o, 0, &s);
    assert_int_equal(s.written, 0);
    assert_true(s.lost > 0 && s.waiting_bytes <= 1 << 20);
    assert_false(outputs_close(o));
    o = one("file:/dev/full", ~0u, &LIVE); /* live it may have room again some day */
    outputs_write(o, &r);
    outputs_poll(o);
    assert_false(outputs_broken(o));
    assert_false(outputs_close(o));
}

static int redirect(int to)
{
    int saved = dup(STDOUT_FILENO);

    fflush(stdout);
    dup2(to, STDOUT_FILENO);
    return saved;
}

static void reader_has_gone(void **state)
{
    struct record r = record(EMIT_ALERTS, 3, "{\"a\":1}");
    int pipe_ends[2];

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    for (unsigned live = 0; live < 2; live++) {
        assert_int_equal(pipe(pipe_ends), 0);
        close(pipe_ends[0]);
        int saved = redirect(pipe_ends[1]);
        close(pipe_ends[1]);
        struct outputs *o = one("stdout", ~0u, live ? &LIVE : &OFFLINE);
        outputs_write(o, &r);
        outputs_poll(o);
        bool broken = outputs_broken(o), whole = outputs_close(o);
        dup2(saved, STDOUT_FILENO);
        close(saved);
        assert_true(broken);
        assert_false(whole);
    }
}

static void stdout_is_lines(void **state)
{
    char *path = scratch("stdout");
    struct record r = record(EMIT_TASKS, 0, "{\"t\":1}"), s = record(EMIT_ALERTS, 3, "{\"a\":2}");

    (void)state;
    int fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600), saved = redirect(fd);
    struct outputs *o = one("stdout:", 1u << EMIT_ALERTS | 1u << EMIT_TASKS, &OFFLINE);
    bool wrote = outputs_write(o, &r) && outputs_write(o, &s);
    bool whole = outputs_close(o);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(fd);
    assert_true(wrote && whole);
    assert_string_equal(content(path), "{\"t\":1}\n{\"a\":2}\n");
    unlink(path);
}

/* Live, a reader who does not read costs the message log first, then small alerts. */
static void slow_reader(void **state)
{
    static char text[1000];
    struct record log, low, high;
    struct lines l;
    int pipe_ends[2];
    unsigned logs = 0, lows = 0, highs = 0;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    log = record(EMIT_TASKS, 0, text);
    low = record(EMIT_ALERTS, 2, text);
    high = record(EMIT_ALERTS, 5, text);
    assert_int_equal(pipe(pipe_ends), 0);
    assert_true(fcntl(pipe_ends[1], F_SETPIPE_SZ, 4096) >= 4096);
    lines_init(&l, pipe_ends[1], &LIVE);
    while (lines_add(&l, &log))
        logs++;
    while (lines_add(&l, &low))
        lows++;
    while (lines_add(&l, &high))
        highs++;
    assert_true(logs >= 30 && lows >= 10 && highs >= 10);
    assert_int_equal(l.stats.lost, 3);
    char buffer[8192];
    size_t lines = 0;
    for (unsigned i = 0; i < 1000 && lines < logs + lows + highs; i++) { /* the reader wakes up */
        lines_flush(&l);
        ssize_t n = read(pipe_ends[0], buffer, sizeof buffer);
        for (ssize_t k = 0; k < n; k++)
            lines += buffer[k] == '\n';
    }
    assert_int_equal(lines, logs + lows + highs);
    assert_false(lines_finish(&l)); /* three were lost */
    assert_int_equal(l.stats.written, lines);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

/* A record larger than the queue still goes when nothing else waits. */
static void a_large_record(void **state)
{
    char *path = scratch("large"), *text = malloc((3 << 20) + 1);

    (void)state;
    memset(text, 'x', 3 << 20);
    text[3 << 20] = '\0';
    struct record r = record(EMIT_ALERTS, 1, text);
    for (unsigned live = 0; live < 2; live++) {
        unlink(path);
        struct outputs *o = one(url_of("file", path), ~0u, live ? &LIVE : &OFFLINE);
        assert_true(outputs_write(o, &r));
        assert_true(outputs_close(o));
        struct stat st;
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_size, (3 << 20) + 1);
    }
    unlink(path);
    free(text);
}

static void fan_out(void **state)
{
    char all[300], alerts[300];
    struct outputs *o = outputs_new();
    enum sink_error error;
    char err[256];

    (void)state;
    snprintf(all, sizeof all, "file:%s", scratch("all"));
    snprintf(alerts, sizeof alerts, "file:%s", scratch("alerts"));
    assert_false(outputs_wants(o, EMIT_ALERTS));
    assert_true(outputs_add(o, all, 1u << EMIT_ALERTS | 1u << EMIT_TASKS, &OFFLINE, &error, err,
                            sizeof err));
    assert_true(outputs_add(o, alerts, 1u << EMIT_ALERTS, &OFFLINE, &error, err, sizeof err));
    assert_true(outputs_wants(o, EMIT_ALERTS) && outputs_wants(o, EMIT_TASKS));
    assert_false(outputs_wants(o, EMIT_COMMANDS));
    struct record r = record(EMIT_TASKS, 0, "t"), s = record(EMIT_ALERTS, 1, "a"),
                  c = record(EMIT_COMMANDS, 0, "c");
    assert_true(outputs_write(o, &r) && outputs_write(o, &s) && outputs_write(o, &c));
    assert_int_equal(outputs_count(o), 2);
    assert_string_equal(outputs_name(o, 1), alerts);
    struct sink_stats st;
    outputs_poll(o);
    outputs_stats(o, 0, &st);
    assert_int_equal(st.written, 2);
    assert_true(outputs_close(o));
    assert_string_equal(content(all + 5), "t\na\n");
    assert_string_equal(content(alerts + 5), "a\n");
    unlink(all + 5);
    unlink(alerts + 5);
}

static void names_and_formats(void **state)
{
    char err[100];

    (void)state;
    for (unsigned i = 0; i < EMIT_KINDS; i++) {
        assert_true(emit_name((enum emit_kind)i)[0]);
        assert_true(strncmp(emit_dataset((enum emit_kind)i), "celeriac.", 9) == 0);
    }
    assert_true(sink_format("ecs", err, sizeof err));
    assert_false(sink_format("eve", err, sizeof err));
    assert_string_equal(err, "format eve is not built yet");
    assert_false(sink_format("ocsf", err, sizeof err));
    assert_false(sink_format("xml", err, sizeof err));
    assert_string_equal(err, "unknown format xml (ecs, eve, ocsf)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_appends),
        cmocka_unit_test(file_reopens),
        cmocka_unit_test(what_cannot_be_opened),
        cmocka_unit_test(full_disk),
        cmocka_unit_test(reader_has_gone),
        cmocka_unit_test(stdout_is_lines),
        cmocka_unit_test(slow_reader),
        cmocka_unit_test(a_large_record),
        cmocka_unit_test(fan_out),
        cmocka_unit_test(names_and_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
