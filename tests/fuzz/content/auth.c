/* Fuzz: splitting of signed bodies; base64 text, or (first byte odd) what is inside of it. */
#include <stdlib.h>

#include "dissectors/content/auth.h"

static void need(bool what)
{
    if (!what)
        abort();
}

static struct bytes encode(struct bytes plain, uint8_t *to)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = 0;
    while (plain.len > 0) {
        struct bytes three = bytes_cut(&plain, 3);
        unsigned v = 0;
        for (size_t i = 0; i < 3; i++)
            v = v << 8 | (i < three.len ? three.at[i] : 0u);
        for (size_t i = 0; i <= three.len; i++)
            to[n++] = (uint8_t)alphabet[v >> (18 - 6 * i) & 63];
    }
    return bytes_of(to, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct arena *arena = arena_new(1 << 20);
    uint8_t *room = malloc(size * 2);
    struct bytes text = bytes_of(data + 2, size - 2);
    struct auth_parts p;
    if (data[0] & 1)
        text = encode(text, room);
    auth_looks(text);
    if (auth_split(text, data[1], data[0] & 2, arena, &p) == AUTH_OK)
        need(p.cut || p.layout == AUTH_NEW || (p.type.len > 0 && p.encoding.len > 0));
    free(room);
    arena_free(arena);
    return 0;
}
