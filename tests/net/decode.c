/* Tests of net/decode.h: a table of frames, and every truncation of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pcap/dlt.h>

#include "net/decode.h"
#include "tests/net/support/packets.h"

static const char text[] = "the payload of a segment";
enum { TEXT = sizeof text - 1 };
static struct frame frame;

struct ends {
    struct endpoint a, b;
};

static struct ends v4(void)
{
    return (struct ends){end_of("10.0.0.1", 40000), end_of("10.0.0.2", 5672)};
}

static struct ends v6(void)
{
    return (struct ends){end_of("2001:db8::1", 40000), end_of("2001:db8::2", 6379)};
}

static void tcp_over(struct ends e, uint8_t tcp_options, uint8_t ip_options)
{
    frame_start(&frame, text, TEXT);
    frame_tcp(&frame, &e.a, &e.b,
              (struct tcp_head){.seq = 0x01020304,
                                .ack = 0xfffefdfc,
                                .flags = TCP_ACK | TCP_PSH,
                                .options = tcp_options});
    frame_ip(&frame, &e.a, &e.b, (struct ip_head){.proto = 6, .options = ip_options});
}

/* The frames of the table; each leaves one in `frame`. */
static void plain(void)
{
    tcp_over(v4(), 0, 0), frame_ethernet(&frame, 0x0800);
}
static void options(void)
{
    tcp_over(v4(), 10, 10), frame_ethernet(&frame, 0x0800);
}
static void padded(void)
{
    plain(), frame_pad(&frame, 18);
}
static void ipv6(void)
{
    tcp_over(v6(), 3, 0), frame_ethernet(&frame, 0x86dd);
}
static void raw4(void)
{
    tcp_over(v4(), 0, 0);
}
static void raw6(void)
{
    tcp_over(v6(), 0, 0);
}
static void null_linux(void)
{
    raw6(), frame_put(&frame, "\x0a\0\0\0", 4);
}
static void null_bsd(void)
{
    raw6(), frame_put(&frame, "\0\0\0\x1e", 4);
}
static void null_v4(void)
{
    raw4(), frame_put(&frame, "\2\0\0\0", 4);
}

static void vlan(void)
{
    raw4();
    frame_vlan(&frame, 0x2000 | 77, 0x0800);
    frame_ethernet(&frame, 0x8100);
}

static void qinq(void)
{
    raw6();
    frame_vlan(&frame, 5, 0x86dd);
    frame_vlan(&frame, 6, 0x8100);
    frame_vlan(&frame, 77, 0x8100);
    frame_ethernet(&frame, 0x88a8);
}

static void sll(void)
{
    static const uint8_t head[16] = {0, 0, 0, 1, 0, 6, [14] = 0x08};
    raw4();
    frame_put(&frame, head, sizeof head);
}

static void sll2(void)
{
    static const uint8_t head[20] = {0x86, 0xdd};
    raw6();
    frame_put(&frame, head, sizeof head);
}

static void mpls(void)
{
    raw4();
    frame_put(&frame,
              "\0\1\1\x40\0\2\1\x40"
              "\0\2\1\x40",
              12);
    frame_front(&frame)[6] = 0; /* only the last has the bottom bit */
    frame_front(&frame)[2] = 0;
    frame_ethernet(&frame, 0x8847);
}

static void pseudowire(void)
{
    plain();
    frame_put(&frame, "\0\2\1\x40\0\0\0\0", 8);
    frame_ethernet(&frame, 0x8847);
}

static void snap(void)
{
    raw4();
    frame_put(&frame, "\xaa\xaa\3\0\0\0\x08\0", 8);
    frame_ethernet(&frame, (uint16_t)frame_bytes(&frame).len);
}

