/* dissectors/amqp/frame.c - one loop, one switch, one state variable. Each step
 * takes what it can from `in` and says something, moves the state on, or returns
 * for more. */
#include "dissectors/amqp/frame.h"

#include <stdlib.h>

#include "dissectors/amqp/foothold.h"

/* While lost, longer frames are not looked for: what may be one is held until it is certain. */
enum { FOOTHOLD_MAX = 8192 };

enum state { START, HEAD, PAYLOAD, END, END_LOST, TORN, LOST };

/* A step that has nothing to say, and did not need more. */
enum { ON = -1 };

void amqp_framer_init(struct amqp_framer *f, size_t max_item, struct budget *budget)
{
    memset(f, 0, sizeof *f);
    f->fresh = true;
    keep_init(&f->held, max_item, budget);
}

/* Method frames hold passwords: what is held goes back clean. */
static void forget(struct amqp_framer *f)
{
    if (f->held.data)
        explicit_bzero(f->held.data, f->held.len);
    keep_free(&f->held);
    f->held_at = 0;
    f->spent = false;
}

static void end_replay(struct amqp_framer *f)
{
    if (f->replay) {
        explicit_bzero(f->replay, f->replay_len);
        free(f->replay);
        if (f->held.budget)
            f->held.budget->used -= f->replay_cap;
    }
    f->replay = NULL;
}

void amqp_framer_free(struct amqp_framer *f)
{
    forget(f);
    end_replay(f);
}

void amqp_framer_data(struct amqp_framer *f, uint64_t offset, bool midstream)
{
    f->pos = offset;
    f->midstream = midstream;
}

bool amqp_framer_lost(const struct amqp_framer *f)
{
    return f->state == LOST;
}

bool amqp_framer_fresh(const struct amqp_framer *f)
{
    return f->fresh;
}

static struct bytes take(struct amqp_framer *f, struct bytes *in, size_t n)
{
    struct bytes b = bytes_cut(in, n);

    f->pos += b.len;
    return b;
}

/* Brings f->head to `want` bytes. */
static bool gather_head(struct amqp_framer *f, struct bytes *in, size_t want)
{
    struct bytes more = take(f, in, want - f->have);

    if (more.len > 0)
        memcpy(f->head + f->have, more.at, more.len);
    f->have = (uint8_t)(f->have + more.len);
    return f->have == want;
}

static void lose(struct amqp_framer *f)
{
    forget(f);
    f->state = LOST;
    f->have = 0;
    f->torn = false;
    f->need = 0;
}

static int broken(struct amqp_framer *f, struct amqp_frame *out, const char *what)
{
    out->start = f->start;
    out->channel = f->channel;
    out->what = what;
    out->torn = f->torn;
    lose(f);
    return FRAME_BROKEN;
}

/* What is in head after all belongs to what is searched for a foothold, from its byte `from`. */
static void lose_with_head(struct amqp_framer *f, unsigned from)
{
    struct bytes again = bytes_of(f->head + from, f->have - from);
    uint64_t start = f->start + from;

    lose(f);
    keep_add(&f->held, again);
    f->start = start;
}

static int at_start(struct amqp_framer *f, struct bytes *in, struct amqp_frame *out)
{
    static const uint8_t amqp[] = {'A', 'M', 'Q', 'P'};

    if (f->have == 0)
        f->start = f->pos;
    while (f->have < sizeof amqp) {
        if (!gather_head(f, in, f->have + 1u))
            return FRAME_MORE;
        if (f->head[f->have - 1] == amqp[f->have - 1])
            continue;
        f->state = HEAD;
        if (f->midstream)
            lose_with_head(f, 0);
        return ON;
    }
    if (!gather_head(f, in, 8))
        return FRAME_MORE;
    f->state = HEAD;
    f->have = 0;
    out->start = f->start;
    out->payload = bytes_of(f->head, 8);
    return FRAME_PROTOCOL;
}

static bool known_type(uint8_t type)
{
    return (type >= AMQP_METHOD && type <= AMQP_BODY) || type == AMQP_HEARTBEAT;
}

/* false: no frame begins like that. */
static bool read_head(struct amqp_framer *f, struct bytes seven)
{
    f->type = seven.at[0];
    f->channel = be16_at(seven, 1);
    f->size = f->left = be32_at(seven, 3);
    return known_type(f->type) && f->size <= AMQP_FRAME_SANE;
}

static int bad_head(struct amqp_framer *f, struct amqp_frame *out)
{
    bool known = f->size > AMQP_FRAME_SANE && known_type(f->type);

    out->start = f->start;
    out->channel = f->channel;
    out->torn = false;
    out->what = known ? "frame larger than any broker allows" : "unknown frame type";
    lose_with_head(f, 1);
    return FRAME_BROKEN;
}

