/* dissectors/resp/foothold.c - see foothold.h. */
#include "dissectors/resp/foothold.h"

#include "dissectors/resp/command.h"
#include "dissectors/resp/value.h"

bool resp_number(struct bytes text, int64_t *num)
{
    size_t i = text.len > 0 && text.at[0] == '-';
    int64_t n = 0;

    if (i == text.len || text.len - i > 18)
        return false;
    if (text.at[i] == '0' && text.len > 1)
        return false;
    for (size_t at = i; at < text.len; at++) {
        if (text.at[at] < '0' || text.at[at] > '9')
            return false;
        n = n * 10 + (text.at[at] - '0');
    }
    *num = i ? -n : n;
    return true;
}

/* The line at the front of *b, without its end; false: its end is not there. */
static bool cut_line(struct bytes *b, struct bytes *line)
{
    const uint8_t *lf = b->len > 0 ? memchr(b->at, '\n', b->len) : NULL;

    if (!lf)
        return false;
    *line = bytes_cut(b, (size_t)(lf - b->at) + 1);
    return true;
}

/* `<type><number>\r\n` at the front of *b. */
static enum foothold number_line(struct bytes *b, uint8_t type, int64_t *num)
{
    struct bytes line;

    if (b->len == 0)
        return FOOTHOLD_MORE;
    if (b->at[0] != type)
        return FOOTHOLD_NO;
    if (!cut_line(b, &line)) {
        for (size_t i = 1; i < b->len; i++)
            if ((b->at[i] < '0' || b->at[i] > '9') && b->at[i] != '-' && b->at[i] != '\r')
                return FOOTHOLD_NO;
        return b->len < 24 ? FOOTHOLD_MORE : FOOTHOLD_NO;
    }
    if (line.len < 4 || line.at[line.len - 2] != '\r')
        return FOOTHOLD_NO;
    return resp_number(bytes_of(line.at + 1, line.len - 3), num) ? FOOTHOLD_YES : FOOTHOLD_NO;
}

enum foothold foothold_request(struct bytes b)
{
    int64_t n = 0;
    enum foothold f = number_line(&b, RESP_ARRAY, &n);

    if (f != FOOTHOLD_YES)
        return f;
    if (n < 1 || n > RESP_COUNT_MAX)
        return FOOTHOLD_NO;
    f = number_line(&b, RESP_BULK, &n);
    if (f != FOOTHOLD_YES)
        return f;
    return n >= 0 && n <= (512 << 20) ? FOOTHOLD_YES : FOOTHOLD_NO;
}

static bool printable(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        if (b.at[i] < 0x20 || b.at[i] > 0x7e)
            return false;
    return true;
}

static struct bytes first_word(struct bytes b)
{
    const uint8_t *end = memchr(b.at, ' ', b.len);

    return end ? bytes_head(b, (size_t)(end - b.at)) : b;
}

static bool letter(uint8_t c)
{
    c |= 0x20;
    return c >= 'a' && c <= 'z';
}

/* A known command and a line end. */
static enum foothold inline_line(struct bytes b)
{
    struct bytes line, seen = b;

    if (!letter(b.at[0]))
        return FOOTHOLD_NO;
    if (!cut_line(&b, &line)) {
        if (seen.at[seen.len - 1] == '\r')
            seen.len--;
        return seen.len < RESP_CANDIDATE - 2 && printable(seen) ? FOOTHOLD_MORE : FOOTHOLD_NO;
    }
    if (line.len < 4 || line.len > RESP_CANDIDATE || line.at[line.len - 2] != '\r')
        return FOOTHOLD_NO;
    line.len -= 2;
    return printable(line) && command_find(first_word(line)) ? FOOTHOLD_YES : FOOTHOLD_NO;
}

enum foothold foothold_client(struct bytes b)
{
    b = bytes_head(b, RESP_CANDIDATE);
    if (b.len == 0)
        return FOOTHOLD_MORE;
    return b.at[0] == RESP_ARRAY ? foothold_request(b) : inline_line(b);
}

static size_t digits(struct bytes b, size_t from)
{
    size_t i = from;

    while (i < b.len && b.at[i] >= '0' && b.at[i] <= '9')
        i++;
    return i - from;
}

