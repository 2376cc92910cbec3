/* signatures/cluster/inventory.h - what an inventory is made of, and what a baseline is learnt
 * from: facts read off all messages, in packet order. Only made when one of the two is asked for
 * (policy.inventory): it is no detector and finds nothing. One thread. */
#ifndef SIGNATURES_CLUSTER_INVENTORY_H
#define SIGNATURES_CLUSTER_INVENTORY_H

#include "dissectors/msg.h"
#include "signatures/cluster/inventory_facts.h"

/* Kinds of message that it has to see. */
#define INVENTORY_KINDS                                                                  \
    ((unsigned)MSG_PEER | MSG_LOGIN | MSG_COMMAND | MSG_TASK | MSG_RESULT | MSG_WORKER | \
     MSG_CONTROL | MSG_STORED)

struct inventory;

struct inventory *inventory_new(void); /* NULL: out of memory */
void inventory_free(struct inventory *v);

/* Which envelopes it has to see: what redbeat keeps its schedule in, as it is written. */
bool inventory_wants_envelope(const struct msg *m);
void inventory_note(struct inventory *v, const struct msg *m);

const struct facts *inventory_facts(const struct inventory *v);

#endif
