/* dissectors/resp/seek.c - the way back into a stream that is out of step: past lines
 * that cannot be the start of a value, until one can. */
#include "dissectors/resp/foothold.h"
#include "dissectors/resp/value_parts.h"

static enum foothold look(const struct resp_value *v, struct bytes b)
{
    return v->client ? foothold_client(b) : foothold_server(b);
}

bool value_seek(struct resp_value *v, struct bytes *in)
{
    while (in->len > 0) {
        if (v->line_start) {
            enum foothold f = look(v, *in);
            if (f == FOOTHOLD_YES) {
                v->state = RESP_HEAD;
                return true;
            }
            if (f == FOOTHOLD_MORE) {
                value_hold(v, *in, RESP_CANDIDATE);
                value_take(v, in, in->len);
                return false;
            }
        }
        const uint8_t *lf = memchr(in->at, '\n', in->len);
        v->line_start = lf != NULL;
        value_take(v, in, lf ? (size_t)(lf - in->at) + 1 : in->len);
    }
    return false;
}

/* What is held, what was to be read again, and the next of the input, in one row. */
static size_t line_up(struct resp_value *v, uint8_t *row, struct bytes rest, struct bytes in)
{
    struct bytes held = keep_view(v->held), ahead = bytes_head(in, RESP_CANDIDATE);

    if (held.len > 0)
        memcpy(row, held.at, held.len);
    if (rest.len > 0)
        memcpy(row + held.len, rest.at, rest.len);
    if (ahead.len > 0)
        memcpy(row + held.len + rest.len, ahead.at, ahead.len);
    return held.len + rest.len + ahead.len;
}

/* The place of the next line in `row` behind `at`, up to `end`. */
static size_t next_line(const uint8_t *row, size_t at, size_t end)
{
    const uint8_t *lf = memchr(row + at, '\n', end - at);

    return lf ? (size_t)(lf - row) + 1 : end;
}

bool value_seek_held(struct resp_value *v, uint8_t store[2 * RESP_CANDIDATE], struct bytes *rest,
                     struct bytes *in)
{
    uint8_t row[3 * RESP_CANDIDATE];
    size_t n = line_up(v, row, *rest, *in), mine = v->held->len + rest->len, at = 0;
    enum foothold f = FOOTHOLD_NO;

    v->pos += rest->len;
    *rest = bytes_of(NULL, 0);
    value_release(v);
    for (; at < mine; at = next_line(row, at, mine)) {
        f = v->line_start ? look(v, bytes_of(row + at, n - at)) : FOOTHOLD_NO;
        if (f != FOOTHOLD_NO)
            break;
        v->line_start = next_line(row, at, mine) < mine || row[mine - 1] == '\n';
    }
    if (f == FOOTHOLD_NO)
        return true;
    if (f == FOOTHOLD_MORE) {
        value_hold(v, bytes_of(row + at, n - at), RESP_CANDIDATE);
        value_take(v, in, in->len);
        return false;
    }
    v->pos -= mine - at;
    v->state = RESP_HEAD;
    memcpy(store, row + at, mine - at);
    *rest = bytes_of(store, mine - at);
    return true;
}
