/* run/inventory.h - --emit inventory: the facts of the collector, put together to things and
 * written, each time anew, in one order. */
#ifndef RUN_INVENTORY_H
#define RUN_INVENTORY_H

#include "out/encode.h"
#include "out/outputs.h"
#include "signatures/cluster/inventory_facts.h"

/* now: packet time of the records. Out of memory: less is written. */
void inventory_write(const struct facts *facts, int64_t now, struct encoder *encoder,
                     struct outputs *outputs);

#endif
