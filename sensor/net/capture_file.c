/* net/capture_file.c - one stored capture, read by libpcap from a stream that
 * unpacks it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/capture_parts.h"

enum { STREAM_BUFFER = 256 << 10, SNIFF_BUFFER = 4096 };

/* Seconds beyond which nanoseconds leave 64 bits: a damaged time stamp. */
#define SECONDS_MAX INT64_C(9000000000)

static int open_path(struct capture *c, struct input *in)
{
    if (strcmp(in->path, "-") == 0) {
        in->once = true;
        return STDIN_FILENO;
    }
    int fd = open(in->path, O_RDONLY | O_CLOEXEC);
    struct stat s = {0};
    if (fd < 0 || fstat(fd, &s) != 0) {
        capture_fail(c, capture_status_of(errno), "%s: %s", in->path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    in->once = !S_ISREG(s.st_mode);
    if (!in->once && !in->counted)
        c->bytes_total += (uint64_t)s.st_size;
    in->counted = true;
    return fd;
}

/* What went wrong: the stream knows better than libpcap, which only sees it end. */
static const char *cause(const struct input *in, const char *libpcap)
{
    return in->state.error[0] ? in->state.error : libpcap;
}

/* Of a silent pipe: the operator may stop us, or ask something, all the same. */
static bool waiting(void *ctx)
{
    struct capture *c = ctx;

    capture_pulse(c, true);
    return !capture_stopped(c);
}

bool file_open(struct capture *c, struct input *in)
{
    char text[PCAP_ERRBUF_SIZE] = "";
    int fd = open_path(c, in);
    if (fd < 0)
        return false;
    in->state.wait = waiting;
    in->state.ctx = c;
    FILE *f = unpack_open(fd, STREAM_BUFFER, &in->state);
    if (!f) {
        capture_fail(c, CAPTURE_FAILED, "no memory");
        return false;
    }
    in->pcap = pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_NANO, text);
    if (!in->pcap) {
        capture_fail(c, CAPTURE_DATA, "%s: not a capture: %s", in->path, cause(in, text));
        fclose(f);
        unpack_end(&in->state);
        return false;
    }
    c->open_n++;
    in->number = 0;
    if (capture_filter_for(c, in, in->pcap))
        return true;
    file_close(c, in);
    return false;
}

void file_close(struct capture *c, struct input *in)
{
    c->bytes_done += unpack_taken(&in->state);
    pcap_close(in->pcap); /* and the stream */
    unpack_end(&in->state);
    in->pcap = NULL;
    in->head = NULL;
    c->open_n--;
}

static int64_t packet_ns(const struct pcap_pkthdr *h)
{
    int64_t s = h->ts.tv_sec;
    if (s > SECONDS_MAX)
        s = SECONDS_MAX;
    if (s < -SECONDS_MAX)
        s = -SECONDS_MAX;
    return s * 1000000000 + (int64_t)h->ts.tv_usec % 1000000000;
}

static void damaged(struct capture *c, const struct input *in)
{
    if (capture_stopped(c))
        return;
    int64_t at = ftello(pcap_file(in->pcap));
    capture_fail(c, CAPTURE_DATA,
                 "%s: damaged behind packet %" PRIu64 ", before byte %" PRId64 ": %s", in->path,
                 in->number, at, cause(in, pcap_geterr(in->pcap)));
}

/* The next packet that the filter lets through, into in->head and in->data. */
bool file_next(struct capture *c, struct input *in)
{
    while (!capture_stopped(c)) {
        int said = pcap_next_ex(in->pcap, &in->head, &in->data);
        if (said != 1) {
            if (said == PCAP_ERROR || in->state.error[0])
                damaged(c, in);
            return false;
        }
        in->number++;
        capture_pulse(c, false);
        if (in->filter && pcap_offline_filter(in->filter, in->head, in->data) == 0)
            continue;
        in->next_ns = packet_ns(in->head);
        return true;
    }
    return false;
}

/* https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html 4, draft-ietf-opsawg-pcapng 4.1,
 * and the "modified" format that libpcap reads too (libpcap:sf-pcap.c:pcap_check_header). */
static bool is_magic(const uint8_t at[4])
{
    static const uint8_t magic[][4] = {{0xa1, 0xb2, 0xc3, 0xd4}, {0xd4, 0xc3, 0xb2, 0xa1},
                                       {0xa1, 0xb2, 0x3c, 0x4d}, {0x4d, 0x3c, 0xb2, 0xa1},
                                       {0xa1, 0xb2, 0xcd, 0x34}, {0x34, 0xcd, 0xb2, 0xa1},
                                       {0x0a, 0x0d, 0x0d, 0x0a}};
    for (size_t i = 0; i < sizeof magic / sizeof *magic; i++)
        if (memcmp(at, magic[i], 4) == 0)
            return true;
    return false;
}

bool file_is_capture(const char *path)
{
    struct unpack_state state = {0};
    uint8_t head[4];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    FILE *f = fd >= 0 ? unpack_open(fd, SNIFF_BUFFER, &state) : NULL;
    if (!f)
        return false;
    bool is = fread(head, 1, sizeof head, f) == sizeof head && is_magic(head);
    fclose(f);
    unpack_end(&state);
    return is;
}
