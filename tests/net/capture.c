/* Tests of net/capture.h: every form of a file, merging, damage, filters, errors;
 * live on the loopback interface where that is allowed. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "net/capture.h"
#include "net/decode.h"
#include "tests/net/support/packets.h"

static struct frame frame;

struct blob {
    uint8_t at[1 << 16];
    size_t n;
};

static char folder[64];
static char name_of[16][160];
static unsigned name_n;

/* A path in the folder of this run; good for the next 15 calls. */
static const char *path_to(const char *name)
{
    char *at = name_of[name_n++ % 16];
    snprintf(at, sizeof name_of[0], "%s/%s", folder, name);
    return at;
}

static const char *write_file(const char *name, const struct blob *b)
{
    const char *path = path_to(name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(b->at, 1, b->n, f), b->n);
    fclose(f);
    return path;
}

static void put(struct blob *b, const void *data, size_t n)
{
    assert_true(b->n + n <= sizeof b->at);
    memcpy(b->at + b->n, data, n);
    b->n += n;
}

static void put32(struct blob *b, uint32_t v, bool big)
{
    uint32_t x = big ? htonl(v) : v;
    put(b, &x, 4);
}

static void put16(struct blob *b, uint16_t v, bool big)
{
    uint16_t x = big ? htons(v) : v;
    put(b, &x, 2);
}

/* The frame of a packet: its source port is the number by which tests know it. */
static struct bytes numbered(uint16_t id)
{
    struct endpoint a = end_of("10.0.0.1", id), b = end_of("10.0.0.2", id % 2 ? 6379 : 5672);
    frame_simple(&frame, &a, &b, (struct tcp_head){.flags = TCP_ACK}, "data", 4);
    return frame_bytes(&frame);
}

struct form {
    bool big, nano;
    uint32_t linktype;
};

static void pcap_head(struct blob *b, struct form f)
{
    b->n = 0;
    put32(b, f.nano ? 0xa1b23c4d : 0xa1b2c3d4, f.big);
    put16(b, 2, f.big);
    put16(b, 4, f.big);
    put32(b, 0, f.big);
    put32(b, 0, f.big);
    put32(b, 65535, f.big);
    put32(b, f.linktype ? f.linktype : 1, f.big);
}

/* us: microseconds, of the packet's time and in all forms the same. */
static void pcap_packet(struct blob *b, struct form f, uint16_t id, int64_t us)
{
    struct bytes data = numbered(id);
    put32(b, (uint32_t)(us / 1000000), f.big);
    put32(b, (uint32_t)(us % 1000000) * (f.nano ? 1000 : 1), f.big);
    put32(b, (uint32_t)data.len, f.big);
    put32(b, (uint32_t)data.len, f.big);
    put(b, data.at, data.len);
}

static void pcapng_packet(struct blob *b, uint16_t id, int64_t us, bool big)
{
    struct bytes data = numbered(id);
    uint32_t padded = (uint32_t)(data.len + 3) / 4 * 4;
    put32(b, 6, big);
    put32(b, 32 + padded, big);
    put32(b, 0, big);
    put32(b, (uint32_t)((uint64_t)us >> 32), big);
    put32(b, (uint32_t)us, big);
    put32(b, (uint32_t)data.len, big);
    put32(b, (uint32_t)data.len, big);
    put(b, data.at, data.len);
    put(b, "\0\0\0", padded - data.len);
    put32(b, 32 + padded, big);
}

static void pcapng_head(struct blob *b, bool big)
{
    b->n = 0;
    put32(b, 0x0a0d0d0a, big);
    put32(b, 28, big);
    put32(b, 0x1a2b3c4d, big);
    put16(b, 1, big);
    put16(b, 0, big);
    put32(b, 0xffffffff, big);
    put32(b, 0xffffffff, big);
    put32(b, 28, big);
    put32(b, 1, big); /* interface description: Ethernet, microseconds */
    put32(b, 20, big);
    put16(b, 1, big);
    put16(b, 0, big);
    put32(b, 65535, big);
    put32(b, 20, big);
}

