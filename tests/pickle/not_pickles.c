/* Bytes that are no pickles, of the kinds that brokers carry, by the hundred thousand: none may be
 * accused of anything. Only tiny data values that are complete pickles may pass, as data.
 * PICKLE_SAMPLES: how many of each kind (default 20000). */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include <cmocka.h>

#include "signatures/pickle/pickle.h"

#define ROOM 1024u

struct source {
    uint64_t state;
    uint8_t room[ROOM * 2];
};

static uint32_t draw(struct source *s, uint32_t below)
{
    s->state = s->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(s->state >> 33) % below;
}

static size_t random_bytes(struct source *s, uint8_t *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        at[i] = (uint8_t)draw(s, 256);
    return n;
}

static struct bytes noise(struct source *s)
{
    return bytes_of(s->room, random_bytes(s, s->room, 16 + draw(s, 497)));
}

static struct bytes words(struct source *s)
{
    static const char *const list[] = {
        "count", "In",     "the",     "class", "N.",      "cos",     "system", "I",
        "Kind",  "(see",   "below).", "value", "error:",  "0.5",     "1.",     "import",
        "os\n",  "(done)", "Job",     "Lost",  "Value\n", "cache\n", "end.\n", "builtins"};
    size_t n = 0;

    for (uint32_t k = 1 + draw(s, 40); k > 0 && n < ROOM - 16; k--)
        n += (size_t)snprintf((char *)s->room + n, 16, "%s%s",
                              list[draw(s, sizeof list / sizeof *list)], draw(s, 8) ? " " : "\n");
    return bytes_of(s->room, n);
}

static struct bytes json(struct source *s)
{
    int n = snprintf((char *)s->room, ROOM,
                     "[[%u, \"x%u\"], {\"a\": %u.5}, {\"callbacks\": null, \"errbacks\": null, "
                     "\"chain\": null}]",
                     draw(s, 1000), draw(s, 1000), draw(s, 1000));
    return bytes_of(s->room, (size_t)n);
}

static struct bytes base64_of_noise(struct source *s)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = 4 * (1 + draw(s, 100));

    for (size_t i = 0; i < n; i++)
        s->room[i] = (uint8_t)letters[draw(s, 64)];
    return bytes_of(s->room, n);
}

static struct bytes deflated(struct source *s)
{
    uint8_t plain[512];
    uLongf n = ROOM;

    random_bytes(s, plain, sizeof plain / 2);
    memset(plain + sizeof plain / 2, 'a', sizeof plain / 2);
    assert_int_equal(compress(s->room, &n, plain, 1 + draw(s, sizeof plain)), Z_OK);
    return bytes_of(s->room, n);
}

/* fixarray, fixmap, str, ints: what Celery's msgpack begins with. */
static struct bytes msgpack(struct source *s)
{
    size_t n = 0;

    s->room[n++] = 0x93;
    s->room[n++] = (uint8_t)(0x90 + draw(s, 4));
    for (uint32_t k = draw(s, 20); k > 0; k--) {
        uint32_t len = draw(s, 12);
        s->room[n++] = (uint8_t)(draw(s, 2) ? 0xa0 + len : 0x80 + draw(s, 4));
        for (uint32_t i = 0; i < len; i++)
            s->room[n++] = (uint8_t)('a' + draw(s, 26));
        s->room[n++] = (uint8_t)draw(s, 128);
    }
    return bytes_of(s->room, n);
}

static struct bytes tiny(struct source *s)
{
    static const char alphabet[] = "0123456789.,-:NIKLJM()]}tleEadsuOK\n\0\x01";
    size_t n = draw(s, 9);

    for (size_t i = 0; i < n; i++)
        s->room[i] = (uint8_t)alphabet[draw(s, sizeof alphabet - 1)];
    return bytes_of(s->room, n);
}

static struct bytes after_magic(struct source *s)
{
    s->room[0] = 0x80;
    s->room[1] = (uint8_t)draw(s, 6);
    return bytes_of(s->room, 2 + random_bytes(s, s->room + 2, draw(s, 200)));
}

/* An ELF image's own bytes: zlib's code. (This program's has the pickles of the other tests in it.)
 */
static struct bytes code(struct source *s)
{
    static uint8_t image[1u << 20];
    static size_t size;

    if (size == 0) {
        Dl_info library = {0};
        FILE *f = dladdr((void *)(uintptr_t)compress, &library) && library.dli_fname
                      ? fopen(library.dli_fname, "rb")
                      : NULL;
        size = f ? fread(image, 1, sizeof image, f) : 0;
        if (f)
            fclose(f);
        assert_true(size > 2048);
    }
    return bytes_of(image + draw(s, (uint32_t)size - 600), 16 + draw(s, 500));
}

struct kind {
    const char *name;
    struct bytes (*make)(struct source *s);
    enum pickle_verdict at_most;
};

static void test_no_false_accusation(void **state)
{
    static const struct kind kinds[] = {
        {"noise", noise, PICKLE_NOT},
        {"words", words, PICKLE_NOT},
        {"json", json, PICKLE_NOT},
        {"base64", base64_of_noise, PICKLE_NOT},
        {"zlib", deflated, PICKLE_NOT},
        {"msgpack", msgpack, PICKLE_NOT},
        {"tiny", tiny,
         PICKLE_DATA}, /* noise behind a magic may declare a length, and is a bomb then */
        {"magic", after_magic, PICKLE_SUSPICIOUS},
        {"code", code, PICKLE_NOT},
    };
    const char *samples = getenv("PICKLE_SAMPLES");
    struct pickle *p = pickle_new(NULL);
    struct source s = {.state = 1};
    struct pickle_found found;
    unsigned wrong = 0;

    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (int i = samples ? atoi(samples) : 20000; i > 0; i--) {
            struct bytes b = kinds[k].make(&s);
            enum pickle_verdict v = pickle_judge(p, b, PICKLE_SEEN, PICKLE_WHOLE)->verdict;
            wrong += v > kinds[k].at_most;
            if (v > kinds[k].at_most && wrong < 10) {
                fprintf(stderr, "%s: %s:", kinds[k].name, pickle_verdict_name(v));
                for (size_t n = 0; n < b.len && n < 80; n++)
                    fprintf(stderr, " %02x", b.at[n]);
                fputc('\n', stderr);
            }
            if (pickle_find_in_text(p, b, &found) && wrong++ < 10)
                fprintf(stderr, "%s: found %s: %.*s\n", kinds[k].name, found.path, (int)found.len,
                        (const char *)b.at + found.at);
        }
    }
    pickle_free(p);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_false_accusation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
