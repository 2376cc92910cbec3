/* Fuzz: a stored capture, packed or not, through a descriptor of memory. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "net/capture.h"
#include "net/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_packet(void *ctx, const struct raw_packet *raw)
{
    struct packet p;
    uint64_t *last = ctx;
    if (raw->at.ordinal != ++*last || raw->at.input != 0)
        abort();
    (void)decode_frame(raw, &p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[32], error[200];
    const char *file = path;
    uint64_t last = 0;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    /* Small things can unpack to very many packets: enough is enough. */
    struct capture_conf conf = {
        .files = &file, .file_n = 1, .filter = "ip or ip6", .max_packets = 1000};
    enum capture_status status;
    struct capture *c = capture_open(&conf, &status, error, sizeof error);
    if (c) {
        status = capture_run(c, on_packet, NULL, &last);
        if ((status == CAPTURE_OK) != (capture_error(c)[0] == '\0'))
            abort();
    }
    capture_close(c);
    close(fd);
    return 0;
}
