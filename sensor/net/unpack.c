/* net/unpack.c - see unpack.h. Every decompressor has one step: from `in` to
 * `out`, as far as it goes. */
#include "net/unpack.h"

#include <errno.h>
#include <lz4frame.h>
#include <lzma.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { IN_BYTES = 64 << 10, MAGIC_BYTES = 6, POLL_MS = 100 };
#define XZ_MEMORY                                                                  \
    ((uint64_t)512 << 20) /* xz -9 takes 65 MiB, the longest dictionary in use 256 \
                           */

enum kind { KIND_UNKNOWN, KIND_PLAIN, KIND_GZIP, KIND_XZ, KIND_ZSTD, KIND_LZ4 };

struct unpack {
    struct unpack_state *state;
    int fd;
    enum kind kind;
    bool eof;    /* of the stored file */
    bool inside; /* of a member that has not ended */
    bool done;   /* nothing more will come out */
    off_t given;
    struct bytes in; /* in `held` */
    union {
        z_stream gzip;
        lzma_stream xz;
        ZSTD_DStream *zstd;
        LZ4F_dctx *lz4;
    } by;
    uint8_t held[IN_BYTES];
};

/* A step says how much it has put out; SIZE_MAX after fail(). */
static size_t fail(struct unpack *u, const char *what, const char *why)
{
    snprintf(u->state->error, sizeof u->state->error, "%s: %s", what, why ? why : "damaged data");
    u->done = true;
    return SIZE_MAX;
}

/* A pipe may stay silent for long; a stop is noticed all the same. */
static bool wait_for_input(struct unpack *u)
{
    struct pollfd p = {.fd = u->fd, .events = POLLIN};
    while (u->state->wait && poll(&p, 1, POLL_MS) <= 0)
        if (!u->state->wait(u->state->ctx))
            return false;
    return true;
}

static size_t read_some(struct unpack *u, void *to, size_t n)
{
    for (;;) {
        if (!wait_for_input(u)) {
            u->eof = u->done = true;
            return 0;
        }
        ssize_t got = read(u->fd, to, n);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got < 0)
            return fail(u, "cannot read", strerror(errno));
        u->eof = got == 0;
        u->state->taken += (uint64_t)got;
        return (size_t)got;
    }
}

/* More input behind what is left, until there are `want` bytes or no more come. */
static bool refill(struct unpack *u, size_t want)
{
    if (u->in.len > 0)
        memmove(u->held, u->in.at, u->in.len);
    size_t have = u->in.len;
    while (have < want && !u->eof) {
        size_t n = read_some(u, u->held + have, sizeof u->held - have);
        if (n == SIZE_MAX)
            return false;
        have += n;
    }
    u->in = bytes_of(u->held, have);
    return true;
}

static bool starts(struct bytes b, const char *magic, size_t n)
{
    return b.len >= n && memcmp(b.at, magic, n) == 0;
}

/* Magic numbers: RFC 1952 2.3.1; xz-file-format 2.1.1.1; RFC 8878 3.1.1 and, for a
 * skippable frame as pzstd puts in front, 3.1.2; lz4_Frame_format.md. */
static enum kind kind_of(struct bytes b)
{
    if (starts(b, "\x1f\x8b", 2))
        return KIND_GZIP;
    if (starts(b,
               "\xfd"
               "7zXZ\0",
               6))
        return KIND_XZ;
    if (starts(b, "\x28\xb5\x2f\xfd", 4))
        return KIND_ZSTD;
    if (b.len >= 4 && (b.at[0] & 0xf0) == 0x50 && memcmp(b.at + 1, "\x2a\x4d\x18", 3) == 0)
        return KIND_ZSTD;
    return starts(b, "\x04\x22\x4d\x18", 4) ? KIND_LZ4 : KIND_PLAIN;
}

