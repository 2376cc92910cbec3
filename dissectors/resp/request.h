/* dissectors/resp/request.h - the arguments of one request, gathered.
 *
 * Views while its chunk lasts; what a chunk's end cuts is copied. Of a request with very
 * many or very large arguments the values are told as they come, and only its first
 * arguments stay: what is told does not depend on where the stream was cut. */
#ifndef DISSECTORS_RESP_REQUEST_H
#define DISSECTORS_RESP_REQUEST_H

#include "dissectors/resp/conn.h"

#define ARG_VIEW UINT32_MAX

struct arg_more {
    uint64_t wire_len;
    struct tap *tap; /* of a value that is larger than what is kept; or NULL */
    uint32_t stored; /* offset in `buf`, or ARG_VIEW */
    bool gap;
};

struct request {
    struct bytes *at;
    struct arg_more *more;
    uint32_t n, cap;
    uint32_t total;   /* arguments announced */
    uint32_t skipped; /* arguments that went, between slot ARGS_FIRST - 1 and the next one */
    uint32_t told;    /* values before this argument were told */
    uint32_t saved;   /* arguments before this slot are in `buf` */
    uint64_t bytes;   /* held, as if nothing was cut */
    const struct command *command; /* once something was told */
    struct command_layout layout;
    struct keep buf;
    struct keep owners; /* list: of keys or fields among arguments that went; see PAIR_LIST */
    bool open, heap, gap, inlined, http;
};

/* Room for the arguments of the requests of one chunk. */
struct request_room {
    struct request request;
    struct bytes at[ARGS_MAX];
    struct arg_more more[ARGS_MAX];
};

/* Before the first token of a chunk: f->request is the one in progress or a fresh one in `room`. */
void request_enter(struct feed *f, struct request_room *room);
/* After the last one: what is in progress is made to last. */
void request_leave(struct feed *f, struct request_room *room);
/* A token of the client's direction. */
void request_token(struct feed *f, struct request_room *room, const struct resp_token *t);
/* The rest of the request in progress was lost: as much as there is of it is told. */
void request_cut(struct feed *f, struct request_room *room);
/* It is malformed: no server carries it out. */
void request_drop(struct feed *f, struct request_room *room);
void request_free(struct resp_conn *conn);

/* The argument in slot i is number request_number(r, i) of the request. */
static inline uint32_t request_number(const struct request *r, uint32_t slot)
{
    return slot < ARGS_FIRST ? slot : slot + r->skipped;
}

/* Argument i, of those that always stay; empty: there is none. */
static inline struct bytes request_arg(const struct request *r, uint32_t i)
{
    return i < r->n && i < ARGS_FIRST ? r->at[i] : bytes_of(NULL, 0);
}

/* The argument with that number; empty: it went. */
static inline struct bytes request_arg_number(const struct request *r, uint32_t i)
{
    uint32_t slot = i < ARGS_FIRST ? i : i - r->skipped;

    if (i >= ARGS_FIRST && i < ARGS_FIRST + r->skipped)
        return bytes_of(NULL, 0);
    return slot < r->n ? r->at[slot] : bytes_of(NULL, 0);
}

/* REDIS_KEY of a request that is laid out. A destination is the first key of ZUNIONSTORE, not of
 * SORT. */
static inline struct bytes request_key(const struct request *r)
{
    uint32_t first = r->layout.keys_from > 0 ? r->layout.keys_from : r->layout.key_extra;
    uint32_t i = r->command->keys == KEYS_DEST_COUNTED ? 1 : first;

    return i > 0 ? request_arg_number(r, i) : bytes_of(NULL, 0);
}

static inline struct bytes request_channel(const struct request *r)
{
    return r->command->channels != CHANNELS_NONE ? request_arg(r, 1) : bytes_of(NULL, 0);
}

/* asked.c: what a request means: a complete one, or one that has a gap, as far as it came. */
void request_asked(struct feed *f, struct request *r);
/* Finds its command and how its arguments lie, unless some of them went. */
void request_lay_out(struct request *r);
/* Tells the values among its arguments that were not told yet. It is laid out. */
void request_values(struct feed *f, struct request *r);

/* inline.c: the next argument of a line, split as redis:src/sds.c:sdssplitargs does; a quoted one
 * is put into `quoted`. */
enum inline_next { INLINE_ARG, INLINE_END, INLINE_UNBALANCED };
enum inline_next inline_next(struct bytes *line, struct bytes *arg, struct keep *quoted);

#endif
