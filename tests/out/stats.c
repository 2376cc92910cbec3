/* Tests of the record of statistics. */
#include "out/encode_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/out/support/sample.h"

static int64_t num(json_t *j, const char *path)
{
    assert_true(json_is_integer(sample_at(j, path)));
    return json_integer_value(sample_at(j, path));
}

static void a_record(void **state)
{
    struct encoder *e = sample_encoder(false, NULL);
    struct tally tally = {0};
    static struct encode_stats_rule counts[RULE_COUNT];
    struct outputs *o = outputs_new();
    enum sink_error error;
    char err[100];
    struct record r;

    (void)state;
    assert_true(
        outputs_add(o, "file:/dev/null", ~0u, &(struct sink_options){0}, &error, err, sizeof err));
    for (unsigned i = 0; i < TALLY_COUNT; i++)
        tally.n[i] = 1000 + i;
    counts[RULE_CRED_DEFAULT] = (struct encode_stats_rule){5, 2, 1};
    struct encode_stats in = {.at_ns = 1767323045678901234,
                              .tally = &tally,
                              .open_flows = 7,
                              .outputs = o,
                              .rules = counts,
                              .kernel = {true, 10, 2, 1}};
    assert_true(encode_stats(e, &in, &r));
    assert_int_equal(r.kind, EMIT_STATS);
    assert_int_equal(r.key.len, 0);
    json_t *j = sample_parse(&r);
    assert_string_equal(sample_str(j, "event.kind"), "metric");
    assert_string_equal(sample_str(j, "event.dataset"), "celeriac.stats");
    assert_string_equal(sample_str(j, "@timestamp"), "2026-01-02T03:04:05.678901Z");
    assert_string_equal(sample_str(j, "observer.name"), "sensor-1");
    for (unsigned i = 0; i < TALLY_COUNT; i++) {
        char path[100];
        snprintf(path, sizeof path, "celeriac.stats.%s", tally_name((enum tally_id)i));
        assert_int_equal(num(j, path), 1000 + i);
    }
    assert_int_equal(num(j, "celeriac.stats.flow.open"), 7);
    assert_int_equal(num(j, "celeriac.stats.capture.kernel.dropped"), 2);
    assert_int_equal(num(j, "celeriac.stats.rules.cred-default.found"), 5);
    assert_int_equal(num(j, "celeriac.stats.rules.cred-default.emitted"), 2);
    assert_int_equal(num(j, "celeriac.stats.rules.cred-default.suppressed"), 1);
    assert_int_equal(json_object_size(sample_at(j, "celeriac.stats.rules")), 1);
    json_t *output = json_array_get(sample_at(j, "celeriac.stats.outputs"), 0);
    assert_string_equal(sample_str(output, "name"), "file:/dev/null");
    assert_int_equal(num(output, "lost"), 0);
    json_decref(j);
    outputs_close(o);
    encoder_free(e);
}

static void only_a_tally(void **state)
{
    struct encoder *e = sample_encoder(true, NULL);
    struct tally tally = {0};
    struct encode_stats in = {.tally = &tally};
    struct record r;

    (void)state;
    assert_true(encode_stats(e, &in, &r));
    json_t *j = sample_parse(&r);
    assert_int_equal(num(j, "celeriac.stats.capture.packets"), 0);
    assert_null(sample_find(j, "celeriac.stats.outputs"));
    assert_null(sample_find(j, "celeriac.stats.capture.kernel"));
    json_decref(j);
    encoder_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record),
        cmocka_unit_test(only_a_tally),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