/* ids from..to-1, a second and a bit apart. */
static void simple(struct blob *b, uint16_t from, uint16_t to)
{
    pcap_head(b, (struct form){0});
    for (uint16_t id = from; id < to; id++)
        pcap_packet(b, (struct form){0}, id, id * INT64_C(1000001));
}

/* ---- what came out ---- */

struct got {
    char log[1 << 16];
    size_t n, packets;
    uint64_t ordinal;
    int64_t last_ns;
    unsigned backwards, idles;
    volatile sig_atomic_t stop;
    size_t stop_after;
    bool spoiled; /* packets need not make sense */
    const struct capture *c;
    enum capture_status status;
    char error[600];
};

static void on_packet(void *ctx, const struct raw_packet *raw)
{
    struct got *g = ctx;
    struct packet p;
    enum decode_result said = decode_frame(raw, &p);
    assert_true(said == DECODE_TCP || g->spoiled);
    assert_int_equal(raw->at.ordinal, ++g->ordinal);
    g->backwards += raw->at.ns < g->last_ns;
    g->last_ns = raw->at.ns;
    g->packets++;
    if (g->n + 64 < sizeof g->log)
        g->n += (size_t)snprintf(g->log + g->n, sizeof g->log - g->n, "%s%u@%u.%u", g->n ? " " : "",
                                 p.src.port, (unsigned)raw->at.input, (unsigned)raw->at.number);
    if (g->packets == g->stop_after)
        g->stop = 1;
}

static void on_idle(void *ctx, struct stamp now)
{
    struct got *g = ctx;
    g->idles++;
    assert_int_equal(now.ordinal, g->ordinal);
}

static void run_conf(struct got *g, struct capture_conf conf)
{
    g->n = g->packets = g->ordinal = 0;
    g->backwards = g->idles = 0;
    g->last_ns = INT64_MIN;
    g->log[0] = g->error[0] = '\0';
    g->stop = 0;
    conf.stop = &g->stop;
    struct capture *c = capture_open(&conf, &g->status, g->error, sizeof g->error);
    if (!c) {
        assert_int_not_equal(g->status, CAPTURE_OK);
        assert_true(g->error[0] != '\0');
        return;
    }
    g->c = c;
    g->status = capture_run(c, on_packet, on_idle, g);
    snprintf(g->error, sizeof g->error, "%s", capture_error(c));
    assert_int_equal(g->status == CAPTURE_OK, g->error[0] == '\0');
    capture_close(c);
}

static void run_file(struct got *g, const char *path)
{
    run_conf(g, (struct capture_conf){.files = &path, .file_n = 1});
}

static struct got got;
static struct blob blob, packed;

/* ---- tests ---- */

static void every_form(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        struct form f = {.big = i % 2, .nano = i / 2 == 1};
        if (i < 4)
            pcap_head(&blob, f);
        else
            pcapng_head(&blob, f.big);
        for (uint16_t id = 1; id <= 3; id++) {
            int64_t us = 1700000000 * INT64_C(1000000) + id * 1001;
            if (i < 4)
                pcap_packet(&blob, f, id, us);
            else
                pcapng_packet(&blob, id, us, f.big);
        }
        run_file(&got, write_file("form", &blob));
        assert_string_equal(got.log, "1@0.1 2@0.2 3@0.3");
        assert_int_equal(got.status, CAPTURE_OK);
        assert_true(got.last_ns == INT64_C(1700000000003003000));
    }
}

static void nanoseconds_are_kept(void **state)
{
    (void)state;
    pcap_head(&blob, (struct form){.nano = true});
    pcap_packet(&blob, (struct form){.nano = true}, 1, 1000000);
    blob.at[24 + 4] += 7;
    run_file(&got, write_file("nano", &blob));
    assert_true(got.last_ns == 1000000007);
}

enum { PACKINGS = 4 };
static const char *const packing[PACKINGS] = {"gzip", "xz", "zstd", "lz4"};

