/* content/json_walk.c - see json_walk.h. Sixty-four bytes at a time: which of them are inside
 * strings comes from the parity of the unescaped quotes before them. */
#include "dissectors/content/json_walk.h"

#include "dissectors/content/scan.h"

/* How far a walk over brackets has come. */
struct walk {
    uint64_t depth;
    uint64_t in_string; /* all ones inside a string */
    bool escape;        /* the next byte is escaped */
};

/* The bytes of a block that follow an unescaped backslash. */
static uint64_t escaped_bytes(struct walk *w, uint64_t backslash)
{
    uint64_t escaped = w->escape;
    w->escape = false;
    for (uint64_t left = backslash & ~escaped; left;) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        left &= left - 1;
        if (i == 63) {
            w->escape = true;
            break;
        }
        escaped |= 2ull << i;
        left &= ~(2ull << i);
    }
    return escaped;
}

/* For each byte: is it inside a string (or the quote that opens one)? */
static uint64_t inside_strings(struct walk *w, uint64_t quote)
{
    uint64_t inside = quote;
    inside ^= inside << 1;
    inside ^= inside << 2;
    inside ^= inside << 4;
    inside ^= inside << 8;
    inside ^= inside << 16;
    inside ^= inside << 32;
    inside ^= w->in_string;
    w->in_string = inside >> 63 ? UINT64_MAX : 0;
    return inside;
}

/* One block of 64; the place behind the bracket that brings the depth to 0, or 0. */
static unsigned walk_block(struct walk *w, const uint8_t *p)
{
    struct scan_masks m;
    scan_quotes(p, &m);
    if (w->in_string && !w->escape && (m.quote | m.backslash) == 0)
        return 0;
    if (m.backslash | w->escape)
        m.quote &= ~escaped_bytes(w, m.backslash);
    uint64_t outside = ~inside_strings(w, m.quote);
    scan_brackets(p, &m);
    for (uint64_t left = m.bracket & outside; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        if (p[i] & 2) /* in [ and {, not in ] and } */
            w->depth++;
        else if (--w->depth == 0)
            return i + 1;
    }
    return 0;
}

size_t json_walk(struct bytes in)
{
    struct walk w = {.depth = 1};
    uint8_t last[64];
    size_t at = 0;
    for (; in.len - at >= sizeof last; at += sizeof last) {
        unsigned n = walk_block(&w, in.at + at);
        if (n > 0)
            return at + n;
    }
    if (at == in.len)
        return SIZE_MAX;
    memset(last, ' ', sizeof last);
    memcpy(last, in.at + at, in.len - at);
    unsigned n = walk_block(&w, last);
    return n > 0 ? at + n : SIZE_MAX;
}
