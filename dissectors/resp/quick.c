/* dissectors/resp/quick.c - see quick.h. */
#include "dissectors/resp/quick.h"

#include "dissectors/resp/reply.h"

#define DIGITS   7u /* of a count or a length */
#define ELEMENTS 8u /* of an array that is taken here */

static inline bool is_crlf(const uint8_t *at)
{
    return memcmp(at, "\r\n", 2) == 0;
}

/* The number and the line end at `at`, which is before `end`; what stands behind them, or NULL. */
static inline const uint8_t *number(const uint8_t *at, const uint8_t *end, uint32_t *num)
{
    const uint8_t *p = at;
    uint32_t x = 0, digit;

    for (; p < end && (digit = *p - (unsigned)'0') <= 9; p++)
        x = x * 10 + digit;
    if (end - p < 2 || !is_crlf(p) || p == at || (size_t)(p - at) > DIGITS ||
        (*at == '0' && p - at > 1))
        return NULL;
    *num = x;
    return p + 2;
}

/* The same, where four bytes are there: numbers of one or two digits are the rule. */
static inline const uint8_t *short_number(const uint8_t *at, const uint8_t *end, uint32_t *num)
{
    unsigned first = at[0] - (unsigned)'0', second = at[1] - (unsigned)'0';

    if (first <= 9 && is_crlf(at + 1)) {
        *num = first;
        return at + 3;
    }
    if (first - 1 <= 8 && second <= 9 && is_crlf(at + 2)) {
        *num = first * 10 + second;
        return at + 4;
    }
    return number(at, end, num);
}

/* `$<len>\r\n<len bytes>\r\n`; what stands behind it, or NULL. */
static inline const uint8_t *bulk(const uint8_t *at, const uint8_t *end, struct bytes *text)
{
    uint32_t len = 0;

    if (end - at < 5 || *at != RESP_BULK || !(at = short_number(at + 1, end, &len)) ||
        end - at < (ptrdiff_t)len + 2 || !is_crlf(at + len))
        return NULL;
    *text = bytes_of(at, len);
    return at + len + 2;
}

static void next_request(struct request *r)
{
    r->n = r->total = r->told = 0;
    r->bytes = 0;
    r->command = NULL;
    r->open = false;
}

size_t quick_request(struct feed *f, struct request_room *room, struct bytes in, uint32_t *args,
                     uint32_t *total)
{
    struct request *r = f->request;
    const uint8_t *end = in.at + in.len, *at, *next;

    if (in.len < 5 || !(at = short_number(in.at + 1, end, total)) || *total < 1 ||
        *total >= ARGS_MAX || r != &room->request)
        return 0;
    r->total = *total;
    for (; r->n < r->total && (next = bulk(at, end, &r->at[r->n])); at = next, r->n++) {
        size_t len = r->at[r->n].len;

        r->more[r->n] = (struct arg_more){.wire_len = len, .stored = ARG_VIEW};
        r->bytes += len;
    }
    if (r->n == 0 || r->bytes > f->conn->conf->max_body) {
        next_request(r);
        return 0;
    }
    *args = r->n;
    r->open = true;
    if (r->n == r->total) {
        request_asked(f, r);
        next_request(r);
    }
    return (size_t)(at - in.at);
}

/* The reply to a command of which nothing was kept but its code. */
static void answered(struct feed *f, uint16_t code)
{
    f->conn->replied = true;
    if (command_table[code].flags & COMMAND_DATA)
        f->conn->data_done = true;
    tally_add(f->out->tally, TALLY_redis_values, 1);
}

static size_t integer(struct feed *f, struct bytes in)
{
    const uint8_t *end = in.at + in.len, *next;
    uint16_t code;
    uint32_t x;

    next = number(in.at + 1, end, &x);
    if (!next || !pair_pop_plain(&f->conn->pair, &code))
        return 0;
    answered(f, code);
    return (size_t)(next - in.at);
}

/* What success does to the connection is nothing. */
static bool is_inert(uint16_t code)
{
    uint8_t act = command_table[code].act;

    return act == ACT_NONE || act == ACT_MULTI || act == ACT_AT_ONCE;
}

static bool begins(struct bytes in, const char *text, size_t n)
{
    return in.len >= n && memcmp(in.at, text, n) == 0;
}

static size_t status(struct feed *f, struct bytes in)
{
    struct resp_conn *conn = f->conn;
    uint16_t code;

    if (begins(in, "+QUEUED\r\n", 9)) {
        if (!pair_queue_plain(&conn->pair))
            return 0;
        conn->replied = true;
        tally_add(f->out->tally, TALLY_redis_values, 1);
        return 9;
    }
    if (!begins(in, "+OK\r\n", 5) || !pair_first_plain(&conn->pair, &code) || !is_inert(code) ||
        !pair_pop_plain(&conn->pair, &code))
        return 0;
    answered(f, code);
    return 5;
}

