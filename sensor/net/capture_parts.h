/* net/capture_parts.h - inside capture only.
 *
 *   capture.c        the public face, filters, errors
 *   capture_file.c   one file: open, next packet, close
 *   capture_merge.c  which files, and their packets in one order
 *   capture_live.c   interfaces */
#ifndef NET_CAPTURE_PARTS_H
#define NET_CAPTURE_PARTS_H

#include <pcap/pcap.h>

#include "net/capture.h"
#include "net/unpack.h"

enum { CAPTURE_TEXT = 512, CAPTURE_WARNINGS = 16, CAPTURE_SNAPLEN = 262144 };

/* A compiled filter, for one link type. */
struct filter {
    int linktype;
    struct bpf_program program;
};

struct input {
    char *path, *name; /* name: within path, or the interface */
    pcap_t *pcap;      /* NULL: not open */
    struct bpf_program *filter;
    int linktype;

    /* files */
    bool once;    /* cannot be read a second time */
    bool counted; /* its size is part of the total */
    struct unpack_state state;
    int64_t next_ns; /* of the packet at hand, or of the first one */
    uint64_t number;
    struct pcap_pkthdr *head;
    const u_char *data;

    /* interfaces */
    int fd;
};

struct capture {
    struct capture_conf conf;
    char *filter_text;
    struct input *input;
    size_t input_n;
    struct filter *filter;
    size_t filter_n;

    struct input **heap; /* files to come, the earliest first */
    size_t heap_n, open_n, open_max;
    struct input **waiting; /* for another to be closed */
    size_t waiting_n;
    uint64_t bytes_done, bytes_total;

    enum capture_status status;
    char error[CAPTURE_TEXT];
    size_t error_n;
    char *warning[CAPTURE_WARNINGS];
    size_t warning_n;

    capture_packet_fn *packet;
    capture_idle_fn *idle;
    void *ctx;
    struct stamp last;
    uint64_t delivered;
    int64_t idle_at; /* monotonic */
    unsigned pulse;
    bool live, stopped;
};

/* capture.c */
__attribute__((format(printf, 3, 4))) void capture_fail(struct capture *c,
                                                        enum capture_status status,
                                                        const char *format, ...);
__attribute__((format(printf, 2, 3))) void capture_warn(struct capture *c, const char *format, ...);
/* The filter for this input's link type, compiled once; false: said why. */
bool capture_filter_for(struct capture *c, struct input *in, pcap_t *pcap);
bool capture_stopped(const struct capture *c); /* by the operator, or by max_packets */
void capture_deliver(struct capture *c, const struct input *in, const struct raw_packet *raw);
/* Calls idle if 100 ms have passed. */
void capture_pulse(struct capture *c, bool now);
enum capture_status capture_status_of(int error_number);
struct input *capture_add_input(struct capture *c, const char *path);

/* capture_file.c: false: an error was noted (open), or no more (next). */
bool file_open(struct capture *c, struct input *in);
bool file_next(struct capture *c, struct input *in);
void file_close(struct capture *c, struct input *in);
/* Does it start like a capture? */
bool file_is_capture(const char *path);

/* capture_merge.c */
bool merge_open(struct capture *c);
void merge_run(struct capture *c);

/* capture_live.c */
bool live_open(struct capture *c);
void live_run(struct capture *c);

#endif
