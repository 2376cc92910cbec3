/* net/checksum.c - TCP and UDP checksums (RFC 9293 3.1, RFC 768, RFC 8200 8.1). */
#include "net/decode.h"
#include "net/peel.h"

/* RFC 1071: the order of bytes does not matter to the test for 0xffff, so words are
 * taken as they lie; an odd last byte is the first half of its word. */
static uint64_t sum_words(struct bytes b)
{
    uint64_t sum = 0;
    while (b.len >= 4) {
        uint32_t word;
        memcpy(&word, b.at, sizeof word);
        sum += word;
        (void)bytes_cut(&b, 4);
    }
    uint8_t last[4] = {0};
    if (b.len > 0)
        memcpy(last, b.at, b.len);
    uint32_t word;
    memcpy(&word, last, sizeof word);
    return sum + word;
}

static uint16_t fold(uint64_t sum)
{
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* From the TCP or UDP header to the end, empty: not to be found simply. */
static struct bytes transport(const struct packet *p)
{
    struct bytes b = p->l3;
    size_t head = 0;
    if (b.len >= 20 && p->src.family == 4 && b.at[9] == p->ip_proto)
        head = (b.at[0] & 15u) * 4u;
    else if (b.len >= 40 && p->src.family == 6 && b.at[6] == p->ip_proto)
        head = 40;
    if (head == 0 || head > b.len)
        return (struct bytes){0};
    (void)bytes_cut(&b, head);
    return b;
}

static uint64_t sum_pseudo(const struct packet *p, size_t length)
{
    size_t n = p->src.family == 4 ? 4 : 16;
    uint8_t rest[4] = {0, p->ip_proto, (uint8_t)(length >> 8), (uint8_t)length};
    return sum_words(bytes_of(p->src.ip, n)) + sum_words(bytes_of(p->dst.ip, n)) +
           sum_words(bytes_of(rest, sizeof rest));
}

bool decode_checksum_bad(const struct packet *p)
{
    struct bytes b = transport(p);
    bool udp = p->ip_proto == IPPROTO_IS_UDP;
    if (p->cut || b.len < 8 || b.len > 0xffff || (!udp && p->ip_proto != IPPROTO_IS_TCP))
        return false;
    if (udp && be16_at(b, 6) == 0)
        return false;
    return fold(sum_words(b) + sum_pseudo(p, b.len)) != 0xffff;
}
