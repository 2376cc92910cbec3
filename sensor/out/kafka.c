/* out/kafka.c - the sink "kafka:": each dataset into its topic (PREFIX + event.dataset),
 * keyed by Community ID, by librdkafka's idempotent producer.
 *
 * librdkafka copies a record and delivers it from threads of its own; delivery reports and
 * errors come back in rd_kafka_poll(), in the collector's thread, so that nothing here needs a
 * lock. Live, a write never waits: what waits is bounded, and as the bound comes near, the least
 * worth is lost first. Offline, a write waits until there is room. Messages do not expire: Kafka
 * may be away for as long as the bound allows. */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "out/kafka_log.h"
#include "out/sinks.h"

enum {
    PROBE_MS = 10000,
    WAIT_MS = 100,
    CLOSE_LIVE_S = 10,
    CLOSE_OFFLINE_S = 300, /* without any progress */
};

struct kafka {
    struct kafka_url url;
    struct kafka_log log;
    struct sink_options opt;
    size_t limit;
    rd_kafka_conf_t *conf; /* what each producer is made of */
    rd_kafka_t *producer;  /* NULL: the last one died, and no other could be made */
    rd_kafka_topic_t *topics[EMIT_KINDS];
    bool ready; /* the first answer has come: from then on the log hears of troubles */
    bool fatal, down, told_lost, told_size;
    struct sink_stats stats;
};

static void lose(struct kafka *k, size_t bytes)
{
    k->stats.lost++;
    k->stats.lost_bytes += bytes;
}

/* ---- what librdkafka calls ---- */

static void on_delivery(rd_kafka_t *producer, const rd_kafka_message_t *m, void *ctx)
{
    struct kafka *k = ctx;
    size_t bytes = m->len + m->key_len;

    (void)producer;
    k->stats.waiting_bytes -= bytes;
    if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        lose(k, m->len);
        if (!k->told_lost)
            log_error("kafka: a record could not be delivered: %s; the statistics count how many",
                      rd_kafka_err2str(m->err));
        k->told_lost = true;
        return;
    }
    k->stats.written++;
    if (k->down)
        log_info("kafka: delivers again");
    k->down = k->told_lost = false;
}

static void on_error(rd_kafka_t *producer, int error, const char *reason, void *ctx)
{
    struct kafka *k = ctx;

    (void)producer;
    if (error == RD_KAFKA_RESP_ERR__FATAL)
        k->fatal = true;
    if (!k->ready)
        return;
    if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        kafka_log_line(&k->log, 4, reason);
        return;
    }
    if (!k->down)
        log_error("kafka: no broker can be reached; records wait");
    k->down = true;
}

/* What matters of it comes to on_error() as well. */
static void on_log(const rd_kafka_t *producer, int level, const char *where, const char *text)
{
    struct kafka *k = rd_kafka_opaque(producer);

    (void)where;
    if (k)
        kafka_log_line(&k->log, level <= 2 ? level : 7, text);
}

/* ---- the producer ---- */

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char ignored[512];

    return rd_kafka_conf_set(conf, name, value, ignored, sizeof ignored) == RD_KAFKA_CONF_OK;
}

static void set_defaults(struct kafka *k)
{
    static const char *const CODECS[] = {"zstd", "lz4", "gzip"};
    /* librdkafka counts its own overhead too; our own bound is the one that is met first */
    size_t kbytes = k->limit / 512 + 1024;
    char number[24];

    set(k->conf, "bootstrap.servers", k->url.brokers);
    set(k->conf, "client.id", "celeriac");
    set(k->conf, "enable.idempotence", "true");
    set(k->conf, "message.timeout.ms", "0");
    set(k->conf, "partitioner", "murmur2_random"); /* as Java's producer does it */
    set(k->conf, "queue.buffering.max.messages", "0");
    snprintf(number, sizeof number, "%zu", kbytes < 2097151 ? kbytes : 2097151);
    set(k->conf, "queue.buffering.max.kbytes", number);
    for (size_t i = 0; i < sizeof CODECS / sizeof CODECS[0]; i++)
        if (set(k->conf, "compression.codec", CODECS[i]))
            break;
    rd_kafka_conf_set_opaque(k->conf, k);
    rd_kafka_conf_set_dr_msg_cb(k->conf, on_delivery);
    rd_kafka_conf_set_error_cb(k->conf, on_error);
    rd_kafka_conf_set_log_cb(k->conf, on_log);
}

