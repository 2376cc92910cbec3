/* signatures/cluster/waiting.h - messages that are judged later, when what their sender does next
 * is known: a bounded ring, in packet order, all of which wait for the same time. */
#ifndef CLUSTER_WAITING_H
#define CLUSTER_WAITING_H

#include "dissectors/msg.h"
#include "signatures/flat.h"

struct waiting;

/* Room for `max` messages. NULL: no memory. */
struct waiting *waiting_new(unsigned max);
void waiting_free(struct waiting *w);

/* Copies the message, which comes no earlier than the last one, and a finding about it (NULL:
 * none). false: the ring is full, or there is no memory; the message does not wait. */
bool waiting_add(struct waiting *w, const struct msg *m, const struct finding *f);

/* Takes out the oldest message that came at `until` or before (ns of packet time), and its sender's
 * crew_host_id(); false: there is none. The view is good until the next call. */
bool waiting_next(struct waiting *w, int64_t until, struct flat_view *v, uint64_t *host);

#endif
