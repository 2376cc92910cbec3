/* Fuzz: base64 at once and in pieces, which must be the same. */
#include <stdlib.h>

#include "dissectors/content/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    bool urlsafe = data[0] & 1;
    size_t step = 1 + data[0] / 2;
    struct bytes text = bytes_of(data + 1, size - 1);
    struct base64 once = {.urlsafe = urlsafe}, steps = {.urlsafe = urlsafe};
    uint8_t *a = malloc(BASE64_ROOM(text.len)), *b = malloc(BASE64_ROOM(text.len));
    size_t n = base64_step(&once, text, a), m = 0;
    for (struct bytes left = text; left.len > 0;) {
        struct bytes piece = bytes_cut(&left, step);
        uint8_t *own = malloc(piece.len), *out = malloc(BASE64_ROOM(piece.len));
        memcpy(own, piece.at, piece.len);
        size_t made = base64_step(&steps, bytes_of(own, piece.len), out);
        memcpy(b + m, out, made);
        m += made;
        free(own), free(out);
    }
    if (n != m || memcmp(a, b, n) != 0 || base64_whole(&once) != base64_whole(&steps))
        abort();
    free(a), free(b);
    return 0;
}
