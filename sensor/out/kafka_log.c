/* out/kafka_log.c - see kafka_log.h. */
#include "out/kafka_log.h"

#include <stdio.h>

#include "base/log.h"

enum { LINES_A_MINUTE = 5, WARNING = 4 };

bool kafka_log_init(struct kafka_log *l, const struct kafka_url *url)
{
    *l = (struct kafka_log){.url = url, .starting = true};
    return pthread_mutex_init(&l->lock, NULL) == 0;
}

void kafka_log_free(struct kafka_log *l)
{
    pthread_mutex_destroy(&l->lock);
}

/* Under the lock. How many lines were held back before this one, which may be told; -1: it
 * may not. */
static int admit(struct kafka_log *l)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (l->minute != now.tv_sec / 60) {
        l->minute = now.tv_sec / 60;
        l->lines = 0;
    }
    if (l->lines == LINES_A_MINUTE) {
        l->held_back++;
        return -1;
    }
    l->lines++;
    int held_back = (int)l->held_back;
    l->held_back = 0;
    return held_back;
}

void kafka_log_line(struct kafka_log *l, int level, const char *text)
{
    int held_back = -1;

    if (kafka_url_leaks(l->url, text))
        text = "(a line with a credential in it)";
    pthread_mutex_lock(&l->lock);
    if (l->starting)
        snprintf(l->last, sizeof l->last, "%s", text);
    else if (level <= WARNING)
        held_back = admit(l);
    pthread_mutex_unlock(&l->lock);
    if (held_back > 0)
        log_warn("kafka: %s (%d lines before it held back)", text, held_back);
    else if (held_back == 0)
        log_warn("kafka: %s", text);
    else if (level > WARNING)
        log_debug("kafka: %s", text);
}

void kafka_log_started(struct kafka_log *l)
{
    pthread_mutex_lock(&l->lock);
    l->starting = false;
    pthread_mutex_unlock(&l->lock);
}

void kafka_log_last(struct kafka_log *l, char *last, size_t n)
{
    pthread_mutex_lock(&l->lock);
    snprintf(last, n, "%s", l->last);
    pthread_mutex_unlock(&l->lock);
}
