/* dissectors/resp/pair.h - the commands of one connection that wait for their replies.
 *
 * A queue with two fronts: those that MULTI queued, which EXEC will answer all at once,
 * and behind them those whose own reply is still to come. An entry is two bytes; behind
 * it a record, if something of the request is needed later.
 *
 *     [queued ...][waiting ...] */
#ifndef DISSECTORS_RESP_PAIR_H
#define DISSECTORS_RESP_PAIR_H

#include "base/keep.h"

#define PAIR_CODE_MAX   0x0fffu
#define PAIR_FLAG_SHIFT 12

enum pair_flag {
    PAIR_IN_MULTI = 1, /* the reply may be +QUEUED */
    PAIR_TOLD = 2,     /* MSG_REPLY is wanted */
};

/* The texts of a record. */
enum pair_text {
    PAIR_NAME,    /* of a command that is not in the table */
    PAIR_KEY,     /* the first key */
    PAIR_CHANNEL, /* the first channel */
    PAIR_ARGS,    /* list: REDIS_ARGS */
    PAIR_LIST,    /* list: the keys or fields that the values of the reply belong to */
    PAIR_USER,
    PAIR_SECRET,
    PAIR_TEXTS
};

struct pair_record {
    int64_t start;   /* time of the request, ns */
    uint64_t offset; /* of the request in its stream */
    int32_t db;
    int32_t num; /* SELECT, EXEC: the database before it, -1: it changes none; HELLO: the version;
                    SUBSCRIBE: confirmations to come, -1: not known */
    uint8_t coverage; /* COVER_* of the request */
    bool login;       /* carries a credential */
    bool never_logged_in;
    struct bytes text[PAIR_TEXTS]; /* at == NULL: none. Given to pair_add() they are copied; got
                                      back they are views until the queue changes */
};

struct pair_entry {
    uint16_t code;
    uint8_t flags; /* PAIR_* */
    bool has_record;
    const struct pair_record *record; /* `loaded`, or one that is all zero */
    struct pair_record loaded;
};

struct pair {
    uint8_t *at;             /* `small`, or allocated */
    uint32_t cap;            /* of `at` */
    uint32_t head, mid, end; /* offsets: first queued, first waiting, behind the last */
    uint32_t queued, waiting;
    uint64_t lost; /* replies to come of commands that were dropped when there were too many */
    uint8_t small[16];
};

void pair_init(struct pair *p);
/* A command that waits; record may be NULL. false: no room within max_bytes, or no memory: with
 * NULL in place of the record there may be. */
bool pair_add(struct pair *p, uint16_t code, uint8_t flags, const struct pair_record *record,
              size_t max_bytes, struct budget *budget);
/* The same for a command of which nothing but the code is kept. */
static inline bool pair_add_code(struct pair *p, uint16_t code, uint8_t flags, size_t max_bytes,
                                 struct budget *budget)
{
    uint16_t stamped = (uint16_t)(code | (unsigned)flags << PAIR_FLAG_SHIFT);

    if (p->cap - p->end < sizeof stamped)
        return pair_add(p, code, flags, NULL, max_bytes, budget);
    memcpy(p->at + p->end, &stamped, sizeof stamped);
    p->end += (uint32_t)sizeof stamped;
    p->waiting++;
    return true;
}

bool pair_first_waiting(const struct pair *p, struct pair_entry *e);
bool pair_first_queued(const struct pair *p, struct pair_entry *e);
/* Sets `num` of the first waiting one. */
void pair_set_num(struct pair *p, int32_t num);
/* The same of the first that is queued. */
void pair_set_queued_num(struct pair *p, int32_t num);
/* How many replies more than one each those have that are queued, by the sum of their `num` - 1;
 * only of those commands that `counts` says so of. */
uint32_t pair_queued_more(const struct pair *p, bool (*counts)(uint16_t code));
/* The first waiting one is done. */
void pair_pop_waiting(struct pair *p, struct budget *budget);
/* The same in one, for one that has neither a record nor flags, with nothing queued before it;
 * false: it is not so, and nothing was done. */
bool pair_pop_plain(struct pair *p, uint16_t *code);
/* Its code alone. */
bool pair_first_plain(const struct pair *p, uint16_t *code);
/* It was queued. */
void pair_queue(struct pair *p);
/* The same, if it may be: see PAIR_IN_MULTI; false: it may not, and nothing was done. */
bool pair_queue_plain(struct pair *p);
/* Of all that is queued, and of the first that waits behind it, only the code was kept, and no
 * MSG_REPLY is wanted. */
bool pair_row_is_plain(const struct pair *p);
/* Then: the code of the i-th that is queued; i == queued: of the one that waits. */
uint16_t pair_row_code(const struct pair *p, uint32_t i);
/* Then: all of them are done. */
void pair_pop_row(struct pair *p);
void pair_pop_queued(struct pair *p, struct budget *budget);
void pair_free(struct pair *p, struct budget *budget);

#endif
