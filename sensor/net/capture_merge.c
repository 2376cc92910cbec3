/* net/capture_merge.c - all files of a replay as one sequence: a heap of inputs by
 * the time of their next packet, then by number, which is the order of arguments and
 * in a directory that of paths. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/log.h"
#include "net/capture_parts.h"

/* Up to so many stay open after their first packet was looked at. */
enum { KEEP_OPEN = 16, OPEN_MAX_DEFAULT = 256, OPEN_MAX_LEAST = 8 };

static bool earlier(const struct input *a, const struct input *b)
{
    return a->next_ns != b->next_ns ? a->next_ns < b->next_ns : a < b;
}

static void sift_down(struct capture *c, size_t i)
{
    struct input *moving = c->heap[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= c->heap_n)
            break;
        if (child + 1 < c->heap_n && earlier(c->heap[child + 1], c->heap[child]))
            child++;
        if (!earlier(c->heap[child], moving))
            break;
        c->heap[i] = c->heap[child];
        i = child;
    }
    c->heap[i] = moving;
}

static void heap_add(struct capture *c, struct input *in)
{
    size_t i = c->heap_n++;
    for (; i > 0 && earlier(in, c->heap[(i - 1) / 2]); i = (i - 1) / 2)
        c->heap[i] = c->heap[(i - 1) / 2];
    c->heap[i] = in;
}

static void heap_drop_first(struct capture *c)
{
    c->heap[0] = c->heap[--c->heap_n];
    if (c->heap_n > 0)
        sift_down(c, 0);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
    char **at;
    size_t n, cap;
};

static bool add_name(struct names *l, const char *folder, const char *name)
{
    if (l->n == l->cap) {
        size_t cap = l->cap > 0 ? l->cap * 2 : 64;
        char **at = realloc(l->at, cap * sizeof *at);
        if (!at)
            return false;
        l->at = at;
        l->cap = cap;
    }
    bool slash = folder[0] && folder[strlen(folder) - 1] == '/';
    if (asprintf(&l->at[l->n], "%s%s%s", folder, slash ? "" : "/", name) < 0)
        return false;
    l->n++;
    return true;
}

/* Files that cannot be looked at are kept: reading them will say why. */
static bool is_wanted(const char *path)
{
    struct stat s;
    if (stat(path, &s) != 0)
        return errno == EACCES;
    if (!S_ISREG(s.st_mode))
        return false;
    return file_is_capture(path) || errno == EACCES;
}

static void add_folder(struct capture *c, const char *folder, DIR *d)
{
    struct names l = {0};
    size_t before = c->input_n;
    bool room = true;
    for (struct dirent *e; room && (e = readdir(d));)
        if (e->d_name[0] != '.')
            room = add_name(&l, folder, e->d_name);
    if (l.n > 1)
        qsort(l.at, l.n, sizeof *l.at, by_name);
    for (size_t i = 0; i < l.n; i++) {
        errno = 0;
        if (room && is_wanted(l.at[i]))
            room = capture_add_input(c, l.at[i]) != NULL;
        free(l.at[i]);
    }
    free(l.at);
    if (!room)
        capture_fail(c, CAPTURE_FAILED, "no memory");
    else if (c->input_n == before)
        capture_fail(c, CAPTURE_NO_INPUT, "%s: no captures in this directory", folder);
}

static void add_argument(struct capture *c, const char *path)
{
    DIR *d = strcmp(path, "-") == 0 ? NULL : opendir(path);
    if (d) {
        add_folder(c, path, d);
        closedir(d);
    } else if (strcmp(path, "-") != 0 && errno != ENOTDIR) {
        capture_fail(c, capture_status_of(errno), "%s: %s", path, strerror(errno));
    } else if (!capture_add_input(c, path)) {
        capture_fail(c, CAPTURE_FAILED, "no memory");
    }
}

static void set_open_max(struct capture *c)
{
    struct rlimit l;
    c->open_max = OPEN_MAX_DEFAULT;
    if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur / 2 < c->open_max)
        c->open_max = (size_t)(l.rlim_cur / 2);
    if (c->open_max < OPEN_MAX_LEAST)
        c->open_max = OPEN_MAX_LEAST;
}

/* The time of the first packet decides when an input's turn is; false: it has none. */
static bool look_ahead(struct capture *c, struct input *in)
{
    if (!file_open(c, in))
        return false;
    if (!file_next(c, in)) {
        file_close(c, in);
        return false;
    }
    if (!in->once && c->input_n > KEEP_OPEN) {
        uint64_t before = c->bytes_done;
        file_close(c, in);
        c->bytes_done = before; /* it will be read again, from the start */
    }
    return true;
}

/* Usage, permission, a missing file: known before anything is read. Damage is
 * told at the end, unless there is nothing else. */
static bool fatal(const struct capture *c)
{
    return c->status != CAPTURE_OK && c->status != CAPTURE_DATA;
}

bool merge_open(struct capture *c)
{
    set_open_max(c);
    for (size_t i = 0; i < c->conf.file_n && !fatal(c); i++)
        add_argument(c, c->conf.files[i]);
    if (fatal(c))
        return false;
    if (c->input_n == 0) {
        capture_fail(c, CAPTURE_USAGE, "nothing to read");
        return false;
    }
    c->heap = calloc(c->input_n, sizeof(struct input *));
    c->waiting = calloc(c->input_n, sizeof(struct input *));
    if (!c->heap || !c->waiting) {
        capture_fail(c, CAPTURE_FAILED, "no memory");
        return false;
    }
    size_t readable = 0;
    for (size_t i = 0; i < c->input_n && !fatal(c); i++) {
        size_t errors = c->error_n;
        if (look_ahead(c, &c->input[i]))
            heap_add(c, &c->input[i]);
        readable += c->error_n == errors;
    }
    return !fatal(c) && (readable > 0 || c->heap_n > 0);
}

static void end_input(struct capture *c, struct input *in)
{
    if (in->pcap)
        file_close(c, in);
    if (c->waiting_n > 0)
        heap_add(c, c->waiting[--c->waiting_n]);
}

static void deliver(struct capture *c, const struct input *in)
{
    struct raw_packet raw = {.at = {.ns = in->next_ns, .number = in->number},
                             .data = bytes_of(in->data, in->head->caplen),
                             .wire_len = in->head->len,
                             .linktype = in->linktype};
    capture_deliver(c, in, &raw);
}

/* Makes the first input of the heap ready; false: it is not first any more. */
static bool ready(struct capture *c, struct input *in)
{
    if (in->pcap)
        return true;
    if (c->open_n >= c->open_max) {
        if (c->waiting_n == 0)
            log_warn("more than %zu captures overlap in time: their order is not exact",
                     c->open_max);
        heap_drop_first(c);
        c->waiting[c->waiting_n++] = in;
        return false;
    }
    if (file_open(c, in) && file_next(c, in))
        return true;
    heap_drop_first(c);
    end_input(c, in);
    return false;
}

void merge_run(struct capture *c)
{
    while (c->heap_n > 0 && !capture_stopped(c)) {
        struct input *in = c->heap[0];
        if (!ready(c, in))
            continue;
        deliver(c, in);
        if (file_next(c, in)) {
            sift_down(c, 0);
            continue;
        }
        heap_drop_first(c);
        end_input(c, in);
    }
}
