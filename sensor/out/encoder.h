/* out/encoder.h - the inside of an encoder, for the files encode*.c only. */
#ifndef OUT_ENCODER_H
#define OUT_ENCODER_H

#include <openssl/evp.h>

#include "out/encode.h"
#include "out/flow_text.h"
#include "out/paths.h"
#include "out/redact.h"

#define ECS_VERSION "9.0.0"

/* A list longer than this is cut, as a text longer than LIMIT_EVIDENCE is. */
enum { ENCODE_LIST_MAX = 64 };

struct encoder {
    struct encode_conf conf; /* observer_name is a copy of our own */
    EVP_MD *sha256;
    EVP_MD_CTX *digest;
    struct text id_input;
    struct text out;      /* the record */
    struct text scratch;  /* what jansson wrote, or a text on its way to it */
    struct text observer; /* "observer":{"name":... up to where the interface would stand */
    struct text_clock clock;
    struct redact redact;
    struct paths paths;
    struct flow_text *flows;
};

/* Fields whose values are words of the protocol or of our own, never text of a user. */
static inline bool encode_is_vocabulary(enum field_id id)
{
    return id == F_OUTCOME || id == F_AMQP_METHOD || id == F_AMQP_MECHANISM ||
           id == F_REDIS_COMMAND || id == F_APP || id == F_ANOMALY;
}

/* The side that stands as the source: that of the unit, except that a Redis command whose reply is
 * known is still what its client sent. */
static inline enum dir encode_sender(const struct msg *m)
{
    return m->kind == MSG_REPLY ? TO_SERVER : m->dir;
}

/* The word of one bit of msg.coverage. */
static inline const char *encode_coverage_name(unsigned bit)
{
    return bit == COVER_CLIPPED     ? "clipped"
           : bit == COVER_GAP       ? "gap"
           : bit == COVER_MIDSTREAM ? "midstream"
                                    : "one-way";
}

/* As encode_id(), with the index and Community ID already at hand. */
void encode_digest(struct encoder *e, const char *dataset, const char *what, int64_t ns,
                   const char *community, const char *side, uint64_t offset, uint64_t index,
                   char id[33]);

/* The name of the input that a stamp came from; NULL: none. */
static inline const char *encode_input(const struct encoder *e, uint32_t input)
{
    return e->conf.input_name ? e->conf.input_name(e->conf.ctx, input) : NULL;
}

#endif
