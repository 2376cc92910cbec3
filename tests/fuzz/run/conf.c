/* tests/fuzz/run/conf.c - configuration files and baselines: whatever they hold, an answer and no
 * leak. */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "run/baseline.h"
#include "run/conf.h"
#include "run/conf_file.h"
#include "run/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf conf = {0};
    struct baseline b = {0};
    char path[64];
    int fd = memfd_create("conf", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    log_set_level(LOG_LEVEL_ERROR);
    option_defaults(&conf);
    if (conf_file_read(&conf, path) == 0) {
        int null = memfd_create("dump", MFD_CLOEXEC);

        conf_dump(&conf, null); /* closes nothing: a FILE of its own */
        close(null);
    }
    if (baseline_load(&b, path) == 0) {
        struct endpoint who = {.family = 4};
        struct bytes name = bytes_of(data, size < 64 ? size : 64);

        baseline_origin(&b, name, &who, name);
        baseline_worker(&b, name, &who, name, name);
        baseline_task(&b, name);
        baseline_import(&b, name, name);
        baseline_clear(&b);
    }
    conf_free(&conf);
    close(fd);
    return 0;
}
