/* out/text.c - the buffer, numbers and times; the spelling of strings is in escape.c. */
#include "out/text.h"

#include <stdlib.h>

enum { TEXT_FIRST = 4096 };

bool text_grow(struct text *t, size_t n)
{
    if (n > SIZE_MAX / 2 - t->len) {
        t->bad = true;
        return false;
    }
    size_t cap = t->cap > 0 ? t->cap : TEXT_FIRST;
    while (cap - t->len < n)
        cap *= 2;
    char *at = realloc(t->at, cap);
    if (!at) {
        t->bad = true;
        return false;
    }
    t->at = at;
    t->cap = cap;
    return true;
}

void text_free(struct text *t)
{
    free(t->at);
    *t = (struct text){0};
}

static const char PAIRS[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

void text_u64(struct text *t, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;

    while (n >= 100) {
        at -= 2;
        memcpy(digits + at, PAIRS + 2 * (n % 100), 2);
        n /= 100;
    }
    if (n >= 10) {
        at -= 2;
        memcpy(digits + at, PAIRS + 2 * n, 2);
    } else {
        digits[--at] = (char)('0' + n);
    }
    text_put(t, digits + at, sizeof digits - at);
}

void text_i64(struct text *t, int64_t n)
{
    if (n >= 0) {
        text_u64(t, (uint64_t)n);
        return;
    }
    TEXT_LITERAL(t, "-");
    text_u64(t, 0 - (uint64_t)n);
}

void text_hex(struct text *t, struct bytes b)
{
    static const char HEX[] = "0123456789abcdef";
    char *to;

    if (!text_room(t, 2 * b.len))
        return;
    to = t->at + t->len;
    for (size_t i = 0; i < b.len; i++, to += 2) {
        to[0] = HEX[b.at[i] >> 4];
        to[1] = HEX[b.at[i] & 15];
    }
    t->len += 2 * b.len;
}

static void two(char *to, unsigned n)
{
    memcpy(to, PAIRS + 2 * (n % 100), 2);
}

/* Days since 1970-01-01 to year, month, day of the proleptic Gregorian calendar: years are
 * counted from March, so that the leap day is the last of its year, in eras of 400 years. */
static void civil(int64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    uint64_t z = (uint64_t)(days + 719468); /* since 0000-03-01; ns of 64 bits reach 1677 to 2262 */
    uint64_t era = z / 146097, doe = z % 146097;
    uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    uint64_t mp = (5 * doy + 2) / 153;

    *day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
    *month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
    *year = (unsigned)(yoe + era * 400 + (*month <= 2));
}

static void read_second(struct text_clock *c, int64_t second)
{
    int64_t days = second / 86400, rest = second % 86400;
    unsigned year, month, day;

    if (rest < 0) {
        rest += 86400;
        days--;
    }
    civil(days, &year, &month, &day);
    memcpy(c->text, "YYYY-MM-DDThh:mm:ss.", sizeof c->text);
    two(c->text, year / 100);
    two(c->text + 2, year);
    two(c->text + 5, month);
    two(c->text + 8, day);
    two(c->text + 11, (unsigned)(rest / 3600));
    two(c->text + 14, (unsigned)(rest / 60 % 60));
    two(c->text + 17, (unsigned)(rest % 60));
    c->second = second;
    c->known = true;
}

void text_time(struct text *t, struct text_clock *clock, int64_t ns)
{
    int64_t second = ns / 1000000000, rest = ns % 1000000000;
    char micro[7];

    if (rest < 0) {
        rest += 1000000000;
        second--;
    }
    if (!clock->known || clock->second != second)
        read_second(clock, second);
    unsigned us = (unsigned)(rest / 1000);
    two(micro, us / 10000);
    two(micro + 2, us / 100);
    two(micro + 4, us);
    micro[6] = 'Z';
    text_put(t, clock->text, sizeof clock->text);
    text_put(t, micro, sizeof micro);
}
