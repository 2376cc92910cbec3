/* dissectors/amqp/frame.h - AMQP 0-8 to 0-9-1 framing of one direction of a stream.
 *
 *   START --"AMQP...."--> HEAD --7 bytes--> PAYLOAD --size--> END --0xCE--> HEAD
 *                          LOST --a foothold--> HEAD
 *
 * Knows frames, not methods. Method, header and heartbeat frames are handed on whole
 * once their end octet is seen, where they lie if that is in one chunk; so are body
 * frames that lie in one chunk; others come in pieces. Pull:
 *
 *     amqp_framer_data(f, offset);
 *     while ((event = amqp_framer_next(f, &in, &frame)) != FRAME_MORE) ...
 *
 * What comes out does not depend on the cuts, but for whole body or pieces. */
#ifndef DISSECTORS_AMQP_FRAME_H
#define DISSECTORS_AMQP_FRAME_H

#include "base/keep.h"

enum amqp_frame_type { AMQP_METHOD = 1, AMQP_HEADER = 2, AMQP_BODY = 3, AMQP_HEARTBEAT = 8 };

enum {
    AMQP_FRAME_HEAD = 7, /* type, channel, size */
    AMQP_FRAME_END = 0xCE,
    AMQP_FRAME_OVERHEAD = 8,
};

#define AMQP_FRAME_SANE (64u << 20) /* no broker agrees to more; larger is out of step */

enum amqp_frame_event {
    FRAME_MORE,     /* all of `in` was taken */
    FRAME_PROTOCOL, /* payload: the 8 bytes of a protocol header */
    FRAME_WHOLE,    /* a frame and its end octet; payload is all of it, or `cut` to max_item */
    FRAME_PIECE,    /* payload: the next part of a body frame */
    FRAME_LAST,     /* of a body frame that came in pieces: its end octet was seen */
    FRAME_TORN,     /* a frame but a body that bytes of were lost; payload: what came before them */
    FRAME_BROKEN,   /* no frame, for the reason `what`; the framer is lost from here */
    FRAME_FOUND,    /* lost no more: the next frame begins here */
};

struct amqp_frame {
    uint8_t type; /* enum amqp_frame_type */
    bool cut;
    uint16_t channel;
    uint32_t size;        /* of the payload, as announced */
    uint64_t start;       /* offset of the frame in the stream */
    struct bytes payload; /* a view: into `in`, or, when `held`, until the next call only */
    bool held;
    const char *what; /* a literal */
    bool torn;        /* of a broken one: bytes of it were lost, so nobody can tell */
};

struct amqp_framer {
    uint64_t pos;   /* in the stream, of the next byte */
    uint64_t start; /* of the frame, or of what is held while lost */
    uint32_t size, left;
    uint32_t held_at; /* lost: the candidate in `held` */
    uint32_t need;    /* lost: bytes that the candidate waits for */
    uint16_t channel;
    uint8_t type;
    uint8_t state;
    uint8_t have; /* bytes in head */
    bool torn, spent, fresh, midstream, anew;
    uint8_t head[8];
    struct keep held; /* a frame that straddles chunks; lost: what is searched */
    uint8_t *replay;  /* what was held while lost, from the foothold on: read before the chunk */
    uint32_t replay_at, replay_len, replay_cap;
};

void amqp_framer_init(struct amqp_framer *f, size_t max_item, struct budget *budget);
void amqp_framer_free(struct amqp_framer *f);

/* A chunk begins at `offset`; `midstream`: the direction was joined after its start. */
void amqp_framer_data(struct amqp_framer *f, uint64_t offset, bool midstream);

/* Takes from the front of *in until there is something to say. */
enum amqp_frame_event amqp_framer_next(struct amqp_framer *f, struct bytes *in,
                                       struct amqp_frame *out);

/* `missing` bytes were lost; call amqp_framer_next() with nothing to hear of the frame that they
 * tore. true: inside a frame of known size, and still in step. *in_body: how many of them were
 * a body's, on channel f->channel. false: the framer is lost. */
bool amqp_framer_gap(struct amqp_framer *f, uint64_t missing, uint64_t *in_body);

bool amqp_framer_lost(const struct amqp_framer *f);
/* No frame of this direction was ever seen whole. */
bool amqp_framer_fresh(const struct amqp_framer *f);

#endif
