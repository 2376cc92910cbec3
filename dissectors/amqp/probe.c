/* dissectors/amqp/probe.c - is it AMQP? By the protocol header, or by a frame that is
 * right in all its parts; never by the port. */
#include "dissectors/amqp/amqp.h"
#include "dissectors/amqp/foothold.h"
#include "dissectors/amqp/frame.h"
#include "dissectors/amqp/method.h"

/* Without a frame in this much from the middle of a stream it is taken for something else. */
#define PROBE_ENOUGH    4096u
#define PROBE_MAX_FRAME 65536u

/* "AMQP", a protocol id, a version. */
static enum probe protocol_header(struct bytes head)
{
    static const uint8_t amqp[] = {'A', 'M', 'Q', 'P'};
    size_t n = head.len < sizeof amqp ? head.len : sizeof amqp;

    if (memcmp(head.at, amqp, n) != 0)
        return PROBE_NO;
    if (head.len < 8)
        return PROBE_MORE;
    return head.at[4] <= 3 && head.at[5] <= 1 && head.at[6] <= 9 && head.at[7] <= 10 ? PROBE_SURE
                                                                                     : PROBE_NO;
}

/* Frames that only one side may send say who is who. */
static bool right_way(struct bytes frame, enum dir dir)
{
    struct amqp_method m;

    if (frame.at[0] != AMQP_METHOD)
        return true;
    bytes_cut(&frame, AMQP_FRAME_HEAD);
    return amqp_method_read(&m, frame, false) && m.def && (m.def->from >> dir & 1u);
}

/* The first frame is a method that the size of no capture lets us see whole. */
static enum probe by_foothold(struct bytes head, enum dir dir, bool start)
{
    size_t at = 0, need;
    enum foothold v = start ? amqp_foothold(head, PROBE_MAX_FRAME, &need)
                            : amqp_foothold_find(head, PROBE_MAX_FRAME, &at, &need);

    if (v == FOOTHOLD_NO)
        return start || head.len >= PROBE_ENOUGH ? PROBE_NO : PROBE_MORE;
    struct bytes frame = bytes_of(head.at + at, head.len - at);
    if (v == FOOTHOLD_YES)
        return right_way(bytes_head(frame, need - 1), dir) ? PROBE_SURE : PROBE_NO;
    if (frame.len < AMQP_FRAME_HEAD + 4) /* method not known yet */
        return PROBE_MORE;
    if (frame.at[0] == AMQP_METHOD && !right_way(frame, dir))
        return PROBE_NO;
    return head.len >= PROBE_ENOUGH ? PROBE_MAYBE : PROBE_MORE;
}

enum probe amqp_probe(struct bytes head, enum dir dir, bool start)
{
    if (head.len == 0)
        return PROBE_MORE;
    if (head.at[0] == 'A') {
        enum probe p = protocol_header(head);
        if (start || p != PROBE_NO)
            return p;
    }
    return by_foothold(head, dir, start);
}