static void extensions(void)
{
    struct ends e = v6();
    frame_start(&frame, text, TEXT);
    frame_tcp(&frame, &e.a, &e.b,
              (struct tcp_head){.seq = 0x01020304, .ack = 0xfffefdfc, .flags = TCP_ACK | TCP_PSH});
    frame_put(&frame, "\6\0\0\0\0\0\0\7", 8);                                  /* atomic fragment */
    frame_put(&frame, "\x2c\0\0\0\0\0\0\0", 8);                                /* destination */
    frame_put(&frame, "\x3c\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24); /* AH */
    frame_put(&frame, "\x33\0\0\0\0\0\0\0", 8);                                /* routing */
    frame_put(&frame, "\x2b\0\0\0\0\0\0\0", 8);                                /* hop by hop */
    frame_ip(&frame, &e.a, &e.b, (struct ip_head){.proto = 0});
    frame_ethernet(&frame, 0x86dd);
}

static void outer(uint8_t proto)
{
    struct endpoint a = end_of("192.0.2.1", 1), b = end_of("192.0.2.2", 2);
    frame_ip(&frame, &a, &b, (struct ip_head){.proto = proto});
    frame_ethernet(&frame, 0x0800);
}

static void outer_udp(uint16_t port)
{
    struct endpoint a = end_of("192.0.2.1", 51111), b = end_of("192.0.2.2", port);
    frame_udp(&frame, &a, &b);
    outer(17);
}

static void vxlan(void)
{
    plain();
    frame_put(&frame, "\x08\0\0\0\x12\x34\x56\0", 8);
    outer_udp(4789);
}

static void vxlan_linux(void)
{
    vlan();
    frame_put(&frame, "\x08\0\0\0\x12\x34\x56\0", 8);
    outer_udp(8472);
}

static void geneve(void)
{
    ipv6();
    frame_put(&frame, "\2\0\x65\x58\x12\x34\x56\0\1\2\3\1\1\1\1\1", 16);
    outer_udp(6081);
}

static void geneve_ip(void)
{
    raw4();
    frame_put(&frame, "\0\0\x08\0\x12\x34\x56\0", 8);
    outer_udp(6081);
}

static void gre(void)
{
    raw4(), frame_put(&frame, "\0\0\x08\0", 4), outer(47);
}
static void gre_teb(void)
{
    ipv6();
    frame_put(&frame, "\xb0\0\x65\x58\1\2\3\4\0\x12\x34\x56\0\0\0\1", 16);
    outer(47);
}
static void erspan_1(void)
{
    plain(), frame_put(&frame, "\0\0\x88\xbe", 4), outer(47);
}
static void erspan_2(void)
{
    vlan();
    frame_put(&frame, "\x10\0\x88\xbe\0\0\0\1\x10\1\0\7\0\0\0\0", 16);
    outer(47);
}
static void erspan_3(void)
{
    plain();
    frame_put(&frame, "\x10\0\x22\xeb\0\0\0\1\x20\1\0\7\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0", 28);
    outer(47);
}
static void ipip(void)
{
    raw4(), outer(4);
}
static void six_in_four(void)
{
    raw6(), outer(41);
}
static void ah_v4(void)
{
    raw4(); /* its IP header is replaced by one that says AH */
    struct ends e = v4();
    frame.at += 20;
    frame_put(&frame, "\6\1\0\0\0\0\0\0\0\0\0\0", 12);
    frame_ip(&frame, &e.a, &e.b, (struct ip_head){.proto = 51});
    frame_ethernet(&frame, 0x0800);
}

struct row {
    const char *name;
    void (*build)(void);
    int linktype;
    uint8_t family, depth;
    uint16_t vlan;
    uint32_t network;
};

static const struct row table[] = {
    {"plain", plain, DLT_EN10MB, 4, 0, 0, 0},
    {"options", options, DLT_EN10MB, 4, 0, 0, 0},
    {"ipv6", ipv6, DLT_EN10MB, 6, 0, 0, 0},
    {"raw4", raw4, DLT_RAW, 4, 0, 0, 0},
    {"raw4 by type", raw4, DLT_IPV4, 4, 0, 0, 0},
    {"raw6", raw6, DLT_RAW, 6, 0, 0, 0},
    {"raw6 by type", raw6, DLT_IPV6, 6, 0, 0, 0},
    {"null, Linux", null_linux, DLT_NULL, 6, 0, 0, 0},
    {"null, BSD", null_bsd, DLT_LOOP, 6, 0, 0, 0},
    {"null, IPv4", null_v4, DLT_NULL, 4, 0, 0, 0},
    {"vlan", vlan, DLT_EN10MB, 4, 0, 77, 0},
    {"qinq", qinq, DLT_EN10MB, 6, 0, 77, 0},
    {"sll", sll, DLT_LINUX_SLL, 4, 0, 0, 0},
    {"sll2", sll2, DLT_LINUX_SLL2, 6, 0, 0, 0},
    {"mpls", mpls, DLT_EN10MB, 4, 0, 0, 0},
    {"pseudowire", pseudowire, DLT_EN10MB, 4, 1, 0, 0},
    {"snap", snap, DLT_EN10MB, 4, 0, 0, 0},
    {"extensions", extensions, DLT_EN10MB, 6, 0, 0, 0},
    {"vxlan", vxlan, DLT_EN10MB, 4, 1, 0, 0x123456},
    {"vxlan, Linux, vlan inside", vxlan_linux, DLT_EN10MB, 4, 1, 77, 0x123456},
    {"geneve", geneve, DLT_EN10MB, 6, 1, 0, 0x123456},
    {"geneve, IP", geneve_ip, DLT_EN10MB, 4, 1, 0, 0x123456},
    {"gre", gre, DLT_EN10MB, 4, 1, 0, 0},
    {"gre, Ethernet", gre_teb, DLT_EN10MB, 6, 1, 0, 0x123456},
    {"erspan I", erspan_1, DLT_EN10MB, 4, 1, 0, 0},
    {"erspan II", erspan_2, DLT_EN10MB, 4, 1, 77, 0},
    {"erspan III", erspan_3, DLT_EN10MB, 4, 1, 0, 0},
    {"ip in ip", ipip, DLT_EN10MB, 4, 1, 0, 0},
    {"6 in 4", six_in_four, DLT_EN10MB, 6, 1, 0, 0},
    {"ah", ah_v4, DLT_EN10MB, 4, 0, 0, 0},
};
enum { ROWS = sizeof table / sizeof *table };

static void check_ends(const struct row *row, const struct packet *p)
{
    struct ends e = row->family == 4 ? v4() : v6();
    assert_memory_equal(p->src.ip, e.a.ip, 16);
    assert_memory_equal(p->dst.ip, e.b.ip, 16);
    assert_int_equal(p->src.port, e.a.port);
    assert_int_equal(p->dst.port, e.b.port);
    assert_int_equal(p->src.family, row->family);
    assert_int_equal(p->tcp.seq, 0x01020304);
    assert_int_equal(p->tcp.ack, 0xfffefdfc);
    assert_int_equal(p->tcp.flags, TCP_ACK | TCP_PSH);
    assert_int_equal(p->depth, row->depth);
    assert_int_equal(p->vlan, row->vlan);
    assert_int_equal(p->network, row->network);
    assert_false(p->bad_checksum);
}

static void check_whole(const struct row *row, const struct packet *p)
{
    check_ends(row, p);
    assert_int_equal(p->wire_payload, TEXT);
}

static void whole_frames(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        struct packet p;
        table[i].build();
        struct raw_packet raw = frame_raw(&frame, table[i].linktype);
        print_message("%s\n", table[i].name);
        assert_int_equal(decode_frame(&raw, &p), DECODE_TCP);
        check_whole(&table[i], &p);
        assert_true(bytes_eq(p.payload, text));
        assert_false(p.cut);
        assert_false(decode_checksum_bad(&p));
        assert_int_equal(p.l3.at[0] >> 4, table[i].family);
        assert_int_equal(p.at.ns, 1);
    }
}

