/* content/scan.c - see scan.h: the long strings. */
#include "dissectors/content/scan.h"

size_t scan_string_on(struct bytes in, size_t at)
{
    while (in.len - at >= 32 && !scan_string_any(in.at + at))
        at += 32;
    for (; in.len - at >= 16; at += 16) {
        unsigned mask = scan_string_mask(in.at + at);
        if (mask)
            return at + (size_t)__builtin_ctz(mask);
    }
    while (at < in.len && !scan_stops_string(in.at[at]))
        at++;
    return at;
}