static void pack(unsigned how, const uint8_t *at, size_t n)
{
    static uint8_t out[1 << 16];
    size_t len = 0;
    if (how == 0) {
        z_stream z = {0};
        assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
        z.next_in = (Bytef *)(uintptr_t)at, z.avail_in = (unsigned)n;
        z.next_out = out, z.avail_out = sizeof out;
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        len = sizeof out - z.avail_out;
        deflateEnd(&z);
    } else if (how == 1) {
        assert_int_equal(
            lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, at, n, out, &len, sizeof out),
            LZMA_OK);
    } else if (how == 2) {
        len = ZSTD_compress(out, sizeof out, at, n, 3);
        assert_false(ZSTD_isError(len));
    } else {
        LZ4F_preferences_t wish = {.frameInfo.contentChecksumFlag = 1};
        len = LZ4F_compressFrame(out, sizeof out, at, n, &wish);
        assert_false(LZ4F_isError(len));
    }
    put(&packed, out, len);
}

static void every_packing(void **state)
{
    (void)state;
    simple(&blob, 1, 300);
    run_file(&got, write_file("plain", &blob));
    static char plain[sizeof got.log];
    memcpy(plain, got.log, sizeof plain);
    for (unsigned how = 0; how < PACKINGS; how++) {
        print_message("%s\n", packing[how]);
        packed.n = 0;
        pack(how, blob.at, blob.n);
        run_file(&got, write_file("packed", &packed));
        assert_string_equal(got.log, plain);
        assert_int_equal(got.status, CAPTURE_OK);
        packed.n = 0; /* members that follow one another, cut in mid-record */
        pack(how, blob.at, 1000);
        pack(how, blob.at + 1000, 1);
        pack(how, blob.at + 1001, blob.n - 1001);
        if (how == 0)
            put(&packed, "\0\0\0\0", 4); /* padding, as on a tape */
        run_file(&got, write_file("packed", &packed));
        assert_string_equal(got.log, plain);
        assert_int_equal(got.status, CAPTURE_OK);
    }
}

/* Wherever it is cut: what is whole is delivered, and the break is told, unless the
 * cut is between two records. */
static void every_cut(void **state)
{
    (void)state;
    simple(&blob, 1, 4);
    size_t whole = blob.n, record = (blob.n - 24) / 3;
    for (size_t n = 0; n < whole; n++) {
        blob.n = n;
        run_file(&got, write_file("cut", &blob));
        size_t want = n < 24 ? 0 : (n - 24) / record;
        assert_int_equal(got.packets, want);
        bool clean = n >= 24 && (n - 24) % record == 0;
        assert_int_equal(got.status, clean ? CAPTURE_OK : CAPTURE_DATA);
    }
    blob.n = whole - 1;
    run_file(&got, write_file("cut", &blob));
    assert_non_null(strstr(got.error, "behind packet 2"));
    assert_non_null(strstr(got.error, "cut"));
}

static void every_cut_of_a_packed_one(void **state)
{
    (void)state;
    for (unsigned how = 0; how < PACKINGS; how++) {
        simple(&blob, 1, 40);
        packed.n = 0;
        pack(how, blob.at, blob.n / 2);
        pack(how, blob.at + blob.n / 2, blob.n - blob.n / 2);
        size_t whole = packed.n, best = 0, quiet = 0;
        for (packed.n = 0; packed.n < whole; packed.n++) {
            run_file(&got, write_file("cut", &packed));
            quiet += got.status == CAPTURE_OK;
            assert_true(got.status == CAPTURE_OK || got.status == CAPTURE_DATA);
            best = got.packets > best ? got.packets : best;
        }
        assert_true(best >= 19); /* the first member was whole */
        assert_true(quiet <= 4); /* only the trailer is missing, or it looks like padding */
    }
}