/* librdkafka's own words could repeat a value, which could be a password. */
static enum sink_error set_properties(struct kafka *k, char *err, size_t err_len)
{
    char ignored[512];

    for (size_t i = 0; i < k->url.n; i++) {
        const struct kafka_property *p = &k->url.properties[i];
        rd_kafka_conf_res_t r =
            rd_kafka_conf_set(k->conf, p->name, p->value, ignored, sizeof ignored);
        if (r == RD_KAFKA_CONF_OK)
            continue;
        snprintf(err, err_len, "kafka: %.64s: %s", p->name,
                 r == RD_KAFKA_CONF_UNKNOWN ? "no such property" : "not a value it can have");
        return SINK_USAGE;
    }
    return SINK_OK;
}

static bool start(struct kafka *k, char *why, size_t why_len)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(k->conf);

    k->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, why_len);
    if (k->producer)
        return true;
    rd_kafka_conf_destroy(conf);
    if (kafka_url_leaks(&k->url, why))
        snprintf(why, why_len, "a property that it does not take");
    return false;
}

/* Every record that is still in the producer comes back as lost. */
static void stop(struct kafka *k)
{
    if (!k->producer)
        return;
    k->told_lost = true; /* the caller says so */
    rd_kafka_purge(k->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    while (rd_kafka_outq_len(k->producer) > 0)
        rd_kafka_poll(k->producer, WAIT_MS);
    for (unsigned i = 0; i < EMIT_KINDS; i++)
        if (k->topics[i])
            rd_kafka_topic_destroy(k->topics[i]);
    memset(k->topics, 0, sizeof k->topics);
    rd_kafka_destroy(k->producer);
    k->producer = NULL;
}

/* A fatal error ends an idempotent producer, and only it: another one goes on. */
static void restart(struct kafka *k)
{
    char why[256];

    log_error("kafka: the producer failed; its waiting records are lost, another one takes over");
    stop(k);
    k->fatal = false;
    if (!start(k, why, sizeof why))
        log_error("kafka: %s", why);
}

static void serve(struct kafka *k, int wait_ms)
{
    if (k->producer)
        rd_kafka_poll(k->producer, wait_ms);
    if (k->fatal)
        restart(k);
}

static enum sink_error probe(struct kafka *k, char *err, size_t err_len)
{
    const struct rd_kafka_metadata *found = NULL;
    char last[256];

    if (rd_kafka_metadata(k->producer, 0, NULL, &found, PROBE_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(found);
        kafka_log_started(&k->log);
        k->ready = true;
        return SINK_OK;
    }
    kafka_log_last(&k->log, last, sizeof last);
    snprintf(err, err_len, "kafka: no answer from %.200s in %d s%s%s", k->url.brokers,
             PROBE_MS / 1000, last[0] ? ": " : "", last);
    return SINK_UNREACHABLE;
}

static enum sink_error open_producer(struct kafka *k, char *err, size_t err_len)
{
    char why[256];

    k->conf = rd_kafka_conf_new();
    set_defaults(k);
    enum sink_error error = set_properties(k, err, err_len);
    if (error != SINK_OK)
        return error;
    if (!start(k, why, sizeof why)) {
        snprintf(err, err_len, "kafka: %s", why);
        return SINK_USAGE;
    }
    return probe(k, err, err_len);
}

static void kafka_free(struct kafka *k)
{
    stop(k);
    if (k->conf)
        rd_kafka_conf_destroy(k->conf);
    kafka_log_free(&k->log);
    kafka_url_free(&k->url);
    free(k);
}

static void *kafka_open(const char *url, const struct sink_options *opt, enum sink_error *error,
                        char *err, size_t err_len)
{
    struct kafka *k = calloc(1, sizeof *k);

    if (!k) {
        *error = SINK_CANNOT_WRITE;
        snprintf(err, err_len, "out of memory");
        return NULL;
    }
    *error = kafka_url_parse(&k->url, url, err, err_len);
    if (*error != SINK_OK || !kafka_log_init(&k->log, &k->url)) {
        kafka_url_free(&k->url);
        free(k);
        return NULL;
    }
    k->opt = *opt;
    k->limit = opt->queue_bytes > 0 ? opt->queue_bytes : SINK_QUEUE_BYTES;
    *error = open_producer(k, err, err_len);
    if (*error == SINK_OK)
        return k;
    kafka_free(k);
    return NULL;
}

/* ---- records ---- */

static rd_kafka_topic_t *topic_of(struct kafka *k, enum emit_kind kind)
{
    char name[256];

    if (!k->topics[kind] && k->producer) {
        snprintf(name, sizeof name, "%s%s", k->url.prefix, emit_dataset(kind));
        k->topics[kind] = rd_kafka_topic_new(k->producer, name, NULL);
    }
    return k->topics[kind];
}

static bool give_up(const struct kafka *k)
{
    return k->opt.give_up && k->opt.give_up(k->opt.ctx);
}

/* Room for a record. Live it is there or not; offline it is waited for. */
static bool wait_for_room(struct kafka *k, const struct record *r)
{
    size_t bytes = r->text.len + r->key.len;

    if (k->opt.live)
        return k->stats.waiting_bytes + bytes <= k->limit / 256 * sink_share(r);
    while (k->stats.waiting_bytes > 0 && k->stats.waiting_bytes + bytes > k->limit) {
        if (give_up(k))
            return false;
        serve(k, WAIT_MS);
    }
    return true;
}

static rd_kafka_resp_err_t produce(struct kafka *k, const struct record *r)
{
    rd_kafka_topic_t *topic = topic_of(k, r->kind);
    void *text = (void *)(uintptr_t)r->text.at; /* is copied */

    if (!topic)
        return RD_KAFKA_RESP_ERR__FAIL;
    if (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, text, r->text.len,
                         r->key.len > 0 ? r->key.at : NULL, r->key.len, NULL) == 0)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    return rd_kafka_last_error();
}

static bool refused(struct kafka *k, const struct record *r, rd_kafka_resp_err_t error)
{
    if (error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && !k->told_size) {
        log_error("kafka: a record of %zu bytes is larger than message.max.bytes; the statistics "
                  "count how many",
                  r->text.len);
        k->told_size = true;
    }
    lose(k, r->text.len);
    return false;
}

static bool kafka_write(void *self, const struct record *r)
{
    struct kafka *k = self;
    rd_kafka_resp_err_t error;

    serve(k, 0);
    if (!wait_for_room(k, r))
        return refused(k, r, RD_KAFKA_RESP_ERR__QUEUE_FULL);
    while ((error = produce(k, r)) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        bool full = error == RD_KAFKA_RESP_ERR__QUEUE_FULL;
        bool again = full || error == RD_KAFKA_RESP_ERR__FATAL;
        if (!again || (full && k->opt.live) || give_up(k))
            return refused(k, r, error);
        k->fatal = k->fatal || !full;
        serve(k, full ? WAIT_MS : 0);
    }
    k->stats.waiting_bytes += r->text.len + r->key.len;
    return true;
}

static void kafka_poll(void *self)
{
    serve(self, 0);
}

static void kafka_stats(void *self, struct sink_stats *out)
{
    *out = ((struct kafka *)self)->stats;
}

static int64_t seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* Live at most 10 s; offline until nothing has moved for minutes. */
static void drain(struct kafka *k)
{
    int64_t since = seconds(), limit = k->opt.live ? CLOSE_LIVE_S : CLOSE_OFFLINE_S;

    while (k->producer && rd_kafka_outq_len(k->producer) > 0 && seconds() - since < limit) {
        uint64_t before = k->stats.written;
        rd_kafka_flush(k->producer, WAIT_MS);
        serve(k, 0);
        if (!k->opt.live && k->stats.written != before)
            since = seconds();
        if (give_up(k))
            return;
    }
}

static bool kafka_close(void *self)
{
    struct kafka *k = self;

    drain(k);
    stop(k);
    if (k->stats.lost > 0)
        log_warn("kafka: %llu records lost", (unsigned long long)k->stats.lost);
    bool whole = k->stats.lost == 0;
    kafka_free(k);
    return whole;
}

const struct sink sink_kafka = {
    .scheme = "kafka",
    .open = kafka_open,
    .write = kafka_write,
    .poll = kafka_poll,
    .reopen = kafka_poll,
    .stats = kafka_stats,
    .close = kafka_close,
};
