/* Tests of the sink "kafka:" against librdkafka's own mock cluster: what arrives, where, under
 * which key; and what happens when nobody is there, when the queue is full, when the producer dies.
 */
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "out/sinks.h"

static const struct sink_options OFFLINE = {0};
static const struct sink_options LIVE = {.live = true};

static void quiet(const rd_kafka_t *rk, int level, const char *where, const char *text)
{
    (void)rk, (void)level, (void)where, (void)text;
}

/* A cluster with a life of its own, which producer and consumer find by address. */
struct cluster {
    rd_kafka_t *owner;
    rd_kafka_mock_cluster_t *mock;
    char url[512];
};

static struct cluster *cluster_new(const char *tail)
{
    struct cluster *c = calloc(1, sizeof *c);
    char err[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set_log_cb(conf, quiet);
    c->owner = rd_kafka_new(RD_KAFKA_PRODUCER, conf, err, sizeof err);
    assert_non_null(c->owner);
    c->mock = rd_kafka_mock_cluster_new(c->owner, 1);
    assert_non_null(c->mock);
    snprintf(c->url, sizeof c->url, "%s%s", rd_kafka_mock_cluster_bootstraps(c->mock), tail);
    return c;
}

static void cluster_free(struct cluster *c)
{
    rd_kafka_mock_cluster_destroy(c->mock);
    rd_kafka_destroy(c->owner);
    free(c);
}

static void *open_sink(const char *url, const struct sink_options *opt)
{
    enum sink_error error;
    char err[512] = "";
    void *k = sink_kafka.open(url, opt, &error, err, sizeof err);

    if (!k)
        fail_msg("%s: %s", url, err);
    assert_int_equal(error, SINK_OK);
    return k;
}

static struct record record(enum emit_kind kind, unsigned severity, const char *key,
                            const char *text)
{
    return (struct record){.kind = kind,
                           .severity = (uint8_t)severity,
                           .key = bytes_of(key, strlen(key)),
                           .text = bytes_of(text, strlen(text))};
}

/* What is in a topic: "key text\n" of each record. */
static void topic_holds(struct cluster *c, const char *topic, unsigned n, const char *want)
{
    char err[256], got[4096] = "", brokers[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    snprintf(brokers, sizeof brokers, "%s", rd_kafka_mock_cluster_bootstraps(c->mock));
    rd_kafka_conf_set_log_cb(conf, quiet);
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, err, sizeof err);
    rd_kafka_conf_set(conf, "group.id", "test", err, sizeof err);
    rd_kafka_conf_set(conf, "auto.offset.reset", "earliest", err, sizeof err);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, err, sizeof err);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);
    for (int i = 0; i < 4; i++) /* the mock's topics have four */
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = 0;
    assert_int_equal(rd_kafka_assign(rk, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
    for (unsigned tries = 0; n > 0 && tries < 200; tries++) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 100);
        if (m && !m->err) {
            snprintf(got + strlen(got), sizeof got - strlen(got), "%.*s %.*s\n", (int)m->key_len,
                     (const char *)m->key, (int)m->len, (const char *)m->payload);
            n--;
        }
        if (m)
            rd_kafka_message_destroy(m);
    }
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    assert_string_equal(got, want);
}

static void records_arrive(void **state)
{
    struct cluster *c = cluster_new("/site-1.?linger.ms=1");
    void *k = open_sink(c->url, &OFFLINE);
    struct record a = record(EMIT_ALERTS, 3, "1:key=", "{\"a\":1}"),
                  b = record(EMIT_ALERTS, 5, "1:key=", "{\"a\":2}"),
                  t = record(EMIT_TASKS, 0, "1:other=", "{\"t\":1}"),
                  s = record(EMIT_STATS, 0, "", "{\"s\":1}");

    (void)state;
    assert_true(sink_kafka.write(k, &a) && sink_kafka.write(k, &b) && sink_kafka.write(k, &t) &&
                sink_kafka.write(k, &s));
    assert_true(sink_kafka.close(k));
    topic_holds(c, "site-1.celeriac.alert", 2, "1:key= {\"a\":1}\n1:key= {\"a\":2}\n");
    topic_holds(c, "site-1.celeriac.task", 1, "1:other= {\"t\":1}\n");
    topic_holds(c, "site-1.celeriac.stats", 1, " {\"s\":1}\n");
    cluster_free(c);
}

static void counts(void **state)
{
    struct cluster *c = cluster_new("?linger.ms=1");
    void *k = open_sink(c->url, &OFFLINE);
    struct record a = record(EMIT_ALERTS, 3, "k", "0123456789");
    struct sink_stats s;

    (void)state;
    for (unsigned i = 0; i < 1000; i++)
        assert_true(sink_kafka.write(k, &a));
    for (unsigned i = 0; i < 500; i++) {
        sink_kafka.poll(k);
        sink_kafka.stats(k, &s);
        assert_int_equal(s.waiting_bytes, (1000 - s.written) * 11);
        if (s.written == 1000)
            break;
        usleep(10000);
    }
    assert_int_equal(s.written, 1000);
    assert_int_equal(s.lost, 0);
    assert_false(s.broken);
    assert_true(sink_kafka.close(k));
    cluster_free(c);
}