static void damage_in_the_middle(void **state)
{
    (void)state;
    simple(&blob, 1, 40);
    size_t record = (blob.n - 24) / 39;
    memset(blob.at + 24 + 20 * record, 0xff, 16); /* an absurd length */
    run_file(&got, write_file("bad", &blob));
    assert_int_equal(got.packets, 20);
    assert_int_equal(got.status, CAPTURE_DATA);
    assert_non_null(strstr(got.error, "behind packet 20"));
    got.spoiled = true;
    for (unsigned how = 0; how < PACKINGS; how++) {
        simple(&blob, 1, 40);
        for (size_t at = 20; at + 8 < 400; at += 16) { /* must not hang or crash */
            packed.n = 0;
            pack(how, blob.at, blob.n);
            packed.at[at % packed.n] ^= 0x55;
            run_file(&got, write_file("bad", &packed));
            assert_true(got.status == CAPTURE_OK || got.status == CAPTURE_DATA);
        }
    }
    got.spoiled = false;
}

static void empty_ones(void **state)
{
    (void)state;
    pcap_head(&blob, (struct form){0});
    run_file(&got, write_file("none", &blob));
    assert_int_equal(got.status, CAPTURE_OK);
    assert_int_equal(got.packets, 0);
    blob.n = 0;
    run_file(&got, write_file("zero", &blob));
    assert_int_equal(got.status, CAPTURE_DATA);
    put(&blob, "this is text", 12);
    const char *both[2] = {write_file("text", &blob), NULL};
    run_file(&got, both[0]);
    assert_int_equal(got.status, CAPTURE_DATA);
    assert_non_null(strstr(got.error, "not a capture"));
    simple(&blob, 1, 3); /* the others are read all the same */
    both[1] = write_file("good", &blob);
    run_conf(&got, (struct capture_conf){.files = both, .file_n = 2});
    assert_int_equal(got.status, CAPTURE_DATA);
    assert_string_equal(got.log, "1@1.1 2@1.2");
}

static void errors_and_their_codes(void **state)
{
    (void)state;
    const char *lo[] = {"no-such-interface-0"};
    run_file(&got, path_to("missing"));
    assert_int_equal(capture_exit_code(got.status), 66);
    assert_non_null(strstr(got.error, "missing: No such file"));
    run_conf(&got, (struct capture_conf){0});
    assert_int_equal(capture_exit_code(got.status), 64);
    run_conf(&got, (struct capture_conf){.interfaces = lo, .interface_n = 1});
    assert_true(got.status == CAPTURE_NO_INPUT || got.status == CAPTURE_PERMISSION);
    assert_non_null(strstr(got.error, lo[0]));
    simple(&blob, 1, 3);
    const char *file = write_file("file", &blob);
    run_conf(&got, (struct capture_conf){.files = &file, .file_n = 1, .filter = "tcp prot 1"});
    assert_int_equal(capture_exit_code(got.status), 64);
    assert_non_null(strstr(got.error, "tcp prot 1"));
    pcap_head(&blob, (struct form){.linktype = 101});
    file = write_file("raw", &blob);
    run_conf(&got, (struct capture_conf){.files = &file, .file_n = 1, .filter = "vlan 3"});
    assert_int_equal(capture_exit_code(got.status), 64);
    assert_non_null(strstr(got.error, "RAW"));
    chmod(file, 0);
    if (access(file, R_OK) != 0) {
        run_file(&got, file);
        assert_int_equal(capture_exit_code(got.status), 77);
    }
    unlink(file);
}

static void filters_count_before(void **state)
{
    (void)state;
    simple(&blob, 1, 8);
    const char *file = write_file("file", &blob);
    struct capture_conf conf = {.files = &file, .file_n = 1, .filter = "port 6379"};
    run_conf(&got, conf);
    assert_string_equal(got.log, "1@0.1 3@0.3 5@0.5 7@0.7");
    conf.max_packets = 2;
    run_conf(&got, conf);
    assert_string_equal(got.log, "1@0.1 3@0.3");
    assert_int_equal(got.status, CAPTURE_OK);
    conf.filter = "udp";
    run_conf(&got, conf);
    assert_int_equal(got.packets, 0);
    assert_int_equal(got.status, CAPTURE_OK);
    conf.filter = "";
    conf.max_packets = 0;
    got.stop_after = 3;
    run_conf(&got, conf);
    got.stop_after = 0;
    assert_string_equal(got.log, "1@0.1 2@0.2 3@0.3");
    assert_int_equal(got.status, CAPTURE_OK);
}

