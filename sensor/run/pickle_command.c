#include "run/pickle_command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "dissectors/content/base64.h"
#include "dissectors/content/codecs.h"
#include "run/pickle_text.h"

#define KEPT_MAX (256u << 20) /* of a file; what follows is judged, and not shown */

struct command {
    struct pickle *machine;
    bool json, output_failed, unreadable;
};

struct whole {
    uint8_t *at;
    size_t used, cap;
    uint64_t size;
};

static bool keep(struct whole *w, struct bytes piece)
{
    w->size += piece.len;
    piece = bytes_head(piece, KEPT_MAX - w->used);
    if (w->used + piece.len > w->cap) {
        size_t cap = w->cap ? w->cap * 2 : 1u << 16;
        uint8_t *more;
        while (cap < w->used + piece.len)
            cap *= 2;
        more = realloc(w->at, cap);
        if (!more)
            return false;
        w->at = more;
        w->cap = cap;
    }
    if (piece.len > 0)
        memcpy(w->at + w->used, piece.at, piece.len);
    w->used += piece.len;
    return true;
}

/* The whole of a file goes through the machine as it is read. */
static bool read_all(int fd, struct pickle *machine, struct whole *w)
{
    static const size_t step = 1u << 18;
    uint8_t *buffer = malloc(step);
    ssize_t n = buffer ? 1 : -1;

    while (n > 0) {
        n = read(fd, buffer, step);
        if (n < 0 && errno == EINTR) {
            n = 1;
            continue;
        }
        if (n > 0) {
            pickle_feed(machine, bytes_of(buffer, (size_t)n));
            if (!keep(w, bytes_of(buffer, (size_t)n)))
                n = -1;
        }
    }
    free(buffer);
    return n == 0;
}

static void describe(const struct content *c, char *path, size_t room)
{
    size_t n = 0;

    for (unsigned i = 1; i < c->n_parts; i++)
        n += (size_t)snprintf(path + n, n < room ? room - n : 0, "%s%s", i > 1 ? " -> " : "",
                              coding_name(c->parts[i].from));
}

static bool blank(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Is all of it base64, line breaks apart? A look at the head is enough: the decoder is lax. */
static bool is_base64(struct bytes b)
{
    uint8_t head[256];
    size_t n = 0;

    for (size_t i = 0; i < b.len && n < sizeof head; i++)
        if (!blank(b.at[i]))
            head[n++] = b.at[i] == '-' ? '+' : b.at[i] == '_' ? '/' : b.at[i];
    while (n > 0 && head[n - 1] == '=')
        n--;
    return n >= 4 && base64_is_text(bytes_of(head, n));
}

/* Bytes that are no pickle themselves may be one in base64, compressed, or both. */
static bool judge_unwrapped(struct command *c, struct bytes all, struct arena *arena,
                            struct pickle_report *r)
{
    const struct content_limits limits = {LIMIT_UNWRAP_KEPT * 8, LIMIT_UNWRAP_TOTAL,
                                          LIMIT_UNWRAP_RATIO, LIMIT_UNWRAP_DEPTH};
    struct tally tally = {0};

    for (int as_base64 = 0; as_base64 < 2; as_base64++) {
        struct content content = {.body = all, .wire_len = all.len, .base64 = as_base64};
        if (as_base64 && !is_base64(all))
            continue;
        content_unwrap(&content, arena, &limits, &tally);
        if (content.n_parts < 2)
            continue;
        struct bytes inner = content_inner(&content);
        r->result = pickle_judge(c->machine, inner, PICKLE_SEEN,
                                 content.limit ? PICKLE_CLIPPED : PICKLE_WHOLE);
        r->pickle = inner;
        describe(&content, r->path, sizeof r->path);
        if (r->result->is_pickle)
            return true;
        r->path[0] = '\0';
    }
    return false;
}

static void report(struct command *c, const struct pickle_report *r)
{
    if (c->json)
        c->output_failed |= !pickle_write_json(stdout, r);
    else
        pickle_write_text(stdout, r);
}

static void judge_bytes(struct command *c, const char *file, const struct whole *w)
{
    struct pickle_report r = {.file = file,
                              .file_size = w->size,
                              .pickle = bytes_of(w->at ? (void *)w->at : "", w->used)};
    struct arena *arena = arena_new(KEPT_MAX * 2);

    r.result = pickle_end(c->machine, PICKLE_WHOLE);
    if (!r.result->is_pickle && arena && w->used == w->size &&
        !judge_unwrapped(c, r.pickle, arena, &r)) {
        /* As a whole it is what somebody says is a pickle. */
        r.pickle = bytes_of(w->at ? (void *)w->at : "", w->used);
        r.result = pickle_judge(c->machine, r.pickle, PICKLE_DECLARED, PICKLE_WHOLE);
    }
    report(c, &r);
    arena_free(arena);
}

static void judge_file(struct command *c, const char *file)
{
    struct whole w = {0};
    bool input = strcmp(file, "-") == 0;
    int fd = input ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);

    pickle_reset(c->machine, PICKLE_SEEN);
    if (fd < 0 || !read_all(fd, c->machine, &w)) {
        fprintf(stderr, "celeriac: %s: %s\n", file, strerror(errno));
        c->unreadable = true;
    } else {
        judge_bytes(c, file, &w);
    }
    if (fd >= 0 && !input)
        close(fd);
    free(w.at);
}

static int usage(void)
{
    fputs("usage: celeriac pickle [--json] [FILE|-]...\n", stderr);
    return 64;
}

int pickle_command(int argc, char **argv)
{
    struct command c = {0};
    int first = 1;

    for (; first < argc && argv[first][0] == '-' && argv[first][1] != '\0'; first++) {
        if (strcmp(argv[first], "--") == 0) {
            first++;
            break;
        }
        if (strcmp(argv[first], "--json") != 0)
            return usage();
        c.json = true;
    }
    c.machine = pickle_new(NULL);
    if (!c.machine)
        return 1;
    for (int i = first; i < argc; i++)
        judge_file(&c, argv[i]);
    if (first >= argc)
        judge_file(&c, "-");
    pickle_free(c.machine);
    if (fflush(stdout) != 0 || c.output_failed)
        return 74;
    return c.unreadable ? 66 : 0;
}