static bool begin(struct unpack *u)
{
    bool ok = true;
    if (!refill(u, MAGIC_BYTES))
        return false;
    u->kind = kind_of(u->in);
    u->inside = u->kind != KIND_PLAIN;
    switch (u->kind) {
    case KIND_GZIP: ok = inflateInit2(&u->by.gzip, 15 + 16) == Z_OK; break;
    case KIND_XZ:
        u->by.xz = (lzma_stream)LZMA_STREAM_INIT;
        ok = lzma_stream_decoder(&u->by.xz, XZ_MEMORY, LZMA_CONCATENATED) == LZMA_OK;
        break;
    case KIND_ZSTD: ok = (u->by.zstd = ZSTD_createDStream()) != NULL; break;
    case KIND_LZ4:
        ok = !LZ4F_isError(LZ4F_createDecompressionContext(&u->by.lz4, LZ4F_VERSION));
        break;
    default: break;
    }
    if (!ok) {
        u->kind = KIND_PLAIN; /* nothing to free */
        (void)fail(u, "cannot decompress", "no memory");
    }
    return ok;
}

static size_t step_plain(struct unpack *u, uint8_t *out, size_t n)
{
    if (u->in.len == 0) {
        size_t got = read_some(u, out, n);
        u->done = u->done || got == 0;
        return got;
    }
    struct bytes b = bytes_cut(&u->in, n);
    memcpy(out, b.at, b.len);
    return b.len;
}

/* Behind a member comes another, or something that is not ours (padding). */
static void next_gzip_member(struct unpack *u)
{
    u->inside = false;
    if (!refill(u, 2))
        return;
    if (kind_of(u->in) != KIND_GZIP) {
        u->done = true;
        return;
    }
    (void)inflateReset(&u->by.gzip);
    u->inside = true;
}

static size_t step_gzip(struct unpack *u, uint8_t *out, size_t n)
{
    z_stream *z = &u->by.gzip;
    unsigned room = n < 1u << 30 ? (unsigned)n : 1u << 30;
    z->next_in = (Bytef *)(uintptr_t)u->in.at;
    z->avail_in = (unsigned)u->in.len;
    z->next_out = out;
    z->avail_out = room;
    int said = inflate(z, Z_NO_FLUSH);
    (void)bytes_cut(&u->in, u->in.len - z->avail_in);
    if (said == Z_STREAM_END)
        next_gzip_member(u);
    else if (said != Z_OK && said != Z_BUF_ERROR)
        return fail(u, "gzip", z->msg);
    return room - z->avail_out;
}

static const char *xz_trouble(lzma_ret said)
{
    return said == LZMA_MEMLIMIT_ERROR ? "needs more than 512 MiB of memory" : NULL;
}

static size_t step_xz(struct unpack *u, uint8_t *out, size_t n)
{
    lzma_stream *x = &u->by.xz;
    x->next_in = u->in.at;
    x->avail_in = u->in.len;
    x->next_out = out;
    x->avail_out = n;
    lzma_ret said = lzma_code(x, u->eof ? LZMA_FINISH : LZMA_RUN);
    (void)bytes_cut(&u->in, u->in.len - x->avail_in);
    if (said == LZMA_STREAM_END)
        u->inside = false, u->done = true;
    else if (said != LZMA_OK && said != LZMA_BUF_ERROR)
        return fail(u, "xz", xz_trouble(said));
    return n - x->avail_out;
}

static size_t step_zstd(struct unpack *u, uint8_t *out, size_t n)
{
    ZSTD_inBuffer in = {u->in.at, u->in.len, 0};
    ZSTD_outBuffer to = {out, n, 0};
    size_t said = ZSTD_decompressStream(u->by.zstd, &to, &in);
    if (ZSTD_isError(said))
        return fail(u, "zstd", ZSTD_getErrorName(said));
    (void)bytes_cut(&u->in, in.pos);
    if (in.pos > 0 ||
        to.pos > 0) /* asked with nothing behind a whole frame, it wants another one */
        u->inside = said != 0;
    return to.pos;
}

static size_t step_lz4(struct unpack *u, uint8_t *out, size_t n)
{
    size_t put = n, took = u->in.len;
    size_t said = LZ4F_decompress(u->by.lz4, out, &put, u->in.at, &took, NULL);
    if (LZ4F_isError(said))
        return fail(u, "lz4", LZ4F_getErrorName(said));
    (void)bytes_cut(&u->in, took);
    if (took > 0 || put > 0)
        u->inside = said != 0;
    return put;
}

static size_t step(struct unpack *u, uint8_t *out, size_t n)
{
    switch (u->kind) {
    case KIND_GZIP: return step_gzip(u, out, n);
    case KIND_XZ: return step_xz(u, out, n);
    case KIND_ZSTD: return step_zstd(u, out, n);
    case KIND_LZ4: return step_lz4(u, out, n);
    default: return step_plain(u, out, n);
    }
}

