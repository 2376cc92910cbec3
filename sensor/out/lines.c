/* out/lines.c - see lines.h. */
#include "out/lines.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    FLUSH_AT = 64 << 10,
    OFFLINE_LIMIT = 1 << 20, /* only ever reached when writing fails */
    PIPE_PIECE = 4096,       /* PIPE_BUF: a pipe that is ready takes so much without waiting */
    FINISH_S = 10,
};

void lines_init(struct lines *l, int fd, const struct sink_options *opt)
{
    size_t queue = opt->queue_bytes > 0 ? opt->queue_bytes : SINK_QUEUE_BYTES;

    *l = (struct lines){.fd = fd, .live = opt->live};
    l->limit = opt->live ? queue : OFFLINE_LIMIT;
}

static size_t left(const struct lines *l)
{
    return l->waiting.len - l->written_to;
}

static void forget_written(struct lines *l)
{
    size_t n = left(l);

    if (n == 0) {
        l->stats.written += l->records;
        l->records = 0;
        l->waiting.len = l->written_to = 0;
    } else if (l->written_to > l->waiting.len / 2) {
        memmove(l->waiting.at, l->waiting.at + l->written_to, n);
        l->waiting.len = n;
        l->written_to = 0;
    }
}

static bool ready(const struct lines *l)
{
    struct pollfd p = {.fd = l->fd, .events = POLLOUT};

    return poll(&p, 1, 0) > 0;
}

/* The next n bytes are out. */
static void note_written(struct lines *l, size_t n)
{
    const char *from = l->waiting.at + l->written_to, *end = memrchr(from, '\n', n);

    l->half = end ? (size_t)(from + n - end) - 1 : l->half + n;
    l->written_to += n;
}

bool lines_flush(struct lines *l)
{
    while (left(l) > 0) {
        size_t n = left(l);
        if (l->live && !ready(l))
            break;
        if (l->live && n > PIPE_PIECE)
            n = PIPE_PIECE;
        ssize_t done = write(l->fd, l->waiting.at + l->written_to, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && !l->live) {
            struct pollfd p = {.fd = l->fd, .events = POLLOUT};
            poll(&p, 1, 1000);
            continue;
        }
        l->error = done < 0 && errno != EAGAIN && errno != EWOULDBLOCK ? errno : 0;
        if (done <= 0)
            break;
        note_written(l, (size_t)done);
    }
    forget_written(l);
    return l->error == 0;
}

static bool lose(struct lines *l, const struct record *r)
{
    l->stats.lost++;
    l->stats.lost_bytes += r->text.len + 1;
    return false;
}

static bool fits(const struct lines *l, const struct record *r)
{
    size_t limit = l->live ? l->limit / 256 * sink_share(r) : l->limit;

    return left(l) + r->text.len + 1 <= limit || left(l) == 0;
}

bool lines_add(struct lines *l, const struct record *r)
{
    if (!fits(l, r)) {
        lines_flush(l);
        if (!fits(l, r))
            return lose(l, r);
    }
    if (!text_room(&l->waiting, r->text.len + 1)) {
        l->waiting.bad = false;
        return lose(l, r);
    }
    text_put(&l->waiting, (const char *)r->text.at, r->text.len);
    TEXT_LITERAL(&l->waiting, "\n");
    l->records++;
    if (left(l) >= FLUSH_AT && l->error == 0)
        lines_flush(l);
    return true;
}

void lines_stats(const struct lines *l, struct sink_stats *out)
{
    *out = l->stats;
    out->waiting_bytes = left(l);
    /* a disk has room again some day, a reader that has gone does not come back */
    out->broken = l->error != 0 && (!l->live || l->error == EPIPE);
}

/* Lines that never went out: those whose newline is still here. */
static void lose_rest(struct lines *l)
{
    uint64_t n = 0;

    for (size_t i = l->written_to; i < l->waiting.len; i++)
        n += l->waiting.at[i] == '\n';
    l->stats.written += l->records - n;
    l->stats.lost += n;
    l->stats.lost_bytes += left(l);
}

bool lines_finish(struct lines *l)
{
    struct timespec start, now;

    clock_gettime(CLOCK_MONOTONIC, &start);
    while (lines_flush(l) && left(l) > 0) {
        struct pollfd p = {.fd = l->fd, .events = POLLOUT};
        poll(&p, 1, 100);
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec - start.tv_sec >= FINISH_S)
            break;
    }
    if (left(l) > 0)
        lose_rest(l);
    text_free(&l->waiting);
    l->written_to = 0;
    return l->stats.lost == 0;
}
