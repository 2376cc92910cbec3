/* net/capture.h - packets from files or interfaces, through libpcap.
 *
 * Files: pcap and pcapng, micro- and nanosecond, either byte order, plain or
 * compressed (gzip, xz, zstd, lz4, by magic), "-" for standard input, or a
 * directory: all captures in it, no hidden files, not those below it; what is
 * no capture there is passed over. All inputs of one replay are merged by
 * packet time, then by order of arguments, then by path.
 *
 * A file is open only while packets of its time are wanted: at the start each is
 * opened for its first packet's time and closed again, unless it can be read only
 * once (standard input, a pipe). So a directory of thousands of rotated files is fine. If more
 * than half the process's limit of open files overlap in time, the latest wait
 * for another to end, and a warning says that the order is then no longer exact.
 *
 * stamp.ordinal counts from 1 what is delivered; stamp.number from 1 in its
 * input before the filter (live: what the filter in the kernel let through). */
#ifndef NET_CAPTURE_H
#define NET_CAPTURE_H

#include <signal.h>
#include <stdio.h>

#include "net/packet.h"

enum capture_status { /* and the exit code of the contract */
                      CAPTURE_OK,
                      CAPTURE_FAILED,     /* 1: an interface went away, no memory */
                      CAPTURE_USAGE,      /* 64: the filter */
                      CAPTURE_DATA,       /* 65: not a capture, or damaged */
                      CAPTURE_NO_INPUT,   /* 66: no such file or interface */
                      CAPTURE_PERMISSION, /* 77 */
};

struct capture_conf {
    const char *const *files; /* or interfaces, not both */
    size_t file_n;
    const char *const *interfaces;
    size_t interface_n;
    const char *filter;   /* NULL or "": all */
    uint64_t max_packets; /* 0: no limit; after the filter */
    int snaplen;          /* live; 0: 262144 */
    int buffer_bytes;     /* live, for each interface; 0: 32 MiB */
    bool no_promisc;
    const volatile sig_atomic_t *stop; /* NULL, or: set to end soon; looked at for each packet and
                                          at least every 100 ms */
};

/* The packet is good until the function returns. */
typedef void capture_packet_fn(void *ctx, const struct raw_packet *raw);
/* Called about every 100 ms, live also when no packet comes. `now`: live the
 * machine's clock, offline the last packet's time; ordinal is the last one given. */
typedef void capture_idle_fn(void *ctx, struct stamp now);

struct capture_progress {
    uint64_t bytes_read, bytes_total; /* as stored; total 0: unknown (live, pipes) */
};

struct capture_stats { /* live, over all interfaces since the start */
    uint64_t received, dropped, if_dropped;
};

struct capture;

/* Opens everything that can fail at the start: every file's header and first
 * packet, every interface, the filter for every link type. On failure NULL, *status says why and
 * `error` in one line (without the program's name, no newline). A damaged file among several is no
 * failure here: the others are read. */
struct capture *capture_open(const struct capture_conf *conf, enum capture_status *status,
                             char *error, size_t error_size);

/* Runs to the end of the files, to max_packets, or until *stop (all CAPTURE_OK).
 * On damage everything readable is delivered first. `idle` may be NULL. */
enum capture_status capture_run(struct capture *c, capture_packet_fn *packet, capture_idle_fn *idle,
                                void *ctx);

/* Ends the run soon, as *stop does; from the callbacks. */
void capture_stop(struct capture *c);

/* One line about the first thing that went wrong, "" if nothing did, and how
 * many things did. */
const char *capture_error(const struct capture *c);
size_t capture_error_n(const struct capture *c);
/* Remarks of the start (for instance: no promiscuous mode), NULL after the last. */
const char *capture_warning(const struct capture *c, size_t i);

/* Base name of a file, "-" for standard input, or the interface; for
 * stamp.input. NULL: no such input. Strings live as long as the capture. */
const char *capture_input_name(const struct capture *c, uint32_t input);
size_t capture_input_n(const struct capture *c);
bool capture_is_live(const struct capture *c);

/* From the capturing thread, in the callbacks too. */
struct capture_progress capture_progress(const struct capture *c);
struct capture_stats capture_stats(struct capture *c);

void capture_close(struct capture *c);

/* What -D prints, a line each. */
enum capture_status capture_list_interfaces(FILE *out, char *error, size_t error_size);

/* 0, 1, 64, 65, 66 or 77. */
int capture_exit_code(enum capture_status status);

#endif
