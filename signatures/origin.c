/* signatures/origin.c - see origin.h. */
#include "signatures/origin.h"

#define DIGITS_MAX 18u

bool origin_parse(struct bytes text, struct origin *o)
{
    size_t digits = 0;

    if (text.len < 3 || memcmp(text.at, "gen", 3) != 0)
        return false;
    bytes_cut(&text, 3);
    o->pid = 0;
    while (digits < text.len && text.at[digits] >= '0' && text.at[digits] <= '9') {
        o->pid = digits < DIGITS_MAX ? o->pid * 10 + (text.at[digits] - '0') : -1;
        digits++;
    }
    if (digits == 0 || digits + 1 >= text.len || text.at[digits] != '@')
        return false;
    if (digits > DIGITS_MAX)
        o->pid = -1;
    bytes_cut(&text, digits + 1);
    o->host = text;
    return true;
}