static int at_head(struct amqp_framer *f, struct bytes *in, struct amqp_frame *out)
{
    struct bytes seven = bytes_head(*in, AMQP_FRAME_HEAD);

    if (f->have == 0) {
        f->start = f->pos;
        if (seven.len == AMQP_FRAME_HEAD && read_head(f, seven)) {
            take(f, in, AMQP_FRAME_HEAD);
            f->state = PAYLOAD;
            return ON;
        }
    }
    if (!gather_head(f, in, AMQP_FRAME_HEAD))
        return FRAME_MORE;
    if (!read_head(f, bytes_of(f->head, AMQP_FRAME_HEAD)))
        return bad_head(f, out);
    f->have = 0;
    f->state = PAYLOAD;
    return ON;
}

static void describe(const struct amqp_framer *f, struct amqp_frame *out, struct bytes payload)
{
    out->type = f->type;
    out->channel = f->channel;
    out->size = f->size;
    out->start = f->start;
    out->payload = payload;
    out->cut = payload.len < f->size;
    out->held = f->spent;
}

static int whole(struct amqp_framer *f, struct amqp_frame *out, struct bytes payload)
{
    f->state = HEAD;
    f->fresh = false;
    describe(f, out, payload);
    return FRAME_WHOLE;
}

static int at_payload(struct amqp_framer *f, struct bytes *in, struct amqp_frame *out)
{
    bool untouched = f->left == f->size && !f->torn;

    if (untouched && in->len > f->size && in->at[f->size] == AMQP_FRAME_END) {
        struct bytes payload = take(f, in, f->size);

        take(f, in, 1);
        return whole(f, out, f->type == AMQP_BODY ? payload : bytes_head(payload, f->held.limit));
    }
    struct bytes piece = take(f, in, f->left);
    f->left -= (uint32_t)piece.len;
    if (f->left == 0)
        f->state = END;
    if (f->type != AMQP_BODY && !f->torn)
        keep_add(&f->held, piece);
    if (f->type == AMQP_BODY && piece.len > 0) {
        describe(f, out, piece);
        return FRAME_PIECE;
    }
    return f->left == 0 ? ON : FRAME_MORE;
}

static int at_end(struct amqp_framer *f, struct bytes *in, struct amqp_frame *out)
{
    bool torn = f->torn;

    if (f->state == END) {
        if (in->len == 0)
            return FRAME_MORE;
        if (in->at[0] != AMQP_FRAME_END)
            return broken(f, out, "frame end octet missing");
        take(f, in, 1);
    }
    f->torn = false;
    f->spent = true;
    whole(f, out, keep_view(&f->held));
    if (f->type == AMQP_BODY)
        return FRAME_LAST;
    return torn ? FRAME_TORN : FRAME_WHOLE;
}

/* The candidate, and those behind it in what is held. */
static enum foothold weigh_held(struct amqp_framer *f, size_t max_size)
{
    struct bytes b = bytes_of(f->held.data + f->held_at, f->held.len - f->held_at);
    size_t at = 0, need = 0;
    enum foothold v = amqp_foothold_find(b, max_size, &at, &need);

    f->held_at += (uint32_t)(v == FOOTHOLD_NO ? b.len : at);
    f->need = (uint32_t)need;
    return v;
}

/* Drops what is before the candidate when room is needed; a candidate is at most half
 * of the room, so that every byte is moved a bounded number of times. */
static void make_room(struct amqp_framer *f)
{
    if (f->held_at == 0 || f->held_at + (size_t)f->need <= f->held.limit)
        return;
    f->held.len -= f->held_at;
    memmove(f->held.data, f->held.data + f->held_at, f->held.len);
    f->start += f->held_at;
    f->held_at = 0;
}

/* What is held from the foothold on is read again, as if it came now; with what is left of an
 * earlier replay, which it was part of. */
static int found_held(struct amqp_framer *f, struct bytes *in, struct amqp_frame *out)
{
    if (f->replay) {
        keep_add(&f->held, take(f, in, in->len));
        end_replay(f);
    }
    if (f->held.dropped > 0) { /* no memory: not found */
        forget(f);
        return FRAME_MORE;
    }
    f->replay = f->held.data;
    f->replay_cap = (uint32_t)f->held.cap;
    f->replay_len = (uint32_t)f->held.len;
    f->replay_at = f->held_at;
    f->anew = true;
    f->pos = f->start + f->held_at;
    f->held.data = NULL;
    f->held.len = f->held.cap = 0;
    f->held_at = 0;
    f->state = HEAD;
    out->start = f->pos;
    return FRAME_FOUND;
}

/* true: the search goes on in *in, nothing is held. */
static bool search_held(struct amqp_framer *f, struct bytes *in, size_t max_size,
                        enum foothold *verdict)
{
    for (;;) {
        *verdict = weigh_held(f, max_size);
        if (*verdict == FOOTHOLD_YES)
            return false;
        if (*verdict == FOOTHOLD_NO || in->len == 0)
            break;
        make_room(f);
        keep_add(&f->held, take(f, in, f->need - (f->held.len - f->held_at)));
        if (f->held.dropped > 0) /* no memory: what is held is given up */
            break;
    }
    if (*verdict == FOOTHOLD_MORE && f->held.dropped == 0)
        return false;
    forget(f);
    return true;
}