static void refused(const char *url, enum sink_error want, const char *word)
{
    enum sink_error error = SINK_OK;
    char err[512] = "";

    assert_null(sink_kafka.open(url, &OFFLINE, &error, err, sizeof err));
    assert_int_equal(error, want);
    if (!strstr(err, word) || strstr(err, "hidden"))
        fail_msg("%s: %s", url, err);
}

static void properties_are_checked(void **state)
{
    (void)state;
    refused("h?no.such.property=hidden", SINK_USAGE, "no.such.property: no such property");
    refused("h?linger.ms=hidden", SINK_USAGE, "linger.ms: not a value");
    refused("h?acks=1", SINK_USAGE, "acks");
    refused("h?security.protocol=ssl&ssl.key.location=/no/such/file&ssl.certificate.location=/none",
            SINK_USAGE, "kafka: ");
    refused("", SINK_USAGE, "HOST");
}

static void nobody_there(void **state)
{
    struct timespec from, to;

    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &from);
    refused("127.0.0.1:1?sasl.password=hidden&sasl.username=x", SINK_UNREACHABLE,
            "no answer from 127.0.0.1:1 in 10 s");
    clock_gettime(CLOCK_MONOTONIC, &to);
    assert_in_range(to.tv_sec - from.tv_sec, 9, 14);
}

/* Live: the broker goes away; a write never waits, and what is lost is lost by rank. */
static void full_queue_by_rank(void **state)
{
    struct sink_options opt = {.live = true, .queue_bytes = 256 << 10};
    struct cluster *c = cluster_new("?socket.timeout.ms=1000");
    void *k = open_sink(c->url, &opt);
    static char text[1000];
    unsigned logs = 0, lows = 0, highs = 0;
    struct sink_stats s;
    struct timespec from, to;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    rd_kafka_mock_broker_set_down(c->mock, 1);
    struct record log = record(EMIT_TASKS, 0, "k", text), low = record(EMIT_ALERTS, 2, "k", text),
                  high = record(EMIT_ALERTS, 5, "k", text);
    clock_gettime(CLOCK_MONOTONIC, &from);
    while (sink_kafka.write(k, &log))
        logs++;
    while (sink_kafka.write(k, &low))
        lows++;
    while (sink_kafka.write(k, &high))
        highs++;
    clock_gettime(CLOCK_MONOTONIC, &to);
    assert_true(to.tv_sec - from.tv_sec <= 2);
    assert_in_range(logs, 125, 135);
    assert_in_range(lows, 60, 70);
    assert_in_range(highs, 60, 70);
    sink_kafka.stats(k, &s);
    assert_int_equal(s.lost, 3);
    assert_true(s.waiting_bytes <= 256 << 10);
    rd_kafka_mock_broker_set_up(c->mock, 1); /* it comes back: all that waited arrives */
    for (unsigned i = 0; i < 300 && s.written < logs + lows + highs; i++) {
        usleep(50000);
        sink_kafka.poll(k);
        sink_kafka.stats(k, &s);
    }
    assert_int_equal(s.written, logs + lows + highs);
    assert_int_equal(s.waiting_bytes, 0);
    assert_true(sink_kafka.write(k, &log));
    assert_false(sink_kafka.close(k)); /* three were lost */
    cluster_free(c);
}

/* Live: nobody comes back; the end takes 10 s, and all is counted. */
static void closing_is_bounded(void **state)
{
    struct cluster *c = cluster_new("?socket.timeout.ms=1000");
    void *k = open_sink(c->url, &LIVE);
    struct record a = record(EMIT_ALERTS, 5, "k", "{}");
    struct timespec from, to;

    (void)state;
    rd_kafka_mock_broker_set_down(c->mock, 1);
    usleep(100000);
    assert_true(sink_kafka.write(k, &a));
    clock_gettime(CLOCK_MONOTONIC, &from);
    assert_false(sink_kafka.close(k));
    clock_gettime(CLOCK_MONOTONIC, &to);
    assert_in_range(to.tv_sec - from.tv_sec, 9, 14);
    cluster_free(c);
}

struct patience {
    unsigned asked, limit;
    struct cluster *wakes;
};

static bool enough(void *ctx)
{
    struct patience *p = ctx;

    if (++p->asked == 5 && p->wakes)
        rd_kafka_mock_broker_set_up(p->wakes->mock, 1);
    return p->limit && p->asked >= p->limit;
}

/* Offline: the replay waits until the broker is back, and loses nothing. */
static void a_replay_waits(void **state)
{
    struct patience p = {0};
    struct sink_options opt = {.queue_bytes = 20000, .give_up = enough, .ctx = &p};
    struct cluster *c = cluster_new("?socket.timeout.ms=1000&reconnect.backoff.max.ms=200");
    void *k = open_sink(c->url, &opt);
    static char text[1000];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    struct record r = record(EMIT_TASKS, 0, "k", text);
    rd_kafka_mock_broker_set_down(c->mock, 1);
    p.wakes = c;
    for (unsigned i = 0; i < 100; i++)
        assert_true(sink_kafka.write(k, &r));
    assert_true(p.asked >= 5);
    assert_true(sink_kafka.close(k));
    cluster_free(c);
}

