/* tests/fuzz/replay.c - runs a fuzz target over a folder of inputs, without libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In a block of its own exact size, so that a read past the end is seen. */
static int replay(const char *path)
{
    FILE *f = fopen(path, "rb");

    if (!f || fseek(f, 0, SEEK_END) != 0)
        return f ? (fclose(f), 0) : 0;
    long n = ftell(f);
    if (n < 0 || fseek(f, 0, SEEK_SET) != 0)
        return (fclose(f), 0);
    uint8_t *data = malloc(n > 0 ? (size_t)n : 1);
    int ok = data && fread(data, 1, (size_t)n, f) == (size_t)n;

    fclose(f);
    if (ok)
        LLVMFuzzerTestOneInput(data, (size_t)n);
    free(data);
    return ok;
}

int main(int argc, char **argv)
{
    unsigned done = 0;

    for (int i = 1; i < argc; i++) {
        DIR *d = opendir(argv[i]);

        if (!d) {
            done += (unsigned)replay(argv[i]);
            continue;
        }
        for (struct dirent *e; (e = readdir(d));) {
            char path[4096];

            if (e->d_name[0] == '.')
                continue;
            snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name);
            done += (unsigned)replay(path);
        }
        closedir(d);
    }
    printf("%u inputs replayed\n", done);
    if (done == 0)
        printf("SKIP: no corpus\n");
    return done > 0 ? 0 : 77;
}
