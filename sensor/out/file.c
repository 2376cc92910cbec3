/* out/file.c - the sink "file:PATH": appends one record a line, mode 0640, and
 * opens the path again on SIGHUP, as those who rotate files want it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "out/lines.h"
#include "out/sinks.h"

struct file {
    struct lines lines;
    char *path;
    bool told;
};

static int open_path(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

static enum sink_error error_of(int number)
{
    return number == EACCES || number == EPERM || number == EROFS ? SINK_DENIED : SINK_CANNOT_WRITE;
}

static void *file_open(const char *url, const struct sink_options *opt, enum sink_error *error,
                       char *err, size_t err_len)
{
    *error = SINK_USAGE;
    if (!*url) {
        snprintf(err, err_len, "file: needs a path (file:/var/log/celeriac.jsonl)");
        return NULL;
    }
    struct file *f = calloc(1, sizeof *f);
    char *path = strdup(url);
    int fd = f && path ? open_path(path) : -1;
    if (fd < 0) {
        *error = f && path ? error_of(errno) : SINK_CANNOT_WRITE;
        snprintf(err, err_len, "%s: %s", url, f && path ? strerror(errno) : "out of memory");
        free(f);
        free(path);
        return NULL;
    }
    f->path = path;
    lines_init(&f->lines, fd, opt);
    *error = SINK_OK;
    return f;
}

static void tell(struct file *f)
{
    if (f->lines.error != 0 && !f->told)
        log_error("%s: %s", f->path, strerror(f->lines.error));
    else if (f->lines.error == 0 && f->told)
        log_info("%s: can be written again", f->path);
    f->told = f->lines.error != 0;
}

static bool file_write(void *self, const struct record *r)
{
    struct file *f = self;
    bool taken = lines_add(&f->lines, r);

    tell(f);
    return taken;
}

static void file_poll(void *self)
{
    struct file *f = self;

    lines_flush(&f->lines);
    tell(f);
}

/* If a line is half out, its rest belongs into the old file. */
static void file_reopen(void *self)
{
    struct file *f = self;

    file_poll(f);
    int fd = open_path(f->path);
    if (fd < 0) {
        log_error("%s: %s; the old file stays in use", f->path, strerror(errno));
        return;
    }
    close(f->lines.fd);
    f->lines.fd = fd;
    f->lines.error = 0;
}

static void file_stats(void *self, struct sink_stats *out)
{
    lines_stats(&((struct file *)self)->lines, out);
}

/* What comes after the last whole line goes again, or the next record would be appended to it. */
static void take_back_half(struct lines *l)
{
    struct stat st;

    if (l->half > 0 && fstat(l->fd, &st) == 0 && S_ISREG(st.st_mode) &&
        (uint64_t)st.st_size >= l->half && ftruncate(l->fd, st.st_size - (off_t)l->half) != 0)
        log_error("file: half a line stays: %s", strerror(errno));
}

static bool file_close(void *self)
{
    struct file *f = self;
    bool whole = lines_finish(&f->lines);

    take_back_half(&f->lines);
    if (close(f->lines.fd) != 0 && errno != EINTR) {
        f->lines.error = errno;
        whole = false;
    }
    tell(f);
    free(f->path);
    free(f);
    return whole;
}

const struct sink sink_file = {
    .scheme = "file",
    .open = file_open,
    .write = file_write,
    .poll = file_poll,
    .reopen = file_reopen,
    .stats = file_stats,
    .close = file_close,
};