static void a_replay_can_be_stopped(void **state)
{
    struct patience p = {.limit = 3};
    struct sink_options opt = {.queue_bytes = 2000, .give_up = enough, .ctx = &p};
    struct cluster *c = cluster_new("?socket.timeout.ms=1000");
    void *k = open_sink(c->url, &opt);
    static char text[1500];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    struct record r = record(EMIT_TASKS, 0, "k", text);
    rd_kafka_mock_broker_set_down(c->mock, 1);
    assert_true(sink_kafka.write(k, &r));
    assert_false(sink_kafka.write(k, &r));
    assert_false(sink_kafka.close(k));
    cluster_free(c);
}

static void too_large_is_lost_once(void **state)
{
    struct cluster *c = cluster_new("?message.max.bytes=2000&linger.ms=1");
    void *k = open_sink(c->url, &OFFLINE);
    static char text[4000];
    struct sink_stats s;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    struct record big = record(EMIT_ALERTS, 5, "k", text);
    struct record small = record(EMIT_ALERTS, 5, "k", "{}");
    assert_false(sink_kafka.write(k, &big));
    assert_false(sink_kafka.write(k, &big));
    assert_true(sink_kafka.write(k, &small));
    sink_kafka.stats(k, &s);
    assert_int_equal(s.lost, 2);
    assert_int_equal(s.lost_bytes, 2 * 3999);
    assert_false(sink_kafka.close(k));
    topic_holds(c, "celeriac.alert", 1, "k {}\n");
    cluster_free(c);
}

/* librdkafka's own bound, met first: the same. */
static void its_own_queue_is_full(void **state)
{
    struct cluster *c = cluster_new("?queue.buffering.max.messages=5&linger.ms=100");
    struct record r = record(EMIT_ALERTS, 5, "k", "{}");
    struct sink_stats s;
    unsigned taken = 0;

    (void)state;
    void *k = open_sink(c->url, &LIVE);
    for (unsigned i = 0; i < 20; i++)
        taken += sink_kafka.write(k, &r);
    assert_int_equal(taken, 5);
    sink_kafka.stats(k, &s);
    assert_int_equal(s.lost, 15);
    assert_false(sink_kafka.close(k));
    k = open_sink(c->url, &OFFLINE);
    for (unsigned i = 0; i < 20; i++)
        assert_true(sink_kafka.write(k, &r));
    assert_true(sink_kafka.close(k));
    cluster_free(c);
}

/* The broker refuses for good: counted, said, not tried for ever. */
static void delivery_fails(void **state)
{
    struct cluster *c = cluster_new("?linger.ms=1");
    struct record r = record(EMIT_ALERTS, 5, "k", "{}");
    struct sink_stats s = {0};

    (void)state;
    void *k = open_sink(c->url, &LIVE);
    rd_kafka_mock_push_request_errors(c->mock, 0 /* Produce */, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    assert_true(sink_kafka.write(k, &r));
    for (unsigned i = 0; i < 200 && s.lost == 0; i++) {
        usleep(50000);
        sink_kafka.poll(k);
        sink_kafka.stats(k, &s);
    }
    assert_int_equal(s.lost, 1);
    assert_int_equal(s.waiting_bytes, 0);
    assert_false(sink_kafka.close(k));
    cluster_free(c);
}

/* Out of step with the broker's sequence numbers: fatal for the idempotent producer, not for us. */
static void a_dead_producer_is_replaced(void **state)
{
    struct cluster *c = cluster_new("?linger.ms=1&enable.gapless.guarantee=true");
    struct record r = record(EMIT_ALERTS, 5, "k", "{}");
    struct sink_stats s = {0};

    (void)state;
    void *k = open_sink(c->url, &LIVE);
    rd_kafka_mock_push_request_errors(c->mock, 0 /* Produce */, 1,
                                      RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_true(sink_kafka.write(k, &r));
    for (unsigned i = 0; i < 200 && s.lost + s.written == 0; i++) {
        usleep(50000);
        sink_kafka.poll(k);
        sink_kafka.stats(k, &s);
    }
    assert_int_equal(s.lost, 1);
    assert_true(sink_kafka.write(k, &r));
    for (unsigned i = 0; i < 200 && s.written == 0; i++) {
        usleep(50000);
        sink_kafka.poll(k);
        sink_kafka.stats(k, &s);
    }
    assert_int_equal(s.written, 1);
    assert_false(sink_kafka.close(k));
    cluster_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_arrive),         cmocka_unit_test(counts),
        cmocka_unit_test(properties_are_checked), cmocka_unit_test(nobody_there),
        cmocka_unit_test(full_queue_by_rank),     cmocka_unit_test(closing_is_bounded),
        cmocka_unit_test(a_replay_waits),         cmocka_unit_test(a_replay_can_be_stopped),
        cmocka_unit_test(too_large_is_lost_once), cmocka_unit_test(its_own_queue_is_full),
        cmocka_unit_test(delivery_fails),         cmocka_unit_test(a_dead_producer_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