/* At the end of the input a step that puts out nothing has nothing left. */
static size_t unpack_some(struct unpack *u, uint8_t *out, size_t n)
{
    while (!u->done) {
        if (u->in.len == 0 && u->kind != KIND_PLAIN && !u->eof && !refill(u, 1))
            return SIZE_MAX;
        bool last = u->eof;
        uint64_t eaten = u->state->taken - u->in.len;
        size_t got = step(u, out, n);
        if (got > 0)
            return got;
        if (u->done || u->state->taken - u->in.len > eaten)
            continue;
        if (!last && u->in.len == 0)
            continue;
        u->done = true;
        return u->inside ? fail(u, "compressed data", "cut short") : 0;
    }
    return 0;
}

static ssize_t cookie_read(void *cookie, char *out, size_t n)
{
    struct unpack *u = cookie;
    if (n == 0)
        return 0;
    if (u->state->error[0] != '\0' || (u->kind == KIND_UNKNOWN && !begin(u))) {
        errno = EIO;
        return -1;
    }
    size_t got = unpack_some(u, (uint8_t *)out, n);
    if (got == SIZE_MAX) {
        errno = EIO;
        return -1;
    }
    u->given += (off_t)got;
    return (ssize_t)got;
}

/* Only "where am I", for ftello(). */
static int cookie_seek(void *cookie, off64_t *offset, int whence)
{
    const struct unpack *u = cookie;
    if (whence != SEEK_CUR || *offset != 0) {
        errno = ESPIPE;
        return -1;
    }
    *offset = u->given;
    return 0;
}

static void give_back(int fd)
{
    if (fd != STDIN_FILENO)
        close(fd);
}

static int cookie_close(void *cookie)
{
    struct unpack *u = cookie;
    switch (u->kind) {
    case KIND_GZIP: inflateEnd(&u->by.gzip); break;
    case KIND_XZ: lzma_end(&u->by.xz); break;
    case KIND_ZSTD: ZSTD_freeDStream(u->by.zstd); break;
    case KIND_LZ4: LZ4F_freeDecompressionContext(u->by.lz4); break;
    default: break;
    }
    give_back(u->fd);
    free(u);
    return 0;
}

/* An ordinary file as it is goes the short way. */
static FILE *open_plain(int fd, struct unpack_state *state)
{
    struct stat s;
    uint8_t head[MAGIC_BYTES];
    if (fd == STDIN_FILENO || fstat(fd, &s) != 0 || !S_ISREG(s.st_mode))
        return NULL;
    ssize_t n = pread(fd, head, sizeof head, 0);
    if (n < 0 || kind_of(bytes_of(head, (size_t)n)) != KIND_PLAIN)
        return NULL;
    FILE *f = fdopen(fd, "rb");
    state->plain = f ? fd + 1 : 0;
    return f;
}

static FILE *open_packed(int fd, struct unpack_state *state)
{
    static const cookie_io_functions_t io = {
        .read = cookie_read, .seek = cookie_seek, .close = cookie_close};
    struct unpack *u = calloc(1, sizeof *u);
    FILE *f = u ? fopencookie(u, "r", io) : NULL;
    if (!f) {
        free(u);
        return NULL;
    }
    u->fd = fd;
    u->state = state;
    return f;
}

FILE *unpack_open(int fd, size_t buffer, struct unpack_state *state)
{
    state->taken = 0;
    state->plain = 0;
    state->error[0] = '\0';
    FILE *f = open_plain(fd, state);
    if (!f)
        f = open_packed(fd, state);
    if (!f) {
        give_back(fd);
        return NULL;
    }
    state->buffer = malloc(buffer); /* stdio's own would be one block of the file system */
    if (state->buffer)
        setvbuf(f, (char *)state->buffer, _IOFBF, buffer);
    return f;
}

uint64_t unpack_taken(const struct unpack_state *state)
{
    if (state->plain == 0)
        return state->taken;
    off_t at = lseek(state->plain - 1, 0, SEEK_CUR);
    return at > 0 ? (uint64_t)at : 0;
}

void unpack_end(struct unpack_state *state)
{
    free(state->buffer);
    state->buffer = NULL;
    state->plain = 0;
}
