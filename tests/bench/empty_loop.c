/* tests/bench/empty_loop.c FILE - reads a capture through libpcap and does nothing with it: what
 * every throughput here is measured against. Prints packets and bytes, so that the loop is not
 * optimised away. */
#include <inttypes.h>
#include <stdio.h>

#include <pcap/pcap.h>

struct sum {
    uint64_t packets, bytes;
};

static void take(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
    struct sum *s = (struct sum *)(void *)user;

    s->packets++;
    s->bytes += h->caplen > 0 ? (uint64_t)h->len + (data[0] & 0u) : 0;
}

int main(int argc, char **argv)
{
    char error[PCAP_ERRBUF_SIZE];
    struct sum s = {0, 0};
    pcap_t *p = argc == 2 ? pcap_open_offline(argv[1], error) : NULL;

    if (!p) {
        fprintf(stderr, "%s\n", argc == 2 ? error : "usage: empty_loop FILE");
        return 1;
    }
    int status = pcap_loop(p, -1, take, (u_char *)&s);
    pcap_close(p);
    printf("%" PRIu64 " packets, %" PRIu64 " bytes\n", s.packets, s.bytes);
    return status < 0;
}