enum foothold foothold_monitor(struct bytes text)
{
    size_t seconds = digits(text, 0), part = 0;

    if (seconds > 12 || (seconds < text.len && (seconds < 9 || text.at[seconds] != '.')))
        return FOOTHOLD_NO;
    if (seconds + 1 >= text.len)
        return FOOTHOLD_MORE;
    part = digits(text, seconds + 1);
    struct bytes rest = text;
    bytes_cut(&rest, seconds + 1 + part);
    if (part > 6 || (rest.len > 0 && part < 6) ||
        memcmp(rest.at, " [", rest.len < 2 ? rest.len : 2) != 0)
        return FOOTHOLD_NO;
    return rest.len < 2 ? FOOTHOLD_MORE : FOOTHOLD_YES;
}

/* `+OK`, `-ERR text`: a word of letters first. */
static enum foothold text_line(struct bytes b)
{
    struct bytes line, all = bytes_head(b, RESP_CANDIDATE);
    bool whole;

    if (b.len < 2)
        return FOOTHOLD_MORE;
    if (b.at[0] == RESP_SIMPLE && b.at[1] >= '0' && b.at[1] <= '9')
        return foothold_monitor(bytes_of(b.at + 1, b.len - 1));
    if (!letter(b.at[1]))
        return FOOTHOLD_NO;
    whole = cut_line(&b, &line);
    if (whole) {
        if (line.at[line.len - 2] != '\r')
            return FOOTHOLD_NO;
        line.len -= 2;
    } else {
        line = all;
        if (line.at[line.len - 1] == '\r')
            line.len--;
    }
    if (!printable(line))
        return FOOTHOLD_NO;
    if (whole)
        return FOOTHOLD_YES;
    /* Error texts may be longer than the window. */
    if (all.len < RESP_CANDIDATE)
        return FOOTHOLD_MORE;
    return line.at[0] == RESP_ERROR ? FOOTHOLD_YES : FOOTHOLD_NO;
}

static enum foothold aggregate(struct bytes b)
{
    int64_t n = 0;
    enum foothold f = number_line(&b, b.at[0], &n);

    if (f != FOOTHOLD_YES)
        return f;
    if (n < -1 || n > RESP_COUNT_MAX)
        return FOOTHOLD_NO;
    if (n <= 0)
        return FOOTHOLD_YES;
    if (b.len == 0)
        return FOOTHOLD_MORE;
    return memchr("+-:$*_#,(!=%~>|", b.at[0], 15) ? FOOTHOLD_YES : FOOTHOLD_NO;
}

static enum foothold exact(struct bytes b, const char *a, const char *c)
{
    size_t n = strlen(a);

    if (memcmp(b.at, a, b.len < n ? b.len : n) == 0)
        return b.len >= n ? FOOTHOLD_YES : FOOTHOLD_MORE;
    return c ? exact(b, c, NULL) : FOOTHOLD_NO;
}

static enum foothold bulk(struct bytes b)
{
    int64_t n = 0;
    enum foothold f = number_line(&b, b.at[0], &n);

    if (f == FOOTHOLD_YES && (n < -1 || n > (512 << 20)))
        return FOOTHOLD_NO;
    return f;
}

enum foothold foothold_server(struct bytes b)
{
    int64_t n;

    b = bytes_head(b, RESP_CANDIDATE);
    if (b.len == 0)
        return FOOTHOLD_MORE;
    switch (b.at[0]) {
    case RESP_SIMPLE:
    case RESP_ERROR: return text_line(b);
    case RESP_INTEGER: return number_line(&b, RESP_INTEGER, &n);
    case RESP_BULK:
    case RESP_VERBATIM:
    case RESP_BULK_ERROR: return bulk(b);
    case RESP_ARRAY:
    case RESP_MAP:
    case RESP_SET:
    case RESP_PUSH:
    case RESP_ATTRIBUTE: return aggregate(b);
    case RESP_NULL: return exact(b, "_\r\n", NULL);
    case RESP_BOOL: return exact(b, "#t\r\n", "#f\r\n");
    default: return FOOTHOLD_NO;
    }
}
