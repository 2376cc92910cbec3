/* streams.c - runs the text files of tests/streams/: the traffic of each case,
 * as written and then cut at every place, against the message log that the file
 * states. Pieces lie in blocks of their own exact size.
 *
 *     test_dissectors_streams [--update] [FILE...]      --update writes what is said into the files
 *
 * Built once with all dissectors, and with STREAMS_ONLY=amqp for one alone (amqp_*.txt,
 * resp_*.txt). */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/dissectors/support/msg_log.h"
#include "tests/dissectors/support/stream_script.h"

#ifdef STREAMS_ONLY
#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)
#define TEXT_(a)    #a
#define TEXT(a)     TEXT_(a)
#define ALL_FILES   TEXT(STREAMS_ONLY) "_*.txt"
static const struct dissector *const subjects[] = {&JOIN(STREAMS_ONLY, _dissector), NULL};
#else
#define subjects  dissectors
#define ALL_FILES "*.txt"
#endif

#define MAX_CUT_BYTES 6000 /* longer streams are cut at 1500 places of their own */

struct run {
    const struct stream_case *c;
    const struct dissector *d;
    void *state;
    FILE *log;
    struct arena *arena;
    struct tally tally;
    struct budget budget;
    uint64_t offset[2];
    bool left;
};

static void on_msg(void *ctx, const struct msg *m)
{
    struct run *r = ctx;

    msg_log(r->log, m);
}

static void feed(struct run *r, const struct chunk *c)
{
    struct dissect_out out = {.arena = r->arena, .tally = &r->tally, .emit = on_msg, .ctx = r};

    if (r->left)
        return;
    r->left = r->d->feed(r->state, c, &out) == DISSECT_LEAVE;
    if (r->left)
        fputs("leave\n", r->log);
    arena_reset(r->arena);
}

static struct chunk chunk_of(const struct run *r, const struct stream_event *e, uint64_t number)
{
    return (struct chunk){.kind = e->kind,
                          .dir = e->dir,
                          .midstream = r->c->midstream,
                          .offset = r->offset[e->dir],
                          .missing = e->missing,
                          .at = {.ns = (int64_t)number, .ordinal = number, .number = number}};
}

/* `first` bytes, then pieces of `step`. */
static void feed_cut(struct run *r, const struct stream_event *e, uint64_t number, size_t first,
                     size_t step)
{
    for (size_t at = 0, n = first; at < e->len; at += n, n = step) {
        struct chunk c = chunk_of(r, e, number);

        n = n < e->len - at ? n : e->len - at;
        uint8_t *own = malloc(n);
        memcpy(own, e->data + at, n);
        c.data = bytes_of(own, n);
        feed(r, &c);
        free(own);
        r->offset[e->dir] += n;
    }
}

/* The case, with the data cut in two before byte `cut` of all (0: nowhere) or,
 * with `step`, into steps. The log, malloc'd. */
static char *run_case(const struct stream_case *c, const struct dissector *d, size_t cut,
                      size_t step)
{
    struct run r = {.c = c, .d = d, .budget = {.limit = 1u << 30}};
    struct dissect_conf conf = c->conf;
    char *text = NULL;
    size_t size = 0, passed = 0;

    conf.budget = &r.budget;
    r.state = calloc(1, d->state_size);
    r.arena = arena_new(16u << 20);
    r.log = open_memstream(&text, &size);
    d->init(r.state, &conf);
    for (size_t i = 0; i < c->n_events; i++) {
        const struct stream_event *e = &c->events[i];

        if (e->kind == CHUNK_DATA) {
            bool here = cut > passed && cut < passed + e->len;
            feed_cut(&r, e, i + 1,
                     step   ? step
                     : here ? cut - passed
                            : e->len,
                     step ? step : e->len);
            passed += e->len;
            continue;
        }
        struct chunk other = chunk_of(&r, e, i + 1);
        feed(&r, &other);
        r.offset[e->dir] += e->missing;
    }
    d->fini(r.state);
    if (r.budget.used != 0)
        fprintf(r.log, "budget: %zu bytes are not given back\n", r.budget.used);
    free(r.state);
    arena_free(r.arena);
    fclose(r.log);
    return text;
}