static int at_lost(struct amqp_framer *f, struct bytes *in, struct amqp_frame *out)
{
    size_t max_size = f->held.limit / 2, at = 0, need;
    enum foothold v = FOOTHOLD_NO;

    max_size = max_size > AMQP_FRAME_OVERHEAD ? max_size - AMQP_FRAME_OVERHEAD : 0;
    if (max_size > FOOTHOLD_MAX)
        max_size = FOOTHOLD_MAX;
    if (f->held.len == 0)
        forget(f);
    else if (!search_held(f, in, max_size, &v))
        return v == FOOTHOLD_YES ? found_held(f, in, out) : FRAME_MORE;
    v = amqp_foothold_find(*in, max_size, &at, &need);
    take(f, in, v == FOOTHOLD_NO ? in->len : at);
    f->start = f->pos;
    if (v == FOOTHOLD_YES) {
        f->state = HEAD;
        out->start = f->start;
        return FRAME_FOUND;
    }
    if (v == FOOTHOLD_MORE)
        keep_add(&f->held, take(f, in, in->len));
    return FRAME_MORE;
}

/* The frame in which the capture lost the step: its head. */
static int at_torn(struct amqp_framer *f, struct amqp_frame *out)
{
    describe(f, out, keep_view(&f->held));
    f->state = LOST;
    f->torn = false;
    f->spent = out->held = true;
    return FRAME_TORN;
}

static int step(struct amqp_framer *f, struct bytes *in, struct amqp_frame *out)
{
    int said = ON;

    while (said == ON) {
        switch ((enum state)f->state) {
        case START: said = at_start(f, in, out); break;
        case HEAD: said = at_head(f, in, out); break;
        case PAYLOAD: said = at_payload(f, in, out); break;
        case END:
        case END_LOST: said = at_end(f, in, out); break;
        case TORN: said = at_torn(f, out); break;
        case LOST: said = at_lost(f, in, out); break;
        }
    }
    return said;
}

/* The usual case: a whole frame in front of us. */
static bool whole_ahead(struct amqp_framer *f, struct bytes *in, struct amqp_frame *out)
{
    if (f->state != HEAD || f->have > 0 || in->len < AMQP_FRAME_OVERHEAD)
        return false;
    uint32_t size = be32_at(*in, 3);
    if (!known_type(in->at[0]) || in->len - AMQP_FRAME_OVERHEAD < size ||
        in->at[AMQP_FRAME_HEAD + size] != AMQP_FRAME_END)
        return false;
    out->type = in->at[0];
    out->channel = be16_at(*in, 1);
    out->size = size;
    out->start = f->pos;
    out->payload = bytes_of(in->at + AMQP_FRAME_HEAD, size);
    if (size > f->held.limit && out->type != AMQP_BODY)
        out->payload.len = f->held.limit;
    out->cut = out->payload.len < size;
    out->held = out->torn = false;
    f->fresh = false;
    take(f, in, AMQP_FRAME_OVERHEAD + (size_t)size);
    return true;
}

enum amqp_frame_event amqp_framer_next(struct amqp_framer *f, struct bytes *in,
                                       struct amqp_frame *out)
{
    if (f->spent)
        forget(f);
    while (f->replay && f->replay_at < f->replay_len) {
        struct bytes again = bytes_of(f->replay + f->replay_at, f->replay_len - f->replay_at);
        int said;

        f->anew = false;
        said = step(f, &again, out);
        if (!f->anew)
            f->replay_at = f->replay_len - (uint32_t)again.len;
        if (said == FRAME_MORE)
            continue;
        out->held = true;
        return (enum amqp_frame_event)said;
    }
    if (f->replay)
        end_replay(f);
    if (whole_ahead(f, in, out))
        return FRAME_WHOLE;
    if (in->len == 0 && f->state == HEAD)
        return FRAME_MORE;
    return (enum amqp_frame_event)step(f, in, out);
}

bool amqp_framer_gap(struct amqp_framer *f, uint64_t missing, uint64_t *in_body)
{
    *in_body = 0;
    if (f->spent)
        forget(f);
    f->pos += missing;
    if (missing == 0)
        return true;
    if (f->state == PAYLOAD && missing <= (uint64_t)f->left + 1) {
        uint64_t lost = missing < f->left ? missing : f->left;

        f->state = missing > f->left ? END_LOST : lost == f->left ? END : PAYLOAD;
        f->left -= (uint32_t)lost;
        f->torn = true;
        *in_body = f->type == AMQP_BODY ? lost : 0;
        return true;
    }
    if (f->state == END && missing == 1) {
        f->state = END_LOST;
        return true;
    }
    bool head = (f->state == PAYLOAD || f->state == END) && f->type != AMQP_BODY;
    if (!head)
        lose(f);
    f->state = head ? TORN : LOST;
    return false;
}
