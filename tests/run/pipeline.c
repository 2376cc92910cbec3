/* tests/run/pipeline.c - the same bytes out of a capture with any number of workers, with rings so
 * small that everybody has to wait for everybody, and with all traffic in one connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/capture.h"
#include "run/options.h"
#include "run/pipeline.h"

static const char *name(void *ctx, uint32_t input)
{
    (void)ctx, (void)input;
    return "x";
}

static void tick(void *ctx, struct stamp now, bool last)
{
    (void)ctx, (void)now, (void)last;
}

static void frame(void *ctx, const struct raw_packet *raw)
{
    pipeline_frame(ctx, raw);
}

static char *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    struct stat st;

    assert_non_null(f);
    assert_int_equal(fstat(fileno(f), &st), 0);
    char *text = malloc((size_t)st.st_size + 1);
    *n = fread(text, 1, (size_t)st.st_size, f);
    fclose(f);
    return text;
}

static char *replay(const char *capture, unsigned workers, size_t ring, const char *filter,
                    size_t *n)
{
    char path[] = "/tmp/celeriac-pipeline-XXXXXX", url[64], err[256];
    int fd = mkstemp(path);
    struct conf conf = {.fold = true, .workers = workers};
    struct outputs *outputs = outputs_new();
    struct sink_options options = {.live = false, .queue_bytes = 1 << 20};
    enum sink_error error;
    enum capture_status status;
    struct encode_conf ec = {.observer_name = "celeriac", .input_name = name};
    struct capture_conf cc = {.files = &capture, .file_n = 1, .filter = filter};
    struct encoder *encoder = encoder_new(&ec);

    assert_true(fd >= 0);
    close(fd);
    option_defaults(&conf);
    conf.workers = workers;
    snprintf(url, sizeof url, "file:%s", path);
    assert_true(
        outputs_add(outputs, url, (1u << EMIT_STATS) - 1, &options, &error, err, sizeof err));
    struct collector *collector = collector_new(&conf, encoder, outputs);
    struct pipeline *p = pipeline_new(&conf, collector, ring, false, tick, NULL);
    struct capture *c = capture_open(&cc, &status, err, sizeof err);
    assert_non_null(c);
    assert_int_equal(capture_run(c, frame, NULL, p), CAPTURE_OK);
    pipeline_finish(p);
    assert_true(outputs_close(outputs));
    pipeline_free(p);
    collector_free(collector);
    encoder_free(encoder);
    capture_close(c);
    option_free(&conf);
    char *text = slurp(path, n);
    unlink(path);
    return text;
}

static void same(const char *capture, const char *filter)
{
    static const size_t rings[] = {0, 4096, 65536};
    size_t want_n, got_n;
    char *want = replay(capture, 0, 0, filter, &want_n);

    assert_true(want_n > 1000);
    for (unsigned workers = 1; workers <= 8; workers *= 2)
        for (size_t i = 0; i < sizeof rings / sizeof *rings; i++) {
            char *got = replay(capture, workers, rings[i], filter, &got_n);

            assert_int_equal(got_n, want_n);
            assert_memory_equal(got, want, want_n);
            free(got);
        }
    free(want);
}

static void amqp(void **state)
{
    (void)state;
    same(SOURCE_DIR "/pcaps/benign-amqp-debian.pcap.zst", NULL);
}

static void redis(void **state)
{
    (void)state;
    same(SOURCE_DIR "/pcaps/attack-takeover-redis.pcap.zst", NULL);
}

static void one_connection(void **state)
{
    (void)state;
    same(SOURCE_DIR "/pcaps/benign-amqp-debian.pcap.zst", "tcp port 5672 and host 10.77.0.21");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(amqp), cmocka_unit_test(redis),
                                       cmocka_unit_test(one_connection)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
