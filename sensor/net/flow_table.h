/* net/flow_table.h - inside flow only: the parts of the table.
 *
 *   index    tag of the hash -> slot; open addressing, 8 bytes an entry
 *   slab     slot = struct flow, links, then the user's bytes
 *   queues   of each shard, by stage, in the order in which to evict
 *   wheel    4096 seconds: where a flow's deadline falls
 *
 * A packet of a known flow writes only the flow's first two cache lines: queues and
 * wheel are put right when they are looked at, from `seen`. */
#ifndef NET_FLOW_TABLE_H
#define NET_FLOW_TABLE_H

#include "net/flow.h"
#include "net/slab.h"

enum { WHEEL_SECONDS = 4096, CACHE_LINE = 64 };

enum stage { STAGE_CLOSED, STAGE_YOUNG, STAGE_SETTLED, STAGE_COUNT };

/* flow.state: the stage, and */
enum {
    STATE_STAGE = 0x03,
    STATE_SYN_SEEN = 0x04, /* syn_seq is set */
    STATE_NEW_SYN = 0x08,  /* new_seq is that of a SYN without an answer */
    STATE_RST = 0x10,      /* the last packet was a RST, new_seq is its */
    STATE_RST_CLIENT = 0x20,
};

struct slot {
    struct flow flow;
    uint32_t wheel_next, wheel_prev, queue_next, queue_prev; /* 0: none */
    uint32_t tag;                                            /* the low half of the hash */
    uint32_t queued; /* `seen` when it joined its queue's end */
    uint32_t syn_seq, new_seq;
};
_Static_assert(offsetof(struct flow, last) == CACHE_LINE, "what a look-up compares is one line");
_Static_assert(offsetof(struct flow, first) == 2 * CACHE_LINE, "what a packet counts is the next");
_Static_assert(sizeof(struct slot) == 3 * CACHE_LINE, "the user's bytes start on a line");

struct entry {
    uint32_t tag, slot; /* slot 0: empty */
};

struct queue {
    uint32_t first, last, n;
};

struct flow_table {
    struct entry *entry;
    size_t mask, used;
    struct slab slab;

    struct queue queue[FLOW_SHARDS][STAGE_COUNT];
    uint32_t per_shard;

    uint32_t wheel[WHEEL_SECONDS];
    int64_t wheel_at, now; /* seconds */
    bool started, ticked;
    int64_t limit[STAGE_COUNT]; /* seconds */

    size_t user_size, open;
    flow_end_fn *on_end;
    void *ctx;
    struct tally *tally;
    struct flow_conf conf;
    struct slot **doomed;
    size_t doomed_cap;
};

static inline struct slot *slot_at(const struct flow_table *t, uint32_t n)
{
    return slab_at(&t->slab, n);
}

static inline enum stage stage_of(const struct slot *s)
{
    return (enum stage)(s->flow.state & STATE_STAGE);
}

static inline void set_stage(struct slot *s, enum stage stage)
{
    unsigned others = s->flow.state & ~(unsigned)STATE_STAGE;
    s->flow.state = (uint8_t)(others | stage);
}

/* flow_index.c */
bool index_reserve(struct flow_table *t); /* room for one more; false: no memory */
void index_put(struct flow_table *t, uint32_t tag, uint32_t slot);
void index_remove(struct flow_table *t, uint32_t tag, uint32_t slot);
void index_free(struct flow_table *t);

/* flow_age.c */
void age_add(struct flow_table *t, uint32_t slot);
void age_remove(struct flow_table *t, uint32_t slot);
void age_move(struct flow_table *t, uint32_t slot, enum stage to);
/* The slot of a full shard to give up, 0: there is room. */
uint32_t age_victim(struct flow_table *t, unsigned shard);

/* flow.c */
void slot_end(struct flow_table *t, struct slot *s, enum flow_end why); /* calls on_end, once */
void slot_release(struct flow_table *t, uint32_t slot);

#endif
