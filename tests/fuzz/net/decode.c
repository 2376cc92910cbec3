/* Fuzz: any frame of any link type. First byte: link type and what the snaplen hid. */
#include <stdlib.h>

#include <pcap/dlt.h>

#include "net/decode.h"
#include "net/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct bytes part, struct bytes all)
{
    if (part.len > 0 && (part.at < all.at || part.at + part.len > all.at + all.len))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int types[] = {DLT_EN10MB,    DLT_RAW,        DLT_NULL, DLT_LOOP,
                                DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_IPV4, DLT_IPV6};
    static const uint8_t key[16];
    if (size == 0)
        return 0;
    struct bytes frame = bytes_of(data + 1, size - 1);
    struct raw_packet raw = {.data = frame,
                             .wire_len = (uint32_t)(frame.len + (data[0] >> 3) * 100u),
                             .linktype = types[data[0] & 7]};
    struct packet p;
    switch (decode_frame(&raw, &p)) {
    case DECODE_TCP:
    case DECODE_UDP:
    case DECODE_FRAGMENT:
        inside(p.payload, frame);
        inside(p.l3, frame);
        if (p.payload.len > p.wire_payload || (p.payload.len < p.wire_payload && !p.cut))
            abort();
        (void)decode_checksum_bad(&p);
        (void)flow_hash(&p, key);
        break;
    default: break;
    }
    if (decode_ip(frame, &p) == DECODE_TCP)
        inside(p.payload, frame);
    return 0;
}