/* The snaplen cuts at every place: either too little is left, or a shorter
 * payload that says what it was. Each in a block of its exact size. */
static void every_truncation(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        table[i].build();
        struct raw_packet raw = frame_raw(&frame, table[i].linktype);
        size_t whole = raw.data.len;
        for (size_t n = 0; n < whole; n++) {
            struct packet p;
            uint8_t *own = malloc(n > 0 ? n : 1);
            memcpy(own, frame_bytes(&frame).at, n);
            raw.data = bytes_of(own, n);
            enum decode_result r = decode_frame(&raw, &p);
            assert_int_not_equal(r, DECODE_LINKTYPE);
            assert_true(p.cut || r != DECODE_TCP);
            if (n + TEXT >= whole) { /* all headers are there */
                assert_int_equal(r, DECODE_TCP);
                check_whole(&table[i], &p);
                assert_int_equal(p.payload.len, n + TEXT - whole);
                assert_memory_equal(p.payload.at, text, p.payload.len);
            }
            free(own);
        }
    }
}

/* The same pieces, but the frame was as short as that on the wire: its lengths lie. */
static void every_lie(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        table[i].build();
        struct raw_packet raw = frame_raw(&frame, table[i].linktype);
        for (size_t n = raw.data.len; n-- > 0;) {
            struct packet p;
            uint8_t *own = malloc(n > 0 ? n : 1);
            memcpy(own, frame_bytes(&frame).at, n);
            raw.data = bytes_of(own, n);
            raw.wire_len = (uint32_t)n;
            if (decode_frame(&raw, &p) == DECODE_TCP) { /* only its header is believed */
                check_ends(&table[i], &p);
                assert_true(p.cut && p.payload.len == 0 && p.wire_payload == 0);
            }
            free(own);
        }
    }
}

