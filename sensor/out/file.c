/* out/file.c - the sink "file:PATH": appends one record a line, mode 0640, and
 * opens the path again on SIGHUP, as those who rotate files want it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

/* A file that is ours becomes his who writes it later: he can then open it again, and whoever
 * rotates files has to make the new one for him too. */
static void give(int fd, const char *path, const struct sink_options *opt)
{
    struct stat st;

    if (!opt->changes_user || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
        st.st_uid != geteuid() || st.st_uid == opt->uid)
        return;
    if (fchown(fd, opt->uid, opt->gid) != 0)
        log_warn("%s: its owner cannot be changed: %s", path, strerror(errno));
}

/* The folder that `path` is in, in `to`. */
static const char *folder_of(const char *path, char *to, size_t size)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return ".";
    snprintf(to, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    return to;
}

static void file_settled(void *self)
{
    const struct file *f = self;
    char folder[PATH_MAX];
    struct stat st;

    if (fstat(f->lines.fd, &st) != 0 || !S_ISREG(st.st_mode))
        return;
    if (faccessat(AT_FDCWD, folder_of(f->path, folder, sizeof folder), W_OK | X_OK, AT_EACCESS) !=
        0)
        log_warn("%s: the user of -u cannot make files there: after SIGHUP it is opened only if "
                 "it was made for that user (logrotate: create)",
                 f->path);
    else if (faccessat(AT_FDCWD, f->path, W_OK, AT_EACCESS) != 0)
        log_warn("%s: the user of -u cannot open it again: after SIGHUP the old file stays in use",
                 f->path);
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
    give(fd, path, opt);
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
    .settled = file_settled,
    .stats = file_stats,
    .close = file_close,
};
