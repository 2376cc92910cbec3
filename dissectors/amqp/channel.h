/* dissectors/amqp/channel.h - what a channel remembers between methods: which
 * queue a consumer tag, a pending get or an empty queue name stands for.
 *
 * One small block a channel, made on use; an entry is a few bytes and two short
 * strings. At a limit a name is not remembered, and is then not told: never a
 * wrong one. */
#ifndef DISSECTORS_AMQP_CHANNEL_H
#define DISSECTORS_AMQP_CHANNEL_H

#include "base/keep.h"

enum { AMQP_NAMES_MAX = 8 << 10 }; /* bytes of names of one channel */

struct amqp_channel {
    uint8_t *at; /* entries: kind, length, length, first, second */
    uint16_t used, cap;
    uint16_t number;
    uint16_t gets_untold; /* pending gets behind those that are remembered */
    bool pending;         /* there may be names that wait for an answer */
};

struct amqp_channels {
    struct amqp_channel *at;
    uint16_t n, cap;
    uint16_t last; /* index of the one asked for last */
};

enum amqp_name {
    NAME_QUEUE,    /* second: the queue declared last; first is empty */
    NAME_CONSUMER, /* first: consumer tag, second: its queue */
    NAME_UNTAGGED, /* second: queue of a consumer whose tag the server is about to choose */
    NAME_GET,      /* second: queue of a get that is not answered yet */
};

/* NULL: nothing is known of that channel. */
struct amqp_channel *amqp_channel_find(struct amqp_channels *all, uint16_t number);
/* Makes it if need be. NULL: max_open reached, or no memory. */
struct amqp_channel *amqp_channel_get(struct amqp_channels *all, uint16_t number, unsigned max_open,
                                      struct budget *budget);
/* Forgets all of one channel: it was opened or closed. */
void amqp_channel_reset(struct amqp_channels *all, uint16_t number, struct budget *budget);
/* Forgets what waits for an answer, on all channels: bytes were lost. */
void amqp_channels_lost(struct amqp_channels *all);
void amqp_channels_free(struct amqp_channels *all, struct budget *budget);

/* The second name of the first entry of that kind and first name (any, when first.at is
 * NULL); at == NULL: none. A view until the channel changes. NULL for a channel is none. */
struct bytes amqp_name_find(const struct amqp_channel *c, enum amqp_name kind, struct bytes first);
/* Adds one behind the others of its kind; NAME_QUEUE and a consumer tag replace their like. */
void amqp_name_add(struct amqp_channel *c, enum amqp_name kind, struct bytes first,
                   struct bytes second, struct budget *budget);
/* Forgets what amqp_name_find() would find. */
void amqp_name_drop(struct amqp_channel *c, enum amqp_name kind, struct bytes first);

/* The server has named the consumer that waits longest. */
void amqp_name_tag(struct amqp_channel *c, struct bytes tag, struct budget *budget);

#endif