static void padding_is_no_payload(void **state)
{
    (void)state;
    struct packet p;
    padded();
    struct raw_packet raw = frame_raw(&frame, DLT_EN10MB);
    assert_int_equal(decode_frame(&raw, &p), DECODE_TCP);
    assert_true(bytes_eq(p.payload, text));
    raw.data.len -= 4; /* cut within the padding */
    assert_int_equal(decode_frame(&raw, &p), DECODE_TCP);
    assert_true(bytes_eq(p.payload, text));
    assert_false(p.cut);
}

static void offloaded_lengths(void **state)
{
    (void)state;
    struct packet p;
    plain();
    frame_front(&frame)[16] = frame_front(&frame)[17] = 0;
    struct raw_packet raw = frame_raw(&frame, DLT_EN10MB);
    assert_int_equal(decode_frame(&raw, &p), DECODE_TCP);
    assert_true(bytes_eq(p.payload, text));
    assert_true(p.bad_checksum);
    ipv6();
    frame_front(&frame)[18] = frame_front(&frame)[19] = 0;
    raw = frame_raw(&frame, DLT_EN10MB);
    assert_int_equal(decode_frame(&raw, &p), DECODE_TCP);
    assert_true(bytes_eq(p.payload, text));
}

static enum decode_result decode_now(int linktype, struct packet *p)
{
    struct raw_packet raw = frame_raw(&frame, linktype);
    return decode_frame(&raw, p);
}

static void checksums(void **state)
{
    (void)state;
    struct packet p;
    plain();
    frame_front(&frame)[22] ^= 1; /* TTL */
    assert_int_equal(decode_now(DLT_EN10MB, &p), DECODE_TCP);
    assert_true(p.bad_checksum);
    for (unsigned v = 4; v <= 6; v += 2) {
        v == 4 ? options() : ipv6();
        frame.room[FRAME_ROOM - 1] ^= 0x40;
        assert_int_equal(decode_now(DLT_EN10MB, &p), DECODE_TCP);
        assert_false(p.bad_checksum);
        assert_true(decode_checksum_bad(&p));
    }
    struct ends e = v4();
    frame_start(&frame, text, 5); /* an odd length */
    frame_udp(&frame, &e.a, &e.b);
    frame_ip(&frame, &e.a, &e.b, (struct ip_head){.proto = 17});
    assert_int_equal(decode_now(DLT_RAW, &p), DECODE_UDP);
    assert_int_equal(p.payload.len, 5);
    assert_false(decode_checksum_bad(&p));
    frame.room[FRAME_ROOM - 1] ^= 0x40;
    assert_int_equal(decode_now(DLT_RAW, &p), DECODE_UDP);
    assert_true(decode_checksum_bad(&p));
}

static void fragments(void **state)
{
    (void)state;
    struct packet p;
    struct ends e = v4();
    frame_start(&frame, text, 16);
    frame_ip(&frame, &e.a, &e.b, (struct ip_head){.proto = 6, .id = 0x1234, .bits = 0x2003});
    assert_int_equal(decode_now(DLT_RAW, &p), DECODE_FRAGMENT);
    assert_int_equal(p.frag.id, 0x1234);
    assert_int_equal(p.frag.offset, 24);
    assert_true(p.frag.more);
    assert_int_equal(p.payload.len, 16);
    assert_int_equal(p.ip_proto, 6);
    e = v6();
    frame_start(&frame, text, 16);
    frame_put(&frame, "\6\0\1\xf8\1\2\3\4", 8);
    frame_put(&frame, "\x2c\0\0\0\0\0\0\0", 8);
    frame_ip(&frame, &e.a, &e.b, (struct ip_head){.proto = 0});
    assert_int_equal(decode_now(DLT_RAW, &p), DECODE_FRAGMENT);
    assert_int_equal(p.frag.id, 0x01020304);
    assert_int_equal(p.frag.offset, 0x1f8);
    assert_false(p.frag.more);
    assert_int_equal(p.payload.len, 16);
    assert_int_equal(p.ip_proto, 6);
    plain(); /* "do not fragment" is no fragment */
    frame_front(&frame)[20] = 0x40;
    assert_int_equal(decode_now(DLT_EN10MB, &p), DECODE_TCP);
}

