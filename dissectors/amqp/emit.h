/* dissectors/amqp/emit.h - from parsed frames to messages (see amqp.h). */
#ifndef DISSECTORS_AMQP_EMIT_H
#define DISSECTORS_AMQP_EMIT_H

#include "dissectors/amqp/conn.h"
#include "dissectors/amqp/method.h"

enum amqp_anomaly {
    ANOMALY_FRAME_END,
    ANOMALY_FRAME_TYPE,
    ANOMALY_FRAME_HUGE,
    ANOMALY_FRAME_MAX,
    ANOMALY_CHANNEL_MAX,
    ANOMALY_METHOD,
    ANOMALY_ARGUMENTS,
    ANOMALY_INTERLEAVED,
    ANOMALY_NO_METHOD,
    ANOMALY_NO_HEADER,
    ANOMALY_HEADER,
    ANOMALY_BODY_SIZE,
    ANOMALY_TABLE,
};

/* A message of this chunk about the unit that begins at `offset`. */
void amqp_msg_init(const struct amqp_feed *f, struct msg *m, enum msg_kind kind, const char *action,
                   uint64_t offset);
static inline void amqp_emit(const struct amqp_feed *f, const struct msg *m)
{
    f->out->emit(f->out->ctx, m);
}

/* Once a connection and kind. */
void amqp_emit_anomaly(struct amqp_feed *f, enum amqp_anomaly what, uint64_t offset);
/* The method; `queue`: the one that is meant (at == NULL: as the method says). */
void amqp_emit_command(struct amqp_feed *f, const struct amqp_method *m, uint16_t channel,
                       uint64_t offset, struct bytes queue);
/* The compression that its headers declare; in the arena, or a view. */
struct bytes amqp_content_compression(struct amqp_feed *f, const struct amqp_content *c);
/* The message, with what there is of its body. */
void amqp_emit_envelope(struct amqp_feed *f, const struct amqp_content *c, struct bytes body);
/* A peer's properties: a field table. */
void amqp_emit_peer(struct amqp_feed *f, struct bytes table, uint64_t offset);

#endif