static void make_folder(const char *name)
{
    assert_int_equal(mkdir(path_to(name), 0700), 0);
}

static void one_packet_file(const char *name, uint16_t id, int64_t us)
{
    pcap_head(&blob, (struct form){0});
    pcap_packet(&blob, (struct form){0}, id, us);
    write_file(name, &blob);
}

static void merges(void **state)
{
    (void)state;
    make_folder("merge");
    make_folder("merge/below");
    one_packet_file("merge/c.pcap", 3, 1000);
    one_packet_file("merge/a.pcap", 1, 1000);
    one_packet_file("merge/b", 2, 1000); /* the name does not matter */
    one_packet_file("merge/z.pcap", 4, 500);
    one_packet_file("merge/.hidden.pcap", 5, 600);
    one_packet_file("merge/below/d.pcap", 6, 600);
    blob.n = 0;
    put(&blob, "# how it was made", 17);
    write_file("merge/a.md", &blob);
    one_packet_file("first.pcap", 9, 1000);
    const char *files[2] = {path_to("first.pcap"), path_to("merge")};
    struct capture_conf conf = {.files = files, .file_n = 2};
    run_conf(&got, conf);
    assert_string_equal(got.log, "4@4.1 9@0.1 1@1.1 2@2.1 3@3.1");
    files[0] = path_to("merge/"), files[1] = path_to("first.pcap");
    struct capture *c = capture_open(&conf, &got.status, got.error, sizeof got.error);
    assert_int_equal(capture_input_n(c), 5);
    assert_string_equal(capture_input_name(c, 0), "a.pcap");
    assert_string_equal(capture_input_name(c, 4), "first.pcap");
    assert_null(capture_input_name(c, 5));
    assert_int_equal(capture_progress(c).bytes_total, 5 * (24 + 16 + numbered(1).len));
    capture_close(c);
    files[0] = path_to("merge/below");
    assert_int_equal(unlink(path_to("merge/below/d.pcap")), 0);
    conf.file_n = 1;
    run_conf(&got, conf);
    assert_int_equal(got.status, CAPTURE_NO_INPUT);
}

static void merges_random_files(void **state)
{
    (void)state;
    enum { FILES = 9 };
    const char *files[FILES];
    uint64_t seed = 3;
    size_t all = 0;
    for (unsigned i = 0; i < FILES; i++) {
        char name[16];
        int64_t us = test_random(&seed) % 100;
        pcap_head(&blob, (struct form){.nano = i % 2});
        for (unsigned k = test_random(&seed) % 50; k > 0; k--, all++) {
            us += test_random(&seed) % 40;
            pcap_packet(&blob, (struct form){.nano = i % 2}, (uint16_t)(1 + i), us);
        }
        snprintf(name, sizeof name, "r%u", i);
        files[i] = write_file(name, &blob);
    }
    run_conf(&got, (struct capture_conf){.files = files, .file_n = FILES});
    assert_int_equal(got.packets, all);
    assert_int_equal(got.backwards, 0);
}

/* Rotated files, more than may be open: each is open when its time comes. Then as
 * many that all overlap: everything is read, the order is as good as it can be. */
static void more_files_than_descriptors(void **state)
{
    (void)state;
    enum { FILES = 200, LIMIT = 64 };
    struct rlimit before, now;
    make_folder("many");
    for (unsigned overlap = 0; overlap < 2; overlap++) {
        for (unsigned i = 0; i < FILES; i++) {
            char name[32];
            pcap_head(&blob, (struct form){0});
            int64_t start = overlap ? i : i * 1000;
            pcap_packet(&blob, (struct form){0}, (uint16_t)(1 + i), start);
            pcap_packet(&blob, (struct form){0}, (uint16_t)(1 + i), start + 500);
            snprintf(name, sizeof name, "many/%03u", i);
            write_file(name, &blob);
        }
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        now = before;
        now.rlim_cur = LIMIT;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
        run_file(&got, path_to("many"));
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(got.status, CAPTURE_OK);
        assert_int_equal(got.packets, 2 * FILES);
        assert_int_equal(got.backwards > 0, overlap);
    }
}

