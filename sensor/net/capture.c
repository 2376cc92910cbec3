/* net/capture.c - see capture.h and capture_parts.h. */
#include "net/capture.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include "net/capture_parts.h"

enum { PULSE_MS = 100 };
static const int64_t pulse_ns = PULSE_MS * INT64_C(1000000);

int capture_exit_code(enum capture_status status)
{
    static const int code[] = {
        [CAPTURE_OK] = 0,    [CAPTURE_FAILED] = 1,    [CAPTURE_USAGE] = 64,
        [CAPTURE_DATA] = 65, [CAPTURE_NO_INPUT] = 66, [CAPTURE_PERMISSION] = 77};
    return code[status];
}

enum capture_status capture_status_of(int error_number)
{
    switch (error_number) {
    case EACCES:
    case EPERM: return CAPTURE_PERMISSION;
    case ENOENT:
    case ENOTDIR:
    case ENXIO:
    case ELOOP:
    case ENAMETOOLONG: return CAPTURE_NO_INPUT;
    default: return CAPTURE_FAILED;
    }
}

/* The first error is the one that is told; text of libpcap's may have several lines. */
void capture_fail(struct capture *c, enum capture_status status, const char *format, ...)
{
    if (c->error_n++ > 0)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(c->error, sizeof c->error, format, args);
    va_end(args);
    for (char *at = c->error; *at; at++)
        if ((unsigned char)*at < ' ')
            *at = ' ';
    c->status = status;
}

void capture_warn(struct capture *c, const char *format, ...)
{
    char text[CAPTURE_TEXT];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (c->warning_n == CAPTURE_WARNINGS - 1) /* the last stays NULL */
        return;
    c->warning[c->warning_n] = strdup(text);
    if (c->warning[c->warning_n])
        c->warning_n++;
}