static bool differs(const struct stream_case *c, const char *what, size_t n, const char *want,
                    char *got)
{
    bool bad = strcmp(want, got) != 0;

    if (bad)
        fprintf(stderr, "FAIL %s (%s %zu)\n--- expected\n%s--- said\n%s", c->name, what, n, want,
                got);
    free(got);
    return bad;
}

static bool cuts_differ(const struct stream_case *c, const struct dissector *d, const char *want)
{
    size_t all = 0;

    for (size_t i = 0; i < c->n_events; i++)
        all += c->events[i].len;
    size_t by = all > MAX_CUT_BYTES ? all / 1500 : 1;
    for (size_t n = 1; n < all; n += by)
        if (differs(c, "cut at", n, want, run_case(c, d, n, 0)))
            return true;
    for (size_t n = 1; n < all; n += n < 64 ? 1 : n / 3)
        if (differs(c, "in steps of", n, want, run_case(c, d, 0, n)))
            return true;
    return false;
}

static const struct dissector *subject(const char *name)
{
    for (const struct dissector *const *d = subjects; *d; d++)
        if (strcmp((*d)->name, name) == 0)
            return *d;
    return NULL;
}

static int check_case(const struct stream_case *c)
{
    const struct dissector *d = subject(c->dissector);

    if (!d)
        return fprintf(stderr, "FAIL %s: no dissector %s\n", c->name, c->dissector) > 0;
    char *said = run_case(c, d, 0, 0);
    bool bad = cuts_differ(c, d, said);
    return differs(c, "whole", 0, c->expected, said) || bad;
}

/* Copies `from`..`to` of the file. */
static void copy_part(FILE *out, FILE *in, long from, long to)
{
    fseek(in, from, SEEK_SET);
    for (long i = from; i != to; i++) {
        int c = fgetc(in);
        if (c == EOF)
            return;
        fputc(c, out);
    }
}

static void update(const char *path, const struct stream_script *s)
{
    char *text = NULL;
    size_t size = 0;
    long done = 0;
    FILE *in = fopen(path, "r"), *out = open_memstream(&text, &size);

    for (size_t i = 0; i < s->n; i++) {
        const struct stream_case *c = &s->cases[i];
        const struct dissector *d = subject(c->dissector);
        if (!d || c->expected_from == 0)
            continue;
        char *said = run_case(c, d, 0, 0);
        copy_part(out, in, done, c->expected_from);
        fputs(said, out);
        done = c->expected_to;
        free(said);
    }
    copy_part(out, in, done, -1);
    fclose(in);
    fclose(out);
    FILE *f = fopen(path, "w");
    if (f && fwrite(text, 1, size, f) == size)
        fclose(f);
    free(text);
}

static int check_file(const char *path, bool rewrite, int *cases)
{
    struct stream_script s;
    int bad = 1;

    if (stream_script_read(&s, path)) {
        bad = 0;
        if (rewrite)
            update(path, &s);
        for (size_t i = 0; i < s.n && !rewrite; i++, ++*cases)
            bad += check_case(&s.cases[i]);
    }
    stream_script_free(&s);
    return bad;
}

int main(int argc, char **argv)
{
    bool rewrite = argc > 1 && strcmp(argv[1], "--update") == 0;
    int bad = 0, cases = 0;
    glob_t found = {0};

    for (int i = rewrite ? 2 : 1; i < argc; i++)
        bad += check_file(argv[i], rewrite, &cases);
    if (argc < (rewrite ? 3 : 2) &&
        glob(SOURCE_DIR "/tests/streams/" ALL_FILES, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            bad += check_file(found.gl_pathv[i], rewrite, &cases);
    globfree(&found);
    printf("%d cases, %d failed\n", cases, bad);
    return bad > 0;
}