static void standard_input_and_pipes(void **state)
{
    (void)state;
    simple(&blob, 1, 200);
    packed.n = 0;
    pack(2, blob.at, blob.n);
    int saved = dup(STDIN_FILENO), in = open(write_file("in", &packed), O_RDONLY);
    dup2(in, STDIN_FILENO);
    close(in);
    run_file(&got, "-");
    assert_int_equal(got.packets, 199);
    assert_int_equal(got.status, CAPTURE_OK);
    assert_int_equal(lseek(STDIN_FILENO, 0, SEEK_CUR), packed.n); /* still open */
    dup2(saved, STDIN_FILENO);
    close(saved);
    const char *fifo[2] = {path_to("fifo"), write_file("plain", &blob)};
    assert_int_equal(mkfifo(fifo[0], 0600), 0);
    pid_t child = fork();
    if (child == 0) { /* in small pieces, with a pause */
        int out = open(fifo[0], O_WRONLY);
        for (size_t at = 0; at < blob.n; at += 777)
            if (write(out, blob.at + at, blob.n - at < 777 ? blob.n - at : 777) < 0)
                _exit(1);
        usleep(150000);
        _exit(0);
    }
    run_conf(&got, (struct capture_conf){.files = fifo, .file_n = 2});
    waitpid(child, NULL, 0);
    assert_int_equal(got.packets, 2 * 199);
    assert_int_equal(got.backwards, 0);
    assert_int_equal(got.status, CAPTURE_OK);
}

static void send_datagrams(unsigned n)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(47113)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    for (unsigned i = 0; i < n; i++)
        (void)sendto(s, "hello", 5, 0, (struct sockaddr *)&to, sizeof to);
    close(s);
}

struct live {
    struct got *g;
    unsigned packets, idles;
    struct capture *c;
    volatile sig_atomic_t stop;
};

static void on_live_packet(void *ctx, const struct raw_packet *raw)
{
    struct live *l = ctx;
    struct packet p;
    assert_int_equal(decode_frame(raw, &p), DECODE_UDP);
    assert_int_equal(p.dst.port, 47113);
    l->packets++;
}

static void on_live_idle(void *ctx, struct stamp now)
{
    struct live *l = ctx;
    assert_true(now.ns > INT64_C(1600000000000000000));
    if (l->idles++ == 1)
        send_datagrams(10);
    if (l->packets >= 10 || l->idles > 100) /* on the loopback each shows once or twice */
        l->stop = 1;
}

static void live(void **state)
{
    (void)state;
    const char *lo[] = {"lo"};
    struct live l = {.g = &got};
    struct capture_conf conf = {
        .interfaces = lo, .interface_n = 1, .filter = "udp port 47113", .stop = &l.stop};
    l.c = capture_open(&conf, &got.status, got.error, sizeof got.error);
    if (!l.c) {
        print_message("SKIP: live: %s\n", got.error);
        assert_int_not_equal(got.status, CAPTURE_OK);
        return;
    }
    assert_true(capture_is_live(l.c));
    assert_int_equal(capture_run(l.c, on_live_packet, on_live_idle, &l), CAPTURE_OK);
    assert_true(l.packets >= 10);
    assert_true(capture_stats(l.c).received >= 10);
    assert_string_equal(capture_input_name(l.c, 0), "lo");
    capture_close(l.c);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/celeriac-capture-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form),
        cmocka_unit_test(nanoseconds_are_kept),
        cmocka_unit_test(every_packing),
        cmocka_unit_test(every_cut),
        cmocka_unit_test(every_cut_of_a_packed_one),
        cmocka_unit_test(damage_in_the_middle),
        cmocka_unit_test(empty_ones),
        cmocka_unit_test(errors_and_their_codes),
        cmocka_unit_test(filters_count_before),
        cmocka_unit_test(merges),
        cmocka_unit_test(merges_random_files),
        cmocka_unit_test(more_files_than_descriptors),
        cmocka_unit_test(standard_input_and_pipes),
        cmocka_unit_test(live),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