bool capture_filter_for(struct capture *c, struct input *in, pcap_t *pcap)
{
    int linktype = pcap_datalink(pcap);
    in->linktype = linktype;
    in->filter = NULL;
    if (!c->filter_text)
        return true;
    for (size_t i = 0; i < c->filter_n && !in->filter; i++)
        if (c->filter[i].linktype == linktype)
            in->filter = &c->filter[i].program;
    if (in->filter)
        return true;
    struct bpf_program program;
    if (pcap_compile(pcap, &program, c->filter_text, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        const char *type = pcap_datalink_val_to_name(linktype);
        capture_fail(c, CAPTURE_USAGE, "filter '%s' on %s (link type %s): %s", c->filter_text,
                     in->name, type ? type : "unknown", pcap_geterr(pcap));
        return false;
    }
    /* Room for one a link type was made at the start: pointers into it stay good. */
    c->filter[c->filter_n] = (struct filter){.linktype = linktype, .program = program};
    in->filter = &c->filter[c->filter_n++].program;
    return true;
}

void capture_stop(struct capture *c)
{
    c->stopped = true;
}

bool capture_stopped(const struct capture *c)
{
    if (c->stopped || (c->conf.stop && *c->conf.stop))
        return true;
    return c->conf.max_packets > 0 && c->delivered >= c->conf.max_packets;
}

void capture_deliver(struct capture *c, const struct input *in, const struct raw_packet *raw)
{
    struct raw_packet numbered = *raw;
    numbered.at.ordinal = ++c->delivered;
    numbered.at.input = (uint32_t)(in - c->input);
    c->last = numbered.at;
    c->packet(c->ctx, &numbered);
}

static int64_t clock_ns(clockid_t which)
{
    struct timespec t = {0};
    (void)clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void capture_pulse(struct capture *c, bool now)
{
    if (!c->idle || (!now && (++c->pulse & 511) != 0))
        return;
    int64_t monotonic = clock_ns(CLOCK_MONOTONIC);
    if (monotonic - c->idle_at < pulse_ns)
        return;
    c->idle_at = monotonic;
    struct stamp at = c->last;
    if (c->live)
        at.ns = clock_ns(CLOCK_REALTIME);
    c->idle(c->ctx, at);
}

struct input *capture_add_input(struct capture *c, const char *path)
{
    if ((c->input_n & (c->input_n - 1)) == 0) { /* a power of two, or none: full */
        size_t cap = c->input_n > 0 ? c->input_n * 2 : 1;
        struct input *list = realloc(c->input, cap * sizeof *list);
        if (!list)
            return NULL;
        c->input = list;
    }
    struct input *in = &c->input[c->input_n];
    *in = (struct input){.path = strdup(path), .fd = -1};
    if (!in->path)
        return NULL;
    const char *slash = strrchr(in->path, '/');
    in->name = slash && slash[1] ? in->path + (slash - in->path) + 1 : in->path;
    c->input_n++;
    return in;
}

static bool start(struct capture *c)
{
    enum { LINKTYPES = 512 }; /* DLT numbers are below */
    if (c->conf.filter && c->conf.filter[0]) {
        c->filter_text = strdup(c->conf.filter);
        c->filter = calloc(LINKTYPES, sizeof *c->filter);
        if (!c->filter_text || !c->filter) {
            capture_fail(c, CAPTURE_FAILED, "no memory");
            return false;
        }
    }
    c->live = c->conf.interface_n > 0;
    if (c->live && c->conf.file_n > 0) {
        capture_fail(c, CAPTURE_USAGE, "files and interfaces do not go together");
        return false;
    }
    return c->live ? live_open(c) : merge_open(c);
}

struct capture *capture_open(const struct capture_conf *conf, enum capture_status *status,
                             char *error, size_t error_size)
{
    struct capture *c = calloc(1, sizeof *c);
    *status = CAPTURE_OK;
    if (error_size > 0)
        error[0] = '\0';
    if (c) {
        c->conf = *conf;
        if (start(c))
            return c;
    }
    *status = c ? c->status : CAPTURE_FAILED;
    (void)snprintf(error, error_size, "%s", c ? c->error : "no memory");
    capture_close(c);
    return NULL;
}

enum capture_status capture_run(struct capture *c, capture_packet_fn *packet, capture_idle_fn *idle,
                                void *ctx)
{
    c->packet = packet;
    c->idle = idle;
    c->ctx = ctx;
    if (c->live)
        live_run(c);
    else
        merge_run(c);
    return c->status;
}

const char *capture_error(const struct capture *c)
{
    return c->error;
}

size_t capture_error_n(const struct capture *c)
{
    return c->error_n;
}

const char *capture_warning(const struct capture *c, size_t i)
{
    return i < c->warning_n ? c->warning[i] : NULL;
}

const char *capture_input_name(const struct capture *c, uint32_t input)
{
    return input < c->input_n ? c->input[input].name : NULL;
}

size_t capture_input_n(const struct capture *c)
{
    return c->input_n;
}

bool capture_is_live(const struct capture *c)
{
    return c->live;
}

struct capture_progress capture_progress(const struct capture *c)
{
    struct capture_progress p = {.bytes_read = c->bytes_done, .bytes_total = c->bytes_total};
    for (size_t i = 0; !c->live && i < c->input_n && c->open_n > 0; i++)
        if (c->input[i].pcap)
            p.bytes_read += unpack_taken(&c->input[i].state);
    return p;
}

struct capture_stats capture_stats(struct capture *c)
{
    struct capture_stats sum = {0};
    for (size_t i = 0; c->live && i < c->input_n; i++) {
        struct pcap_stat s;
        if (!c->input[i].pcap || pcap_stats(c->input[i].pcap, &s) != 0)
            continue;
        sum.received += s.ps_recv;
        sum.dropped += s.ps_drop;
        sum.if_dropped += s.ps_ifdrop;
    }
    return sum;
}

void capture_close(struct capture *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->input_n; i++) {
        if (c->input[i].pcap)
            pcap_close(c->input[i].pcap);
        unpack_end(&c->input[i].state);
        free(c->input[i].path);
    }
    for (size_t i = 0; i < c->filter_n; i++)
        pcap_freecode(&c->filter[i].program);
    for (size_t i = 0; i < c->warning_n; i++)
        free(c->warning[i]);
    free(c->filter);
    free(c->filter_text);
    free(c->input);
    free(c->heap);
    free(c->waiting);
    free(c);
}

static void print_interface(FILE *out, const pcap_if_t *d)
{
    const char *state = d->flags & PCAP_IF_RUNNING ? "up"
                        : d->flags & PCAP_IF_UP    ? "up, not running"
                                                   : "down";
    fprintf(out, "%-16s %s%s%s%s\n", d->name, state,
            d->flags & PCAP_IF_LOOPBACK ? ", loopback" : "", d->description ? ", " : "",
            d->description ? d->description : "");
}

enum capture_status capture_list_interfaces(FILE *out, char *error, size_t error_size)
{
    char text[PCAP_ERRBUF_SIZE] = "";
    pcap_if_t *all = NULL;
    if (pcap_findalldevs(&all, text) != 0) {
        (void)snprintf(error, error_size, "cannot list interfaces: %s", text);
        return CAPTURE_FAILED;
    }
    for (const pcap_if_t *d = all; d; d = d->next)
        print_interface(out, d);
    pcap_freealldevs(all);
    return CAPTURE_OK;
}