/* A number or +OK; what stands behind it, or NULL. */
static const uint8_t *short_answer(const uint8_t *at, const uint8_t *end)
{
    uint32_t x;

    if (end - at < 4)
        return NULL;
    if (*at == RESP_INTEGER)
        return number(at + 1, end, &x);
    return end - at >= 5 && memcmp(at, "+OK\r\n", 5) == 0 ? at + 5 : NULL;
}

/* EXEC's reply, of commands of which nothing was kept. */
static size_t exec(struct feed *f, struct bytes in, const uint8_t *at, uint32_t n)
{
    struct resp_conn *conn = f->conn;
    const uint8_t *end = in.at + in.len;
    uint16_t code = 0;
    bool data = false;

    if (conn->pair.queued != n || !pair_row_is_plain(&conn->pair) ||
        command_table[pair_row_code(&conn->pair, n)].act != ACT_EXEC)
        return 0;
    for (uint32_t i = 0; i < n && at; i++) {
        code = pair_row_code(&conn->pair, i);
        data = data || (command_table[code].flags & COMMAND_DATA);
        at = is_inert(code) ? short_answer(at, end) : NULL;
    }
    if (!at)
        return 0;
    pair_pop_row(&conn->pair);
    conn->replied = true;
    conn->data_done = conn->data_done || data;
    tally_add(f->out->tally, TALLY_redis_values, 1);
    return (size_t)(at - in.at);
}

/* A scalar inside an array; what stands behind it, or NULL. */
static const uint8_t *element(const uint8_t *at, const uint8_t *end, size_t max_body,
                              struct resp_token *t)
{
    const uint8_t *next;
    uint32_t x = 0;

    if (end - at < 4)
        return NULL;
    t->kind = *at;
    if (t->kind == RESP_INTEGER) {
        if (!(next = number(at + 1, end, &x)))
            return NULL;
        t->num = x;
        t->wire_len = (uint64_t)(next - at) - 3;
        t->text = bytes_of(at + 1, (size_t)t->wire_len);
        return next;
    }
    if (!(next = bulk(at, end, &t->text)))
        return NULL;
    t->wire_len = t->text.len;
    t->text = bytes_head(t->text, max_body);
    return next;
}

static size_t array(struct feed *f, struct bytes in)
{
    const struct dissect_conf *conf = f->conn->conf;
    const uint8_t *end = in.at + in.len, *at;
    struct resp_token t[ELEMENTS];
    uint32_t n = 0;
    size_t taken;

    if (!(at = number(in.at + 1, end, &n)) || n < 1 || n > ELEMENTS || n >= conf->max_elements ||
        conf->max_depth < 1)
        return 0;
    if (f->conn->pair.queued > 0) {
        taken = in.at[0] == RESP_ARRAY && !f->conn->unsure ? exec(f, in, at, n) : 0;
        if (taken > 0 || !pair_row_is_plain(&f->conn->pair))
            return taken;
    }
    for (uint32_t i = 0; i < n && at; i++) {
        t[i] = (struct resp_token){.parent = in.at[0], .depth = 1, .index = i};
        at = element(at, end, conf->max_body, &t[i]);
    }
    if (!at)
        return 0;
    reply_token(f, &(struct resp_token){.kind = in.at[0], .num = n});
    for (uint32_t i = 0; i < n; i++)
        reply_token(f, &t[i]);
    reply_token(f, &(struct resp_token){.kind = RESP_END, .of = in.at[0]});
    return (size_t)(at - in.at);
}

static size_t text(struct feed *f, struct bytes in)
{
    struct resp_token t = {.kind = RESP_BULK};
    const uint8_t *next;

    if (begins(in, "$-1\r\n", 5)) {
        t.null = true;
        next = in.at + 5;
    } else if ((next = bulk(in.at, in.at + in.len, &t.text))) {
        t.wire_len = t.text.len;
        t.text = bytes_head(t.text, f->conn->conf->max_body);
    } else {
        return 0;
    }
    reply_token(f, &t);
    return (size_t)(next - in.at);
}

size_t quick_reply(struct feed *f, struct bytes in)
{
    const struct resp_conn *conn = f->conn;

    if (conn->reply.open || conn->sync)
        return 0;
    switch (in.at[0]) {
    case RESP_INTEGER: return conn->unsure ? 0 : integer(f, in);
    case RESP_SIMPLE: return conn->unsure || conn->monitor ? 0 : status(f, in);
    case RESP_BULK: return text(f, in);
    case RESP_ARRAY:
    case RESP_PUSH: return array(f, in);
    default: return 0;
    }
}
