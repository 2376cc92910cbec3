/* scripts/bench-pickle.c - how fast the pickle machine is. Built and run by scripts/bench-pickle.
 *
 * usage: bench-pickle FILE...   each a series of u32 length + pickle, judged over and over for a
 * second; prints megabytes and messages a second. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "signatures/pickle/pickle.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct bytes read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *at = NULL;
    long n = -1;

    if (f && fseek(f, 0, SEEK_END) == 0 && (n = ftell(f)) > 0 && fseek(f, 0, SEEK_SET) == 0) {
        at = malloc((size_t)n);
        if (!at || fread(at, 1, (size_t)n, f) != (size_t)n)
            n = -1;
    }
    if (f)
        fclose(f);
    return bytes_of(at, n > 0 ? (size_t)n : 0);
}

/* Once through the file; bytes and messages are added. */
static void pass(struct pickle *p, struct bytes all, uint64_t *bytes, uint64_t *messages,
                 unsigned *worst)
{
    while (all.len >= 4) {
        struct bytes head = bytes_cut(&all, 4);
        size_t n = (size_t)head.at[0] | (size_t)head.at[1] << 8 | (size_t)head.at[2] << 16 |
                   (size_t)head.at[3] << 24;
        struct bytes one = bytes_cut(&all, n);
        const struct pickle_result *r = pickle_judge(p, one, PICKLE_DECLARED, PICKLE_WHOLE);
        *worst = r->verdict > *worst ? r->verdict : *worst;
        *bytes += one.len;
        ++*messages;
    }
}

int main(int argc, char **argv)
{
    struct pickle *p = pickle_new(NULL);

    for (int i = 1; i < argc && p; i++) {
        struct bytes all = read_file(argv[i]);
        uint64_t bytes = 0, messages = 0;
        unsigned worst = 0;
        double begin = now(), seconds = 0;

        if (all.len == 0)
            return 66;
        for (; seconds < 1.0; seconds = now() - begin)
            pass(p, all, &bytes, &messages, &worst);
        printf("%s\t%.1f MB/s\t%.0f messages/s\t%s\t%zu KiB\n", argv[i],
               (double)bytes / seconds / 1e6, (double)messages / seconds,
               pickle_verdict_name((enum pickle_verdict)worst), pickle_memory(p) >> 10);
        free((void *)(uintptr_t)all.at);
    }
    pickle_free(p);
    return p ? 0 : 1;
}
