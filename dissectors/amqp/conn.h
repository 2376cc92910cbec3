/* dissectors/amqp/conn.h - the state of one connection, and of one chunk's way
 * through it. Shared by the files of this folder, nobody else. */
#ifndef DISSECTORS_AMQP_CONN_H
#define DISSECTORS_AMQP_CONN_H

#include "dissectors/amqp/channel.h"
#include "dissectors/amqp/frame.h"
#include "dissectors/amqp/method.h"
#include "dissectors/amqp/props.h"
#include "dissectors/dissector.h"

/* A message between its method frame and the end of its body. */
struct amqp_content {
    struct amqp_content *next;
    uint64_t offset;    /* of the method frame */
    uint64_t size, got; /* of the body: announced, seen */
    uint16_t channel;
    uint8_t dir;
    uint8_t cover;               /* COVER_* of its own */
    bool in_body;                /* the header was seen */
    bool hole;                   /* bytes of the body are missing: what follows is not kept */
    bool is_get;                 /* get-ok: answers a pending get */
    bool head_cut;               /* method or header frame is longer than is kept */
    struct bytes method, header; /* payloads: views into the chunk or into `own` */
    struct keep own, body;
    struct tap *tap; /* of a body that is larger than what is kept; or NULL */
};

enum amqp_phase {
    PHASE_NONE,
    PHASE_STARTED, /* start-ok was sent, tune not yet */
    PHASE_TUNED,   /* tune was sent, open-ok not yet */
    PHASE_OPEN,
};

/* Names in one block: user, mechanism, vhost. */
struct amqp_login {
    uint8_t *names;
    uint8_t *secret; /* until the server answers it */
    uint32_t secret_len;
    uint16_t user_len;
    uint8_t mechanism_len, vhost_len;
    uint8_t phase; /* enum amqp_phase */
    bool has_user, has_secret;
};

struct amqp {
    const struct dissect_conf *conf;
    struct amqp_framer framer[2];
    struct amqp_channels channels;
    struct amqp_content *held; /* contents that go on in a later chunk */
    struct amqp_login login;
    int64_t acked;      /* when a basic.ack was told last; see amqp_emit_command() */
    uint32_t frame_max; /* negotiated; 0: not known, or no limit */
    uint32_t anomalies; /* bit of each kind that was told */
    uint16_t channel_max, n_held;
    uint8_t version[4]; /* what the client's protocol header asks for */
    bool asked, v0_8, leave;
    bool other_protocol; /* a header of one that is not read, from the client.. */
    bool other_answered; /* ..and from the server */
    bool midstream, gaps;
    bool seen[2], closed[2];
    bool unsure[2]; /* frames of this direction were lost */
};

/* One chunk on its way. */
struct amqp_feed {
    struct amqp *a;
    const struct chunk *c;
    const struct dissect_out *out;
    struct amqp_content now; /* the content in progress, when busy: views into the chunk */
    bool busy;
    /* What was read of its method and header, where those are views: not to be read twice. */
    bool has_method, has_props;
    struct amqp_method method;
    struct amqp_props props;
    uint8_t cover; /* COVER_* of the frame that is looked at */
};

#endif
