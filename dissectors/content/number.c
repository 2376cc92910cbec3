/* content/number.c - decimal text to numbers. */
#include <stdlib.h>

#include "dissectors/content/reader_formats.h"

int64_t number_int(struct bytes text)
{
    bool minus = text.len > 0 && text.at[0] == '-';
    uint64_t v = 0, most = minus ? (uint64_t)1 << 63 : INT64_MAX;
    for (size_t i = minus || (text.len > 0 && text.at[0] == '+'); i < text.len; i++) {
        unsigned digit = text.at[i] - (unsigned)'0';
        if (v > (most - digit) / 10)
            return minus ? INT64_MIN : INT64_MAX;
        v = v * 10 + digit;
    }
    return minus ? (int64_t)(0 - v) : (int64_t)v;
}

/* Powers of ten that a double holds exactly. */
static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                              1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                              1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* Digits and a point, at most 15 digits of them: one exact division of two exact numbers, so the
 * result is the nearest double (Clinger 1990). */
static bool short_real(struct bytes text, double *real)
{
    bool minus = text.len > 0 && text.at[0] == '-', point = false;
    uint64_t v = 0;
    unsigned count = 0, behind = 0;
    for (size_t i = minus; i < text.len; i++) {
        uint8_t c = text.at[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || ++count > 15)
            return false;
        v = v * 10 + (c - (unsigned)'0');
        behind += point;
    }
    *real = (double)v / tens[behind];
    if (minus)
        *real = -*real;
    return true;
}

/* The rest by strtod, over a copy that ends; of text longer than any that matters to a double, the
 * head (its exponent is then lost: such a number is a curiosity, and stays one in `text`). */
double number_real(struct bytes text)
{
    double real;
    char copy[1024];
    if (short_real(text, &real))
        return real;
    size_t n = text.len < sizeof copy - 1 ? text.len : sizeof copy - 1;
    memcpy(copy, text.at, n);
    copy[n] = '\0';
    return strtod(copy, NULL);
}
