/* signatures/route.h - where a task goes, as far as its message alone tells: bindings are not known
 * here, and a routing key is most often the queue's name. Pure. */
#ifndef SIGNATURES_ROUTE_H
#define SIGNATURES_ROUTE_H

#include "dissectors/msg.h"

/* The routing key, without the delays that native delayed delivery puts before it: 28 bits each,
 * "0.0. .. .1.celery" (kombu:transport/native_delayed_delivery.py:calculate_routing_key). */
struct bytes route_key(const struct msg *m);
/* The queue where it is known, else that key. */
struct bytes route_queue(const struct msg *m);

#endif