static void not_ours(void **state)
{
    (void)state;
    struct packet p;
    raw4();
    frame_ethernet(&frame, 0x0806);
    assert_int_equal(decode_now(DLT_EN10MB, &p), DECODE_OTHER);
    raw4();
    frame_front(&frame)[9] = 1; /* ICMP */
    assert_int_equal(decode_now(DLT_RAW, &p), DECODE_OTHER);
    assert_true(p.bad_checksum);
    raw4();
    assert_int_equal(decode_now(147, &p), DECODE_LINKTYPE);
    raw4();
    frame_front(&frame)[0] = 0x55;
    assert_int_equal(decode_now(DLT_RAW, &p), DECODE_MALFORMED);
    plain(); /* a data offset of 16 bytes */
    frame_front(&frame)[14 + 20 + 12] = 0x40;
    assert_int_equal(decode_now(DLT_EN10MB, &p), DECODE_MALFORMED);
    struct endpoint a = end_of("10.0.0.1", 1000), b = end_of("10.0.0.2", 4789);
    frame_start(&frame, text, TEXT); /* not VXLAN for all its port */
    frame_udp(&frame, &a, &b);
    frame_ip(&frame, &a, &b, (struct ip_head){.proto = 17});
    assert_int_equal(decode_now(DLT_RAW, &p), DECODE_UDP);
    assert_true(bytes_eq(p.payload, text));
    for (unsigned i = 0; i < 2; i++) {
        plain();
        frame_put(&frame, i ? "\x08\0\0\0\0\0\1\1" : "\0\0\0\0\0\0\1\0", 8);
        outer_udp(4789);
        assert_int_equal(decode_now(DLT_EN10MB, &p), DECODE_UDP);
    }
}

static void depth_is_bounded(void **state)
{
    (void)state;
    struct packet p;
    struct endpoint a = end_of("192.0.2.1", 0), b = end_of("192.0.2.2", 0);
    raw4();
    for (unsigned i = 1; i <= 8; i++)
        frame_ip(&frame, &a, &b, (struct ip_head){.proto = 4});
    assert_int_equal(decode_now(DLT_RAW, &p), DECODE_TCP);
    assert_int_equal(p.depth, 8);
    frame_ip(&frame, &a, &b, (struct ip_head){.proto = 4});
    assert_int_equal(decode_now(DLT_RAW, &p), DECODE_TOO_DEEP);
    raw4();
    for (unsigned i = 0; i < 200; i++)
        frame_vlan(&frame, 1, i == 0 ? 0x0800 : 0x8100);
    frame_ethernet(&frame, 0x8100);
    assert_int_equal(decode_now(DLT_EN10MB, &p), DECODE_TOO_DEEP);
    raw6();
    frame.at += 40;
    for (unsigned i = 0; i < 100; i++)
        frame_put(&frame, i == 0 ? "\6\0\0\0\0\0\0\0" : "\x3c\0\0\0\0\0\0\0", 8);
    struct ends e = v6();
    frame_ip(&frame, &e.a, &e.b, (struct ip_head){.proto = 60});
    assert_int_equal(decode_now(DLT_RAW, &p), DECODE_TOO_DEEP);
}

static void whole_datagrams_keep_the_context(void **state)
{
    (void)state;
    raw4();
    struct packet p = {.at = {.ns = 5, .ordinal = 9},
                       .network = 3,
                       .vlan = 4,
                       .depth = 1,
                       .frag = {.id = 1, .offset = 8, .conflict = true}};
    assert_int_equal(decode_ip(frame_bytes(&frame), &p), DECODE_TCP);
    assert_true(bytes_eq(p.payload, text));
    assert_int_equal(p.network, 3);
    assert_int_equal(p.vlan, 4);
    assert_int_equal(p.at.ordinal, 9);
    assert_int_equal(p.frag.offset, 0);
    assert_true(p.frag.conflict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_frames),      cmocka_unit_test(every_truncation),
        cmocka_unit_test(every_lie),         cmocka_unit_test(padding_is_no_payload),
        cmocka_unit_test(offloaded_lengths), cmocka_unit_test(checksums),
        cmocka_unit_test(fragments),         cmocka_unit_test(not_ours),
        cmocka_unit_test(depth_is_bounded),  cmocka_unit_test(whole_datagrams_keep_the_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
