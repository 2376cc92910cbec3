/* dissectors/resp/probe.c - are these the first bytes of a Redis stream?
 *
 * A client's array of bulk strings is Redis and nothing else. Everything else is shared with
 * somebody: inline commands with memcached, NATS, POP3 and SMTP, `+OK` with POP3 and NATS.
 * Those are MAYBE, and need the other direction's word. */
#include "dissectors/resp/command.h"
#include "dissectors/resp/foothold.h"
#include "dissectors/resp/resp.h"
#include "dissectors/resp/value.h"

static bool begins(struct bytes b, const char *text)
{
    size_t n = strlen(text);

    return b.len >= n && memcmp(b.at, text, n) == 0;
}

/* An HTTP request may be an attack on a Redis server: the server's direction decides. */
static bool http(struct bytes b)
{
    const uint8_t *lf = memchr(b.at, '\n', b.len);

    return bytes_find(bytes_head(b, lf ? (size_t)(lf - b.at) : b.len), " HTTP/1.");
}

static unsigned words_of(struct bytes line)
{
    unsigned n = 0;

    for (size_t i = 0; i < line.len; i++)
        n += line.at[i] != ' ' && (i == 0 || line.at[i - 1] == ' ');
    return n;
}

/* `set key flags time bytes`, the last three numbers. `get key` is Redis as well. */
static bool memcached(struct bytes head)
{
    const uint8_t *lf = memchr(head.at, '\n', head.len);
    struct bytes line = bytes_head(head, lf ? (size_t)(lf - head.at) : head.len);
    size_t at = line.len;

    if (begins(line, "gets ") || begins(line, "stats"))
        return true;
    if (!begins(line, "set ") || !lf)
        return false;
    while (at > 0 && (line.at[at - 1] == '\r' || line.at[at - 1] == ' ' ||
                      (line.at[at - 1] >= '0' && line.at[at - 1] <= '9')))
        at--;
    return words_of(line) == 5 && words_of(bytes_of(line.at + at, line.len - at)) >= 3;
}

