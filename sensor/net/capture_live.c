/* net/capture_live.c - interfaces. All are polled together; libpcap's ring of the
 * kernel is emptied in turns, so that none starves. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "net/capture_parts.h"

enum { WAIT_MS = 100, TURN_PACKETS = 256, BUFFER_BYTES = 32 << 20 };

static enum capture_status status_of(int said)
{
    switch (said) {
    case PCAP_ERROR_NO_SUCH_DEVICE: return CAPTURE_NO_INPUT;
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED: return CAPTURE_PERMISSION;
    default: return CAPTURE_FAILED;
    }
}

static void set_options(const struct capture *c, pcap_t *p)
{
    const struct capture_conf *conf = &c->conf;
    (void)pcap_set_snaplen(p, conf->snaplen > 0 ? conf->snaplen : CAPTURE_SNAPLEN);
    (void)pcap_set_promisc(p, !conf->no_promisc);
    (void)pcap_set_timeout(p, WAIT_MS); /* a full block or this long: few wake-ups */
    (void)pcap_set_buffer_size(p, conf->buffer_bytes > 0 ? conf->buffer_bytes : BUFFER_BYTES);
    (void)pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
}

/* libpcap explains some of its codes in pcap_geterr(), and some not. */
static const char *reason(pcap_t *p, int said)
{
    const char *text = pcap_geterr(p);
    return text && text[0] ? text : pcap_statustostr(said);
}

static bool activate(struct capture *c, struct input *in)
{
    int said = pcap_activate(in->pcap);
    if (said < 0) {
        capture_fail(c, status_of(said), "interface %s: %s", in->name, reason(in->pcap, said));
        return false;
    }
    if (said > 0)
        capture_warn(c, "interface %s: %s", in->name, reason(in->pcap, said));
    return true;
}

static bool open_interface(struct capture *c, struct input *in)
{
    char text[PCAP_ERRBUF_SIZE] = "";
    in->pcap = pcap_create(in->path, text);
    if (!in->pcap) {
        capture_fail(c, CAPTURE_FAILED, "interface %s: %s", in->path, text);
        return false;
    }
    set_options(c, in->pcap);
    if (!activate(c, in) || !capture_filter_for(c, in, in->pcap))
        return false;
    if ((in->filter && pcap_setfilter(in->pcap, in->filter) != 0) ||
        pcap_setnonblock(in->pcap, 1, text) != 0) {
        capture_fail(c, CAPTURE_FAILED, "interface %s: %s", in->name, pcap_geterr(in->pcap));
        return false;
    }
    in->fd = pcap_get_selectable_fd(in->pcap);
    return true;
}

bool live_open(struct capture *c)
{
    for (size_t i = 0; i < c->conf.interface_n; i++) {
        struct input *in = capture_add_input(c, c->conf.interfaces[i]);
        if (!in) {
            capture_fail(c, CAPTURE_FAILED, "no memory");
            return false;
        }
        in->name = in->path;
        if (!open_interface(c, in))
            return false;
    }
    return true;
}

struct turn {
    struct capture *c;
    struct input *in;
    int64_t unit; /* nanoseconds of tv_usec */
};

static void on_packet(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
    struct turn *t = (struct turn *)(void *)user;
    struct raw_packet raw = {
        .at = {.ns = (int64_t)h->ts.tv_sec * 1000000000 + (int64_t)h->ts.tv_usec * t->unit,
               .number = ++t->in->number},
        .data = bytes_of(data, h->caplen),
        .wire_len = h->len,
        .linktype = t->in->linktype};
    if (!capture_stopped(t->c))
        capture_deliver(t->c, t->in, &raw);
    if (capture_stopped(t->c))
        pcap_breakloop(t->in->pcap);
}

/* false: the interface is gone. *busy: there may be more. */
static bool take_turn(struct capture *c, struct input *in, bool *busy)
{
    bool nano = pcap_get_tstamp_precision(in->pcap) == PCAP_TSTAMP_PRECISION_NANO;
    struct turn t = {.c = c, .in = in, .unit = nano ? 1 : 1000};
    int said = pcap_dispatch(in->pcap, TURN_PACKETS, on_packet, (u_char *)&t);
    if (said < 0 && said != PCAP_ERROR_BREAK) {
        capture_fail(c, CAPTURE_FAILED, "interface %s: %s", in->name, reason(in->pcap, said));
        return false;
    }
    *busy = *busy || said > 0;
    return true;
}

static bool round_of_turns(struct capture *c, bool *busy)
{
    *busy = false;
    for (size_t i = 0; i < c->input_n && !capture_stopped(c); i++)
        if (!take_turn(c, &c->input[i], busy))
            return false;
    return true;
}

static int wait_ms(const struct capture *c)
{
    int ms = WAIT_MS;
    for (size_t i = 0; i < c->input_n; i++)
        if (c->input[i].fd < 0)
            ms = 10; /* cannot be waited for */
    return ms;
}

void live_run(struct capture *c)
{
    struct pollfd *fds = calloc(c->input_n, sizeof *fds);
    int ms = wait_ms(c);
    bool busy = true;
    if (!fds) {
        capture_fail(c, CAPTURE_FAILED, "no memory");
        return;
    }
    for (size_t i = 0; i < c->input_n; i++)
        fds[i] = (struct pollfd){.fd = c->input[i].fd, .events = POLLIN};
    while (!capture_stopped(c)) {
        if (!busy)
            (void)poll(fds, (nfds_t)c->input_n, ms); /* whatever it says, libpcap says better */
        if (!round_of_turns(c, &busy))
            break;
        capture_pulse(c, true);
    }
    free(fds);
}
