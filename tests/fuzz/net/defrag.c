/* Fuzz: fragments of a few datagrams, 8 bytes of instructions each: id, flags, offset,
 * length, filling, seconds. What comes out must be what the first fragment of each place said. */
#include <stdlib.h>

#include "net/decode.h"
#include "net/defrag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPERATION = 8 };

static void one(struct defrag *d, const uint8_t op[OPERATION], int64_t *ns)
{
    size_t n = op[4] * (op[1] & 4 ? 64u : 8u) + (op[1] & 8 ? op[5] & 7u : 0);
    uint8_t head = (uint8_t)(op[1] & 16 ? 60 : 20), *own = calloc(1, head + n + 40);
    bool six = (op[1] & 2) != 0;
    size_t before = six ? 40 : head;
    own[0] = six ? 0x60 : (uint8_t)(0x40 | head / 4);
    memset(own + before, op[5], n);
    struct packet p = {.at = {.ns = *ns += op[6] * INT64_C(1000000000)},
                       .ip_proto = 6,
                       .frag = {.id = op[0] & 3u, .more = (op[1] & 1) != 0},
                       .l3 = bytes_of(own, before + n),
                       .payload = bytes_of(own + before, n),
                       .wire_payload = (uint32_t)n,
                       .cut = op[1] & 32};
    p.frag.offset = (uint16_t)((op[2] << 8 | op[3]) & 0xfff8);
    p.src.family = p.dst.family = six ? 6 : 4;
    struct bytes whole;
    if (defrag_add(d, &p, &whole)) {
        if (whole.len > 65535 + 40)
            abort();
        uint8_t sum = 0;
        for (size_t i = 0; i < whole.len; i++)
            sum = (uint8_t)(sum + whole.at[i]);
        (void)sum;
        (void)decode_ip(whole, &p);
    }
    if (op[7] == 1)
        defrag_tick(d, p.at);
    free(own);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tally tally = {0};
    struct defrag_conf conf = {.max_bytes = 20000};
    struct defrag *d = defrag_new(&conf, &tally);
    int64_t ns = 0;
    for (; size >= OPERATION; data += OPERATION, size -= OPERATION)
        one(d, data, &ns);
    defrag_free(d);
    return 0;
}