/* Commands of other line protocols that Redis has too, in the form that those use. */
static bool others(struct bytes line)
{
    static const char *const words[] = {"EHLO ",      "HELO ",     "USER ", "AUTH PLAIN",
                                        "AUTH LOGIN", "CONNECT {", "SUB ",  "PUB ",
                                        "STAT",       "LIST",      "CAPA"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (begins(line, words[i]))
            return true;
    return memcached(line);
}

/* A known command and a line end, LF alone as well (redis:src/networking.c:processInlineBuffer). */
static enum probe inline_command(struct bytes head)
{
    const uint8_t *lf = memchr(head.at, '\n', head.len);
    struct bytes line = bytes_head(head, lf ? (size_t)(lf - head.at) : head.len);
    size_t n = 0;

    if (line.len > 0 && line.at[line.len - 1] == '\r')
        line.len--;
    for (size_t i = 0; i < line.len; i++)
        if ((line.at[i] < 0x20 && line.at[i] != '\t') || line.at[i] > 0x7e)
            return PROBE_NO;
    while (n < line.len && line.at[n] != ' ' && line.at[n] != '\t')
        n++;
    return lf && command_find(bytes_head(line, n)) ? PROBE_MAYBE : PROBE_MORE;
}

static enum probe inline_head(struct bytes head)
{
    if (http(head))
        return PROBE_MORE;
    return others(head) ? PROBE_NO : inline_command(head);
}

/* A line start from which on it is surely Redis, in a stream that was joined late. */
static enum probe middle(struct bytes head, enum dir dir)
{
    struct bytes b = head;
    bool maybe = false;

    for (unsigned lines = 0; b.len > 0 && lines < 64; lines++) {
        enum foothold f = dir == TO_SERVER ? foothold_request(b) : foothold_server(b);
        if (f == FOOTHOLD_YES &&
            (dir == TO_SERVER || (b.at[0] != RESP_SIMPLE && b.at[0] != RESP_ERROR)))
            return dir == TO_SERVER ? PROBE_SURE : PROBE_MAYBE;
        maybe = maybe || f == FOOTHOLD_YES;
        const uint8_t *lf = memchr(b.at, '\n', b.len);
        bytes_cut(&b, lf ? (size_t)(lf - b.at) + 1 : b.len);
    }
    return maybe ? PROBE_MAYBE : PROBE_MORE;
}

/* What a server passes over: empty lines, blanks, arrays of nothing. */
static void pass_over(struct bytes *head)
{
    while (head->len > 0) {
        const uint8_t *lf = memchr(head->at, '\n', head->len);
        size_t n = lf ? (size_t)(lf - head->at) + 1 : 0;
        int64_t count;

        if (head->at[0] == ' ' || (head->at[0] >= '\t' && head->at[0] <= '\r'))
            bytes_cut(head, 1);
        else if (n > 3 && head->at[0] == RESP_ARRAY &&
                 resp_number(bytes_of(head->at + 1, n - 3), &count) && count <= 0)
            bytes_cut(head, n);
        else
            return;
    }
}

/* From the very first byte. Lines that are no command are turned down by the server, which goes
 * on: a request behind them is one. */
static enum probe opening(struct bytes head)
{
    enum foothold f;
    enum probe p;

    pass_over(&head);
    if (head.len == 0)
        return PROBE_MORE;
    f = foothold_request(head);
    if (f != FOOTHOLD_NO)
        return f == FOOTHOLD_YES ? PROBE_SURE : PROBE_MORE;
    p = inline_head(head);
    if (p == PROBE_NO || http(head))
        return p;
    return middle(head, TO_SERVER) == PROBE_SURE ? PROBE_SURE : p;
}

static enum probe client(struct bytes head, bool start)
{
    enum foothold f;
    enum probe p;

    if (start)
        return opening(head);
    f = foothold_request(head);
    if (f != FOOTHOLD_NO)
        return f == FOOTHOLD_YES ? PROBE_SURE : PROBE_MORE;
    p = inline_head(head);
    if (p == PROBE_MAYBE || http(head) || others(head))
        return p;
    return middle(head, TO_SERVER);
}

/* Sentences that no other server says. */
static bool redis_error(struct bytes head)
{
    static const char *const errors[] = {"-NOAUTH ",
                                         "-WRONGPASS ",
                                         "-DENIED Redis",
                                         "-MOVED ",
                                         "-WRONGTYPE ",
                                         "-NOPERM ",
                                         "-LOADING Redis",
                                         "-READONLY ",
                                         "-ERR unknown command",
                                         "-ERR wrong number of arguments",
                                         "-ERR invalid password",
                                         "-ERR Client sent AUTH",
                                         "-ERR AUTH <password>",
                                         "-ERR Protocol error",
                                         "-ERR max number of clients",
                                         "-NOSCRIPT "};

    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (begins(head, errors[i]))
            return true;
    return false;
}

/* `+OK` and `-ERR` of POP3 have text behind them, or their own meaning. */
static enum probe status(struct bytes head)
{
    static const char *const known[] = {"+OK\r\n",    "+PONG\r\n",   "+QUEUED\r\n", "+FULLRESYNC ",
                                        "+CONTINUE",  "+none\r\n",   "+string\r\n", "+list\r\n",
                                        "+hash\r\n",  "+set\r\n",    "+zset\r\n",   "+stream\r\n",
                                        "+RESET\r\n", "+Background "};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t n = strlen(known[i]);
        if (memcmp(head.at, known[i], head.len < n ? head.len : n) == 0)
            return head.len >= n ? PROBE_MAYBE : PROBE_MORE;
    }
    return PROBE_NO;
}

static enum probe error(struct bytes head)
{
    if (redis_error(head))
        return PROBE_SURE;
    if (!memchr(head.at, '\n', head.len))
        return head.len < 32 ? PROBE_MORE : PROBE_NO;
    return begins(head, "-ERR ") ? PROBE_MAYBE : PROBE_NO;
}

static enum probe server(struct bytes head, bool start)
{
    enum foothold f;

    if (head.at[0] == RESP_ERROR)
        return error(head);
    if (head.at[0] == RESP_SIMPLE && (start || status(head) != PROBE_NO))
        return status(head);
    f = foothold_server(head);
    if (f == FOOTHOLD_NO)
        return start ? PROBE_NO : middle(head, TO_CLIENT);
    if (f == FOOTHOLD_MORE)
        return PROBE_MORE;
    return PROBE_MAYBE;
}

enum probe resp_probe(struct bytes head, enum dir dir, bool start)
{
    if (head.len == 0)
        return PROBE_MORE;
    return dir == TO_SERVER ? client(head, start) : server(head, start);
}

bool resp_hangs_up(struct bytes head)
{
    struct bytes first;
    const uint8_t *lf;

    if (!http(head))
        return false;
    for (; head.len > 0; bytes_cut(&head, lf ? (size_t)(lf - head.at) + 1 : head.len)) {
        lf = memchr(head.at, '\n', head.len);
        first = bytes_head(head, 5);
        if (bytes_eq_case(first, "POST ") || bytes_eq_case(first, "HOST:"))
            return true;
    }
    return false;
}
