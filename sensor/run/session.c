/* run/session.c - wiring of one run. */
#include "run/session.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "net/capture.h"
#include "run/baseline.h"
#include "run/learn.h"
#include "run/pipeline.h"
#include "run/priv.h"
#include "run/progress.h"
#include "run/signals.h"
#include "run/statistics.h"
#include "run/trust.h"

struct session {
    const struct conf *conf;
    struct capture *capture;
    struct outputs *outputs;
    struct encoder *encoder;
    struct collector *collector;
    struct learning *learning; /* NULL: nothing is learnt */
    struct pipeline *pipeline;
    struct statistics *statistics;
    struct progress progress;
    int64_t waiting_since; /* a stop was asked for, and an output made us wait; 0: not yet */
    atomic_bool broken;    /* said by the collector's thread */
    char host[256];
};

static const char *input_name(void *ctx, uint32_t input)
{
    const struct session *s = ctx;

    return capture_input_name(s->capture, input);
}

static int open_capture(struct session *s)
{
    struct capture_conf c = {
        .files = (const char *const *)s->conf->files.at,
        .file_n = s->conf->files.n,
        .interfaces = (const char *const *)s->conf->interfaces.at,
        .interface_n = s->conf->interfaces.n,
        .filter = s->conf->filter,
        .max_packets = s->conf->count,
        .stop = signals_stop(),
    };
    enum capture_status status;
    char error[512];

    s->capture = capture_open(&c, &status, error, sizeof error);
    if (!s->capture) {
        if (!*signals_stop())
            log_error("%s", error);
        return capture_exit_code(status);
    }
    for (size_t i = 0; capture_warning(s->capture, i); i++)
        log_warn("%s", capture_warning(s->capture, i));
    return 0;
}

#define GIVE_UP_NS (10 * INT64_C(1000000000))

/* A replay waits for its outputs; once it is told to stop, not much longer. */
static bool give_up(void *ctx)
{
    int64_t *since = ctx;
    struct timespec t;
    int64_t now;

    if (!*signals_stop())
        return false;
    clock_gettime(CLOCK_MONOTONIC, &t);
    now = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    if (*since == 0)
        *since = now;
    return now - *since > GIVE_UP_NS;
}

static int open_outputs(struct session *s)
{
    struct sink_options options = {.live = capture_is_live(s->capture),
                                   .queue_bytes = s->conf->limits.queue_bytes,
                                   .give_up = give_up,
                                   .ctx = &s->waiting_since};

    options.changes_user = priv_user(s->conf->user, &options.uid, &options.gid);
    s->outputs = outputs_new();
    for (size_t i = 0; s->outputs && i < s->conf->n_outputs; i++) {
        enum sink_error error;
        char text[512];

        if (!outputs_add(s->outputs, s->conf->outputs[i].url, s->conf->outputs[i].emit, &options,
                         &error, text, sizeof text)) {
            log_error("%s", text);
            return (int)error;
        }
    }
    return s->outputs ? 0 : 1;
}

/* Live the name of the host, unless configured; replays are the same everywhere. */
static const char *observer_name(struct session *s)
{
    if (s->conf->observer_name)
        return s->conf->observer_name;
    if (!capture_is_live(s->capture) || gethostname(s->host, sizeof s->host - 1) != 0)
        return "celeriac";
    return s->host;
}

static bool open_encoder(struct session *s)
{
    struct encode_conf c = {
        .observer_name = observer_name(s),
        .live = capture_is_live(s->capture),
        .n_hmac_key = s->conf->n_hmac_key,
        .max_text = s->conf->limits.evidence,
        .input_name = input_name,
        .ctx = s,
    };

    memcpy(c.hmac_key, s->conf->hmac_key, sizeof c.hmac_key);
    s->encoder = encoder_new(&c);
    explicit_bzero(c.hmac_key, sizeof c.hmac_key);
    return s->encoder != NULL;
}

static void on_tick(void *ctx, struct stamp now, bool last)
{
    struct session *s = ctx;

    statistics_tick(s->statistics, s->pipeline, now, last);
    if (signals_take_reopen()) {
        outputs_reopen(s->outputs);
        trust_reload(s->conf->trust);
        baselines_reload(s->conf->baselines);
    }
    outputs_poll(s->outputs);
    if (outputs_broken(s->outputs))
        atomic_store(&s->broken, true);
}

static bool open_stages(struct session *s)
{
    bool live = capture_is_live(s->capture);

    if (!open_encoder(s))
        return false;
    s->collector = collector_new(s->conf, s->encoder, s->outputs);
    s->statistics =
        statistics_new(s->conf, s->encoder, s->outputs, s->collector, live ? s->capture : NULL);
    if (!s->collector || !s->statistics)
        return false;
    collector_learn(s->collector, s->learning);
    s->pipeline = pipeline_new(s->conf, s->collector, 0, live, on_tick, s);
    return s->pipeline != NULL;
}

static void on_packet(void *ctx, const struct raw_packet *raw)
{
    struct session *s = ctx;

    pipeline_frame(s->pipeline, raw);
}

/* About every 100 ms. */
static void on_idle(void *ctx, struct stamp now)
{
    struct session *s = ctx;

    if (atomic_load(&s->broken))
        capture_stop(s->capture);
    if (capture_is_live(s->capture)) {
        pipeline_idle(s->pipeline, now);
        return;
    }
    progress_show(&s->progress, capture_progress(s->capture));
    if (s->conf->workers == 0) /* else the collector's thread answers, at its next tick */
        statistics_asked(s->pipeline);
}

static int end(struct session *s, enum capture_status status)
{
    bool kept;
    int learnt = 0;

    progress_done(&s->progress);
    if (status != CAPTURE_OK)
        log_error("%s", capture_error(s->capture));
    statistics_summary(s->statistics, s->pipeline);
    kept = !outputs_broken(s->outputs);
    kept = outputs_close(s->outputs) && kept;
    s->outputs = NULL;
    if (s->learning)
        learnt = learning_end(s->learning, collector_facts(s->collector), s->conf->policy.baseline);
    if (!kept && !capture_is_live(s->capture))
        return 74;
    return learnt != 0 ? learnt : capture_exit_code(status);
}

static int run(struct session *s)
{
    enum capture_status status;

    if (s->conf->policy.baseline)
        baseline_log(s->conf->policy.baseline, s->conf->baseline_file);
    else
        log_info("no baseline: nothing is called unknown");
    progress_begin(&s->progress, s->conf->verbosity);
    status = capture_run(s->capture, on_packet, on_idle, s);
    pipeline_finish(s->pipeline);
    return end(s, status);
}

static void close_all(struct session *s)
{
    pipeline_free(s->pipeline);
    statistics_free(s->statistics);
    collector_free(s->collector);
    learning_free(s->learning);
    encoder_free(s->encoder);
    outputs_close(s->outputs);
    if (s->capture)
        capture_close(s->capture);
}

int session_run(const struct conf *conf)
{
    struct session s = {.conf = conf};
    int status;

    signals_install();
    if (conf->learn_file && (status = learning_open(conf, &s.learning)) != 0)
        return status;
    status = open_capture(&s);
    if (status != 0 && *signals_stop())
        return 0; /* stopped before a pipe said anything */
    if (status == 0)
        status = open_outputs(&s);
    if (status == 0)
        status = priv_drop(conf->user);
    if (status == 0 && conf->user)
        outputs_settled(s.outputs);
    if (status == 0 && s.learning)
        status = learning_begin(s.learning);
    if (status == 0)
        status = open_stages(&s) ? run(&s) : (log_error("out of memory"), 1);
    close_all(&s);
    return status;
}
